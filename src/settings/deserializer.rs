//! From nodes of a settings file to the settings of a connector.
//!
//! Connectors describe their settings with serde; this deserialiser keeps the place of each
//! value, so that a mistake is reported where it stands, and never repeats a value that was
//! inserted from outside the file.

use std::sync::Arc;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use syncline_core::mapping::language::{Entry, Node, NodeKind, Scalar, Span, Style};

use super::SettingError;

/// Reads a type from a node.
#[derive(Clone, Copy, Debug)]
pub struct NodeDeserializer<'a> {
    node: &'a Node,
    hidden: &'a [Span],
}

/// How many mistakes of one node are looked for.
const MISTAKES_MAX: usize = 32;

impl<'a> NodeDeserializer<'a> {
    /// A deserialiser of a node. `hidden` are the places of values that no message may repeat.
    #[must_use]
    pub fn new(node: &'a Node, hidden: &'a [Span]) -> Self {
        Self { node, hidden }
    }

    /// Reads the node, noting every mistake in it.
    ///
    /// # Errors
    /// All mistakes: after each one the entry that has it is left out and the rest read again.
    pub fn read<T: DeserializeOwned>(self) -> Result<T, Vec<SettingError>> {
        let mut node = self.node.clone();
        let mut found: Vec<SettingError> = Vec::new();
        // What was left out because of a mistake is not missing.
        let mut left_out: Vec<Arc<str>> = Vec::new();
        loop {
            let error = match T::deserialize(NodeDeserializer { node: &node, hidden: self.hidden })
            {
                Ok(value) if found.is_empty() => return Ok(value),
                Ok(_) => return Err(found),
                Err(error) => error,
            };
            let removed = match (error.missing, error.span) {
                (None, Some(span)) => remove(&mut node, span),
                _ => None,
            };
            let again = error.missing.is_some_and(|key| left_out.iter().any(|out| **out == *key));
            if !again {
                found.push(error);
            }
            match removed {
                Some(key) if found.len() < MISTAKES_MAX => left_out.push(key),
                _ => return Err(found),
            }
        }
    }

    fn is_hidden(&self) -> bool {
        self.hidden.contains(&self.node.span)
    }

    /// An error about this node, which does not repeat what must not be shown.
    fn place(&self, mut error: SettingError) -> SettingError {
        if error.span.is_none() && self.is_hidden() {
            let help = Some("check where it comes from".to_owned());
            error = SettingError::new("the value that is inserted here does not fit", help);
        }
        error.at(self.node.span)
    }

    fn scalar(&self, expected: &str) -> Result<&'a Scalar, SettingError> {
        self.node.as_scalar().ok_or_else(|| {
            let message = format!("this is {expected}, not {}", self.node.what());
            SettingError::new(message, None).at(self.node.span)
        })
    }

    /// The text of a scalar that may be read as something else than text.
    fn typed(&self, expected: &str) -> Result<&'a str, SettingError> {
        let scalar = self.scalar(expected)?;
        if scalar.style == Style::Plain || self.is_hidden() {
            return Ok(&scalar.text);
        }
        let message = format!("this is {expected}, not text in quotes");
        Err(SettingError::new(message, Some("remove the quotes".to_owned())).at(self.node.span))
    }

    fn is_null(&self) -> bool {
        self.node.is_null() && !self.is_hidden()
    }
}

/// Removes the entry of a mapping whose key or value is at a place; gives its key.
fn remove(node: &mut Node, span: Span) -> Option<Arc<str>> {
    match &mut node.kind {
        NodeKind::Scalar(_) => None,
        NodeKind::List(items) => items.iter_mut().find_map(|item| remove(item, span)),
        NodeKind::Map(entries) => {
            let at =
                entries.iter().position(|entry| entry.key.span == span || entry.value.span == span);
            match at {
                Some(at) => Some(entries.remove(at).key.value),
                None => entries.iter_mut().find_map(|entry| remove(&mut entry.value, span)),
            }
        }
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $kind:ty, $word:literal;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
            let text = self.typed($word)?;
            let number: $kind = text.trim().parse().map_err(|_| {
                self.place(de::Error::custom(format!("this is not {}", $word)))
            })?;
            visitor.$visit(number).map_err(|error| self.place(error))
        })*
    };
}

impl<'de> de::Deserializer<'de> for NodeDeserializer<'_> {
    type Error = SettingError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let scalar = match &self.node.kind {
            NodeKind::List(_) => return self.deserialize_seq(visitor),
            NodeKind::Map(_) => return self.deserialize_map(visitor),
            NodeKind::Scalar(scalar) => scalar,
        };
        if scalar.style != Style::Plain || self.is_hidden() {
            return self.deserialize_str(visitor);
        }
        let text = &*scalar.text;
        let visited = match (scalar.is_null(), scalar.as_bool()) {
            (true, _) => visitor.visit_unit(),
            (_, Some(truth)) => visitor.visit_bool(truth),
            _ => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(number), _) => visitor.visit_i64(number),
                (_, Ok(number)) if number.is_finite() => visitor.visit_f64(number),
                _ => visitor.visit_str(text),
            },
        };
        visited.map_err(|error| self.place(error))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let truth = match self.typed("true or false")? {
            "true" => true,
            "false" => false,
            _ => return Err(self.place(de::Error::custom("this is not true or false"))),
        };
        visitor.visit_bool(truth).map_err(|error| self.place(error))
    }

    numbers! {
        deserialize_i8 visit_i8 i8, "a whole number";
        deserialize_i16 visit_i16 i16, "a whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number, not negative";
        deserialize_u64 visit_u64 u64, "a whole number, not negative";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let scalar = self.scalar("text")?;
        if self.is_null() {
            return Err(self.place(de::Error::custom("the value is empty")));
        }
        visitor.visit_str(&scalar.text).map_err(|error| self.place(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        if self.is_null() {
            return visitor.visit_none();
        }
        visitor.visit_some(self).map_err(|error| self.place(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        visitor.visit_newtype_struct(self).map_err(|error| self.place(error))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let NodeKind::List(items) = &self.node.kind else {
            let message = format!("this is a list, not {}", self.node.what());
            return Err(self.place(de::Error::custom(message)));
        };
        let items = Items { items: items.iter(), hidden: self.hidden };
        visitor.visit_seq(items).map_err(|error| self.place(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SettingError> {
        let NodeKind::Map(entries) = &self.node.kind else {
            let message = format!("this is a set of keys, not {}", self.node.what());
            return Err(self.place(de::Error::custom(message)));
        };
        let entries = Entries { entries: entries.iter(), value: None, hidden: self.hidden };
        visitor.visit_map(entries).map_err(|error| self.place(error))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        let scalar = self.scalar("one word")?;
        let word: de::value::StrDeserializer<'_, SettingError> =
            (&*scalar.text).into_deserializer();
        visitor.visit_enum(word).map_err(|error| self.place(error))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        self,
        visitor: V,
    ) -> Result<V::Value, SettingError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    hidden: &'a [Span],
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = SettingError;
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, SettingError> {
        let Some(node) = self.items.next() else {
            return Ok(None);
        };
        let deserializer = NodeDeserializer { node, hidden: self.hidden };
        seed.deserialize(deserializer).map(Some).map_err(|error| error.at(node.span))
    }
}

struct Entries<'a> {
    entries: std::slice::Iter<'a, Entry>,
    value: Option<&'a Node>,
    hidden: &'a [Span],
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = SettingError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, SettingError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        self.value = Some(&entry.value);
        let key: de::value::StrDeserializer<'_, SettingError> = (&**entry.key).into_deserializer();
        seed.deserialize(key).map(Some).map_err(|error| error.at(entry.key.span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, SettingError> {
        let Some(node) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let deserializer = NodeDeserializer { node, hidden: self.hidden };
        // A derived reader of one value (a duration, an address) reports without a place.
        seed.deserialize(deserializer).map_err(|error| deserializer.place(error))
    }
}
