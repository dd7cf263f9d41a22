//! One call of the data API: of a request, or of a part of a composite.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Raw};

use super::form;
use super::http::{Http, Reply, decoded, pairs};
use crate::org::ids::Id;

/// Oldest and newest version served.
pub(crate) const VERSION_MIN: u16 = 31;
/// Newest version served.
pub(crate) const VERSION_MAX: u16 = 67;

/// Who calls, and what holds for all parts of the request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: Id,
    pub(crate) username: String,
    pub(crate) base_url: String,
    /// A fault asked for pages of this size.
    pub(crate) page_rows: Option<usize>,
    /// Inside a composite call.
    pub(crate) nested: bool,
}

/// A call below `/services/data/vNN.0/`.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// `v67.0`.
    pub(crate) version: String,
    pub(crate) number: u16,
    /// Decoded path segments after the version, without empty ones at the end.
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Raw>,
}

impl Call {
    /// Reads a path below `/services/data/`. `Err` is the reply.
    pub(crate) fn parse(http: &Http) -> Result<Self, Reply> {
        let rest = http.path.strip_prefix("/services/data/").unwrap_or_default();
        let (version, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let number = version_number(version)?;
        let mut segments: Vec<String> = rest.split('/').map(decoded).collect();
        while segments.last().is_some_and(String::is_empty) {
            segments.pop();
        }
        let query = pairs(&http.raw_query);
        let given = query.iter().find(|(name, _)| name == "_HTTP_METHOD");
        let method = match given {
            Some((_, method)) if http.method == "POST" => method.to_ascii_uppercase(),
            _ => http.method.clone(),
        };
        let body = read_body(http, &method)?;
        Ok(Self {
            method,
            version: version.to_owned(),
            number,
            segments,
            query,
            headers: http.headers.clone(),
            body,
        })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path of this API version, `/services/data/v67.0/…`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/services/data/{}/{rest}", self.version)
    }

    /// The body as an object, or the reply that refuses it.
    pub(crate) fn object(&self) -> Result<&Map<String, Raw>, Reply> {
        match &self.body {
            Some(Raw::Object(members)) => Ok(members),
            Some(_) => Err(Reply::error(
                400,
                "JSON_PARSER_ERROR",
                "The value was not an object at [line:1, column:1]",
            )),
            None => Err(Reply::error(
                400,
                "JSON_PARSER_ERROR",
                "The HTTP entity body is required, but this request has no entity body.",
            )),
        }
    }

    /// 405 with the methods that would do.
    pub(crate) fn wrong_method(&self, allowed: &str) -> Reply {
        let text = format!("HTTP Method '{}' not allowed. Allowed are {allowed}", self.method);
        Reply::error(405, "METHOD_NOT_ALLOWED", text).with_header("Allow", allowed)
    }
}

/// Too old a version is gone, one that never was is not found (REST guide, API end-of-life).
pub(crate) fn version_number(version: &str) -> Result<u16, Reply> {
    let number = version.strip_prefix('v').and_then(|text| text.strip_suffix(".0"));
    match number.and_then(|text| text.parse::<u16>().ok()) {
        Some(number) if (VERSION_MIN..=VERSION_MAX).contains(&number) => Ok(number),
        Some(number) if (7..VERSION_MIN).contains(&number) => {
            let text = format!("API version {number}.0 is retired. Use a newer one.");
            Err(Reply::error(410, "GONE", text))
        }
        _ => Err(Reply::not_found()),
    }
}

fn read_body(http: &Http, method: &str) -> Result<Option<Raw>, Reply> {
    if http.body.is_empty() || matches!(method, "GET" | "HEAD" | "DELETE") {
        return Ok(None);
    }
    let kind = http.header("content-type").unwrap_or("application/json");
    if form::takes_xml(http) && form::is_xml(kind) {
        return form::read_xml(&http.body).map(Some);
    }
    if !kind.trim_start().to_ascii_lowercase().starts_with("application/json") {
        let text = format!("Content-Type '{kind}' is not supported here. Use application/json.");
        return Err(Reply::error(415, "UNSUPPORTED_MEDIA_TYPE", text));
    }
    serde_json::from_slice(&http.body).map(Some).map_err(|error| {
        let text = format!(
            "Unexpected character or end of input at [line:{}, column:{}]",
            error.line(),
            error.column()
        );
        Reply::error(400, "JSON_PARSER_ERROR", text)
    })
}
