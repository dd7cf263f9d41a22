//! Pushing and settling: the shapes of requests, and what answers mean.

use syncline_sdk::{Connector, ErrorKind, Expect, Key, Value, VersionOrder, WriteOp, WriteOutcome};

use crate::script::{Answer, ID, Script, account, batch, cx, expect};

pub fn insert(name: &str) -> WriteOp {
    WriteOp::Insert {
        values: vec![
            ("Name".into(), name.into()),
            ("Size__c".into(), Value::Decimal("0.10".parse().unwrap())),
        ],
    }
}

pub fn update(id: &str, name: &str, second: i64) -> WriteOp {
    WriteOp::Update {
        key: id.into(),
        values: vec![("Name".into(), name.into())],
        expect: expect(second),
        claim: false,
    }
}

fn delete(id: &str) -> WriteOp {
    WriteOp::Delete { key: id.into(), fields: Vec::new(), expect: Expect::default() }
}

pub fn composite(parts: &[(u16, &str)]) -> Answer {
    let parts: Vec<String> = parts
        .iter()
        .enumerate()
        .map(|(at, (status, body))| {
            format!(
                "{{\"body\":{body},\"httpHeaders\":{{}},\"httpStatusCode\":{status},\
                 \"referenceId\":\"w{at}\"}}"
            )
        })
        .collect();
    Answer::ok(format!("{{\"compositeResponse\":[{}]}}", parts.join(",")))
}

fn word(outcome: &WriteOutcome) -> &'static str {
    match outcome {
        WriteOutcome::Applied { .. } => "applied",
        WriteOutcome::Stale { .. } => "stale",
        WriteOutcome::Missing { .. } => "missing",
        WriteOutcome::Busy { .. } => "busy",
        WriteOutcome::Rejected { .. } => "rejected",
        WriteOutcome::Unknown(_) => "unknown",
    }
}

pub fn words(outcomes: &[WriteOutcome]) -> Vec<&'static str> {
    outcomes.iter().map(word).collect()
}

#[tokio::test]
async fn creates_carry_link_id_and_marker_and_name_their_refusal() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([
        account(),
        Answer::ok(
            "[{\"id\":\"001000000000001\",\"success\":true,\"errors\":[]},\
             {\"success\":false,\"errors\":[{\"statusCode\":\"DUPLICATE_VALUE\",\
             \"message\":\"duplicate value found: Link__c duplicates value on record with id: \
             001U000001c83gK\",\"fields\":[\"Link__c\"]}]}]",
        ),
    ]);
    let outcomes = crm.push(&cx(), batch(vec![insert("a"), insert("b")])).await.unwrap();
    let WriteOutcome::Applied { key, version: None, .. } = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(key.as_ref().map(Key::as_str), Some(ID));
    let WriteOutcome::Rejected { error, receipted: false } = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(error.kind, ErrorKind::Duplicate);
    let seen = script.last();
    assert_eq!(seen.target, "/services/data/v67.0/composite/sobjects");
    assert_eq!(seen.header("sforce-auto-assign"), Some("FALSE"));
    assert_eq!(seen.header("sforce-duplicate-rule-header"), None);
    assert!(
        seen.body.starts_with(
            "{\"allOrNone\":false,\"records\":[{\"attributes\":{\"type\":\"Account\"},\
         \"Name\":\"a\",\"Size__c\":0.1,\
         \"Link__c\":\"00000000-0000-0000-0000-000000000007\",\"Marker__c\":\"inst:4.0\"}"
        ),
        "{}",
        seen.body
    );
}

#[tokio::test]
async fn every_update_is_guarded_and_answered_on_its_own() {
    let script = Script::start().await;
    let crm = script.connector();
    let locked = "[{\"errorCode\":\"UNABLE_TO_LOCK_ROW\",\"message\":\"m\",\"fields\":[]}]";
    let gone = "[{\"errorCode\":\"ENTITY_IS_DELETED\",\"message\":\"m\",\"fields\":[]}]";
    let long = "[{\"errorCode\":\"STRING_TOO_LONG\",\"message\":\"m\",\"fields\":[\"Name\"]}]";
    script.play([
        account(),
        composite(&[
            (204, "null"),
            (412, "null"),
            (400, locked),
            (404, gone),
            (400, long),
            (500, "null"),
        ]),
    ]);
    let ops = (0..6).map(|at| update(ID, "x", at)).collect();
    let outcomes = crm.push(&cx(), batch(ops)).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "stale", "busy", "missing", "rejected", "unknown"]);
    // A reading from before the update is older than it (protocol E2').
    let WriteOutcome::Applied { version: Some(version), .. } = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert_eq!(crm.order(&expect(0).version, version), VersionOrder::Older);
    assert_eq!(crm.order(&expect(1).version, version), VersionOrder::Newer);
    let json = script.last().json();
    assert_eq!(json["allOrNone"], false);
    assert_eq!(json["collateSubrequests"], false);
    let part = &json["compositeRequest"][2];
    assert_eq!(part["method"], "PATCH");
    assert_eq!(part["url"], format!("/services/data/v67.0/sobjects/Account/{ID}"));
    assert_eq!(part["httpHeaders"]["If-Unmodified-Since"], "Sat, 21 Nov 2026 08:00:02 GMT");
    assert_eq!(part["httpHeaders"]["Sforce-Auto-Assign"], "FALSE");
    assert_eq!(part["body"], serde_json::json!({"Name": "x", "Marker__c": "inst:4.2"}));
}

#[tokio::test]
async fn an_update_without_a_version_is_never_sent() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account()]);
    let blind = WriteOp::Update {
        key: ID.into(),
        values: vec![("Name".into(), "x".into())],
        expect: Expect::default(),
        claim: true,
    };
    let outcomes = crm.push(&cx(), batch(vec![blind])).await.unwrap();
    assert_eq!(words(&outcomes), ["stale"]);
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test]
async fn a_fence_writes_the_marker_alone_and_a_claim_the_link_id() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account(), composite(&[(204, "null"), (204, "null")])]);
    let fence = WriteOp::Fence { key: ID.into(), expect: expect(0) };
    let claim =
        WriteOp::Update { key: ID.into(), values: Vec::new(), expect: expect(0), claim: true };
    let outcomes = crm.push(&cx(), batch(vec![fence, claim])).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    let json = script.last().json();
    assert_eq!(json["compositeRequest"][0]["body"], serde_json::json!({"Marker__c": "inst:4.0"}));
    assert_eq!(
        json["compositeRequest"][1]["body"],
        serde_json::json!({
            "Link__c": "00000000-0000-0000-0000-000000000007", "Marker__c": "inst:4.1"
        })
    );
}

#[tokio::test]
async fn a_duplicate_rule_that_warns_is_passed_only_when_allowed() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.allow_duplicates = true;
    let crm = script.connector_of(settings);
    script.play([
        account(),
        Answer::ok("[{\"id\":\"001000000000001AAA\",\"success\":true,\"errors\":[]}]"),
        composite(&[(204, "null")]),
    ]);
    let outcomes = crm.push(&cx(), batch(vec![insert("a"), update(ID, "x", 0)])).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "applied"]);
    let header = "sforce-duplicate-rule-header";
    assert_eq!(script.seen()[1].header(header), Some("allowSave=true"));
    let part = &script.last().json()["compositeRequest"][0];
    assert_eq!(part["httpHeaders"]["Sforce-Duplicate-Rule-Header"], "allowSave=true");
}

#[tokio::test]
async fn deletes_and_undeletes() {
    let script = Script::start().await;
    let crm = script.connector();
    let other = "001000000000002AAA";
    script.play([
        account(),
        Answer::ok(format!(
            "[{{\"id\":\"{ID}\",\"success\":true,\"errors\":[]}},{{\"success\":false,\"errors\":[\
             {{\"statusCode\":\"ENTITY_IS_DELETED\",\"message\":\"entity is deleted\",\
             \"fields\":[]}}]}}]"
        )),
        Answer::ok(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"urn:partner.soap.sforce.com\"><soapenv:Body><undeleteResponse><result>\
             <id>001000000000001AAA</id><success>true</success></result></undeleteResponse>\
             </soapenv:Body></soapenv:Envelope>",
        ),
    ]);
    let undelete = WriteOp::Undelete { key: ID.into() };
    let outcomes = crm.push(&cx(), batch(vec![delete(ID), delete(other), undelete])).await.unwrap();
    assert_eq!(words(&outcomes), ["applied", "missing", "applied"]);
    let seen = script.seen();
    assert_eq!(seen[1].method, "DELETE");
    assert_eq!(
        seen[1].target,
        format!("/services/data/v67.0/composite/sobjects?ids={ID},{other}&allOrNone=false")
    );
    assert_eq!(seen[2].target, "/services/Soap/u/67.0");
    assert!(seen[2].body.contains("<urn:sessionId>token-1</urn:sessionId>"));
    assert!(seen[2].body.contains(&format!("<urn:ids>{ID}</urn:ids>")));
}
