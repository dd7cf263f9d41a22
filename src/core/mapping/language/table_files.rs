//! Tables that a mapping has in files of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

/// The rows of a table, keys and values, in the order of its file; each key once.
pub type TableRows = Vec<(Arc<str>, Arc<str>)>;

/// The tables in files that a mapping names, by the names that it gives the files. One that is
/// named and not among them has no rows: whoever reads the files notes those that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TableFiles(pub BTreeMap<Arc<str>, Arc<TableRows>>);

/// A text that is another one where a row is.
#[must_use]
pub(super) fn digest(rows: &[(Arc<str>, Arc<str>)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (key, value) in rows {
        for text in [key, value] {
            hasher.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
    hasher.finalize().to_hex()[..16].to_owned()
}
