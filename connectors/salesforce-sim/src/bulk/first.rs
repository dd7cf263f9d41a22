//! The first version of Bulk, `/services/async/NN.0`: this org has Bulk 2.0 only, and says so as
//! an org does in which the older one is switched off.

use crate::json::object;
use crate::org::Org;
use crate::rest::{Body, Http, Reply};
use crate::xml::escaped;

/// Refuses a call in the form in which this API tells errors: XML, or JSON for those who speak it
/// (Bulk API guide, errors: `exceptionCode`, `exceptionMessage`, status 400).
pub(crate) fn answer(org: &Org, http: &Http) -> Reply {
    let mut state = org.state();
    let (now_ms, life_s) = (state.clock.now_ms(), state.settings.session_s);
    let token = http.header("x-sfdc-session").unwrap_or_default().to_owned();
    let (code, message) = match state.logins.authenticate(&token, now_ms, life_s) {
        Some(_) => (
            "FeatureNotEnabled",
            "Async API is not enabled in this org. Use Bulk API 2.0: /services/data/vNN.0/jobs",
        ),
        None => ("InvalidSessionId", "Unable to find session id"),
    };
    refusal(http, code, message)
}

fn refusal(http: &Http, code: &str, message: &str) -> Reply {
    let spoken = ["content-type", "accept"].into_iter().filter_map(|name| http.header(name));
    let json = spoken.into_iter().any(|kind| kind.to_ascii_lowercase().contains("json"));
    if json {
        let body = object! {
            "exceptionCode" => code.to_owned(),
            "exceptionMessage" => message.to_owned(),
        };
        return Reply::json(400, body);
    }
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><error \
         xmlns=\"http://www.force.com/2009/06/asyncapi/dataload\">\
         <exceptionCode>{}</exceptionCode><exceptionMessage>{}</exceptionMessage></error>",
        escaped(code),
        escaped(message)
    );
    let body = Body::Text { content_type: "application/xml", text };
    Reply { status: 400, headers: Vec::new(), body }
}
