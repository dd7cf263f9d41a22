use salesforce_sim::Org;
use serde_json::{Value, json};

use crate::sim::{DATA, Sim, contacts, fields, read};

async fn seeded() -> Sim {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "Acme", "Industry": "Energy" })).await;
    for (last, title, score, tags) in [
        ("Adams", json!("Boss"), json!(1.5), json!("Red;Blue")),
        ("Brown", json!("boss's 100%"), json!(20), json!("Blue")),
        ("Clark", Value::Null, Value::Null, Value::Null),
    ] {
        let parent = if last == "Clark" { Value::Null } else { json!(account) };
        let body = json!({
            "LastName": last, "FirstName": "F", "Title": title, "Score__c": score,
            "Tags__c": tags, "AccountId": parent, "Vip__c": last == "Adams",
        });
        sim.create("Contact", body).await;
    }
    sim
}

#[tokio::test]
async fn filters() {
    let sim = seeded().await;
    let cases = [
        ("LastName = 'ADAMS'", vec!["Adams"]),
        ("LastName != 'Adams'", vec!["Brown", "Clark"]),
        ("Title = null", vec!["Clark"]),
        ("Title = ''", vec!["Clark"]),
        ("Title <> null AND Vip__c = TRUE", vec!["Adams"]),
        ("Title LIKE 'BOSS%'", vec!["Adams", "Brown"]),
        ("Title LIKE '%\\%'", vec!["Brown"]),
        ("Title LIKE 'bos_'", vec!["Adams"]),
        ("Title = 'boss\\'s 100%'", vec!["Brown"]),
        ("Score__c > 1.5", vec!["Brown"]),
        ("Score__c >= 1.5", vec!["Adams", "Brown"]),
        ("Score__c < 20", vec!["Adams"]),
        ("NOT Score__c < 20", vec!["Brown", "Clark"]),
        ("LastName IN ('adams', 'Clark')", vec!["Adams", "Clark"]),
        ("LastName NOT IN ('Adams')", vec!["Brown", "Clark"]),
        ("Tags__c INCLUDES ('Red;Blue', 'Gold')", vec!["Adams"]),
        ("Tags__c EXCLUDES ('Red')", vec!["Brown", "Clark"]),
        ("Account.Name = 'acme' AND (Vip__c = true OR Score__c = 20)", vec!["Adams", "Brown"]),
        ("Account.Industry = null", vec!["Clark"]),
        ("Account.Owner.Username = 'integration@example.com'", vec!["Adams", "Brown"]),
        ("CreatedDate = TODAY", vec!["Adams", "Brown", "Clark"]),
        ("CreatedDate >= LAST_N_DAYS:3", vec!["Adams", "Brown", "Clark"]),
        ("CreatedDate < 2020-01-01T00:00:00Z", vec![]),
        ("SystemModstamp > 2020-01-01T00:00:00.000+00:00", vec!["Adams", "Brown", "Clark"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')", vec!["Adams", "Brown"]),
    ];
    for (filter, wanted) in cases {
        let statement = format!("SELECT LastName FROM Contact WHERE {filter} ORDER BY LastName");
        assert_eq!(sim.column(&statement, "LastName").await, wanted, "{filter}");
    }
}

#[tokio::test]
async fn order_limit_offset_and_shape() {
    let sim = seeded().await;
    let by = async |tail: &str| {
        sim.column(&format!("SELECT LastName FROM Contact {tail}"), "LastName").await
    };
    assert_eq!(by("ORDER BY Title, LastName").await, ["Clark", "Adams", "Brown"]);
    assert_eq!(by("ORDER BY Title ASC NULLS LAST").await, ["Adams", "Brown", "Clark"]);
    assert_eq!(by("ORDER BY LastName DESC LIMIT 1 OFFSET 1").await, ["Brown"]);
    let answer = sim
        .query("select Name, c.Account.Name, id from Contact c where LastName in ('Adams','Clark')")
        .await;
    let body = answer.json();
    assert_eq!((&body["totalSize"], &body["done"]), (&json!(2), &json!(true)));
    assert_eq!(body["records"][0]["Name"], "F Adams");
    assert_eq!(body["records"][0]["Account"]["attributes"]["type"], "Account");
    assert_eq!(body["records"][1]["Account"], Value::Null);
    let order = answer.text.find("\"Account\"").unwrap();
    assert!(
        answer.text.find("\"Name\"").unwrap() < order
            && order < answer.text.find("\"Id\"").unwrap()
    );
    let count = sim.query("SELECT COUNT() FROM Contact WHERE Vip__c = false").await;
    assert_eq!(count.text, r#"{"totalSize":2,"done":true,"records":[]}"#);
    let limited = sim.query("SELECT Id FROM Contact LIMIT 2").await.json();
    assert_eq!((&limited["totalSize"], &limited["done"]), (&json!(2), &json!(true)));
    let groups = sim
        .query("SELECT Vip__c, COUNT(Id) n, MAX(Score__c) FROM Contact GROUP BY Vip__c")
        .await
        .json();
    assert_eq!(groups["records"][0]["attributes"], json!({ "type": "AggregateResult" }));
    assert_eq!(groups["records"][0]["n"], 2);
    assert_eq!(groups["records"][0]["expr0"], 20.0);
    let statement = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC), \
                     (SELECT Id FROM Cases) FROM Account";
    let children = sim.query(statement).await.json();
    assert_eq!(children["records"][0]["Contacts"]["totalSize"], 2);
    assert_eq!(children["records"][0]["Contacts"]["records"][0]["LastName"], "Brown");
    assert_eq!(children["records"][0]["Cases"], Value::Null);
    let all = sim.query("SELECT FIELDS(ALL) FROM Contact LIMIT 1").await.json();
    assert_eq!(all["records"][0]["LastName"], "Adams");
}

#[tokio::test]
async fn errors_quote_the_statement() {
    let sim = Sim::start().await;
    let answer = sim.query("SELECT Id FROM XYZZY").await;
    assert_eq!(answer.error(), (400, "INVALID_TYPE".to_owned()));
    let message = answer.json()[0]["message"].as_str().unwrap().to_owned();
    let start = "\nSELECT Id FROM XYZZY\n               ^\nERROR at Row:1:Column:16\n\
                 sObject type 'XYZZY' is not supported.";
    assert!(message.starts_with(start), "{message}");
    for (statement, code, column) in [
        ("SELECT foo FROM Contact", "INVALID_FIELD", 8),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD", 8),
        ("SELECT Id FRM Contact", "MALFORMED_QUERY", 11),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", 29),
        (
            "SELECT Id FROM Contact WHERE Title = 'a' AND Title = 'b' OR Title = 'c'",
            "MALFORMED_QUERY",
            58,
        ),
        ("SELECT Id FROM Contact WHERE Title = \"a\"", "MALFORMED_QUERY", 38),
        ("SELECT Id FROM Contact WHERE Title = 'a\\q'", "MALFORMED_QUERY", 40),
        ("SELECT Id FROM Contact WHERE Title = 'a", "MALFORMED_QUERY", 38),
        ("SELECT Id FROM Contact WHERE Title = 5", "INVALID_FIELD", 38),
        ("SELECT Id FROM Contact WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD", 44),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", 35),
        ("SELECT Id FROM Contact WHERE Id LIKE 'abc'", "INVALID_QUERY_FILTER_OPERATOR", 38),
        ("SELECT Id FROM Contact WHERE Notes__c = 'abc'", "INVALID_FIELD", 30),
        ("SELECT Id FROM Contact WHERE Title INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", 30),
        ("SELECT Id FROM Contact HAVING x", "MALFORMED_QUERY", 24),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", 8),
        ("SELECT Id FROM Contact LIMIT x", "MALFORMED_QUERY", 30),
        ("SELECT Id FROM Contact LIMIT 1 OFFSET 3000", "NUMBER_OUTSIDE_VALID_RANGE", 39),
    ] {
        let answer = sim.query(statement).await;
        assert_eq!(answer.error(), (400, code.to_owned()), "{statement}");
        let message = answer.json()[0]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("Row:1:Column:{column}\n")), "{statement}: {message}");
    }
    assert_eq!(sim.get("query").await.error().1, "MALFORMED_QUERY");
}

#[tokio::test]
async fn pages_and_locators() {
    let sim = Sim::start().await;
    let ids = sim.org.seed("admin@example.com", "Contact", &contacts(450)).unwrap();
    let request = sim.request("GET", "query").query(&[("q", "SELECT Id FROM Contact ORDER BY Id")]);
    let first = read(request.header("Sforce-Query-Options", "batchSize=200")).await.json();
    assert_eq!((&first["totalSize"], &first["done"]), (&json!(450), &json!(false)));
    let next = first["nextRecordsUrl"].as_str().unwrap().to_owned();
    let (head, offset) = next.rsplit_once('-').unwrap();
    assert!(head.starts_with(&format!("{DATA}/query/0r8")) && offset == "200");
    assert_eq!(head.rsplit('/').next().unwrap().len(), 18);
    sim.delete(&format!("sobjects/Contact/{}", ids[399])).await;
    let second = sim.get(&next).await.json();
    assert_eq!(second["records"].as_array().unwrap().len(), 199);
    let last = sim.get(second["nextRecordsUrl"].as_str().unwrap()).await.json();
    assert_eq!(last["done"], true);
    assert_eq!(last["records"].as_array().unwrap().len(), 50);
    // Pages may be asked again.
    assert_eq!(sim.get(&next).await.status, 200);
    sim.org.advance_clock_ms(3 * 24 * 3600 * 1000);
    let sim = Sim::with(sim.org.clone()).await;
    assert_eq!(sim.get(&next).await.error(), (400, "INVALID_QUERY_LOCATOR".to_owned()));
    assert_eq!(sim.get("query/0r8nothing-200").await.error().1, "INVALID_QUERY_LOCATOR");
}

#[tokio::test]
async fn children_beyond_a_page_have_pages_of_their_own() {
    let sim = Sim::start().await;
    let many = sim.create("Account", json!({ "Name": "Many" })).await;
    let few = sim.create("Account", json!({ "Name": "Few" })).await;
    let contacts: Vec<_> = (0..450)
        .map(|at| fields(json!({ "LastName": format!("C{at:03}"), "AccountId": many })))
        .chain([fields(json!({ "LastName": "Alone", "AccountId": few }))])
        .collect();
    sim.org.seed("admin@example.com", "Contact", &contacts).unwrap();
    let statement = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName DESC), \
                     (SELECT Id FROM Cases) FROM Account ORDER BY Name DESC";
    let request = sim.request("GET", "query").query(&[("q", statement)]);
    let answer = read(request.header("Sforce-Query-Options", "batchSize=200")).await.json();
    let [first, second] = [0, 1].map(|at| answer["records"][at]["Contacts"].clone());
    assert_eq!((&second["totalSize"], &second["done"]), (&json!(1), &json!(true)));
    assert_eq!(answer["records"][0]["Cases"], Value::Null);
    let (mut page, mut seen) = (first, Vec::new());
    loop {
        assert_eq!(page["totalSize"], 450);
        let records = page["records"].as_array().unwrap();
        assert!(records.len() <= 200);
        seen.extend(records.iter().map(|row| row["LastName"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextRecordsUrl"].as_str() else { break };
        assert_eq!(page["done"], false);
        page = sim.get(next).await.json();
    }
    let wanted: Vec<String> = (0..450).rev().map(|at| format!("C{at:03}")).collect();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn keyset_polling_sees_every_row_once() {
    let org = Org::new(3);
    org.freeze_clock(Some(1_795_248_000_000));
    let sim = Sim::with(org.clone()).await;
    // More rows in one second than a page holds.
    org.seed("admin@example.com", "Contact", &contacts(300)).unwrap();
    org.advance_clock_ms(1000);
    org.seed("admin@example.com", "Contact", &contacts(50)).unwrap();
    let (mut stamp, mut last) =
        ("2020-01-01T00:00:00Z".to_owned(), "000000000000000AAA".to_owned());
    let mut seen = Vec::new();
    loop {
        let statement = format!(
            "SELECT Id, SystemModstamp FROM Contact WHERE ((SystemModstamp = {stamp} AND Id > \
             '{last}') OR SystemModstamp > {stamp}) AND SystemModstamp < 2026-11-21T09:00:00Z \
             ORDER BY SystemModstamp, Id LIMIT 70"
        );
        let page = sim.query(&statement).await.json();
        let records = page["records"].as_array().unwrap().clone();
        let Some(end) = records.last() else { break };
        stamp = end["SystemModstamp"].as_str().unwrap().replace("+0000", "Z");
        last = end["Id"].as_str().unwrap().to_owned();
        seen.extend(records.iter().map(|record| record["Id"].as_str().unwrap().to_owned()));
    }
    let total = seen.len();
    seen.dedup();
    assert_eq!((total, seen.len()), (350, 350));
}

#[tokio::test]
async fn query_all_shows_the_recycle_bin() {
    let sim = Sim::start().await;
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    sim.delete(&format!("sobjects/Contact/{id}")).await;
    assert_eq!(sim.query("SELECT Id FROM Contact").await.json()["totalSize"], 0);
    let statement =
        "SELECT Id, IsDeleted, LastModifiedBy.Username FROM Contact WHERE IsDeleted = true";
    let all = sim.query_all(statement).await.json();
    assert_eq!(all["totalSize"], 1);
    assert_eq!(all["records"][0]["LastModifiedBy"]["Username"], "integration@example.com");
    let by_id = sim.query_all(&format!("SELECT Id FROM Contact WHERE Id = '{id}'")).await.json();
    assert_eq!(by_id["totalSize"], 1);
}

#[tokio::test]
async fn record_counts() {
    let sim = Sim::start().await;
    sim.org.seed("a@example.com", "Account", &[fields(json!({ "Name": "A" }))]).unwrap();
    let body = sim.get("limits/recordCount?sObjects=Account,Contact").await.json();
    assert_eq!(
        body,
        json!({ "sObjects": [
        { "count": 1, "name": "Account" }, { "count": 0, "name": "Contact" }
    ] })
    );
}
