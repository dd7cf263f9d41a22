//! The two systems and the mappings of a run, built from its plan.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use syncline_core::machine::Mappings;
use syncline_core::mapping::{
    Direction, LeaveRule, MappedField, MappedSide, Mapping, MappingId, MatchRule, Mode, Pair,
    Policy, Priority, Unit,
};
use syncline_core::{Side, Sides};
use syncline_sdk::{
    Comparison, Connector, EntityName, FieldName, FieldType, Filter, Instant, Normalizer,
    Selection, SystemName, Value,
};
use syncline_testkit::{Automation, Derived, EntityModel, MemoryConnector, MemorySystem, Save};

use crate::plan::Plan;

/// The mapping of the records.
pub const ITEMS: MappingId = MappingId(1);
/// The mapping of the children.
pub const CHILDREN: MappingId = MappingId(2);
/// The business key.
pub const CODE: &str = "code";
/// A field that no mapping names.
pub const NOTE: &str = "note";
/// A counter, where the plan has one.
pub const COUNT: &str = "count";
/// A set, where the plan has merges.
pub const TAGS: &str = "tags";
/// The field that the filter reads, where the plan has one.
pub const PLACE: &str = "place";
/// Its value inside the filter.
pub const INSIDE: &str = "in";
/// Its value outside.
pub const OUTSIDE: &str = "out";
/// A child's reference to its parent.
pub const PARENT: &str = "parent";
const LINK: &str = "link";
const MARKER: &str = "marker";

/// When a run begins, microseconds.
pub const BEGIN: i64 = 1_000_000_000_000_000;

/// The name of a side's system.
#[must_use]
pub fn system_name(side: Side) -> SystemName {
    SystemName::new(side.as_str())
}

/// The entity of a mapping, the same name on both sides.
#[must_use]
pub fn entity_of(mapping: MappingId) -> EntityName {
    EntityName::new(if mapping == CHILDREN { "Child" } else { "Item" })
}

/// The name of the n-th field beside the business key.
#[must_use]
pub fn field_name(at: usize) -> FieldName {
    FieldName::new(format!("f{at}"))
}

fn index(side: Side) -> usize {
    usize::from(side == Side::Right)
}

fn kind_of(name: &FieldName) -> FieldType {
    match name.as_str() {
        PARENT => FieldType::Reference { entities: vec![entity_of(ITEMS)] },
        COUNT => FieldType::Int { min: i64::MIN, max: i64::MAX },
        TAGS => FieldType::List(Box::new(FieldType::Text { chars_max: None })),
        _ => FieldType::Text { chars_max: None },
    }
}

fn declared(saves: Option<&Save>) -> Vec<Normalizer> {
    match saves {
        Some(Save::Declared(step)) => vec![step.clone()],
        _ => Vec::new(),
    }
}

/// One of the two systems, with its entities.
#[must_use]
pub fn system(plan: &Plan, side: Side) -> MemorySystem {
    let at = index(side);
    let mut item = EntityModel::new(entity_of(ITEMS), "id").text(CODE).text(NOTE);
    if plan.unique_code[at] {
        item = item.unique(CODE);
    }
    for (number, field) in plan.fields.iter().enumerate() {
        item = item.text(field_name(number));
        if let Some(save) = &field.saves[at] {
            item = item.save(field_name(number), save.clone());
        }
    }
    if plan.merges {
        for name in [COUNT, TAGS].map(FieldName::new) {
            item = item.field(name.clone(), kind_of(&name));
        }
    }
    if plan.filter.is_some() {
        item = item.text(PLACE);
    }
    if let Some(automation) = plan.automation.filter(|automation| automation.side == side) {
        let last = field_name(plan.fields.len() - 1);
        let (on, set, to) = if automation.same_field || plan.fields.len() == 1 {
            (field_name(0), field_name(0), Derived::Uppercase)
        } else {
            (field_name(0), last, Derived::Suffix("!".into()))
        };
        let later = automation.later && on != set;
        let delay = later.then_some(Duration::from_secs(2));
        item = item.automation(Automation { on, set, to, delay });
    }
    let mut child = EntityModel::new(entity_of(CHILDREN), "id")
        .text(CODE)
        .field(PARENT, kind_of(&FieldName::new(PARENT)));
    if plan.external_id[at] {
        item = item.external_id(LINK);
        child = child.external_id(LINK);
    }
    let name = system_name(side);
    let system = MemorySystem::new(name, plan.profiles[at].clone())
        .entity(item.text(MARKER))
        .entity(child.text(MARKER));
    system.advance(Instant::from_micros(BEGIN));
    system
}

/// The mappings of a run.
#[must_use]
pub fn mappings(plan: &Plan, systems: &Sides<MemorySystem>) -> Mappings {
    let mut units = vec![unit(CODE, 0, Direction::Both, Policy::Review, None)];
    for (at, field) in plan.fields.iter().enumerate() {
        let name = field_name(at);
        if plan.grouped
            && at == 1
            && let Some(unit) = units.last_mut()
        {
            unit.pairs.push(Pair::plain(at + 1, at + 1));
            continue;
        }
        let unit = unit(name.as_str(), at + 1, field.direction, field.conflict, None);
        units.push(Unit { foreign: field.foreign, ..unit });
    }
    let mut names: Vec<FieldName> = std::iter::once(FieldName::new(CODE))
        .chain((0..plan.fields.len()).map(field_name))
        .collect();
    let merged = [(COUNT, Policy::Counter, plan.counts()), (TAGS, Policy::MergeSet, plan.merges)];
    for (name, policy, wanted) in merged {
        if wanted {
            units.push(unit(name, names.len(), Direction::Both, policy, None));
            names.push(FieldName::new(name));
        }
    }
    if plan.filter.is_some_and(|filter| filter.mapped) {
        units.push(unit(PLACE, names.len(), Direction::Both, Policy::Review, None));
        names.push(FieldName::new(PLACE));
    }
    let mut mappings: Mappings = BTreeMap::new();
    let items = mapping(plan, systems, ITEMS, "items", &names, units);
    mappings.insert(ITEMS, Arc::new(items));
    if plan.children {
        let names = [FieldName::new(CODE), FieldName::new(PARENT)];
        let units = vec![
            unit(CODE, 0, Direction::Both, Policy::Review, None),
            unit(PARENT, 1, Direction::Both, Policy::Review, Some(ITEMS)),
        ];
        let children = mapping(plan, systems, CHILDREN, "children", &names, units);
        mappings.insert(CHILDREN, Arc::new(children));
    }
    mappings
}

fn unit(
    name: &str,
    at: usize,
    direction: Direction,
    conflict: Policy,
    reference: Option<MappingId>,
) -> Unit {
    let pair = Pair { reference, ..Pair::plain(at, at) };
    Unit { direction, conflict, ..Unit::of(name, pair) }
}

fn mapping(
    plan: &Plan,
    systems: &Sides<MemorySystem>,
    id: MappingId,
    name: &str,
    fields: &[FieldName],
    units: Vec<Unit>,
) -> Mapping {
    let matches = if plan.matches || id == CHILDREN {
        vec![MatchRule { left: 0, right: 0, normalize: vec![Normalizer::Trim] }]
    } else {
        Vec::new()
    };
    Mapping {
        id,
        name: name.into(),
        revision: 1,
        former: BTreeMap::new(),
        sides: Sides::from_fn(|side| mapped_side(plan, systems, id, fields, side)),
        units,
        matches,
        initial: plan.initial,
        owners: Sides::default(),
        create: Sides { left: plan.create[0], right: plan.create[1] },
        delete: Sides { left: plan.delete[0], right: plan.delete[1] },
        leave: plan.filter.map_or(LeaveRule::Keep, |filter| filter.leave),
        mode: Mode::Live,
        priority: Priority::Normal,
        objective: None,
        drifted: Sides::default(),
    }
}

fn mapped_side(
    plan: &Plan,
    systems: &Sides<MemorySystem>,
    id: MappingId,
    fields: &[FieldName],
    side: Side,
) -> MappedSide {
    let at = index(side);
    let place = FieldName::new(PLACE);
    let filter = plan.filter.filter(|filter| id == ITEMS && filter.sides[at]);
    let read = filter.is_some() && !fields.contains(&place);
    let image_len = fields.len();
    let fields: Vec<FieldName> =
        fields.iter().cloned().chain(read.then(|| place.clone())).collect();
    let marks = plan.profiles[at].capabilities.recycle_bin.is_some();
    let selection = Arc::new(Selection {
        entity: entity_of(id),
        fields: fields.clone().into(),
        external_id: plan.external_id[at].then(|| FieldName::new(LINK)),
        marker: marks.then(|| FieldName::new(MARKER)),
        actor: None,
        filter: filter.map(|_| Filter::Compare {
            field: place,
            comparison: Comparison::Equal,
            value: INSIDE.into(),
        }),
    });
    let capabilities = MemoryConnector::new(&systems[side]).effective(&selection);
    let mapped = fields.iter().enumerate().map(|(number, name)| {
        let saves = match number {
            0 => None,
            _ if id == CHILDREN => None,
            _ => plan.fields.get(number - 1).and_then(|field| field.saves[at].as_ref()),
        };
        MappedField {
            name: name.clone(),
            kind: kind_of(name),
            nullable: true,
            creatable: true,
            updatable: true,
            normalizers: declared(saves),
            sensitive: false,
            filled: false,
        }
    });
    MappedSide {
        system: system_name(side),
        selection,
        fields: mapped.collect(),
        image_len,
        capabilities,
    }
}

/// The names of the fields that the sync itself may write beside mapped ones.
#[must_use]
pub fn is_own_field(name: &FieldName) -> bool {
    [LINK, MARKER].contains(&name.as_str())
}

/// The number of the edit that a value carries; nothing for an empty field. Normalisers and
/// automations keep the number.
#[must_use]
pub fn token(value: &Value) -> Option<u32> {
    let Value::Text(text) = value else { return None };
    let text = text.trim().to_lowercase();
    let digits: String = text.strip_prefix('e')?.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}
