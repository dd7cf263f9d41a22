//! The ways in.

use crate::Verdict;

use super::fixture::{client, served};

#[tokio::test]
async fn a_delivery_is_answered_with_what_its_receiver_says() {
    let served = served(|_| {}, &[], None).await;
    let http = client().build().unwrap();
    let taken = http.post(served.hook()).body("hello").send().await.unwrap();
    assert_eq!(taken.status(), 200);
    assert_eq!(taken.headers()["content-type"], "text/plain");
    assert_eq!(taken.text().await.unwrap(), "taken");
    let later = http.post(served.hook()).body("not now").send().await.unwrap();
    assert_eq!(later.status(), 503);
    assert!(later.headers().contains_key("retry-after"));
    assert_eq!(served.behind.taken.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn behind_a_proxy_that_is_trusted_its_word_counts() {
    let served =
        served(|door| door.from = vec!["198.51.100.0/24".parse().unwrap()], &["127.0.0.0/8"], None)
            .await;
    let http = client().build().unwrap();
    let send = async |from: &str, proto: &str| {
        let request = http
            .post(served.hook())
            .header("x-forwarded-for", from)
            .header("x-forwarded-proto", proto);
        request.body("hello").send().await.unwrap().status().as_u16()
    };
    assert_eq!(send("198.51.100.7", "https").await, 200);
    assert_eq!(send("198.51.100.7", "http").await, 403);
    assert_eq!(send("203.0.113.7", "https").await, 403);
    assert_eq!(send("198.51.100.7, 203.0.113.7", "https").await, 403);
    let expected = [Verdict::Insecure, Verdict::WrongAddress, Verdict::WrongAddress];
    assert_eq!(served.verdicts(), expected);
    let from = served.behind.taken.lock().unwrap()[0].0.to_string();
    assert_eq!(from, "198.51.100.7");
}

#[tokio::test]
async fn a_proxy_that_is_not_trusted_is_the_sender() {
    let served = served(|door| door.from = vec!["198.51.100.0/24".parse().unwrap()], &[], None);
    let served = served.await;
    let http = client().build().unwrap();
    let request = http.post(served.hook()).header("x-forwarded-for", "198.51.100.7");
    let reply = request.body("hello").send().await.unwrap();
    assert_eq!(reply.status(), 403);
    assert!(reply.text().await.unwrap().contains("trusted_proxies"));
    let reply = http.post(served.hook()).body("hello").send().await.unwrap();
    assert_eq!(reply.status(), 403);
    let refused = served.behind.refused.lock().unwrap().clone();
    let here = std::net::IpAddr::from([127, 0, 0, 1]);
    assert_eq!(refused, [(here, Verdict::Insecure), (here, Verdict::WrongAddress)]);
}

#[tokio::test]
async fn what_is_neither_signed_nor_the_systems_own_is_refused_unread() {
    let served = served(|door| door.unsigned = false, &[], None).await;
    let http = client().build().unwrap();
    let plain = http.post(served.hook()).body("hello").send().await.unwrap();
    assert_eq!(plain.status(), 401);
    let half = http.post(served.hook()).header("webhook-id", "m1").body("hello");
    assert_eq!(half.send().await.unwrap().status(), 401);
    assert_eq!(served.verdicts(), [Verdict::Unsigned, Verdict::Forged]);
    assert!(served.behind.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn other_routes_stay_and_long_bodies_are_the_hooks_alone() {
    let served = served(|_| {}, &[], None).await;
    let http = client().build().unwrap();
    let url = format!("http://{}/healthz", served.address);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 200);
    let long = "x".repeat(100 * 1024);
    assert_eq!(http.get(&url).body(long.clone()).send().await.unwrap().status(), 413);
    assert_eq!(http.post(served.hook()).body(long).send().await.unwrap().status(), 200);
    for path in ["/hooks", "/hooks/crm", "/hooks/crm/", "/hooks/crm/%ff/x"] {
        let url = format!("http://{}{path}", served.address);
        assert_eq!(http.post(&url).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn an_unknown_system_and_a_wrong_secret_have_one_answer() {
    let served = served(|_| {}, &[], None).await;
    let http = client().build().unwrap();
    let ask = async |path: &str| {
        let url = format!("http://{}/hooks/{path}", served.address);
        let reply = http.post(url).body("hello").send().await.unwrap();
        (reply.status().as_u16(), reply.text().await.unwrap())
    };
    let wrong = ask("crm/there-is-no-such-secret-here").await;
    assert_eq!(wrong.0, 404);
    assert_eq!(wrong, ask("erp/there-is-no-such-secret-here").await);
    assert_eq!(served.verdicts(), [Verdict::WrongSecret]);
}
