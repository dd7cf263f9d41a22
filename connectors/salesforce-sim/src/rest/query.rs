//! `query`, `queryAll` and their pages (REST guide, query and query more results).

use std::collections::HashMap;
use std::sync::Arc;

use super::call::{Call, Caller};
use super::http::Reply;
use crate::json::{Json, object};
use crate::org::ids::Id;
use crate::org::state::State;
use crate::soql::{self, Bound, Node, Shape};

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
            let more = cursor.ids.len() > cursor.page_rows;
            let locator = if more { open(state, cursor.clone()) } else { String::new() };
            page(state, call, &cursor, &locator, 0)
        }
    }
}

/// Keeps a cursor under a locator of its own.
fn open(state: &mut State, cursor: Cursor) -> String {
    let locator = state.new_id("0r8").to_string();
    let oldest = cursor.opened_s - state.settings.locator_ttl_s;
    state.cursors.open.retain(|_, known| known.opened_s >= oldest);
    state.cursors.open.insert(locator.clone(), cursor);
    locator
}

/// A further page, `query/0r8…-2000`.
pub(crate) fn more(state: &mut State, caller: &Caller, call: &Call, locator: &str) -> Reply {
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
fn page(state: &mut State, call: &Call, cursor: &Cursor, locator: &str, offset: usize) -> Reply {
    let bound = Arc::clone(&cursor.bound);
    let (Some(table), Shape::Rows(nodes)) = (state.table(bound.table), &bound.shape) else {
        return Reply::not_found();
    };
    let total = cursor.ids.len();
    let end = offset.saturating_add(cursor.page_rows).min(total);
    let ids = cursor.ids.get(offset..end).unwrap_or_default();
    let rows: Vec<Id> = ids
        .iter()
        .filter_map(|id| table.get(*id))
        .filter(|row| cursor.with_deleted || row.is_live())
        .map(|row| row.id)
        .collect();
    let shown = |id: &Id| Some(soql::record_json(state, table.get(*id)?, nodes, &call.version));
    let mut records: Vec<Json> = rows.iter().filter_map(shown).collect();
    for (id, record) in rows.iter().zip(&mut records) {
        cut_children(state, call, cursor, (*id, nodes), record);
    }
    let next = (end < total).then(|| call.path(&format!("query/{locator}-{end}")));
    Reply::json(200, answer(total, next, records))
}

/// Children beyond a page are on pages of their own (recorded).
fn cut_children(
    state: &mut State,
    call: &Call,
    cursor: &Cursor,
    (id, nodes): (Id, &[Node]),
    record: &mut Json,
) {
    let Json::Map(members) = record else { return };
    for node in nodes {
        let Node::Child { name, slot, query } = node else { continue };
        let row = state.row(id).map(|(_, row)| row);
        let ids = row.map(|row| soql::child_ids(state, row, *slot, query)).unwrap_or_default();
        let rows = cursor.page_rows;
        let member = members.iter_mut().find(|(known, _)| known == name);
        let (true, Some((_, Json::Map(list)))) = (ids.len() > rows, member) else { continue };
        let total = ids.len();
        let bound = Arc::new((**query).clone());
        let children = Cursor { bound, ids: ids.into(), with_deleted: false, ..cursor.clone() };
        let locator = open(state, children);
        let shown = list.iter_mut().find_map(|(name, value)| match value {
            Json::List(shown) if name == "records" => Some(std::mem::take(shown)),
            _ => None,
        });
        let mut shown = shown.unwrap_or_default();
        shown.truncate(rows);
        let next = call.path(&format!("query/{locator}-{rows}"));
        if let Json::Map(cut) = answer(total, Some(next), shown) {
            *list = cut;
        }
    }
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
