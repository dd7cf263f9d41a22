//! Answers that are lost, refused as a whole, or late; and settling.

use std::time::Duration;

use syncline_sdk::{
    BatchId, Connector, Context, Current, ErrorKind, Settlement, UnknownWrite, WriteOp,
};

use crate::script::{Answer, ID, Script, account, batch, cx, expect, live, row, rows, write};
use crate::writing::{composite, insert, update, words};

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_rest_waits() {
    for lost in [
        Answer::cut(),
        Answer::status(500, "<html>oops</html>"),
        Answer::status(502, "<html>Bad Gateway</html>"),
        Answer::status(503, "[{\"errorCode\":\"SERVER_UNAVAILABLE\",\"message\":\"busy\"}]"),
        Answer::ok("not json"),
    ] {
        let script = Script::start().await;
        let crm = script.connector();
        script.play([account(), lost.clone()]);
        let outcomes = crm
            .push(&cx(), batch(vec![insert("a"), insert("b"), update(ID, "x", 0)]))
            .await
            .unwrap();
        assert_eq!(words(&outcomes)[..2], ["unknown", "unknown"], "{lost:?}");
    }
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), Answer::cut()]);
    let outcomes = crm.push(&cx(), batch(vec![insert("a"), update(ID, "x", 0)])).await.unwrap();
    assert_eq!(words(&outcomes), ["unknown", "busy"]);
    assert_eq!(script.seen().len(), 2, "the update was not sent");
}

#[tokio::test]
async fn what_was_not_sent_or_refused_as_a_whole_is_an_error() {
    let script = Script::start().await;
    let crm = script.connector();
    let limit = "[{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"TotalRequests Limit \
                 exceeded.\"}]";
    script.play([account(), Answer::status(403, limit)]);
    let error = crm.push(&cx(), batch(vec![insert("a")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Quota);
    // After a first call that was answered, the rest is told apart.
    script.play([
        Answer::ok("[{\"id\":\"001000000000001AAA\",\"success\":true,\"errors\":[]}]"),
        Answer::status(403, limit),
    ]);
    let outcomes = crm.push(&cx(), batch(vec![insert("a"), update(ID, "x", 0)])).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "busy"]);
    // Nobody listens: not even the login is sent.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = script.settings();
    settings.url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let crm = script.connector_of(settings);
    let error = crm.push(&cx(), batch(vec![insert("a")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_refused_before_anything_is_sent() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), composite(&[(204, "null")])]);
    let wrong = WriteOp::Update {
        key: ID.into(),
        values: vec![("Size__c".into(), "many".into())],
        expect: expect(0),
        claim: false,
    };
    let outcomes = crm.push(&cx(), batch(vec![wrong, update(ID, "x", 0)])).await.unwrap();
    assert_eq!(words(&outcomes), ["rejected", "applied"]);
    let parts = script.last().json();
    assert_eq!(parts["compositeRequest"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_time_out_in_the_midst_is_told_write_by_write() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account()]);
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    // A server that takes the connection and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let mut settings = script.settings();
    settings.url.clone_from(&script.url);
    script.play_token(Answer::ok(format!(
        "{{\"access_token\":\"t\",\"instance_url\":\"{silent}\",\"token_type\":\"Bearer\",\
         \"id\":\"https://x/id/00D1a000000H3O9EAK/005000000000001AAA\"}}"
    )));
    let crm = script.connector_of(settings);
    let hurried = Context { timeout: Duration::from_millis(300), ..cx() };
    // The describe is a read: nothing was sent yet.
    let error = crm.push(&hurried, batch(vec![insert("a")])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    drop(listener);
}

#[tokio::test]
async fn settling_reads_the_receipts() {
    let script = Script::start().await;
    let crm = script.connector();
    let unknown = |ordinal, op| UnknownWrite {
        batch: BatchId { commit: 4, ordinal: 0 },
        write: write(ordinal, op),
        may_arrive: true,
        unseen: false,
    };
    let (applied, dead, open) = (ID, "001000000000002AAA", "001000000000003AAA");
    let marked = live(applied, 5, "x").replace("\"Marker__c\":null", "\"Marker__c\":\"inst:4.0\"");
    let created = row("001000000000009AAA", 5, ",\"IsDeleted\":false")
        .replace("\"Link__c\":null", "\"Link__c\":\"00000000-0000-0000-0000-000000000007\"");
    let found = format!("[{marked},{},{}]", live(dead, 5, "y"), live(open, 1, "z"));
    script.play([account(), rows(&[created]), Answer::ok(found)]);
    let settled = crm
        .settle(
            &cx(),
            &[
                unknown(0, update(applied, "x", 1)),
                unknown(1, update(dead, "x", 1)),
                unknown(2, update(open, "x", 1)),
                unknown(3, insert("a")),
            ],
        )
        .await
        .unwrap();
    assert!(matches!(settled[0], Settlement::Applied { .. }));
    assert!(matches!(settled[1], Settlement::NotApplied));
    assert!(matches!(settled[2], Settlement::Undecided { current: Current::Record(_) }));
    let Settlement::Applied { key: Some(key), .. } = &settled[3] else { panic!("{settled:?}") };
    assert_eq!(key.as_str(), "001000000000009AAA");
}
