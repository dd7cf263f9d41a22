//! Looking records up: the shapes of requests and answers.

use syncline_sdk::{
    Absence, Connector, Cursor, ErrorKind, FetchBy, FetchRequest, LinkId, Normalizer, ScanRequest,
};
use uuid::Uuid;

use crate::script::{Answer, ID, Script, account, cx, live, row, rows, selection};

fn scan(after: Option<Cursor>, page_rows_max: usize) -> ScanRequest {
    ScanRequest { selection: selection(), after, page_rows_max }
}

#[tokio::test]
async fn ids_are_retrieved_in_one_call_and_the_missing_looked_for_in_the_bin() {
    let script = Script::start().await;
    let crm = script.connector();
    let (merged, deleted, purged) =
        ("001000000000002AAA", "001000000000003AAA", "001000000000004AAA");
    let bin = [
        row(merged, 1, ",\"IsDeleted\":true")
            .replace("\"MasterRecordId\":null", "\"MasterRecordId\":\"001000000000001AAA\""),
        row(deleted, 1, ",\"IsDeleted\":true,\"Name\":\"x\""),
    ];
    script.play([account(), Answer::ok(format!("[{},null,null,null]", live(ID, 1, "a")))]);
    script.play([rows(&bin)]);
    let keys = [ID, merged, deleted, purged, "nonsense"].map(Into::into).to_vec();
    let request = FetchRequest { selection: selection(), by: FetchBy::Keys(keys) };
    let fetched = crm.fetch(&cx(), request).await.unwrap();
    assert_eq!(fetched.records.len(), 1);
    let reason = |key: &str| {
        let found = fetched.missing.iter().find(|(missing, _)| missing.as_str() == key);
        found.unwrap().1.clone()
    };
    assert_eq!(reason(merged), Absence::MergedInto(ID.into()));
    assert!(matches!(reason(deleted), Absence::Deleted { image: Some(_), .. }));
    assert_eq!(reason(purged), Absence::NotVisible);
    assert_eq!(reason("nonsense"), Absence::NotVisible);
    let seen = script.seen();
    assert_eq!(seen[1].target, "/services/data/v67.0/composite/sobjects/Account");
    assert_eq!(seen[1].json()["ids"].as_array().unwrap().len(), 4);
    assert!(seen[2].target.starts_with("/services/data/v67.0/queryAll?q="));
}

#[tokio::test]
async fn records_are_found_by_link_id_and_by_field() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), rows(&[live(ID, 1, "a")]), rows(&[live(ID, 1, "a")])]);
    let links = vec![LinkId(Uuid::from_u128(7))];
    let request = FetchRequest { selection: selection(), by: FetchBy::ExternalIds(links) };
    crm.fetch(&cx(), request).await.unwrap();
    assert!(
        script
            .last()
            .target
            .ends_with(" WHERE Link__c IN ('00000000-0000-0000-0000-000000000007')")
    );
    let by = FetchBy::Matching {
        field: "Name".into(),
        normalize: vec![Normalizer::Trim, Normalizer::Lowercase],
        values: vec!["acme".into(), "o'neil".into()],
    };
    let fetched = crm.fetch(&cx(), FetchRequest { selection: selection(), by }).await.unwrap();
    assert_eq!(fetched.records.len(), 1);
    assert!(script.last().target.ends_with(" WHERE Name IN ('acme','o\\'neil')"));
}

#[tokio::test]
async fn the_two_limits_differ() {
    let script = Script::start().await;
    let crm = script.connector();
    let limit = |text: &str| {
        Answer::status(
            403,
            format!("[{{\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\",\"message\":\"{text}\"}}]"),
        )
    };
    script.play([account(), limit("TotalRequests Limit exceeded.")]);
    let error = crm.scan(&cx(), scan(None, 2)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Quota);
    script.play([limit("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")]);
    let error = crm.scan(&cx(), scan(None, 2)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
}

#[tokio::test]
async fn a_page_outside_the_api_is_not_followed() {
    let script = Script::start().await;
    let crm = script.connector();
    let answer = "{\"totalSize\":9,\"done\":false,\"nextRecordsUrl\":\"https://evil.example/x\",\
                  \"records\":[]}";
    script.play([account(), Answer::ok(answer)]);
    let links = vec![LinkId(Uuid::from_u128(7))];
    let request = FetchRequest { selection: selection(), by: FetchBy::ExternalIds(links) };
    let error = crm.fetch(&cx(), request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Protocol);
}
