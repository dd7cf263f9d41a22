//! One token request.

use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, ResourceOwnerPassword, ResourceOwnerUsername,
    StandardRevocableToken, StandardTokenResponse, TokenResponse, TokenUrl,
};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use syncline_sdk::{Error, ErrorKind};

use super::assertion;
use crate::settings::{Grant, SalesforceSettings};
use crate::wire::{message, read_limited};

/// What Salesforce adds to a token response.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Extra {
    /// Where the API is; never assumed to be the login host.
    instance_url: String,
    /// The identity address; its last two segments are the ids of the org and the user.
    id: String,
}
impl ExtraTokenFields for Extra {}

pub(super) type Tokens = StandardTokenResponse<Extra, BasicTokenType>;
pub(super) type Client<Token = EndpointSet> = oauth2::Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    Token,
>;

/// What a token request gave.
pub(super) struct Granted {
    pub(super) access: SecretString,
    /// A new refresh token, where the app rotates them.
    pub(super) refresh: Option<SecretString>,
    pub(super) instance_url: String,
    pub(super) identity: String,
}

/// Why a login failed, in a form that all waiting tasks can be told.
#[derive(Clone, Debug)]
pub(super) struct LoginFailure {
    pub(super) kind: ErrorKind,
    pub(super) code: Option<String>,
    pub(super) context: String,
    pub(super) advice: &'static str,
}

impl LoginFailure {
    /// As the error of a call.
    pub(super) fn told(self) -> Error {
        let error = Error::new(self.kind, "log in", self.context).advise(self.advice);
        match self.code {
            Some(code) => error.code(code),
            None => error,
        }
    }
}

/// Sends one token request with the login that the settings name.
pub(super) async fn request(
    http: &reqwest::Client,
    settings: &SalesforceSettings,
    login: &Url,
    refresh: Option<&SecretString>,
) -> Result<Granted, LoginFailure> {
    let client = client(settings, login)?;
    let send = |request: HttpRequest| call(http.clone(), request);
    let answer = match settings.grant {
        Grant::ClientCredentials => client.exchange_client_credentials().request_async(&send).await,
        Grant::Password => {
            let (username, password) = password(settings);
            client.exchange_password(&username, &password).request_async(&send).await
        }
        Grant::JwtBearer => assertion::request(http, settings, login).await?,
        Grant::RefreshToken | Grant::WebServer => {
            let Some(token) = refresh else {
                return Err(LoginFailure {
                    kind: ErrorKind::Auth,
                    code: None,
                    context: "there is no refresh token".to_owned(),
                    advice: "connect the system with `syncline login`, or set refresh_token",
                });
            };
            let token = RefreshToken::new(token.expose_secret().to_owned());
            client.exchange_refresh_token(&token).request_async(&send).await
        }
    };
    granted(login, answer).map_err(|failure| match settings.grant {
        Grant::Password if failure.kind == ErrorKind::Auth => named(settings, failure),
        _ => failure,
    })
}

/// A login by password that was refused: the settings that hold it.
fn named(settings: &SalesforceSettings, failure: LoginFailure) -> LoginFailure {
    if failure.code.as_deref() != Some("invalid_grant") {
        return failure;
    }
    let advice = match settings.security_token {
        Some(_) => "check username, password and security_token",
        None => {
            "check username and password; unless the org trusts the address of this machine, set \
             security_token too"
        }
    };
    LoginFailure { advice, ..failure }
}

/// What an answer of the token address gave.
pub(super) fn granted(
    login: &Url,
    answer: Result<Tokens, TokenError>,
) -> Result<Granted, LoginFailure> {
    match answer {
        Ok(tokens) => Ok(Granted {
            access: tokens.access_token().secret().as_str().into(),
            refresh: tokens.refresh_token().map(|token| token.secret().as_str().into()),
            instance_url: tokens.extra_fields().instance_url.clone(),
            identity: tokens.extra_fields().id.clone(),
        }),
        Err(error) => Err(failure(login, error)),
    }
}

/// User name, and the password with the security token behind it (OAuth help pages, username and
/// password).
fn password(settings: &SalesforceSettings) -> (ResourceOwnerUsername, ResourceOwnerPassword) {
    let shown = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned()).unwrap_or_default()
    };
    let username = settings.username.clone().unwrap_or_default();
    let password = shown(&settings.password) + &shown(&settings.security_token);
    (ResourceOwnerUsername::new(username), ResourceOwnerPassword::new(password))
}

pub(super) fn client(settings: &SalesforceSettings, login: &Url) -> Result<Client, LoginFailure> {
    let url = login.join("/services/oauth2/token").map_err(|error| LoginFailure {
        kind: ErrorKind::Config,
        code: None,
        context: format!("url {login} has no token address: {error}"),
        advice: "set url to https://host",
    })?;
    let client = Client::<EndpointNotSet>::new(ClientId::new(settings.client_id.clone()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(TokenUrl::from_url(url));
    Ok(match &settings.client_secret {
        Some(secret) => {
            client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
        }
        None => client,
    })
}

/// Why a token request got no answer that OAuth knows.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("the login address did not answer: {0}")]
    Transport(reqwest::Error),
    #[error("the login address answered {0}")]
    Status(u16),
    #[error("the login address answered more than a login")]
    TooLong,
}

pub(super) async fn call(
    http: reqwest::Client,
    request: HttpRequest,
) -> Result<HttpResponse, CallError> {
    let transport = |error: reqwest::Error| CallError::Transport(error.without_url());
    let request = reqwest::Request::try_from(request).map_err(transport)?;
    let response = http.execute(request).await.map_err(transport)?;
    let status = response.status();
    if status.is_server_error() || status.is_redirection() {
        return Err(CallError::Status(status.as_u16()));
    }
    let headers = response.headers().clone();
    let body =
        read_limited(response, 1 << 20).await.map_err(transport)?.ok_or(CallError::TooLong)?;
    let mut answer = HttpResponse::new(body.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

pub(super) type TokenError = RequestTokenError<CallError, BasicErrorResponse>;

fn failure(login: &Url, error: TokenError) -> LoginFailure {
    let host = login.host_str().unwrap_or_default();
    let failed = |kind, code: Option<String>, what: String, advice| LoginFailure {
        kind,
        code,
        context: format!("{host}: {what}"),
        advice,
    };
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let code = answer.error().as_ref().to_owned();
            let text = answer.error_description().cloned().unwrap_or_default();
            let (kind, advice) = meaning(answer.error(), &text);
            failed(kind, Some(code), message(&text), advice)
        }
        RequestTokenError::Request(CallError::Status(status)) if status < 400 => failed(
            ErrorKind::Config,
            None,
            format!("the login address answers {status} and sends us elsewhere"),
            "set url to the My Domain address itself",
        ),
        RequestTokenError::Request(error) => failed(
            ErrorKind::Unavailable,
            None,
            error.to_string(),
            "check the address and the way to it; it is tried again",
        ),
        // The body is not repeated: an unreadable answer may still hold a token.
        RequestTokenError::Parse(error, _) => failed(
            ErrorKind::Protocol,
            None,
            format!("the token response cannot be read at {}", error.path()),
            "check that url is a Salesforce login address",
        ),
        RequestTokenError::Other(what) => failed(
            ErrorKind::Protocol,
            None,
            message(&what),
            "check that url is a Salesforce login address",
        ),
    }
}

/// What an OAuth error means to an operator (REST guide, OAuth flow errors).
fn meaning(code: &BasicErrorResponseType, text: &str) -> (ErrorKind, &'static str) {
    match code.as_ref() {
        "invalid_grant" if text.contains("not supported on this domain") => (
            ErrorKind::Config,
            "set url to the My Domain address: this login does not work on the generic one",
        ),
        "invalid_grant" if text.contains("hasn't approved this consumer") => (
            ErrorKind::Auth,
            "let the policies of the external client app pre-authorize the integration user, by a \
             profile or permission set",
        ),
        "invalid_grant" if text.contains("Audience") => (
            ErrorKind::Config,
            "set audience to https://login.salesforce.com, or to https://test.salesforce.com for \
             a sandbox",
        ),
        "invalid_grant" if text.contains("assertion") => (
            ErrorKind::Auth,
            "give the external client app the certificate of private_key, and check the clock of \
             this machine",
        ),
        "invalid_grant" => (
            ErrorKind::Auth,
            "the login was refused or revoked: connect the system again, or check the \
             integration user and the policies of the external client app",
        ),
        "invalid_client" | "invalid_client_id" => {
            (ErrorKind::Auth, "check client_id and client_secret against the external client app")
        }
        "unauthorized_client" | "inactive_user" | "inactive_org" | "invalid_app_access" => (
            ErrorKind::Auth,
            "let the external client app use this flow and this user, and check that both are \
             active",
        ),
        "rate_limit_exceeded" => {
            (ErrorKind::Throttled, "too many logins in an hour; it is tried again later")
        }
        _ => (ErrorKind::Config, "check the OAuth settings of the external client app"),
    }
}
