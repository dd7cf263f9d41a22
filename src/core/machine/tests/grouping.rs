//! Which writes share a batch.

use syncline_sdk::{IntentId, LinkId, Version};

use super::builder::MAPPING;
use crate::Side;
use crate::machine::batching::{Carried, Step};
use crate::machine::grouping::parts;
use crate::model::{Intent, IntentKind};

fn carried(number: i32, group: Option<u64>) -> Carried {
    let intent = Intent {
        id: IntentId { commit: 1, ordinal: number },
        side: Side::Right,
        kind: IntentKind::Update,
        key: None,
        units: Vec::new(),
        fields: Vec::new(),
        version: Version::default(),
        source: Vec::new(),
        half: false,
        actor: syncline_sdk::Actor::default(),
        edited_at: None,
    };
    let link = LinkId(uuid::Uuid::from_u128(u128::from(number.unsigned_abs())));
    Carried { mapping: MAPPING, link, intent, step: Step::Write, claim: false, group }
}

/// The groups of each batch.
fn shared(groups: &[Option<u64>], rows: usize, transactional: bool) -> Vec<Vec<Option<u64>>> {
    let carried = (0..).zip(groups).map(|(number, group)| carried(number, *group)).collect();
    let parts = parts(carried, rows, transactional);
    parts.iter().map(|part| part.iter().map(|one| one.group).collect()).collect()
}

#[test]
fn a_transaction_is_not_torn_apart_by_the_end_of_a_batch() {
    let groups = [Some(1), None, Some(2), Some(1), Some(2), Some(2)];
    let batches = shared(&groups, 4, true);
    assert_eq!(batches, [vec![Some(1), Some(1), None], vec![Some(2); 3]]);
}

#[test]
fn a_transaction_larger_than_a_batch_passes_in_parts() {
    let batches = shared(&[None, Some(1), Some(1), Some(1)], 2, true);
    assert_eq!(batches, [vec![None], vec![Some(1); 2], vec![Some(1)]]);
}

#[test]
fn where_there_are_no_transactions_batches_are_filled() {
    let batches = shared(&[Some(1), None, Some(1)], 2, false);
    assert_eq!(batches, [vec![Some(1), None], vec![Some(1)]]);
}
