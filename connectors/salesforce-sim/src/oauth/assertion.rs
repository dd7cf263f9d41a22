//! The JWT bearer flow (OAuth help pages, JWT bearer): an app proves itself by its certificate
//! and names the user it acts as.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::Value as Raw;

use super::App;
use super::token::{CLIENT, Refusal, known_app};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::rest::Http;

const INVALID: Refusal = Refusal("invalid_grant", "invalid assertion");
const EXPIRED: Refusal = Refusal("invalid_grant", "assertion has expired");
const AUDIENCE: Refusal = Refusal("invalid_grant", "Audience validation failed");
const APPROVAL: Refusal = Refusal("invalid_grant", "user hasn't approved this consumer");

/// How far ahead an assertion may end, with the room that clocks differ by.
const AHEAD_S: i64 = 180 + 30;

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Raw,
    /// A number, or the text that a widespread client sends.
    exp: Raw,
}

/// The app and the user of a valid assertion.
pub(super) fn checked(
    state: &State,
    http: &Http,
    assertion: Option<&str>,
) -> Result<(App, Id), Refusal> {
    let assertion = assertion.ok_or(Refusal("invalid_request", "assertion is missing"))?;
    // Who signed it is told by the assertion itself; the signature is looked at next.
    let unproved = read(assertion, None)?;
    let app = known_app(state, Some(&unproved.iss))?;
    let pem = app.certificate.as_deref().ok_or(INVALID)?;
    let claims = read(assertion, Some(pem))?;
    let now_s = state.clock.now_s();
    let exp = match &claims.exp {
        Raw::Number(number) => number.as_i64(),
        Raw::String(text) => text.parse().ok(),
        _ => None,
    };
    let exp = exp.ok_or(INVALID)?;
    if exp <= now_s || exp > now_s + AHEAD_S {
        return Err(EXPIRED);
    }
    let base = state.settings.instance_url.clone().unwrap_or_else(|| http.base_url());
    let ours = |audience: &Raw| {
        let text = audience.as_str().unwrap_or_default().trim_end_matches('/');
        ["https://login.salesforce.com", "https://test.salesforce.com", base.as_str()]
            .contains(&text)
    };
    let meant = match &claims.aud {
        Raw::Array(several) => several.iter().any(ours),
        one => ours(one),
    };
    if !meant {
        return Err(AUDIENCE);
    }
    let user = state.user_id(&claims.sub).filter(|user| state.user_is_active(*user));
    let user = user.ok_or(APPROVAL)?;
    let approved = (app.client_id.clone(), user);
    if !app.pre_authorized && !state.logins.approvals.contains(&approved) {
        return Err(APPROVAL);
    }
    Ok((app.clone(), user))
}

/// The claims; with a key only those that it vouches for. Salesforce signs with RS256 alone.
fn read(assertion: &str, pem: Option<&str>) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    let read = match pem {
        Some(pem) => {
            let key = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| INVALID)?;
            decode::<Claims>(assertion, &key, &validation)
        }
        None => jsonwebtoken::dangerous::insecure_decode::<Claims>(assertion),
    };
    read.map(|token| token.claims).map_err(|_| if pem.is_some() { INVALID } else { CLIENT })
}
