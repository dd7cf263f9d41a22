//! The address of the ledger.

/// Looks at the ledger's address: what it is, and whether it would be spoken to in plain text.
pub(super) fn check(text: &str, allow_plain: bool) -> Result<(), (String, String)> {
    let example = "write postgres://user:password@host:5432/database".to_owned();
    let Ok(url) = reqwest::Url::parse(text) else {
        return Err(("`url` is not a URL".to_owned(), example));
    };
    if !matches!(url.scheme(), "postgres" | "postgresql") {
        return Err(("`url` does not begin with postgres://".to_owned(), example));
    }
    let parameter = |name: &str| {
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let host = parameter("host").or_else(|| url.host_str().map(str::to_owned)).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let local = host.is_empty()
        || host.starts_with('/')
        || host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    let protected = parameter("sslmode")
        .is_some_and(|mode| matches!(&*mode, "require" | "verify-ca" | "verify-full"));
    if local || protected || allow_plain {
        return Ok(());
    }
    Err((
        "the ledger would be spoken to in plain text on another machine".to_owned(),
        "add ?sslmode=verify-full to the URL, or `allow_plain: true` if the way is trusted"
            .to_owned(),
    ))
}
