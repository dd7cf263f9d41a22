//! Bodies of writes.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

use super::codec::string;

/// The fields of one record as they are written, in order, each value in its exact text.
#[derive(Debug, Default)]
pub(crate) struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    pub(crate) fn push(&mut self, name: &str, value: Box<RawValue>) {
        self.0.push((name.to_owned(), value));
    }
    pub(crate) fn push_text(&mut self, name: &str, text: &str) {
        if let Ok(value) = RawValue::from_string(string(text)) {
            self.push(name, value);
        }
    }
    /// Whether a composite call might take one of the values for a reference to the answer of
    /// another part, and put that in its place or refuse it: `@{...}` has no escape (REST guide,
    /// Composite, reference syntax).
    pub(crate) fn could_refer(&self) -> bool {
        self.0.iter().any(|(_, value)| value.get().contains("@{"))
    }
    /// The record of a collections call: its type first.
    pub(crate) fn with_type(mut self, entity: &str) -> Self {
        let attributes = format!("{{\"type\":{}}}", string(entity));
        if let Ok(value) = RawValue::from_string(attributes) {
            self.0.insert(0, ("attributes".to_owned(), value));
        }
        self
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
