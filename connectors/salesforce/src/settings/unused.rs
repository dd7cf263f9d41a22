//! Keys of a login that the chosen one does not use: what they say would be ignored.

use syncline_sdk::Result;

use super::{Grant, SalesforceSettings, config, default_redirect};

/// Looks for one.
///
/// # Errors
/// [`syncline_sdk::ErrorKind::Config`] naming the key, and the logins that use it.
pub(super) fn check(settings: &SalesforceSettings) -> Result<()> {
    use Grant::{ClientCredentials, JwtBearer, Password, RefreshToken, WebServer};
    let keys: [(&str, bool, &[Grant]); 8] = [
        (
            "client_secret",
            settings.client_secret.is_some(),
            &[ClientCredentials, Password, WebServer, RefreshToken],
        ),
        ("refresh_token", settings.refresh_token.is_some(), &[RefreshToken, WebServer]),
        ("username", settings.username.is_some(), &[JwtBearer, Password]),
        ("password", settings.password.is_some(), &[Password]),
        ("security_token", settings.security_token.is_some(), &[Password]),
        ("private_key", settings.private_key.is_some(), &[JwtBearer]),
        ("audience", settings.audience.is_some(), &[JwtBearer]),
        // Another address than that of the command is for a consent in a browser.
        ("redirect_uri", settings.redirect_uri != default_redirect(), &[WebServer, RefreshToken]),
    ];
    let unused = |(_, given, by): &&(&str, bool, &[Grant])| *given && !by.contains(&settings.grant);
    let Some((key, _, by)) = keys.iter().find(unused) else { return Ok(()) };
    let logins: Vec<String> = by.iter().map(|grant| format!("`{}`", grant.word())).collect();
    Err(config(
        format!("grant {} does not use {key}", settings.grant.word()),
        &format!("remove {key}, or set grant to {}", logins.join(" or ")),
    ))
}
