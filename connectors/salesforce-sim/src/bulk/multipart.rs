//! A job with its content in one call: `multipart/form-data` of a part `job` with JSON and a part
//! `content` with CSV (Bulk API 2.0 guide, create a job).

use bytes::Bytes;

use crate::rest::Http;

/// What the two parts hold.
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) job: Bytes,
    pub(super) content: Bytes,
}

/// The parts of a multipart call; nothing of another call. The text says what is wrong.
pub(super) fn parts(http: &Http) -> Result<Option<Parts>, String> {
    let kind = http.header("content-type").unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Ok(None);
    }
    let boundary = kind.split(';').find_map(|part| part.trim().strip_prefix("boundary="));
    let boundary = boundary.map(|text| text.trim_matches('"')).filter(|text| !text.is_empty());
    let boundary = boundary.ok_or("The multipart request names no boundary")?;
    let text = std::str::from_utf8(&http.body).map_err(|error| error.to_string())?;
    let (mut job, mut content) = (None, None);
    for part in text.split(&format!("--{boundary}")).skip(1) {
        // The last boundary ends with two dashes.
        let Some((head, body)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let body = body.strip_suffix("\r\n").unwrap_or(body);
        let head = head.to_ascii_lowercase();
        if head.contains("name=\"job\"") {
            job = Some(Bytes::copy_from_slice(body.as_bytes()));
        } else if head.contains("name=\"content\"") {
            content = Some(Bytes::copy_from_slice(body.as_bytes()));
        }
    }
    match (job, content) {
        (Some(job), Some(content)) => Ok(Some(Parts { job, content })),
        _ => Err(String::from("A multipart request has the parts job and content")),
    }
}
