//! What a system refuses to store.

use syncline_sdk::{
    EntityName, Error, ErrorKind, FieldName, FieldSchema, FieldType, Key, Result, Value,
};

use super::world::World;

impl World {
    /// Checks the values of a create or an update.
    pub fn check_values(
        &self,
        entity: &EntityName,
        key: Option<&Key>,
        values: &[(FieldName, Value)],
    ) -> Result<()> {
        let table = self
            .table(entity)
            .ok_or_else(|| refused(ErrorKind::Schema, format!("there is no entity {entity}")))?;
        for (name, value) in values {
            let field = table.model.visible(name).ok_or_else(|| {
                let text = format!("{entity} has no field {name}");
                refused(ErrorKind::Schema, text).field(name.as_str())
            })?;
            let allowed = if key.is_some() { field.updatable } else { field.creatable };
            if !allowed {
                let text = format!("{entity}.{name} cannot be written");
                return Err(refused(ErrorKind::Forbidden, text).field(name.as_str()));
            }
            let stored = table.model.stored(name, value.clone());
            self.check_value(field, value, &stored)
                .map_err(|text| refused(ErrorKind::Invalid, text).field(name.as_str()))?;
            self.check_unique(entity, key, field, &stored)?;
        }
        if key.is_none() {
            let missing = table.model.schema.fields.iter().find(|field| {
                field.required
                    && !values.iter().any(|(name, value)| *name == field.name && !value.is_null())
            });
            if let Some(field) = missing {
                let text = format!("{entity}.{} must be given", field.name);
                return Err(refused(ErrorKind::Invalid, text).field(field.name.as_str()));
            }
        }
        Ok(())
    }

    fn check_value(
        &self,
        field: &FieldSchema,
        given: &Value,
        stored: &Value,
    ) -> Result<(), String> {
        if !given.is_present() {
            return Err("an absent value cannot be written".into());
        }
        if stored.is_null() {
            return if field.nullable { Ok(()) } else { Err("it must not be null".into()) };
        }
        check_kind(&field.kind, stored)?;
        if let (FieldType::Reference { entities }, Value::Text(text)) = (&field.kind, stored) {
            let target = Key::new(text.clone());
            let found = entities.iter().any(|entity| self.live(entity, &target).is_some());
            if self.profile.checks_references && !found {
                return Err(format!("there is no record {target} to refer to"));
            }
        }
        Ok(())
    }

    pub fn check_unique(
        &self,
        entity: &EntityName,
        key: Option<&Key>,
        field: &FieldSchema,
        value: &Value,
    ) -> Result<()> {
        let enforced =
            field.unique && (!field.external_id || self.profile.capabilities.unique_external_id);
        if !enforced || value.is_null() {
            return Ok(());
        }
        let Some(table) = self.table(entity) else {
            return Ok(());
        };
        let holder = table.rows.values().map(|slot| &slot.row).find(|row| {
            row.is_live() && Some(&row.key) != key && row.values.get(&field.name) == Some(value)
        });
        match holder {
            None => Ok(()),
            Some(row) => {
                let text = format!("{entity} {} holds the unique {} already", row.key, field.name);
                Err(refused(ErrorKind::Duplicate, text)
                    .field(field.name.as_str())
                    .code("DUPLICATE_VALUE"))
            }
        }
    }
}

pub(crate) fn refused(kind: ErrorKind, text: String) -> Error {
    Error::new(kind, "push", text)
}

fn check_kind(kind: &FieldType, value: &Value) -> Result<(), String> {
    let fits = match (kind, value) {
        (FieldType::Bool, Value::Bool(_))
        | (FieldType::Bytes, Value::Bytes(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::Time, Value::Time(_))
        | (FieldType::Uuid, Value::Uuid(_))
        | (FieldType::Json, Value::Json(_))
        | (FieldType::Raw, Value::Raw(_))
        | (FieldType::Instant { .. }, Value::Instant(_))
        | (FieldType::Reference { .. }, Value::Text(_)) => true,
        (FieldType::Int { min, max }, Value::Int(number)) => {
            if number < min || number > max {
                return Err(format!("{number} is not between {min} and {max}"));
            }
            true
        }
        (FieldType::Decimal { precision, scale }, Value::Decimal(decimal)) => {
            let scale_max = scale.map_or(usize::MAX, |scale| scale as usize);
            let whole_max = precision.map_or(usize::MAX, |digits| {
                (digits as usize).saturating_sub(scale_max.min(digits as usize))
            });
            if decimal.scale() > scale_max || decimal.integer_digits() > whole_max {
                return Err(format!("{decimal} has too many digits"));
            }
            true
        }
        (FieldType::Text { chars_max }, Value::Text(text)) => {
            let chars = text.chars().count();
            if let Some(max) = chars_max.filter(|max| chars > *max as usize) {
                return Err(format!("{chars} characters are more than {max}"));
            }
            true
        }
        (FieldType::Enum { values, restricted }, Value::Text(text)) => {
            if *restricted && !values.contains(text) {
                return Err(format!("{text:?} is not one of the values"));
            }
            true
        }
        (FieldType::Set { values, restricted }, Value::List(items)) => {
            let known = |item: &Value| match item {
                Value::Text(text) => !*restricted || values.contains(text),
                _ => false,
            };
            if let Some(item) = items.iter().find(|item| !known(item)) {
                return Err(format!("{item:?} is not one of the values"));
            }
            true
        }
        (FieldType::List(kind), Value::List(items)) => {
            items
                .iter()
                .filter(|item| !item.is_null())
                .try_for_each(|item| check_kind(kind, item))?;
            true
        }
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("a {} value does not fit", value.kind())) }
}
