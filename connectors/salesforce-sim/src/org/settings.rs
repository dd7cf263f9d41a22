//! The switches of an org: what the documentation leaves open, and what a test wants to vary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Switches of an org. Every default is the most plausible behaviour of the real service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Added to every API reply, half of it before the call is applied, milliseconds.
    pub latency_ms: u64,
    /// Every API write commits this much later than its stamp at most, milliseconds; drawn
    /// evenly from `0..=commit_jitter_ms`. Zero commits at once.
    pub commit_jitter_ms: u64,
    /// How long a save waits for a row lock before `UNABLE_TO_LOCK_ROW`, milliseconds.
    pub lock_wait_ms: u64,
    /// A save of a child also locks its parent row (account of a contact, master-detail).
    pub lock_parents: bool,
    /// Rows of a query page when the call does not ask for a size.
    pub page_rows: usize,
    /// How long a query locator lives, seconds of the org's clock.
    pub locator_ttl_s: i64,
    /// Life of an access token after its last use, seconds of the org's clock.
    pub session_s: i64,
    /// A refresh gives a new refresh token and kills the old one.
    pub refresh_rotation: bool,
    /// The username-password flow is switched on.
    pub password_flow: bool,
    /// Logins by user name and password come from a trusted address: they need no security token.
    pub trusted_ip: bool,
    /// `If-Unmodified-Since` compares with this stamp of the row.
    pub conditional_stamp: ConditionalStamp,
    /// Conditional headers count on external-id rows too.
    pub conditional_on_external_id: bool,
    /// What conditional headers do on `DELETE`.
    pub conditional_delete: ConditionalDelete,
    /// A 412 reply carries an error array instead of an empty body.
    pub body_412: bool,
    /// An update by upsert answers 200 with a body from version 46 on, else 204.
    pub upsert_update_body: bool,
    /// Fields of type email come back in lower case.
    pub lower_case_email: bool,
    /// Sub-second parts are rounded instead of cut.
    pub round_milliseconds: bool,
    /// A picklist value that differs only by case is stored as defined.
    pub fold_picklist_case: bool,
    /// Doubled values of a multi-select collapse.
    pub dedupe_multi_select: bool,
    /// A dateTime without a zone is taken as UTC instead of refused.
    pub naive_datetime_is_utc: bool,
    /// A null for a boolean is stored as false instead of refused.
    pub null_boolean_is_false: bool,
    /// A delete moves `LastModifiedDate` and `LastModifiedById` of the row.
    pub delete_moves_last_modified: bool,
    /// An undelete moves `LastModifiedDate` and `LastModifiedById` of the row.
    pub undelete_moves_last_modified: bool,
    /// Clearing a look-up because its target was deleted moves the child's stamp.
    pub lookup_clear_moves_stamp: bool,
    /// Results of many records in one call tell what a duplicate rule found, as those of one
    /// record do.
    pub duplicates_per_record: bool,
    /// Upserts match rows in the recycle bin too (answered as a deleted row).
    pub upsert_matches_bin: bool,
    /// Independent sub-requests of a composite call that asks for it run grouped by kind.
    pub composite_groups: bool,
    /// How long a bulk job takes before its first row, milliseconds.
    pub bulk_ms: u64,
    /// Result rows of an ingest job come in another order than they were sent in.
    pub bulk_reorders: bool,
    /// Rows of a result page of a query job.
    pub bulk_page_rows: usize,
    /// Object → user who owns new rows when `Sforce-Auto-Assign` is not `FALSE`.
    pub assignment: BTreeMap<String, String>,
    /// How long after a refused outbound message it is first sent again, milliseconds; the gap
    /// doubles, up to two hours.
    pub outbound_retry_ms: u64,
    /// Notifications are sent in another order than that of the saves.
    pub outbound_shuffle: bool,
    /// How many more times each outbound message is sent, acknowledged or not.
    pub outbound_repeat: u32,
    /// Address that the token reply names; by default the one the client called.
    pub instance_url: Option<String>,
}

/// Which stamp the conditional headers compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionalStamp {
    /// `LastModifiedDate`.
    LastModifiedDate,
    /// `SystemModstamp`.
    SystemModstamp,
}

/// What conditional headers do on `DELETE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionalDelete {
    /// They are ignored: the row is deleted.
    Ignored,
    /// The call is refused with 400.
    Refused,
    /// They are honoured.
    Honoured,
}

impl Default for Settings {
    fn default() -> Self {
        let assigned = "caseowner@example.com";
        Self {
            latency_ms: 0,
            commit_jitter_ms: 0,
            lock_wait_ms: 10_000,
            lock_parents: true,
            page_rows: 2000,
            locator_ttl_s: 2 * 24 * 3600,
            session_s: 2 * 3600,
            refresh_rotation: false,
            password_flow: true,
            trusted_ip: false,
            conditional_stamp: ConditionalStamp::LastModifiedDate,
            conditional_on_external_id: true,
            conditional_delete: ConditionalDelete::Ignored,
            body_412: false,
            upsert_update_body: true,
            lower_case_email: true,
            round_milliseconds: false,
            fold_picklist_case: true,
            dedupe_multi_select: true,
            naive_datetime_is_utc: false,
            null_boolean_is_false: true,
            delete_moves_last_modified: true,
            undelete_moves_last_modified: true,
            lookup_clear_moves_stamp: false,
            duplicates_per_record: false,
            upsert_matches_bin: false,
            composite_groups: true,
            bulk_ms: 0,
            bulk_reorders: false,
            bulk_page_rows: 100_000,
            assignment: ["Case", "Lead"]
                .into_iter()
                .map(|object| (object.to_owned(), assigned.to_owned()))
                .collect(),
            outbound_retry_ms: 10_000,
            outbound_shuffle: false,
            outbound_repeat: 0,
            instance_url: None,
        }
    }
}
