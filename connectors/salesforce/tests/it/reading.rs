//! Describing, scanning, polling, looking up: the shapes of requests and answers.

use std::sync::Arc;
use std::time::Duration;

use syncline_sdk::{
    Absence, ActorKind, ChangesRequest, Comparison, Connector, Cursor, ErrorKind, Filter, Page,
    Quota, ReceiptKind, ScanRequest, Selection, Value,
};

use crate::script::{Answer, EIGHT, ID, Script, account, cx, live, row, rows, selection};

fn scan(after: Option<Cursor>, page_rows_max: usize) -> ScanRequest {
    ScanRequest { selection: selection(), after, page_rows_max }
}

fn poll(since: Option<Cursor>) -> ChangesRequest {
    ChangesRequest { selection: selection(), since, page_rows_max: 2 }
}

fn names(page: &Page) -> Vec<String> {
    page.records.iter().map(|record| record.values[0].to_string()).collect()
}

const COLUMNS: &str = "SELECT Id, SystemModstamp, LastModifiedById, IsDeleted, MasterRecordId, \
                       Link__c, Marker__c, Name, Size__c FROM Account";

#[tokio::test]
async fn a_describe_is_asked_again_only_when_it_changed() {
    let script = Script::start().await;
    let crm = script.connector();
    let modified = "Fri, 20 Nov 2026 08:00:00 GMT";
    script.play([
        account()
            .header("last-modified", modified)
            .header("sforce-limit-info", "api-usage=17/15000"),
        Answer::status(304, ""),
    ]);
    let first = crm.describe(&cx(), &"Account".into()).await.unwrap();
    let second = crm.describe(&cx(), &"Account".into()).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(script.seen()[0].target, "/services/data/v67.0/sobjects/Account/describe");
    assert_eq!(script.last().header("if-modified-since"), Some(modified));
    assert_eq!(crm.usage().quota, Some(Quota { used: 17, max: 15_000 }));
    let effective = crm.effective(&selection());
    assert_eq!(effective.receipt, ReceiptKind::MarkerField);
    assert!(effective.unique_external_id);
    let bare = Selection { external_id: None, marker: None, ..(*selection()).clone() };
    assert_eq!(crm.effective(&bare).receipt, ReceiptKind::None);
    assert!(!crm.effective(&bare).unique_external_id);
}

#[tokio::test]
async fn an_unknown_entity_is_named() {
    let script = Script::start().await;
    let crm = script.connector();
    let body =
        "[{\"errorCode\":\"NOT_FOUND\",\"message\":\"The requested resource does not exist\"}]";
    script.play([Answer::status(404, body)]);
    let error = crm.describe(&cx(), &"Acount".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("Acount"));
    assert!(crm.describe(&cx(), &"a/b".into()).await.is_err());
}

#[tokio::test]
async fn a_scan_goes_on_after_the_last_id() {
    let script = Script::start().await;
    let crm = script.connector();
    let other = "001000000000002AAA";
    script.play([account(), rows(&[live(ID, 1, "a"), live(other, 2, "b")]), rows(&[])]);
    let page = crm.scan(&cx(), scan(None, 2)).await.unwrap();
    assert_eq!(names(&page), ["a", "b"]);
    let page = crm.scan(&cx(), scan(page.next, 2)).await.unwrap();
    assert!(page.next.is_none());
    let seen = script.seen();
    let soql = "/services/data/v67.0/query?q=";
    assert_eq!(seen[1].target, format!("{soql}{COLUMNS} ORDER BY Id LIMIT 2"));
    assert_eq!(seen[2].target, format!("{soql}{COLUMNS} WHERE Id > '{other}' ORDER BY Id LIMIT 2"));
}

#[tokio::test]
async fn a_scan_pushes_the_filter_down() {
    let script = Script::start().await;
    let crm = script.connector();
    let filter = Filter::Or(vec![
        Filter::Compare {
            field: "Name".into(),
            comparison: Comparison::Equal,
            value: "O'Neil".into(),
        },
        Filter::Compare { field: "Size__c".into(), comparison: Comparison::Less, value: 5.into() },
    ]);
    let selection = Arc::new(Selection { filter: Some(filter), ..(*selection()).clone() });
    script.play([account(), rows(&[])]);
    crm.scan(&cx(), ScanRequest { selection, after: None, page_rows_max: 9 }).await.unwrap();
    assert!(script.last().target.ends_with(
        " WHERE ((Name = 'O\\'Neil' OR (Size__c != null AND Size__c < 5))) ORDER BY Id LIMIT 9"
    ));
}

#[tokio::test]
async fn a_field_that_vanished_is_read_as_absent() {
    let script = Script::start().await;
    let crm = script.connector();
    let lost = "[{\"errorCode\":\"INVALID_FIELD\",\"message\":\"No such column 'Size__c'\"}]";
    let without = "{\"name\":\"Account\",\"queryable\":true,\"updateable\":true,\"fields\":[\
                   {\"name\":\"Id\",\"type\":\"id\"},{\"name\":\"SystemModstamp\",\
                   \"type\":\"datetime\"},{\"name\":\"Name\",\"type\":\"string\"}]}";
    script.play([account(), Answer::status(400, lost), Answer::ok(without)]);
    script.play([rows(&[live(ID, 1, "a")])]);
    let page = crm.scan(&cx(), scan(None, 2)).await.unwrap();
    assert_eq!(page.records[0].values, [Value::from("a"), Value::Absent]);
}

#[tokio::test]
async fn a_poll_starts_now_and_first_reads_the_window_behind() {
    let script = Script::start().await;
    let crm = script.connector();
    script.play([account().at("Sat, 21 Nov 2026 08:00:10 GMT"), rows(&[])]);
    let start = crm.changes(&cx(), poll(None)).await.unwrap();
    assert!(start.records.is_empty() && !start.more);
    assert_eq!(start.server_time.unwrap().micros(), (EIGHT + 10) * 1_000_000);
    // The forward page, then the window: here a row that committed late, and a deletion.
    let gone = row("001000000000009AAA", 4, ",\"IsDeleted\":true,\"Name\":\"z\"");
    script.play([rows(&[]), rows(&[live(ID, 3, "late"), gone])]);
    script.play([rows(&[])]);
    let page = crm.changes(&cx(), poll(start.next)).await.unwrap();
    assert!(page.records.is_empty() && page.more);
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert_eq!(names(&page), ["late"]);
    assert!(page.records[0].closed);
    let (key, absence) = &page.gone[0];
    assert_eq!(key.as_str(), "001000000000009AAA");
    let Absence::Deleted { by, image, .. } = absence else { panic!("{absence:?}") };
    assert_eq!(by.as_ref().unwrap().kind, ActorKind::Person);
    assert_eq!(image.as_ref().unwrap().values[0], "z".into());
    // The page was full, so the window goes on after its last row.
    assert!(page.more);
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert!(!page.more);
    let seen = script.seen();
    let target = |at: usize| seen[at].target.replace("/services/data/v67.0/queryAll?q=", "");
    assert_eq!(
        target(2),
        format!(
            "{COLUMNS} WHERE SystemModstamp >= 2026-11-21T08:00:10Z \
             ORDER BY SystemModstamp, Id LIMIT 2"
        )
    );
    assert_eq!(
        target(3),
        format!(
            "{COLUMNS} WHERE SystemModstamp >= 2026-11-21T07:45:10Z AND \
             SystemModstamp <= 2026-11-21T08:00:10Z ORDER BY SystemModstamp, Id LIMIT 2"
        )
    );
    assert_eq!(
        target(4),
        format!(
            "{COLUMNS} WHERE ((SystemModstamp = 2026-11-21T08:00:04Z AND \
             Id > '001000000000009AAA') OR SystemModstamp > 2026-11-21T08:00:04Z) AND \
             SystemModstamp <= 2026-11-21T08:00:10Z ORDER BY SystemModstamp, Id LIMIT 2"
        )
    );
}

/// A poll that has just read its window, at ten past the full minute.
async fn settled(script: &Script, crm: &impl Connector) -> Cursor {
    script.play([account(), rows(&[]), rows(&[]), rows(&[])]);
    let mut page = crm.changes(&cx(), poll(None)).await.unwrap();
    for _ in 0..2 {
        page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    }
    assert!(!page.more);
    page.next.unwrap()
}

#[tokio::test]
async fn more_rows_of_one_second_than_a_page_holds() {
    let script = Script::start().await;
    let crm = script.connector();
    let cursor = settled(&script, &crm).await;
    let id = |n: u32| format!("00100000000000{n}AAA");
    let later = "Sat, 21 Nov 2026 08:00:30 GMT";
    // A first answer lets the clock be known.
    script.play([rows(&[]).at(later)]);
    let page = crm.changes(&cx(), poll(Some(cursor))).await.unwrap();
    script.play([rows(&[live(&id(1), 20, "a"), live(&id(2), 20, "b")]).at(later)]);
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert_eq!((names(&page).len(), page.more), (2, true));
    script.play([rows(&[live(&id(3), 20, "c")]).at(later)]);
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert_eq!((names(&page), page.more), (vec!["c".to_owned()], false));
    let target = script.last().target;
    assert!(
        target.contains("SystemModstamp = 2026-11-21T08:00:20Z AND Id > '001000000000002AAA'"),
        "{target}"
    );
}

#[tokio::test]
async fn what_is_younger_than_the_lag_waits() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.lag = Duration::from_secs(5);
    let crm = script.connector_of(settings);
    let cursor = settled(&script, &crm).await;
    script.play([rows(&[live(ID, 4, "old"), live("001000000000002AAA", 5, "young")])]);
    let page = crm.changes(&cx(), poll(Some(cursor))).await.unwrap();
    assert_eq!(names(&page), ["old"]);
    assert!(!page.more);
}

#[tokio::test]
async fn the_window_shows_a_taken_row_again_only_when_it_changed() {
    let script = Script::start().await;
    let mut settings = script.settings();
    settings.overlap_every = Duration::from_secs(1);
    let crm = script.connector_of(settings);
    let cursor = settled(&script, &crm).await;
    let later = "Sat, 21 Nov 2026 08:00:30 GMT";
    let row = || rows(&[live(ID, 20, "a")]).at(later);
    script.play([rows(&[]).at(later), rows(&[]).at(later), row()]);
    let page = crm.changes(&cx(), poll(Some(cursor))).await.unwrap();
    assert!(page.more, "the window is due");
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert!(!page.more);
    let page = crm.changes(&cx(), poll(page.next)).await.unwrap();
    assert_eq!(names(&page), ["a"]);
    let last = "Sat, 21 Nov 2026 08:00:50 GMT";
    script.play([rows(&[]).at(last), rows(&[]).at(last)]);
    let mut cursor = page.next;
    for _ in 0..2 {
        cursor = crm.changes(&cx(), poll(cursor)).await.unwrap().next;
    }
    // The window again: unchanged it is dropped, changed within its second it is shown.
    script.play([rows(&[live(ID, 20, "a")]).at(last)]);
    let page = crm.changes(&cx(), poll(cursor.clone())).await.unwrap();
    assert!(page.records.is_empty());
    script.play([rows(&[live(ID, 20, "b")]).at(last)]);
    let page = crm.changes(&cx(), poll(cursor)).await.unwrap();
    assert_eq!(names(&page), ["b"]);
}

#[tokio::test]
async fn a_cursor_older_than_the_recycle_bin_is_a_gap() {
    let script = Script::start().await;
    let crm = script.connector();
    let cursor = settled(&script, &crm).await;
    script.play([rows(&[]).at("Mon, 21 Dec 2026 08:00:00 GMT")]);
    script.play([rows(&[]).at("Mon, 21 Dec 2026 08:00:00 GMT")]);
    let page = crm.changes(&cx(), poll(Some(cursor.clone()))).await;
    let error = match page {
        Err(error) => error,
        Ok(_) => crm.changes(&cx(), poll(Some(cursor))).await.unwrap_err(),
    };
    assert_eq!(error.kind, ErrorKind::Gap);
    let foreign = crm.changes(&cx(), poll(Some(Cursor("x".into())))).await.unwrap_err();
    assert_eq!(foreign.kind, ErrorKind::Gap);
}

#[tokio::test]
async fn the_clock_of_an_answer_may_lie_behind_its_reading() {
    let script = Script::start().await;
    let crm = script.connector();
    let eight = "Sat, 21 Nov 2026 08:00:05 GMT";
    let after = "Sat, 21 Nov 2026 08:00:06 GMT";
    script.play([account().at(eight)]);
    // The answer came in second 6, but may have been read in second 5, when the stamp of second
    // 5 could still be shared by a later change.
    script.play([rows(&[live(ID, 4, "a"), live("001000000000002AAA", 5, "b")]).at(after)]);
    let page = crm.scan(&cx(), scan(None, 9)).await.unwrap();
    let closed: Vec<bool> = page.records.iter().map(|record| record.closed).collect();
    assert_eq!(closed, [true, false]);
}
