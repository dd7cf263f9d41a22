//! Which graphs go out in one call.

use std::collections::BTreeSet;

use crate::limits::{GRAPH_KINDS_MAX, GRAPH_NODES_MAX, GRAPHS_MAX};
use crate::wire::SubRequest;

/// Writes that pass together or not at all, as the nodes of one graph.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Each with its place in the batch.
    nodes: Vec<(usize, SubRequest)>,
    /// The entities it names.
    kinds: BTreeSet<String>,
}

impl Graph {
    pub(super) fn push(&mut self, at: usize, entity: &str, node: SubRequest) {
        self.nodes.push((at, node));
        self.kinds.insert(entity.to_owned());
    }
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
    /// The places of its writes in the batch.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().map(|(at, _)| *at)
    }
    pub(super) fn into_nodes(self) -> Vec<SubRequest> {
        self.nodes.into_iter().map(|(_, node)| node).collect()
    }
    /// Whether a call can carry it at all.
    pub(super) fn fits(&self) -> bool {
        self.len() <= GRAPH_NODES_MAX && self.kinds.len() <= GRAPH_KINDS_MAX
    }
}

/// The graphs of each call, in their order, within the limits of one.
pub(super) fn calls(graphs: Vec<Graph>) -> Vec<Vec<Graph>> {
    let mut calls: Vec<Vec<Graph>> = Vec::new();
    let (mut nodes, mut kinds) = (0, BTreeSet::new());
    for graph in graphs {
        nodes += graph.len();
        kinds.extend(graph.kinds.iter().cloned());
        let full = |call: &Vec<Graph>| {
            call.len() >= GRAPHS_MAX || nodes > GRAPH_NODES_MAX || kinds.len() > GRAPH_KINDS_MAX
        };
        match calls.last_mut() {
            Some(call) if !full(call) => call.push(graph),
            _ => {
                nodes = graph.len();
                kinds = graph.kinds.clone();
                calls.push(vec![graph]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Headers;

    fn graph(size: usize, entity: &str) -> Graph {
        let mut made = Graph::default();
        for at in 0..size {
            made.push(at, entity, SubRequest::delete("/x".into(), Headers::default()));
        }
        made
    }

    fn sizes(graphs: Vec<Graph>) -> Vec<usize> {
        calls(graphs).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_call_keeps_every_limit() {
        assert_eq!(sizes((0..160).map(|_| graph(1, "Account")).collect()), [75, 75, 10]);
        assert_eq!(sizes((0..6).map(|_| graph(200, "Account")).collect()), [2, 2, 2]);
        let kinds = (0..20).map(|at| graph(1, &format!("E{at}__c"))).collect();
        assert_eq!(sizes(kinds), [15, 5]);
        assert_eq!(sizes(vec![graph(500, "A"), graph(1, "A")]), [1, 1]);
        assert!(!graph(501, "A").fits());
    }
}
