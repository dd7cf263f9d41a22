//! Bulk API 2.0: jobs with CSV.

use salesforce_sim::{Fault, FaultAction, Selector};
use serde_json::{Value, json};

use crate::sim::{Answer, Sim, read};

async fn upload(sim: &Sim, id: &str, csv: &str) -> Answer {
    let request = sim.request("PUT", &format!("jobs/ingest/{id}/batches"));
    read(request.header("content-type", "text/csv").body(csv.to_owned())).await
}

/// The job once it has ended.
async fn ended(sim: &Sim, kind: &str, id: &str) -> Value {
    let path = format!("jobs/{kind}/{id}");
    let waited = tokio::time::timeout(std::time::Duration::from_secs(10), async {
        loop {
            let job = sim.get(&path).await.json();
            if matches!(job["state"].as_str(), Some("JobComplete" | "Failed" | "Aborted")) {
                return job;
            }
        }
    });
    waited.await.expect("the job ends")
}

/// A whole job: its id, and how it ended.
async fn job(sim: &Sim, settings: Value, csv: &str) -> (String, Value) {
    let made = sim.post("jobs/ingest", settings).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let info = made.json();
    let id = info["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!((&info["state"], &info["apiVersion"]), (&json!("Open"), &json!(67.0)));
    assert_eq!(info["contentUrl"], format!("services/data/v67.0/jobs/ingest/{id}/batches"));
    let uploaded = upload(sim, &id, csv).await;
    assert_eq!((uploaded.status, uploaded.text.as_str()), (201, ""));
    let closed =
        sim.patch(&format!("jobs/ingest/{id}"), json!({ "state": "UploadComplete" })).await;
    assert_eq!(closed.json()["state"], "UploadComplete");
    let end = ended(sim, "ingest", &id).await;
    (id, end)
}

async fn results(sim: &Sim, id: &str, what: &str) -> Vec<String> {
    let answer = sim.get(&format!("jobs/ingest/{id}/{what}")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv")));
    answer.text.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn an_upsert_tells_what_became_of_each_row() {
    let sim = Sim::start().await;
    let parent = json!({ "Name": "Parent", "Syncline_Id__c": "p1" });
    sim.create("Account", parent).await;
    let known = json!({ "LastName": "Old", "Title": "T", "Syncline_Id__c": "k" });
    sim.create("Contact", known).await;
    let csv = "Syncline_Id__c,LastName,Title,Account.Syncline_Id__c,Birthdate\n\
               k,New,#N/A,p1,1980-01-02Z\n\
               n,\"With, comma\",,,\n\
               bad,,x,,\n";
    let settings = json!({
        "object": "Contact", "operation": "upsert", "externalIdFieldName": "Syncline_Id__c",
    });
    let (id, end) = job(&sim, settings, csv).await;
    assert_eq!(end["state"], "JobComplete", "{end}");
    let counts = (&end["numberRecordsProcessed"], &end["numberRecordsFailed"]);
    assert_eq!(counts, (&json!(3), &json!(1)));
    let saved = results(&sim, &id, "successfulResults").await;
    assert!(saved[0].starts_with("\"sf__Id\",\"sf__Created\",\"Syncline_Id__c\""), "{saved:?}");
    assert!(saved[1].contains("\"false\",\"k\"") && saved[2].contains("\"true\",\"n\""));
    let failed = results(&sim, &id, "failedResults").await;
    assert!(failed[1].contains("REQUIRED_FIELD_MISSING:Required fields are missing"), "{failed:?}");
    for what in ["unprocessedrecords", "unprocessedRecords"] {
        assert_eq!(results(&sim, &id, what).await.len(), 1);
    }
    let found = sim
        .query("SELECT LastName, Title, Birthdate, Account.Name FROM Contact ORDER BY LastName")
        .await
        .json();
    let row = &found["records"][0];
    assert_eq!((&row["LastName"], &row["Title"]), (&json!("New"), &Value::Null));
    assert_eq!(
        (&row["Birthdate"], &row["Account"]["Name"]),
        (&json!("1980-01-02"), &json!("Parent"))
    );
    assert_eq!(sim.delete(&format!("jobs/ingest/{id}")).await.status, 204);
    assert_eq!(sim.get(&format!("jobs/ingest/{id}")).await.status, 404);
}

#[tokio::test]
async fn results_come_in_any_order_and_a_job_may_fail_silently() {
    let sim = Sim::start().await;
    sim.org.change_settings(|settings| {
        settings.bulk_reorders = true;
        settings.lock_wait_ms = 20;
    });
    let insert = json!({ "object": "Account", "operation": "insert", "lineEnding": "CRLF" });
    let (id, _) = job(&sim, insert.clone(), "Name\r\nOne\r\nTwo\r\n").await;
    let saved = results(&sim, &id, "successfulResults").await;
    assert!(saved[1].contains("Two") && saved[2].contains("One"), "{saved:?}");

    let on = Selector { kind: Some("bulk_close".into()), ..Selector::default() };
    sim.org.add_fault(Fault { on, skip: 0, count: Some(1), action: FaultAction::FailJob });
    let (_, end) = job(&sim, insert.clone(), "Name\r\nThree\r\n").await;
    assert_eq!((&end["state"], end.get("errorMessage")), (&json!("Failed"), None));

    // A locked row fails alone; wrong rows too.
    let all = sim.column("SELECT Id FROM Account ORDER BY Name", "Id").await;
    let ids: Vec<&str> = all.iter().map(|id| id.as_str().unwrap_or_default()).collect();
    sim.org.lock_row(salesforce_sim::Id::parse(ids[0]).expect("an id"), 60_000);
    let csv = format!("Id\n{}\n{}\nx\n", ids[0], ids[1]);
    let (id, end) = job(&sim, json!({ "object": "Account", "operation": "delete" }), &csv).await;
    assert_eq!(end["numberRecordsFailed"], 2);
    let failed = results(&sim, &id, "failedResults").await.join("\n");
    assert!(failed.contains("UNABLE_TO_LOCK_ROW") && failed.contains("MALFORMED_ID"), "{failed}");
}

#[tokio::test]
async fn a_job_is_refused_or_aborted() {
    let sim = Sim::start().await;
    for (settings, code) in [
        (json!({ "object": "Nothing", "operation": "insert" }), "INVALIDENTITY"),
        (json!({ "object": "Account", "operation": "magic" }), "INVALIDJOB"),
        (json!({ "object": "Account", "operation": "upsert" }), "INVALIDJOB"),
        (
            json!({ "object": "Account", "operation": "insert", "columnDelimiter": "X" }),
            "INVALIDJOB",
        ),
    ] {
        assert_eq!(sim.post("jobs/ingest", settings).await.error(), (400, code.to_owned()));
    }
    let made = sim.post("jobs/ingest", json!({ "object": "Account", "operation": "insert" })).await;
    let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
    let path = format!("jobs/ingest/{id}");
    assert_eq!(upload(&sim, &id, "Name\nA\n").await.status, 201);
    assert_eq!(upload(&sim, &id, "Name\nA\n").await.error().1, "INVALIDJOBSTATE");
    assert_eq!(sim.patch(&path, json!({ "state": "Aborted" })).await.json()["state"], "Aborted");
    let late = sim.patch(&path, json!({ "state": "UploadComplete" })).await;
    assert_eq!(late.error().1, "INVALIDJOBSTATE");
    assert_eq!(sim.query("SELECT COUNT() FROM Account").await.json()["totalSize"], 0);
}

#[tokio::test]
async fn a_query_job_is_read_page_by_page() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "A \"quoted\"" })).await;
    for name in ["C1", "C2", "C3"] {
        let parent = if name == "C2" { Value::Null } else { json!(account) };
        sim.create("Contact", json!({ "LastName": name, "AccountId": parent })).await;
    }
    let statement = "SELECT LastName, Account.Name, CreatedDate, DoNotCall FROM Contact \
                     ORDER BY LastName";
    let made = sim.post("jobs/query", json!({ "operation": "query", "query": statement })).await;
    let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
    assert_eq!(ended(&sim, "query", &id).await["numberRecordsProcessed"], 3);
    let path = format!("jobs/query/{id}/results?maxRecords=2");
    let first = sim.get(&path).await;
    let lines: Vec<&str> = first.text.lines().collect();
    assert_eq!(lines[0], "\"LastName\",\"Account.Name\",\"CreatedDate\",\"DoNotCall\"");
    assert!(lines[1].starts_with("\"C1\",\"A \"\"quoted\"\"\",\""), "{}", lines[1]);
    assert!(lines[1].ends_with(".000Z\",\"false\""), "{}", lines[1]);
    assert!(lines[2].starts_with("\"C2\",\"\","), "{}", lines[2]);
    assert_eq!(first.header("sforce-numberofrecords"), Some("2"));
    let locator = first.header("sforce-locator").unwrap_or_default().to_owned();
    let last = sim.get(&format!("{path}&locator={locator}")).await;
    assert_eq!(last.header("sforce-locator"), Some("null"));
    assert_eq!(last.text.lines().count(), 2);
    let elsewhere = format!("/services/data/v60.0/jobs/query/{id}/results");
    assert_eq!(sim.get(&elsewhere).await.status, 409);
    for statement in [
        "SELECT COUNT(Id) FROM Contact",
        "SELECT Name, (SELECT LastName FROM Contacts) FROM Account",
        "SELECT BillingAddress FROM Account",
        "SELECT Nothing FROM Account",
    ] {
        let body = json!({ "operation": "query", "query": statement });
        assert_eq!(sim.post("jobs/query", body).await.status, 400, "{statement}");
    }
}

#[tokio::test]
async fn a_job_with_its_content_in_one_call_needs_no_close() {
    let sim = Sim::start().await;
    let send = |kind: &'static str, body: String| {
        let request = sim.request("POST", "jobs/ingest").header("content-type", kind);
        read(request.body(body))
    };
    let job = json!({ "object": "Contact", "operation": "insert", "lineEnding": "LF" });
    let part = |name: &str, kind: &str, text: &str| {
        format!(
            "--B\r\nContent-Type: {kind}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\
             \r\n{text}\r\n"
        )
    };
    let whole = [
        part("job", "application/json", &job.to_string()),
        part("content", "text/csv", "LastName\nOne\nTwo"),
        String::from("--B--\r\n"),
    ];
    let kind = "multipart/form-data; boundary=B";
    let made = send(kind, whole.concat()).await;
    assert_eq!((made.status, &made.json()["state"]), (200, &json!("UploadComplete")));
    let id = made.json()["id"].as_str().unwrap_or_default().to_owned();
    let end = ended(&sim, "ingest", &id).await;
    assert_eq!((&end["state"], &end["numberRecordsProcessed"]), (&json!("JobComplete"), &json!(2)));
    assert_eq!(results(&sim, &id, "successfulResults").await.len(), 3);
    assert_eq!(upload(&sim, &id, "LastName\nThree").await.status, 400);
    // Half of one is none, and a bad job takes no content.
    let half = send(kind, whole[0].clone() + &whole[2]).await;
    assert_eq!(half.error(), (400, "INVALIDJOB".to_owned()));
    let nameless = send("multipart/form-data", whole.concat()).await;
    assert_eq!(nameless.error(), (400, "INVALIDJOB".to_owned()));
    let bad = whole.concat().replace("\"Contact\"", "\"Nothing__c\"");
    assert_eq!(send(kind, bad).await.error(), (400, "INVALIDENTITY".to_owned()));
}

/// The first version of Bulk takes its session by a header of its own, and is not offered.
#[tokio::test]
async fn the_first_version_is_refused_in_its_own_words() {
    let sim = Sim::start().await;
    let call = |session: &str, kind: &str| {
        let url = sim.url("/services/async/59.0/job");
        let request = sim.http.post(url).header("X-SFDC-Session", session.to_owned());
        read(request.header("content-type", kind.to_owned()).body("{}"))
    };
    let answer = call(&sim.token, "application/json").await;
    let code = &answer.json()["exceptionCode"];
    assert_eq!((answer.status, code), (400, &json!("FeatureNotEnabled")));
    let answer = call(&sim.token, "application/xml; charset=UTF-8").await;
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/xml")));
    assert!(answer.text.contains("<exceptionCode>FeatureNotEnabled</"), "{}", answer.text);
    let answer = call("gone", "application/xml").await;
    assert!(answer.text.contains("<exceptionCode>InvalidSessionId</"), "{}", answer.text);
}
