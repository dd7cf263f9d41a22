//! What the settings say about times: schedules, retention, quiet hours and poll windows.

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::{Span as Lasting, SpanRelativeTo, Unit};
use syncline_core::mapping::language::{Keyed, Keys, Node, Reader};
use syncline_engine::{PollWindow, Times, Window};

pub(super) const SCHEDULES: Keys<'_> =
    Keys { of: "`schedules`", known: &["report", "retention"], refused: &[] };

pub(super) const RETENTION: Keys<'_> = Keys {
    of: "`retention`",
    known: &["journal", "deliveries", "reports"],
    refused: &[("links", "links stay: without them records would be made twice")],
};

pub(super) const QUIET_HOURS: Keys<'_> =
    Keys { of: "`quiet_hours`", known: &["from", "for"], refused: UNTIL };

pub(super) const POLL_WINDOW: Keys<'_> =
    Keys { of: "`poll_window`", known: &["from", "for", "otherwise"], refused: UNTIL };

const UNTIL: &[(&str, &str)] =
    &[("until", "write how long they last: { from: \"0 22 * * *\", for: 8h }")];

const DAY: Duration = Duration::from_secs(86_400);

/// How long things may be kept at least: what the protocol looks up in the journal is minutes
/// old, an hour at most, and no clock is a day wrong.
const KEPT: RangeInclusive<Duration> = DAY..=Duration::from_secs(36_500 * 86_400);

/// What is done at set times, and how long things are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScheduleSettings {
    /// When a report is made (`0 6 * * *`); never without it.
    pub report: Option<Times>,
    /// When what is old is removed (`30 3 * * *`).
    pub retention: Times,
    /// How long the journal is kept (`365d`), and with it closed questions and closed gaps; always
    /// without it.
    pub journal: Option<Duration>,
    /// How long deliveries of webhooks are listed (`30d`); always without it.
    pub deliveries: Option<Duration>,
    /// How long reports are kept; always without it.
    pub reports: Option<Duration>,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        let times = |text: &str| text.parse().expect("the times of the defaults are times");
        Self {
            report: Some(times("0 6 * * *")),
            retention: times("30 3 * * *"),
            journal: Some(365 * DAY),
            deliveries: Some(30 * DAY),
            reports: None,
        }
    }
}

/// A value with a default, or the word `never`.
enum Sometimes<T> {
    Never,
    Is(T),
}

/// `schedules` and `retention`.
pub(super) fn read(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> ScheduleSettings {
    let mut settings = ScheduleSettings::default();
    let not_null = |node: &&Node| !node.is_null();
    let schedules = keyed.get("schedules").filter(not_null);
    if let Some(keyed) = schedules.and_then(|node| reader.keys(node, SCHEDULES)) {
        match keyed.get("report").and_then(|node| or_never(reader, node, "report", times)) {
            Some(Sometimes::Never) => settings.report = None,
            Some(Sometimes::Is(times)) => settings.report = Some(times),
            None => {}
        }
        if let Some(times) =
            keyed.get("retention").and_then(|node| times(reader, node, "retention"))
        {
            settings.retention = times;
        }
    }
    let retention = keyed.get("retention").filter(not_null);
    if let Some(keyed) = retention.and_then(|node| reader.keys(node, RETENTION)) {
        for (key, kept) in [
            ("journal", &mut settings.journal),
            ("deliveries", &mut settings.deliveries),
            ("reports", &mut settings.reports),
        ] {
            match keyed.get(key).and_then(|node| or_never(reader, node, key, how_long_kept)) {
                Some(Sometimes::Never) => *kept = None,
                Some(Sometimes::Is(time)) => *kept = Some(time),
                None => {}
            }
        }
    }
    settings
}

/// The quiet hours of a system.
pub(super) fn quiet_hours(reader: &mut Reader<'_>, node: &Node) -> Option<Window> {
    let keyed = reader.keys(node, QUIET_HOURS)?;
    let window = window(reader, keyed, "`quiet_hours`")?;
    if window.closes() {
        return Some(window);
    }
    let diagnostic = reader
        .error(node.span, "these quiet hours never end")
        .note("the next begin before they are over, so nothing would ever be written")
        .help("let them last shorter, or begin less often");
    reader.note(diagnostic);
    None
}

/// The hours in which a system is polled.
pub(super) fn poll_window(reader: &mut Reader<'_>, node: &Node) -> Option<PollWindow> {
    let keyed = reader.keys(node, POLL_WINDOW)?;
    let window = window(reader, keyed, "`poll_window`");
    let otherwise = keyed.get("otherwise").and_then(|node| {
        let bounds = Duration::from_secs(1)..=DAY;
        or_never(reader, node, "otherwise", |reader, node, key| {
            lasting(reader, node, key, &bounds, "never, or a duration from 1s to 24h, as 15m")
        })
    });
    let otherwise = match otherwise {
        Some(Sometimes::Is(pace)) => Some(pace),
        Some(Sometimes::Never) | None => None,
    };
    Some(PollWindow { window: window?, otherwise })
}

fn window(reader: &mut Reader<'_>, keyed: Keyed<'_>, of: &str) -> Option<Window> {
    const EXAMPLE: &str = "{ from: \"0 22 * * *\", for: 8h }";
    let from = reader.required(keyed, of, "from", EXAMPLE);
    let from = from.and_then(|node| times(reader, node, "from"));
    let lasts = reader.required(keyed, of, "for", EXAMPLE);
    let bounds = Duration::from_secs(60)..=7 * DAY;
    let lasts = lasts
        .and_then(|node| lasting(reader, node, "for", &bounds, "a duration from 1m to 7d, as 8h"));
    Some(Window { from: from?, lasts: lasts? })
}

fn or_never<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    read: impl FnOnce(&mut Reader<'_>, &Node, &str) -> Option<T>,
) -> Option<Sometimes<T>> {
    let text = node.as_scalar().map(|scalar| scalar.text.trim().to_owned());
    match text.as_deref() {
        Some("never") => Some(Sometimes::Never),
        _ => read(reader, node, key).map(Sometimes::Is),
    }
}

fn times(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Times> {
    let text = reader.text(node, key)?;
    match text.parse() {
        Ok(times) => Some(times),
        Err(why) => {
            let why: syncline_engine::NoTimes = why;
            let diagnostic =
                reader.error(node.span, format!("`{key}` says no times")).help(why.to_string());
            reader.note(diagnostic);
            None
        }
    }
}

fn how_long_kept(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Duration> {
    lasting(reader, node, key, &KEPT, "a time from 1d to 36500d, as 365d, or never")
}

/// A length of time that may be said in days and weeks too.
fn lasting(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    bounds: &RangeInclusive<Duration>,
    expected: &str,
) -> Option<Duration> {
    let text = reader.text(node, key)?;
    // A month or a year is as long as it happens to be: no length.
    let relative = SpanRelativeTo::days_are_24_hours();
    let seconds = text.trim().parse::<Lasting>().ok();
    let seconds = seconds.and_then(|span| span.total((Unit::Second, relative)).ok());
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let found = seconds.filter(|duration| bounds.contains(duration));
    if found.is_none() {
        let diagnostic = reader
            .error(node.span, format!("`{key}` does not fit"))
            .help(format!("write {expected}"));
        reader.note(diagnostic);
    }
    found
}
