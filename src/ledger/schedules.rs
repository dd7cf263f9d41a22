//! What happens at set times, what reports are made of, and what is removed once it is old.

use async_trait::async_trait;
use syncline_sdk::SystemName;

use crate::Result;

/// Something that happens at set times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scheduled {
    /// What: `report`, `retention`.
    pub name: String,
    /// When, as the settings say it.
    pub times: String,
    /// When it is due next, microseconds UTC.
    pub next_at: i64,
    /// When it was done last, microseconds UTC.
    pub last_at: Option<i64>,
    /// What the last run did, in words.
    pub outcome: Option<String>,
}

/// A run that is over, as it is recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FinishedRun {
    /// What ran.
    pub name: String,
    /// The time that it was due, as it was read.
    pub due: i64,
    /// When it is due next, microseconds UTC.
    pub next_at: i64,
    /// When it ended, microseconds UTC.
    pub at: i64,
    /// What it did, in words.
    pub outcome: String,
    /// The report that it made.
    pub report: Option<NewReport>,
}

/// A report that was just made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewReport {
    /// The beginning of what it tells, microseconds UTC.
    pub from_at: i64,
    /// Its end.
    pub until_at: i64,
    /// The running counts at its end, JSON.
    pub totals: String,
    /// The report, JSON.
    pub body: String,
}

/// A report that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptReport {
    /// Its number; later ones have higher numbers.
    pub id: i64,
    /// What it says.
    pub report: NewReport,
}

/// One page of the journal that was looked through for old entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PrunedPage {
    /// How many entries were removed.
    pub removed: u64,
    /// The last entry that was looked at; nothing when there were no more.
    pub last: Option<i64>,
    /// Whether the page had entries that are not old: what follows is younger still.
    pub young: bool,
}

/// From when on things are kept, microseconds UTC; all of those where nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeptFrom {
    /// Closed questions, closed gaps and settled batches, as the journal that tells of them.
    pub journal: Option<i64>,
    /// Deliveries of webhooks.
    pub deliveries: Option<i64>,
    /// Reports.
    pub reports: Option<i64>,
    /// Notices of webhooks by which one that comes again is known.
    pub notices: i64,
    /// Answers of the API that are given again to the same request.
    pub requests: i64,
}

/// How many rows were removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Closed questions.
    pub questions: u64,
    /// Closed gaps.
    pub gaps: u64,
    /// Settled batches of systems that are not configured any more.
    pub batches: u64,
    /// Deliveries of webhooks, with their notices.
    pub deliveries: u64,
    /// Answers of the API.
    pub requests: u64,
    /// Reports.
    pub reports: u64,
    /// Keys of links that are over, of mappings with sensitive fields.
    pub keys: u64,
}

/// What the owner does at set times. `owner` is the name of the process: nothing happens in the
/// name of one that does not own the shards any more.
#[async_trait]
pub trait Schedules: Send + Sync + 'static {
    /// All that is scheduled, by name.
    ///
    /// # Errors
    /// As every call.
    async fn scheduled(&self) -> Result<Vec<Scheduled>>;

    /// Schedules something that was not, or whose times were others; else what is known stays.
    ///
    /// # Errors
    /// As every call.
    async fn schedule(&self, owner: &str, name: &str, times: &str, next_at: i64) -> Result<()>;

    /// Something happens no more.
    ///
    /// # Errors
    /// As every call.
    async fn unschedule(&self, owner: &str, name: &str) -> Result<()>;

    /// Records a run with its report, and when it is due next: all of it, if it is still due as it
    /// was read and the process still owns the shards; else nothing, and the answer is no.
    ///
    /// # Errors
    /// As every call; whether it was recorded is then to be looked up.
    async fn finish_run(&self, owner: &str, run: &FinishedRun) -> Result<bool>;

    /// Adds calls that were made to systems.
    ///
    /// # Errors
    /// As every call.
    async fn count_calls(&self, calls: &[(SystemName, i64)]) -> Result<()>;

    /// The calls that were made to systems since their beginning, by name.
    ///
    /// # Errors
    /// As every call.
    async fn calls(&self) -> Result<Vec<(SystemName, i64)>>;

    /// When this installation was made, microseconds UTC; nothing before its first run.
    ///
    /// # Errors
    /// As every call.
    async fn installed_at(&self) -> Result<Option<i64>>;

    /// Reports with a lower number than `before`, the latest first.
    ///
    /// # Errors
    /// As every call.
    async fn reports(&self, before: Option<i64>, max: usize) -> Result<Vec<KeptReport>>;

    /// The latest report that ends at a time or before it.
    ///
    /// # Errors
    /// As every call.
    async fn report_until(&self, at: i64) -> Result<Option<KeptReport>>;

    /// Looks through a page of the journal behind an entry, oldest first, and removes what was
    /// committed before a time. What is still needed stays: everything of a link since the intent
    /// that it has open, of one about which a person is asked, and of one that is set aside. The
    /// chain of a link is cut at its old end only.
    ///
    /// # Errors
    /// As every call.
    async fn prune_journal(
        &self,
        before: i64,
        after: Option<i64>,
        max: usize,
    ) -> Result<PrunedPage>;

    /// Removes what else is old. What is open, asked or under way stays however old it is.
    ///
    /// # Errors
    /// As every call; what was removed before stays removed.
    async fn prune(&self, kept: &KeptFrom) -> Result<Pruned>;
}
