//! Records that could be the partner of another one, as the ledger knows them.

use serde_json::{Value as Json, json};
use syncline_core::Side;
use syncline_core::model::{Link, LinkState};
use syncline_sdk::{Key, Value};

use super::desk::KnownMapping;

/// A record that could be a partner.
pub struct Candidate {
    /// Its key.
    pub key: Key,
    /// The record that it is the partner of already.
    pub partner: Option<Key>,
    /// Whether it was parted from one, and goes its own way since.
    pub apart: bool,
    /// What it shows, as far as the ledger knows: its whole image.
    values: Vec<Value>,
}

impl Candidate {
    /// A record of a side, by the links that were found.
    pub fn new(key: &Key, side: Side, links: &[Link]) -> Self {
        let of = |link: &&Link| link.keys[side].as_ref() == Some(key);
        let link = links.iter().find(of);
        let apart = link.is_some_and(|link| link.state == LinkState::Ended);
        let pair = link.filter(|_| !apart);
        let partner = pair.and_then(|link| link.keys[side.other()].clone());
        let values = link.map_or_else(Vec::new, |link| {
            let fields = link.base[side].as_ref().map_or(0, |base| base.image.len());
            let pending = link.pending[side].values.last();
            let fields = fields.max(pending.map_or(0, |(at, _)| usize::from(*at) + 1));
            (0..fields).map(|at| link.observed(side, at).clone()).collect()
        });
        Self { key: key.clone(), partner, apart, values }
    }

    /// It in a line, and what it shows.
    pub fn lines(&self, mapping: &KnownMapping, side: Side) -> Vec<String> {
        let mut told = format!("  {}", mapping.record(side, Some(&self.key)));
        if let Some(partner) = &self.partner {
            let partner = mapping.record(side.other(), Some(partner));
            told += &format!(", which has a partner already: {partner}");
        }
        if self.apart {
            told.push_str(", which goes its own way since its link was ended");
        }
        let shown = self.values.iter().enumerate().filter(|(_, value)| value.is_present());
        let shown = shown.map(|(at, value)| {
            format!("      {}  {}", mapping.field(side, at), mapping.value(side, at, value))
        });
        std::iter::once(told).chain(shown).collect()
    }

    /// It as JSON.
    pub fn json(&self, mapping: &KnownMapping, side: Side) -> Json {
        let shown = self.values.iter().enumerate().filter(|(_, value)| value.is_present());
        let fields = shown.map(|(at, value)| {
            let now = mapping.value_in_json(side, None, at, value);
            json!({ "field": mapping.field(side, at), "now": now })
        });
        json!({
            "key": self.key,
            "partner": self.partner,
            "apart": self.apart,
            "fields": fields.collect::<Json>(),
        })
    }
}
