//! The session that all tasks share, and its renewal by one of them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use syncline_sdk::{ErrorKind, Result};

use super::grant::{self, LoginFailure};
use super::store::TokenStore;
use crate::id::id18;
use crate::limits::LOGIN_TIMEOUT;
use crate::settings::{Grant, SalesforceSettings, plain_checked};

/// A login that the server has not refused yet.
#[derive(Debug)]
pub(crate) struct Session {
    /// The token, for the `Authorization` header.
    pub(crate) token: SecretString,
    /// Where the API is.
    pub(crate) instance: Url,
    /// The org's id, 18 characters.
    pub(crate) org: String,
    /// Our user's id there, 18 characters.
    pub(crate) user: String,
    /// Which renewal it came from.
    pub(crate) generation: u64,
}

type Outcome = Result<Arc<Session>, LoginFailure>;
type Flight = Shared<BoxFuture<'static, Outcome>>;

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    flight: Option<Flight>,
    generation: u64,
    /// A refresh token that came with a renewal and that the store may not have taken, as long
    /// as it is not refused.
    rotated: Option<SecretString>,
}

struct Desk {
    settings: SalesforceSettings,
    url: Url,
    http: reqwest::Client,
    store: Arc<dyn TokenStore>,
    /// The org that the first login was to.
    org: Arc<OnceLock<String>>,
    state: Mutex<State>,
}

/// The login of one system.
#[derive(Clone)]
pub(crate) struct Login(Arc<Desk>);

impl Login {
    pub(crate) fn new(
        settings: SalesforceSettings,
        url: Url,
        http: reqwest::Client,
        store: Arc<dyn TokenStore>,
    ) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Desk { settings, url, http, store, org: Arc::default(), state }))
    }

    /// The id of the org, 18 characters, once a login has told it.
    pub(crate) fn known_org(&self) -> Arc<OnceLock<String>> {
        self.0.org.clone()
    }

    /// The session, or a renewed one when the server refused that of generation `refused`. All
    /// tasks that ask meanwhile wait for one renewal and get its outcome. The renewal runs on
    /// when the asking tasks give up: a rotated refresh token must not be lost with them.
    ///
    /// # Errors
    /// [`ErrorKind::Auth`] when the login is refused, with advice; `Unavailable` when nobody
    /// answers.
    pub(crate) async fn session(&self, refused: Option<u64>) -> Result<Arc<Session>> {
        let flight = {
            let mut state = self.0.lock();
            if let Some(session) = &state.session
                && refused != Some(session.generation)
            {
                return Ok(session.clone());
            }
            match &state.flight {
                Some(flight) => flight.clone(),
                None => {
                    let flight = Self::take_off(self.0.clone());
                    state.flight = Some(flight.clone());
                    flight
                }
            }
        };
        flight.await.map_err(LoginFailure::told)
    }

    /// The session as it is now, without asking anybody.
    pub(crate) fn current(&self) -> Option<Arc<Session>> {
        self.0.lock().session.clone()
    }

    fn take_off(shared: Arc<Desk>) -> Flight {
        let task = tokio::spawn(async move {
            let outcome = match tokio::time::timeout(LOGIN_TIMEOUT, shared.renew()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(LoginFailure {
                    kind: ErrorKind::Unavailable,
                    code: None,
                    context: format!("{} gave no answer in {LOGIN_TIMEOUT:?}", shared.url),
                    advice: "check the address and the way to it; it is tried again",
                }),
            };
            let mut state = shared.lock();
            state.flight = None;
            state.session = outcome.as_ref().ok().cloned();
            outcome
        });
        let landed = task.map(|joined| {
            joined.unwrap_or_else(|_| {
                Err(LoginFailure {
                    kind: ErrorKind::Unavailable,
                    code: None,
                    context: "the renewal was stopped".to_owned(),
                    advice: "it is tried again",
                })
            })
        });
        landed.boxed().shared()
    }
}

impl Desk {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn renew(&self) -> Outcome {
        let granted = match self.settings.grant {
            Grant::ClientCredentials | Grant::JwtBearer | Grant::Password => {
                self.request(None).await?
            }
            Grant::RefreshToken | Grant::WebServer => self.refresh().await?,
        };
        if let Some(token) = granted.refresh {
            self.keep(token).await;
        }
        let wrong = |context: String| LoginFailure {
            kind: ErrorKind::Protocol,
            code: None,
            context,
            advice: "check that url is a Salesforce login address",
        };
        let instance =
            plain_checked(&granted.instance_url, "instance_url", self.settings.allow_plain)
                .map_err(|error| wrong(error.context))?;
        // The identity address ends in /{org id}/{user id}.
        let mut ids = granted.identity.rsplit('/').map(id18);
        let (Some(Some(user)), Some(Some(org))) = (ids.next(), ids.next()) else {
            return Err(wrong("the token response names no org and user".to_owned()));
        };
        self.org.get_or_init(|| org.clone());
        let generation = {
            let mut state = self.lock();
            state.generation += 1;
            state.generation
        };
        let token = granted.access;
        Ok(Arc::new(Session { token, instance, org, user, generation }))
    }

    async fn request(
        &self,
        refresh: Option<&SecretString>,
    ) -> Result<grant::Granted, LoginFailure> {
        grant::request(&self.http, &self.settings, &self.url, refresh).await
    }

    /// Renews with the newest refresh token known. When that is refused, the store is asked for
    /// what came in meanwhile (another process renewed, or a person logged in), and then the
    /// settings, where an operator may have put a fresh one.
    async fn refresh(&self) -> Result<grant::Granted, LoginFailure> {
        let rotated = self.lock().rotated.clone();
        let kept = match rotated {
            Some(token) => Some(token),
            None => self.load().await?,
        };
        let set = self.settings.refresh_token.as_ref();
        let Some(kept) = kept else {
            return self.request(set).await;
        };
        let failure = match self.request(Some(&kept)).await {
            Err(failure) if failure.kind == ErrorKind::Auth => failure,
            other => return other,
        };
        // A dead token is not offered again in place of what the store holds.
        self.lock().rotated = None;
        let mut refused = vec![kept];
        for other in [self.load().await?.as_ref(), set].into_iter().flatten() {
            if refused.iter().any(|token| token.expose_secret() == other.expose_secret()) {
                continue;
            }
            match self.request(Some(other)).await {
                Err(failure) if failure.kind == ErrorKind::Auth => refused.push(other.clone()),
                other => return other,
            }
        }
        Err(failure)
    }

    async fn load(&self) -> Result<Option<SecretString>, LoginFailure> {
        self.store.load().await.map_err(|error| LoginFailure {
            kind: ErrorKind::Unavailable,
            code: None,
            context: error.to_string(),
            advice: "check the ledger; it is tried again",
        })
    }

    async fn keep(&self, token: SecretString) {
        self.lock().rotated = Some(token.clone());
        match self.store.store(&token).await {
            Ok(()) => self.lock().rotated = None,
            Err(error) => tracing::error!(
                system.url = %self.url,
                "a new refresh token could not be kept; until it is, a restart needs a new \
                 login: {error}"
            ),
        }
    }
}
