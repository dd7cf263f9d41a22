//! What both systems hold when the demo begins.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use syncline_core::{Side, Sides};

use super::crm::Crm;
use super::ops::Ops;
use super::world::{KEY, Kind};

/// How many accounts there are, both sides together; and contacts.
pub(super) const ACCOUNTS: usize = 1_000;
/// How many contacts there are.
pub(super) const CONTACTS: usize = 2_000;
/// Of ten records, so many are on both sides, to be matched by their business key; the rest is
/// on the left or the right alone, by turns.
const MATCHED: usize = 4;
/// Every so many matched pairs differ in a name, which a person has to settle.
const DIFFERING: usize = 40;
/// Every so many matched pairs have a field that is empty on one side, to be filled.
const HALF_EMPTY: usize = 5;

/// How many records there are of a kind.
pub(super) fn count(kind: Kind) -> usize {
    match kind {
        Kind::Account => ACCOUNTS,
        Kind::Contact => CONTACTS,
    }
}

/// Whether the n-th record is seeded on a side.
fn is_on(number: usize, side: Side) -> bool {
    let place = number % 10;
    place < MATCHED || place.is_multiple_of(2) == (side == Side::Left)
}

/// The account of the n-th contact: one that is seeded where the contact is, since their places
/// in their tens are the same.
fn parent(number: usize) -> usize {
    number % ACCOUNTS
}

/// The values of the n-th record on a side, in the order of the fields; no reference.
fn values(kind: Kind, number: usize, side: Side) -> Vec<Option<String>> {
    let reference = kind.reference();
    let is_matched = number % 10 < MATCHED;
    let matched = number / 10 * MATCHED + number % 10;
    let mut values: Vec<Option<String>> = (0..kind.fields().len())
        .map(|at| Some(format!("Seed {number:06} {}", kind.fields()[at].ops)))
        .collect();
    values[KEY] = Some(kind.key(number));
    if is_matched && matched.is_multiple_of(DIFFERING) {
        values[1] = Some(format!("Seed {number:06} as the {side} has it"));
    }
    if is_matched && matched.is_multiple_of(HALF_EMPTY) {
        let empty = if matched.is_multiple_of(2) { Side::Left } else { Side::Right };
        if side == empty {
            values[3] = None;
        }
    }
    if let Some(at) = reference {
        values[at] = None;
    }
    values
}

/// Seeds both systems. Both are people's work: a person made each of these records.
pub(super) async fn seed(crm: &Crm, ops: &Ops) -> anyhow::Result<()> {
    let mut accounts: Sides<BTreeMap<usize, String>> = Sides::default();
    for kind in Kind::ALL {
        for side in Side::BOTH {
            let numbers: Vec<usize> =
                (0..count(kind)).filter(|number| is_on(*number, side)).collect();
            let rows: Vec<Vec<Option<String>>> = numbers
                .iter()
                .map(|number| {
                    let mut row = values(kind, *number, side);
                    if let Some(at) = kind.reference() {
                        row[at] = accounts[side].get(&parent(*number)).cloned();
                    }
                    row
                })
                .collect();
            let ids = match side {
                Side::Left => crm.seed(kind, &bodies(kind, &rows)).await?,
                Side::Right => ops.seed(kind, &rows).await?,
            };
            if kind == Kind::Account {
                accounts[side] = numbers.into_iter().zip(ids).collect();
            }
        }
    }
    Ok(())
}

fn bodies(kind: Kind, rows: &[Vec<Option<String>>]) -> Vec<Value> {
    rows.iter()
        .map(|row| {
            let fields = kind.fields().iter().zip(row);
            let body: Map<String, Value> = fields
                .filter_map(|(field, value)| Some((field.crm.to_owned(), value.clone()?.into())))
                .collect();
            Value::Object(body)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_all_sorts_of_seeds() {
        for kind in Kind::ALL {
            let on = |number: usize| Side::BOTH.map(|side| is_on(number, side));
            let all: Vec<[bool; 2]> = (0..count(kind)).map(on).collect();
            for wanted in [[true, true], [true, false], [false, true]] {
                let found = all.iter().filter(|sides| **sides == wanted).count();
                assert!(found * 4 > count(kind), "{wanted:?}: {found}");
            }
            assert!(!all.contains(&[false, false]));
        }
    }

    #[test]
    fn the_account_of_a_contact_is_seeded_where_the_contact_is() {
        for number in 0..CONTACTS {
            for side in Side::BOTH {
                assert!(!is_on(number, side) || is_on(parent(number), side), "{number} {side}");
            }
        }
    }

    #[test]
    fn matched_pairs_agree_but_for_a_few() {
        let differing = (0..CONTACTS)
            .filter(|number| Side::BOTH.iter().all(|side| is_on(*number, *side)))
            .filter(|number| {
                values(Kind::Contact, *number, Side::Left)
                    != values(Kind::Contact, *number, Side::Right)
            });
        assert!((100..300).contains(&differing.count()));
    }
}
