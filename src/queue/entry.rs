//! One entry of the journal.

use serde_json::{Value as Json, json};
use syncline_core::Side;
use syncline_core::model::{Decided, Entry, Intent, IntentKind, Observed, Settled};
use syncline_sdk::{Instant, Precision};

use super::desk::KnownMapping;
use super::verdict::{intent as doing, outcome, verdict};
use super::words::{actor, actor_json, plain, time, time_json};

/// An entry for people.
pub fn lines(mapping: &KnownMapping, entry: &Entry) -> Vec<String> {
    let mapping = mapping.by(entry.revision);
    let at = Instant::new(entry.at.micros(), Precision::Milli);
    let mut lines = vec![format!("{at}  entry {}", entry.id)];
    for it in &entry.observed {
        observed(mapping, it, &mut lines);
    }
    for it in &entry.decided {
        lines.push(format!("  decided   {}", decided(mapping, it)));
    }
    if let Some(it) = &entry.intent {
        intent(mapping, it, &mut lines);
    }
    for it in &entry.settled {
        lines.push(format!("  settled   {}", settled(mapping, it)));
    }
    lines
}

fn observed(mapping: &KnownMapping, it: &Observed, lines: &mut Vec<String>) {
    let mut head = format!("  observed  {}", mapping.record(it.side, Some(&it.key)));
    match it.exists {
        Some(true) => head.push_str(": there"),
        Some(false) => head.push_str(": gone"),
        None => {}
    }
    let mut about = Vec::new();
    about.extend(actor(&it.actor).map(|who| format!("by {who}")));
    about.extend(it.at.map(|at| format!("at {}", time(at.micros()))));
    if it.marker.is_some() {
        about.push("with the mark of a write of Syncline's".to_owned());
    }
    if !about.is_empty() {
        head = format!("{head}, {}", about.join(" "));
    }
    lines.push(head);
    for (at, before, now) in &it.values {
        let at = usize::from(*at);
        let value = |value| mapping.value(it.side, at, value);
        let field = mapping.field(it.side, at);
        lines.push(format!("              {field}: {} -> {}", value(before), value(now)));
    }
}

fn decided(mapping: &KnownMapping, it: &Decided) -> String {
    let what = verdict(mapping, &mapping.verdict(it.unit, &it.verdict));
    let Some(unit) = it.unit else { return what };
    let told = format!("{}: {what}", mapping.unit(unit));
    if it.left.is_empty() && it.right.is_empty() {
        return told;
    }
    let left = mapping.values(Side::Left, it.unit, &it.left);
    let right = mapping.values(Side::Right, it.unit, &it.right);
    format!("{told} (left {left}, right {right})")
}

fn intent(mapping: &KnownMapping, it: &Intent, lines: &mut Vec<String>) {
    let record = mapping.record(it.side, it.key.as_ref());
    let mut head = format!("  intent    {} {record}", doing(it.kind));
    if it.kind == IntentKind::Create {
        let system = mapping.system(it.side);
        head = format!("  intent    create a record in {system}");
    }
    if let Some(who) = actor(&it.actor) {
        head = format!("{head}, carries the edit of {who}");
    }
    if it.half {
        head.push_str(", one half of a decision on both sides");
    }
    lines.push(head);
    for field in &it.fields {
        let at = usize::from(field.field);
        let value = |value| mapping.value(it.side, at, value);
        let name = mapping.field(it.side, at);
        let (expected, sent) = (value(&field.expected), value(&field.value));
        if it.kind == IntentKind::Delete {
            lines.push(format!("              {name}: {expected}"));
        } else if field.image == field.value {
            lines.push(format!("              {name}: {expected} -> {sent}"));
        } else {
            let image = value(&field.image);
            lines.push(format!("              {name}: {expected} -> {sent}, stored as {image}"));
        }
    }
}

fn settled(mapping: &KnownMapping, it: &Settled) -> String {
    let system = mapping.system(it.side);
    format!("intent {} to {system}: {}", it.intent, outcome(&mapping.outcome(&it.outcome)))
}

/// An entry as JSON.
pub fn json(mapping: &KnownMapping, entry: &Entry) -> Json {
    let mapping = mapping.by(entry.revision);
    json!({
        "id": entry.id.to_string(),
        "mapping": mapping.name,
        "at": time_json(entry.at.micros()),
        "observed": entry.observed.iter().map(|it| observed_json(mapping, it)).collect::<Json>(),
        "decided": entry.decided.iter().map(|it| json!({
            "unit": it.unit.map(|unit| mapping.unit(unit)),
            "verdict": mapping.verdict(it.unit, &it.verdict),
            "words": verdict(mapping, &mapping.verdict(it.unit, &it.verdict)),
            "left": mapping.values_json(Side::Left, it.unit, &it.left),
            "right": mapping.values_json(Side::Right, it.unit, &it.right),
        })).collect::<Json>(),
        "intent": entry.intent.as_ref().map(|it| intent_json(mapping, it)),
        "settled": entry.settled.iter().map(|it| json!({
            "intent": it.intent.to_string(),
            "side": it.side,
            "outcome": mapping.outcome(&it.outcome),
            "words": outcome(&mapping.outcome(&it.outcome)),
        })).collect::<Json>(),
    })
}

fn observed_json(mapping: &KnownMapping, it: &Observed) -> Json {
    let fields = it.values.iter().map(|(at, before, now)| {
        let at = usize::from(*at);
        json!({
            "field": mapping.field(it.side, at),
            "before": mapping.value_json(it.side, at, before),
            "now": mapping.value_json(it.side, at, now),
        })
    });
    json!({
        "side": it.side,
        "key": it.key,
        "exists": it.exists,
        "fields": fields.collect::<Json>(),
        "actor": actor_json(&it.actor),
        "at": it.at.map(|at| time_json(at.micros())),
        "read_at": it.server_time.map(|at| time_json(at.micros())),
        "closed": it.closed,
        "marker": it.marker.as_deref().map(plain),
    })
}

fn intent_json(mapping: &KnownMapping, it: &Intent) -> Json {
    let fields = it.fields.iter().map(|field| {
        let at = usize::from(field.field);
        let value = |value| mapping.value_json(it.side, at, value);
        json!({
            "field": mapping.field(it.side, at),
            "expected": value(&field.expected),
            "sent": value(&field.value),
            "stored": value(&field.image),
        })
    });
    json!({
        "id": it.id.to_string(),
        "side": it.side,
        "kind": it.kind,
        "key": it.key,
        "units": it.units.iter().map(|unit| mapping.unit(*unit)).collect::<Vec<_>>(),
        "fields": fields.collect::<Json>(),
        "half": it.half,
        "actor": actor_json(&it.actor),
        "edited_at": it.edited_at.map(|at| time_json(at.micros())),
    })
}
