//! A simulated org that loses answers, refuses calls and ends sessions.

use std::sync::Arc;
use std::time::Duration;

use salesforce_sim::{Fault, FaultAction, Selector};
use syncline_salesforce::{Grant, MemoryTokenStore, Salesforce, SalesforceSettings};
use syncline_sdk::{Connector, Current, ErrorKind, Selection, Settlement, Write, WriteOutcome};

use crate::script::cx;
use crate::world::{World, delete, fields, insert, name, update, word};

/// The next write call meets the fault.
fn next_write(world: &World, action: FaultAction) {
    let on = Selector { path: Some("/composite".into()), ..Selector::default() };
    world.org.add_fault(Fault { on, skip: 0, count: Some(1), action });
}

async fn unknown(world: &World, write: &Write) {
    assert_eq!(word(&world.push(write).await), "unknown");
}

#[tokio::test]
async fn an_update_whose_answer_is_lost_is_settled_by_its_marker() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "b".into())]));
    for after in [true, false] {
        next_write(&world, FaultAction::Cut { after });
        unknown(&world, &write).await;
        let settled = world.settle(&write, true).await;
        if after {
            assert!(matches!(settled, Settlement::Applied { .. }), "{settled:?}");
            // A second copy does not pass the guard.
            world.pass(2);
            assert_eq!(word(&world.push(&write).await), "stale");
        }
    }
}

#[tokio::test]
async fn an_update_that_never_arrived_is_sent_again_as_it_was() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "b".into())]));
    next_write(&world, FaultAction::Cut { after: false });
    unknown(&world, &write).await;
    let Settlement::Undecided { current: Current::Record(current) } =
        world.settle(&write, true).await
    else {
        panic!()
    };
    assert_eq!(current.version, record.version);
    assert_eq!(word(&world.push(&write).await), "applied");
    assert_eq!(name(&world.read(id).await), "b");
}

#[tokio::test]
async fn an_update_overtaken_by_a_person_is_dead() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "ours".into())]));
    next_write(
        &world,
        FaultAction::Fail {
            status: 502,
            code: String::new(),
            message: String::new(),
            html: true,
            after: false,
        },
    );
    unknown(&world, &write).await;
    world.person().update(id, &fields(&[("Name", "theirs".into())])).await.unwrap();
    assert!(matches!(world.settle(&write, true).await, Settlement::NotApplied));
    assert_eq!(word(&world.push(&write).await), "stale");
    assert_eq!(name(&world.read(id).await), "theirs");
}

#[tokio::test]
async fn an_update_applied_and_then_edited_was_applied() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "ours".into())]));
    next_write(&world, FaultAction::Cut { after: true });
    unknown(&world, &write).await;
    world.pass(2);
    world.person().update(id, &fields(&[("Name", "theirs".into())])).await.unwrap();
    assert!(matches!(world.settle(&write, true).await, Settlement::Applied { .. }));
    // Deleted since: the recycle bin still shows the receipt.
    world.person().delete(id).await.unwrap();
    assert!(matches!(world.settle(&write, true).await, Settlement::Applied { .. }));
}

#[tokio::test]
async fn a_late_copy_does_not_overwrite() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "ours".into())]));
    next_write(&world, FaultAction::DelayApply { ms: 400 });
    let hurried = syncline_sdk::Context { timeout: Duration::from_millis(150), ..cx() };
    let outcomes = world.crm.push(&hurried, world.batch(vec![write.clone()])).await.unwrap();
    assert_eq!(word(&outcomes[0]), "unknown");
    world.pass(2);
    world.person().update(id, &fields(&[("Name", "theirs".into())])).await.unwrap();
    // The copy arrives and meets the guard: its request ends with an answer to nobody.
    let deadline = tokio::time::timeout(Duration::from_secs(10), async {
        while world
            .org
            .requests_since(0)
            .iter()
            .any(|entry| entry.kind == "composite" && entry.status == 0)
        {
            tokio::task::yield_now().await;
        }
    });
    deadline.await.unwrap();
    assert_eq!(name(&world.read(id).await), "theirs");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_by_its_link_id() {
    let world = World::start().await;
    for after in [true, false] {
        let write = world.write(insert(&[("Name", "a".into())]));
        next_write(&world, FaultAction::Cut { after });
        unknown(&world, &write).await;
        match world.settle(&write, true).await {
            Settlement::Applied { key: Some(key), .. } => {
                assert!(after);
                // A person deletes it: it was applied all the same, and is not made again.
                let id = salesforce_sim::Id::parse(key.as_str()).unwrap();
                world.person().delete(id).await.unwrap();
                let settled = world.settle(&write, true).await;
                assert!(matches!(settled, Settlement::Applied { .. }), "{settled:?}");
            }
            Settlement::Undecided { .. } => {
                assert!(!after);
                assert_eq!(word(&world.push(&write).await), "applied");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.org.records("Account", false).len(), 1);
}

#[tokio::test]
async fn a_delete_whose_answer_is_lost_is_settled_by_the_bin() {
    let world = World::start().await;
    for after in [true, false] {
        let id = world.made("a").await;
        let record = world.read_closed(id).await;
        let write = world.write(delete(&record));
        next_write(&world, FaultAction::Cut { after });
        unknown(&world, &write).await;
        let settled = world.settle(&write, true).await;
        match after {
            true => assert!(matches!(settled, Settlement::Applied { .. }), "{settled:?}"),
            false => assert!(matches!(settled, Settlement::Undecided { .. }), "{settled:?}"),
        }
    }
}

#[tokio::test]
async fn limits_and_locks_are_definite() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let write = world.write(update(&record, &[("Name", "b".into())]));
    for (concurrent, kind) in [(true, ErrorKind::Throttled), (false, ErrorKind::Quota)] {
        next_write(&world, FaultAction::RequestLimit { concurrent });
        let pushed = world.crm.push(&cx(), world.batch(vec![write.clone()])).await;
        assert_eq!(pushed.unwrap_err().kind, kind);
    }
    world.org.lock_row(id, 60_000);
    assert_eq!(word(&world.push(&write).await), "busy");
    world.org.unlock_rows();
    world.org.add_fault(Fault {
        on: Selector { object: Some("Account".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::RecordError {
            code: "FIELD_CUSTOM_VALIDATION_EXCEPTION".into(),
            message: "Name must rhyme".into(),
            fields: vec!["Name".into()],
        },
    });
    let WriteOutcome::Rejected { error, .. } = world.push(&write).await else { panic!() };
    assert!(error.to_string().contains("Name must rhyme"));
    assert_eq!(word(&world.push(&write).await), "applied");
}

#[tokio::test]
async fn the_quota_is_told() {
    let world = World::start().await;
    world.org.set_daily_limit(1_000, 900);
    world.fetch(&[]).await;
    world.made("a").await;
    world.crm.describe(&cx(), &"Contact".into()).await.unwrap();
    let quota = world.crm.usage().quota.unwrap();
    assert_eq!(quota.max, 1_000);
    assert!(quota.used >= 900, "{quota:?}");
}

#[tokio::test]
async fn a_session_that_ends_in_the_midst_is_renewed() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    world.org.expire_tokens(None);
    let write = world.write(update(&record, &[("Name", "b".into())]));
    assert_eq!(word(&world.push(&write).await), "applied");
    world.org.expire_tokens(None);
    // Over SOAP it is a fault of its own.
    let removal = world.write(delete(&record));
    assert_eq!(word(&world.push(&removal).await), "applied");
    world.org.expire_tokens(None);
    let undelete = world.write(syncline_sdk::WriteOp::Undelete { key: record.key.clone() });
    assert_eq!(word(&world.push(&undelete).await), "applied");
}

#[tokio::test]
async fn a_revoked_login_halts_with_advice_and_resumes() {
    let world = World::start().await;
    let org = world.org.clone();
    org.change_settings(|settings| settings.refresh_rotation = true);
    let login = org.credentials();
    let mut settings = SalesforceSettings::new(world.server.url(), login.client_id);
    settings.client_secret = Some(login.client_secret.into());
    settings.grant = Grant::RefreshToken;
    settings.refresh_token = org.refresh_token(&login.username).map(Into::into);
    let store = Arc::new(MemoryTokenStore::default());
    let crm = Salesforce::new(settings.clone(), store.clone()).unwrap();
    crm.describe(&cx(), &"Account".into()).await.unwrap();
    org.expire_tokens(None);
    crm.describe(&cx(), &"Contact".into()).await.unwrap();
    org.expire_tokens(None);
    org.revoke_refresh_tokens(None);
    let error = crm.describe(&cx(), &"Lead".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
    assert_eq!(error.code.as_deref(), Some("invalid_grant"));
    // An operator puts a new token into the settings; the dead one kept in the store does not
    // stand in its way.
    settings.refresh_token = org.refresh_token(&login.username).map(Into::into);
    let crm = Salesforce::new(settings, store).unwrap();
    crm.describe(&cx(), &"Lead".into()).await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_an_auth_error() {
    let world = World::start().await;
    world.org.set_client_secret("another");
    let error = world.crm.describe(&cx(), &"Account".into()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Auth);
}

#[tokio::test]
async fn a_duplicate_rule_says_what_it_found_and_may_be_passed() {
    let rule = |org: &salesforce_sim::Org| {
        org.add_duplicate_rule(salesforce_sim::DuplicateRule {
            name: "Same phone".into(),
            object: "Account".into(),
            fields: vec!["Phone".into()],
            allow: true,
        });
    };
    for (allowed, told) in [(false, false), (false, true), (true, true)] {
        let world = World::with(|settings| settings.allow_duplicates = allowed).await;
        world.org.change_settings(|settings| settings.duplicates_per_record = told);
        rule(&world.org);
        let fields = [("Name", "Known".into()), ("Phone", "1".into())];
        let known = world.person().create("Account", &crate::world::fields(&fields)).await;
        let known = known.unwrap();
        let write = world.write(insert(&[("Name", "New".into()), ("Phone", "1".into())]));
        match world.push(&write).await {
            WriteOutcome::Applied { .. } => assert!(allowed),
            WriteOutcome::Rejected { error, .. } => {
                assert!(!allowed);
                assert_eq!(error.kind, ErrorKind::Invalid);
                let names = format!("The rule \"Same phone\" found {known}");
                assert_eq!(error.context.contains(&names), told, "{error}");
                assert!(error.advice.unwrap().contains("allow_duplicates"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_org_with_person_accounts_asks_which_of_them_are_meant() {
    let world = World::start().await;
    assert!(world.org.enable("person_accounts"));
    let piece = async |selection: &Selection| {
        let health = world.crm.check(&cx(), &[selection]).await.unwrap();
        health.pieces.into_iter().find(|piece| piece.name.starts_with("person accounts"))
    };
    let asked = piece(&world.selection).await.unwrap();
    assert!(!asked.present && asked.detail.contains("IsPersonAccount = false"), "{asked:?}");
    let mut told = (*world.selection).clone();
    told.fields = told.fields.iter().cloned().chain(["IsPersonAccount".into()]).collect();
    assert_eq!(piece(&told).await, None);
    let described = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    let name = described.field(&"Name".into()).unwrap();
    assert!(!name.required && name.creatable, "a person has none of its own: {name:?}");
    // A person's name is refused as a name, and says so.
    let body = crate::world::fields(&[("LastName", "Lovelace".into())]);
    let id = world.person().create("Account", &body).await.unwrap();
    let record = world.read_closed(id).await;
    match world.push(&world.write(update(&record, &[("Name", "X".into())]))).await {
        WriteOutcome::Rejected { error, .. } => assert_eq!(error.kind, ErrorKind::Forbidden),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_the_orgs_code_refuses_of_a_lone_update_is_told_and_the_rest_is_sent() {
    let world = World::start().await;
    let mut writes = Vec::new();
    for name in ["one", "other"] {
        let id = world.made(name).await;
        let record = world.read_closed(id).await;
        // What could be taken for a reference to another part goes out alone.
        writes.push(world.write(update(&record, &[("Name", format!("@{{{name}}}").into())])));
    }
    world.org.add_fault(Fault {
        on: Selector { object: Some("Account".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::RecordError {
            code: "APEX_ERROR".into(),
            message: "System.LimitException: Apex CPU time limit exceeded".into(),
            fields: vec!["Name".into()],
        },
    });
    let outcomes = world.crm.push(&cx(), world.batch(writes)).await.unwrap();
    let WriteOutcome::Rejected { error, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(error.code.as_deref(), Some("APEX_ERROR"));
    assert_eq!(error.field.as_deref(), Some("Name"));
    assert!(!error.kind.is_outage() && error.advice.is_some());
    assert_eq!(word(&outcomes[1]), "applied");
}
