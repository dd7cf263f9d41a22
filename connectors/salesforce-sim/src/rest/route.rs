//! From the path of a call to its resource.

use super::call::{Call, Caller};
use super::http::Reply;
use super::{
    batch, collections, composite, describe, discovery, external, graph, limits, query,
    replication, rows, tree,
};
use crate::org::state::State;
use crate::org::txn::Txn;

/// Runs one call of the data API within a transaction.
pub(crate) fn dispatch(state: &mut State, txn: &mut Txn, caller: &Caller, call: &Call) -> Reply {
    if let Some(flag) = call.header("sforce-auto-assign") {
        txn.auto_assign = !flag.eq_ignore_ascii_case("false");
    }
    if let Some(options) = call.header("sforce-duplicate-rule-header") {
        let option = options.replace(' ', "").to_ascii_lowercase();
        txn.allow_duplicates = option.split([';', ',']).any(|it| it == "allowsave=true");
    }
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    let reading = matches!(call.method.as_str(), "GET" | "HEAD");
    match segments.as_slice() {
        [] => discovery::resources(state, caller, call),
        ["limits"] if reading => limits::limits(state),
        ["limits", "recordCount"] if reading => replication::record_count(state, call),
        ["query"] if reading => query::query(state, caller, call, false),
        ["queryAll"] if reading => query::query(state, caller, call, true),
        ["query" | "queryAll", locator] if reading => query::more(state, caller, call, locator),
        ["limits", ..] | ["query" | "queryAll", ..] => call.wrong_method("GET,HEAD"),
        ["sobjects"] if reading => discovery::global(state, call),
        ["sobjects", object, rest @ ..] => match state.table_at(object) {
            Some(table) => sobject(state, txn, caller, call, table, rest),
            None => Reply::not_found(),
        },
        ["composite"] if reading => discovery::composite(call),
        ["composite"] | ["composite", "batch" | "graph" | "tree", ..] if call.method != "POST" => {
            call.wrong_method("POST")
        }
        ["composite"] | ["composite", "batch" | "graph", ..] if caller.nested => nested(),
        ["composite", "batch"] => batch::batch(state, txn, caller, call),
        ["composite", "graph"] => graph::graph(state, txn, caller, call),
        ["composite", "tree", object] => tree::tree(state, txn, caller, call, object),
        ["composite"] => composite::composite(state, txn, caller, call),
        ["composite", "sobjects", ..] => {
            let rest = call.segments.get(2..).unwrap_or_default();
            collections::route(state, txn, caller, call, rest)
        }
        _ => Reply::not_found(),
    }
}

fn nested() -> Reply {
    Reply::error(400, "INVALID_INPUT", "A composite call cannot contain another one")
}

fn sobject(
    state: &mut State,
    txn: &mut Txn,
    caller: &Caller,
    call: &Call,
    table: usize,
    rest: &[&str],
) -> Reply {
    let reading = matches!(call.method.as_str(), "GET" | "HEAD");
    match rest {
        [] if reading => discovery::basic(state, call, table),
        [] | ["Id"] if call.method == "POST" => rows::create(state, txn, caller, call, table),
        [] => call.wrong_method("GET,HEAD,POST"),
        ["describe"] if reading => describe::describe(state, caller, call, table),
        ["describe"] => call.wrong_method("GET,HEAD"),
        ["updated"] => replication::updated(state, call, table),
        ["deleted"] => replication::deleted(state, call, table),
        [id] if external::key_field(state, table, id, &caller.username).is_none() => {
            rows::by_id(state, txn, caller, call, (table, id))
        }
        [field, value @ ..] => {
            match external::key_field(state, table, field, &caller.username) {
                Some(slot) => {
                    // A raw slash in the key is part of the key.
                    let value = value.join("/");
                    external::by_key(state, txn, caller, call, (table, slot, &value))
                }
                None => match value {
                    [name] => rows::related(state, caller, call, (table, field, name)),
                    _ => Reply::not_found(),
                },
            }
        }
    }
}
