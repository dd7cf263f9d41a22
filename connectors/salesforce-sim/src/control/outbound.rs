//! Outbound messages: `/__sim/outbound`.

use serde_json::json;

use super::{Answered, Refusal, read};
use crate::org::Org;
use crate::outbound::OutboundMessage;
use crate::rest::Http;

pub(super) fn route(org: &Org, http: &Http) -> Answered {
    match http.method.as_str() {
        "GET" => serde_json::to_value(org.outbound())
            .map_err(|error| Refusal::BadInput(error.to_string())),
        "POST" => Ok(json!({ "id": org.add_outbound_message(read::<OutboundMessage>(http)?)? })),
        "DELETE" => {
            org.clear_outbound_messages();
            Ok(json!({}))
        }
        _ => Err(Refusal::NotFound),
    }
}
