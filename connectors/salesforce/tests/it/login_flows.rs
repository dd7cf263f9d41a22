//! The flows of logging in, against a simulated org.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use salesforce_sim::{AppPatch, Org, Server};
use secrecy::{ExposeSecret, SecretString};
use syncline_salesforce::{
    Grant, MemoryTokenStore, Salesforce, SalesforceSettings, TokenStore, TokenStoreError, WebLogin,
};
use syncline_sdk::{Connector, Error, ErrorKind};

use crate::script::cx;

const CALLBACK: &str = "http://localhost:8423/callback";
const USER: &str = "integration@example.com";

struct Place {
    org: Org,
    server: Server,
    settings: SalesforceSettings,
    store: Arc<MemoryTokenStore>,
}

impl Place {
    async fn start(grant: Grant) -> Self {
        let org = Org::new(7);
        let server = Server::start(org.clone(), "127.0.0.1:0").await.unwrap();
        let login = org.credentials();
        let mut settings = SalesforceSettings::new(server.url(), login.client_id);
        if grant != Grant::JwtBearer {
            settings.client_secret = Some(login.client_secret.into());
        }
        if matches!(grant, Grant::JwtBearer | Grant::Password) {
            settings.username = Some(USER.to_owned());
        }
        settings.grant = grant;
        Self { org, server, settings, store: Arc::default() }
    }
    async fn describe(&self) -> Result<(), Error> {
        let crm = Salesforce::new(self.settings.clone(), self.store.clone())?;
        crm.describe(&cx(), &"Account".into()).await.map(drop)
    }
    async fn refused(&self) -> Error {
        let error = self.describe().await.unwrap_err();
        assert!(error.advice.is_some(), "{error}");
        error
    }
    /// What the person does in the browser; gives the address it comes back to.
    async fn browse(&self, login: &WebLogin, form: &[(&str, &str)]) -> String {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let page = http.build().unwrap().post(login.address()).form(form).send().await.unwrap();
        assert_eq!(page.status(), 302);
        page.headers()["location"].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_certificate_vouches_for_the_user() {
    let mut place = Place::start(Grant::JwtBearer).await;
    let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let certificate = Some(key.public_key_pem());
    place.org.change_app(AppPatch { certificate, ..AppPatch::default() });
    place.settings.private_key = Some(key.serialize_pem().into());
    place.describe().await.unwrap();
    // A session that ends is renewed without anybody.
    let crm = Salesforce::new(place.settings.clone(), place.store.clone()).unwrap();
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    place.org.expire_tokens(None);
    crm.describe(&cx(), &"Contact".into()).await.unwrap();

    place.settings.audience = Some("https://example.com".to_owned());
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.advice.unwrap().contains("set audience"));
    place.settings.audience = None;
    place.org.change_app(AppPatch { pre_authorized: Some(false), ..AppPatch::default() });
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.advice.unwrap().contains("pre-authorize"));
    let other = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    place.settings.private_key = Some(other.serialize_pem().into());
    let error = place.refused().await;
    assert!(error.advice.unwrap().contains("certificate of private_key"));
    place.settings.private_key = Some("-----BEGIN PRIVATE KEY-----\nhush\n".into());
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(!format!("{error:?}").contains("hush"));
}

#[tokio::test]
async fn a_password_with_its_security_token_logs_in() {
    let mut place = Place::start(Grant::Password).await;
    place.settings.password = Some("secret".into());
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.advice.unwrap().contains("set security_token too"));
    place.org.change_settings(|settings| settings.trusted_ip = true);
    place.describe().await.unwrap();
    place.settings.security_token = Some("token".into());
    place.describe().await.unwrap();
    place.settings.security_token = Some("hush".into());
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(!format!("{error:?}").contains("hush"));
    let advice = "check username, password and security_token";
    assert_eq!(error.advice.as_deref(), Some(advice));
}

#[tokio::test]
async fn a_person_consents_once_and_the_login_renews_itself() {
    let place = Place::start(Grant::WebServer).await;
    let callbacks = Some(vec![CALLBACK.to_owned()]);
    let pkce_required = Some(true);
    place.org.change_app(AppPatch { callbacks, pkce_required, ..AppPatch::default() });
    place.org.change_settings(|settings| settings.refresh_rotation = true);
    let error = place.refused().await;
    assert_eq!(error.kind, ErrorKind::Auth);
    assert!(error.advice.unwrap().contains("syncline login"));

    let login = WebLogin::begin(&place.settings).unwrap();
    assert_eq!(login.loopback(), Some(("localhost".to_owned(), 8423)));
    let back = place.browse(&login, &[("username", USER), ("password", "secret")]).await;
    let consent = login.finish(&back).await.unwrap();
    assert_eq!(consent.org, place.org.id().as_str());
    assert!(consent.user.starts_with("005"));
    place.store.store(&consent.refresh_token).await.unwrap();
    place.describe().await.unwrap();
    let rotated = place.store.load().await.unwrap().unwrap();
    assert_ne!(rotated.expose_secret(), consent.refresh_token.expose_secret());
    // Revoked there, the login halts until somebody consents again.
    place.org.revoke_refresh_tokens(None);
    assert_eq!(place.refused().await.kind, ErrorKind::Auth);
    place.server.shutdown().await.unwrap();
}

#[tokio::test]
async fn an_answer_of_another_login_and_a_refusal_give_nothing() {
    let place = Place::start(Grant::WebServer).await;
    let callbacks = Some(vec![CALLBACK.to_owned()]);
    place.org.change_app(AppPatch { callbacks, ..AppPatch::default() });
    let (one, other) =
        (WebLogin::begin(&place.settings).unwrap(), WebLogin::begin(&place.settings).unwrap());
    let back = place.browse(&one, &[("username", USER), ("password", "secret")]).await;
    let error = other.finish(&back).await.err().unwrap();
    assert!(error.context.contains("another login"), "{error}");
    let denied = place.browse(&one, &[("deny", "1")]).await;
    let error = one.finish(&denied).await.err().unwrap();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Auth, Some("access_denied")));
    let mut without = Place::start(Grant::ClientCredentials).await;
    assert_eq!(WebLogin::begin(&without.settings).unwrap_err().kind, ErrorKind::Config);
    without.settings.grant = Grant::WebServer;
    without.settings.redirect_uri = "https://syncline.example.com/back".to_owned();
    assert_eq!(WebLogin::begin(&without.settings).unwrap().loopback(), None);
}

#[tokio::test]
async fn the_address_to_come_back_to_is_sent_as_it_is_registered() {
    // An address read and written again gains a slash, which is another address to Salesforce.
    let mut place = Place::start(Grant::WebServer).await;
    place.settings.redirect_uri = "http://localhost:8423".to_owned();
    let callbacks = Some(vec![place.settings.redirect_uri.clone()]);
    place.org.change_app(AppPatch { callbacks, ..AppPatch::default() });
    let login = WebLogin::begin(&place.settings).unwrap();
    assert_eq!((login.loopback(), login.path()), (Some(("localhost".to_owned(), 8423)), "/"));
    let back = place.browse(&login, &[("username", USER), ("password", "secret")]).await;
    login.finish(&back).await.unwrap();
}

/// A store that takes nothing and shows these tokens, one after the other, the last for ever.
struct Shown(Mutex<VecDeque<String>>);

impl Shown {
    fn new(tokens: &[&str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(tokens.iter().map(|token| (*token).to_owned()).collect())))
    }
}

#[async_trait]
impl TokenStore for Shown {
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError> {
        let mut tokens = self.0.lock().unwrap();
        let first = if tokens.len() > 1 { tokens.pop_front() } else { tokens.front().cloned() };
        Ok(first.map(Into::into))
    }
    async fn store(&self, _: &SecretString) -> Result<(), TokenStoreError> {
        Err(TokenStoreError { what: "it is full".to_owned(), source: None })
    }
}

async fn describe(crm: &Salesforce, entity: &str) -> Result<(), Error> {
    crm.describe(&cx(), &entity.into()).await.map(drop)
}

#[tokio::test]
async fn a_token_that_another_process_rotated_meanwhile_is_found_in_the_store() {
    let place = Place::start(Grant::WebServer).await;
    place.org.change_settings(|settings| settings.refresh_rotation = true);
    let first = place.org.refresh_token(USER).unwrap();
    place.store.store(&first.as_str().into()).await.unwrap();
    place.describe().await.unwrap();
    let rotated = place.store.load().await.unwrap().unwrap();
    // Both read the store, the other one renewed first, and ours was refused.
    let store = Shown::new(&[&first, rotated.expose_secret()]);
    let ours = Salesforce::new(place.settings.clone(), store).unwrap();
    describe(&ours, "Account").await.unwrap();
    // Where the store has nothing new, it is refused.
    let ours = Salesforce::new(place.settings.clone(), Shown::new(&[&first])).unwrap();
    let error = describe(&ours, "Account").await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Auth, Some("invalid_grant")));
}

#[tokio::test]
async fn a_token_that_could_not_be_kept_does_not_stand_in_the_way_of_a_new_login() {
    let place = Place::start(Grant::WebServer).await;
    place.org.change_settings(|settings| settings.refresh_rotation = true);
    let first = place.org.refresh_token(USER).unwrap();
    let store = Shown::new(&[&first]);
    let crm = Salesforce::new(place.settings.clone(), store.clone()).unwrap();
    describe(&crm, "Account").await.unwrap();
    // The rotated token was not kept and goes on from memory.
    place.org.expire_tokens(None);
    describe(&crm, "Contact").await.unwrap();
    place.org.expire_tokens(None);
    place.org.revoke_refresh_tokens(None);
    assert_eq!(describe(&crm, "Lead").await.unwrap_err().kind, ErrorKind::Auth);
    // A person logs in, while the service runs on.
    store.0.lock().unwrap()[0] = place.org.refresh_token(USER).unwrap();
    describe(&crm, "Lead").await.unwrap();
}
