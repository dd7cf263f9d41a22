//! `syncline report`

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use jiff::{Span, SpanRelativeTo, Timestamp, Unit, tz::TimeZone};
use serde_json::{Map, Value as Json};
use syncline_ledger::{KeptReport, Schedules as _};

use super::desk::{Desk, command};
use super::words::time;
use super::{Exit, Output, Stop};
use crate::installation::read_settings;
use crate::queue::account::{Account, account_since, last_report, lines};
use crate::queue::removed::Files;

const EXAMPLES: &str = "\
Examples:
  syncline report                        the last report that was made
  syncline report --since 7d             from the report a week ago until now
  syncline report --since 2026-11-01     the same from a day on, or from a time in RFC 3339
  syncline report --since 0s             from the last report until now
  syncline report --json | jq '.report.mappings[].to_right.carried'

A report tells what was carried, refused and asked in a period, and how far objectives were met.
`schedules.report` in the settings says when one is made and kept (each day at six, UTC). Periods
begin and end with reports: with --since it begins with the last one made before that time, and
tells until now.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// From this time until now: so long ago (`36h`, `7d`), a day, or a time in RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
}

/// A time, or how long ago one is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Since {
    Ago(i64),
    At(i64),
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Since::At(time.as_microsecond()));
    }
    if let Ok(day) = text.parse::<Date>() {
        let day = day.to_zoned(TimeZone::UTC).map_err(|error| error.to_string())?;
        return Ok(Since::At(day.timestamp().as_microsecond()));
    }
    let relative = SpanRelativeTo::days_are_24_hours();
    let span: Option<Span> = text.parse().ok();
    let micros = span.and_then(|span| span.total((Unit::Microsecond, relative)).ok());
    match micros.filter(|micros| (0.0..=1e18).contains(micros)) {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        Some(micros) => Ok(Since::Ago(micros as i64)),
        None => Err("write how long ago, as 36h or 7d, a day as 2026-11-01, or a time in RFC 3339"
            .to_owned()),
    }
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let Some(desk) = Desk::find(config).await? else {
        let run = command(config, "run");
        output.line(&format!("nothing has run with these settings yet: start `{run}`"));
        answer(output, None, false);
        return Ok(Exit::Well);
    };
    let ledger = &desk.ledger;
    let now = desk.now.micros();
    let (report, base) = match arguments.since {
        None => {
            let last = last_report(ledger).await.context("the ledger")?;
            (last.as_ref().map(kept).transpose()?, None)
        }
        Some(since) => {
            let at = match since {
                Since::Ago(ago) => now.saturating_sub(ago),
                Since::At(at) => at,
            };
            (None, ledger.report_until(at).await.context("the ledger")?)
        }
    };
    if let Some(report) = report {
        for line in lines(&report) {
            output.line(&line);
        }
        answer(output, Some(&report), true);
        return Ok(Exit::Well);
    }
    let files = Files::of(&read_settings(config)?.value);
    let (account, _, _) = account_since(&desk, files.as_ref(), base.as_ref(), now).await?;
    for line in lines(&account) {
        output.line(&line);
    }
    if arguments.since.is_none() {
        let scheduled = ledger.scheduled().await.context("the ledger")?;
        let next = scheduled.iter().find(|scheduled| scheduled.name == "report");
        output.line("");
        output.line(&match next {
            Some(next) => format!(
                "no report was made yet, this is until now; the first is due {}",
                time(next.next_at)
            ),
            None => "no report was made yet, this is until now".to_owned(),
        });
    }
    answer(output, Some(&account), false);
    Ok(Exit::Well)
}

/// A report as it was kept.
fn kept(kept: &KeptReport) -> anyhow::Result<Account> {
    serde_json::from_str(&kept.report.body)
        .with_context(|| format!("report {} cannot be read by this release", kept.id))
}

/// `kept` says whether it was made by a schedule, and will be told alike.
fn answer(output: &Output, report: Option<&Account>, kept: bool) {
    let told = report.and_then(|report| serde_json::to_value(report).ok());
    let mut fields = Map::new();
    fields.insert("report".to_owned(), told.unwrap_or(Json::Null));
    fields.insert("kept".to_owned(), kept.into());
    output.answer("report", fields);
}

#[cfg(test)]
mod tests {
    use super::{Since, since};

    #[test]
    fn a_beginning_is_a_time_a_day_or_how_long_ago() {
        assert_eq!(since("7d"), Ok(Since::Ago(7 * 86_400_000_000)));
        assert_eq!(since("0s"), Ok(Since::Ago(0)));
        assert_eq!(since("1970-01-02"), Ok(Since::At(86_400_000_000)));
        assert_eq!(since("1970-01-01T01:00:00+01:00"), Ok(Since::At(0)));
        for text in ["yesterday", "-1d", "1mo", ""] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}
