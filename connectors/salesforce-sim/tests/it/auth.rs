use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use salesforce_sim::AppPatch;
use serde_json::json;

use crate::sim::{Sim, read};

#[tokio::test]
async fn client_credentials_in_body_or_basic_header() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let basic = STANDARD.encode(format!("{}:{}", login.client_id, login.client_secret));
    let request = sim
        .http
        .post(sim.url("/services/oauth2/token"))
        .header("Authorization", format!("Basic {basic}"))
        .form(&[("grant_type", "client_credentials")]);
    let answer = read(request).await;
    let body = answer.json();
    assert_eq!(answer.status, 200);
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["instance_url"], sim.server.url());
    assert!(body["issued_at"].is_string());
    assert!(body.get("expires_in").is_none() && body.get("refresh_token").is_none());
    let org = sim.org.id();
    assert!(body["access_token"].as_str().unwrap().starts_with(&format!("{}!", org.short())));
    let id = body["id"].as_str().unwrap();
    assert_eq!(id.rsplit('/').nth(1).unwrap(), org.as_str());
}

#[tokio::test]
async fn refusals_of_the_token_endpoint() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let id = login.client_id.as_str();
    let secret = login.client_secret.as_str();
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[("grant_type", "client_credentials"), ("client_id", "x")], "invalid_client_id"),
        (
            &[("grant_type", "client_credentials"), ("client_id", id), ("client_secret", "x")],
            "invalid_client",
        ),
        (&[("grant_type", "magic"), ("client_id", id)], "unsupported_grant_type"),
        (&[("client_id", id)], "invalid_request"),
        (
            &[
                ("grant_type", "refresh_token"),
                ("client_id", id),
                ("client_secret", secret),
                ("refresh_token", "x"),
            ],
            "invalid_grant",
        ),
    ];
    for (form, error) in cases {
        let answer = sim.form("/services/oauth2/token", form).await;
        assert_eq!((answer.status, answer.json()["error"].as_str().unwrap()), (400, error));
        assert!(answer.json()["error_description"].is_string());
    }
}

#[tokio::test]
async fn password_flow_takes_the_security_token() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let form = |password: &'static str| {
        [
            ("grant_type", "password"),
            ("client_id", login.client_id.as_str()),
            ("client_secret", login.client_secret.as_str()),
            ("username", "admin@example.com"),
            ("password", password),
        ]
    };
    let path = "/services/oauth2/token";
    assert_eq!(sim.form(path, &form("secret")).await.status, 400);
    assert_eq!(sim.form(path, &form("secrettoken")).await.status, 200);
    sim.org.change_settings(|settings| settings.trusted_ip = true);
    assert_eq!(sim.form(path, &form("secret")).await.status, 200);
    assert_eq!(sim.form(path, &form("secrettoken")).await.status, 200);
    let bad = sim.form(path, &form("wrong")).await;
    assert_eq!(bad.json()["error"], "invalid_grant");
    sim.org.change_settings(|settings| settings.password_flow = false);
    assert_eq!(sim.form(path, &form("secret")).await.status, 400);
}

#[tokio::test]
async fn refresh_tokens_rotate_when_asked() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let token = sim.org.refresh_token("admin@example.com").unwrap();
    let path = "/services/oauth2/token";
    let form = |token: &str| {
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", login.client_id.clone()),
            ("refresh_token", token.to_owned()),
        ]
    };
    let refused = {
        let form = form(&token);
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        sim.form(path, &form).await
    };
    assert_eq!(refused.json()["error"], "invalid_client", "the app asks for its secret");
    let secret_required = Some(false);
    sim.org.change_app(AppPatch { secret_required, ..AppPatch::default() });
    let call = async |token: &str| {
        let form = form(token);
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        sim.form(path, &form).await
    };
    let first = call(&token).await;
    assert_eq!(first.status, 200);
    assert!(first.json().get("refresh_token").is_none());
    sim.org.change_settings(|settings| settings.refresh_rotation = true);
    let second = call(&token).await;
    let new = second.json()["refresh_token"].as_str().unwrap().to_owned();
    let dead = call(&token).await;
    assert_eq!(dead.json()["error_description"], "expired access/refresh token");
    assert_eq!(call(&new).await.status, 200);
    assert_eq!(sim.org.revoke_refresh_tokens(None), 1);
}

#[tokio::test]
async fn sessions_end_by_time_and_by_hand() {
    let sim = Sim::start().await;
    assert_eq!(sim.get("limits").await.status, 200);
    sim.org.advance_clock_ms(2 * 3600 * 1000 + 1000);
    let expired = sim.get("limits").await;
    assert_eq!(expired.error(), (401, "INVALID_SESSION_ID".to_owned()));
    assert_eq!(expired.json()[0]["message"], "Session expired or invalid");

    let sim = Sim::start().await;
    assert_eq!(sim.org.expire_tokens(Some("nobody")), 0);
    assert_eq!(sim.org.expire_tokens(None), 1);
    assert_eq!(sim.get("limits").await.status, 401);
    let bare = read(sim.http.get(sim.url("limits"))).await;
    assert_eq!(bare.error(), (401, "INVALID_AUTH_HEADER".to_owned()));
}

#[tokio::test]
async fn both_token_schemes_and_revoke() {
    let sim = Sim::start().await;
    let request = sim.http.get(sim.url("limits"));
    let old = read(request.header("Authorization", format!("OAuth {}", sim.token))).await;
    assert_eq!(old.status, 200);
    let info = sim.form("/services/oauth2/introspect", &[("token", &sim.token)]).await.json();
    assert_eq!(info["active"], true);
    assert_eq!(info["username"], "integration@example.com");
    assert_eq!(sim.form("/services/oauth2/revoke", &[("token", &sim.token)]).await.status, 200);
    assert_eq!(sim.get("limits").await.status, 401);
    let info = sim.form("/services/oauth2/introspect", &[("token", &sim.token)]).await.json();
    assert_eq!(info, json!({ "active": false }));
}

#[tokio::test]
async fn identity_of_the_caller() {
    let sim = Sim::start().await;
    let url = sim.get("").await.json()["identity"].as_str().unwrap().to_owned();
    let request = sim.http.get(&url).query(&[("format", "json"), ("oauth_token", &sim.token)]);
    let body = read(request).await.json();
    assert_eq!(body["username"], "integration@example.com");
    assert_eq!(body["organization_id"], sim.org.id().as_str());
    assert!(body["urls"]["rest"].as_str().unwrap().contains("{version}"));
    let bad = read(sim.http.get(&url).query(&[("oauth_token", "x")])).await;
    assert_eq!((bad.status, bad.text.as_str()), (403, "Bad_OAuth_Token"));
}
