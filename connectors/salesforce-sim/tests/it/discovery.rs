use serde_json::Value;

use crate::sim::{Sim, read};

#[tokio::test]
async fn versions_need_no_login_and_count_nothing() {
    let sim = Sim::start().await;
    let answer = read(sim.http.get(sim.url("/services/data"))).await;
    let list = answer.json();
    let last = list.as_array().unwrap().last().unwrap();
    assert_eq!(last["version"], "67.0");
    assert_eq!(last["label"], "Summer '26");
    assert_eq!(last["url"], "/services/data/v67.0");
    assert!(answer.header("sforce-limit-info").is_none());
}

#[tokio::test]
async fn usual_headers_and_pretty_print() {
    let sim = Sim::start().await;
    sim.org.freeze_clock(Some(1_795_248_000_500));
    sim.org.expire_tokens(Some("nobody"));
    let sim = Sim::with(sim.org.clone()).await;
    let answer = read(sim.request("GET", "").header("X-PrettyPrint", "1")).await;
    assert!(answer.text.contains("\n  \"sobjects\""));
    assert_eq!(answer.header("content-type"), Some("application/json;charset=UTF-8"));
    assert_eq!(answer.header("expires"), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(answer.header("date"), Some("Sat, 21 Nov 2026 08:00:00 GMT"));
    assert_eq!(answer.header("sforce-limit-info"), Some("api-usage=1/15000"));
    let again = sim.get("limits").await;
    assert_eq!(again.header("sforce-limit-info"), Some("api-usage=2/15000"));
    assert_eq!(again.json()["DailyApiRequests"]["Remaining"], 14_998);
}

#[tokio::test]
async fn versions_out_of_range() {
    let sim = Sim::start().await;
    assert_eq!(sim.get("/services/data/v29.0/limits").await.error(), (410, "GONE".to_owned()));
    for path in ["/services/data/v99.0/limits", "/services/data/nonsense", "nothing"] {
        assert_eq!(sim.get(path).await.error(), (404, "NOT_FOUND".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn describe_has_every_recorded_attribute() {
    let sim = Sim::start().await;
    let global = sim.get("sobjects").await.json();
    assert_eq!(global["maxBatchSize"], 200);
    let names: Vec<&str> = global["sobjects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"Account") && names.contains(&"Project__c"));

    let describe = sim.get("sobjects/contact/describe/").await.json();
    assert_eq!(describe["name"], "Contact");
    assert_eq!(describe["keyPrefix"], "003");
    let field = |name: &str| -> Value {
        let fields = describe["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap().clone()
    };
    let id = field("Id");
    assert_eq!(
        (&id["type"], &id["soapType"], &id["length"]),
        (&"id".into(), &"tns:ID".into(), &18.into())
    );
    assert_eq!((&id["nillable"], &id["idLookup"]), (&false.into(), &true.into()));
    let key = field("Syncline_Id__c");
    for attribute in ["externalId", "unique", "idLookup", "custom", "createable"] {
        assert_eq!(key[attribute], true, "{attribute}");
    }
    assert_eq!((&key["length"], &key["byteLength"]), (&36.into(), &108.into()));
    assert_eq!(field("Syncline_Marker__c")["length"], 80);
    assert_eq!(field("LastName")["nillable"], false);
    assert_eq!(field("LastName")["compoundFieldName"], "Name");
    assert_eq!(field("AccountId")["referenceTo"][0], "Account");
    assert_eq!(field("AccountId")["relationshipName"], "Account");
    assert_eq!(field("Tags__c")["type"], "multipicklist");
    assert_eq!(field("Tags__c")["picklistValues"].as_array().unwrap().len(), 5);
    assert_eq!(field("Score__c")["precision"], 8);
    assert_eq!(field("Name")["createable"], false);
    let attributes = id.as_object().unwrap();
    assert_eq!(attributes.len(), 57);
    let account = sim.get("sobjects/Account/describe").await.json();
    let child = account["childRelationships"].as_array().unwrap().iter();
    let contacts = child.clone().find(|it| it["childSObject"] == "Contact").unwrap();
    assert_eq!(contacts["cascadeDelete"], true);
    let basic = sim.get("sobjects/Account/").await.json();
    assert_eq!(basic["objectDescribe"]["name"], "Account");
}

#[tokio::test]
async fn conditional_describe() {
    let sim = Sim::start().await;
    let answer = sim.get("sobjects/Account/describe").await;
    let since = answer.header("last-modified").unwrap().to_owned();
    let request = sim.request("GET", "sobjects/Account/describe");
    let same = read(request.header("If-Modified-Since", &since)).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(same.header("etag"), answer.header("etag"));
}
