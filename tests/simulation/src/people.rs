//! What people do in the two systems.

use syncline_core::mapping::MappingId;
use syncline_core::{Side, Sides};
use syncline_sdk::{EntityName, FieldName, Instant, Key, Value};
use syncline_testkit::{MemorySystem, Save};

use crate::desk::{Desk, Inner};
use crate::plan::{Habits, Plan};
use crate::setup::{CHILDREN, CODE, COUNT, ITEMS, NOTE, PARENT, TAGS, entity_of, field_name};

/// A transaction of a person that is open.
#[derive(Clone, Copy, Debug)]
pub struct Transaction {
    /// Where.
    pub side: Side,
    /// Its number there.
    pub number: u64,
    /// When it began, microseconds.
    pub began: i64,
}

/// The people of a run.
pub struct People {
    pub(super) plan: Plan,
    desk: Desk,
    pub(super) systems: Sides<MemorySystem>,
    last_token: u32,
    last_code: u32,
    pub(super) last_member: u32,
    /// How often somebody counted.
    pub(super) counts: u32,
    /// Transactions that were begun: side and number.
    pub open: Vec<Transaction>,
    /// How many records of each business key people made, per side.
    pub created: Vec<(MappingId, Side, String)>,
    /// Records that somebody is about to make, as another did on the other side.
    later: Vec<(MappingId, Side, String)>,
}

impl People {
    /// People who have done nothing yet.
    #[must_use]
    pub fn new(plan: &Plan, desk: &Desk, systems: &Sides<MemorySystem>) -> Self {
        Self {
            plan: plan.clone(),
            desk: desk.clone(),
            systems: systems.clone(),
            last_token: 0,
            last_code: 0,
            last_member: 0,
            counts: 0,
            open: Vec::new(),
            created: Vec::new(),
            later: Vec::new(),
        }
    }
    /// How many values were given.
    #[must_use]
    pub fn tokens(&self) -> u32 {
        self.last_token
    }
    /// A value that nobody gave before.
    pub fn fresh(&mut self) -> Value {
        self.last_token += 1;
        Value::from(format!("e{}", self.last_token))
    }
    /// A new value for a field, in the form that its side's normaliser changes now and then.
    fn value_for(&mut self, at: usize, inner: &mut Inner) -> Value {
        let value = self.fresh();
        let Some(text) = value.as_text() else { return value };
        let normalised = self.plan.fields.get(at).is_some_and(|field| {
            let touches = |save: &Option<Save>| save.is_some();
            field.saves.iter().any(touches)
        });
        if normalised && inner.choices.chance(400) {
            return Value::from(format!(" {} ", text.to_uppercase()));
        }
        value
    }
    pub(super) fn side(inner: &mut Inner) -> Side {
        if inner.choices.below(2) == 1 { Side::Right } else { Side::Left }
    }
    pub(super) fn any_record(
        &self,
        inner: &mut Inner,
        side: Side,
        entity: &EntityName,
    ) -> Option<Key> {
        let records = self.systems[side].records(entity);
        let keys: Vec<&Key> = records.keys().collect();
        inner.choices.one_of(&keys).map(|key| (*key).clone())
    }
    fn any_field(&self, inner: &mut Inner) -> usize {
        inner.choices.below(u32::try_from(self.plan.fields.len()).unwrap_or(1)) as usize
    }

    /// Creates a record with a business key. Gives the key when the system took it.
    pub fn create(&mut self, inner: &mut Inner, side: Side, mapping: MappingId, code: &str) {
        let entity = entity_of(mapping);
        let mut values = vec![(FieldName::new(CODE), Value::from(code))];
        if mapping == CHILDREN {
            let parent = self.any_record(inner, side, &entity_of(ITEMS));
            let parent = parent.map_or(Value::Null, |key| Value::text(key.as_str()));
            values.push((FieldName::new(PARENT), parent));
        } else {
            for at in 0..self.plan.fields.len() {
                let value = self.value_for(at, inner);
                values.push((field_name(at), value));
            }
            values.push((FieldName::new(NOTE), Value::from("kept")));
            if self.plan.merges {
                values.push((FieldName::new(COUNT), Value::Int(0)));
                values.push((FieldName::new(TAGS), Value::List([].into())));
            }
            values.extend(self.place(inner));
        }
        let made = self.systems[side].person("ann").create(&entity, values.clone());
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: create {values:?} -> {made:?}"));
        if made.is_ok() {
            self.created.push((mapping, side, code.to_owned()));
        }
    }
    fn new_code(&mut self) -> String {
        self.last_code += 1;
        format!("c{}", self.last_code)
    }
    /// The records that are there before the engine starts.
    pub fn seed(&mut self) {
        let desk = self.desk.clone();
        let mut inner = desk.lock();
        let [left, right] = self.plan.seeded;
        for number in 0..left.max(right) {
            let code = self.new_code();
            if number < left {
                self.create(&mut inner, Side::Left, ITEMS, &code);
            }
            if number < right {
                self.create(&mut inner, Side::Right, ITEMS, &code);
            }
        }
    }

    /// Does one thing.
    pub fn act(&mut self) {
        let desk = self.desk.clone();
        let mut inner = desk.lock();
        if self.create_later(&mut inner) {
            return;
        }
        if self.plan.merges && inner.choices.chance(400) {
            return self.count(&mut inner);
        }
        let Habits {
            edit,
            form,
            restore,
            clear,
            both,
            create,
            create_both,
            delete,
            undelete,
            merge,
            lock,
            begin,
            adopt,
            leave,
        } = self.plan.habits;
        let adopt = if self.plan.children { adopt } else { 0 };
        let weights = [
            edit,
            form,
            restore,
            clear,
            both,
            create,
            create_both,
            delete,
            undelete,
            merge,
            lock,
            begin,
            adopt,
            leave,
        ];
        let what = inner.choices.weighted(&weights);
        let side = Self::side(&mut inner);
        match what {
            0 => self.edit(&mut inner, side, 1, false),
            1 => self.edit(&mut inner, side, 3, false),
            2 => self.restore(&mut inner, side),
            3 => self.clear(&mut inner, side),
            4 => self.both(&mut inner),
            5 => {
                let mapping = self.some_mapping(&mut inner);
                let code = self.new_code();
                inner.coverage.hit("people: create");
                self.create(&mut inner, side, mapping, &code);
            }
            6 => {
                let mapping = self.some_mapping(&mut inner);
                let code = self.new_code();
                if inner.choices.chance(self.plan.twins) {
                    self.create(&mut inner, side, mapping, &code);
                    self.later.push((mapping, side.other(), code));
                    return;
                }
                inner.coverage.hit("people: create on both sides");
                self.create(&mut inner, Side::Left, mapping, &code);
                self.create(&mut inner, Side::Right, mapping, &code);
            }
            7 => self.delete(&mut inner, side),
            8 => self.undelete(&mut inner, side),
            9 => self.merge(&mut inner, side),
            10 => self.lock(&mut inner, side),
            11 => self.edit(&mut inner, side, 1, true),
            12 => self.reparent(&mut inner, side),
            _ => self.leave(&mut inner, side),
        }
    }

    /// Somebody makes the record that was made on the other side, unless there is one already.
    fn create_later(&mut self, inner: &mut Inner) -> bool {
        if self.later.is_empty() || !inner.choices.chance(700) {
            return false;
        }
        let (mapping, side, code) = self.later.remove(0);
        let records = self.systems[side].records(&entity_of(mapping));
        let there = records.values().any(|values| {
            values.get(&FieldName::new(CODE)).and_then(Value::as_text) == Some(code.as_str())
        });
        if !there {
            inner.coverage.hit("people: the same later on the other side");
            self.create(inner, side, mapping, &code);
        }
        !there
    }

    fn some_mapping(&self, inner: &mut Inner) -> MappingId {
        if self.plan.children && inner.choices.chance(500) { CHILDREN } else { ITEMS }
    }

    fn edit(&mut self, inner: &mut Inner, side: Side, most: u32, late: bool) {
        let entity = entity_of(ITEMS);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let first = self.any_field(inner);
        let count = 1 + inner.choices.below(most) as usize;
        let fields: Vec<usize> = (0..count.min(self.plan.fields.len()))
            .map(|n| (first + n) % self.plan.fields.len())
            .collect();
        let values: Vec<(FieldName, Value)> =
            fields.into_iter().map(|at| (field_name(at), self.value_for(at, inner))).collect();
        let person = self.systems[side].person("bob");
        let step = inner.step;
        if late {
            let begun = person.begin(&entity, &key, values.clone());
            inner.trace.tell(step, || format!("{side}: begin {key} {values:?} -> {begun:?}"));
            if let Ok(number) = begun {
                inner.coverage.hit("fault: late transaction");
                self.open.push(Transaction { side, number, began: inner.now });
            }
            return;
        }
        let done = person.edit(&entity, &key, values.clone());
        inner.coverage.hit(if most > 1 { "people: form" } else { "people: edit" });
        inner.trace.tell(step, || format!("{side}: edit {key} {values:?} -> {done:?}"));
    }

    pub(super) fn write(
        &self,
        inner: &mut Inner,
        side: Side,
        key: &Key,
        field: FieldName,
        value: Value,
    ) {
        let values = vec![(field, value)];
        let done = self.systems[side].person("eve").edit(&entity_of(ITEMS), key, values.clone());
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: edit {key} {values:?} -> {done:?}"));
    }

    /// A value that the field had before comes back.
    fn restore(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(ITEMS);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let field = field_name(self.any_field(inner));
        let past: Vec<Value> = self.systems[side].view_history(|log| {
            let of = log.iter().filter(|line| line.entity == entity && line.key == key);
            let values = of.filter_map(|line| match &line.event {
                syncline_testkit::Event::Field { field: named, new, .. } if *named == field => {
                    Some(new.clone())
                }
                _ => None,
            });
            values.collect()
        });
        let recent = &past[past.len().saturating_sub(3)..];
        let Some(value) = inner.choices.one_of(recent).cloned() else { return };
        inner.coverage.hit("people: restore");
        self.write(inner, side, &key, field, value);
    }

    fn clear(&mut self, inner: &mut Inner, side: Side) {
        let Some(key) = self.any_record(inner, side, &entity_of(ITEMS)) else { return };
        let field = field_name(self.any_field(inner));
        inner.coverage.hit("people: clear");
        self.write(inner, side, &key, field, Value::Null);
    }

    /// The same field of two records of one business key, in one moment; now and then the same
    /// value.
    fn both(&mut self, inner: &mut Inner) {
        let entity = entity_of(ITEMS);
        let Some(left) = self.any_record(inner, Side::Left, &entity) else { return };
        let code = self.systems.left.value(&entity, &left, &FieldName::new(CODE));
        let records = self.systems.right.records(&entity);
        let same = |values: &std::collections::BTreeMap<FieldName, Value>| {
            values.get(&FieldName::new(CODE)) == code.as_ref()
        };
        let Some((right, _)) = records.iter().find(|(_, values)| same(values)) else { return };
        let at = self.any_field(inner);
        let value = self.value_for(at, inner);
        let other =
            if inner.choices.chance(150) { value.clone() } else { self.value_for(at, inner) };
        inner.coverage.hit("people: same on both sides");
        self.write(inner, Side::Left, &left, field_name(at), value);
        self.write(inner, Side::Right, right, field_name(at), other);
    }

    fn delete(&mut self, inner: &mut Inner, side: Side) {
        let mapping = self.some_mapping(inner);
        let entity = entity_of(mapping);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let done = self.systems[side].person("dan").delete(&entity, &key);
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: delete {entity} {key} -> {done:?}"));
        inner.coverage.hit("people: delete");
    }

    fn undelete(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(ITEMS);
        let gone: Vec<Key> = self.systems[side].view_history(|log| {
            let gone = log.iter().filter(|line| line.event == syncline_testkit::Event::Deleted);
            gone.filter(|line| line.entity == entity).map(|line| line.key.clone()).collect()
        });
        let Some(key) = inner.choices.one_of(&gone).cloned() else { return };
        let done = self.systems[side].person("una").undelete(&entity, &key);
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: undelete {key} -> {done:?}"));
        if done.is_ok() {
            inner.coverage.hit("people: undelete");
        }
    }

    fn merge(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(ITEMS);
        let profile = self.systems[side].profile();
        if profile.capabilities.recycle_bin.is_none() {
            return;
        }
        let (Some(loser), Some(survivor)) =
            (self.any_record(inner, side, &entity), self.any_record(inner, side, &entity))
        else {
            return;
        };
        let done = self.systems[side].person("max").merge(&entity, &loser, &survivor, Vec::new());
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: merge {loser} into {survivor} -> {done:?}"));
        if done.is_ok() {
            inner.coverage.hit("people: merge");
        }
    }

    fn lock(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(ITEMS);
        let Some(key) = self.any_record(inner, side, &entity) else { return };
        let wait = 1_000 * i64::from(1 + inner.choices.below(60_000));
        self.systems[side].lock(&entity, &key, Instant::from_micros(inner.now + wait));
        inner.coverage.hit("fault: lock by a person");
    }

    fn reparent(&mut self, inner: &mut Inner, side: Side) {
        let entity = entity_of(CHILDREN);
        let Some(child) = self.any_record(inner, side, &entity) else { return };
        let Some(parent) = self.any_record(inner, side, &entity_of(ITEMS)) else { return };
        let values = vec![(FieldName::new(PARENT), Value::text(parent.as_str()))];
        let done = self.systems[side].person("pam").edit(&entity, &child, values);
        let step = inner.step;
        inner.trace.tell(step, || format!("{side}: {child} under {parent} -> {done:?}"));
    }
}
