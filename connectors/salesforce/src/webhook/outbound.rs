//! The receiver of outbound messages.

use std::sync::{Arc, OnceLock};

use syncline_sdk::{EntityName, Key, Webhook, WebhookRefusal, WebhookReply, WebhookRequest};

use super::{Message, read, steps};
use crate::id::id18;

/// What tells the org that a message was taken: anything but a well-formed `Ack` of `true` makes
/// it send the message again, for 24 hours.
const ACK: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
    <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\
    <soapenv:Body><notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\">\
    <Ack>true</Ack></notificationsResponse></soapenv:Body></soapenv:Envelope>";

/// Reads the outbound messages of one org.
#[derive(Debug)]
pub(crate) struct OutboundMessages {
    /// The org's id, once a login has told it.
    org: Arc<OnceLock<String>>,
}

impl OutboundMessages {
    pub(crate) fn new(org: Arc<OnceLock<String>>) -> Self {
        Self { org }
    }
}

impl Webhook for OutboundMessages {
    fn read(&self, request: &WebhookRequest<'_>) -> Result<WebhookReply, WebhookRefusal> {
        let Message { organization, notices } = read(request.body)?;
        let Some(org) = self.org.get() else {
            let what = "the org has not been logged in to yet, so that its id is not known; the \
                        org sends the message again";
            return Err(WebhookRefusal::NotYet(what.to_owned()));
        };
        if id18(&organization).as_deref() != Some(org.as_str()) {
            let what = format!(
                "the message is of another org than {org}; was its address copied into a sandbox?"
            );
            return Err(WebhookRefusal::Stranger(what));
        }
        let body = ACK.to_owned();
        Ok(WebhookReply { notices, content_type: "text/xml; charset=utf-8", body })
    }

    fn key(&self, text: &str) -> Option<Key> {
        id18(text.trim()).map(Key::from)
    }

    fn steps(&self, url: &str, entities: &[EntityName]) -> Vec<String> {
        steps::steps(url, entities)
    }
}
