//! The life of a call: version, session, work.

use super::answer::Flavour;
use super::records::Writer;
use super::request::{Call, Request, read};
use crate::org::clock::rest_datetime;
use crate::org::ids::Id;
use crate::org::txn::Actor;
use crate::org::{CommitDelay, Org};
use crate::rest::{Http, Reply, VERSION_MAX, VERSION_MIN};
use crate::save;
use crate::xml::escaped;

/// `login()` is gone from this version on (help article 005132110).
const LOGIN_GONE: u16 = 65;

/// Answers a SOAP call.
pub(crate) async fn answer(org: &Org, http: &Http, number: u64, delay: CommitDelay) -> Reply {
    let Some(flavour) = Flavour::of(&http.path) else {
        return Reply::not_found();
    };
    let Some(version) = version(&http.path) else {
        let code = "UNSUPPORTED_API_VERSION";
        return flavour.fault(&format!("sf:{code}"), code, "Invalid version");
    };
    let request = match read(&http.body) {
        Ok(request) => request,
        Err(text) => return flavour.fault("soapenv:Client", "INVALID_REQUEST", &text),
    };
    if let Call::Login { username, password } = &request.call
        && version < LOGIN_GONE
    {
        return login(org, http, (flavour, version), username, password);
    }
    if matches!(request.call, Call::Login { .. } | Call::Unknown) {
        let text = "No operation available for this request";
        return flavour.fault("soapenv:Client", "UNKNOWN_EXCEPTION", text);
    }
    let user = match authenticate(org, &request.session, number, flavour) {
        Ok(user) => user,
        Err(fault) => return fault,
    };
    serve(org, request, user, (flavour, number, delay)).await
}

/// `/services/Soap/u/64.0`, with or without the organisation's id behind it.
fn version(path: &str) -> Option<u16> {
    let text = path.split('/').nth(4)?;
    let number = text.split('.').next()?.parse::<u16>().ok()?;
    (VERSION_MIN..=VERSION_MAX).contains(&number).then_some(number)
}

async fn serve(
    org: &Org,
    request: Request,
    user: Id,
    (flavour, number, delay): (Flavour, u64, CommitDelay),
) -> Reply {
    let username = org.state().username(user).unwrap_or_default();
    let actor = Actor { user, client: request.client, api: "soap", request: Some(number) };
    let all_or_none = request.all_or_none;
    let writer = Writer { org, actor, username, delay, flavour, all_or_none };
    match request.call {
        Call::Delete(ids) => writer.each("delete", &ids, save::delete).await,
        Call::Undelete(ids) => writer.each("undelete", &ids, save::undelete).await,
        Call::EmptyRecycleBin(ids) => writer.each("emptyRecycleBin", &ids, save::purge).await,
        Call::Merge(requests) => writer.merges(&requests).await,
        Call::GetServerTimestamp => {
            let now = rest_datetime(org.state().clock.now_s()).replace("+0000", "Z");
            let result = format!("<result><timestamp>{now}</timestamp></result>");
            flavour.response("getServerTimestamp", &result)
        }
        Call::GetUserInfo => {
            let info = user_info(org, user);
            flavour.response("getUserInfo", &format!("<result>{info}</result>"))
        }
        Call::Login { .. } | Call::Unknown => Reply::not_found(),
    }
}

fn authenticate(org: &Org, session: &str, number: u64, flavour: Flavour) -> Result<Id, Reply> {
    let mut state = org.state();
    let (now_ms, life_s) = (state.clock.now_ms(), state.settings.session_s);
    let Some(user) = state.logins.authenticate(session, now_ms, life_s) else {
        let text = "Invalid Session ID found in SessionHeader: Illegal Session";
        return Err(flavour.fault("sf:INVALID_SESSION_ID", "INVALID_SESSION_ID", text));
    };
    if !state.usage.count() {
        let text = "TotalRequests Limit exceeded.";
        return Err(flavour.fault("sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED", text));
    }
    let username = state.username(user);
    state.requests.note(number, |entry| entry.user = username);
    Ok(user)
}

/// Children in the order that official samples index by position; unprefixed, because clients
/// search them with regular expressions.
fn login(
    org: &Org,
    http: &Http,
    (flavour, version): (Flavour, u16),
    username: &str,
    password: &str,
) -> Reply {
    let (user, session, base, short) = {
        let mut state = org.state();
        let user = crate::oauth::api_login(&state, Some(username), Some(password));
        let Some(user) = user else {
            let text = "Invalid username, password, security token; or user locked out.";
            return flavour.login_fault("INVALID_LOGIN", text);
        };
        let session = crate::oauth::open_session(&mut state, user, "soap");
        let base = state.settings.instance_url.clone().unwrap_or_else(|| http.base_url());
        (user, session, base, state.org_id.short().to_owned())
    };
    let letter = flavour.letter();
    let info = user_info(org, user);
    flavour.response(
        "login",
        &format!(
            "<result>\
             <metadataServerUrl>{base}/services/Soap/m/{version}.0/{short}</metadataServerUrl>\
             <passwordExpired>false</passwordExpired><sandbox>false</sandbox>\
             <serverUrl>{base}/services/Soap/{letter}/{version}.0/{short}</serverUrl>\
             <sessionId>{session}</sessionId><userId>{user}</userId>\
             <userInfo>{info}</userInfo></result>"
        ),
    )
}

fn user_info(org: &Org, user: Id) -> String {
    let state = org.state();
    let org_id = state.org_id;
    let name = escaped(&state.user_text(user, "Name"));
    let username = escaped(&state.user_text(user, "Username"));
    let email = escaped(&state.user_text(user, "Email"));
    let accounts = state.table_named("Account").map(|table| &table.object);
    let people = accounts.is_some_and(|object| object.slot("IsPersonAccount").is_some());
    format!(
        "<accessibilityMode>false</accessibilityMode>\
         <chatterExternal>false</chatterExternal><currencySymbol>$</currencySymbol>\
         <orgAttachmentFileSizeLimit>5242880</orgAttachmentFileSizeLimit>\
         <orgDefaultCurrencyIsoCode>USD</orgDefaultCurrencyIsoCode>\
         <orgDefaultCurrencyLocale>en_US</orgDefaultCurrencyLocale>\
         <orgDisallowHtmlAttachments>false</orgDisallowHtmlAttachments>\
         <orgHasPersonAccounts>{people}</orgHasPersonAccounts>\
         <organizationId>{org_id}</organizationId><userEmail>{email}</userEmail>\
         <userFullName>{name}</userFullName>\
         <userId>{user}</userId><userName>{username}</userName>"
    )
}
