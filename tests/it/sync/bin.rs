//! What people do in an org through the doors that REST does not have: merges and the recycle
//! bin, over SOAP as third-party clients call it.

use std::time::Duration;

use salesforce_sim::{Fault, FaultAction, Id, Org, Selector};
use serde_json::{Value, json};

use super::orgs::{ACCOUNTS, CONTACTS, TABLES, shows};
use super::world::{World, becomes, eventually, run, text};

/// An administrator's session, by SOAP.
struct Admin {
    http: reqwest::Client,
    url: String,
    session: String,
}

impl Admin {
    async fn log_in(url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20));
        let http = http.build().unwrap();
        let mut admin = Self { http, url: url.to_owned(), session: String::new() };
        let answer = admin
            .call(
                "<login><username>admin@example.com</username><password>secrettoken</password>\
                   </login>",
            )
            .await;
        admin.session = between(&answer, "<sessionId>", "</sessionId>");
        admin
    }

    /// Makes a call; gives the body of its answer.
    async fn call(&self, body: &str) -> String {
        let envelope = format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"urn:partner.soap.sforce.com\"><soapenv:Header><SessionHeader><sessionId>{}\
             </sessionId></SessionHeader></soapenv:Header><soapenv:Body>{body}</soapenv:Body>\
             </soapenv:Envelope>",
            self.session
        );
        let request = self.http.post(format!("{}/services/Soap/u/64.0", self.url));
        let request = request.header("SOAPAction", "\"\"").header("Content-Type", "text/xml");
        let reply = request.body(envelope).send().await.unwrap();
        let (good, text) = (reply.status().is_success(), reply.text().await.unwrap());
        assert!(good && !text.contains("<success>false</success>"), "{body}: {text}");
        text
    }
}

fn between(text: &str, start: &str, end: &str) -> String {
    let rest = text.split_once(start).unwrap().1;
    rest.split_once(end).unwrap().0.to_owned()
}

fn account(org: &Org, website: &str) -> Id {
    let live = org.records("Account", false);
    let found = live.iter().find(|row| row["Website"] == website).unwrap();
    Id::parse(found["Id"].as_str().unwrap()).unwrap()
}

const QUESTIONS: &str = "select count(*)::text from syncline.review";

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_over_soap_is_followed_and_deletes_nothing() {
    let mut world = World::new("soap_merge").await;
    let org = world.org("crm", 41).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    world.mapping("contacts", CONTACTS);
    run(
        &ops,
        "insert into accounts(name, website) values ('Kept', 'kept.example'),
            ('Lost', 'lost.example');
        insert into contacts(account_id, last_name, email)
            select id, 'Child', 'c@x.example' from accounts where name = 'Lost'",
    )
    .await;
    world.start().await;
    shows(&org, "Contact", ("Email", "c@x.example"), "LastName", "Child").await;
    let (kept, lost) = (account(&org, "kept.example"), account(&org, "lost.example"));
    let admin = Admin::log_in(&world.org_url(0)).await;
    let merge = format!(
        "<merge><mergeRequests><masterRecord><type>Account</type><Id>{kept}</Id>\
         <Phone>merged</Phone></masterRecord><recordToMergeIds>{lost}</recordToMergeIds>\
         </mergeRequests></merge>"
    );
    let answer = admin.call(&merge).await;
    assert!(answer.contains(&format!("<mergedRecordIds>{lost}</mergedRecordIds>")), "{answer}");
    // What the merge changed of the winner, and of what belonged to the loser, arrives.
    becomes(&ops, "select phone from accounts where name = 'Kept'", "merged").await;
    becomes(&ops, "select a.name from contacts c join accounts a on a.id = c.account_id", "Kept")
        .await;
    // The loser's partner is a duplicate of the winner's now: a person is asked, and nothing is
    // deleted.
    becomes(&world.ledger(), QUESTIONS, "1").await;
    assert_eq!(text(&ops, "select count(*)::text from accounts").await, "2");
    // Emptied from the bin the loser is no deletion either.
    admin.call(&format!("<emptyRecycleBin><ids>{lost}</ids></emptyRecycleBin>")).await;
    run(&ops, "update accounts set phone = 'after' where name = 'Kept'").await;
    shows(&org, "Account", ("Website", "kept.example"), "Phone", "after").await;
    assert_eq!(text(&ops, "select count(*)::text from accounts").await, "2");
    assert_eq!(text(&world.ledger(), QUESTIONS).await, "1");
    // It says what happened and names both, and what is offered is carried out.
    let ids = "select string_agg(id::text, ' ' order by name) from accounts";
    let ids = text(&ops, ids).await;
    let (kept, lost) = ids.split_once(' ').unwrap();
    let (code, words, _) = world.said(&["conflicts", "show", "1"]).await;
    assert_eq!(code, 0);
    let what = "two records of crm were merged, and each has a partner in ops";
    assert!(words.contains(what), "{words}");
    assert!(words.contains(&format!("{kept} of the one that is left")), "{words}");
    assert!(words.contains(&format!("{lost} of the one that is gone")), "{words}");
    let (_, question) = world.command(&["conflicts", "show", "1"]).await;
    let question = &question["question"];
    assert_eq!((&question["kind"], &question["kind_side"]), (&json!("merged"), &json!("left")));
    assert_eq!(question["candidates"][0]["key"], json!(kept));
    assert_eq!(question["candidates"].as_array().unwrap().len(), 1);
    let offered: Vec<&Value> =
        question["answers"].as_array().unwrap().iter().map(|offer| &offer["choice"]).collect();
    let (stays, gone) = (json!({ "adopt": kept }), json!({ "take": "left" }));
    assert_eq!(offered, [&stays, &gone, &json!({ "separate": true })], "{question}");
    let revision = question["question"].as_str().unwrap().to_owned();
    let resolve = |key: &str| {
        let arguments = ["conflicts", "resolve", &revision, "--by", "ann", "--adopt", key];
        arguments.map(str::to_owned)
    };
    let [wrong, right] = [lost, kept].map(resolve);
    let (code, answer) = world.command(&wrong.each_ref().map(|it| &**it)).await;
    assert_eq!(code, 2, "it is not the one that stays");
    assert!(answer.to_string().contains("is no answer to question"), "{answer}");
    let (code, answer) = world.command(&right.each_ref().map(|it| &**it)).await;
    assert_eq!(code, 0, "{answer}");
    becomes(&world.ledger(), "select status::text from syncline.review", "2").await;
    assert_eq!(text(&ops, "select count(*)::text from accounts").await, "2");
    run(&ops, "update accounts set phone = 'pair' where name = 'Kept'").await;
    shows(&org, "Account", ("Website", "kept.example"), "Phone", "pair").await;
    world.end().await;
}

/// Two pairs, an edit of the one that the org does not take yet, and then its record merged into
/// the other's, which gets a phone number with that, or none. What the edit becomes there.
async fn merged_before_it_travelled(name: &str, phone: &str) -> (World, Org, sqlx::PgPool) {
    let mut world = World::new(name).await;
    let org = world.org("crm", 45).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    run(
        &ops,
        "insert into accounts(name, website) values ('Kept', 'kept.example'),
            ('Lost', 'lost.example')",
    )
    .await;
    world.start().await;
    let (kept, lost) = ("kept.example", "lost.example");
    becomes(&world.ledger(), "select count(*)::text from syncline.link where state = 5", "2").await;
    let (kept, lost) = (account(&org, kept), account(&org, lost));
    let fault = org.add_fault(Fault {
        on: Selector { record: Some("unsent".into()), ..Selector::default() },
        skip: 0,
        count: None,
        action: FaultAction::RecordError {
            code: "UNABLE_TO_LOCK_ROW".into(),
            message: "unable to obtain exclusive access to this record".into(),
            fields: Vec::new(),
        },
    });
    let before = org.requests_since(0).len() as u64;
    run(&ops, "update accounts set phone = 'unsent' where name = 'Lost'").await;
    eventually("the edit was sent in vain", || async {
        org.requests_since(before).iter().any(|sent| sent.records > 0 && sent.status > 0)
    })
    .await;
    let admin = Admin::log_in(&world.org_url(0)).await;
    let merge = format!(
        "<merge><mergeRequests><masterRecord><type>Account</type><Id>{kept}</Id>{phone}\
         </masterRecord><recordToMergeIds>{lost}</recordToMergeIds></mergeRequests></merge>"
    );
    admin.call(&merge).await;
    let merged = "select count(*)::text from syncline.review where unit = -1";
    becomes(&world.ledger(), merged, "1").await;
    assert!(org.remove_fault(fault));
    (world, org, ops)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_a_merge_came_before_goes_into_the_pair_that_is_left() {
    let (world, org, ops) = merged_before_it_travelled("merge_edit", "").await;
    shows(&org, "Account", ("Website", "kept.example"), "Phone", "unsent").await;
    becomes(&ops, "select phone from accounts where name = 'Kept'", "unsent").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_that_a_merge_came_before_is_a_question_where_the_merge_changed_the_same() {
    let phone = "<Phone>merged</Phone>";
    let (world, org, ops) = merged_before_it_travelled("merge_question", phone).await;
    let open = "select id::text from syncline.review where unit >= 0 and status = 0";
    eventually("a person is asked", || async { !text(&world.ledger(), open).await.is_empty() })
        .await;
    let id = text(&world.ledger(), open).await;
    // Both values are told, and the edit can be taken.
    let (_, told) = world.command(&["conflicts", "show", &id]).await;
    let question = &told["question"];
    assert_eq!((&question["kind"], &question["kind_side"]), (&json!("candidate"), &json!("right")));
    assert_eq!(question["right"]["fields"][0]["edit"]["value"], "unsent", "{question}");
    let (_, words, _) = world.said(&["conflicts", "show", &id]).await;
    let lost = text(&ops, "select id::text from accounts where name = 'Lost'").await;
    let what = "changed in ops in a record whose partner was merged into this one's: record";
    assert!(words.contains(&format!("{what} {lost}\n")), "{words}");
    assert_eq!(text(&ops, "select phone from accounts where name = 'Kept'").await, "");
    let seen = text(&world.ledger(), &open.replace("id::text", "concat(id, '@', revision)")).await;
    let resolve = ["conflicts", "resolve", &seen, "--by", "ann", "--take", "right"];
    let (code, answer) = world.command(&resolve).await;
    assert_eq!(code, 0, "{answer}");
    shows(&org, "Account", ("Website", "kept.example"), "Phone", "unsent").await;
    becomes(&ops, "select phone from accounts where name = 'Kept'", "unsent").await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_brought_back_from_the_bin_comes_back() {
    let mut world = World::new("soap_undelete").await;
    let org = world.org("crm", 42).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    run(&ops, "insert into accounts(name, website) values ('A', 'a.example')").await;
    world.start().await;
    shows(&org, "Account", ("Website", "a.example"), "Name", "A").await;
    let id = account(&org, "a.example");
    let admin = Admin::log_in(&world.org_url(0)).await;
    admin.call(&format!("<delete><ids>{id}</ids></delete>")).await;
    becomes(&ops, "select count(*)::text from accounts", "0").await;
    admin.call(&format!("<undelete><ids>{id}</ids></undelete>")).await;
    becomes(&ops, "select name from accounts where website = 'a.example'", "A").await;
    // They are one pair again, both ways.
    run(&ops, "update accounts set phone = '5'").await;
    shows(&org, "Account", ("Website", "a.example"), "Phone", "5").await;
    assert_eq!(account(&org, "a.example"), id);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_transaction_of_a_database_is_one_of_the_org() {
    let mut world = World::new("org_groups").await;
    let org = world.org("crm", 43).await;
    let ops = world.postgres("ops", TABLES).await;
    world.mapping("accounts", ACCOUNTS);
    run(&ops, "insert into accounts(name, website) values ('A', 'a.example'), ('B', 'b.example')")
        .await;
    world.start().await;
    shows(&org, "Account", ("Website", "a.example"), "Name", "A").await;
    shows(&org, "Account", ("Website", "b.example"), "Name", "B").await;
    // Both records rest, so that their stamps are closed and neither waits for itself.
    org.advance_clock_ms(5_000);
    org.reset_requests();
    let seen = org.last_seq();
    run(&ops, "update accounts set phone = 'both'").await;
    for website in ["a.example", "b.example"] {
        shows(&org, "Account", ("Website", website), "Phone", "both").await;
    }
    let saves = org.history_since(seen, 100);
    let requests: Vec<Option<u64>> = saves.iter().map(|entry| entry.request).collect();
    assert!(requests.len() == 2 && requests[0] == requests[1], "{saves:?}");
    assert_eq!(org.request_counts().by_kind.get("graph"), Some(&1));
    // A member that is refused keeps the other from passing with it; then each passes alone.
    org.advance_clock_ms(5_000);
    let refused = account(&org, "b.example");
    org.add_fault(Fault {
        on: Selector { record: Some(refused.to_string()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::RecordError {
            code: "UNABLE_TO_LOCK_ROW".into(),
            message: "unable to obtain exclusive access to this record".into(),
            fields: Vec::new(),
        },
    });
    run(&ops, "update accounts set phone = 'again'").await;
    for website in ["a.example", "b.example"] {
        shows(&org, "Account", ("Website", website), "Phone", "again").await;
    }
    let graph = org.requests_since(0).into_iter().rfind(|entry| entry.kind == "graph").unwrap();
    let saves = org.history_since(seen, 100);
    assert!(saves.iter().filter(|it| it.request == Some(graph.number)).count() == 0, "{saves:?}");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_go_by_what_the_org_describes() {
    let mut world = World::new("grants").await;
    let org = world.org("crm", 44).await;
    let mapping = ACCOUNTS
        .replace("crm,", "crm, actor: LastModifiedById, where: \"Industry = 'Energy'\",")
        .replace("lowercase] }\n  - { left: P", "lowercase], direction: to_right }\n  - { left: P");
    world.mapping("accounts", &mapping);
    world.postgres("ops", TABLES).await;
    let formula = json!({ "calculated": true });
    org.change_field("Account", "Phone", &serde_json::from_value(formula).unwrap()).unwrap();
    let rights = |answer: &Value| {
        let grants = answer["systems"][0]["grants"].as_array().unwrap().clone();
        let set = grants.into_iter().find(|it| it["piece"] == "permission set Syncline").unwrap();
        set["steps"].as_array().unwrap().clone()
    };
    let (code, answer) = world.command(&["grants", "crm"]).await;
    assert_eq!((code, &answer["systems"][0]["described"]), (0, &true.into()));
    let steps = rights(&answer);
    assert_eq!(steps.len(), 2, "nothing is guessed: {steps:?}");
    let file = steps[0]["text"].as_str().unwrap();
    // A formula, the key of a match rule that travels to the other side, and the filter's field.
    for (field, editable) in
        [("Phone", false), ("Website", false), ("Industry", false), ("Syncline_Id__c", true)]
    {
        let mut parts = file.split("<fieldPermissions>");
        let part = parts.find(|it| it.contains(&format!("Account.{field}<"))).unwrap();
        assert!(part.contains(&format!("<editable>{editable}</editable>")), "{part}");
    }
    assert!(!file.contains("Account.Name<"), "{file}");
    // An observer needs the rights to read alone.
    world.mapping("accounts", &format!("{mapping}mode: observe\n"));
    let (_, answer) = world.command(&["grants", "crm"]).await;
    let file = rights(&answer)[0]["text"].as_str().unwrap().to_owned();
    assert!(!file.contains("<editable>true"), "{file}");
    assert!(!file.contains("<allowEdit>true"), "{file}");
    world.mapping("accounts", &mapping);
    let asked = org.request_counts().total;
    // An org that takes no login leaves a guess, and says so.
    let (_, answer) = world.command(&["grants", "crm", "--offline"]).await;
    assert_eq!(answer["systems"][0]["described"], false);
    assert_eq!(org.request_counts().total, asked, "nobody was called");
    org.set_client_secret("another");
    let (code, answer) = world.command(&["grants", "crm"]).await;
    assert_eq!((code, &answer["systems"][0]["described"]), (0, &false.into()));
    let steps = rights(&answer);
    let text = steps[0]["text"].as_str().unwrap();
    assert!(text.contains("are a guess: Account.Industry, Account.Phone"), "{text}");
    world.end().await;
}
