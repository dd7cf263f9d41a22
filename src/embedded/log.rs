//! The server's log: where it is, how it ends, how it is kept small.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::limits;

/// The log of the cluster in `folder`.
pub(super) fn path(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// The end of the log, for a message; says so when there is none.
pub(super) fn tail(folder: &Path) -> String {
    since(folder, 0).unwrap_or_else(|| "(no log)".to_owned())
}

/// What was logged behind the first `offset` bytes, at most the last few kilobytes of it.
pub(super) fn since(folder: &Path, offset: u64) -> Option<String> {
    let mut file = std::fs::File::open(path(folder)).ok()?;
    let length = file.metadata().ok()?.len();
    let from = offset.max(length.saturating_sub(limits::LOG_TAIL_BYTES));
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    file.take(limits::LOG_TAIL_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// The log's length, after it was set aside if it had grown too long.
pub(super) fn rotate(folder: &Path) -> u64 {
    let log = path(folder);
    let length = log.metadata().map_or(0, |metadata| metadata.len());
    if length > limits::LOG_BYTES_MAX && std::fs::rename(&log, folder.join("server.log.1")).is_ok()
    {
        return 0;
    }
    length
}
