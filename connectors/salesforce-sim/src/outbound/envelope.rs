//! The message as it goes over the wire.

use serde_json::Value as Raw;

use super::OutboundMessage;
use crate::org::Id;
use crate::org::state::State;
use crate::xml::escaped;

/// The message about notifications, from the rows as they are now. A row that is gone by now has
/// nothing to tell; nothing at all where none is left.
pub(super) fn envelope(
    state: &State,
    action: Id,
    message: &OutboundMessage,
    notifications: &[(Id, Id)],
) -> Option<String> {
    let told: String = notifications
        .iter()
        .filter_map(|(id, row)| notification(state, message, *id, *row))
        .collect();
    if told.is_empty() {
        return None;
    }
    let org = state.org_id;
    let base = format!("https://{org}.my.salesforce.com/services/Soap");
    Some(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <soapenv:Body>\n  \
         <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\n   \
         <OrganizationId>{org}</OrganizationId>\n   <ActionId>{action}</ActionId>\n   \
         <SessionId xsi:nil=\"true\"/>\n   <EnterpriseUrl>{base}/c/67.0/{org}</EnterpriseUrl>\n   \
         <PartnerUrl>{base}/u/67.0/{org}</PartnerUrl>\n{told}  </notifications>\n \
         </soapenv:Body>\n</soapenv:Envelope>"
    ))
}

fn notification(state: &State, message: &OutboundMessage, id: Id, row: Id) -> Option<String> {
    let (table, record) = state.row(row).filter(|(_, record)| record.is_live())?;
    let object = &state.table(table)?.object.name;
    let values = crate::control::full_record(state, table, record);
    let mut fields = format!("<sf:Id>{row}</sf:Id>");
    for name in message.fields.iter().filter(|name| *name != "Id") {
        // A null field is left out.
        let text = match values.get(name) {
            None | Some(Raw::Null) => continue,
            Some(Raw::String(text)) => escaped(text),
            Some(other) => escaped(&other.to_string()),
        };
        fields.push_str(&format!("<sf:{name}>{text}</sf:{name}>"));
    }
    Some(format!(
        "   <Notification>\n    <Id>{id}</Id>\n    <sObject xsi:type=\"sf:{object}\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\">{fields}</sObject>\n   \
         </Notification>\n"
    ))
}
