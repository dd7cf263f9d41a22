//! What is taken out of requests; what cannot be is a problem like any other.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query};
use axum::http::StatusCode;

use crate::problem::Problem;

/// A parameter of the path.
#[derive(FromRequestParts)]
#[from_request(via(Path), rejection(Problem))]
pub(super) struct ApiPath<T>(pub T);

/// The parameters of the query.
#[derive(FromRequestParts)]
#[from_request(via(Query), rejection(Problem))]
pub(super) struct ApiQuery<T>(pub T);

/// A query without parameters: one that is there all the same is refused, not ignored.
pub(super) type NoQuery = ApiQuery<Nothing>;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// The body.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Problem))]
pub(super) struct ApiJson<T>(pub T);

fn unreadable(status: StatusCode, what: &str, why: &str) -> Problem {
    Problem::new(status, format!("The {what} cannot be read")).detail(told(why))
}

/// How the libraries begin.
const BEGINNINGS: [&str; 4] = [
    "Failed to deserialize the JSON body into the target type: ",
    "Failed to parse the request body as JSON: ",
    "Failed to deserialize query string: ",
    "Invalid URL: ",
];

/// What is given, as the libraries call it and as JSON does.
const GIVEN: [(&str, &str); 3] = [("sequence", "an array"), ("map", "an object"), ("unit", "null")];

/// A refusal of a library in words of JSON: which types of ours it was read into concerns nobody.
/// What the caller wrote stays as it is.
fn told(why: &str) -> String {
    let why = BEGINNINGS.iter().find_map(|start| why.strip_prefix(start)).unwrap_or(why);
    if let Some(parameter) = why.strip_suffix(" to a `i64`") {
        return format!("{parameter} as a whole number");
    }
    let Some((given, wanted)) = why.rsplit_once(", expected ") else {
        return why.to_owned();
    };
    let end = wanted.find(" at line ").unwrap_or(wanted.len());
    let (wanted, place) = wanted.split_at(end);
    let wanted = match wanted {
        "i32" => "a whole number up to 2147483647",
        "i64" => "a whole number",
        "u8" | "u16" | "u32" | "u64" => "a whole number, not below 0",
        "string or map" | "map with a single key" => "a string",
        "a sequence" => "an array",
        "a map" => "an object",
        wanted if wanted.starts_with("struct ") => "an object",
        wanted => wanted,
    };
    let translated = GIVEN.iter().find_map(|(theirs, ours)| {
        let before = given.strip_suffix(theirs).filter(|before| before.ends_with("type: "))?;
        Some(format!("{before}{ours}"))
    });
    let given = translated.unwrap_or_else(|| given.to_owned());
    format!("{given}, expected {wanted}{place}")
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        // A part of a path that is no number, say, names nothing.
        unreadable(StatusCode::NOT_FOUND, "address", &rejection.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        unreadable(rejection.status(), "query", &rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        unreadable(rejection.status(), "body", &rejection.body_text())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;

    fn refused(body: &str) -> String {
        let read = Json::<Answer>::from_bytes(body.as_bytes());
        let Json(read) = match read {
            Err(rejection) => return told(&rejection.body_text()),
            Ok(read) => read,
        };
        panic!("{read:?}")
    }

    #[test]
    fn a_refusal_speaks_of_json() {
        for (body, wanted) in [
            ("[]", "expected an object at line 1 column 2"),
            ("7", "invalid type: integer `7`, expected an object at line 1 column 1"),
            (
                "{\"revision\": \"1\"}",
                "revision: invalid type: string \"1\", expected a whole number up to 2147483647",
            ),
            ("{\"revision\": 99999999999}", "expected a whole number up to 2147483647"),
            ("{\"revision\": 1, \"take\": 3}", "take: expected value at line 1"),
            ("{\"revision\": 1, \"take\": \"up\"}", "`up`, expected `left` or `right` at"),
            ("{\"revision\": 1, \"value\": \"map\"}", "string \"map\", expected an array"),
            ("{\"revision\": 1, \"value\": [{}]}", "type: an object, expected a string"),
            ("{\"revision\": 1, \"by\": []}", "type: an array, expected a string"),
        ] {
            let told = refused(body);
            assert!(told.contains(wanted), "{body}: {told}");
        }
        assert_eq!(
            told("Invalid URL: Cannot parse `id` with value `x` to a `i64`"),
            "Cannot parse `id` with value `x` as a whole number"
        );
    }
}
