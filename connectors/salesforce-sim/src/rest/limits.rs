//! `limits`.

use super::http::Reply;
use crate::json::{Json, object};
use crate::org::state::State;

/// The recorded members that clients read; only the API calls are counted.
pub(crate) fn limits(state: &State) -> Reply {
    let full = |max: u64| object! { "Max" => max, "Remaining" => max };
    let usage = &state.usage;
    Reply::json(
        200,
        object! {
            "DailyApiRequests" => object! {
                "Max" => usage.max,
                "Remaining" => usage.max.saturating_sub(usage.used),
            },
            "DailyBulkApiBatches" => full(15_000),
            "DailyBulkV2QueryJobs" => full(10_000),
            "DailyBulkV2QueryFileStorageMB" => full(976_562),
            "DataStorageMB" => full(5),
            "FileStorageMB" => full(20),
            "HourlyPublishedPlatformEvents" => full(50_000),
        },
    )
}

/// 403 in both texts (limits quick reference).
pub(crate) fn exceeded(concurrent: bool) -> Reply {
    let text = if concurrent {
        "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
    } else {
        "TotalRequests Limit exceeded."
    };
    let error = object! { "message" => text, "errorCode" => "REQUEST_LIMIT_EXCEEDED" };
    Reply::json(403, Json::List(vec![error]))
}
