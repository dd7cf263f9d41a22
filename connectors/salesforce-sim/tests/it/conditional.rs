use salesforce_sim::{ConditionalDelete, Org};
use serde_json::json;

use crate::sim::{Sim, read};

const AT: i64 = 1_795_248_000_000; // Sat, 21 Nov 2026 08:00:00 GMT

async fn frozen() -> (Sim, String) {
    let org = Org::new(1);
    org.freeze_clock(Some(AT));
    let sim = Sim::with(org).await;
    let id = sim.create("Contact", json!({ "LastName": "A" })).await;
    (sim, format!("sobjects/Contact/{id}"))
}

async fn conditional(sim: &Sim, method: &str, path: &str, header: (&str, &str)) -> u16 {
    let request = sim.request(method, path).header(header.0, header.1);
    let request = if method == "PATCH" { request.json(&json!({ "Title": "x" })) } else { request };
    read(request).await.status
}

#[tokio::test]
async fn unmodified_since_has_the_grain_of_a_second() {
    let (sim, path) = frozen().await;
    let guard = ("If-Unmodified-Since", "Sat, 21 Nov 2026 08:00:00 GMT");
    assert_eq!(conditional(&sim, "PATCH", &path, guard).await, 204);
    // Another save in the same second is not seen.
    sim.org.advance_clock_ms(999);
    assert_eq!(conditional(&sim, "PATCH", &path, guard).await, 204);
    sim.org.advance_clock_ms(1);
    assert_eq!(conditional(&sim, "PATCH", &path, guard).await, 204);
    let stale = read(sim.request("PATCH", &path).header(guard.0, guard.1).json(&json!({}))).await;
    assert_eq!((stale.status, stale.text.as_str()), (412, ""));
    assert_eq!(conditional(&sim, "GET", &path, guard).await, 412);
    sim.org.change_settings(|settings| settings.body_412 = true);
    let stale = read(sim.request("PATCH", &path).header(guard.0, guard.1).json(&json!({}))).await;
    assert_eq!(stale.error().1, "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE");
}

#[tokio::test]
async fn modified_since_and_bad_dates() {
    let (sim, path) = frozen().await;
    let at = ("If-Modified-Since", "Sat, 21 Nov 2026 08:00:00 GMT");
    let before = ("If-Modified-Since", "Sat, 21 Nov 2026 07:59:59 GMT");
    assert_eq!(conditional(&sim, "GET", &path, at).await, 304);
    assert_eq!(conditional(&sim, "GET", &path, before).await, 200);
    assert_eq!(conditional(&sim, "PATCH", &path, ("If-Unmodified-Since", "yesterday")).await, 400);
    assert_eq!(conditional(&sim, "GET", &path, ("If-Modified-Since", "yesterday")).await, 200);
}

#[tokio::test]
async fn etags_work_on_accounts_only() {
    let (sim, contact) = frozen().await;
    let id = sim.create("Account", json!({ "Name": "A" })).await;
    let path = format!("sobjects/Account/{id}");
    let etag = sim.get(&path).await.header("etag").unwrap().to_owned();
    assert!(sim.get(&contact).await.header("etag").is_none());
    assert_eq!(conditional(&sim, "GET", &path, ("If-None-Match", &etag)).await, 304);
    let patch = async |path: &str, name: &str, tag: &str| {
        let body = json!({ "Phone": "1" });
        read(sim.request("PATCH", path).header(name, tag).json(&body)).await.status
    };
    assert_eq!(patch(&path, "If-None-Match", &etag).await, 412);
    assert_eq!(patch(&path, "If-Match", &etag).await, 204);
    // The tag moved with the content, within the same second.
    assert_eq!(patch(&path, "If-Match", &etag).await, 412);
    assert_eq!(patch(&contact, "If-Match", "\"other\"").await, 204);
}

#[tokio::test]
async fn delete_takes_no_condition() {
    let stale = ("If-Unmodified-Since", "Sat, 21 Nov 2026 07:00:00 GMT");
    for (how, status) in [
        (ConditionalDelete::Ignored, 204),
        (ConditionalDelete::Refused, 400),
        (ConditionalDelete::Honoured, 412),
    ] {
        let (sim, path) = frozen().await;
        sim.org.change_settings(|settings| settings.conditional_delete = how);
        assert_eq!(conditional(&sim, "DELETE", &path, stale).await, status);
    }
}
