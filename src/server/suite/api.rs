//! The API as clients meet it.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::book::{BOTH, READS};
use super::fixture::{Served, client, served};
use crate::api::documented;

async fn ask(served: &Served, token: &str, method: Method, path: &str, body: &str) -> Response {
    let url = format!("http://{}{path}", served.address);
    let mut request = client().build().unwrap().request(method.clone(), url).body(body.to_owned());
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    let response = request.send().await.unwrap();
    // What is answered is in the document, whichever test meets it.
    if let Some(statuses) = documented(method.as_str(), path) {
        let status = response.status().as_str().to_owned();
        assert!(statuses.contains(&status), "{method} {path} answers {status}: {statuses:?}");
    }
    response
}

async fn problem(response: Response) -> (u16, Value) {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], status, "{body}");
    assert!(body["title"].is_string(), "{body}");
    (status, body)
}

#[tokio::test]
async fn callers_need_a_token_with_the_scope() {
    let served = served(|_| {}, &[], None).await;
    let get = async |token: &str, path: &str| ask(&served, token, Method::GET, path, "").await;
    for token in ["", "nobody"] {
        let response = get(token, "/api/v1/conflicts").await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_eq!(problem(response).await.0, 401);
    }
    assert_eq!(get(READS, "/api/v1/conflicts").await.status(), 200);
    let answer = json!({"revision": 2, "take": "left"}).to_string();
    let path = "/api/v1/conflicts/7/answer";
    let (status, body) = problem(ask(&served, READS, Method::POST, path, &answer).await).await;
    assert_eq!((status, &body["title"]), (403, &json!("This needs the scope `write`")));
    assert!(served.book.answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_does_not_travel_in_plain_text() {
    let served = served(|_| {}, &["127.0.0.1/32"], None).await;
    let url = format!("http://{}/api/v1/conflicts", served.address);
    let send = async |proto: &str| {
        let request = client().build().unwrap().get(&url).bearer_auth(READS);
        let request = request.header("x-forwarded-proto", proto);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((send("https").await, send("http").await), (200, 403));
}

#[tokio::test]
async fn whatever_is_wrong_is_a_problem() {
    let served = served(|_| {}, &[], None).await;
    let send = async |method: Method, path: &str, body: &str| {
        problem(ask(&served, BOTH, method, path, body).await).await.0
    };
    for (path, status) in [
        ("/api/v1/conflicts?limit=0", 400),
        ("/api/v1/conflicts?limit=501", 400),
        ("/api/v1/conflicts?limit=many", 400),
        ("/api/v1/conflicts?colour=red", 400),
        ("/api/v1/conflicts?status=lost", 400),
        ("/api/v1/links", 400),
        ("/api/v1/observed?days=0", 400),
        ("/api/v1/observed?samples=101", 400),
        ("/api/v1/conflicts/x", 404),
        ("/api/v1/conflicts/8", 404),
        ("/api/v1/nothing", 404),
        ("/api/nothing", 404),
        ("/api/v1/mappings", 503),
        ("/api/v1/conflicts/7/answer", 405),
    ] {
        assert_eq!(send(Method::GET, path, "").await, status, "{path}");
    }
    let path = "/api/v1/conflicts/7/answer";
    for (body, status) in [
        ("{", 400),
        ("{}", 422),
        ("{\"revision\":2,\"colour\":\"red\"}", 422),
        ("{\"revision\":99999999999}", 422),
    ] {
        assert_eq!(send(Method::POST, path, body).await, status, "{body}");
    }
    assert_eq!(send(Method::POST, path, "").await, 415);
    assert_eq!(send(Method::POST, path, &"x".repeat(100 * 1024)).await, 413);
    assert_eq!(send(Method::GET, "/api/v1/links/broken", "").await, 500);
    assert_eq!(send(Method::GET, "/hooks/crm/secret", "").await, 405);
    assert_eq!(send(Method::DELETE, "/api/v1/conflicts", "").await, 405);
}

#[tokio::test]
async fn a_parameter_that_is_none_is_named() {
    let served = served(|_| {}, &[], None).await;
    let document = ask(&served, "", Method::GET, "/api/openapi.json", "").await;
    let document: Value = document.json().await.unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace("{id}", "7").replace("{link}", "x");
            let path = format!("{path}?since=yesterday");
            let body = json!({"revision": 2, "take": "left"}).to_string();
            let body = if method == Method::POST { body } else { String::new() };
            let told = problem(ask(&served, BOTH, method, &path, &body).await).await;
            let detail = told.1["detail"].as_str().unwrap();
            assert!(told.0 == 400 && detail.contains("`since`"), "{path}: {told:?}");
        }
    }
    assert!(served.book.answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn lists_go_on_and_moved_questions_are_shown() {
    let served = served(|_| {}, &[], None).await;
    let page = ask(&served, READS, Method::GET, "/api/v1/conflicts?limit=1", "").await;
    let page: Value = page.json().await.unwrap();
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (1, &json!("7")));
    let page = ask(&served, READS, Method::GET, "/api/v1/conflicts", "").await;
    assert_eq!(page.json::<Value>().await.unwrap()["next"], Value::Null);
    let old = json!({"revision": 1, "take": "left"}).to_string();
    let path = "/api/v1/conflicts/7/answer";
    let (status, body) = problem(ask(&served, BOTH, Method::POST, path, &old).await).await;
    assert_eq!((status, &body["question"]["question"]), (409, &json!("7@2")));
}

#[tokio::test]
async fn a_change_under_a_key_is_made_once() {
    let served = served(|_| {}, &[], None).await;
    let send = async |key: &str, body: Value| {
        let url = format!("http://{}/api/v1/conflicts/7/answer", served.address);
        let request = client().build().unwrap().post(url).bearer_auth(BOTH).json(&body);
        let response = request.header("idempotency-key", key).send().await.unwrap();
        let replayed = response.headers().contains_key("idempotent-replayed");
        (response.status().as_u16(), replayed, response.text().await.unwrap())
    };
    let take = json!({"revision": 2, "take": "left", "by": "jane"});
    let first = send("k1", take.clone()).await;
    assert_eq!((first.0, first.1), (200, false), "{}", first.2);
    let second = send("k1", take.clone()).await;
    assert_eq!((second.0, second.1, second.2), (200, true, first.2));
    let taken = served.book.answers.lock().unwrap().clone();
    assert_eq!(taken, [(7, "jane (token console)".to_owned())]);
    assert_eq!(send("k1", json!({"revision": 2, "take": "right"})).await.0, 422);
    // Without a key, or with another, it is another change.
    send("k2", take).await;
    assert_eq!(served.book.answers.lock().unwrap().len(), 2);
    // A refusal is kept, what passes is not.
    let old = json!({"revision": 1, "take": "left"});
    assert_eq!(send("k3", old.clone()).await.0, 409);
    assert_eq!((send("k3", old.clone()).await.0, send("k3", old).await.1), (409, true));
    let passes = json!({"revision": 2, "retry": true});
    assert_eq!(send("k4", passes.clone()).await.0, 503);
    let again = send("k4", passes).await;
    assert_eq!((again.0, again.1), (503, false));
    assert_eq!(send("", json!({"revision": 2, "take": "left"})).await.0, 400);
}

#[tokio::test]
async fn the_document_and_its_viewer_come_out_of_the_binary() {
    let served = served(|_| {}, &[], None).await;
    let document = ask(&served, "", Method::GET, "/api/openapi.json", "").await;
    let document: Value = document.json().await.unwrap();
    assert_eq!(document["info"]["title"], "Syncline");
    let page = ask(&served, "", Method::GET, "/api/docs/", "").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let asked = page.split(['"', '\'']).find(|part| part.contains("://"));
    assert_eq!(asked, None, "the viewer asks somebody else");
    for file in ["swagger-ui-bundle.js", "swagger-ui.css", "swagger-initializer.js"] {
        let found = ask(&served, "", Method::GET, &format!("/api/docs/{file}"), "").await;
        assert_eq!(found.status(), 200, "{file}");
    }
}
