//! Settings of a Postgres system.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use syncline_sdk::{Error, ErrorKind, Result};

/// How the connection is protected, in the words of `sslmode`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// No TLS. Refused for other hosts than this machine unless `allow_plain` is set.
    Disable,
    /// TLS without checking who the server is.
    Require,
    /// TLS, and the server's certificate must come from a known authority.
    VerifyCa,
    /// TLS, and the certificate must also name the host.
    VerifyFull,
}

/// The settings of one Postgres database, as they stand under `systems.NAME` of `syncline.yaml`.
///
/// Either `url` or the single parts name the server; parts given beside a URL replace those of
/// the URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=verify-full`.
    #[serde(deserialize_with = "secret")]
    pub url: Option<SecretString>,
    /// The host name, or the folder of a Unix socket when it starts with `/`.
    pub host: Option<String>,
    /// The port; 5432 when not given.
    pub port: Option<u16>,
    /// The user. It needs the `REPLICATION` attribute (or its managed equivalent) for the change
    /// stream, and select, insert, update and delete on the mapped tables.
    pub user: Option<String>,
    /// The password.
    #[serde(deserialize_with = "secret")]
    pub password: Option<SecretString>,
    /// The database.
    pub database: Option<String>,
    /// How the connection is protected: `disable`, `require`, `verify_ca`, `verify_full`. When
    /// not given: `disable` on this machine, `verify_full` elsewhere.
    pub tls: Option<TlsMode>,
    /// A file with the certificates of the authorities to trust, in PEM form; the well-known
    /// ones when not given.
    pub tls_ca: Option<PathBuf>,
    /// Allows plain text to another host. Passwords and rows can then be read on the way.
    pub allow_plain: bool,
    /// The publication that Syncline makes and owns; derived from the system's name and the
    /// installation when not given.
    pub publication: Option<String>,
    /// Whether the publication is limited to the columns that a mapping names (PostgreSQL 15 and
    /// later). Postgres then refuses `alter column ... type` and `drop column` for these columns
    /// until the publication is changed; without it, whole rows travel and nothing is refused.
    pub column_lists: bool,
    /// The logical replication slot that Syncline makes and owns; derived likewise.
    pub slot: Option<String>,
    /// The table that holds the receipts of writes, `schema.table`, or `none` to put them into
    /// the change stream instead. `syncline.receipt` when not given.
    pub receipt_table: Option<String>,
    /// The most connections that read.
    pub readers_max: u32,
    /// The most connections that write.
    pub writers_max: u32,
    /// How long a write may wait for a lock that somebody else holds, in milliseconds. Bounds
    /// how long a batch holds rows that others wait for.
    pub lock_wait_ms: u32,
    /// How long one statement may run, in milliseconds. Also the time after which a stalled
    /// writing session is ended by the server.
    pub statement_timeout_ms: u32,
    /// How long the making of the slot may wait for running write transactions, in
    /// milliseconds.
    pub slot_wait_ms: u32,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            url: None,
            host: None,
            port: None,
            user: None,
            password: None,
            database: None,
            tls: None,
            tls_ca: None,
            allow_plain: false,
            publication: None,
            column_lists: true,
            slot: None,
            receipt_table: None,
            readers_max: 3,
            writers_max: 4,
            lock_wait_ms: 50,
            statement_timeout_ms: 30_000,
            slot_wait_ms: 10_000,
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

/// Where a server is and how it is spoken to, every part decided.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<SecretString>,
    pub database: String,
    pub tls: TlsMode,
    pub tls_ca: Option<PathBuf>,
    /// The settings that hold user and password, for who has to mend them.
    pub held_in: HeldIn,
}

/// The settings that hold a login.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HeldIn {
    pub user: &'static str,
    /// Nothing where no password is given.
    pub password: Option<&'static str>,
}

impl PostgresSettings {
    /// Settings with everything but the address at its default.
    #[must_use]
    pub fn from_url(url: impl Into<String>) -> Self {
        Self { url: Some(SecretString::from(url.into())), ..Self::default() }
    }

    /// Decides every part of the address. Makes no call.
    pub(crate) fn target(&self) -> Result<Target> {
        let url = match &self.url {
            Some(url) => UrlParts::parse(url.expose_secret())?,
            None => UrlParts::default(),
        };
        let host = self.host.clone().or(url.host);
        let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
        let user = self.user.clone().or(url.user).ok_or_else(|| {
            config("no user is given").advise("set `user`, or put it into the `url`")
        })?;
        let database = self.database.clone().or(url.database);
        let held_in = HeldIn {
            user: if self.user.is_some() { "user" } else { "url" },
            password: match (&self.password, &url.password) {
                (Some(_), _) => Some("password"),
                (None, Some(_)) => Some("url"),
                (None, None) => None,
            },
        };
        let local = is_local(&host);
        let default_tls = if local { TlsMode::Disable } else { TlsMode::VerifyFull };
        let target = Target {
            port: self.port.or(url.port).unwrap_or(5432),
            password: self.password.clone().or(url.password),
            database: database.unwrap_or_else(|| user.clone()),
            tls: self.tls.or(url.tls).unwrap_or(default_tls),
            tls_ca: self.tls_ca.clone().or(url.tls_ca),
            host,
            user,
            held_in,
        };
        if target.tls == TlsMode::Disable && !local && !self.allow_plain {
            return Err(config(format!("plain text to the host {} is refused", target.host))
                .advise("set `tls: verify_full`, or `allow_plain: true` if the way is trusted"));
        }
        Ok(target)
    }
}

impl Target {
    /// What to do where the server does not take the login. Says where it stands, and none of it
    /// but the user.
    pub(crate) fn mend_login(&self) -> String {
        let (user, HeldIn { user: in_user, password }) = (&self.user, self.held_in);
        match password {
            Some(held) => format!(
                "check the user `{user}` (in `{in_user}`), its password (in `{held}`), and \
                 pg_hba.conf of the server"
            ),
            None => format!(
                "no password is given for the user `{user}` (in `{in_user}`): set `password`, or \
                 let pg_hba.conf of the server admit it without one"
            ),
        }
    }

    /// The options of an ordinary connection.
    pub(crate) fn options(&self, application: &str) -> PgConnectOptions {
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(&self.host)
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .application_name(application)
            .extra_float_digits(3)
            .ssl_mode(match self.tls {
                TlsMode::Disable => PgSslMode::Disable,
                TlsMode::Require => PgSslMode::Require,
                TlsMode::VerifyCa => PgSslMode::VerifyCa,
                TlsMode::VerifyFull => PgSslMode::VerifyFull,
            });
        if let Some(password) = &self.password {
            options = options.password(password.expose_secret());
        }
        if let Some(file) = &self.tls_ca {
            options = options.ssl_root_cert(file);
        }
        options
    }
}

/// The parts that a URL gives.
#[derive(Default)]
struct UrlParts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<SecretString>,
    database: Option<String>,
    tls: Option<TlsMode>,
    tls_ca: Option<PathBuf>,
}

impl UrlParts {
    fn parse(text: &str) -> Result<Self> {
        let url =
            url::Url::parse(text).map_err(|error| config("`url` is not a URL").caused_by(error))?;
        if !matches!(url.scheme(), "postgres" | "postgresql") {
            return Err(config("`url` must start with postgres://"));
        }
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| config("`url` holds bytes that are not UTF-8"))
        };
        let full = |text: &str| (!text.is_empty()).then(|| decoded(text)).transpose();
        let mut parts = Self {
            host: full(url.host_str().unwrap_or(""))?
                .map(|host| host.trim_matches(['[', ']']).to_owned()),
            port: url.port(),
            user: full(url.username())?,
            password: url.password().map(decoded).transpose()?.map(SecretString::from),
            database: full(url.path().trim_start_matches('/'))?,
            ..Self::default()
        };
        for (name, value) in url.query_pairs() {
            match &*name {
                "sslmode" | "ssl-mode" => parts.tls = Some(ssl_mode(&value)?),
                "sslrootcert" | "ssl-root-cert" => parts.tls_ca = Some(value.into_owned().into()),
                "host" => parts.host = Some(value.into_owned()),
                "port" => parts.port = value.parse().ok(),
                "user" => parts.user = Some(value.into_owned()),
                "password" => parts.password = Some(SecretString::from(value.into_owned())),
                "dbname" => parts.database = Some(value.into_owned()),
                _ => {
                    return Err(config(format!("`url` holds the unknown parameter {name}"))
                        .advise("remove it, or use the setting of that purpose"));
                }
            }
        }
        Ok(parts)
    }
}

fn ssl_mode(text: &str) -> Result<TlsMode> {
    match text {
        // The two that may fall back to plain text are plain text to whoever listens.
        "disable" | "allow" | "prefer" => Ok(TlsMode::Disable),
        "require" => Ok(TlsMode::Require),
        "verify-ca" => Ok(TlsMode::VerifyCa),
        "verify-full" => Ok(TlsMode::VerifyFull),
        other => Err(config(format!("sslmode={other} is not known"))
            .advise("use disable, require, verify-ca or verify-full")),
    }
}

fn is_local(host: &str) -> bool {
    host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn config(context: impl Into<String>) -> Error {
    Error::new(ErrorKind::Config, "read settings", context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_that_is_refused_is_mended_where_it_stands() {
        let mend = |settings: &PostgresSettings| settings.target().unwrap().mend_login();
        let mut settings = PostgresSettings::from_url("postgres://jane:hush@localhost/sales");
        let told = mend(&settings);
        assert!(told.starts_with("check the user `jane` (in `url`), its password (in `url`)"));
        settings.password = Some("hush".into());
        let told = mend(&settings);
        assert!(told.contains("(in `password`)") && !told.contains("hush"), "{told}");
        let mut settings = PostgresSettings::from_url("postgres://localhost/sales");
        settings.user = Some("jane".to_owned());
        let told = mend(&settings);
        assert!(told.starts_with("no password is given for the user `jane` (in `user`)"), "{told}");
    }

    #[test]
    fn parts_replace_those_of_the_url() {
        let mut settings = PostgresSettings::from_url(
            "postgres://u%40x:p%2Fw@db.example:6000/sales?sslmode=require",
        );
        settings.database = Some("other".to_owned());
        let target = settings.target().unwrap();
        assert_eq!((target.host.as_str(), target.port), ("db.example", 6000));
        assert_eq!((target.user.as_str(), target.database.as_str()), ("u@x", "other"));
        assert_eq!(target.password.as_ref().unwrap().expose_secret(), "p/w");
        assert_eq!(target.tls, TlsMode::Require);
    }

    #[test]
    fn plain_text_to_strangers_is_refused() {
        for (url, fits) in [
            ("postgres://u@db.example/d?sslmode=disable", false),
            ("postgres://u@db.example/d?sslmode=prefer", false),
            ("postgres://u@db.example/d", true),
            ("postgres://u@127.0.0.1/d", true),
            ("postgres://u@[::1]/d", true),
            ("postgres://u@localhost/d", true),
            ("postgres:///d?user=u&host=/run/postgresql", true),
        ] {
            let settings = PostgresSettings::from_url(url);
            assert_eq!(settings.target().is_ok(), fits, "{url}");
        }
        let mut settings = PostgresSettings::from_url("postgres://u@db.example/d?sslmode=disable");
        settings.allow_plain = true;
        assert!(settings.target().is_ok());
    }

    #[test]
    fn unknown_keys_and_parameters_are_named() {
        let wrong = serde_json::from_str::<PostgresSettings>(r#"{"hots": "x"}"#);
        assert!(wrong.unwrap_err().to_string().contains("hots"));
        let settings = PostgresSettings::from_url("postgres://u@localhost/d?color=red");
        assert!(settings.target().unwrap_err().to_string().contains("color"));
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings = PostgresSettings::from_url("postgres://u:hidden@localhost/d");
        assert!(!format!("{settings:?}").contains("hidden"));
    }
}
