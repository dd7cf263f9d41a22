//! The settings of one Salesforce system.

use std::fmt;
use std::time::Duration;

use reqwest::Url;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};
use syncline_sdk::{Error, ErrorKind, Result};

mod unused;

/// How Syncline logs in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// OAuth client credentials: runs as the one integration user set on the external client
    /// app. Needs the My Domain address.
    ClientCredentials,
    /// A refresh token from an earlier consent, put into the settings.
    RefreshToken,
    /// OAuth web server flow with PKCE: a person consents once in a browser, with
    /// `syncline login`; the refresh token is kept in the ledger.
    WebServer,
    /// OAuth JWT bearer: a certificate of the external client app vouches for the user. Nothing
    /// has to be consented to, nothing expires but the certificate.
    JwtBearer,
    /// OAuth username and password. Blocked by default in newer orgs.
    Password,
}

impl Grant {
    /// As the settings have it.
    fn word(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::WebServer => "web_server",
            Self::JwtBearer => "jwt_bearer",
            Self::Password => "password",
        }
    }
}

/// The version of the API, as it stands in addresses: `67.0`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiVersion(String);

impl ApiVersion {
    /// The number as text: `67.0`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether it is that version or a newer one.
    pub(crate) fn is_at_least(&self, version: u32) -> bool {
        let major = self.0.split('.').next().and_then(|major| major.parse::<u32>().ok());
        major.is_some_and(|major| major >= version)
    }
    fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        (digits(major) && minor == "0" && major.len() <= 3).then(|| Self(format!("{major}.0")))
    }
}

impl Default for ApiVersion {
    fn default() -> Self {
        Self("67.0".to_owned())
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ApiVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = ApiVersion;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an API version such as 67.0")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ApiVersion, E> {
                ApiVersion::parse(text)
                    .ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<ApiVersion, E> {
                self.visit_str(&format!("{number:?}"))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ApiVersion, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ApiVersion, E> {
                self.visit_str(&number.to_string())
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The settings of one Salesforce system. Durations are written as `90s`, `15m`, `2h`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SalesforceSettings {
    /// Where to log in: the My Domain address (`https://acme.my.salesforce.com`), or, for a
    /// refresh token only, `https://login.salesforce.com` or `https://test.salesforce.com`.
    pub url: String,
    /// The version of the API (`67.0`).
    #[serde(default)]
    pub api_version: ApiVersion,
    /// How to log in (`client_credentials`).
    #[serde(default = "default_grant")]
    pub grant: Grant,
    /// The consumer key of the external client app.
    pub client_id: String,
    /// The consumer secret. May be missing with a refresh token when the app does not ask for it.
    #[serde(default, deserialize_with = "secret")]
    pub client_secret: Option<SecretString>,
    /// The first refresh token. Later ones, where the app rotates them, come from the token
    /// store.
    #[serde(default, deserialize_with = "secret")]
    pub refresh_token: Option<SecretString>,
    /// The user that logs in (`jwt_bearer`, `password`).
    #[serde(default)]
    pub username: Option<String>,
    /// The user's password (`password`).
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// The user's security token (`password`): needed unless the address of this machine is
    /// trusted.
    #[serde(default, deserialize_with = "secret")]
    pub security_token: Option<SecretString>,
    /// The private key of the app's certificate, PEM (`jwt_bearer`).
    #[serde(default, deserialize_with = "secret")]
    pub private_key: Option<SecretString>,
    /// Whom an assertion is meant for (`jwt_bearer`; `https://login.salesforce.com`, for a
    /// sandbox `https://test.salesforce.com`).
    #[serde(default)]
    pub audience: Option<String>,
    /// Where a browser comes back to after the consent (`web_server`), as registered with the
    /// app (`http://localhost:8423/callback`).
    #[serde(default = "default_redirect")]
    pub redirect_uri: String,
    /// The client name sent with each call (`Sforce-Call-Options`), which shows in change events
    /// (`syncline`).
    #[serde(default = "default_client")]
    pub client: String,
    /// Whether plain http to hosts other than this machine is allowed. The token then travels
    /// readable by everybody on the way.
    #[serde(default)]
    pub allow_plain: bool,
    /// Whether a create or an update may pass a duplicate rule that only warns
    /// (`Sforce-Duplicate-Rule-Header: allowSave=true`).
    #[serde(default)]
    pub allow_duplicates: bool,
    /// How far back a poll re-reads. Stamps are given before the commit, so a change of a long
    /// transaction appears behind the poll; a transaction may last 10 minutes (`15m`).
    #[serde(default = "default_overlap", deserialize_with = "duration")]
    pub overlap: Duration,
    /// How often the window of `overlap` is read again (`1m`).
    #[serde(default = "default_overlap_every", deserialize_with = "duration")]
    pub overlap_every: Duration,
    /// How far a poll stays behind the server's clock. Most late commits come within 1 to 3
    /// seconds; the rest are found by the re-read (`2s`).
    #[serde(default = "default_lag", deserialize_with = "duration")]
    pub lag: Duration,
    /// How long after our time-out Salesforce may still apply a request: it ends calls after 10
    /// minutes (`10m`).
    #[serde(default = "default_horizon", deserialize_with = "duration")]
    pub request_horizon: Duration,
    /// The most rows that are asked for in one page, 1 to 2000 (`2000`).
    #[serde(default = "default_page_rows")]
    pub page_rows: usize,
    /// The most guarded updates of one call, 1 to 75 (`75`; 25 before version 50). Each is a save
    /// of its own: where code of the org makes saves slow, fewer end within the time of a call.
    #[serde(default = "default_guarded_rows")]
    pub guarded_rows: usize,
}

impl SalesforceSettings {
    /// The settings with everything but address and login at its default.
    pub fn new(url: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            api_version: ApiVersion::default(),
            grant: default_grant(),
            client_id: client_id.into(),
            client_secret: None,
            refresh_token: None,
            username: None,
            password: None,
            security_token: None,
            private_key: None,
            audience: None,
            redirect_uri: default_redirect(),
            client: default_client(),
            allow_plain: false,
            allow_duplicates: false,
            overlap: default_overlap(),
            overlap_every: default_overlap_every(),
            lag: default_lag(),
            request_horizon: default_horizon(),
            page_rows: default_page_rows(),
            guarded_rows: default_guarded_rows(),
        }
    }

    /// Looks at the settings without calling anybody; gives the login address.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] naming the key and the remedy.
    pub fn validate(&self) -> Result<Url> {
        let url = plain_checked(&self.url, "url", self.allow_plain)?;
        let host = url.host_str().unwrap_or_default();
        let generic = matches!(host, "login.salesforce.com" | "test.salesforce.com");
        if self.grant == Grant::ClientCredentials && generic {
            return Err(config(
                "grant client_credentials does not work on the generic login address",
                "set url to the My Domain address (Setup, My Domain)",
            ));
        }
        if self.client_id.is_empty() {
            return Err(config("client_id is empty", "set it to the consumer key of the app"));
        }
        unused::check(self)?;
        self.validate_grant()?;
        if !(1..=crate::limits::QUERY_ROWS_MAX).contains(&self.page_rows) {
            return Err(config("page_rows is out of range", "set it to 1 to 2000"));
        }
        if !(1..=crate::limits::GRAPHS_MAX).contains(&self.guarded_rows) {
            return Err(config("guarded_rows is out of range", "set it to 1 to 75"));
        }
        if self.overlap.is_zero() || self.overlap_every.is_zero() {
            return Err(config(
                "overlap and overlap_every may not be zero: late commits would be missed",
                "leave them out for 15m and 1m",
            ));
        }
        let header = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
        if self.client.is_empty() || !self.client.bytes().all(header) {
            return Err(config(
                "client may hold letters, digits, and - _ . / only",
                "leave it out for syncline",
            ));
        }
        Ok(url)
    }
}

impl SalesforceSettings {
    /// What each login needs beside the consumer key.
    fn validate_grant(&self) -> Result<()> {
        let secret = ("client_secret", self.client_secret.is_some());
        let username = ("username", self.username.is_some());
        let needed = match self.grant {
            Grant::ClientCredentials => vec![secret],
            Grant::Password => vec![username, ("password", self.password.is_some()), secret],
            Grant::JwtBearer => vec![username, ("private_key", self.private_key.is_some())],
            Grant::WebServer => {
                self.redirect()?;
                Vec::new()
            }
            Grant::RefreshToken => Vec::new(),
        };
        let word = self.grant.word();
        let missing = needed.into_iter().filter(|(_, given)| !given).map(|(name, _)| name);
        let missing: Vec<&str> = missing.collect();
        if missing.is_empty() {
            return Ok(());
        }
        let advice = missing.iter().map(|name| match *name {
            "username" => "set username to the login name of the integration user",
            "private_key" => {
                "set private_key to file:, with the private key of the certificate that the \
                 external client app knows"
            }
            "password" => "set password to ${ENV} or file:",
            _ => "set client_secret to ${ENV} or file:, with the consumer secret of the app",
        });
        let advice: Vec<&str> = advice.collect();
        Err(config(format!("grant {word} needs {}", missing.join(" and ")), &advice.join("; ")))
    }

    /// Where a browser comes back to.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] when it is no address.
    pub(crate) fn redirect(&self) -> Result<Url> {
        let text = &self.redirect_uri;
        Url::parse(text).map_err(|error| {
            let what = format!("redirect_uri {text:?} is not an address");
            config(what, "write it as it is registered with the app").caused_by(error)
        })
    }

    /// Whom an assertion is meant for.
    pub(crate) fn audience(&self) -> &str {
        if let Some(audience) = &self.audience {
            return audience;
        }
        let host = self.url.split("://").nth(1).unwrap_or_default();
        let sandbox = host.starts_with("test.salesforce.com") || host.contains(".sandbox.");
        if sandbox { "https://test.salesforce.com" } else { "https://login.salesforce.com" }
    }
}

/// An address that credentials may be sent to: https, or http to this machine or where allowed.
pub(crate) fn plain_checked(text: &str, what: &str, allow_plain: bool) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| {
        config(format!("{what} {text:?} is not an address"), "write https://host").caused_by(error)
    })?;
    let host = url.host_str().unwrap_or_default().to_owned();
    if !url.username().is_empty() || url.password().is_some() {
        return Err(config(format!("{what} carries a login"), "remove user and password from it"));
    }
    if url.query().is_some() || url.fragment().is_some() || url.path() != "/" {
        return Err(config(
            format!("{what} {text:?} carries more than a host"),
            "write https://host, without path",
        ));
    }
    if host.ends_with(".lightning.force.com") {
        return Err(config(
            format!("{what} {host} is the user interface, not the API"),
            "use the My Domain address, which ends in .my.salesforce.com",
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if allow_plain || loopback(&url) => Ok(url),
        "http" => Err(config(
            format!("{what} {host} is plain http: the login would travel readable"),
            "use https, or set allow_plain: true where the way is known to be safe",
        )),
        other => Err(config(format!("{what} has scheme {other}"), "use https")),
    }
}

fn loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn config(context: impl Into<String>, advice: &str) -> Error {
    Error::new(ErrorKind::Config, "read the settings", context).advise(advice)
}

fn default_grant() -> Grant {
    Grant::ClientCredentials
}
fn default_redirect() -> String {
    "http://localhost:8423/callback".to_owned()
}
fn default_client() -> String {
    "syncline".to_owned()
}
fn default_overlap() -> Duration {
    Duration::from_secs(15 * 60)
}
fn default_overlap_every() -> Duration {
    Duration::from_secs(60)
}
fn default_lag() -> Duration {
    Duration::from_secs(2)
}
fn default_horizon() -> Duration {
    Duration::from_secs(10 * 60)
}
fn default_page_rows() -> usize {
    crate::limits::QUERY_ROWS_MAX
}
fn default_guarded_rows() -> usize {
    crate::limits::GRAPHS_MAX
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = || de::Error::custom(format!("{text:?} is not a duration such as 90s, 15m or 2h"));
    let signed: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    let duration = Duration::try_from(signed).map_err(|_| wrong())?;
    if duration > Duration::from_secs(24 * 3600) {
        return Err(de::Error::custom(format!("{text:?} is longer than a day")));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests;
