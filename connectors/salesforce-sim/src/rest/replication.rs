//! `updated` and `deleted` (REST guide, get updated and get deleted).

use super::call::Call;
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::clock::rest_datetime;
use crate::org::state::State;

const DAY_S: i64 = 24 * 3600;

/// `GET sobjects/X/updated/?start=&end=`.
pub(crate) fn updated(state: &State, call: &Call, table: usize) -> Reply {
    let (start, end) = match range(state, call, table, 30) {
        Ok(range) => range,
        Err(reply) => return reply,
    };
    let Some(table) = state.table(table) else {
        return Reply::not_found();
    };
    let rows = table.stamped(start, end - 1).filter(|row| row.is_live());
    let ids: Vec<Json> = rows.map(|row| Json::from(row.id.to_string())).collect();
    Reply::json(
        200,
        object! { "ids" => ids, "latestDateCovered" => rest_datetime(covered(state, end)) },
    )
}

/// `GET sobjects/X/deleted/?start=&end=`.
pub(crate) fn deleted(state: &State, call: &Call, table: usize) -> Reply {
    let (start, end) = match range(state, call, table, 15) {
        Ok(range) => range,
        Err(reply) => return reply,
    };
    let Some(table) = state.table(table) else {
        return Reply::not_found();
    };
    let records = table.bin(start, end - 1).map(|row| {
        let at = row.deleted.as_ref().map_or(0, |deletion| deletion.at_s);
        object! { "id" => row.id.to_string(), "deletedDate" => rest_datetime(at) }
    });
    let records: Vec<Json> = records.collect();
    Reply::json(
        200,
        object! {
            "deletedRecords" => records,
            "earliestDateAvailable" => rest_datetime(state.delete_log_from_s),
            "latestDateCovered" => rest_datetime(covered(state, end)),
        },
    )
}

/// Steps back to the start of the oldest open transaction: what it stamped may still appear.
fn covered(state: &State, end: i64) -> i64 {
    let now = state.clock.now_s();
    let open = state.oldest_open_s().unwrap_or(i64::MAX);
    end.min(now).min(open)
}

/// Seconds are ignored; the range is checked against the reach of the log.
fn range(state: &State, call: &Call, table: usize, days: i64) -> Result<(i64, i64), Reply> {
    if call.method != "GET" {
        return Err(call.wrong_method("GET,HEAD"));
    }
    if !state.table(table).is_some_and(|table| table.object.replicateable) {
        return Err(Reply::not_found());
    }
    let read = |name: &str| {
        let text = call.parameter(name).unwrap_or_default();
        let at = crate::save::read_datetime(text, &state.settings);
        at.map(|second| second.div_euclid(60) * 60).ok_or_else(|| {
            let text = format!("Invalid value {text:?} of parameter {name}: a dateTime is wanted");
            Reply::error(400, "INVALID_REPLICATION_DATE", text)
        })
    };
    let (start, end) = (read("start")?, read("end")?);
    if start >= end {
        let text = "startDate before endDate is required";
        return Err(Reply::error(400, "INVALID_REPLICATION_DATE", text));
    }
    if start < state.clock.now_s() - days * DAY_S {
        let text = format!("startDate cannot be more than {days} days ago");
        return Err(Reply::error(400, "INVALID_REPLICATION_DATE", text));
    }
    Ok((start, end))
}

/// `limits/recordCount?sObjects=A,B`.
pub(crate) fn record_count(state: &State, call: &Call) -> Reply {
    let wanted: Option<Vec<&str>> =
        call.parameter("sObjects").map(|list| list.split(',').map(str::trim).collect());
    let counted = state.tables.iter().filter(|table| {
        wanted.as_ref().is_none_or(|names| {
            names.iter().any(|name| name.eq_ignore_ascii_case(&table.object.name))
        })
    });
    let items: Vec<Json> = counted
        .map(|table| {
            object! { "count" => table.live_count(), "name" => table.object.name.clone() }
        })
        .collect();
    Reply::json(200, object! { "sObjects" => items })
}
