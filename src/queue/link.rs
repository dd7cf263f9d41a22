//! How a pair stands.

use serde_json::{Map, Value as Json, json};
use syncline_core::model::{ReviewStatus, UnitStatus};
use syncline_core::{Side, Sides};
use syncline_ledger::state_name;
use syncline_sdk::{Actor, Value};

use super::desk::Desk;
use super::pair::Pair;
use super::words::{actor, indented, plain, table, time_and_age, time_json};

/// How the pair stands, for people.
pub fn lines(desk: &Desk, pair: &Pair) -> Vec<String> {
    let (mapping, link) = (&pair.mapping, &pair.link);
    let mut lines = vec![
        format!("link {} of {}", link.id, mapping.name),
        format!("  state  {}, agreed {} times", state_name(link.state), link.sync_version),
    ];
    for side in Side::BOTH {
        let record = mapping.record(side, link.keys[side].as_ref());
        let mut line = format!("  {:<5}  {record}", side.as_str());
        if link.keys[side].is_some() && !link.exists(side) {
            line.push_str(", which is gone");
        }
        lines.push(line);
    }
    if let Some(alias) = &pair.alias {
        let (key, reason) = (plain(alias.key.as_str()), plain(&alias.reason));
        lines.push(format!("  alias  {key} is an old {} name of it ({reason})", alias.side));
    }
    lines.push(String::new());
    lines.push(units(pair));
    let mut more = Vec::new();
    for side in Side::BOTH {
        if let Some(intent) = link.open[side] {
            let system = mapping.system(side);
            more.push(format!("under way: intent {intent} to {system}, see the entry of that id"));
        }
        if link.field_state.outside[side] {
            more.push(format!("the record in {} is outside the filter", mapping.system(side)));
        }
    }
    for review in questions(pair) {
        let about = review.key.unit.map_or("the pair".to_owned(), |unit| mapping.unit(unit));
        let show = desk.command(&format!("conflicts show {}", review.id));
        let state = match review.status {
            ReviewStatus::Answered => "answered, not folded yet",
            _ => "waits for a person",
        };
        more.push(format!(
            "question {}@{} about {about} {state}: `{show}`",
            review.id, review.revision
        ));
    }
    if let Some(parked) = pair.parked.clone().map(|parked| mapping.parked(parked)) {
        let (system, at) = (mapping.system(parked.side), time_and_age(desk.now, parked.at));
        let (kind, message) = (plain(&parked.kind), plain(&parked.message));
        more.push(format!("parked since {at}: {system} refused it ({kind}): {message}"));
        more.push(format!("  what to do: {}", plain(&parked.advice)));
    }
    if !more.is_empty() {
        lines.push(String::new());
        lines.extend(more.into_iter().map(|line| format!("  {line}")));
    }
    lines
}

/// The units that are told of.
fn told(pair: &Pair) -> Vec<u16> {
    match pair.unit {
        Some(unit) => vec![unit],
        None => (0..pair.mapping.units()).collect(),
    }
}

fn questions(pair: &Pair) -> impl Iterator<Item = &syncline_core::model::Review> {
    let about = |unit: Option<u16>| pair.unit.is_none() || unit.is_none() || unit == pair.unit;
    pair.questions.iter().filter(move |review| about(review.key.unit))
}

/// What was agreed of a unit on a side, and what differs from it.
fn both(pair: &Pair, side: Side, unit: u16) -> (Vec<Value>, Option<Vec<Value>>) {
    let link = &pair.link;
    let places = pair.mapping.places(side, unit);
    let agreed = places.iter().map(|at| link.base_value(side, *at).clone()).collect();
    let differs = places.iter().any(|at| link.pending[side].value(*at).is_some());
    let now = differs.then(|| places.iter().map(|at| link.observed(side, *at).clone()).collect());
    (agreed, now)
}

fn units(pair: &Pair) -> String {
    let mapping = &pair.mapping;
    let [left, right] = Side::BOTH.map(|side| mapping.system(side).to_uppercase());
    let header = [
        "FIELD".to_owned(),
        format!("AGREED IN {left}"),
        format!("AGREED IN {right}"),
        "DIFFERS NOW".to_owned(),
        "AGREED VALUE FROM".to_owned(),
        "STATE".to_owned(),
    ];
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut rows = table(&header);
    for unit in told(pair) {
        let [(left, left_now), (right, right_now)] = Side::BOTH.map(|side| both(pair, side, unit));
        let mut now = Vec::new();
        for (side, differs) in [(Side::Left, left_now), (Side::Right, right_now)] {
            now.extend(differs.map(|differs| {
                let who = pending_actor(pair, side);
                let differs = mapping.values(side, Some(unit), &differs);
                format!("{}: {differs}{who}", mapping.system(side))
            }));
        }
        rows.add_row([
            mapping.unit(unit),
            mapping.values(Side::Left, Some(unit), &left),
            mapping.values(Side::Right, Some(unit), &right),
            now.join("\n"),
            origin(pair, unit),
            state(pair, unit),
        ]);
    }
    indented(&rows)
}

fn pending_actor(pair: &Pair, side: Side) -> String {
    let pending = &pair.link.pending[side];
    actor(&pending.actor).map_or(String::new(), |who| format!(" by {who}"))
}

fn origin(pair: &Pair, unit: u16) -> String {
    let origin = pair.link.origins.get(usize::from(unit)).copied().flatten();
    origin.map_or(String::new(), |origin| {
        let made = Actor { id: None, kind: origin.actor };
        let who = actor(&made).map_or(String::new(), |who| format!(", {who}"));
        format!("{}{who}, entry {}", pair.mapping.system(origin.side), origin.entry)
    })
}

fn state(pair: &Pair, unit: u16) -> String {
    let state = pair.link.field_state.unit(usize::from(unit));
    match state.status {
        UnitStatus::Free => String::new(),
        UnitStatus::Held => "held for a person".to_owned(),
        UnitStatus::Parked => "parked: the other side refused it".to_owned(),
        UnitStatus::Frozen => "frozen: observed, not written".to_owned(),
        UnitStatus::Changed => "to be agreed anew: its rule was changed".to_owned(),
        UnitStatus::Returned => "to be agreed anew: a field of it was gone".to_owned(),
        UnitStatus::LeftOut => "left out of the new record, as a person chose".to_owned(),
        UnitStatus::Awaiting(tries) => {
            format!("waits for the record it refers to, looked {tries} times")
        }
    }
}

/// How the pair stands, as JSON.
pub fn json(pair: &Pair) -> Map<String, Json> {
    let link = &pair.link;
    let units = told(pair).into_iter().map(|unit| {
        let side = |side: Side| {
            let (agreed, now) = both(pair, side, unit);
            let image = |values: &[Value]| pair.mapping.values_json(side, Some(unit), values);
            json!({ "agreed": image(&agreed), "differs": now.map(|now| image(&now)) })
        };
        let origin = link.origins.get(usize::from(unit)).copied().flatten();
        json!({
            "unit": pair.mapping.unit(unit),
            "left": side(Side::Left),
            "right": side(Side::Right),
            "origin": origin.map(|origin| json!({
                "side": origin.side,
                "actor": origin.actor,
                "entry": origin.entry.to_string(),
                "at": (origin.at != 0).then(|| time_json(origin.at)),
            })),
            "state": link.field_state.unit(usize::from(unit)).status,
        })
    });
    let questions = questions(pair).map(|review| format!("{}@{}", review.id, review.revision));
    let told = json!({
        "mapping": pair.mapping.name,
        "link": link.id,
        "state": state_name(link.state),
        "sync_version": link.sync_version,
        "keys": Sides::from_fn(|side| link.keys[side].clone()),
        "exists": Sides::from_fn(|side| link.exists(side)),
        "open": Sides::from_fn(|side| link.open[side].map(|intent| intent.to_string())),
        "units": units.collect::<Json>(),
        "questions": questions.collect::<Vec<_>>(),
        "parked": pair.parked.clone().map(|parked| pair.mapping.parked(parked)).map(|parked| json!({
            "side": parked.side,
            "kind": parked.kind,
            "message": parked.message,
            "advice": parked.advice,
            "at": time_json(parked.at),
        })),
    });
    match told {
        Json::Object(fields) => fields,
        _ => Map::new(),
    }
}
