//! Deletions that a feed showed.

use std::collections::{BTreeSet, VecDeque};

use syncline_core::Side;
use syncline_core::machine::{Observation, Source};
use syncline_core::mapping::MappingId;
use syncline_sdk::Key;

use crate::limits;

type Name = (MappingId, Side, Key);

/// The last deletions that feeds showed. A page that was read before such a deletion and is folded
/// behind it must not bring a record to life that no link knows by its present name: its deletion
/// will not be told again. Nothing of it outlives the process, nor does any page that was under
/// way in it.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    names: BTreeSet<Name>,
    order: VecDeque<Name>,
}

impl Departed {
    /// Notes what a feed shows of a record. False for a reading of a record
    /// that is gone by now: it says nothing any more.
    pub fn admits(&mut self, mapping: MappingId, side: Side, seen: &Observation) -> bool {
        let name = (mapping, side, seen.key.clone());
        match (seen.source, &seen.content) {
            (Source::Feed, Ok(_)) => {
                self.names.remove(&name);
            }
            (Source::Feed, Err(_)) => {
                if self.names.insert(name.clone()) {
                    self.order.push_back(name);
                }
                while self.order.len() > limits::DEPARTED_MAX {
                    let oldest = self.order.pop_front();
                    oldest.map(|oldest| self.names.remove(&oldest));
                }
            }
            (Source::Page | Source::Read, Ok(_)) => return !self.names.contains(&name),
            (Source::Page | Source::Read, Err(_)) => {}
        }
        true
    }
}
