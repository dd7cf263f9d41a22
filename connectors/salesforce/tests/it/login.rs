//! Logging in and renewing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use syncline_salesforce::{Grant, MemoryTokenStore, Salesforce, TokenStore, TokenStoreError};
use syncline_sdk::{Connector, ErrorKind};

use crate::script::{Answer, Script, account, cx};

const ENDED: &str =
    "[{\"message\":\"Session expired or invalid\",\"errorCode\":\"INVALID_SESSION_ID\"}]";

#[tokio::test]
async fn one_renewal_serves_all_tasks_and_the_request_is_replayed_once() {
    let script = Script::start().await;
    script.slow_tokens(Duration::from_millis(100));
    let crm = Arc::new(script.connector());
    // The first login, by eight tasks at once.
    script.play((0..8).map(|_| account()));
    let describe = |crm: Arc<Salesforce>| {
        tokio::spawn(async move { crm.describe(&cx(), &"Account".into()).await })
    };
    for task in (0..8).map(|_| describe(crm.clone())).collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(script.token_requests().len(), 1);
    // The session ends: all are refused, one renews, all are replayed.
    script.play((0..4).map(|_| Answer::status(401, ENDED)));
    script.play((0..4).map(|_| account()));
    for task in (0..4).map(|_| describe(crm.clone())).collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(script.token_requests().len(), 2);
    assert_eq!(script.last().header("authorization"), Some("Bearer token-2"));
    assert_eq!(script.last().header("sforce-call-options"), Some("client=syncline"));
    let form = &script.token_requests()[0].body;
    assert!(form.contains("grant_type=client_credentials"));
    assert!(form.contains("client_id=key") && form.contains("client_secret=hush"));
    assert_eq!(crm.usage().calls, 16);
}

#[tokio::test]
async fn a_second_refusal_is_an_error_and_two_messages_are_never_renewed() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([Answer::status(401, ENDED), Answer::status(401, ENDED)]);
    let error = crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(script.token_requests().len(), 2);
    let text = ENDED.replace(
        "Session expired or invalid",
        "This session is not valid for use with the REST API",
    );
    script.play([Answer::status(401, text)]);
    let error = crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(script.token_requests().len(), 2);
}

#[tokio::test]
async fn a_revoked_login_says_what_to_do_and_names_no_secret() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play_token(Answer::status(
        400,
        "{\"error\":\"invalid_grant\",\"error_description\":\"expired access/refresh token\"}",
    ));
    let error = crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(error.code.as_deref(), Some("invalid_grant"));
    assert!(error.advice.as_ref().unwrap().contains("connect the system again"));
    assert!(!format!("{error} {error:?} {crm:?}").contains("hush"));
    // It can be tried again, and then works.
    script.play([account()]);
    crm.describe(&cx(), &"Account".into()).await.unwrap();
}

#[tokio::test]
async fn an_edge_error_at_login_is_no_refusal() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play_token(Answer::status(503, "<html>Down for maintenance</html>"));
    let error = crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

fn rotating(script: &Script, access: &str, refresh: &str) -> Answer {
    Answer::ok(format!(
        "{{\"access_token\":\"{access}\",\"refresh_token\":\"{refresh}\",\
         \"instance_url\":\"{}\",\"token_type\":\"Bearer\",\
         \"id\":\"https://x/id/00D1a000000H3O9EAK/005000000000001AAA\"}}",
        script.url
    ))
}

#[tokio::test]
async fn a_rotated_refresh_token_is_handed_out_and_used_next() {
    let script = Script::start().await;
    let store = Arc::new(MemoryTokenStore::default());
    let mut settings = script.settings();
    settings.grant = Grant::RefreshToken;
    settings.refresh_token = Some("first".into());
    let crm = Salesforce::new(settings.clone(), store.clone()).unwrap();
    script.play_token(rotating(&script, "a", "second")).play([account()]);
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().expose_secret(), "second");
    // A new process goes on with the kept one.
    let crm = Salesforce::new(settings, store).unwrap();
    script.play_token(rotating(&script, "b", "third")).play([account()]);
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    let forms: Vec<String> = script.token_requests().into_iter().map(|seen| seen.body).collect();
    assert!(forms[0].contains("refresh_token=first"));
    assert!(forms[1].contains("refresh_token=second"));
}

struct BrokenStore;

#[async_trait]
impl TokenStore for BrokenStore {
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError> {
        Ok(None)
    }
    async fn store(&self, _: &SecretString) -> Result<(), TokenStoreError> {
        Err(TokenStoreError { what: "no disk".into(), source: None })
    }
}

#[tokio::test]
async fn a_token_that_could_not_be_kept_is_used_from_memory() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.grant = Grant::RefreshToken;
    settings.refresh_token = Some("first".into());
    let crm = Salesforce::new(settings, Arc::new(BrokenStore)).unwrap();
    script.play_token(rotating(&script, "a", "second")).play_token(rotating(&script, "b", "third"));
    script.play([account(), Answer::status(401, ENDED), account()]);
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    assert!(script.token_requests()[1].body.contains("refresh_token=second"));
}

#[tokio::test]
async fn an_instance_elsewhere_in_plain_text_is_refused() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play_token(Answer::ok(
        "{\"access_token\":\"a\",\"instance_url\":\"http://crm.example.com\",\
         \"token_type\":\"Bearer\",\"id\":\"https://x/id/00D1a000000H3O9EAK/005000000000001AAA\"}",
    ));
    let error = crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.context.contains("plain http"), "{error}");
}
