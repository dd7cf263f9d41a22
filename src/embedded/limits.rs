//! Every limit of this module.

use std::time::Duration;

/// How long a cluster may take from the call to its first answer. Crash recovery replays at most
/// `max_wal_size` of log, which takes well under a minute on a slow disk.
pub(super) const READY_LIMIT: Duration = Duration::from_secs(120);

/// How long a fast shutdown may take before an immediate one; its checkpoint writes at most
/// `shared_buffers`.
pub(super) const STOP_LIMIT: Duration = Duration::from_secs(60);

/// How long another process may hold the lock: as long as it may take to start the cluster.
pub(super) const LOCK_LIMIT: Duration = READY_LIMIT;

/// Between two looks at a server or a lock. A start takes about 100 ms.
pub(super) const LOOK_PAUSE: Duration = Duration::from_millis(25);

/// How many looks may find others at work before a server is left to them: sessions that were
/// ended a moment ago are still told of.
pub(super) const LOOKS_FOR_OTHERS: u32 = 40;

/// How much of the server's log goes into an error message.
pub(super) const LOG_TAIL_BYTES: u64 = 4096;

/// Above this size the server's log is set aside at the next start; one old log is kept.
pub(super) const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// A cluster's name is a folder's name and part of a process title.
pub(super) const NAME_BYTES_MAX: usize = 32;

/// The oldest Postgres whose publications carry column lists.
pub(super) const MAJOR_MIN: u32 = 15;
