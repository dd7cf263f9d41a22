//! The transaction that is being received.

use std::sync::Arc;

use syncline_sdk::{Instant, Key};

use crate::receipt::Receipt;

/// Microseconds from 1970 to 2000, where the server's clock starts.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

/// The transaction that is being received.
pub(super) struct Transaction {
    pub xid: u64,
    pub lsn: u64,
    pub at: Instant,
    /// The number of its last change. The first is 1: the transaction as a whole (0) is older.
    pub ordinal: u32,
    /// The row that its last change deleted, where rows move between partitions.
    pub removed: Option<Removed>,
    pub marker: Option<Arc<str>>,
    /// The marker as a receipt knows it, whoever's it is.
    pub receipt: Option<(String, Receipt)>,
    pub fence: Option<String>,
}

/// A row that was deleted, perhaps only to be inserted into another partition.
pub(super) struct Removed {
    pub relation: u32,
    pub key: Key,
    pub kept: Key,
}

impl Transaction {
    /// One that begins. `micros` is when it was committed, by the server's clock.
    pub fn begun(xid: u64, lsn: u64, micros: i64) -> Self {
        Self {
            xid,
            lsn,
            at: Instant::from_micros(micros.saturating_add(EPOCH_MICROS)),
            ordinal: 0,
            removed: None,
            marker: None,
            receipt: None,
            fence: None,
        }
    }

    /// Takes a message that its writer put into it. Ours begin with the installation's name.
    pub fn logical(&mut self, prefix: &str, content: &[u8], install_prefix: &str) {
        match prefix {
            "syncline" => {
                let text = String::from_utf8_lossy(content);
                if text.starts_with(install_prefix) {
                    self.marker = Some(Arc::from(&*text));
                }
                self.receipt = Some((text.into_owned(), Receipt::default()));
            }
            "syncline.receipt" => {
                if let Some(receipt) = Receipt::from_message(content) {
                    self.receipt = Some(receipt);
                }
            }
            "syncline.fence" => {
                self.fence = Some(String::from_utf8_lossy(content).into_owned());
            }
            _ => {}
        }
    }
}
