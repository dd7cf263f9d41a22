//! A request and a reply, apart from any web framework: composite calls make them too.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use crate::json::{Json, object};
use crate::save::SaveError;

/// A request as it came over the wire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Http {
    pub(crate) method: String,
    /// Still percent-encoded.
    pub(crate) path: String,
    pub(crate) raw_query: String,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    /// It came over TLS.
    pub(crate) secure: bool,
}

impl Http {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Where the client found us.
    pub(crate) fn base_url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.header("host").unwrap_or("localhost"))
    }

    /// Fields of a form body.
    pub(crate) fn form(&self) -> HashMap<String, String> {
        let text = String::from_utf8_lossy(&self.body);
        let from_body = pairs(&text);
        from_body.into_iter().chain(pairs(&self.raw_query)).collect()
    }

    /// Path and query as a person reads them.
    pub(crate) fn shown(&self) -> String {
        let mut text = decoded(&self.path);
        if !self.raw_query.is_empty() {
            text.push('?');
            text.push_str(&form_decoded(&self.raw_query));
        }
        text
    }
}

/// `a=1&b=2`, form-decoded.
pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (form_decoded(name), form_decoded(value))
        })
        .collect()
}

pub(crate) fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn form_decoded(text: &str) -> String {
    decoded(&text.replace('+', " "))
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    Json(Json),
    Text { content_type: &'static str, text: String },
}

impl Reply {
    pub(crate) fn json(status: u16, body: Json) -> Self {
        Self { status, headers: Vec::new(), body: Body::Json(body) }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::None }
    }

    pub(crate) fn text(status: u16, content_type: &'static str, text: String) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text { content_type, text } }
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The error array of the REST API, without `fields`.
    pub(crate) fn error(status: u16, code: &str, message: impl Into<String>) -> Self {
        let error = object! {
            "message" => message.into(),
            "errorCode" => code.to_owned(),
        };
        Self::json(status, Json::List(vec![error]))
    }

    /// The error array of a record write, with `fields`.
    pub(crate) fn refused(errors: &[SaveError]) -> Self {
        let status = errors.first().map_or(400, |error| error.status);
        if let [only] = errors
            && only.code == "NOT_FOUND"
        {
            return Self::error(status, "NOT_FOUND", only.message.clone());
        }
        Self::json(status, Json::List(errors.iter().map(SaveError::top_level).collect()))
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "NOT_FOUND", "The requested resource does not exist")
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}
