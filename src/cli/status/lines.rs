//! A status for people.

use std::collections::BTreeMap;

use syncline_core::mapping::MappingId;
use syncline_core::model::Figure;
use syncline_engine::{LOADED, SweepPlace, SweepStep};
use syncline_ledger::Scheduled;
use syncline_sdk::Instant;

use crate::cli::desk::Desk;
use crate::cli::words::{age, count, indented, plain, short, table, time, time_and_age};
use crate::queue::account::objective;
use crate::queue::removed::Removed;
use crate::queue::report::{BATCHES_MAX, Report, awaited_name, parked_record, stream_name};
use crate::settings::Settings;

/// The most characters of a stream's place that are told.
const PLACE_CHARS_MAX: usize = 40;

/// The report, section by section; a section with nothing in it is one line.
pub(super) fn lines(desk: &Desk, report: &Report, settings: &Settings) -> Vec<String> {
    let mut lines = vec![engine(desk, report)];
    awaited(desk, report, &mut lines);
    quiet(desk, settings, &mut lines);
    lines.extend(report.removed.iter().map(Removed::line));
    lines.push(questions(desk, report));
    links(desk, report, &mut lines);
    figures(report, &mut lines);
    streams(desk, report, &mut lines);
    waiting(desk, report, &mut lines);
    batches(desk, report, &mut lines);
    parked(desk, report, &mut lines);
    gaps(desk, report, &mut lines);
    objectives(report, &mut lines);
    schedules(desk, report, &mut lines);
    lines
}

fn engine(desk: &Desk, report: &Report) -> String {
    let run = desk.command("run");
    let Some((owner, sign)) = report.owner.as_ref().zip(report.last_sign(desk)) else {
        return format!("engine     has never run on this ledger: start `{run}`");
    };
    let (name, epoch) = (plain(&short(&owner.owner, 12)), owner.epoch);
    if report.engine_runs(desk) {
        let ago = age(desk.now, sign);
        return format!(
            "engine     runs (owner {name}, epoch {epoch}), last sign of life {ago} ago"
        );
    }
    let since = time_and_age(desk.now, sign);
    format!(
        "engine     DOWN: last sign of life {since} (owner {name}, epoch {epoch}); start `{run}`"
    )
}

fn awaited(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    let words =
        if report.engine_runs(desk) { ("waits for", "waiting") } else { ("waited for", "waited") };
    for awaited in &report.awaited {
        let (kind, name) = awaited_name(awaited);
        let word = if kind == "system" { words.0 } else { words.1 };
        let (since, why) = (age(desk.now, awaited.since.micros()), plain(&awaited.reason));
        lines.push(format!("{word:<10} {kind} {} for {since}: {why}", plain(name)));
    }
}

/// The systems whose quiet hours are now: what waits for these waits for nothing else.
fn quiet(desk: &Desk, settings: &Settings, lines: &mut Vec<String>) {
    for system in &settings.systems {
        let hours = system.quiet_hours.as_ref();
        let Some(until) = hours.and_then(|hours| hours.open_until(desk.now)) else { continue };
        lines.push(format!(
            "quiet      {}: nothing is written to it until {}; changes are kept and go then",
            system.name,
            time(until.micros())
        ));
    }
}

fn questions(desk: &Desk, report: &Report) -> String {
    let questions = &report.questions;
    let mut told = vec![match questions.oldest {
        Some(oldest) => format!(
            "{}{} open, the oldest {} old: `{}`",
            questions.open,
            if questions.more { " or more" } else { "" },
            age(desk.now, oldest),
            desk.command("conflicts list")
        ),
        None => "none open".to_owned(),
    }];
    if questions.answered > 0 {
        told.push(format!("{} answered, not folded by the engine yet", questions.answered));
    }
    format!("questions  {}", told.join("; "))
}

fn links(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    if report.links.is_empty() {
        lines.push("links      none yet".to_owned());
        return;
    }
    let mut mappings: BTreeMap<MappingId, Vec<(&str, i64)>> = BTreeMap::new();
    for count in &report.links {
        let states = mappings.entry(count.mapping).or_default();
        states.push((count.state, count.count));
    }
    let mut rows = table(&["MAPPING", "LINKS", "BY STATE"]);
    for (id, states) in mappings {
        let all: i64 = states.iter().map(|(_, count)| count).sum();
        let states: Vec<String> =
            states.into_iter().map(|(state, count)| format!("{count} {state}")).collect();
        let mapping = desk.mapping(id);
        let name = match mapping.mode() {
            Some("live") | None => mapping.name,
            Some(mode) => format!("{} ({mode})", mapping.name),
        };
        rows.add_row([name, all.to_string(), states.join(", ")]);
    }
    section("links", &indented(&rows), lines);
}

fn figures(report: &Report, lines: &mut Vec<String>) {
    let told: Vec<String> = Figure::ALL
        .into_iter()
        .filter_map(|figure| Some(format!("{} {}", report.figures.get(&figure)?, figure.as_str())))
        .collect();
    let told = if told.is_empty() { "none yet".to_owned() } else { told.join(", ") };
    lines.push(String::new());
    lines.push(format!("figures since the ledger began: {told}"));
}

fn streams(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    if report.streams.is_empty() {
        lines.push("streams: none was begun".to_owned());
        return;
    }
    let mut rows = table(&["STREAM", "PLACE", "MOVED"]);
    for stream in &report.streams {
        let load = stream.name.starts_with("load:") || stream.name.starts_with("rules:");
        let place = match (load, stream.place == LOADED) {
            (true, true) => "all read".to_owned(),
            _ => match sweep_place(&stream.name, &stream.place, desk.now) {
                Some(told) => told,
                None => short(&plain(&stream.place), PLACE_CHARS_MAX),
            },
        };
        rows.add_row([
            stream_name(desk, &stream.name),
            place,
            format!("{} ago", age(desk.now, stream.moved_at)),
        ]);
    }
    section("streams", &indented(&rows), lines);
}

fn waiting(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    lines.push(String::new());
    if report.waiting.is_empty() {
        lines.push("hints: no record waits to be read".to_owned());
        return;
    }
    for waiting in &report.waiting {
        let (system, now) = (&waiting.system, desk.now.micros());
        let due = match waiting.due {
            0 => "at once".to_owned(),
            due if due > now => format!("the first in {}", age_until(desk, due)),
            due => format!("the first due for {}", age(desk.now, due)),
        };
        let records = count(waiting.hints, "record");
        lines.push(format!("hints: {records} of {system} to be read again, {due}"));
    }
}

fn age_until(desk: &Desk, due: i64) -> String {
    age(syncline_sdk::Instant::from_micros(due), desk.now.micros())
}

fn batches(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    let Some(first) = report.batches.first() else {
        lines.push("batches: none is under way".to_owned());
        return;
    };
    let open = report.batches.len();
    let more = if open >= BATCHES_MAX { " or more" } else { "" };
    let intents: usize = report.batches.iter().map(|open| open.batch.intents.len()).sum();
    let oldest = age(desk.now, first.batch.first_sent);
    lines.push(format!(
        "batches: {open}{more} under way with {intents} writes, the oldest sent {oldest} ago"
    ));
}

fn parked(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    if report.parked.is_empty() {
        lines.push("parked: no record is set aside".to_owned());
        return;
    }
    // What is to be done about several is told once, behind them.
    let mut advised: Vec<&str> = Vec::new();
    for (parked, _) in &report.parked {
        if !advised.contains(&&*parked.advice) {
            advised.push(&parked.advice);
        }
    }
    let mut told = Vec::new();
    for advice in advised {
        let alike = || report.parked.iter().filter(|(parked, _)| *parked.advice == *advice);
        for (parked, link) in alike() {
            let record = parked_record(desk, parked, link.as_ref());
            let mapping = desk.mapping(parked.mapping).name;
            let since = age(desk.now, parked.at);
            let (kind, message) = (plain(&parked.kind), plain(&parked.message));
            told.push(format!("  {mapping}: {record}, for {since}"));
            told.push(format!("      refused ({kind}): {message}"));
            let explain = format!("explain {mapping} --link {}", parked.link);
            told.push(format!("      more: {}", desk.command(&explain)));
        }
        let each = if alike().count() == 1 { "" } else { " about each of these" };
        told.push(format!("      what to do{each}: {}", plain(advice)));
    }
    if report.parked_more {
        told.push("  and more: raise --limit".to_owned());
    }
    section("parked: what a machine or its set-up must mend", &told.join("\n"), lines);
}

fn gaps(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    if report.gaps.is_empty() {
        lines.push("gaps: none is open".to_owned());
        return;
    }
    let told: Vec<String> = report
        .gaps
        .iter()
        .map(|gap| {
            let (stream, reason) = (stream_name(desk, &gap.stream), plain(&gap.reason));
            format!(
                "  {}: {reason}, noticed {}",
                plain(&stream),
                time_and_age(desk.now, gap.noticed_at)
            )
        })
        .collect();
    let title = "gaps: closed when both sides have been scanned again";
    section(title, &told.join("\n"), lines);
}

fn objectives(report: &Report, lines: &mut Vec<String>) {
    let mappings = report.account.mappings.iter();
    let told: Vec<String> = mappings
        .filter_map(|of| Some(format!("  {}: {}", of.mapping, objective(of.objective.as_ref()?))))
        .collect();
    if !told.is_empty() {
        section(&format!("objectives since {}", report.account.from), &told.join("\n"), lines);
    }
}

fn schedules(desk: &Desk, report: &Report, lines: &mut Vec<String>) {
    if report.scheduled.is_empty() {
        let told = match report.engine_runs(desk) {
            true => "the run that has just begun sets them up",
            false => "nothing is scheduled before the first run",
        };
        lines.push(format!("schedules: {told}"));
        return;
    }
    let mut rows = table(&["SCHEDULE", "TIMES", "NEXT", "LAST"]);
    for scheduled in &report.scheduled {
        let next = match scheduled.next_at > desk.now.micros() {
            true => {
                format!("{} (in {})", time(scheduled.next_at), age_until(desk, scheduled.next_at))
            }
            false => "due".to_owned(),
        };
        let last = scheduled.last_at.map(|at| format!("{} ago", age(desk.now, at)));
        rows.add_row([
            plain(&scheduled.name),
            plain(&scheduled.times),
            next,
            last.unwrap_or_else(|| "never".to_owned()),
        ]);
    }
    let mut told = vec![indented(&rows)];
    for scheduled in &report.scheduled {
        outcome(scheduled, &mut told);
    }
    section("schedules, in UTC", &told.join("\n"), lines);
}

/// What the last run did, below the table, where it may be long: a part in a line.
fn outcome(scheduled: &Scheduled, told: &mut Vec<String>) {
    let text = plain(scheduled.outcome.as_deref().unwrap_or_default());
    match text.split("; ").collect::<Vec<_>>().as_slice() {
        [""] => {}
        [one] => told.push(format!("  {}, last: {one}", plain(&scheduled.name))),
        parts => {
            told.push(format!("  {}, last:", plain(&scheduled.name)));
            told.extend(parts.iter().map(|part| format!("      {part}")));
        }
    }
}

/// A section with a title and lines of its own, an empty line before it.
fn section(title: &str, text: &str, lines: &mut Vec<String>) {
    lines.push(String::new());
    lines.push(title.to_owned());
    lines.push(text.to_owned());
}

/// Where a sweep stands.
fn sweep_place(stream: &str, place: &str, now: Instant) -> Option<String> {
    let place: SweepPlace = stream.strip_prefix("sweep:").and_then(|_| place.parse().ok())?;
    let at = match place.next {
        SweepStep::Scan(side, _) => format!("reads the {side}"),
        SweepStep::Links(_) => "reads the pairs".to_owned(),
        SweepStep::Done => "over".to_owned(),
    };
    Some(format!("{at}, begun {} ago", age(now, place.began)))
}
