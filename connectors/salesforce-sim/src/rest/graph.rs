//! `composite/graph`: several graphs of calls, each all or nothing (REST guide, composite graph).

use std::collections::{BTreeSet, HashMap};

use serde_json::Value as Raw;

use super::call::{Call, Caller};
use super::http::Reply;
use super::parts::{Part, halted, part_json, read_list, run_all};
use crate::json::{Json, object};
use crate::org::state::State;
use crate::org::txn::Txn;

const GRAPHS_MAX: usize = 75;
const NODES_MAX: usize = 500;
const DEPTH_MAX: usize = 15;
const KINDS_MAX: usize = 15;
/// After so many failed graphs the rest are not run.
const FAILURES_MAX: usize = 14;

struct Graph {
    id: String,
    parts: Vec<Part>,
}

/// Runs each graph by itself; one that fails leaves nothing behind and stops no other.
pub(crate) fn graph(state: &mut State, txn: &mut Txn, caller: &Caller, call: &Call) -> Reply {
    let graphs = match call.object().and_then(|body| {
        read(body.get("graphs")).map_err(|text| Reply::error(400, "INVALID_INPUT", text))
    }) {
        Ok(graphs) => graphs,
        Err(reply) => return reply,
    };
    let mut failures = 0;
    let mut shown = Vec::with_capacity(graphs.len());
    for Graph { id, parts } in &graphs {
        let (answers, good) = if failures >= FAILURES_MAX {
            (parts.iter().map(|part| part_json(part, halted())).collect(), false)
        } else {
            let order = (0..parts.len()).collect();
            let ran = run_all(state, txn, caller, call, (parts, order, true));
            (ran.answers, !ran.rolled_back)
        };
        failures += usize::from(!good);
        shown.push(object! {
            "graphId" => id.clone(),
            "graphResponse" => object! { "compositeResponse" => Json::List(answers) },
            "isSuccessful" => good,
        });
    }
    Reply::json(200, object! { "graphs" => shown })
}

fn read(graphs: Option<&Raw>) -> Result<Vec<Graph>, String> {
    let Some(Raw::Array(items)) = graphs else {
        return Err(String::from("graphs is missing"));
    };
    if items.len() > GRAPHS_MAX {
        return Err(format!("The maximum number of graphs is {GRAPHS_MAX}"));
    }
    let mut made: Vec<Graph> = Vec::with_capacity(items.len());
    let mut kinds = BTreeSet::new();
    for item in items {
        let id = item.get("graphId").and_then(Raw::as_str);
        let id = id.ok_or_else(|| String::from("graphId is missing in a graph"))?.to_owned();
        if made.iter().any(|known| known.id == id) {
            return Err(format!("Duplicate graphId {id}"));
        }
        let Some(Raw::Array(nodes)) = item.get("compositeRequest") else {
            return Err(format!("compositeRequest is missing in graph {id}"));
        };
        let parts = read_list(nodes)?;
        check(&parts, &mut kinds)?;
        made.push(Graph { id, parts });
    }
    let nodes: usize = made.iter().map(|graph| graph.parts.len()).sum();
    if nodes > NODES_MAX {
        return Err(format!("The maximum number of nodes is {NODES_MAX}, not {nodes}"));
    }
    if kinds.len() > KINDS_MAX {
        return Err(format!("A payload has at most {KINDS_MAX} different kinds of nodes"));
    }
    Ok(made)
}

/// Only calls on rows may be nodes, and a graph has a limited depth. Nodes are of one kind when
/// they name the same object in the same API version (REST guide, composite graph limits).
fn check(parts: &[Part], kinds: &mut BTreeSet<String>) -> Result<(), String> {
    let mut depths: HashMap<&str, usize> = HashMap::new();
    for part in parts {
        let row = part.url.split_once("/sobjects/").filter(|_| !part.url.contains("/composite"));
        let Some((version, rest)) = row else {
            return Err(format!("{} cannot be a node of a graph", part.url));
        };
        let object = rest.split(['/', '?']).next().unwrap_or_default();
        kinds.insert(format!("{version} {object}").to_ascii_lowercase());
        let body = part.body.as_ref().map(Raw::to_string).unwrap_or_default();
        let below = depths.iter().filter(|(name, _)| {
            let named = format!("@{{{name}.");
            part.url.contains(&named) || body.contains(&named)
        });
        let depth = 1 + below.map(|(_, depth)| *depth).max().unwrap_or(0);
        if depth > DEPTH_MAX {
            return Err(format!("The maximum depth of a graph is {DEPTH_MAX}"));
        }
        depths.insert(&part.reference, depth);
    }
    Ok(())
}
