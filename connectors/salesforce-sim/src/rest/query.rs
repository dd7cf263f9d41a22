//! `query`, `queryAll` and their pages (REST guide, query and query more results).

use std::collections::HashMap;
use std::sync::Arc;

use super::call::{Call, Caller};
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::soql::{self, Bound, Shape};

const PAGE_MIN: usize = 200;
const PAGE_MAX: usize = 2000;

/// Open query locators: snapshots of ids.
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    open: HashMap<String, Cursor>,
}

#[derive(Clone, Debug)]
struct Cursor {
    bound: Arc<Bound>,
    ids: Arc<[Id]>,
    with_deleted: bool,
    page_rows: usize,
    opened_s: i64,
}

impl Cursors {
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}

/// A new statement, `?q=`.
pub(crate) fn query(state: &mut State, caller: &Caller, call: &Call, with_deleted: bool) -> Reply {
    let Some(statement) = call.parameter("q") else {
        return Reply::error(400, "MALFORMED_QUERY", "SOQL statement must not be empty");
    };
    let bound = soql::parse(statement)
        .and_then(|parsed| soql::bind(state, &parsed, statement, Some(&caller.username)));
    let bound = match bound {
        Ok(bound) => bound,
        Err(error) => return Reply::error(400, &error.code, error.message),
    };
    match &bound.shape {
        Shape::Count => {
            let total = soql::count(state, &bound, with_deleted);
            Reply::json(200, answer(total, None, Vec::new()))
        }
        Shape::Aggregate { .. } => {
            let records = soql::aggregate_rows(state, &bound, with_deleted);
            Reply::json(200, answer(records.len(), None, records))
        }
        Shape::Rows(_) => {
            let ids: Arc<[Id]> = soql::run(state, &bound, with_deleted).into();
            let cursor = Cursor {
                bound: Arc::new(bound),
                ids,
                with_deleted,
                page_rows: page_rows(state, caller, call),
                opened_s: state.clock.now_s(),
            };
            let locator = if cursor.ids.len() > cursor.page_rows {
                let locator = state.new_id("0r8").to_string();
                let oldest = cursor.opened_s - state.settings.locator_ttl_s;
                state.cursors.open.retain(|_, known| known.opened_s >= oldest);
                state.cursors.open.insert(locator.clone(), cursor.clone());
                locator
            } else {
                String::new()
            };
            page(state, call, &cursor, &locator, 0)
        }
    }
}

/// A further page, `query/0r8…-2000`.
pub(crate) fn more(state: &State, caller: &Caller, call: &Call, locator: &str) -> Reply {
    let (name, offset) = locator.rsplit_once('-').unwrap_or((locator, "0"));
    let known = state
        .cursors
        .open
        .get(name)
        .filter(|cursor| state.clock.now_s() - cursor.opened_s <= state.settings.locator_ttl_s);
    let (Some(cursor), Ok(offset)) = (known, offset.parse::<usize>()) else {
        return Reply::error(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
    };
    let mut cursor = cursor.clone();
    if caller.page_rows.is_some() || call.header("sforce-query-options").is_some() {
        cursor.page_rows = page_rows(state, caller, call);
    }
    page(state, call, &cursor, name, offset)
}

/// The size asked for lies between 200 and 2000; the service may give fewer rows.
fn page_rows(state: &State, caller: &Caller, call: &Call) -> usize {
    if let Some(rows) = caller.page_rows {
        return rows.max(1);
    }
    let asked = call.header("sforce-query-options").and_then(|options| {
        let (name, size) = options.split_once('=')?;
        let named = name.trim().eq_ignore_ascii_case("batchSize");
        named.then(|| size.trim().parse::<usize>().ok())?
    });
    let asked = asked.map(|size| size.clamp(PAGE_MIN, PAGE_MAX));
    asked.unwrap_or(usize::MAX).min(state.settings.page_rows.max(1)).min(PAGE_MAX)
}

/// Rows that were deleted since the snapshot are missing from later pages.
fn page(state: &State, call: &Call, cursor: &Cursor, locator: &str, offset: usize) -> Reply {
    let (Some(table), Shape::Rows(nodes)) = (state.table(cursor.bound.table), &cursor.bound.shape)
    else {
        return Reply::not_found();
    };
    let total = cursor.ids.len();
    let end = offset.saturating_add(cursor.page_rows).min(total);
    let ids = cursor.ids.get(offset..end).unwrap_or_default();
    let rows = ids
        .iter()
        .filter_map(|id| table.get(*id))
        .filter(|row| cursor.with_deleted || row.is_live());
    let records = rows.map(|row| soql::record_json(state, row, nodes, &call.version)).collect();
    let next = (end < total).then(|| call.path(&format!("query/{locator}-{end}")));
    Reply::json(200, answer(total, next, records))
}

fn answer(total: usize, next: Option<String>, records: Vec<Json>) -> Json {
    match next {
        None => object! { "totalSize" => total, "done" => true, "records" => records },
        Some(next) => object! {
            "totalSize" => total,
            "done" => false,
            "nextRecordsUrl" => next,
            "records" => records,
        },
    }
}
