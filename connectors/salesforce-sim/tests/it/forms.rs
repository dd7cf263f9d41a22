//! Bodies in XML, and what a token answer looks like in its three forms.

use serde_json::json;

use crate::sim::{Answer, Sim, read};

/// A call that wants to read, and may send, XML.
async fn xml(sim: &Sim, method: &str, path: &str, body: &str) -> Answer {
    let request = sim.request(method, path).header("Accept", "application/xml");
    let request = request.header("Content-Type", "application/xml; charset=UTF-8");
    read(request.body(body.to_owned())).await
}

fn text<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let open = format!("<{name}>");
    let rest = answer.text.split_once(&open).map(|(_, rest)| rest).unwrap_or_default();
    rest.split_once("</").map(|(text, _)| text).unwrap_or_default()
}

#[tokio::test]
async fn records_are_made_read_and_changed_in_xml() {
    let sim = Sim::start().await;
    let parent = sim.create("Account", json!({ "Name": "P", "Syncline_Id__c": "p1" })).await;
    let body = "<?xml version=\"1.0\"?><Account><Name>A &amp; B</Name><Vip__c>true</Vip__c>\
                <Score__c>1.5</Score__c><Parent><Syncline_Id__c>p1</Syncline_Id__c></Parent>\
                </Account>";
    let made = xml(&sim, "POST", "sobjects/Account", body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.header("content-type"), Some("application/xml;charset=UTF-8"));
    assert!(made.text.contains("<Result><id>"), "{}", made.text);
    assert_eq!(text(&made, "success"), "true");
    let id = text(&made, "id").to_owned();
    let row = sim.row("Account", &id).await;
    assert_eq!((&row["Vip__c"], &row["Score__c"]), (&json!(true), &json!(1.5)));
    assert_eq!((&row["Name"], &row["ParentId"]), (&json!("A & B"), &json!(parent)));
    let nil = "<Account xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\
               <Score__c xsi:nil=\"true\"/></Account>";
    assert_eq!(xml(&sim, "PATCH", &format!("sobjects/Account/{id}"), nil).await.status, 204);
    let row = xml(&sim, "GET", &format!("sobjects/Account/{id}?fields=Name,Score__c"), "").await;
    let url = format!("/services/data/v67.0/sobjects/Account/{id}");
    assert!(
        row.text.contains(&format!("<Account type=\"Account\" url=\"{url}\">")),
        "{}",
        row.text
    );
    assert_eq!(text(&row, "Name"), "A &amp; B");
    assert!(row.text.contains("xsi:nil=\"true\"/></Account>"), "{}", row.text);
}

#[tokio::test]
async fn queries_errors_and_versions_have_their_elements() {
    let sim = Sim::start().await;
    let account = sim.create("Account", json!({ "Name": "P" })).await;
    sim.create("Contact", json!({ "LastName": "C", "AccountId": account })).await;
    let found = xml(&sim, "GET", "query?q=SELECT+LastName,Account.Name+FROM+Contact", "").await;
    assert!(found.text.contains("<QueryResult><totalSize>1</totalSize><done>true</done>"));
    assert!(found.text.contains("<records type=\"Contact\""), "{}", found.text);
    assert!(found.text.contains("<Account type=\"Account\""), "{}", found.text);
    let refused = xml(&sim, "POST", "sobjects/Contact", "<Contact/>").await;
    assert_eq!((refused.status, text(&refused, "errorCode")), (400, "REQUIRED_FIELD_MISSING"));
    assert!(refused.text.contains("<Errors><Error><message>"), "{}", refused.text);
    let broken = xml(&sim, "POST", "sobjects/Contact", "<Contact><LastName>").await;
    assert_eq!((broken.status, text(&broken, "errorCode")), (400, "XML_PARSER_ERROR"));
    let versions = read(sim.http.get(sim.url("/services/data.xml"))).await;
    assert!(versions.text.contains("<Versions><Version><label>"), "{}", versions.text);
    let described = xml(&sim, "GET", "sobjects/Account/describe", "").await;
    assert!(described.text.contains("<Account>") && described.text.contains("<fields>"));
}

#[tokio::test]
async fn a_suffix_names_the_form_and_outweighs_the_header() {
    let sim = Sim::start().await;
    let limits = sim.get("limits.xml").await;
    assert!(limits.text.starts_with("<?xml") && limits.text.contains("<DailyApiRequests><Max>"));
    let limits = xml(&sim, "GET", "limits.json", "").await;
    assert!(limits.json()["DailyApiRequests"]["Max"].is_number(), "{}", limits.text);
    // Composite calls know JSON alone, and one who takes everything gets it.
    let composite = xml(&sim, "POST", "composite", "<x/>").await;
    assert_eq!(composite.error(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
    let any = sim.request("GET", "limits").header("Accept", "text/html, */*, application/xml");
    assert!(read(any).await.json()["DailyApiRequests"].is_object());
}

#[tokio::test]
async fn a_token_comes_in_three_forms() {
    let sim = Sim::start().await;
    let login = sim.org.credentials();
    let ask = |format: &'static str, secret: String| {
        let form = [
            ("grant_type", String::from("client_credentials")),
            ("client_id", login.client_id.clone()),
            ("client_secret", secret),
            ("format", format.to_owned()),
        ];
        read(sim.http.post(sim.url("/services/oauth2/token")).form(&form))
    };
    let secret = || login.client_secret.clone();
    assert!(ask("json", secret()).await.json()["access_token"].is_string());
    let answer = ask("xml", secret()).await;
    assert!(answer.text.contains("<OAuth><access_token>00D"), "{}", answer.text);
    let answer = ask("urlencoded", secret()).await;
    let kind = answer.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("application/x-www-form-urlencoded"), "{kind}");
    assert!(answer.text.starts_with("access_token=00D"), "{}", answer.text);
    assert!(answer.text.contains("&instance_url=http%3A%2F%2F127"), "{}", answer.text);
    let refused = ask("xml", String::from("wrong")).await;
    assert_eq!((refused.status, text(&refused, "error")), (400, "invalid_client"));
}
