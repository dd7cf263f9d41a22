//! The HTTP client.

use bytes::{Bytes, BytesMut};
use syncline_sdk::{Error, ErrorKind, Result};

use crate::limits::{CONNECT_TIMEOUT, IDLE_TIMEOUT};

/// The client that all calls share: no redirects (a login must not follow one), no proxy from
/// the environment, no retries of its own, time-outs for connecting. The call's own time-out is
/// the caller's.
///
/// # Errors
/// [`ErrorKind::Config`] when the machine's certificates cannot be read.
pub(crate) fn http_client() -> Result<reqwest::Client> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .tcp_nodelay(true)
        .user_agent(concat!("syncline/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| {
            Error::new(ErrorKind::Config, "open the system", "the HTTP client cannot start")
                .advise("install ca-certificates on this machine")
                .caused_by(error)
        })
}

/// Reads a body up to a limit; nothing when it is longer.
pub(crate) async fn read_limited(
    mut response: reqwest::Response,
    bytes_max: usize,
) -> Result<Option<Bytes>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > bytes_max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body.freeze()))
}
