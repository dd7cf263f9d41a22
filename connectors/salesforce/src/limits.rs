//! Every limit of the connector, with its reason.

use std::time::Duration;

/// Records of one sObject Collections write call (REST guide, sObject Collections).
pub(crate) const WRITE_ROWS_MAX: usize = 200;

/// Sub-requests of one Composite call (REST guide, Composite).
pub(crate) const COMPOSITE_MAX: usize = 25;

/// Graphs of one Composite Graph call (REST guide, Composite Graph limits).
pub(crate) const GRAPHS_MAX: usize = 75;

/// Nodes of all graphs of one call (REST guide, Composite Graph limits).
pub(crate) const GRAPH_NODES_MAX: usize = 500;

/// Different kinds of nodes, that is entities, of one call (REST guide, Composite Graph limits).
pub(crate) const GRAPH_KINDS_MAX: usize = 15;

/// The oldest version that serves graphs (REST guide, Composite Graph).
pub(crate) const GRAPHS_SINCE: u32 = 50;

/// Creates of one group and entity beyond which it goes through collections: a node of a graph is
/// a save of its own, with the triggers and flows of one, collections save their records at once.
pub(crate) const GRAPH_CREATES_MAX: usize = 25;

/// Queries of one Composite call (REST guide, Composite).
pub(crate) const COMPOSITE_QUERIES_MAX: usize = 5;

/// Ids of one `POST composite/sobjects/X` retrieve (REST guide, sObject Collections).
pub(crate) const RETRIEVE_IDS_MAX: usize = 2_000;

/// Ids of one SOAP `undelete()` call (SOAP guide).
pub(crate) const UNDELETE_IDS_MAX: usize = 200;

/// Rows of one query page (REST guide, Query: batch size 200 to 2,000).
pub(crate) const QUERY_ROWS_MAX: usize = 2_000;

/// Characters of a query once percent-encoded: a request line of about 16,000 is answered with
/// 414, and host, path and headers take their part.
pub(crate) const QUERY_CHARS_MAX: usize = 12_000;

/// Rows that one look-up may find in all. Match fields are meant to be nearly unique; a
/// look-up that finds more is a mistake in the mapping, not a result.
pub(crate) const LOOKUP_ROWS_MAX: usize = 50_000;

/// Records whose history one query asks for: with their quotes encoded about 5,400 characters of a
/// request line.
pub(crate) const HISTORY_IDS_MAX: usize = 200;

/// Bytes of one answer, unpacked: 2,000 wide rows are far below, and REST answers end at about
/// 50 MB.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 << 20;

/// How long a connection may take to stand.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long one login may take. It has its own limit because all tasks share it.
pub(crate) const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Seconds of the server's clock after which an entity is described anew before it is read: one
/// call an hour, answered with 304 as long as nothing changed.
pub(crate) const DESCRIBED_FOR: i64 = 3_600;

/// The same where a selected field is not there, so that a right given to our user shows soon.
pub(crate) const LACKING_FOR: i64 = 600;

/// Idle connections are dropped before the edge drops them (it does after some minutes), so that
/// few requests meet a dead one.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(50);

/// Characters of a remote message that are kept.
pub(crate) const MESSAGE_CHARS_MAX: usize = 500;

/// Characters of a link id: a UUID with hyphens.
pub(crate) const LINK_ID_CHARS: u32 = 36;

/// Characters that a marker may take: the installation's id (36), a colon, the number of a
/// ledger commit (19), a point and an ordinal (10).
pub(crate) const MARKER_CHARS: u32 = 67;

/// How long the recycle bin keeps a record (SOAP guide, undelete).
pub(crate) const RECYCLE_BIN: Duration = Duration::from_secs(15 * 24 * 3600);

/// Rows of the re-read window that are remembered as shown, for each polled selection. Beyond
/// it rows are shown again, which is harmless.
pub(crate) const SHOWN_ROWS_MAX: usize = 100_000;

/// Polled selections whose shown rows are remembered.
pub(crate) const SHOWN_POLLS_MAX: usize = 64;

/// An outbound message has 1 to 100 notifications (SOAP guide, outbound messaging).
pub(crate) const NOTIFICATIONS_MAX: usize = 100;

/// How deep the XML of a message may be: an outbound message has 6 levels.
pub(crate) const XML_DEPTH_MAX: usize = 16;
