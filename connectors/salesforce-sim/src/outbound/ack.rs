//! Whether an answer acknowledges.

use crate::xml;

/// Whether an answer is a well-formed `Ack` of `true`; else why it is none.
pub(super) fn check(status: u16, body: &str) -> Result<(), String> {
    if status != 200 {
        return Err(format!("the endpoint answered {status}"));
    }
    let envelope = xml::read(body.as_bytes());
    let envelope = envelope.map_err(|_| String::from("the answer is no SOAP"))?;
    let ack = envelope.at(&["Body", "notificationsResponse", "Ack"]);
    let ack = ack.filter(|_| envelope.name == "Envelope");
    match ack.map(|element| element.text.as_str()) {
        Some("true") => Ok(()),
        Some(_) => Err(String::from("the answer is no Ack of true")),
        None => Err(String::from("the answer has no Ack")),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    const ACK: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
        <notificationsResponse xmlns=\"http://soap.sforce.com/2005/09/outbound\"><Ack>true</Ack>\
        </notificationsResponse></s:Body></s:Envelope>";

    #[test]
    fn nothing_but_a_well_formed_true_acknowledges() {
        assert_eq!(check(200, ACK), Ok(()));
        assert!(check(202, ACK).is_err());
        assert!(check(200, &ACK.replace("true", "false")).is_err());
        assert!(check(200, &ACK.replace("</s:Body>", "")).is_err());
        for body in ["", "OK", "{\"ok\":true}", "<Ack>true</Ack>"] {
            assert!(check(200, body).is_err(), "{body}");
        }
    }
}
