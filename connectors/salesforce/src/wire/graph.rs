//! Composite graphs: several sets of calls in one, each all or nothing (REST guide, Composite
//! Graph). The whole counts as one call.

use serde::{Deserialize, Serialize};

use super::composite::{Part, SubAnswer, SubRequest, answer_of};

/// The body of a call with these graphs. Nodes are numbered through the whole call.
///
/// # Errors
/// Never in practice: all parts are valid JSON already.
pub(crate) fn graphs_body(graphs: Vec<Vec<SubRequest>>) -> serde_json::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Outer {
        graphs: Vec<Graph>,
    }
    #[derive(Serialize)]
    struct Graph {
        #[serde(rename = "graphId")]
        id: String,
        #[serde(rename = "compositeRequest")]
        nodes: Vec<SubRequest>,
    }
    let mut next = 0..;
    let graphs = graphs.into_iter().enumerate().map(|(at, nodes)| Graph {
        id: graph_id(at),
        nodes: nodes.into_iter().zip(&mut next).map(|(node, at)| node.numbered(at)).collect(),
    });
    serde_json::to_vec(&Outer { graphs: graphs.collect() })
}

fn graph_id(at: usize) -> String {
    format!("g{at}")
}

/// What a graph answered.
#[derive(Debug)]
pub(crate) struct GraphAnswer {
    /// All its nodes were saved; else none was.
    pub(crate) successful: bool,
    /// One answer a node; nothing for one that is missing.
    pub(crate) nodes: Vec<Option<SubAnswer>>,
}

/// The answers of graphs of so many nodes each, in order; nothing for a graph that is missing.
pub(crate) fn graph_answers(body: &[u8], sizes: &[usize]) -> Option<Vec<Option<GraphAnswer>>> {
    #[derive(Deserialize)]
    struct Outer<'a> {
        #[serde(borrow)]
        graphs: Vec<Graph<'a>>,
    }
    #[derive(Deserialize)]
    struct Graph<'a> {
        #[serde(rename = "graphId")]
        id: String,
        #[serde(rename = "isSuccessful")]
        successful: bool,
        #[serde(borrow, rename = "graphResponse")]
        response: Response<'a>,
    }
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow, rename = "compositeResponse")]
        parts: Vec<Part<'a>>,
    }
    let outer: Outer<'_> = serde_json::from_slice(body).ok()?;
    let mut start = 0;
    let answers = sizes.iter().enumerate().map(|(at, size)| {
        let nodes = start..start + size;
        start += size;
        let id = graph_id(at);
        let graph = outer.graphs.iter().find(|graph| graph.id == id)?;
        let nodes = nodes.map(|node| answer_of(&graph.response.parts, node)).collect();
        Some(GraphAnswer { successful: graph.successful, nodes })
    });
    Some(answers.collect())
}

#[cfg(test)]
mod tests {
    use super::super::composite::Headers;
    use super::*;

    #[test]
    fn nodes_are_numbered_through_the_whole_call() {
        let node = || SubRequest::delete("/x".into(), Headers::default());
        let body = graphs_body(vec![vec![node(), node()], vec![node()]]).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(json["graphs"][1]["graphId"], "g1");
        assert_eq!(json["graphs"][0]["compositeRequest"][1]["referenceId"], "w1");
        assert_eq!(json["graphs"][1]["compositeRequest"][0]["referenceId"], "w2");
        assert!(json["graphs"][0]["compositeRequest"][0].get("body").is_none());
    }

    #[test]
    fn answers_are_told_apart_by_their_names() {
        let body = br#"{"graphs":[
            {"graphId":"g1","isSuccessful":false,"graphResponse":{"compositeResponse":[
              {"body":[{"errorCode":"STRING_TOO_LONG","message":"m"}],"httpStatusCode":400,
               "referenceId":"w2"}]}},
            {"graphId":"g0","isSuccessful":true,"graphResponse":{"compositeResponse":[
              {"body":{"id":"001","success":true,"errors":[]},"httpStatusCode":201,
               "referenceId":"w1"},
              {"body":null,"httpStatusCode":204,"referenceId":"w0"}]}}]}"#;
        let answers = graph_answers(body, &[2, 1, 1]).unwrap();
        let first = answers[0].as_ref().unwrap();
        let statuses: Vec<u16> =
            first.nodes.iter().map(|node| node.as_ref().unwrap().status).collect();
        assert!(first.successful && statuses == [204, 201]);
        assert_eq!(first.nodes[1].as_ref().unwrap().id.as_deref(), Some("001"));
        let second = answers[1].as_ref().unwrap();
        assert!(!second.successful);
        assert_eq!(second.nodes[0].as_ref().unwrap().faults[0].code, "STRING_TOO_LONG");
        assert!(answers[2].is_none());
        assert!(graph_answers(b"<html>", &[1]).is_none());
    }
}
