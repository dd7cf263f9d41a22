//! The types of fields, as far as a mapping and its tests show them.

use std::collections::BTreeMap;

use syncline_sdk::{Decimal, EntitySchema, FieldName, FieldSchema, FieldType, Precision};

use crate::mapping::Policy;
use crate::mapping::language::{
    CaseValue, Condition, FieldSpec, Literal, MappingRef, MappingSpec, ModeSpec, Scalar, Style,
    ViewSpec,
};
use crate::{Side, Sides};

type Kinds = BTreeMap<FieldName, FieldType>;

const TEXT: FieldType = FieldType::Text { chars_max: None };
const INTEGER: FieldType = FieldType::Int { min: i64::MIN, max: i64::MAX };
const DECIMAL: FieldType = FieldType::Decimal { precision: None, scale: None };
const SET: FieldType = FieldType::Set { values: Vec::new(), restricted: false };
const INSTANT: FieldType = FieldType::Instant { precision: Precision::Micro };

/// Both sides as they must be for the mapping and its tests to make sense.
pub(super) fn schemas(spec: &MappingSpec, mappings: &[MappingRef]) -> Sides<EntitySchema> {
    let mut kinds = Sides::from_fn(|side| shown(spec, side));
    for pair in &spec.fields {
        by_rule(pair, mappings, &mut kinds);
    }
    Sides::from_fn(|side| entity(spec, side, &kinds[side]))
}

/// Whether anything in the file shows of which type a field is; else it is taken for text.
pub(super) fn is_shown(spec: &MappingSpec, side: Side, name: &FieldName) -> bool {
    shown(spec, side).contains_key(name)
}

/// What values and conditions show of a side.
fn shown(spec: &MappingSpec, side: Side) -> Kinds {
    let mut kinds = Kinds::new();
    let mut see = |name: &str, kind: Option<FieldType>| {
        let Some(kind) = kind else { return };
        let known = kinds.entry(FieldName::new(name)).or_insert_with(|| kind.clone());
        *known = common(known, kind);
    };
    for case in &spec.cases {
        for (name, value) in case.records(side).flat_map(|record| &record.fields) {
            see(name, of_value(value));
        }
    }
    for pair in &spec.fields {
        let given = pair.default[side].iter().chain(&pair.constant);
        for name in &pair.fields[side] {
            given.clone().for_each(|scalar| see(name.as_str(), of_scalar(scalar)));
            for (left, right) in pair.values.iter().flat_map(|rows| &rows.value) {
                let scalar = if side == Side::Left { left } else { right };
                see(name.as_str(), of_scalar(scalar));
            }
        }
    }
    let pilot = match &spec.mode.value {
        ModeSpec::Pilot(pilot) => pilot.conditions[side].as_ref(),
        ModeSpec::Live | ModeSpec::Observe => None,
    };
    let conditions = spec.sides[side].condition.iter().chain(&spec.owners[side]).chain(pilot);
    for condition in conditions {
        literals(condition, &mut |name, literal| see(name.as_str(), of_literal(literal)));
    }
    kinds
}

/// What the rules of a pair say of fields that no value shows.
fn by_rule(pair: &FieldSpec, mappings: &[MappingRef], kinds: &mut Sides<Kinds>) {
    let Some(names) = pair.pair() else { return };
    if let Some(reference) = &pair.reference {
        let target = mappings.iter().find(|mapping| mapping.name == reference.value);
        for side in Side::BOTH {
            let entities = target.map(|target| target.sides[side].1.clone()).into_iter().collect();
            kinds[side].insert(names[side].value.clone(), FieldType::Reference { entities });
        }
        return;
    }
    let known = Sides::from_fn(|side| kinds[side].get(&names[side].value).cloned());
    let needed = match (pair.conflict, pair.view.as_ref().map(|view| &view.value)) {
        (_, Some(ViewSpec::Round(..))) => Sides::from_fn(|_| Some(DECIMAL)),
        (_, Some(ViewSpec::Truncate(..))) => Sides::from_fn(|_| Some(TEXT)),
        (_, Some(ViewSpec::Zone(_))) => {
            let day = known.left == Some(FieldType::Date) || known.right == Some(INSTANT);
            let (left, right) =
                if day { (FieldType::Date, INSTANT) } else { (INSTANT, FieldType::Date) };
            Sides { left: Some(left), right: Some(right) }
        }
        (Policy::MergeSet, _) => Sides::from_fn(|_| Some(SET)),
        (Policy::Counter | Policy::Max | Policy::Min, _)
            if known.left.is_none() && known.right.is_none() =>
        {
            Sides::from_fn(|_| Some(DECIMAL))
        }
        (Policy::MergeText, _) => Sides::from_fn(|_| Some(TEXT)),
        _ if pair.values.is_none() => {
            Sides::from_fn(|side| match (&known[side], &known[side.other()]) {
                (None, Some(other)) => Some(other.clone()),
                // Numbers of one pair are of one kind, with a point or without.
                (Some(INTEGER), Some(DECIMAL)) => Some(DECIMAL),
                _ => None,
            })
        }
        _ => Sides::default(),
    };
    for side in Side::BOTH {
        if let Some(kind) = &needed[side] {
            kinds[side].insert(names[side].value.clone(), kind.clone());
        }
    }
}

fn entity(spec: &MappingSpec, side: Side, kinds: &Kinds) -> EntitySchema {
    let named = &spec.sides[side];
    let (fields, _) = spec.fields_of(side);
    let mut fields: Vec<FieldSchema> = fields
        .into_iter()
        .map(|name| field(&name.value, kinds.get(&name.value).cloned().unwrap_or(TEXT)))
        .collect();
    for name in named.external_id.iter().chain(&named.marker) {
        let own = field(&name.value, TEXT);
        fields.push(FieldSchema { unique: true, external_id: true, ..own });
    }
    EntitySchema {
        entity: named.entity.value.clone(),
        key: Vec::new(),
        fields,
        creatable: true,
        deletable: true,
        problems: Vec::new(),
        same: Vec::new(),
        fixed: Vec::new(),
    }
}

fn field(name: &FieldName, kind: FieldType) -> FieldSchema {
    FieldSchema {
        name: name.clone(),
        kind,
        native: "as its values show".into(),
        nullable: true,
        creatable: true,
        updatable: true,
        required: false,
        unique: false,
        external_id: false,
        normalizers: Vec::new(),
        filled: None,
    }
}

/// The type that holds the values of both.
fn common(known: &FieldType, kind: FieldType) -> FieldType {
    let either = |one: &FieldType, other: &FieldType| {
        (known == one && kind == *other) || (known == other && kind == *one)
    };
    if *known == kind {
        kind
    } else if either(&INTEGER, &DECIMAL) {
        DECIMAL
    } else if either(&INSTANT, &FieldType::Date) {
        INSTANT
    } else {
        TEXT
    }
}

fn of_value(value: &CaseValue) -> Option<FieldType> {
    match value {
        CaseValue::One(scalar) => of_scalar(scalar),
        CaseValue::Many(_) => Some(SET),
    }
}

fn of_scalar(scalar: &Scalar) -> Option<FieldType> {
    if scalar.is_null() {
        return None;
    }
    if scalar.style != Style::Plain {
        return Some(TEXT);
    }
    let text = &*scalar.text;
    Some(match text {
        "true" | "false" => FieldType::Bool,
        _ if text.parse::<i64>().is_ok() => INTEGER,
        _ if text.parse::<Decimal>().is_ok_and(|number| number.is_finite()) => DECIMAL,
        _ if text.parse::<jiff::Timestamp>().is_ok() => INSTANT,
        _ if text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok() => FieldType::Date,
        _ => TEXT,
    })
}

fn of_literal(literal: &Literal) -> Option<FieldType> {
    match literal {
        Literal::Null => None,
        Literal::Bool(_) => Some(FieldType::Bool),
        Literal::Number(number) if number.is_integer() => Some(INTEGER),
        Literal::Number(_) => Some(DECIMAL),
        Literal::Text(_) => Some(TEXT),
        Literal::Moment(text) if text.len() == 10 => Some(FieldType::Date),
        Literal::Moment(_) => Some(INSTANT),
    }
}

fn literals(condition: &Condition, see: &mut impl FnMut(&FieldName, &Literal)) {
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            parts.iter().for_each(|part| literals(part, see));
        }
        Condition::Not(part) => literals(part, see),
        Condition::Compare { field, literal, .. } => see(field, literal),
        Condition::In { field, literals } => {
            literals.iter().for_each(|literal| see(field, literal));
        }
    }
}
