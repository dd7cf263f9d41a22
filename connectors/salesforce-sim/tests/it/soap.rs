//! The SOAP API: what REST does not have.

use serde_json::{Value, json};

use crate::sim::{Answer, Sim, read};

/// A call of the partner API, with the token of the client.
async fn soap(sim: &Sim, version: &str, body: &str) -> Answer {
    let envelope = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:urn=\"urn:partner.soap.sforce.com\"><soapenv:Header>\
         <urn:SessionHeader><urn:sessionId>{}</urn:sessionId></urn:SessionHeader>\
         <urn:CallOptions><urn:client>tag</urn:client></urn:CallOptions></soapenv:Header>\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>",
        sim.token
    );
    let path = if version.contains('/') { version.to_owned() } else { format!("u/{version}") };
    let request = sim.http.post(sim.url(&format!("/services/Soap/{path}")));
    read(request.header("Content-Type", "text/xml").header("SOAPAction", "x").body(envelope)).await
}

#[tokio::test]
async fn soap_undelete_brings_rows_back_with_their_ids() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    let contact = sim.create("Contact", json!({ "LastName": "B", "AccountId": account })).await;
    let case = sim.create("Case", json!({ "Subject": "S", "AccountId": account })).await;
    sim.delete(&format!("sobjects/Account/{account}")).await;
    // The contact went along; the case lost its reference.
    assert_eq!(sim.get(&format!("sobjects/Contact/{contact}")).await.status, 404);
    assert_eq!(sim.row("Case", &case).await["AccountId"], Value::Null);
    let bin = sim.org.records("Account", true);
    assert_eq!(bin[0]["deletedBy"], "integration@example.com");

    let body = format!(
        "<urn:undelete><urn:ids>{account}</urn:ids><urn:ids>{case}</urn:ids></urn:undelete>"
    );
    let answer = soap(&sim, "64.0", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .text
            .contains(&format!("<result><id>{account}</id><success>true</success></result>"))
    );
    assert!(answer.text.contains("<statusCode>UNDELETE_FAILED</statusCode>"), "{}", answer.text);
    assert_eq!(sim.row("Contact", &contact).await["AccountId"], account.as_str());
    let last = sim.org.history_since(0, 1000).pop().unwrap();
    assert_eq!(
        (last.op.as_str(), last.client.as_deref(), last.api.as_str()),
        ("undelete", Some("tag"), "soap")
    );
}

#[tokio::test]
async fn soap_refusals() {
    let mut sim = Sim::start().await;
    let good = "<urn:login><urn:username>admin@example.com</urn:username>\
                <urn:password>secrettoken</urn:password></urn:login>";
    let answer = soap(&sim, "64.0", good).await;
    let session =
        answer.text.split("<sessionId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(answer.text.contains("<serverUrl>http://127.0.0.1"));
    let bad = good.replace("secret", "wrong");
    let answer = soap(&sim, "64.0", &bad).await;
    assert_eq!(answer.status, 500);
    assert!(answer.text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"));
    assert_eq!(soap(&sim, "65.0", good).await.status, 500);
    sim.token = session;
    assert_eq!(sim.get("limits").await.status, 200);
    sim.org.expire_tokens(None);
    let answer = soap(&sim, "67.0", "<urn:undelete><urn:ids>x</urn:ids></urn:undelete>").await;
    assert!(answer.text.contains("<faultcode>sf:INVALID_SESSION_ID</faultcode>"));
    assert!(soap(&sim, "20.0", "<urn:undelete/>").await.text.contains("UNSUPPORTED_API_VERSION"));
}

/// The texts of all elements of that name.
fn texts(answer: &Answer, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let parts = answer.text.split(&open).skip(1);
    parts.map(|part| part.split(&close).next().unwrap_or_default().to_owned()).collect()
}

fn merge_xml(object: &str, master: &str, fields: &str, losers: &[&str]) -> String {
    let losers: String = losers
        .iter()
        .map(|id| format!("<urn:recordToMergeIds>{id}</urn:recordToMergeIds>"))
        .collect();
    format!(
        "<urn:mergeRequests><urn:masterRecord><type>{object}</type><Id>{master}</Id>{fields}\
         </urn:masterRecord>{losers}</urn:mergeRequests>"
    )
}

#[tokio::test]
async fn a_merge_keeps_one_record_and_moves_what_belonged_to_the_others() {
    let sim = Sim::start().await;
    let kept = sim.create("Account", json!({ "Name": "Kept", "Phone": "1", "Fax": "2" })).await;
    let lost = sim.create("Account", json!({ "Name": "Lost", "Syncline_Id__c": "k" })).await;
    let third = sim.create("Account", json!({ "Name": "Third" })).await;
    let child = sim.create("Contact", json!({ "LastName": "C", "AccountId": lost })).await;
    let case = sim.create("Case", json!({ "Subject": "S", "AccountId": third })).await;
    // Two of one call lead to one record; a value is set, another one emptied, one left alone.
    let first = "<Syncline_Id__c>k</Syncline_Id__c><fieldsToNull>Phone</fieldsToNull><Fax></Fax>";
    let first = merge_xml("Account", &kept, first, &[&lost]);
    let second = merge_xml("account", &kept, "", &[&third]);
    let body = format!("<urn:merge>{first}{second}</urn:merge>");
    let answer = soap(&sim, "64.0", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(texts(&answer, "success"), ["true", "true"]);
    assert_eq!(texts(&answer, "mergedRecordIds"), [lost.as_str(), third.as_str()]);
    assert_eq!(texts(&answer, "updatedRelatedIds"), [child.as_str(), case.as_str()]);
    let row = sim.row("Account", &kept).await;
    assert_eq!(
        (&row["Syncline_Id__c"], &row["Phone"], &row["Fax"]),
        (&json!("k"), &Value::Null, &json!("2"))
    );
    assert_eq!(sim.row("Contact", &child).await["AccountId"], kept.as_str());
    let bin = sim.query_all("SELECT MasterRecordId FROM Account WHERE IsDeleted = true").await;
    let masters = bin.json()["records"].as_array().unwrap().clone();
    assert!(masters.len() == 2 && masters.iter().all(|row| row["MasterRecordId"] == kept.as_str()));
    let history = sim.org.history_since(0, 1000);
    let merges: Vec<u64> =
        history.iter().filter(|entry| entry.op == "merge").map(|entry| entry.commit).collect();
    assert!(merges.len() == 2 && merges[0] != merges[1], "each merge is its own transaction");
}

#[tokio::test]
async fn a_merge_that_is_refused_leaves_everything() {
    let sim = Sim::start().await;
    let one = sim.create("Account", json!({ "Name": "One" })).await;
    let two = sim.create("Account", json!({ "Name": "Two" })).await;
    let case = sim.create("Case", json!({ "Subject": "S" })).await;
    let contact = sim.create("Contact", json!({ "LastName": "L" })).await;
    let long = format!("<Phone>{}</Phone>", "1".repeat(41));
    for (request, code) in [
        (merge_xml("Account", &one, &long, &[&two]), "STRING_TOO_LONG"),
        (merge_xml("Account", &one, "", &[&one]), "INVALID_OPERATION"),
        (merge_xml("Account", &one, "", &[]), "INVALID_OPERATION"),
        (merge_xml("Account", &one, "", &[&two, &two, &two]), "INVALID_OPERATION"),
        (merge_xml("Account", &one, "", &[&contact]), "INVALID_OPERATION"),
        (merge_xml("Contact", &one, "", &[&two]), "INVALID_TYPE"),
        (merge_xml("Case", &case, "", &[&case]), "INVALID_OPERATION"),
        (merge_xml("Account", &one, "", &["nonsense"]), "MALFORMED_ID"),
        (merge_xml("Account", &one, "<Nothing__c>1</Nothing__c>", &[&two]), "INVALID_FIELD"),
    ] {
        let answer = soap(&sim, "64.0", &format!("<urn:merge>{request}</urn:merge>")).await;
        assert_eq!(answer.status, 200, "{request}: {}", answer.text);
        assert_eq!(texts(&answer, "success"), ["false"], "{request}");
        assert_eq!(texts(&answer, "statusCode"), [code], "{request}");
    }
    assert_eq!(sim.org.records("Account", true).len(), 0);
    assert_eq!(sim.row("Account", &two).await["Name"], "Two");
}

#[tokio::test]
async fn emptying_the_bin_is_for_good_and_takes_along_what_went_along() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "A" })).await;
    let contact = sim.create("Contact", json!({ "LastName": "B", "AccountId": account })).await;
    let live = sim.create("Account", json!({ "Name": "Live" })).await;
    let ids = |ids: &[&str]| ids.iter().map(|id| format!("<ids>{id}</ids>")).collect::<String>();
    let delete = format!("<delete>{}</delete>", ids(&[&account, "x"]));
    let answer = soap(&sim, "c/67.0", &delete).await;
    assert_eq!(texts(&answer, "success"), ["true", "false"], "{}", answer.text);
    assert!(answer.text.contains("xmlns=\"urn:enterprise.soap.sforce.com\""));
    // What is live, and what went along with another record, cannot be emptied by itself.
    let body = format!("<emptyRecycleBin>{}</emptyRecycleBin>", ids(&[&live, &contact, &account]));
    let answer = soap(&sim, "67.0", &body).await;
    assert_eq!(texts(&answer, "success"), ["false", "false", "true"], "{}", answer.text);
    let all = sim.query_all("SELECT Id FROM Contact").await.json();
    assert_eq!(all["totalSize"], 0, "the contact went along for good");
    let undelete = soap(&sim, "67.0", &format!("<undelete>{}</undelete>", ids(&[&account]))).await;
    assert_eq!(texts(&undelete, "statusCode"), ["INVALID_CROSS_REFERENCE_KEY"]);
    assert_eq!(sim.row("Account", &live).await["Name"], "Live");
    let many: Vec<&str> = vec![live.as_str(); 201];
    let body = format!("<emptyRecycleBin>{}</emptyRecycleBin>", ids(&many));
    let answer = soap(&sim, "67.0", &body).await;
    assert!(answer.status == 500 && answer.text.contains("EXCEEDED_ID_LIMIT"), "{}", answer.text);
}

#[tokio::test]
async fn whoever_asks_and_when() {
    let sim = Sim::start().await;
    sim.org.freeze_clock(Some(1_795_248_000_000));
    let answer = soap(&sim, "67.0", "<getServerTimestamp/>").await;
    assert_eq!(texts(&answer, "timestamp"), ["2026-11-21T08:00:00.000Z"]);
    let answer = soap(&sim, "67.0", "<getUserInfo/>").await;
    assert_eq!(texts(&answer, "userName"), ["integration@example.com"]);
    assert_eq!(texts(&answer, "orgHasPersonAccounts"), ["false"]);
    sim.org.enable("person_accounts");
    let answer = soap(&sim, "67.0", "<getUserInfo/>").await;
    assert_eq!(texts(&answer, "orgHasPersonAccounts"), ["true"]);
    assert_eq!(soap(&sim, "m/67.0", "<getUserInfo/>").await.status, 404);
    let answer = soap(&sim, "67.0", "<invalidate/>").await;
    assert!(answer.text.contains("No operation available"), "{}", answer.text);
    let bare = read(sim.http.post(sim.url("/services/Soap/u/67.0")).body("<x/>")).await;
    assert!(bare.status == 500 && bare.text.contains("INVALID_REQUEST"), "{}", bare.text);
}
