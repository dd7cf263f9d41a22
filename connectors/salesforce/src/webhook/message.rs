//! Reading the XML of an outbound message.
//!
//! The reader resolves namespaces and nothing else: a document type or an entity of its own ends
//! it, so that nothing can be expanded or fetched, and depth and number are limited.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};
use syncline_sdk::{EntityName, Key, Notice, WebhookRefusal};

use crate::id::id18;
use crate::limits::{NOTIFICATIONS_MAX, XML_DEPTH_MAX};
use crate::org::plain_name;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const OUTBOUND: &str = "http://soap.sforce.com/2005/09/outbound";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The namespaces of records, enterprise and partner.
const RECORD: &str = "urn:sobject.";
/// A notification's id has 18 characters.
const ID_CHARS_MAX: usize = 64;

/// What is taken from a message.
#[derive(Debug)]
pub(super) struct Message {
    /// The id of the org, as it was written.
    pub organization: String,
    /// Its notifications.
    pub notices: Vec<Notice>,
}

/// What an element is, by where it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Envelope,
    Body,
    Notifications,
    Organization,
    Notification,
    NotificationId,
    Object,
    ObjectId,
    Other,
}

impl Place {
    fn of(parent: Option<Self>, namespace: &str, name: &str) -> Self {
        match (parent, namespace, name) {
            (None, SOAP, "Envelope") => Self::Envelope,
            (Some(Self::Envelope), SOAP, "Body") => Self::Body,
            (Some(Self::Body), OUTBOUND, "notifications") => Self::Notifications,
            (Some(Self::Notifications), OUTBOUND, "OrganizationId") => Self::Organization,
            (Some(Self::Notifications), OUTBOUND, "Notification") => Self::Notification,
            (Some(Self::Notification), OUTBOUND, "Id") => Self::NotificationId,
            (Some(Self::Notification), OUTBOUND, "sObject") => Self::Object,
            (Some(Self::Object), record, "Id") if record.starts_with(RECORD) => Self::ObjectId,
            _ => Self::Other,
        }
    }
}

/// A notification that is being read.
#[derive(Default)]
struct Draft {
    id: String,
    entity: Option<String>,
    key: String,
}

#[derive(Default)]
struct Reading {
    path: Vec<Place>,
    organization: String,
    draft: Draft,
    notices: Vec<Notice>,
    /// Whether the `notifications` element was seen.
    seen: bool,
}

fn malformed(what: impl Into<String>) -> WebhookRefusal {
    WebhookRefusal::Malformed(what.into())
}

/// Reads a message.
///
/// # Errors
/// `Malformed`, with what is wrong with it.
pub(super) fn read(body: &[u8]) -> Result<Message, WebhookRefusal> {
    let text = std::str::from_utf8(body).map_err(|_| malformed("the message is not UTF-8"))?;
    let mut reader = NsReader::from_str(text);
    let mut reading = Reading::default();
    loop {
        // The reader's own words may repeat a part of the message.
        let event = reader.read_event().map_err(|_| malformed("the message is not XML"))?;
        match event {
            Event::Start(start) => reading.open(&reader, &start)?,
            Event::Empty(start) => {
                reading.open(&reader, &start)?;
                reading.close()?;
            }
            Event::End(_) => reading.close()?,
            Event::Text(text) => reading.add(&text)?,
            Event::CData(text) => reading.add(&text)?,
            Event::GeneralRef(name) => reading.add(&character(&name)?)?,
            Event::DocType(_) => {
                return Err(malformed("the message has a document type, which none has"));
            }
            Event::PI(_) => {
                return Err(malformed("the message has a processing instruction"));
            }
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof => break,
        }
    }
    reading.finish()
}

/// The character that a reference stands for: XML's own five and numbers. Others would need a
/// document type.
fn character(name: &BytesRef<'_>) -> Result<String, WebhookRefusal> {
    let known = match &**name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    };
    known.map(String::from).ok_or_else(|| malformed("the message has an entity of its own"))
}

impl Reading {
    fn open(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
    ) -> Result<(), WebhookRefusal> {
        if self.path.len() >= XML_DEPTH_MAX {
            return Err(malformed(format!("the message is deeper than {XML_DEPTH_MAX} elements")));
        }
        let (namespace, name) = reader.resolver().resolve_element(start.name());
        let namespace = match namespace {
            ResolveResult::Bound(Namespace(namespace)) => namespace,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(_) => {
                return Err(malformed("the message uses a prefix that it does not declare"));
            }
        };
        let place = Place::of(self.path.last().copied(), namespace, name.as_ref());
        match place {
            Place::Notifications => self.seen = true,
            Place::Notification => self.draft = Draft::default(),
            Place::Object => self.draft.entity = entity(reader, start)?,
            _ => {}
        }
        self.path.push(place);
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), WebhookRefusal> {
        let into = match self.path.last() {
            Some(Place::Organization) => &mut self.organization,
            Some(Place::NotificationId) => &mut self.draft.id,
            Some(Place::ObjectId) => &mut self.draft.key,
            Some(_) => return Ok(()),
            None if text.trim().is_empty() => return Ok(()),
            None => {
                return Err(malformed(
                    "the message has text outside its envelope: it is no outbound message, and \
                     what others send must be signed",
                ));
            }
        };
        if into.len() + text.len() > ID_CHARS_MAX {
            return Err(malformed("an id of the message is too long"));
        }
        into.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<(), WebhookRefusal> {
        if self.path.pop() != Some(Place::Notification) {
            return Ok(());
        }
        if self.notices.len() >= NOTIFICATIONS_MAX {
            let what = format!("the message has more than {NOTIFICATIONS_MAX} notifications");
            return Err(malformed(what));
        }
        let Draft { id, entity, key } = std::mem::take(&mut self.draft);
        let id = id.trim();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(malformed("a notification has no id"));
        }
        let Some(entity) = entity else {
            return Err(malformed("a notification has no record with a type"));
        };
        let Some(key) = id18(key.trim()) else {
            return Err(malformed(format!(
                "a notification about {entity} has no record id: is the field Id selected in the \
                 outbound message?"
            )));
        };
        self.notices.push(Notice {
            id: id.to_owned(),
            entity: EntityName::from(entity),
            key: Key::from(key),
        });
        Ok(())
    }

    fn finish(self) -> Result<Message, WebhookRefusal> {
        if !self.path.is_empty() {
            return Err(malformed("the message ends too early"));
        }
        if !self.seen || self.notices.is_empty() {
            return Err(malformed("the message has no notification: it is no outbound message"));
        }
        let organization = self.organization.trim().to_owned();
        if organization.is_empty() {
            return Err(malformed("the message does not name its org"));
        }
        Ok(Message { organization, notices: self.notices })
    }
}

/// The entity of a record: the local part of its `xsi:type`.
fn entity(
    reader: &NsReader<&[u8]>,
    start: &BytesStart<'_>,
) -> Result<Option<String>, WebhookRefusal> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|_| malformed("an attribute cannot be read"))?;
        let (namespace, name) = reader.resolver().resolve_attribute(attribute.key);
        if name.as_ref() != "type" || namespace != ResolveResult::Bound(Namespace(XSI)) {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| malformed("an attribute cannot be read"))?;
        let local = value.rsplit(':').next().unwrap_or_default();
        let fits = plain_name(local) && local.len() <= ID_CHARS_MAX;
        return if fits {
            Ok(Some(local.to_owned()))
        } else {
            Err(malformed("the type of a record is not the name of an entity"))
        };
    }
    Ok(None)
}
