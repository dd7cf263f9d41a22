//! `syncline observed`

use std::path::Path;

use clap::Args;
use serde_json::{Map, Value as Json};
use syncline_core::Side;

use super::desk::{Desk, KnownMapping};
use super::words::{age, count, indented, plain, short, table};
use super::{Exit, Output, Stop};
use crate::queue::observed::{Observed, Row, Sample, What};

const EXAMPLES: &str = "\
Examples:
  syncline observed                        every mapping that is not live
  syncline observed accounts --days 1      one of them, of the last day
  syncline observed accounts --samples 10  with more examples
  syncline observed --json | jq '.mappings[].rows[] | select(.missing > 0)'

A mapping in `mode: observe`, and the records outside a pilot, are read, linked and decided upon,
and never written. This compares what would have been written with what came of it without
Syncline: the same value, another value, or nothing so far (missing). What was taken back, replaced
by a newer value or written once the mapping was live counts as past.

Exit code 2 when something came otherwise or is missing.";

/// The most characters of one value that are told.
const VALUE_CHARS_MAX: usize = 60;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The mappings; all that are not live where none is named.
    #[arg(value_name = "MAPPING")]
    mappings: Vec<String>,

    /// How many days back.
    #[arg(long, value_name = "DAYS", default_value_t = 7,
          value_parser = clap::value_parser!(u16).range(1..=3_650))]
    days: u16,

    /// The most examples that are told of a kind.
    #[arg(long, value_name = "N", default_value_t = 3,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    samples: u8,

    /// Show the values of sensitive fields too.
    #[arg(long)]
    reveal: bool,
}

pub(super) async fn run(
    config: &Path,
    arguments: Arguments,
    output: &Output,
) -> Result<Exit, Stop> {
    let desk = Desk::open(config).await?.revealing(arguments.reveal);
    let mut mappings = Vec::new();
    for name in &arguments.mappings {
        mappings.push(desk.named(name)?.clone());
    }
    if mappings.is_empty() {
        let all = desk.mappings.iter();
        mappings.extend(all.filter(|mapping| mapping.mode() != Some("live")).cloned());
    }
    if mappings.is_empty() {
        output.line("every mapping is live: none only observes");
    }
    let since = desk.now.micros() - i64::from(arguments.days) * 86_400_000_000;
    let mut told = Vec::new();
    let mut differs = false;
    for mapping in &mappings {
        let samples = usize::from(arguments.samples);
        let observed = Observed::read(&desk, mapping, since, samples).await?;
        for line in lines(&desk, mapping, &observed, arguments.days) {
            output.line(&line);
        }
        differs |= observed.differs();
        told.push(observed.json(mapping));
    }
    let mut fields = Map::new();
    fields.insert("differs".to_owned(), differs.into());
    fields.insert("mappings".to_owned(), Json::Array(told));
    output.answer("observed", fields);
    Ok(if differs { Exit::Found } else { Exit::Well })
}

fn lines(desk: &Desk, mapping: &KnownMapping, observed: &Observed, days: u16) -> Vec<String> {
    let mode = mapping.mode().unwrap_or("unknown");
    let period = count(i64::from(days), "day");
    let mut lines = vec![format!("{} (mode {mode}), the last {period}", mapping.name)];
    if observed.rows.is_empty() {
        lines.push("  nothing would have been written".to_owned());
        lines.push(String::new());
        return lines;
    }
    let header = ["WHAT", "IN", "WOULD", "SAME", "OTHER", "MISSING", "PAST", "SAME AFTER"];
    let mut rows = table(&header);
    for ((what, to), row) in &observed.rows {
        rows.add_row([
            name(mapping, *what),
            place(mapping, *what, *to),
            (row.same + row.other + row.missing + row.past).to_string(),
            row.same.to_string(),
            row.other.to_string(),
            row.missing.to_string(),
            row.past.to_string(),
            after(row),
        ]);
    }
    lines.push(indented(&rows));
    for ((what, to), row) in &observed.rows {
        samples(desk, mapping, (*what, *to), row, &mut lines);
    }
    lines.push(String::new());
    lines
}

fn name(mapping: &KnownMapping, what: What) -> String {
    match what {
        What::Created => "records created".to_owned(),
        What::Deleted => "records deleted".to_owned(),
        What::BroughtBack => "records brought back".to_owned(),
        What::Unit(unit) | What::Asked(unit) => mapping.unit(unit),
        What::PairAsked => "whole records".to_owned(),
    }
}

fn place(mapping: &KnownMapping, what: What, to: Option<Side>) -> String {
    match to {
        Some(to) => mapping.system(to),
        None if what.is_asked() => "a person asked".to_owned(),
        None => "both".to_owned(),
    }
}

/// How long it took until the sides were the same: the median, and the most.
fn after(row: &Row) -> String {
    let long = |micros: i64| match micros {
        ..1_000_000 => "under 1s".to_owned(),
        _ => age(syncline_sdk::Instant::from_micros(micros), 0),
    };
    row.times().map_or(String::new(), |(median, most)| match (long(median), long(most)) {
        (median, most) if median == most => median,
        (median, most) => format!("{median}, at most {most}"),
    })
}

fn samples(
    desk: &Desk,
    mapping: &KnownMapping,
    (what, to): (What, Option<Side>),
    row: &Row,
    lines: &mut Vec<String>,
) {
    let about = format!("{} ({})", name(mapping, what), place(mapping, what, to));
    for (word, samples) in [("other", &row.others), ("missing", &row.missed)] {
        if samples.is_empty() {
            continue;
        }
        lines.push(format!("  {word}: {about}"));
        for sample in samples {
            lines.push(format!("    {}", one(desk, mapping, what, sample)));
        }
    }
}

fn one(desk: &Desk, mapping: &KnownMapping, what: What, sample: &Sample) -> String {
    let key = |side: Side| sample.keys[side].as_deref().map_or("none".to_owned(), plain);
    let told =
        |of: &[syncline_sdk::Value]| short(&mapping.sample(what.unit(), of), VALUE_CHARS_MAX);
    let mut line = format!("{} <-> {}", key(Side::Left), key(Side::Right));
    if matches!(what, What::Unit(_)) {
        line = format!("{line}: would be {}", told(&sample.would));
    }
    if let What::Asked(unit) = what {
        let fields = mapping.places(Side::Left, unit).len().min(sample.would.len());
        let (left, right) = sample.would.split_at(fields);
        line = format!("{line}: left {}, right {}", told(left), told(right));
    }
    if let Some(shows) = &sample.shows {
        line = format!("{line}, shows {}", told(shows));
    }
    format!("{line}, {} ago", age(desk.now, sample.at))
}
