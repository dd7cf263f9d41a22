use salesforce_sim::Id;
use serde_json::{Value, json};

use crate::sim::{Answer, Sim, fields, read};

async fn soap(sim: &Sim, version: &str, body: &str) -> Answer {
    let envelope = format!(
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:urn=\"urn:partner.soap.sforce.com\"><soapenv:Header>\
         <urn:SessionHeader><urn:sessionId>{}</urn:sessionId></urn:SessionHeader>\
         <urn:CallOptions><urn:client>tag</urn:client></urn:CallOptions></soapenv:Header>\
         <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>",
        sim.token
    );
    let request = sim.http.post(sim.url(&format!("/services/Soap/u/{version}")));
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

#[tokio::test]
async fn people_delete_undelete_purge_and_merge() {
    let sim = Sim::start().await;
    let ann = sim.org.person("ann@example.com").unwrap();
    let first = ann.create("Account", &fields(json!({ "Name": "One" }))).await.unwrap();
    let second = ann.create("Account", &fields(json!({ "Name": "Two" }))).await.unwrap();
    let body = fields(json!({ "LastName": "C", "AccountId": second }));
    let child = ann.create("Contact", &body).await.unwrap();
    ann.merge(first, &[second], &fields(json!({ "Phone": "9" }))).await.unwrap();
    assert_eq!(sim.org.record(child).unwrap()["AccountId"], first.as_str());
    assert_eq!(sim.org.record(second).unwrap()["MasterRecordId"], first.as_str());
    let merged = sim.query_all("SELECT MasterRecordId FROM Account WHERE IsDeleted = true").await;
    assert_eq!(merged.json()["records"][0]["MasterRecordId"], first.as_str());
    assert!(
        sim.org.history_since(0, 100).iter().any(|entry| entry.op == "merge" && entry.id == second)
    );

    ann.delete(child).await.unwrap();
    assert_eq!(sim.org.record(child).unwrap()["deletedBy"], "ann@example.com");
    ann.undelete(child).await.unwrap();
    assert_eq!(ann.undelete(child).await.unwrap_err().code, "UNDELETE_FAILED");
    ann.delete(child).await.unwrap();
    ann.purge(child).await.unwrap();
    assert_eq!(sim.org.record(child), None);
    let all = sim.query_all("SELECT Id FROM Contact").await.json();
    assert_eq!(all["totalSize"], 0);
}

#[tokio::test]
async fn an_undelete_that_would_double_a_key_is_refused() {
    let sim = Sim::start().await;
    let ann = sim.org.person("ann@example.com").unwrap();
    let keyed = fields(json!({ "LastName": "C", "Syncline_Id__c": "k" }));
    let first = ann.create("Contact", &keyed).await.unwrap();
    ann.delete(first).await.unwrap();
    let second: Id = ann.create("Contact", &keyed).await.unwrap();
    assert_eq!(ann.undelete(first).await.unwrap_err().code, "DUPLICATE_VALUE");
    ann.delete(second).await.unwrap();
    ann.undelete(first).await.unwrap();
}
