//! The one SOAP call: `undelete()`, which REST does not have (SOAP guide, undelete).

use quick_xml::escape::escape;
use serde::Deserialize;

use super::fault::Fault;

/// The envelope of an `undelete()` of these ids (partner namespace).
pub(crate) fn undelete_envelope(
    session: &str,
    options: &str,
    ids: &[String],
    whole: bool,
) -> String {
    let client = options.strip_prefix("client=").unwrap_or(options);
    // SOAP guide, AllOrNoneHeader.
    let whole = match whole {
        true => "<urn:AllOrNoneHeader><urn:allOrNone>true</urn:allOrNone></urn:AllOrNoneHeader>",
        false => "",
    };
    let ids: String =
        ids.iter().map(|id| format!("<urn:ids>{}</urn:ids>", escape(id.as_str()))).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:urn=\"urn:partner.soap.sforce.com\"><soapenv:Header>\
         <urn:SessionHeader><urn:sessionId>{}</urn:sessionId></urn:SessionHeader>\
         <urn:CallOptions><urn:client>{}</urn:client></urn:CallOptions>{whole}</soapenv:Header>\
         <soapenv:Body><urn:undelete>{ids}</urn:undelete></soapenv:Body></soapenv:Envelope>",
        escape(session),
        escape(client),
    )
}

/// What became of one id.
#[derive(Debug, Deserialize)]
pub(crate) struct UndeleteRow {
    pub(crate) success: bool,
    #[serde(default)]
    errors: Vec<SoapError>,
}

impl UndeleteRow {
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let fault = |error: &SoapError| Fault {
            code: error.status_code.clone(),
            message: error.message.clone(),
            fields: None,
        };
        self.errors.iter().map(fault).collect()
    }
}

#[derive(Debug, Deserialize)]
struct SoapError {
    #[serde(default)]
    message: String,
    #[serde(default, rename = "statusCode")]
    status_code: String,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Body")]
    body: EnvelopeBody,
}

#[derive(Deserialize)]
struct EnvelopeBody {
    #[serde(rename = "undeleteResponse")]
    undelete: Option<UndeleteResponse>,
    #[serde(rename = "Fault")]
    fault: Option<SoapFault>,
}

#[derive(Deserialize)]
struct UndeleteResponse {
    #[serde(default, rename = "result")]
    results: Vec<UndeleteRow>,
}

#[derive(Deserialize)]
struct SoapFault {
    #[serde(default)]
    faultcode: String,
    #[serde(default)]
    faultstring: String,
}

/// The results of an `undelete()`, in the order of its ids; nothing when they cannot be read.
pub(crate) fn undelete_answer(body: &[u8]) -> Option<Vec<UndeleteRow>> {
    let text = std::str::from_utf8(body).ok()?;
    let envelope: Envelope = quick_xml::de::from_str(text).ok()?;
    Some(envelope.body.undelete?.results)
}

/// The fault in a body, its code without the namespace prefix.
pub(crate) fn fault(body: &[u8]) -> Option<Fault> {
    let text = std::str::from_utf8(body).ok()?;
    let envelope: Envelope = quick_xml::de::from_str(text).ok()?;
    let fault = envelope.body.fault?;
    let code = fault.faultcode.rsplit(':').next().unwrap_or_default().to_owned();
    Some(Fault { code, message: fault.faultstring, fields: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_results_and_faults() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope
            xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
            xmlns="urn:partner.soap.sforce.com"
            xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Header/><soapenv:Body>
            <undeleteResponse><result><id>001000000000001AAA</id><success>true</success></result>
            <result><errors><message>entity is not in the recycle bin</message>
            <statusCode>UNDELETE_FAILED</statusCode></errors><id xsi:nil="true"/>
            <success>false</success></result></undeleteResponse></soapenv:Body>
            </soapenv:Envelope>"#;
        let rows = undelete_answer(body.as_bytes()).unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].success && !rows[1].success);
        assert_eq!(rows[1].faults()[0].code, "UNDELETE_FAILED");
        let body = r#"<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
            xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>
            <faultcode>sf:INVALID_SESSION_ID</faultcode>
            <faultstring>INVALID_SESSION_ID: Invalid Session ID found</faultstring><detail>
            <sf:UnexpectedErrorFault><sf:exceptionCode>INVALID_SESSION_ID</sf:exceptionCode>
            </sf:UnexpectedErrorFault></detail></soapenv:Fault></soapenv:Body>
            </soapenv:Envelope>"#;
        assert_eq!(fault(body.as_bytes()).unwrap().code, "INVALID_SESSION_ID");
        assert!(undelete_answer(body.as_bytes()).is_none());
        assert!(fault(b"<html>busy</html>").is_none());
    }

    #[test]
    fn the_envelope_escapes_what_it_carries() {
        let envelope = undelete_envelope("a&b<c", "client=syncline", &["001".to_owned()], false);
        assert!(envelope.contains("<urn:sessionId>a&amp;b&lt;c</urn:sessionId>"));
        assert!(envelope.contains("<urn:client>syncline</urn:client>"));
        assert!(envelope.contains("<urn:undelete><urn:ids>001</urn:ids></urn:undelete>"));
        assert!(!envelope.contains("AllOrNone"));
        let envelope = undelete_envelope("s", "client=syncline", &["001".to_owned()], true);
        assert!(envelope.contains("<urn:allOrNone>true</urn:allOrNone>"));
    }
}
