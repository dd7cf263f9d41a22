//! One org: the way to it, what is known of its entities, and its queries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Method;
use syncline_sdk::{EntityName, Error, ErrorKind, Result, Selection};

use crate::auth::{Login, TokenStore};
use crate::limits::{DESCRIBED_FOR, LACKING_FOR, QUERY_ROWS_MAX};
use crate::read::ShownRows;
use crate::settings::SalesforceSettings;
use crate::version::Stamp;
use crate::wire::{
    Body, Call, CallError, Described, Headers, Reply, RowPlan, SubRequest, Transport,
    composite_body, described, encoded, http_client,
};
use crate::write::Contention;

/// One org.
pub(crate) struct Org {
    pub(crate) settings: SalesforceSettings,
    pub(crate) transport: Transport,
    pub(crate) shown: ShownRows,
    pub(crate) contention: Contention,
    schemas: Mutex<HashMap<EntityName, Known>>,
    /// Entities that are not there, with the server's clock when that was heard.
    absent: Mutex<HashMap<EntityName, Stamp>>,
}

/// What is known of an entity.
struct Known {
    described: Arc<Described>,
    /// Whether something since has contradicted it.
    doubted: bool,
    /// The server's clock when it was last asked for.
    at: Option<Stamp>,
}

impl Org {
    pub(crate) fn new(settings: SalesforceSettings, tokens: Arc<dyn TokenStore>) -> Result<Self> {
        let url = settings.validate()?;
        let http = http_client()?;
        let login = Login::new(settings.clone(), url, http.clone(), tokens);
        let transport = Transport::new(http, login, &settings.client);
        Ok(Self {
            settings,
            transport,
            shown: ShownRows::default(),
            contention: Contention::default(),
            schemas: Mutex::default(),
            absent: Mutex::default(),
        })
    }

    /// A path of the REST API.
    pub(crate) fn data(&self, rest: &str) -> String {
        format!("/services/data/v{}/{rest}", self.settings.api_version)
    }
    /// The id of our own user, once logged in.
    pub(crate) fn own_user(&self) -> Option<String> {
        Some(self.transport.login().current()?.user.clone())
    }

    /// What is known of an entity, without asking.
    pub(crate) fn measured(&self, entity: &EntityName) -> Option<Arc<Described>> {
        self.lock().get(entity).map(|known| known.described.clone())
    }
    /// What is known of an entity; asked for when nothing is, or when it is doubted.
    pub(crate) async fn described(&self, entity: &EntityName) -> Result<Arc<Described>> {
        match self.measured(entity) {
            Some(known) if !self.doubted(entity) => Ok(known),
            _ => self.describe(entity).await,
        }
    }
    /// What is known of an entity that need not be there: nothing where it is not. That is asked
    /// once in ten minutes.
    pub(crate) async fn described_if_there(
        &self,
        entity: &EntityName,
    ) -> Result<Option<Arc<Described>>> {
        let heard = self.absent.lock().unwrap_or_else(PoisonError::into_inner).get(entity).copied();
        let lately = |(at, now): (Stamp, Stamp)| now.0.saturating_sub(at.0) < LACKING_FOR;
        if heard.zip(self.transport.heard()).is_some_and(lately) {
            return Ok(None);
        }
        match self.described(entity).await {
            Ok(described) => Ok(Some(described)),
            Err(error) if error.kind == ErrorKind::Schema => {
                let mut absent = self.absent.lock().unwrap_or_else(PoisonError::into_inner);
                absent.extend(self.transport.heard().map(|now| (entity.clone(), now)));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
    /// Notes that an answer contradicts what is known of an entity: it is described anew before
    /// it is next used.
    pub(crate) fn doubt(&self, entity: &EntityName) {
        if let Some(known) = self.lock().get_mut(entity) {
            known.doubted = true;
        }
    }
    /// Notes that a value was refused which the description takes: if that is not quite new, the
    /// field may have been cut, changed or narrowed since. A value that is refused again and again
    /// costs one describe in ten minutes and no more.
    pub(crate) fn suspect(&self, entity: &EntityName) {
        let now = self.transport.heard();
        if let Some(known) = self.lock().get_mut(entity)
            && let (Some(at), Some(now)) = (known.at, now)
            && now.0.saturating_sub(at.0) >= LACKING_FOR
        {
            known.doubted = true;
        }
    }
    fn doubted(&self, entity: &EntityName) -> bool {
        self.lock().get(entity).is_some_and(|known| known.doubted)
    }
    /// Asks for what is known of an entity, unless it did not change since (REST guide,
    /// describe: If-Modified-Since, 304). One that is doubted is asked for in any case: rights
    /// change without it.
    pub(crate) async fn describe(&self, entity: &EntityName) -> Result<Arc<Described>> {
        if !plain_name(entity.as_str()) {
            let what = format!("{entity} is not the name of an entity");
            return Err(Error::new(ErrorKind::Schema, "describe", what)
                .advise("write the API name, such as Account or Order__c"));
        }
        let known = self.measured(entity);
        let path = self.data(&format!("sobjects/{entity}/describe"));
        let mut call = Call::get("describe", entity.as_str(), path);
        let since = known.as_ref().and_then(|known| known.last_modified.clone());
        if let Some(since) = since.filter(|_| !self.doubted(entity)) {
            call = call.header("If-Modified-Since", since);
        }
        let reply = self.transport.send(&call).await.map_err(|failed| {
            let lost = failed.status == Some(404);
            let error = Error::from(failed);
            if lost {
                error.advise("check the name, and the rights of the integration user")
            } else {
                error
            }
        })?;
        let at = self.transport.heard();
        if let (304, Some(known)) = (reply.status, known) {
            if let Some(entry) = self.lock().get_mut(entity) {
                entry.at = at;
            }
            return Ok(known);
        }
        let fresh = described(&reply.body, reply.last_modified.clone()).map_err(|error| {
            Error::new(ErrorKind::Protocol, "describe", format!("{entity}: unreadable answer"))
                .caused_by(error)
        })?;
        let fresh = Arc::new(fresh);
        let known = Known { described: fresh.clone(), doubted: false, at };
        self.lock().insert(entity.clone(), known);
        Ok(fresh)
    }
    /// What is known of the entity of a selection, asked for anew when it grew old. A field that
    /// was hidden from our user comes into view without any error that would tell us, and
    /// without a new `Last-Modified`.
    async fn described_lately(&self, selection: &Selection) -> Result<Arc<Described>> {
        let described = self.described(&selection.entity).await?;
        let lacking = described.lacks_a_field_of(selection);
        let most = if lacking { LACKING_FOR } else { DESCRIBED_FOR };
        let at = self.lock().get(&selection.entity).and_then(|known| known.at);
        let old = match (at, self.transport.heard()) {
            (Some(at), Some(now)) => now.0.saturating_sub(at.0) >= most,
            _ => false,
        };
        if !old {
            return Ok(described);
        }
        if lacking {
            self.doubt(&selection.entity);
        }
        self.describe(&selection.entity).await
    }
    /// How the rows of a selection are read.
    pub(crate) async fn plan(&self, selection: &Selection) -> Result<(Arc<Described>, RowPlan)> {
        let described = self.described_lately(selection).await?;
        match RowPlan::new(selection, &described) {
            Ok(plan) => Ok((described, plan)),
            Err(error) => {
                // The right may be given back at any time, and nothing else would tell.
                self.doubt(&selection.entity);
                Err(error)
            }
        }
    }
    /// Whether a read failed for a field that is gone, in which case the entity was described
    /// anew and the read is worth one more try without it.
    pub(crate) async fn lost_field<T>(&self, entity: &EntityName, read: &Result<T>) -> bool {
        let lost = read.as_ref().is_err_and(|error| error.code.as_deref() == Some("INVALID_FIELD"));
        if lost {
            self.doubt(entity);
        }
        lost && self.described(entity).await.is_ok()
    }

    /// Asks one page of a query; `all` includes the recycle bin.
    pub(crate) async fn query(
        &self,
        operation: &'static str,
        entity: &EntityName,
        soql: &str,
        all: bool,
    ) -> Result<Reply, CallError> {
        let resource = if all { "queryAll" } else { "query" };
        let path = self.data(&format!("{resource}?q={}", encoded(soql)));
        let call = Call::get(operation, entity.as_str(), path)
            .header("Sforce-Query-Options", format!("batchSize={QUERY_ROWS_MAX}"));
        self.transport.send(&call).await
    }
    /// Asks the first pages of several queries in one call of the day, at most
    /// [`crate::limits::COMPOSITE_QUERIES_MAX`]; their bodies are parts of the reply, in order. (A
    /// batch would take 25, but counts each of them: REST guide, Composite Batch.)
    pub(crate) async fn queries(
        &self,
        operation: &'static str,
        entity: &EntityName,
        statements: &[String],
        all: bool,
    ) -> Result<Reply> {
        let resource = if all { "queryAll" } else { "query" };
        let parts = statements.iter().map(|soql| {
            let url = self.data(&format!("{resource}?q={}", encoded(soql)));
            let query_options = Some(format!("batchSize={QUERY_ROWS_MAX}"));
            SubRequest::get(url, Headers { query_options, ..Headers::default() })
        });
        let body = composite_body(parts.collect())
            .map_err(|error| unreadable(operation, entity, error))?;
        self.post_read(operation, entity, self.data("composite"), body).await
    }
    /// Asks the next page of a query.
    pub(crate) async fn query_next(
        &self,
        operation: &'static str,
        entity: &EntityName,
        next: &str,
    ) -> Result<Reply> {
        // The address comes from an answer: it may lead nowhere but to the same API.
        if !next.starts_with("/services/data/") {
            let what = format!("{entity}: the next page lies outside the API");
            return Err(Error::new(ErrorKind::Protocol, operation, what));
        }
        Ok(self.transport.send(&Call::get(operation, entity.as_str(), next.to_owned())).await?)
    }
    /// A POST that changes nothing.
    pub(crate) async fn post_read(
        &self,
        operation: &'static str,
        entity: &EntityName,
        path: String,
        body: Vec<u8>,
    ) -> Result<Reply> {
        let call = Call::new(operation, entity.as_str(), Method::POST, path, Body::Json(body));
        Ok(self.transport.send(&call).await?)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<EntityName, Known>> {
        self.schemas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a text can stand in a path or a query as the name of an entity or field.
pub(crate) fn plain_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// An answer that cannot be read.
pub(crate) fn unreadable(
    operation: &'static str,
    entity: &EntityName,
    error: serde_json::Error,
) -> Error {
    Error::new(ErrorKind::Protocol, operation, format!("{entity}: unreadable answer"))
        .caused_by(error)
}
