//! The replication connection. The one module that knows which crate speaks the protocol.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use pgwire_replication::{
    Lsn, PgWireError, ReplicationClient, ReplicationConfig, ReplicationEvent, SslMode, TlsConfig,
};
use secrecy::ExposeSecret as _;
use syncline_sdk::{Error, ErrorKind, Result};

use super::Lag;
use crate::names::{Pieces, literal};
use crate::session::PINNED;
use crate::settings::{Target, TlsMode};

/// How often the server is told what is durable on our side.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
/// Messages that may wait in memory for the engine.
const QUEUE_MAX: usize = 8_192;

/// A message of the stream.
pub(crate) enum Message {
    Begin {
        lsn: u64,
        xid: u32,
        micros: i64,
    },
    Commit {
        end: u64,
    },
    /// A logical message: ours or a stranger's.
    Logical {
        prefix: String,
        content: bytes::Bytes,
    },
    /// Everything else, as pgoutput wrote it.
    Data(bytes::Bytes),
    /// Everything up to here has been sent.
    KeepAlive {
        end: u64,
    },
}

/// A session that replicates, before or after it started to.
pub(crate) struct Transport {
    client: ReplicationClient,
    lag: Arc<Lag>,
}

/// What identifies a server.
pub(crate) struct Identity {
    pub system: String,
    pub timeline: u32,
}

impl Transport {
    /// Opens a session that does not replicate yet.
    pub(crate) async fn open(
        target: &Target,
        pieces: &Pieces,
        from: u64,
        lag: Arc<Lag>,
    ) -> Result<Self> {
        let password = target.password.as_ref().map_or("", |password| password.expose_secret());
        let options: Vec<String> =
            PINNED.iter().map(|(name, value)| format!("-c {name}={value}")).collect();
        let tls = match target.tls {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Require => SslMode::Require,
            TlsMode::VerifyCa => SslMode::VerifyCa,
            TlsMode::VerifyFull => SslMode::VerifyFull,
        };
        let config = ReplicationConfig::new(
            &target.host,
            &target.user,
            password,
            &target.database,
            &pieces.slot,
            pieces.publication.as_str(),
        )
        .with_port(target.port)
        .with_tls(TlsConfig {
            mode: tls,
            ca_pem_path: target.tls_ca.clone(),
            ..TlsConfig::default()
        })
        .with_start_lsn(Lsn(from))
        .with_ack_lsn(Lsn(from))
        .with_status_interval(STATUS_INTERVAL)
        .with_wakeup_interval(STATUS_INTERVAL)
        .with_buffer_size(QUEUE_MAX)
        .with_options(options.join(" "))
        .with_application_name(format!("syncline/{}", pieces.slot));
        let client = ReplicationClient::connect_gated(config).await.map_err(refused)?;
        Ok(Self { client, lag })
    }

    /// Who the server is.
    pub(crate) async fn identify(&mut self) -> Result<Identity> {
        let found = self.client.identify_system().await.map_err(refused)?;
        Ok(Identity { system: found.system_id, timeline: found.timeline })
    }

    /// The texts of one row of a query, on the same session.
    pub(crate) async fn row(&mut self, sql: &str) -> Result<Option<Vec<String>>> {
        let rows = self.client.simple_query(sql).await.map_err(refused)?;
        Ok(rows.into_iter().next().map(|row| {
            row.into_iter()
                .map(|text| {
                    text.map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
                })
                .collect()
        }))
    }

    /// Begins to replicate; returns when the server has accepted it.
    pub(crate) async fn begin(&mut self) -> Result<()> {
        self.client.start().await.map_err(refused)?;
        self.client.wait_started().await.map_err(refused)
    }

    /// Waits for the next message.
    pub(crate) async fn next(&mut self) -> Result<Message> {
        loop {
            let event = self.client.recv().await;
            if let Some(message) = message(event, &self.lag)? {
                return Ok(message);
            }
        }
    }

    /// The next message, if it is here already.
    pub(crate) fn try_next(&mut self) -> Option<Result<Message>> {
        loop {
            // Without the runtime's budget: else it would say after some messages that there are
            // none.
            let event = tokio::task::unconstrained(self.client.recv()).now_or_never()?;
            match message(event, &self.lag) {
                Ok(Some(message)) => return Some(Ok(message)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Tells the server what is durable.
    pub(crate) fn ack(&self, place: &str) -> Result<()> {
        let lsn = parse_lsn(place)?;
        self.client.update_applied_lsn(Lsn(lsn));
        self.lag.acknowledged(lsn);
        Ok(())
    }
}

/// The place in the log that a text names.
pub(crate) fn parse_lsn(text: &str) -> Result<u64> {
    Lsn::parse(text).map(|lsn| lsn.0).map_err(|error| {
        Error::new(ErrorKind::Gap, "open feed", format!("{text:?} is not a place in the log"))
            .caused_by(error)
    })
}

/// The text of a place in the log.
pub(crate) fn show_lsn(lsn: u64) -> String {
    Lsn(lsn).to_string()
}

/// The query for the state of a slot: confirmed place, WAL status, whether in use and by whom,
/// plugin, database.
pub(crate) fn slot_query(slot: &str) -> String {
    format!(
        "select confirmed_flush_lsn::text, coalesce(wal_status, ''), \
         coalesce(active_pid::text, ''), \
         coalesce(plugin::text, ''), coalesce(database::text, '') \
         from pg_catalog.pg_replication_slots where slot_name = {}",
        literal(slot)
    )
}

fn message(
    event: Result<Option<ReplicationEvent>, PgWireError>,
    lag: &Lag,
) -> Result<Option<Message>> {
    let event = event.map_err(lost)?;
    if let Some(
        ReplicationEvent::XLogData { wal_end, .. } | ReplicationEvent::KeepAlive { wal_end, .. },
    ) = &event
    {
        lag.told(wal_end.0);
    }
    Ok(Some(match event {
        Some(ReplicationEvent::XLogData { data, .. }) => Message::Data(data),
        Some(ReplicationEvent::Begin { final_lsn, xid, commit_time_micros }) => {
            Message::Begin { lsn: final_lsn.0, xid, micros: commit_time_micros }
        }
        Some(ReplicationEvent::Commit { end_lsn, .. }) => Message::Commit { end: end_lsn.0 },
        Some(ReplicationEvent::KeepAlive { wal_end, .. }) => Message::KeepAlive { end: wal_end.0 },
        Some(ReplicationEvent::Message { prefix, content, .. }) => {
            Message::Logical { prefix, content }
        }
        Some(ReplicationEvent::StoppedAt { .. }) => return Ok(None),
        None => {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "read feed",
                "the server ended the stream",
            ));
        }
    }))
}

/// An error before the stream runs.
fn refused(error: PgWireError) -> Error {
    classify("open feed", error)
}

/// An error while it runs.
fn lost(error: PgWireError) -> Error {
    classify("read feed", error)
}

fn classify(operation: &'static str, error: PgWireError) -> Error {
    let text = error.to_string();
    let code =
        text.split_once("SQLSTATE ").map(|(_, rest)| rest.chars().take(5).collect::<String>());
    let (kind, advice) = match &error {
        PgWireError::Server(_) => match code.as_deref() {
            // The slot is gone or invalid, or the log that it needs is.
            Some("42704" | "58P01" | "55000") => (
                ErrorKind::Gap,
                Some("the stream cannot go on; a new slot and a full comparison are needed"),
            ),
            Some("55006") => {
                (ErrorKind::Unavailable, Some("another session reads the slot; it is tried again"))
            }
            Some(code) => crate::error::meaning(code),
            None => (ErrorKind::Unavailable, None),
        },
        PgWireError::Auth(_) => {
            (ErrorKind::Auth, Some("check user, password and pg_hba.conf for replication"))
        }
        PgWireError::Tls(_) => (ErrorKind::Config, Some("check `tls` and `tls_ca`")),
        PgWireError::Protocol(_) | PgWireError::MessageTooLarge { .. } => {
            (ErrorKind::Protocol, None)
        }
        _ => (ErrorKind::Unavailable, Some("check that the server runs and can be reached")),
    };
    let mut made = Error::new(kind, operation, text).caused_by(error);
    if let Some(advice) = advice {
        made = made.advise(advice);
    }
    if let Some(code) = code {
        made = made.code(code);
    }
    made
}
