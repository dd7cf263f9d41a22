//! What belongs together, as far as names, types and values tell.

use std::collections::{BTreeMap, BTreeSet};

use syncline_core::Sides;
use syncline_sdk::{FieldSchema, FieldType};

use super::evidence::evidence;
use super::likeness::{Sort, entity_words, is_key_name, names, share, sort};
use super::sample::{Column, Sample};

/// The least share of a key's sampled values that are on both sides.
const OVERLAP_MIN: f64 = 0.1;
/// How unique a key must be.
const UNIQUE_MIN: f64 = 0.98;
/// How much a name that says that its field is a key counts on each side, and where most values are
/// on one side alone.
const NAMED: (f64, f64) = (0.25, 0.1);
/// From which share of common values on it counts fully.
const NAMED_OVERLAP_MIN: f64 = 0.5;
/// How likely two fields must be the same to be proposed.
const SCORE_MIN: f64 = 0.55;
/// The most different values of a field whose values are translated one by one.
const VALUES_MAX: usize = 25;
/// How many records must show both values before what they show counts.
pub(super) const SHOWN_MIN: usize = 3;

/// What is proposed. Fields are places among the columns of each side's sample.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    /// How records find each other, the best first.
    pub keys: Vec<Key>,
    /// Fields that belong together, in the order of the left side.
    pub pairs: Vec<Pair>,
    /// How many sampled records have found a partner by the best key.
    pub matched: usize,
}

/// A field on each side that holds the same in records of the same thing.
#[derive(Debug)]
pub(super) struct Key {
    pub columns: Sides<usize>,
    /// Values that are on both sides, and how many the smaller side has.
    pub shared: (usize, usize),
}

/// Fields that belong together.
#[derive(Debug)]
pub(super) struct Pair {
    pub columns: Sides<usize>,
    score: f64,
    /// In how many of the matched records with both values they are equal.
    pub equal: (usize, usize),
    /// In how many of these records the equal values are texts that differ in case or in blanks
    /// around them.
    pub cased: usize,
    /// How the values of the left are written on the right, where each has one word of its own.
    pub values: Vec<(String, String)>,
}

/// Finds what belongs together.
pub(super) fn propose(left: &Sample, right: &Sample) -> Proposal {
    let mut entities = entity_words(left.schema.entity.as_str());
    entities.extend(entity_words(right.schema.entity.as_str()));
    let keys = keys(left, right, &entities);
    let partners = keys.first().map(|key| partners(left, right, &key.columns)).unwrap_or_default();
    let mut found = Vec::new();
    for (at_left, l) in left.columns.iter().enumerate() {
        for (at_right, r) in right.columns.iter().enumerate() {
            let columns = Sides { left: at_left, right: at_right };
            found.extend(pair(columns, (left, l), (right, r), &partners, &entities));
        }
    }
    found.sort_by(|a: &Pair, b: &Pair| b.score.total_cmp(&a.score));
    let (mut taken, mut pairs) = (Sides::<BTreeSet<usize>>::default(), Vec::new());
    for pair in found {
        let free =
            !taken.left.contains(&pair.columns.left) && !taken.right.contains(&pair.columns.right);
        if free {
            taken.left.insert(pair.columns.left);
            taken.right.insert(pair.columns.right);
            pairs.push(pair);
        }
    }
    pairs.sort_by_key(|pair| pair.columns.left);
    Proposal { keys, pairs, matched: partners.len() }
}

fn field<'a>(sample: &'a Sample, column: &Column) -> &'a FieldSchema {
    &sample.schema.fields[column.field]
}

fn writable(field: &FieldSchema) -> bool {
    field.updatable
}

/// Whether a field is a number that its system may have given the record itself. Two systems count
/// alike by chance, from 1.
fn is_counted(sample: &Sample, column: &Column) -> bool {
    let field = field(sample, column);
    sort(&field.kind) == Sort::Number && sample.schema.key.contains(&field.name)
}

/// Fields of like names and types on both sides, by which it shows whether records are the same.
fn alike(left: &Sample, right: &Sample, entities: &BTreeSet<String>) -> Vec<Sides<usize>> {
    let mut found = Vec::new();
    for (at_left, l) in left.columns.iter().enumerate().filter(|(_, l)| l.distinct.len() > 2) {
        for (at_right, r) in right.columns.iter().enumerate() {
            let (lf, rf) = (field(left, l), field(right, r));
            let kind = sort(&lf.kind);
            let fits = kind != Sort::Other && kind == sort(&rf.kind);
            if fits && names(lf.name.as_str(), rf.name.as_str(), entities) >= 0.5 {
                found.push(Sides { left: at_left, right: at_right });
            }
        }
    }
    found
}

fn keys(left: &Sample, right: &Sample, entities: &BTreeSet<String>) -> Vec<Key> {
    let others = alike(left, right, entities);
    let telling = |sample: &Sample, column: &Column| {
        let kind = sort(&field(sample, column).kind);
        let filled = column.filled();
        let unique = share(column.distinct.len(), filled) >= UNIQUE_MIN;
        matches!(kind, Sort::Text | Sort::Number) && unique && filled * 2 >= sample.records
    };
    let mut keys: Vec<(Rank, f64, Key)> = Vec::new();
    for (at_left, l) in left.columns.iter().enumerate().filter(|(_, c)| telling(left, c)) {
        for (at_right, r) in right.columns.iter().enumerate().filter(|(_, c)| telling(right, c)) {
            if sort(&field(left, l).kind) != sort(&field(right, r).kind) {
                continue;
            }
            let both = l.distinct.intersection(&r.distinct).count();
            let smaller = l.distinct.len().min(r.distinct.len());
            let overlap = share(both, smaller);
            let alike =
                names(field(left, l).name.as_str(), field(right, r).name.as_str(), entities);
            // Numbers of two sequences overlap by chance: their names must say the same.
            let by_chance = sort(&field(left, l).kind) == Sort::Number && alike < 0.5;
            if overlap < OVERLAP_MIN || by_chance {
                continue;
            }
            let columns = Sides { left: at_left, right: at_right };
            let counted = is_counted(left, l) && is_counted(right, r);
            let evidence =
                evidence(left, right, &partners(left, right, &columns), &columns, &others);
            let rank = match (counted, evidence.holds()) {
                (true, Some(false)) => continue,
                (false, None | Some(true)) => Rank::Told,
                (true, Some(true)) => Rank::Counted,
                (true, None) | (false, Some(false)) => Rank::Doubtful,
            };
            let fit = [field(left, l), field(right, r)].map(|field| fitness(field, overlap));
            let score = overlap + alike / 10.0 + fit.iter().sum::<f64>() + evidence.best;
            keys.push((rank, score, Key { columns, shared: (both, smaller) }));
        }
    }
    keys.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.total_cmp(&a.1)));
    keys.into_iter().map(|(_, _, key)| key).take(2).collect()
}

/// How far a key can be believed, the best first: numbers that two systems gave their records on
/// their own say less than any value that people gave them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Rank {
    Told,
    Counted,
    Doubtful,
}

/// How fit a field is to be a key, by what is said of it: a sample of names may be without repeats
/// by chance, what the side keeps unique is so for good.
fn fitness(field: &FieldSchema, overlap: f64) -> f64 {
    let kept = if field.unique || field.external_id { 0.2 } else { 0.0 };
    let named = if overlap >= NAMED_OVERLAP_MIN { NAMED.0 } else { NAMED.1 };
    kept + if is_key_name(field.name.as_str()) { named } else { 0.0 }
}

/// Sampled records of the same thing: their places on the left and on the right.
fn partners(left: &Sample, right: &Sample, key: &Sides<usize>) -> Vec<(usize, usize)> {
    let (l, r) = (&left.columns[key.left], &right.columns[key.right]);
    let places: BTreeMap<&str, usize> = r
        .values
        .iter()
        .enumerate()
        .filter_map(|(at, value)| Some((value.as_deref()?, at)))
        .collect();
    let partner =
        |(at, value): (usize, &Option<String>)| Some((at, *places.get(value.as_deref()?)?));
    l.values.iter().enumerate().filter_map(partner).collect()
}

fn pair(
    columns: Sides<usize>,
    (left, l): (&Sample, &Column),
    (right, r): (&Sample, &Column),
    partners: &[(usize, usize)],
    entities: &BTreeSet<String>,
) -> Option<Pair> {
    let (lf, rf) = (field(left, l), field(right, r));
    let kind = sort(&lf.kind);
    if kind != sort(&rf.kind) || kind == Sort::Other || !(writable(lf) || writable(rf)) {
        return None;
    }
    let alike = names(lf.name.as_str(), rf.name.as_str(), entities);
    let shown: Vec<(&str, &str)> = partners
        .iter()
        .filter_map(|(a, b)| Some((l.values[*a].as_deref()?, r.values[*b].as_deref()?)))
        .collect();
    let equal = shown.iter().filter(|(a, b)| a == b).count();
    // A UUID holds no other id: only values that are the same tell that a text is one.
    let is_uuid = |field: &FieldSchema| field.kind == FieldType::Uuid;
    if is_uuid(lf) != is_uuid(rf) && equal == 0 {
        return None;
    }
    let cased = partners.iter().filter(|(a, b)| {
        let alike = l.values[*a].is_some() && l.values[*a] == r.values[*b];
        alike && kind == Sort::Text && l.shown[*a].to_string() != r.shown[*b].to_string()
    });
    let cased = cased.count();
    let mut values = Vec::new();
    let score = if shown.len() < SHOWN_MIN {
        if is_counted(left, l) && is_counted(right, r) {
            return None;
        }
        alike
    } else {
        let mut agree = share(equal, shown.len());
        if agree < 0.5 && kind == Sort::Text {
            values = translated(l, r, partners);
            if !values.is_empty() {
                agree = 1.0;
            }
        }
        // Values that never differ from record to record agree by chance.
        let telling = l.distinct.len() > 2;
        if telling { 0.4 * alike + 0.6 * agree } else { 0.8 * alike + 0.2 * agree }
    };
    let equal = (equal, shown.len());
    (score >= SCORE_MIN).then_some(Pair { columns, score, equal, cased, values })
}

/// How each value of the left is written on the right, where every one is always written in one
/// way and no two in the same.
fn translated(l: &Column, r: &Column, partners: &[(usize, usize)]) -> Vec<(String, String)> {
    if l.distinct.len() > VALUES_MAX || r.distinct.len() > VALUES_MAX {
        return Vec::new();
    }
    let mut words: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut shown = 0;
    for (a, b) in partners {
        if l.values[*a].is_some() && r.values[*b].is_some() {
            shown += 1;
            words.entry(l.shown[*a].to_string()).or_default().insert(r.shown[*b].to_string());
        }
    }
    let targets: BTreeSet<&String> = words.values().flatten().collect();
    let one_each = words.values().all(|targets| targets.len() == 1);
    if !one_each || targets.len() != words.len() || words.len() < 2 || shown < 2 * words.len() {
        return Vec::new();
    }
    let only =
        |(word, targets): (String, BTreeSet<String>)| Some((word, targets.into_iter().next()?));
    words.into_iter().filter_map(only).collect()
}
