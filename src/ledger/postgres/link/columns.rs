//! Links turned into columns: one array each, for statements over many rows.

use syncline_core::Side;
use syncline_core::encoding::encode_link;
use syncline_core::model::{Guard, Link};
use uuid::Uuid;

use crate::Result;
use crate::postgres::code;
use crate::postgres::keyring::{LinkKeys, Place};

/// The columns of links, in the links' order.
#[derive(Default)]
pub(in crate::postgres) struct Columns {
    pub(super) mapping: Vec<i32>,
    pub(super) link: Vec<Uuid>,
    pub(super) shard: Vec<i16>,
    pub(super) state: Vec<i16>,
    pub(super) sync_version: Vec<i64>,
    pub(super) left_open: Vec<Option<i64>>,
    pub(super) right_open: Vec<Option<i64>>,
    pub(super) last_entry: Vec<Option<i64>>,
    pub(super) left_key: Vec<Option<String>>,
    pub(super) right_key: Vec<Option<String>>,
    pub(super) body: Vec<Vec<u8>>,
}

impl Columns {
    /// How many links there are.
    pub(in crate::postgres) fn len(&self) -> usize {
        self.link.len()
    }

    /// Adds a link; its keys only where they are written. Sealed where it has a key to open it.
    pub(in crate::postgres) fn add(
        &mut self,
        link: &Link,
        keys: bool,
        opening: &LinkKeys,
    ) -> Result<()> {
        self.mapping.push(link.mapping.0);
        self.link.push(link.id.0);
        self.shard.push(link.shard);
        self.state.push(code::state(link.state));
        self.sync_version.push(link.sync_version);
        self.left_open.push(code::entry_or_null(link.open.left)?);
        self.right_open.push(code::entry_or_null(link.open.right)?);
        self.last_entry.push(code::entry_or_null(link.last_entry)?);
        if keys {
            let key = |side: Side| link.keys[side].as_ref().map(|key| key.as_str().to_owned());
            self.left_key.push(key(Side::Left));
            self.right_key.push(key(Side::Right));
        }
        let name = (link.mapping.0, link.id.0);
        self.body.push(opening.seal(name, Place::Link, encode_link(link))?);
        Ok(())
    }
}

/// What the rows must still be like.
#[derive(Default)]
pub(in crate::postgres) struct Guards {
    pub(super) sync_version: Vec<i64>,
    pub(super) left_open: Vec<Option<i64>>,
    pub(super) right_open: Vec<Option<i64>>,
    pub(super) last_entry: Vec<Option<i64>>,
}

impl Guards {
    /// Adds the guard of the link added last.
    pub(in crate::postgres) fn push(&mut self, guard: &Guard) -> Result<()> {
        self.sync_version.push(guard.sync_version);
        self.left_open.push(code::entry_or_null(guard.open.left)?);
        self.right_open.push(code::entry_or_null(guard.open.right)?);
        self.last_entry.push(code::entry_or_null(guard.last_entry)?);
        Ok(())
    }
}
