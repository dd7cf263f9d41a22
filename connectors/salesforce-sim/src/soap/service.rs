//! The calls that are served, and their answers.

use super::envelope::{Request, escaped, read};
use crate::org::ids::Id;
use crate::org::txn::Actor;
use crate::org::{CommitDelay, Org};
use crate::rest::{Http, Reply, VERSION_MAX};
use crate::save::{self, SaveError};

/// `login()` is gone from this version on (help article 005132110).
const LOGIN_GONE: u16 = 65;
const IDS_MAX: usize = 200;

/// Answers a SOAP call.
pub(crate) async fn answer(org: &Org, http: &Http, number: u64, delay: CommitDelay) -> Reply {
    let version = http
        .path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .and_then(|text| text.split('.').next()?.parse::<u16>().ok())
        .filter(|version| *version <= VERSION_MAX);
    let Some(version) = version.filter(|version| *version >= 31) else {
        return fault("sf:UNSUPPORTED_API_VERSION", "UNSUPPORTED_API_VERSION", "Invalid version");
    };
    let request = match read(&http.body) {
        Ok(request) => request,
        Err(text) => return fault("soapenv:Client", "INVALID_REQUEST", &text),
    };
    match request {
        Request::Login { username, password } if version < LOGIN_GONE => {
            login(org, http, version, &username, &password)
        }
        Request::Undelete { session, ids, client } => {
            let user = match authenticate(org, &session, number) {
                Ok(user) => user,
                Err(fault) => return fault,
            };
            let actor = Actor { user, client, api: "soap", request: Some(number) };
            undelete(org, &actor, delay, &ids).await
        }
        Request::Login { .. } | Request::Other(_) => {
            let text = "No operation available for this request";
            fault("soapenv:Client", "UNKNOWN_EXCEPTION", text)
        }
    }
}

fn authenticate(org: &Org, session: &str, number: u64) -> Result<Id, Reply> {
    let mut state = org.state();
    let (now_ms, life_s) = (state.clock.now_ms(), state.settings.session_s);
    let Some(user) = state.logins.authenticate(session, now_ms, life_s) else {
        let text = "Invalid Session ID found in SessionHeader: Illegal Session";
        return Err(fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID", text));
    };
    if !state.usage.count() {
        let text = "TotalRequests Limit exceeded.";
        return Err(fault("sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED", text));
    }
    let username = state.username(user);
    state.requests.note(number, |entry| entry.user = username);
    Ok(user)
}

/// Children in the order that official samples index by position; unprefixed, because clients
/// search them with regular expressions.
fn login(org: &Org, http: &Http, version: u16, username: &str, password: &str) -> Reply {
    let mut state = org.state();
    let user = crate::oauth::api_login(&state, Some(username), Some(password));
    let Some(user) = user else {
        let text = "Invalid username, password, security token; or user locked out.";
        return login_fault("INVALID_LOGIN", text);
    };
    let session = crate::oauth::open_session(&mut state, user, "soap");
    let base = state.settings.instance_url.clone().unwrap_or_else(|| http.base_url());
    let org_id = state.org_id;
    let name = escaped(&state.user_text(user, "Name"));
    let short = org_id.short();
    body(
        200,
        &format!(
            "<loginResponse><result>\
             <metadataServerUrl>{base}/services/Soap/m/{version}.0/{short}</metadataServerUrl>\
             <passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
             <serverUrl>{base}/services/Soap/u/{version}.0/{short}</serverUrl>\
             <sessionId>{session}</sessionId><userId>{user}</userId>\
             <userInfo><accessibilityMode>false</accessibilityMode>\
             <chatterExternal>false</chatterExternal><currencySymbol>$</currencySymbol>\
             <orgAttachmentFileSizeLimit>5242880</orgAttachmentFileSizeLimit>\
             <orgDefaultCurrencyIsoCode>USD</orgDefaultCurrencyIsoCode>\
             <orgDefaultCurrencyLocale>en_US</orgDefaultCurrencyLocale>\
             <orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments>\
             <orgHasPersonAccounts>false</orgHasPersonAccounts>\
             <organizationId>{org_id}</organizationId><userFullName>{name}</userFullName>\
             <userId>{user}</userId><userName>{}</userName></userInfo>\
             </result></loginResponse>",
            escaped(username)
        ),
    )
}

/// One result per id, in order; each id stands alone (SOAP guide, undelete).
async fn undelete(org: &Org, actor: &Actor, delay: CommitDelay, ids: &[String]) -> Reply {
    if ids.len() > IDS_MAX {
        let text = "record limit reached. cannot submit more than 200 records into this call";
        return fault("sf:EXCEEDED_ID_LIMIT", "EXCEEDED_ID_LIMIT", text);
    }
    let results = org
        .transact(actor, delay, |state, txn| {
            let one = |text: &String| match Id::parse(text) {
                None => {
                    let text = format!("malformed id {text}");
                    (text.clone(), Err(vec![SaveError::new("MALFORMED_ID", text)]))
                }
                Some(id) => (id.to_string(), save::undelete(state, txn, id)),
            };
            ids.iter().map(one).collect::<Vec<_>>()
        })
        .await;
    let shown: String = results.iter().map(|(id, result)| result_xml(id, result)).collect();
    body(200, &format!("<undeleteResponse>{shown}</undeleteResponse>"))
}

fn result_xml(id: &str, result: &Result<(), Vec<SaveError>>) -> String {
    match result {
        Ok(()) => format!("<result><id>{id}</id><success>true</success></result>"),
        Err(errors) => {
            let errors: String = errors
                .iter()
                .map(|error| {
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
                })
                .collect();
            format!("<result>{errors}<id xsi:nil=\"true\"/><success>false</success></result>")
        }
    }
}

fn login_fault(code: &str, text: &str) -> Reply {
    let text = escaped(text);
    body(
        500,
        &format!(
            "<soapenv:Fault><faultcode>sf:{code}</faultcode>\
             <faultstring>{code}: {text}</faultstring><detail>\
             <sf:LoginFault xsi:type=\"sf:LoginFault\">\
             <sf:exceptionCode>{code}</sf:exceptionCode>\
             <sf:exceptionMessage>{text}</sf:exceptionMessage></sf:LoginFault></detail>\
             </soapenv:Fault>"
        ),
    )
}

fn fault(faultcode: &str, code: &str, text: &str) -> Reply {
    let text = escaped(text);
    body(
        500,
        &format!(
            "<soapenv:Fault><faultcode>{faultcode}</faultcode>\
             <faultstring>{code}: {text}</faultstring><detail>\
             <sf:UnexpectedErrorFault xsi:type=\"sf:UnexpectedErrorFault\">\
             <sf:exceptionCode>{code}</sf:exceptionCode>\
             <sf:exceptionMessage>{text}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail>\
             </soapenv:Fault>"
        ),
    )
}

fn body(status: u16, inner: &str) -> Reply {
    Reply::text(
        status,
        "text/xml;charset=UTF-8",
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
             <soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"urn:partner.soap.sforce.com\" \
             xmlns:sf=\"urn:fault.partner.soap.sforce.com\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
             <soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>"
        ),
    )
}
