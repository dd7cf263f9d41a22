//! The flows that need more than a secret: assertions, and the browser with its code.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use salesforce_sim::{AppPatch, Server, Tls};
use serde_json::{Value, json};

use crate::sim::{Answer, Sim, client, read};

const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CALLBACK: &str = "http://localhost:1717/callback";
/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn assertion(key: &KeyPair, claims: Value) -> String {
    let key = EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).unwrap()
}

fn description(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    let shown = body["error_description"].as_str().unwrap_or_default();
    (answer.status, shown.to_owned())
}

#[tokio::test]
async fn an_assertion_is_checked_in_every_part() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let other = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = Some(key.public_key_pem());
    sim.org.change_app(AppPatch { certificate, ..AppPatch::default() });
    let now = sim.org.now_ms() / 1000;
    let claims = |exp: Value| {
        json!({
            "iss": login.client_id,
            "sub": login.username,
            "aud": "https://login.salesforce.com",
            "exp": exp,
        })
    };
    let ask = async |text: String| {
        sim.form("/services/oauth2/token", &[("grant_type", JWT), ("assertion", &text)]).await
    };
    for exp in [json!(now + 170), json!((now + 170).to_string())] {
        let answer = ask(assertion(&key, claims(exp))).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.json().get("refresh_token").is_none());
    }
    let mut elsewhere = claims(json!(now + 60));
    elsewhere["aud"] = json!("https://example.com");
    let mut stranger = claims(json!(now + 60));
    stranger["sub"] = json!("nobody@example.com");
    for (text, said) in [
        (assertion(&key, claims(json!(now - 1))), "assertion has expired"),
        (assertion(&key, claims(json!(now + 3600))), "assertion has expired"),
        (assertion(&other, claims(json!(now + 60))), "invalid assertion"),
        (assertion(&key, elsewhere), "Audience validation failed"),
        (assertion(&key, stranger), "user hasn't approved this consumer"),
        (String::from("x.y.z"), "client identifier invalid"),
    ] {
        assert_eq!(description(&ask(text).await), (400, said.to_owned()));
    }
    sim.org.change_app(AppPatch { pre_authorized: Some(false), ..AppPatch::default() });
    let answer = ask(assertion(&key, claims(json!(now + 60)))).await;
    assert_eq!(description(&answer).1, "user hasn't approved this consumer");
}

/// Starts the browser flow; gives where the browser is sent.
async fn approve(sim: &Sim, more: &[(&str, &str)], form: &[(&str, &str)]) -> Answer {
    let login = sim.org.credentials();
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", login.client_id.as_str()),
        ("redirect_uri", CALLBACK),
        ("state", "a b"),
    ];
    query.extend_from_slice(more);
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let request = http.build().unwrap().post(sim.url("/services/oauth2/authorize"));
    read(request.query(&query).form(form)).await
}

fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let target = answer.header("location").unwrap();
    let rest = target.strip_prefix(&format!("{CALLBACK}?code=")).unwrap();
    assert!(rest.ends_with("&state=a%20b"), "{rest}");
    rest.split('&').next().unwrap().to_owned()
}

const PERSON: [(&str, &str); 2] = [("username", "integration@example.com"), ("password", "secret")];

async fn redeem(sim: &Sim, code: &str, verifier: &str) -> Answer {
    let login = sim.org.credentials();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", &login.client_id),
        ("client_secret", &login.client_secret),
        ("code_verifier", verifier),
    ];
    sim.form("/services/oauth2/token", &form).await
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_verifier() {
    let sim = Sim::start().await;
    let callbacks = Some(vec![CALLBACK.to_owned()]);
    sim.org.change_app(AppPatch { callbacks, ..AppPatch::default() });
    // A challenge without a method is S256, as a widespread client sends it.
    let challenge = [("code_challenge", CHALLENGE), ("scope", "api refresh_token")];
    let given = code(&approve(&sim, &challenge, &PERSON).await);
    let answer = redeem(&sim, &given, VERIFIER).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json()["refresh_token"].is_string());
    assert_eq!(answer.json()["scope"], "api refresh_token");
    let again = redeem(&sim, &given, VERIFIER).await;
    assert_eq!(description(&again).1, "invalid authorization code");

    let given = code(&approve(&sim, &challenge, &PERSON).await);
    assert_eq!(description(&redeem(&sim, &given, "x").await).1, "invalid code verifier");
    let given = code(&approve(&sim, &[("scope", "api")], &PERSON).await);
    sim.org.advance_clock_ms(16 * 60 * 1000);
    assert_eq!(description(&redeem(&sim, &given, "").await).1, "expired authorization code");
    let given = code(&approve(&sim, &[("scope", "api")], &PERSON).await);
    let answer = redeem(&sim, &given, "").await;
    assert!(answer.json().get("refresh_token").is_none(), "the scope does not ask for one");
}

#[tokio::test]
async fn a_browser_is_sent_only_to_a_registered_address() {
    let sim = Sim::start().await;
    let answer = approve(&sim, &[], &PERSON).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text.contains("redirect_uri_mismatch"), "{}", answer.text);
    let callbacks = Some(vec![CALLBACK.to_owned()]);
    let pkce_required = Some(true);
    sim.org.change_app(AppPatch { callbacks, pkce_required, ..AppPatch::default() });
    for (more, form, error) in [
        (vec![], PERSON.to_vec(), "error=invalid%5Frequest"),
        (
            vec![("code_challenge", CHALLENGE), ("code_challenge_method", "plain")],
            PERSON.to_vec(),
            "error=invalid%5Frequest",
        ),
        (vec![("code_challenge", CHALLENGE)], vec![("deny", "1")], "error=access%5Fdenied"),
    ] {
        let answer = approve(&sim, &more, &form).await;
        let target = answer.header("location").unwrap();
        assert!(target.starts_with(&format!("{CALLBACK}?{error}")), "{target}");
    }
    let wrong = [("username", "integration@example.com"), ("password", "x")];
    let page = approve(&sim, &[("code_challenge", CHALLENGE)], &wrong).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("Please check your username and password"));
}

#[tokio::test]
async fn one_port_speaks_http_and_https() {
    let sim = Sim::start().await;
    let tls = Tls::generate().unwrap();
    let authority = reqwest::Certificate::from_pem(tls.authority_pem().as_bytes()).unwrap();
    let server = Server::start_with_tls(sim.org.clone(), "127.0.0.1:0", tls).await.unwrap();
    let trusting = reqwest::Client::builder()
        .tls_certs_only([authority])
        .resolve("acme.my.salesforce.com", server.address())
        .build()
        .unwrap();
    let login = sim.org.credentials();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &login.client_id),
        ("client_secret", &login.client_secret),
    ];
    let port = server.address().port();
    for (http, base) in [
        (client(), server.url()),
        (trusting.clone(), format!("https://localhost:{port}")),
        (trusting.clone(), format!("https://acme.my.salesforce.com:{port}")),
    ] {
        let answer = read(http.post(format!("{base}/services/oauth2/token")).form(&form)).await;
        assert_eq!(answer.json()["instance_url"], base);
    }
    let refused = client().get(format!("https://localhost:{port}/services/data")).send().await;
    assert!(refused.is_err(), "nobody vouches for the certificate but its own authority");
}
