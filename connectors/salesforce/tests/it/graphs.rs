//! Graphs of writes: the shapes of requests, and what answers mean.

use syncline_sdk::{Connector, Key, WriteBatch, WriteOp, WriteOutcome};

use crate::script::{Answer, ID, Script, account, batch, cx};
use crate::writing::{composite, insert, update, words};

/// A node's answer: status and body.
type Node<'a> = (u16, &'a str);

/// An answer of graphs: whether each went well, and its nodes, numbered through the call.
fn graphs(graphs: &[(bool, &[Node<'_>])]) -> Answer {
    let mut at = 0;
    let mut shown = Vec::new();
    for (number, (good, nodes)) in graphs.iter().enumerate() {
        let mut parts = Vec::new();
        for (status, body) in *nodes {
            parts.push(format!(
                "{{\"body\":{body},\"httpHeaders\":{{}},\"httpStatusCode\":{status},\
                 \"referenceId\":\"w{at}\"}}"
            ));
            at += 1;
        }
        shown.push(format!(
            "{{\"graphId\":\"g{number}\",\"isSuccessful\":{good},\
             \"graphResponse\":{{\"compositeResponse\":[{}]}}}}",
            parts.join(",")
        ));
    }
    Answer::ok(format!("{{\"graphs\":[{}]}}", shown.join(",")))
}

fn grouped(mut batch: WriteBatch, groups: &[Option<u64>]) -> WriteBatch {
    for (write, group) in batch.writes.iter_mut().zip(groups) {
        write.group = *group;
    }
    batch
}

const HALTED: &str = "[{\"errorCode\":\"PROCESSING_HALTED\",\"message\":\"m\"}]";
const LONG: &str = "[{\"errorCode\":\"STRING_TOO_LONG\",\"message\":\"m\",\"fields\":[\"Name\"]}]";

#[tokio::test]
async fn few_updates_are_a_composite_call_and_many_are_graphs() {
    let script = Script::start().await;
    let crm = script.connector();
    let few: Vec<Node<'_>> = vec![(204, "null"); 25];
    let node: &[Node<'_>] = &[(204, "null")];
    let (full, rest) = (vec![(true, node); 75], vec![(true, node); 5]);
    script.play([account(), composite(&few), graphs(&full), graphs(&rest)]);
    let updates = |count: i64| (0..count).map(|_| update(ID, "x", 0)).collect();
    let outcomes = crm.push(&cx(), batch(updates(25))).await.unwrap();
    assert!(words(&outcomes).iter().all(|word| *word == "applied"));
    let outcomes = crm.push(&cx(), batch(updates(80))).await.unwrap();
    assert!(words(&outcomes).iter().all(|word| *word == "applied"), "{outcomes:?}");
    let targets: Vec<String> = script.seen().iter().map(|seen| seen.target.clone()).collect();
    let path = |rest: &str| format!("/services/data/v67.0/{rest}");
    assert_eq!(targets[1..], [path("composite"), path("composite/graph"), path("composite/graph")]);
    let json = script.seen()[2].json();
    assert_eq!(json["graphs"].as_array().unwrap().len(), 75);
    let node = &json["graphs"][74]["compositeRequest"][0];
    assert_eq!(node["method"], "PATCH");
    assert_eq!(node["httpHeaders"]["If-Unmodified-Since"], "Sat, 21 Nov 2026 08:00:00 GMT");
    assert_eq!(node["httpHeaders"]["Sforce-Auto-Assign"], "FALSE");
    assert_eq!(node["body"], serde_json::json!({"Name": "x", "Marker__c": "inst:4.74"}));
}

#[tokio::test]
async fn a_group_is_one_graph_and_its_refusal_puts_off_the_others() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([
        account(),
        graphs(&[
            (false, &[(400, HALTED), (412, "null")]),
            (true, &[(204, "null"), (204, "null")]),
            (true, &[(204, "null")]),
        ]),
    ]);
    let ops = (0..5).map(|_| update(ID, "x", 0)).collect();
    let groups = [Some(1), Some(2), None, Some(1), Some(2)];
    let outcomes = crm.push(&cx(), grouped(batch(ops), &groups)).await.unwrap();
    assert_eq!(words(&outcomes), ["busy", "applied", "applied", "stale", "applied"]);
    assert_eq!(script.seen().len(), 2, "one call for all");
}

#[tokio::test]
async fn creates_and_deletes_that_belong_together_are_nodes_too() {
    let script = Script::start().await;
    let crm = script.connector();
    let made = "{\"id\":\"001000000000001\",\"success\":true,\"errors\":[]}";
    script.play([
        account(),
        graphs(&[(true, &[(201, made), (204, "null")])]),
        graphs(&[(false, &[(400, HALTED), (400, LONG)])]),
    ]);
    let delete = || WriteOp::Delete {
        key: Key::new(ID),
        fields: Vec::new(),
        expect: syncline_sdk::Expect::default(),
    };
    let both = [Some(1), Some(1)];
    let outcomes =
        crm.push(&cx(), grouped(batch(vec![insert("a"), delete()]), &both)).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    let WriteOutcome::Applied { key: Some(key), .. } = &outcomes[0] else { panic!() };
    assert_eq!(key.as_str(), ID);
    let nodes = &script.last().json()["graphs"][0]["compositeRequest"];
    assert_eq!(nodes[0]["method"], "POST");
    assert_eq!(nodes[0]["url"], "/services/data/v67.0/sobjects/Account");
    assert_eq!(nodes[0]["body"]["Link__c"], "00000000-0000-0000-0000-000000000007");
    assert!(nodes[0]["httpHeaders"].get("If-Unmodified-Since").is_none());
    assert_eq!(nodes[1]["method"], "DELETE");
    let outcomes =
        crm.push(&cx(), grouped(batch(vec![insert("a"), insert("b")]), &both)).await.unwrap();
    assert_eq!(words(&outcomes), ["busy", "rejected"]);
}

#[tokio::test]
async fn an_answer_that_contradicts_itself_or_lacks_a_part_proves_nothing() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([
        account(),
        // It failed, and a node says it was saved; it went well, and a node was refused; a node
        // and a graph are missing.
        graphs(&[
            (false, &[(204, "null"), (412, "null")]),
            (true, &[(204, "null"), (400, LONG)]),
            (true, &[(204, "null")]),
        ]),
    ]);
    let ops = (0..8).map(|_| update(ID, "x", 0)).collect();
    let groups = [1, 1, 2, 2, 3, 3, 4, 4].map(Some);
    let outcomes = crm.push(&cx(), grouped(batch(ops), &groups)).await.unwrap();
    assert_eq!(
        words(&outcomes),
        ["unknown", "stale", "applied", "unknown", "applied", "unknown", "unknown", "unknown"]
    );
}

#[tokio::test]
async fn a_group_that_no_call_takes_as_a_whole_is_not_sent() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), composite(&[(204, "null")])]);
    // One member has no version to be guarded by; another group holds what a graph would read as
    // a reference.
    let blind = WriteOp::Update {
        key: Key::new(ID),
        values: vec![("Name".into(), "x".into())],
        expect: syncline_sdk::Expect::default(),
        claim: false,
    };
    let ops = vec![
        update(ID, "x", 0),
        blind,
        update(ID, "@{a.id}", 0),
        update(ID, "x", 0),
        update(ID, "alone", 0),
    ];
    let groups = [Some(1), Some(1), Some(2), Some(2), None];
    let outcomes = crm.push(&cx(), grouped(batch(ops), &groups)).await.unwrap();
    assert_eq!(words(&outcomes), ["busy", "stale", "busy", "busy", "applied"]);
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test]
async fn an_old_version_has_no_graphs_and_says_so() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.api_version = serde_json::from_value(serde_json::json!("49.0")).unwrap();
    let crm = script.connector_of(settings);
    assert!(!crm.capabilities().transactional);
    assert_eq!(crm.capabilities().push_guarded_max, 25);
    let part = |count| composite(&vec![(204, "null"); count]);
    script.play([account(), part(25), part(5)]);
    let ops: Vec<WriteOp> = (0..30).map(|_| update(ID, "x", 0)).collect();
    let outcomes = crm.push(&cx(), batch(ops.clone())).await.unwrap();
    assert!(words(&outcomes).iter().all(|word| *word == "applied"), "{outcomes:?}");
    let two = grouped(batch(ops[..2].to_vec()), &[Some(1), Some(1)]);
    assert!(crm.push(&cx(), two).await.is_err());
    assert_eq!(script.seen().len(), 3);
}

#[tokio::test]
async fn where_saves_are_slow_fewer_go_in_a_call() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.guarded_rows = 10;
    assert_eq!(script.connector_of(settings.clone()).capabilities().push_guarded_max, 10);
    settings.guarded_rows = 76;
    let tokens = std::sync::Arc::new(syncline_salesforce::MemoryTokenStore::default());
    let refused = syncline_salesforce::Salesforce::new(settings, tokens).unwrap_err();
    assert!(refused.context.contains("guarded_rows"), "{refused}");
}

#[tokio::test]
async fn a_lost_answer_leaves_a_whole_group_unknown() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), Answer::cut()]);
    let two = grouped(batch(vec![update(ID, "x", 0), update(ID, "y", 0)]), &[Some(1), Some(1)]);
    let outcomes = crm.push(&cx(), two).await.unwrap();
    assert_eq!(words(&outcomes), ["unknown", "unknown"]);
}
