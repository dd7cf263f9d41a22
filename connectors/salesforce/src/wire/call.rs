//! One request and its answer.

use bytes::Bytes;
use reqwest::Method;
use syncline_sdk::{Error, ErrorKind, Instant, Result};

use super::fault::{Fault, Reach};
use crate::version::Stamp;

/// What a request carries.
pub(crate) enum Body {
    /// Nothing.
    None,
    /// JSON.
    Json(Vec<u8>),
    /// A SOAP `undelete()`; the envelope carries the session.
    Undelete {
        ids: Vec<String>,
        /// All of them or none.
        whole: bool,
    },
}

/// One request.
pub(crate) struct Call {
    /// What is being done, for messages.
    pub(crate) operation: &'static str,
    /// Where it is done: the entity, for messages.
    pub(crate) place: String,
    pub(crate) method: Method,
    /// Path and query on the instance.
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Body,
}

impl Call {
    pub(crate) fn get(operation: &'static str, place: &str, path: String) -> Self {
        Self::new(operation, place, Method::GET, path, Body::None)
    }
    pub(crate) fn new(
        operation: &'static str,
        place: &str,
        method: Method,
        path: String,
        body: Body,
    ) -> Self {
        let place = place.to_owned();
        Self { operation, place, method, path, headers: Vec::new(), body }
    }
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer of success (2xx or 304).
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// A time that the server's clock had certainly reached when it began to work on the
    /// request: the Date of an answer received before it was sent, or the Date of this answer
    /// less the time that the answer took, whichever is later. The Date of the answer alone may
    /// lie behind the reading (protocol O6).
    pub(crate) floor: Option<Stamp>,
    /// When the thing described was changed last, word for word.
    pub(crate) last_modified: Option<String>,
}

impl Reply {
    /// The server's clock at the read.
    ///
    /// # Errors
    /// [`ErrorKind::Protocol`] when the server states no Date.
    pub(crate) fn clock(&self, operation: &'static str) -> Result<Stamp> {
        self.floor.ok_or_else(|| {
            Error::new(ErrorKind::Protocol, operation, "the answer carries no Date header")
                .advise("let the proxy on the way keep the Date header: the poll goes by it")
        })
    }
    pub(crate) fn server_time(&self) -> Option<Instant> {
        self.floor.map(Stamp::instant)
    }
}

/// A request that failed as a whole.
#[derive(Debug)]
pub(crate) struct CallError {
    pub(crate) error: Error,
    pub(crate) reach: Reach,
    /// The HTTP status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// The errors in the answer.
    pub(crate) faults: Vec<Fault>,
}

impl From<CallError> for Error {
    fn from(failed: CallError) -> Self {
        failed.error
    }
}
