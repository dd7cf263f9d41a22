//! What the settings say about logs and traces.

use std::fmt;

use reqwest::Url;
use syncline_core::mapping::language::{Keys, Node, Reader};

pub(super) const LOG: Keys<'_> =
    Keys { of: "`log`", known: &["format", "level", "otlp"], refused: &[] };

/// What is logged, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSettings {
    /// The form of a line.
    pub format: LogFormat,
    /// What is logged: `info`, or per crate as in `info,syncline_engine=debug`.
    pub level: String,
    /// The collector that traces are sent to, over OTLP/HTTP; none without it.
    pub otlp: Option<Url>,
}

/// The form of a log line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned(), otlp: None }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// `log`.
pub(super) fn read(reader: &mut Reader<'_>, node: Option<&Node>) -> LogSettings {
    let mut log = LogSettings::default();
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return log;
    };
    let Some(keyed) = reader.keys(node, LOG) else {
        return log;
    };
    let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
    if let Some(node) = keyed.get("format")
        && let Some(format) = reader.word(node, "format", &formats)
    {
        log.format = format.value;
    }
    if let Some(node) = keyed.get("level")
        && let Some(level) = reader.text(node, "level")
    {
        if tracing_subscriber::EnvFilter::try_new(&**level).is_ok() {
            log.level = level.to_string();
        } else {
            let expected = "write error, warn, info, debug or trace, also per crate";
            let diagnostic = reader.error(node.span, "`level` does not fit").help(expected);
            reader.note(diagnostic);
        }
    }
    log.otlp = keyed.get("otlp").and_then(|node| otlp(reader, node));
    log
}

/// The address of a collector. Traces tell ids and times, no values: plain http is allowed.
fn otlp(reader: &mut Reader<'_>, node: &Node) -> Option<Url> {
    let text = reader.text(node, "otlp")?;
    if !cfg!(feature = "otlp") {
        let diagnostic = reader
            .error(node.span, "this build sends no traces")
            .help("remove `otlp`, or build with them: cargo build --release --features otlp");
        reader.note(diagnostic);
        return None;
    }
    let url = Url::parse(text.trim()).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() {
        let diagnostic = reader.error(node.span, "`otlp` does not fit").help(
            "write the address of a collector that takes OTLP over HTTP, as http://localhost:4318",
        );
        reader.note(diagnostic);
    }
    url
}
