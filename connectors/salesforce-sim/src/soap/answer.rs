//! Envelopes of answers: results and faults.

use crate::org::ids::Id;
use crate::rest::Reply;
use crate::save::SaveError;
use crate::xml::escaped;

/// Namespaces of an answer: of the flavour of the API that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    Partner,
    Enterprise,
}

impl Flavour {
    /// By the path of the call; nothing when it leads to no SOAP API of records.
    pub(super) fn of(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("/services/Soap/")?;
        match rest.split('/').next()? {
            "u" => Some(Self::Partner),
            "c" => Some(Self::Enterprise),
            _ => None,
        }
    }

    /// The letter in the path.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Partner => 'u',
            Self::Enterprise => 'c',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Enterprise => "enterprise",
        }
    }

    /// What a call answers: `<xResponse>` around the results.
    pub(super) fn response(self, call: &str, results: &str) -> Reply {
        self.body(200, &format!("<{call}Response>{results}</{call}Response>"))
    }

    /// A refusal of a whole call.
    pub(super) fn fault(self, faultcode: &str, code: &str, text: &str) -> Reply {
        self.faulted("UnexpectedErrorFault", faultcode, code, text)
    }

    /// A refusal of a login.
    pub(super) fn login_fault(self, code: &str, text: &str) -> Reply {
        self.faulted("LoginFault", &format!("sf:{code}"), code, text)
    }

    fn faulted(self, kind: &str, faultcode: &str, code: &str, text: &str) -> Reply {
        let text = escaped(text);
        self.body(
            500,
            &format!(
                "<soapenv:Fault><faultcode>{faultcode}</faultcode>\
                 <faultstring>{code}: {text}</faultstring><detail>\
                 <sf:{kind} xsi:type=\"sf:{kind}\">\
                 <sf:exceptionCode>{code}</sf:exceptionCode>\
                 <sf:exceptionMessage>{text}</sf:exceptionMessage></sf:{kind}></detail>\
                 </soapenv:Fault>"
            ),
        )
    }

    fn body(self, status: u16, inner: &str) -> Reply {
        let word = self.word();
        Reply::text(
            status,
            "text/xml;charset=UTF-8",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
                 <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
                 xmlns=\"urn:{word}.soap.sforce.com\" \
                 xmlns:sf=\"urn:fault.{word}.soap.sforce.com\" \
                 xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
                 <soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
            ),
        )
    }
}

/// The result of one record: `errors` first, then the id, then whether it went well.
pub(super) fn result(id: &str, result: &Result<(), Vec<SaveError>>) -> String {
    match result {
        Ok(()) => format!("<result><id>{}</id><success>true</success></result>", escaped(id)),
        Err(errors) => format!(
            "<result>{}<id xsi:nil=\"true\"/><success>false</success></result>",
            errors_xml(errors)
        ),
    }
}

/// The result of one merge, its members in the order of the guide.
pub(super) fn merged(
    master: &str,
    losers: &[String],
    result: &Result<Vec<Id>, Vec<SaveError>>,
) -> String {
    match result {
        Ok(related) => {
            let lost: String = losers
                .iter()
                .map(|id| format!("<mergedRecordIds>{}</mergedRecordIds>", shown(id)))
                .collect();
            let related: String = related
                .iter()
                .map(|id| format!("<updatedRelatedIds>{id}</updatedRelatedIds>"))
                .collect();
            format!(
                "<result><id>{}</id>{lost}<success>true</success>{related}</result>",
                shown(master)
            )
        }
        Err(errors) => format!(
            "<result>{}<id xsi:nil=\"true\"/><success>false</success></result>",
            errors_xml(errors)
        ),
    }
}

fn shown(id: &str) -> String {
    Id::parse(id).map_or_else(|| escaped(id), |id| id.to_string())
}

fn errors_xml(errors: &[SaveError]) -> String {
    let one = |error: &SaveError| {
        let fields: String = error
            .fields
            .iter()
            .map(|field| format!("<fields>{}</fields>", escaped(field)))
            .collect();
        format!(
            "<errors>{fields}<message>{}</message><statusCode>{}</statusCode></errors>",
            escaped(&error.message),
            error.code
        )
    };
    errors.iter().map(one).collect()
}
