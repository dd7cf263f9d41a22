//! The web server flow with PKCE (OAuth help pages, web server flow): a person consents in a
//! browser, which comes back with a code.

use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
};
use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardRevocableToken,
};
use reqwest::Url;
use secrecy::SecretString;
use syncline_sdk::{Error, ErrorKind, Result};

use super::grant::{self, LoginFailure, Tokens, call};
use crate::id::id18;
use crate::settings::{Grant, SalesforceSettings};
use crate::wire::{http_client, message};

const LOGIN: &str = "log in";

type Client = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// A login that a person has begun in a browser.
pub struct WebLogin {
    client: Client,
    http: reqwest::Client,
    url: Url,
    redirect: Url,
    address: Url,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

/// What a consent gave.
pub struct Consent {
    /// The token that later logins are renewed with.
    pub refresh_token: SecretString,
    /// The org's id, 18 characters.
    pub org: String,
    /// The id of the user who consented, 18 characters.
    pub user: String,
}

impl std::fmt::Debug for WebLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebLogin").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}

impl WebLogin {
    /// Begins a login. Calls nobody.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when the settings name another flow or are wrong.
    pub fn begin(settings: &SalesforceSettings) -> Result<Self> {
        let url = settings.validate()?;
        if !matches!(settings.grant, Grant::WebServer | Grant::RefreshToken) {
            let what = "these settings log in without a person";
            return Err(Error::new(ErrorKind::Config, LOGIN, what)
                .advise("set grant: web_server to log in with a browser"));
        }
        let redirect = settings.redirect()?;
        // Salesforce compares it letter by letter with what is registered: as it was written.
        let registered = RedirectUrl::new(settings.redirect_uri.clone()).map_err(|error| {
            let what = format!("redirect_uri {:?} is not an address", settings.redirect_uri);
            Error::new(ErrorKind::Config, LOGIN, what)
                .advise("write it as it is registered with the app")
                .caused_by(error)
        })?;
        let authorize = url.join("/services/oauth2/authorize");
        let authorize = authorize.map_err(|error| {
            Error::new(ErrorKind::Config, LOGIN, format!("{url} has no login page"))
                .advise("set url to https://host")
                .caused_by(error)
        })?;
        let client = grant::client(settings, &url)
            .map_err(LoginFailure::told)?
            .set_auth_uri(AuthUrl::from_url(authorize))
            .set_redirect_uri(registered);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (address, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new("api".to_owned()))
            .add_scope(Scope::new("refresh_token".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Self { client, http: http_client()?, url, redirect, address, state, verifier })
    }

    /// The address that the person opens.
    #[must_use]
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The host and port on this machine that the browser comes back to; nothing when it is led
    /// elsewhere, so that the person has to bring the address along.
    #[must_use]
    pub fn loopback(&self) -> Option<(String, u16)> {
        let host = self.redirect.host_str()?;
        let ours = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        let port = self.redirect.port_or_known_default()?;
        (ours && self.redirect.scheme() == "http").then(|| (host.to_owned(), port))
    }

    /// The path that the browser comes back to.
    #[must_use]
    pub fn path(&self) -> &str {
        self.redirect.path()
    }

    /// Ends the login with the query that the browser came back with, or with the whole address.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] when the person or Salesforce refused; `Protocol` when the answer
    /// belongs to another login.
    pub async fn finish(self, answer: &str) -> Result<Consent> {
        let code = self.code(answer)?;
        let http = self.http.clone();
        let send = |request: HttpRequest| call(http.clone(), request);
        let exchange = self.client.exchange_code(AuthorizationCode::new(code));
        let answer = exchange.set_pkce_verifier(self.verifier).request_async(&send).await;
        let granted = grant::granted(&self.url, answer).map_err(LoginFailure::told)?;
        let mut ids = granted.identity.rsplit('/').map(id18);
        let (Some(Some(user)), Some(Some(org))) = (ids.next(), ids.next()) else {
            let what = "the token response names no org and user";
            return Err(Error::new(ErrorKind::Protocol, LOGIN, what)
                .advise("check that url is a Salesforce login address"));
        };
        let refresh_token = granted.refresh.ok_or_else(|| {
            let what = "Salesforce gave no refresh token";
            Error::new(ErrorKind::Config, LOGIN, what).advise(
                "give the external client app the scope refresh_token (\"Perform requests at any \
                 time\")",
            )
        })?;
        Ok(Consent { refresh_token, org, user })
    }

    /// Whether an answer belongs to this login and grants it. Calls nobody.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] when the user or the org refused; another kind when it is the answer to
    /// something else.
    pub fn check(&self, answer: &str) -> Result<()> {
        self.code(answer).map(drop)
    }

    /// The code of an answer that belongs to this login.
    fn code(&self, answer: &str) -> Result<String> {
        let answer = answer.trim();
        let query = answer.split_once('?').map_or(answer, |(_, query)| query);
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        let mut whole = self.redirect.clone();
        whole.set_query(Some(query));
        let value = |name: &str| {
            let found = whole.query_pairs().find(|(known, _)| known == name);
            found.map(|(_, value)| value.into_owned())
        };
        if value("state").as_deref() != Some(self.state.secret().as_str()) {
            let what = "the answer belongs to another login";
            return Err(Error::new(ErrorKind::Protocol, LOGIN, what)
                .advise("open the address of this login, and come back from it"));
        }
        if let Some(error) = value("error") {
            let text = value("error_description").unwrap_or_default();
            let what = format!("the consent was refused: {error}: {}", message(&text));
            return Err(Error::new(ErrorKind::Auth, LOGIN, what)
                .code(error)
                .advise("log in again, with a user who may use the external client app"));
        }
        value("code").ok_or_else(|| {
            Error::new(ErrorKind::Protocol, LOGIN, "the answer holds no code")
                .advise("bring the whole address that the browser came back to")
        })
    }
}
