//! A plan for people.

use std::collections::BTreeMap;

use syncline_core::machine::Mappings;
use syncline_core::mapping::{Mapping, Mode};
use syncline_core::model::ReviewKind;
use syncline_core::{Side, Sides};
use syncline_engine::{Already, Asked, MappingPlan, Plan, SystemPlan};
use syncline_sdk::{Key, SystemName};

use super::telling::Telling;
use crate::cli::asked::asked_alike;
use crate::cli::words::{plain, short};

/// The most characters of one value that are told.
const VALUE_CHARS_MAX: usize = 40;

/// The plan, mapping by mapping, then what it costs.
pub(super) fn lines(mappings: &Mappings, plan: &Plan, telling: Telling) -> Vec<String> {
    let mut lines = Vec::new();
    for (id, found) in &plan.mappings {
        if let Some(mapping) = mappings.get(id) {
            told(mapping, found, telling, &mut lines);
            lines.push(String::new());
        }
    }
    for (name, system) in &plan.systems {
        lines.push(cost(name, system));
    }
    if plan.waiting > 0 {
        lines.push(format!(
            "{} could not be told: changed within the last second, or waiting for another record",
            records(count(plan.waiting))
        ));
    }
    let writes = records(plan.mappings.values().map(MappingPlan::writes).sum());
    let asked: usize = plan.mappings.values().map(|found| found.asked.len()).sum();
    let writes = match asked {
        0 => writes,
        asked => format!("{writes} and ask a person about {asked}"),
    };
    let would = match (plan.changes(), plan.waiting > 0) {
        (false, false) => "A run would change nothing.".to_owned(),
        (false, true) => "Not all could be told; a run would change nothing else.".to_owned(),
        (true, false) => format!("A run would write {writes}."),
        (true, true) => format!("Not all could be told; a run would write at least {writes}."),
    };
    lines.push(format!("{would} Nothing was written."));
    lines
}

fn told(mapping: &Mapping, found: &MappingPlan, telling: Telling, lines: &mut Vec<String>) {
    let side = |side: Side| {
        let place = &mapping.sides[side];
        format!("{} {} ({})", place.system, place.selection.entity, records(found.read[side]))
    };
    lines.push(format!("{}: {} <-> {}", mapping.name, side(Side::Left), side(Side::Right)));
    match mapping.mode {
        Mode::Live => {}
        Mode::Observe => lines.push("  mode observe: writes nothing".to_owned()),
        Mode::Pilot(_) => lines.push("  mode pilot: writes the records of the pilot".to_owned()),
    }
    let pairs = [
        (found.linked, "linked already"),
        (found.matched, "to be linked by match"),
        (found.moved_in, "to come from another mapping"),
        (found.moved_out, "to go to another mapping"),
        (found.entered, "to be back inside the filter"),
        (found.left, "to rest outside the filter"),
        (found.ended, "to be unlinked"),
    ];
    let pairs = pairs.into_iter().filter(|(number, _)| *number > 0);
    let pairs: Vec<String> = pairs.map(|(number, word)| format!("{number} {word}")).collect();
    if !pairs.is_empty() {
        lines.push(format!("  pairs: {}", pairs.join(", ")));
    }
    for side in Side::BOTH {
        writes(mapping, found, side, telling, lines);
    }
    questions(mapping, found, telling, lines);
    if !found.parked.is_empty() {
        lines.push(format!("  set aside: {}", records(count(found.parked.len()))));
        for (keys, why) in found.parked.iter().take(telling.samples) {
            lines.push(format!("      {}: {}", pair(keys), telling.why(mapping, why)));
        }
    }
    lines.extend(already(found.already));
    if found.is_quiet() {
        lines.push("  nothing to write".to_owned());
    }
}

/// What waits already, and is not planned.
fn already(found: Already) -> Option<String> {
    let Already { questions, asked, parked } = found;
    let asked = (questions > 0).then(|| {
        let s = if questions == 1 { "" } else { "s" };
        format!("{questions} question{s} about {} for a person", records(asked))
    });
    let parked = (parked > 0).then(|| format!("{} set aside", records(parked)));
    let told: Vec<String> = asked.into_iter().chain(parked).collect();
    (!told.is_empty()).then(|| format!("  waiting already, not planned: {}", told.join("; ")))
}

/// Whether the mapping writes, in the word of its file.
pub(super) fn mode(mapping: &Mapping) -> &'static str {
    match mapping.mode {
        Mode::Live => "live",
        Mode::Observe => "observe",
        Mode::Pilot(_) => "pilot",
    }
}

fn writes(
    mapping: &Mapping,
    found: &MappingPlan,
    side: Side,
    telling: Telling,
    lines: &mut Vec<String>,
) {
    let counts = [
        (found.creates[side], "create", "+"),
        (found.updates[side], "update", "~"),
        (found.deletes[side], "delete", "-"),
        (found.undeletes[side], "undelete", "+"),
    ];
    if counts.iter().all(|(number, _, _)| *number == 0) {
        return;
    }
    lines.push(format!("  in {}:", mapping.sides[side].system));
    for (number, word, sign) in counts.into_iter().filter(|(number, _, _)| *number > 0) {
        let s = if number == 1 { "" } else { "s" };
        lines.push(format!("    {sign} {number} {word}{s}"));
        match word {
            "create" => {
                let made = found.made[side].iter().take(telling.samples);
                lines.extend(made.map(|made| format!("        {}", cut(&plain(made)))));
            }
            "delete" => {
                let gone = found.gone[side].iter().take(telling.samples);
                lines.extend(gone.map(|key| format!("        {}", plain(key.as_str()))));
            }
            "update" => fields(mapping, found, side, telling, lines),
            _ => {}
        }
    }
}

fn fields(
    mapping: &Mapping,
    found: &MappingPlan,
    side: Side,
    telling: Telling,
    lines: &mut Vec<String>,
) {
    for ((_, field), plan) in found.fields.iter().filter(|((at, _), _)| *at == side) {
        lines.push(format!("        {field}: {}", records(plan.records)));
        for sample in plan.samples.iter().take(telling.samples) {
            let value = |of| telling.value(mapping, side, field, of);
            let before = sample.before.as_ref().map_or("?".to_owned(), value);
            let (before, after) = (cut(&before), cut(&value(&sample.after)));
            lines.push(format!("            {}: {before} -> {after}", plain(sample.key.as_str())));
        }
    }
}

fn questions(mapping: &Mapping, found: &MappingPlan, telling: Telling, lines: &mut Vec<String>) {
    if found.asked.is_empty() {
        return;
    }
    let system = |side: Side| mapping.sides[side].system.to_string();
    lines.push(format!("  for a person to decide: {}", found.asked.len()));
    let asked = found.asked.iter().map(|one| Told {
        unit: one.unit_name(mapping),
        kind: telling.kind(mapping, one),
        keys: &one.keys,
        shown: shown(mapping, one, telling),
    });
    for ((unit, what), pairs) in alike(asked, &system) {
        let unit = unit.map_or_else(String::new, |unit| format!("{unit}: "));
        lines.push(format!("    ? {} {unit}{what}", pairs.len()));
        lines.extend(pairs.iter().take(telling.samples).map(|pair| format!("        {pair}")));
    }
}

/// One question.
struct Told<'a> {
    /// The name of the unit that it is about.
    unit: Option<&'a str>,
    kind: ReviewKind,
    keys: &'a Sides<Option<Key>>,
    /// What the sides show of the unit.
    shown: String,
}

/// What the sides show of the unit that a question is about: `crm "a", ops "b"`.
fn shown(mapping: &Mapping, asked: &Asked, telling: Telling) -> String {
    let of = |side: Side| {
        let told = Telling::shown(mapping, asked, side)?;
        let told = told.map(|(field, of)| telling.value(mapping, side, field, of));
        let told = told.collect::<Vec<_>>().join(", ");
        Some(format!("{} {}", mapping.sides[side].system, short(&told, VALUE_CHARS_MAX)))
    };
    Side::BOTH.into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

/// Pairs by what is asked about them, of which unit: what is one pair's own stands beside it.
fn alike<'a>(
    asked: impl Iterator<Item = Told<'a>>,
    system: &dyn Fn(Side) -> String,
) -> BTreeMap<(Option<&'a str>, String), Vec<String>> {
    let mut kinds: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for Told { unit, kind, keys, shown } in asked {
        let other = if keys.left.is_some() { Side::Right } else { Side::Left };
        let (what, why) = asked_alike(&kind, other, system);
        let mut told = pair(keys);
        for more in [shown, why.map_or_else(String::new, |why| cut(&why))] {
            if !more.is_empty() {
                told = format!("{told}: {more}");
            }
        }
        kinds.entry((unit, what)).or_default().push(told);
    }
    kinds
}

fn cost(name: &SystemName, system: &SystemPlan) -> String {
    let mut line = format!(
        "{name}: reading took {}, writing takes at least {}",
        calls(system.read_calls),
        calls(system.write_calls)
    );
    if let Some(quota) = system.usage.quota {
        let share = json_share(system.write_calls, quota.max);
        line.push_str(&format!(
            " ({share:.2} % of the daily {}; {} used today)",
            quota.max, quota.used
        ));
    }
    if let Some(seconds) = system.write_seconds() {
        line.push_str(&match seconds {
            ..1.0 => "; under a second".to_owned(),
            _ => format!("; about {seconds:.0} s one after the other"),
        });
    }
    line
}

/// A share in percent.
pub(super) fn json_share(calls: u64, max: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share of a quota")]
    let share = calls as f64 / max.max(1) as f64 * 100.0;
    share
}

fn calls(number: u64) -> String {
    if number == 1 { "1 call".to_owned() } else { format!("{number} calls") }
}

fn records(number: u64) -> String {
    if number == 1 { "1 record".to_owned() } else { format!("{number} records") }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn cut(text: &str) -> String {
    short(text, VALUE_CHARS_MAX * 2)
}

fn pair(keys: &Sides<Option<Key>>) -> String {
    let key = |key: &Option<Key>| key.as_ref().map_or("none".to_owned(), |key| plain(key.as_str()));
    format!("{} <-> {}", key(&keys.left), key(&keys.right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syncline_core::mapping::NoImage;

    #[test]
    fn questions_that_differ_in_values_alone_are_told_together() {
        let unit = Some("Name/name");
        let keys = (1..=4).map(|number| Some(Key::new(number.to_string())));
        let keys: Vec<_> = keys.map(|right| Sides { left: None, right }).collect();
        let kind = |at: usize| match at {
            3 => ReviewKind::Initial,
            at => {
                let why = NoImage::WouldLose(format!("digits of {}.5", at + 1));
                ReviewKind::NoImage(Side::Left, why)
            }
        };
        let asked = keys.iter().enumerate().map(|(at, keys)| {
            let shown = if at == 3 { "crm \"a\", ops \"b\"" } else { "" }.to_owned();
            Told { unit, kind: kind(at), keys, shown }
        });
        let told = alike(asked, &|side| side.to_string());
        let pairs = &told[&(unit, "left cannot store the value".to_owned())];
        assert_eq!(pairs.len(), 3, "{told:?}");
        assert_eq!(pairs[0], "none <-> 1: the field would lose digits of 1.5");
        assert_eq!(
            told[&(unit, "differed when first matched".to_owned())],
            ["none <-> 4: crm \"a\", ops \"b\""]
        );
    }

    #[test]
    fn what_waits_already_is_counted() {
        assert_eq!(already(Already::default()), None);
        let told = already(Already { questions: 2, asked: 1, parked: 0 });
        let asked = "2 questions about 1 record for a person";
        assert_eq!(told, Some(format!("  waiting already, not planned: {asked}")));
        let told = already(Already { questions: 2, asked: 1, parked: 3 });
        let parked = "3 records set aside";
        assert_eq!(told, Some(format!("  waiting already, not planned: {asked}; {parked}")));
    }

    #[test]
    fn what_cannot_be_told_is_not_told_as_nothing() {
        let last = |plan: &Plan| {
            let telling = Telling { samples: 3, reveal: false };
            lines(&Mappings::new(), plan, telling).pop()
        };
        let mut plan = Plan::default();
        assert_eq!(
            last(&plan).as_deref(),
            Some("A run would change nothing. Nothing was written.")
        );
        plan.waiting = 1;
        let told = "Not all could be told; a run would change nothing else. Nothing was written.";
        assert_eq!(last(&plan).as_deref(), Some(told));
        let mut mapping = MappingPlan::default();
        mapping.updates.left = 2;
        plan.mappings.insert(syncline_core::mapping::MappingId(1), mapping);
        let told = "Not all could be told; a run would write at least 2 records. Nothing was \
                    written.";
        assert_eq!(last(&plan).as_deref(), Some(told));
    }
}
