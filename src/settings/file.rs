//! Reading `syncline.yaml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use syncline_core::mapping::language::{
    Checked, Diagnostics, Keyed, Keys, Node, NodeKind, Reader, Source, Span, parse,
};
use syncline_engine::{PollWindow, Window};
use syncline_sdk::SystemName;

use super::http::{HttpSettings, WebhookSettings};
use super::insertion::{Inserted, insert};
use super::log::{self, LogSettings};
use super::schedules::{self, ScheduleSettings};
use super::{Environment, NodeDeserializer, ledger_url, secrets};
use crate::registry::{self, SystemKind};

const TOP: Keys<'_> = Keys {
    of: "the settings file",
    known: &[
        "ledger",
        "systems",
        "mappings",
        "listen",
        "public_url",
        "tls",
        "trusted_proxies",
        "poll_interval",
        "quota_reserve",
        "sweep_every",
        "schedules",
        "retention",
        "log",
    ],
    refused: &[
        ("allow_plain", "write `allow_plain` where it is meant: in a system, or in `ledger`"),
        ("kind", "a kind belongs to a system: systems: { crm: { kind: salesforce, ... } }"),
        ("webhook", "a webhook belongs to a system: write it beside that system's `kind`"),
        ("quiet_hours", "quiet hours belong to a system: write them beside that system's `kind`"),
        ("poll_window", "a poll window belongs to a system: write it beside that system's `kind`"),
    ],
};

const LEDGER: Keys<'_> =
    Keys { of: "`ledger`", known: &["url", "state_dir", "allow_plain"], refused: &[] };

/// All keys that are read here: of the file, of `ledger`.
#[cfg(test)]
pub(super) const KEYS: [Keys<'_>; 2] = [TOP, LEDGER];

/// The keys that systems of all kinds have.
pub(super) const OF_ALL: &[&str] = &["kind", "webhook", "quiet_hours", "poll_window"];

/// How often polled systems are asked when the settings do not say.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// The share of a daily quota that is left to others when the settings do not say, in percent.
const QUOTA_RESERVE_PERCENT: u8 = 20;

/// How often everything is compared when the settings do not say.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3_600);

/// The settings of an installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The file, with its secrets blotted out.
    pub source: Arc<Source>,
    /// Where Syncline keeps its ledger.
    pub ledger: LedgerSettings,
    /// The systems, in the order of the file.
    pub systems: Vec<SystemSettings>,
    /// The folder of the mappings.
    pub mappings: PathBuf,
    /// Where the HTTP server listens (`127.0.0.1:8420`).
    pub listen: SocketAddr,
    /// How it is reached from outside.
    pub http: HttpSettings,
    /// How often a polled system is asked for changes (`5s`).
    pub poll_interval: Duration,
    /// The share of a daily quota, in percent, that sweeps and loads leave to others (`20`).
    pub quota_reserve_percent: u8,
    /// How much time passes from the beginning of one sweep of a mapping to that of the next
    /// (`24h`); nothing for `never`.
    pub sweep_every: Option<Duration>,
    /// What is done at set times, and how long things are kept.
    pub schedules: ScheduleSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}

/// Where Syncline keeps its ledger.
#[derive(Clone, Debug)]
pub struct LedgerSettings {
    /// The database; without one, a cluster of its own in the state folder.
    pub url: Option<SecretString>,
    /// The state folder (`.syncline` beside the settings).
    pub state_dir: PathBuf,
}

/// One system.
#[derive(Clone, Debug)]
pub struct SystemSettings {
    /// Its name.
    pub name: SystemName,
    /// The place of its name, for messages.
    pub span: Span,
    /// Its kind, with that kind's settings.
    pub kind: SystemKind,
    /// How its deliveries are taken; not at all without it.
    pub webhook: Option<WebhookSettings>,
    /// When nothing is written to it.
    pub quiet_hours: Option<Window>,
    /// When it is polled; always without it.
    pub poll_window: Option<PollWindow>,
}

/// Reads the settings from the text of a file. `folder` is where relative paths begin.
///
/// # Errors
/// All findings at once, when at least one of them is an error. None repeats a secret.
pub fn load(
    source: &Arc<Source>,
    folder: &Path,
    environment: &dyn Environment,
) -> Result<Checked<Settings>, Diagnostics> {
    let root = parse(source).map_err(|found| found.shown_in(&secrets::mask_unparsed(source)))?;
    let shown = source.masked(&secrets::places(&root));
    let warnings = secrets::literal_secrets(&shown, &root);
    let (Inserted { root, hidden }, faults) = insert(&shown, root, folder, environment);
    let mut reader = Reader::new(&shown);
    reader.hidden.clone_from(&hidden);
    reader.found.extend(warnings);
    reader.found.extend(faults);
    let mut file = File { reader, hidden: &hidden, folder };
    let settings = file.settings(&root);
    file.reader.found.check(settings)
}

pub(super) struct File<'a> {
    pub(super) reader: Reader<'a>,
    hidden: &'a [Span],
    pub(super) folder: &'a Path,
}

impl File<'_> {
    fn settings(&mut self, root: &Node) -> Option<Settings> {
        let keyed = self.reader.keys(root, TOP)?;
        let ledger = self.ledger(keyed.get("ledger"));
        let http = self.http(keyed);
        let systems = self.systems(keyed, http.tls.is_some());
        let mappings = keyed.get("mappings").and_then(|node| self.reader.text(node, "mappings"));
        let listen = self.parsed(keyed, "listen", "an address and a port as 127.0.0.1:8420");
        let poll_interval = self.duration(keyed, "poll_interval");
        let quota_reserve = self.percent(keyed, "quota_reserve");
        let sweep_every = self.sweep_every(keyed);
        let schedules = schedules::read(&mut self.reader, keyed);
        let log = log::read(&mut self.reader, keyed.get("log"));
        let default_listen = SocketAddr::from(([127, 0, 0, 1], 8420));
        Some(Settings {
            source: Arc::clone(self.reader.source),
            ledger: ledger?,
            systems: systems?,
            mappings: self.folder.join(mappings.as_ref().map_or("mappings", |text| text)),
            listen: listen.unwrap_or(default_listen),
            http,
            poll_interval: poll_interval.unwrap_or(POLL_INTERVAL),
            quota_reserve_percent: quota_reserve.unwrap_or(QUOTA_RESERVE_PERCENT),
            sweep_every,
            schedules,
            log,
        })
    }

    fn ledger(&mut self, node: Option<&Node>) -> Option<LedgerSettings> {
        let default = self.folder.join(".syncline");
        let Some(node) = node.filter(|node| !node.is_null()) else {
            return Some(LedgerSettings { url: None, state_dir: default });
        };
        let keyed = self.reader.keys(node, LEDGER)?;
        let state_dir = keyed.get("state_dir").and_then(|node| self.reader.text(node, "state_dir"));
        let allow_plain = keyed.get("allow_plain").and_then(|node| {
            self.reader.word(node, "allow_plain", &[("true", true), ("false", false)])
        });
        let mut url = None;
        if let Some(node) = keyed.get("url") {
            let text = self.reader.text(node, "url")?;
            if let Err((message, help)) =
                ledger_url::check(&text, allow_plain.is_some_and(|allowed| *allowed))
            {
                let diagnostic = self.reader.error(node.span, message).help(help);
                self.reader.note(diagnostic);
            }
            url = Some(SecretString::from(&**text));
        }
        let state_dir = state_dir.map_or(default, |text| self.folder.join(&**text));
        Some(LedgerSettings { url, state_dir })
    }

    fn systems(&mut self, keyed: Keyed<'_>, tls: bool) -> Option<Vec<SystemSettings>> {
        let example = "systems: { crm: { kind: salesforce, ... }, ops: { kind: postgres, ... } }";
        let node = self.reader.required(keyed, "the settings file", "systems", example)?;
        let NodeKind::Map(entries) = &node.kind else {
            let diagnostic = self
                .reader
                .error(node.span, format!("`systems` names systems, not {}", node.what()))
                .help(format!("write {example}"));
            self.reader.note(diagnostic);
            return None;
        };
        if entries.is_empty() {
            let diagnostic = self
                .reader
                .error(node.span, "there are no systems")
                .help(format!("write {example}"));
            self.reader.note(diagnostic);
        }
        let systems: Vec<Option<SystemSettings>> = entries
            .iter()
            .map(|entry| {
                let name = SystemName::new(Arc::clone(&entry.key));
                self.system(name, entry.key.span, &entry.value, tls)
            })
            .collect();
        systems.into_iter().collect()
    }

    /// One system: `kind` decides who reads the other keys, but for those that all kinds have.
    fn system(
        &mut self,
        name: SystemName,
        span: Span,
        node: &Node,
        tls: bool,
    ) -> Option<SystemSettings> {
        let NodeKind::Map(entries) = &node.kind else {
            let diagnostic = self
                .reader
                .error(node.span, format!("a system is a set of keys, not {}", node.what()))
                .help("give it a `kind` and the settings of that kind");
            self.reader.note(diagnostic);
            return None;
        };
        let Some(kind) = entries.iter().find(|entry| &**entry.key == "kind") else {
            let kinds: Vec<&str> = registry::KINDS.iter().map(|(word, _)| *word).collect();
            let diagnostic = self
                .reader
                .error(node.span, "the system has no `kind`")
                .help(format!("add `kind: {}`", kinds.join("` or `kind: ")));
            self.reader.note(diagnostic);
            return None;
        };
        let kind = self.reader.word(&kind.value, "kind", registry::KINDS)?;
        let ours = |key: &str| {
            let entry = entries.iter().find(|entry| &**entry.key == key);
            entry.map(|entry| &entry.value).filter(|node| !node.is_null())
        };
        let webhook = ours("webhook").and_then(|node| {
            let webhook = self.webhook(node, tls)?;
            if webhook.signing_secrets.is_empty() && !kind.value.sends_deliveries() {
                let diagnostic = self
                    .reader
                    .error(node.span, "this webhook would take nothing: it has no `signing_secret`")
                    .note("the system sends no deliveries; what others send has to be signed")
                    .help(
                        "add the `signing_secret` that `syncline webhooks` proposes, or remove \
                           `webhook`",
                    );
                self.reader.note(diagnostic);
            }
            Some(webhook)
        });
        let quiet_hours =
            ours("quiet_hours").and_then(|node| schedules::quiet_hours(&mut self.reader, node));
        let polled = ours("poll_window");
        if let Some(node) = polled.filter(|_| !kind.value.is_polled()) {
            let diagnostic = self
                .reader
                .error(node.span, "this system is not polled: it sends its changes")
                .help("remove `poll_window`; `quiet_hours` keep writes away from it");
            self.reader.note(diagnostic);
        }
        let poll_window = polled.and_then(|node| schedules::poll_window(&mut self.reader, node));
        let others = entries.iter().filter(|entry| !OF_ALL.contains(&&**entry.key));
        let others = others.cloned().collect();
        let others = Node { span: node.span, kind: NodeKind::Map(others) };
        match registry::read(kind.value, NodeDeserializer::new(&others, self.hidden)) {
            Ok(kind) => {
                Some(SystemSettings { name, span, kind, webhook, quiet_hours, poll_window })
            }
            Err(errors) => {
                for error in errors {
                    let span = error.span.unwrap_or(node.span);
                    let mut diagnostic = self.reader.error(span, error.message);
                    diagnostic.help = error.help;
                    self.reader.note(diagnostic);
                }
                None
            }
        }
    }

    pub(super) fn refuse(&mut self, node: &Node, key: &str, expected: &str) {
        let diagnostic = self
            .reader
            .error(node.span, format!("`{key}` does not fit"))
            .help(format!("write {expected}"));
        self.reader.note(diagnostic);
    }

    fn parsed<T: std::str::FromStr>(
        &mut self,
        keyed: Keyed<'_>,
        key: &str,
        expected: &str,
    ) -> Option<T> {
        let node = keyed.get(key)?;
        let text = self.reader.text(node, key)?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            self.refuse(node, key, expected);
        }
        parsed
    }

    fn sweep_every(&mut self, keyed: Keyed<'_>) -> Option<Duration> {
        const KEY: &str = "sweep_every";
        let node = keyed.get(KEY).filter(|node| !node.is_null());
        let text = node.and_then(|node| self.reader.text(node, KEY));
        match text.as_deref().map(|text| text.trim()) {
            None => Some(SWEEP_EVERY),
            Some("never") => None,
            Some(_) => {
                let bounds = Duration::from_secs(60)..=Duration::from_secs(1_000 * 3_600);
                let expected = "a duration from 1m to 1000h, as 24h, or never";
                self.duration_within(keyed, KEY, &bounds, expected)
            }
        }
    }

    fn duration(&mut self, keyed: Keyed<'_>, key: &str) -> Option<Duration> {
        let bounds = Duration::from_secs(1)..=Duration::from_secs(3600);
        self.duration_within(keyed, key, &bounds, "a duration from 1s to 1h, as 5s or 2m")
    }

    fn duration_within(
        &mut self,
        keyed: Keyed<'_>,
        key: &str,
        bounds: &std::ops::RangeInclusive<Duration>,
        expected: &str,
    ) -> Option<Duration> {
        let signed: jiff::SignedDuration = self.parsed(keyed, key, expected)?;
        let duration = Duration::try_from(signed).ok();
        let duration = duration.filter(|duration| bounds.contains(duration));
        if let (None, Some(node)) = (duration, keyed.get(key)) {
            self.refuse(node, key, expected);
        }
        duration
    }

    fn percent(&mut self, keyed: Keyed<'_>, key: &str) -> Option<u8> {
        let node = keyed.get(key)?;
        let text = self.reader.text(node, key)?;
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
        let percent = percent.filter(|percent| *percent <= 100);
        if percent.is_none() {
            self.refuse(node, key, "a share from 0% to 100%");
        }
        percent
    }
}
