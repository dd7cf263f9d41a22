//! What people do to counters and sets, of which both sides' changes are kept.

use syncline_core::Side;
use syncline_sdk::{FieldName, Key, Value};

use crate::desk::Inner;
use crate::people::People;
use crate::setup::{CODE, COUNT, ITEMS, TAGS, entity_of};

impl People {
    /// Counts something, or puts a member into a set or takes one away: of one record, or of the
    /// two of a pair in one moment.
    pub(super) fn count(&mut self, inner: &mut Inner) {
        let entity = entity_of(ITEMS);
        let side = Self::side(inner);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let code = self.systems[side].value(&entity, &key, &FieldName::new(CODE));
        self.count_one(inner, side, &key);
        if !inner.choices.chance(400) {
            return;
        }
        let records = self.systems[side.other()].records(&entity);
        let mut partners =
            records.iter().filter(|(_, values)| values.get(&FieldName::new(CODE)) == code.as_ref());
        if let Some((partner, _)) = partners.next() {
            inner.coverage.hit("people: count on both sides");
            self.count_one(inner, side.other(), partner);
        }
    }

    fn count_one(&mut self, inner: &mut Inner, side: Side, key: &Key) {
        let entity = entity_of(ITEMS);
        let now = |field: &str| self.systems[side].value(&entity, key, &FieldName::new(field));
        let what = inner.choices.below(4);
        if what < 2 {
            // No two sums of such changes are the same: equal values on both sides are one change.
            let by = 1_i64 << self.counts.min(61);
            self.counts += 1;
            let before = match now(COUNT) {
                Some(Value::Int(before)) => before,
                _ => 0,
            };
            self.write(inner, side, key, FieldName::new(COUNT), Value::Int(before + by));
            return;
        }
        let mut members: Vec<Value> = match now(TAGS) {
            Some(Value::List(members)) => members.to_vec(),
            _ => Vec::new(),
        };
        if what == 2 || members.is_empty() {
            self.last_member += 1;
            members.push(Value::from(format!("m{}", self.last_member)));
        } else {
            let most = u32::try_from(members.len()).unwrap_or(u32::MAX);
            members.remove(inner.choices.below(most) as usize);
        }
        self.write(inner, side, key, FieldName::new(TAGS), Value::List(members.into()));
    }
}
