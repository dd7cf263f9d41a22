//! Links turned into columns: one array each, for statements over many rows.

use syncline_core::Side;
use syncline_core::encoding::{Origins, encode, encode_unless_rest};
use syncline_core::model::{Base, Guard, Link};
use syncline_sdk::Version;
use uuid::Uuid;

use crate::Result;
use crate::postgres::code;

/// The columns of links, in the links' order.
#[derive(Default)]
pub(in crate::postgres) struct Columns {
    pub(super) mapping: Vec<i32>,
    pub(super) link: Vec<Uuid>,
    pub(super) shard: Vec<i16>,
    pub(super) state: Vec<i16>,
    pub(super) mapping_rev: Vec<i32>,
    pub(super) sync_version: Vec<i64>,
    pub(super) left_open: Vec<Option<i64>>,
    pub(super) right_open: Vec<Option<i64>>,
    pub(super) last_entry: Vec<Option<i64>>,
    pub(super) merged_into: Vec<Option<Uuid>>,
    pub(super) left_key: Vec<Option<String>>,
    pub(super) right_key: Vec<Option<String>>,
    pub(super) left_base: Vec<Option<Vec<u8>>>,
    pub(super) right_base: Vec<Option<Vec<u8>>>,
    pub(super) left_pending: Vec<Option<Vec<u8>>>,
    pub(super) right_pending: Vec<Option<Vec<u8>>>,
    pub(super) left_version: Vec<Option<Vec<u8>>>,
    pub(super) right_version: Vec<Option<Vec<u8>>>,
    pub(super) field_state: Vec<Option<Vec<u8>>>,
    pub(super) origins: Vec<Option<Vec<u8>>>,
    pub(super) complement: Vec<Option<Vec<u8>>>,
}

impl Columns {
    /// How many links there are.
    pub(in crate::postgres) fn len(&self) -> usize {
        self.link.len()
    }

    /// Adds a link; its keys only where they are written.
    pub(in crate::postgres) fn push(&mut self, link: &Link, keys: bool) -> Result<()> {
        let (state, merged_into) = code::state(link.state);
        self.mapping.push(link.mapping.0);
        self.link.push(link.id.0);
        self.shard.push(link.shard);
        self.state.push(state);
        self.mapping_rev.push(link.mapping_rev);
        self.sync_version.push(link.sync_version);
        self.left_open.push(code::entry_or_null(link.open.left)?);
        self.right_open.push(code::entry_or_null(link.open.right)?);
        self.last_entry.push(code::entry_or_null(link.last_entry)?);
        self.merged_into.push(merged_into);
        if keys {
            let key = |side: Side| link.keys[side].as_ref().map(|key| key.as_str().to_owned());
            self.left_key.push(key(Side::Left));
            self.right_key.push(key(Side::Right));
        }
        self.left_base.push(base(link.base.left.as_ref()));
        self.right_base.push(base(link.base.right.as_ref()));
        self.left_pending.push(encode_unless_rest(&link.pending.left));
        self.right_pending.push(encode_unless_rest(&link.pending.right));
        self.left_version.push(version(&link.versions.left));
        self.right_version.push(version(&link.versions.right));
        self.field_state.push(encode_unless_rest(&link.field_state));
        self.origins.push(origins(link));
        self.complement.push((!link.complement.is_empty()).then(|| link.complement.clone()));
        Ok(())
    }
}

fn base(base: Option<&Base>) -> Option<Vec<u8>> {
    base.map(encode)
}

fn version(version: &Version) -> Option<Vec<u8>> {
    (!version.is_none()).then(|| version.as_bytes().to_vec())
}

fn origins(link: &Link) -> Option<Vec<u8>> {
    (!link.origins.is_empty()).then(|| encode(&Origins(link.origins.clone())))
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
