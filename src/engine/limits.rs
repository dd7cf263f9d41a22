//! Every bound of the engine in one place, with its reason.

use std::time::Duration;

/// Changes taken from a feed in one round. 2,000 rows keep the ledger's batches at the size
/// where its cost per change is lowest, and a few megabytes in memory.
pub const FEED_ROWS_MAX: usize = 2_000;

/// Hints taken in one round: one look-up call of a CRM names at most 2,000 ids.
pub const HINTS_MAX: usize = 2_000;

/// Records a page of a scan or poll may have.
pub const PAGE_ROWS_MAX: usize = 2_000;

/// Links a page of a verifying pass has: both sides are read for each.
pub const VERIFY_LINKS_MAX: usize = 500;

/// Rows that are encrypted in one transaction when a field becomes sensitive: short, since nothing
/// else of the mapping goes on meanwhile.
pub const ENCRYPTED_MAX: usize = 500;

/// Records set aside that are tried again in one go.
pub const RETRIES_MAX: usize = 500;

/// How soon more are tried again: what was tried must have had its answer before it is looked at.
pub const RETRIED_SEEN: Duration = Duration::from_secs(5);

/// Answers of people folded in one round.
pub const ANSWERS_MAX: usize = 100;

/// Batches settled after a restart in one go.
pub const OPEN_BATCHES_MAX: usize = 1_000;

/// Journal entries read of a link whose record has a twin or was made again: within the time in
/// which a create can have either there are few. Where they do not reach back to the create, a
/// person is asked about a twin, and a record made again is somebody's.
pub const ENTRIES_OF_LINK_MAX: usize = 1_000;

/// How often a round is decided anew when guarded rows moved, before it is given up for now. A
/// single owner moves its own rows only between rounds, so more than a few means a defect.
pub const MOVED_MAX: u32 = 8;

/// How often what is wanted may lead to more wants within a round: match rules are tried one
/// after the other, and what they find may have to be read.
pub const WANTS_MAX: u32 = 12;

/// Commit numbers reserved at a time; unused ones are no harm.
pub const COMMITS_RESERVED: i64 = 1_000;

/// How long a call to a system may take.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a round waits for one answer of a system at first. Longer, and the records of all
/// other systems would feel that one is slow; what cannot be read in time is read beside the
/// rounds, with the whole [`CALL_TIMEOUT`].
pub const PATIENCE_MIN: Duration = Duration::from_secs(1);

/// How long it waits at most, for a system that is slow: as long as any call may take, so that
/// what only a round can read is read in the end.
pub const PATIENCE_MAX: Duration = CALL_TIMEOUT;

/// How long a system is known as slow.
pub const PATIENCE_KEPT: Duration = Duration::from_secs(600);

/// How long rounds leave a system alone at least that gave no answer.
pub const AWAY_MIN: Duration = Duration::from_secs(1);

/// How long they leave it alone at most, unless it asked for more: nine times the longest wait.
/// What reads beside the rounds may tell before that it is back.
pub const AWAY_MAX: Duration = Duration::from_secs(9 * CALL_TIMEOUT.as_secs());

/// How long a record waits at most, microseconds, before it is looked at again that was put off
/// for a system which does not answer: it may be back long before it would be asked.
pub const PUT_OFF_MAX: i64 = 60_000_000;

/// How long a record waits at most, microseconds, before it is looked at again that was put off for
/// the quiet hours of a system: the settings may have changed, and one call looks at thousands.
pub const QUIET_LOOK: i64 = 900_000_000;

/// How long a record waits, microseconds, before it is read again that has no record yet on a
/// system that is waited for.
pub const AWAITED_AGAIN: i64 = 10_000_000;

/// How old the oldest of too many batches of a system may be before its records wait and those of
/// the other systems go on.
pub const FLIGHT_SLOW: Duration = Duration::from_secs(2);

/// How long the ownership of the shards lasts without being renewed. Short, because it is how
/// long the next process waits where the ledger cannot tell that this one has ended; a stall that
/// outlives it only costs a takeover, since correctness rests on the fence and the guards
/// (protocol I6).
pub const LEASE: Duration = Duration::from_secs(2);

/// Batches under way at a time, per system: bounds the memory of what is in flight.
pub const FLIGHTS_MAX: usize = 16;

/// One round in so many is everybody's: what matters less leaves no room to others in it, so that
/// it is never starved.
pub const EVERYBODYS_ROUND: i64 = 10;

/// How long a record waits whose mapping leaves the room of a busy system to others, microseconds.
pub const NO_ROOM: i64 = 1_000_000;

/// How long it waits where the rest of a daily quota is kept for others, microseconds: looking at
/// it costs calls too.
pub const OVER_BUDGET: i64 = 60_000_000;

/// Reads that wait to be folded: each is at most a page.
pub const READS_MAX: usize = 8;

/// How long a record waits that could not be read so many times in a row, microseconds: from a
/// second to about four minutes.
#[must_use]
pub fn put_off(tries: i16) -> i64 {
    1_000_000_i64 << tries.clamp(0, 8)
}

/// Deletions of records without a link that are remembered: far more than pages under way hold.
pub const DEPARTED_MAX: usize = 20_000;

/// How long a receipt is kept after the last copy of its batch could be applied, by our clock: a
/// process that was fenced, on a machine whose clock is behind, counts otherwise.
pub const RECEIPTS_KEPT: Duration = Duration::from_secs(600);

/// Batches whose receipts are forgotten in one go: one short statement on each side.
pub const FORGET_MAX: usize = 500;

/// Batches audited in one go: their records are asked for by one call or few.
pub const AUDIT_MAX: usize = 500;

/// How long a record that a sweep does not find is left alone, microseconds, before it is looked
/// for again and suspected to be deleted: its deletion may be told late, as what it is.
pub const SWEEP_DOUBT: i64 = 600_000_000;

/// How long a sweep that nobody waits for rests between two steps at most.
pub const SWEEP_REST: Duration = Duration::from_secs(60);

/// In how many parts the time from one sweep to the next is cut, one for each rest: a million links
/// take about 3,000 steps (scans of 2,000 records, look-ups of 500 links), so that the pass is over
/// before the next is due. A larger mapping takes longer, and its next pass follows at once.
pub const SWEEP_RESTS: u32 = 4_000;

/// How long after the start of a process the first sweep of a mapping begins, at the latest.
pub const SWEEP_FIRST: Duration = Duration::from_secs(3_600);

/// How many records a plan shows of a kind.
pub const SAMPLES_MAX: usize = 5;

/// How many fields it shows of a record that is to be made.
pub const SAMPLE_FIELDS_MAX: usize = 4;

/// How often a rehearsal looks again at what a run would look at later. What still waits then is
/// told as waiting.
pub const REHEARSED_WAITS: usize = 16;

/// How far the clock of a rehearsal is set ahead each time, microseconds: longer than any record
/// is put off.
pub const REHEARSED_WAIT: i64 = 3_600_000_000;

/// How often a rehearsal looks again for a record that another one refers to, before it tells that
/// a person would be asked. A record without one is made at the second look, where it may be.
pub const REHEARSED_PARENT_TRIES: u8 = 2;
