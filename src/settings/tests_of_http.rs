//! What settings may say about the HTTP surface and its webhooks.

use std::path::Path;

use super::tests::{messages, read};

const SYSTEMS: &str = "systems:
  crm:
    kind: salesforce
    url: https://acme.my.salesforce.com
    client_id: k
    client_secret: ${CRM_SECRET}
    webhook: { WEBHOOK }
";

fn with(top: &str, webhook: &str) -> String {
    format!("{top}{}", SYSTEMS.replace("{ WEBHOOK }", webhook))
}

const SECRET: &str = "abcdefghijklmnopqrstuvwxyz";

#[test]
fn a_webhook_and_the_way_to_it_are_read() {
    let text = with(
        "public_url: https://sync.example.com/base/\n\
         tls: { certificate: full.pem, key: /etc/key.pem }\n\
         trusted_proxies: [10.0.0.0/8, \"::1\"]\n",
        &format!(
            "{{ secret: {SECRET}, previous_secret: {SECRET}2, client_certificate: vendor.pem, \
             signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, from: [203.0.113.0/24] }}"
        ),
    );
    let settings = read(&text).unwrap().value;
    let http = &settings.http;
    assert_eq!(http.public_url.as_deref(), Some("https://sync.example.com/base"));
    let tls = http.tls.as_ref().unwrap();
    assert_eq!(tls.certificate, Path::new("/etc/syncline/full.pem"));
    assert_eq!(tls.key, Path::new("/etc/key.pem"));
    assert_eq!(http.trusted_proxies.len(), 2);
    let webhook = settings.systems[0].webhook.as_ref().unwrap();
    assert_eq!(webhook.client_certificate.as_deref(), Some(Path::new("/etc/syncline/vendor.pem")));
    assert_eq!((webhook.signing_secrets.len(), webhook.from.len()), (1, 1));
    assert!(!format!("{settings:?}").contains(SECRET));
    // Without its file the door cannot be made; the message names it.
    let error = format!("{:#}", webhook.door("crm", true).unwrap_err());
    assert!(error.contains("vendor.pem"), "{error}");
}

#[test]
fn what_does_not_fit_is_named_at_its_place_without_the_secret() {
    let cases = [
        ("", "{}", "7:14 `webhook` has no `secret`"),
        ("", "{ secret: short }", "7:24 `secret` does not fit"),
        ("", "{ secret: 'with/a/slash/and/more/letters' }", "7:24 `secret` does not fit"),
        ("", "{ sceret: x }", "7:16 unknown key `sceret` in `webhook`"),
        ("public_url: http://sync.example.com\n", "", "1:13 `public_url` does not fit"),
        ("public_url: https://sync.example.com/?a=b\n", "", "1:13 `public_url` does not fit"),
        ("tls: { certificate: a.pem }\n", "", "1:6 `tls` has no `key`"),
        ("trusted_proxies: [everybody]\n", "", "1:19 `trusted_proxies` does not fit"),
        ("trusted_proxies: [10.0.0.1, 0.0.0.0/0]\n", "", "1:18 `trusted_proxies` trusts strangers"),
        ("trusted_proxies: [\"::/0\"]\n", "", "1:18 `trusted_proxies` trusts strangers"),
        ("trusted_proxies: [\"::ffff:0:0/96\"]\n", "", "1:18 `trusted_proxies` trusts strangers"),
        (
            "trusted_proxies: [0.0.0.0/1, 128.0.0.0/1]\n",
            "",
            "1:18 `trusted_proxies` trusts strangers",
        ),
        (
            "trusted_proxies: [\"::/1\", \"8000::/1\"]\n",
            "",
            "1:18 `trusted_proxies` trusts strangers",
        ),
        (
            "trusted_proxies: [10.0.0.0/8, 11.0.0.0/8]\n",
            "",
            "1:18 `trusted_proxies` trusts strangers",
        ),
        ("trusted_proxies: [\"::ffff:0:0/97\"]\n", "", "1:18 `trusted_proxies` trusts strangers"),
        ("trusted_proxies: 10.0.0.0/8\n", "", "1:18 `trusted_proxies` is a list"),
    ];
    for (top, webhook, expected) in cases {
        let good = format!("{{ secret: {SECRET} }}");
        let text = with(top, if webhook.is_empty() { &good } else { webhook });
        let found = read(&text).unwrap_err();
        let said: Vec<String> = messages(&found);
        let is_there = said.iter().any(|line| line.starts_with(expected));
        assert!(is_there, "{expected}: {said:?}");
        assert!(!found.render(false).contains("with/a/slash"), "{found}");
    }
    let key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    for (more, expected) in [
        ("signing_secret: hunter2".to_owned(), "`signing_secret` does not fit"),
        (format!("previous_signing_secret: {key}"), "`previous_signing_secret` without"),
        ("client_certificate: a.pem".to_owned(), "`client_certificate` needs TLS"),
    ] {
        let text = with("", &format!("{{ secret: {SECRET}, {more} }}"));
        let found = read(&text).unwrap_err();
        assert!(found.to_string().contains(expected), "{expected}: {found}");
        assert!(!found.to_string().contains("hunter2"), "{found}");
    }
}

#[test]
fn a_system_that_sends_nothing_itself_takes_signed_deliveries_alone() {
    let of = |webhook: &str| {
        format!(
            "systems:\n  ops:\n    kind: postgres\n    url: postgres://u@localhost/ops\n    \
             webhook: {{ secret: {SECRET}{webhook} }}\n"
        )
    };
    let found = read(&of("")).unwrap_err();
    assert_eq!(
        messages(&found)[..1],
        ["5:14 this webhook would take nothing: it has no `signing_secret`"]
    );
    let signed = of(", signing_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    assert!(read(&signed).unwrap().value.systems[0].webhook.is_some());
}

#[test]
fn secrets_of_webhooks_that_stand_in_the_file_are_warned_of() {
    let text = with("", &format!("{{ secret: {SECRET} }}"));
    let warnings = read(&text).unwrap().warnings;
    assert!(warnings.to_string().contains("the secret `secret` is written into the file"));
}
