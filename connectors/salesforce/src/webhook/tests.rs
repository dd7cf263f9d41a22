//! Messages as orgs send them, and as nobody should.

use std::sync::{Arc, OnceLock};

use syncline_sdk::{Notice, Webhook, WebhookRefusal, WebhookRequest};

use super::OutboundMessages;

const ORG: &str = "00D1a000000H3O9EAK";

fn of_org(org: Option<&str>) -> OutboundMessages {
    let cell = OnceLock::new();
    if let Some(org) = org {
        cell.set(org.to_owned()).unwrap();
    }
    OutboundMessages::new(Arc::new(cell))
}

fn notification(id: &str, key: &str) -> String {
    format!(
        "<Notification><Id>{id}</Id><sObject xsi:type=\"sf:Contact\" \
         xmlns:sf=\"urn:sobject.enterprise.soap.sforce.com\"><sf:Id>{key}</sf:Id>\
         <sf:Email>a@b.c</sf:Email></sObject></Notification>"
    )
}

fn message(org: &str, notifications: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<soapenv:Envelope \
         xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n <soapenv:Body>\n  \
         <notifications xmlns=\"http://soap.sforce.com/2005/09/outbound\">\
         <OrganizationId>{org}</OrganizationId><ActionId>04k1a0000004DHPAA2</ActionId>\
         <SessionId xsi:nil=\"true\"/><EnterpriseUrl>https://x/services/Soap/c/67.0/00D\
         </EnterpriseUrl><PartnerUrl>https://x/services/Soap/u/67.0/00D</PartnerUrl>\
         {notifications}</notifications></soapenv:Body></soapenv:Envelope>"
    )
}

fn read(body: &str) -> Result<Vec<Notice>, WebhookRefusal> {
    let request = WebhookRequest { body: body.as_bytes() };
    Ok(of_org(Some(ORG)).read(&request)?.notices)
}

fn refused(body: &str) -> String {
    match read(body) {
        Err(WebhookRefusal::Malformed(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_and_many_notifications_are_read() {
    let one = read(&message("00D1a000000H3O9", &notification("04l1", "0031a000005hwVQ"))).unwrap();
    let expected = Notice {
        id: "04l1".to_owned(),
        entity: "Contact".into(),
        key: "0031a000005hwVQAAY".into(),
    };
    assert_eq!(one, [expected]);
    let many: String =
        (0..100).map(|n| notification(&format!("04l{n}"), "0031a000005hwVQAAY")).collect();
    assert_eq!(read(&message(ORG, &many)).unwrap().len(), 100);
    let more = many + &notification("04l100", "0031a000005hwVQAAY");
    assert!(refused(&message(ORG, &more)).contains("more than 100"));
}

#[test]
fn the_answer_acknowledges_and_nothing_else() {
    let body = message(ORG, &notification("04l1", "0031a000005hwVQ"));
    let reply = of_org(Some(ORG)).read(&WebhookRequest { body: body.as_bytes() }).unwrap();
    assert!(reply.body.contains("<Ack>true</Ack>"), "{}", reply.body);
    assert_eq!(reply.content_type, "text/xml; charset=utf-8");
}

#[test]
fn another_org_is_a_stranger_and_an_unknown_one_has_to_wait() {
    let body = message("00D1a000000H3O8EAK", &notification("04l1", "0031a000005hwVQ"));
    let request = WebhookRequest { body: body.as_bytes() };
    let strange = of_org(Some(ORG)).read(&request).unwrap_err();
    assert!(matches!(strange, WebhookRefusal::Stranger(_)), "{strange}");
    let early = of_org(None).read(&request).unwrap_err();
    assert!(matches!(early, WebhookRefusal::NotYet(_)), "{early}");
}

#[test]
fn nothing_is_expanded() {
    let note = notification("&lol;", "0031a000005hwVQ");
    let bomb = message(ORG, &note).replace(
        "?>\n",
        "?>\n<!DOCTYPE x [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]>",
    );
    assert!(refused(&bomb).contains("document type"));
    assert!(refused(&message(ORG, &note)).contains("entity of its own"));
    let outside =
        message(ORG, &note).replace("?>\n", "?>\n<!DOCTYPE x SYSTEM \"file:///etc/passwd\">");
    assert!(refused(&outside).contains("document type"));
    let deep = message(ORG, &("<a>".repeat(5000) + &"</a>".repeat(5000)));
    assert!(refused(&deep).contains("deeper"));
}

#[test]
fn what_is_no_outbound_message_is_refused() {
    let good = message(ORG, &notification("04l1", "0031a000005hwVQ"));
    let cases = [
        (String::new(), "no notification"),
        ("hello".to_owned(), "outside its envelope"),
        ("<html><body>busy".to_owned(), "ends too early"),
        ("{\"a\":1}".to_owned(), "what others send must be signed"),
        (good[..good.len() / 2].to_owned(), ""),
        (message(ORG, ""), "no notification"),
        (message("", &notification("04l1", "0031a000005hwVQ")), "name its org"),
        (message(ORG, &notification("", "0031a000005hwVQ")), "no id"),
        (message(ORG, &notification("04l1", "")), "no record id"),
        (message(ORG, &notification("04l1", "0031a000005hwVQAAX")), "no record id"),
        (good.replace("sf:Contact", "sf:Con'tact"), "not the name of an entity"),
        (good.replace(" xsi:type=\"sf:Contact\"", ""), "no record with a type"),
        (good.replace("2005/09/outbound", "2006/09/outbound"), "no notification"),
        (good.replace("xmlns:sf=", "xmlns:fs="), "does not declare"),
        (good.replace("04l1", &"4".repeat(70)), "too long"),
    ];
    for (body, why) in cases {
        let said = refused(&body);
        assert!(said.contains(why), "{why:?}: {said}");
    }
    let latin = [good.as_bytes(), b"\xff"].concat();
    let error = of_org(Some(ORG)).read(&WebhookRequest { body: &latin }).unwrap_err();
    assert!(error.to_string().contains("UTF-8"), "{error}");
}

#[test]
fn no_refusal_repeats_what_the_message_carried() {
    let good = message(ORG, &notification("04l1", "0031a000005hwVQ"));
    for broken in [good.replace("<sf:Email>", "<sf:Email"), good.replace("a@b.c", "a@b.c&x;")] {
        let said = refused(&broken);
        assert!(!said.contains("a@b.c"), "{said}");
    }
}

#[test]
fn keys_take_their_one_form() {
    let webhook = of_org(None);
    assert_eq!(webhook.key("0031a000005hwVQ"), Some("0031a000005hwVQAAY".into()));
    assert_eq!(webhook.key("0031a000005hwVQAAY"), Some("0031a000005hwVQAAY".into()));
    assert_eq!(webhook.key("1' or '1'='1"), None);
}

#[test]
fn the_steps_name_address_and_entities() {
    let steps = of_org(None).steps("https://s.example/hooks/crm/x", &["Account".into()]);
    assert!(steps[0].contains("https://s.example/hooks/crm/x") && steps[0].contains("Account"));
    assert!(steps[1].contains("Record-Triggered Flow"));
}
