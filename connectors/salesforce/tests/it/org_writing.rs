//! Writing to a simulated org: creates, guarded updates against other people's edits, deletes.

use std::sync::Arc;

use salesforce_sim::{ConditionalStamp, Fault, FaultAction, Id, Selector};
use syncline_sdk::{
    Absence, ActorKind, Connector, ErrorKind, Expect, FetchBy, FetchRequest, Settlement, WriteOp,
    WriteOutcome,
};

use crate::script::cx;
use crate::world::{World, delete, fields, insert, name, update, word};

#[tokio::test]
async fn a_create_carries_its_link_id_and_is_made_once() {
    let world = World::start().await;
    let write = world.write(insert(&[("Name", "a".into())]));
    let WriteOutcome::Applied { key: Some(key), .. } = world.push(&write).await else { panic!() };
    let request = FetchRequest {
        selection: world.selection.clone(),
        by: FetchBy::ExternalIds(vec![write.link]),
    };
    let fetched = world.crm.fetch(&cx(), request).await.unwrap();
    let record = &fetched.records[0];
    assert_eq!(record.key, key);
    assert_eq!(record.external_id, Some(write.link));
    assert_eq!(record.marker.as_deref(), Some(cx().marker(write.intent).as_str()));
    assert_eq!(record.actor.kind, ActorKind::Sync);
    // A second copy is refused by the org itself.
    let WriteOutcome::Rejected { error, .. } = world.push(&write).await else { panic!() };
    assert_eq!(error.kind, ErrorKind::Duplicate);
    assert_eq!(world.org.records("Account", false).len(), 1);
}

#[tokio::test]
async fn an_update_is_refused_when_somebody_else_was_faster() {
    // The guide does not say which stamp the server compares: both must do.
    for stamp in [ConditionalStamp::LastModifiedDate, ConditionalStamp::SystemModstamp] {
        let world = World::start().await;
        world.org.change_settings(|settings| settings.conditional_stamp = stamp);
        let id = world.made("a").await;
        let record = world.read_closed(id).await;
        edit(&world, id, "theirs").await;
        let ours = world.write(update(&record, &[("Name", "ours".into())]));
        assert_eq!(word(&world.push(&ours).await), "stale");
        let record = world.read_closed(id).await;
        assert_eq!(name(&record), "theirs");
        let ours = world.write(update(&record, &[("Name", "ours".into())]));
        assert_eq!(word(&world.push(&ours).await), "applied");
        let record = world.read(id).await;
        assert_eq!(name(&record), "ours");
        let marker = cx().marker(ours.intent);
        assert_eq!(record.marker.as_deref(), Some(marker.as_str()));
    }
}

async fn edit(world: &World, id: Id, name: &str) {
    let change = fields(&[("Name", name.into())]);
    world.person().update(id, &change).await.unwrap();
}

#[tokio::test]
async fn fields_that_cannot_carry_marker_and_link_id_are_not_written() {
    let world = World::start().await;
    let unfit = Arc::new(syncline_sdk::Selection {
        external_id: Some("Vip__c".into()),
        marker: Some("Tier__c".into()),
        ..(*world.selection).clone()
    });
    let mut write = world.write(insert(&[("Name", "a".into())]));
    write.selection = unfit.clone();
    assert_eq!(word(&world.push(&write).await), "applied");
    world.pass(3);
    let record = &world.org.records("Account", false)[0];
    let id = Id::parse(record["Id"].as_str().unwrap()).unwrap();
    assert!(record["Tier__c"].is_null());
    // Without a marker a lost update is compared by content, and no delete can be fenced.
    let record = world.read(id).await;
    let mut change = world.write(update(&record, &[("Name", "b".into())]));
    change.selection = unfit.clone();
    assert_eq!(word(&world.push(&change).await), "applied");
    let settled = world.settle(&change, true).await;
    assert!(matches!(settled, Settlement::Undecided { .. }), "{settled:?}");
    let expect = Expect { version: record.version.clone(), ..Expect::default() };
    let mut fence = world.write(WriteOp::Fence { key: record.key.clone(), expect });
    fence.selection = unfit.clone();
    let WriteOutcome::Rejected { error, .. } = world.push(&fence).await else { panic!() };
    assert_eq!(error.kind, ErrorKind::Unsupported);
    let effective = world.crm.effective(&unfit);
    assert!(!effective.unique_external_id);
    assert_eq!(effective.receipt, syncline_sdk::ReceiptKind::None);
}

#[tokio::test]
async fn a_field_closed_to_us_is_described_anew() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    world.org.add_fault(Fault {
        on: Selector { object: Some("Account".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::RecordError {
            code: "INVALID_FIELD_FOR_INSERT_UPDATE".into(),
            message: "Unable to create/update fields: Phone.".into(),
            fields: vec!["Phone".into()],
        },
    });
    let write = world.write(update(&record, &[("Phone", "1".into())]));
    let WriteOutcome::Rejected { error, .. } = world.push(&write).await else { panic!() };
    assert_eq!(error.kind, ErrorKind::Forbidden);
    let described = |world: &World| world.org.request_counts().by_kind.get("describe").copied();
    let before = described(&world);
    world.read(id).await;
    assert_ne!(described(&world), before);
}

#[tokio::test]
async fn a_reading_of_the_running_second_is_not_closed() {
    let world = World::start().await;
    let id = world.made("a").await;
    assert!(!world.read(id).await.closed);
    // What the flag prevents: a second edit in the same second has the same stamp.
    let record = world.read(id).await;
    world.person().update(id, &fields(&[("Name", "b".into())])).await.unwrap();
    assert_eq!(world.read(id).await.version, record.version);
}

#[tokio::test]
async fn many_updates_answer_each_for_itself() {
    let world = World::start().await;
    let mut ids = Vec::new();
    for at in 0..30 {
        ids.push(world.made(&format!("a{at}")).await);
    }
    world.pass(3);
    let keys: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let mut records = world.fetch(&keys).await.records;
    records.sort_by(|a, b| a.key.cmp(&b.key));
    world.person().delete(ids[3]).await.unwrap();
    world.person().update(ids[4], &fields(&[("Phone", "1".into())])).await.unwrap();
    world.org.lock_row(ids[5], 60_000);
    let writes: Vec<_> = ids
        .iter()
        .enumerate()
        .map(|(at, id)| {
            let record = records.iter().find(|record| record.key.as_str() == id.as_str()).unwrap();
            let text = if at == 6 { "x".repeat(300) } else { format!("b{at}") };
            world.write(update(record, &[("Name", text.into())]))
        })
        .collect();
    let outcomes = world.crm.push(&cx(), world.batch(writes)).await.unwrap();
    for (at, outcome) in outcomes.iter().enumerate() {
        let wanted = match at {
            3 => "missing",
            4 => "stale",
            5 => "busy",
            6 => "rejected",
            _ => "applied",
        };
        assert_eq!(word(outcome), wanted, "{at}: {outcome:?}");
    }
    let WriteOutcome::Rejected { error, .. } = &outcomes[6] else { panic!() };
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Invalid, Some("Name")));
}

#[tokio::test]
async fn a_guarded_delete_is_told_from_another_persons() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let expect = Expect { version: record.version.clone(), ..Expect::default() };
    let fence = world.write(WriteOp::Fence { key: record.key.clone(), expect });
    assert_eq!(word(&world.push(&fence).await), "applied");
    let removal = world.write(delete(&record));
    assert_eq!(word(&world.push(&removal).await), "applied");
    assert!(matches!(world.settle(&removal, true).await, Settlement::Applied { .. }));
    let fetched = world.fetch(&[id.as_str()]).await;
    let Absence::Deleted { by: Some(by), image: Some(image), .. } = &fetched.missing[0].1 else {
        panic!("{fetched:?}")
    };
    assert_eq!(by.kind, ActorKind::Sync);
    assert_eq!(image.marker.as_deref(), Some(cx().marker(fence.intent).as_str()));
    // The look found an edit: it is brought back under its own id.
    let undelete = world.write(WriteOp::Undelete { key: record.key.clone() });
    assert_eq!(word(&world.push(&undelete).await), "applied");
    assert_eq!(name(&world.read(id).await), "a");
    assert!(matches!(world.settle(&undelete, true).await, Settlement::Applied { .. }));
    // A record that is not in the bin cannot be brought back.
    assert_ne!(word(&world.push(&undelete).await), "applied");
    world.person().delete(id).await.unwrap();
    assert_eq!(word(&world.push(&removal).await), "missing");
    assert!(!matches!(world.settle(&removal, false).await, Settlement::Applied { .. }));
}

#[tokio::test]
async fn a_fence_is_refused_when_the_record_changed() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    world.person().update(id, &fields(&[("Phone", "1".into())])).await.unwrap();
    let expect = Expect { version: record.version.clone(), ..Expect::default() };
    let fence = world.write(WriteOp::Fence { key: record.key, expect });
    assert_eq!(word(&world.push(&fence).await), "stale");
}

#[tokio::test]
async fn assignment_rules_do_not_take_our_creates() {
    let world = World::start().await;
    let selection = Arc::new(syncline_sdk::Selection {
        entity: "Case".into(),
        fields: ["Subject".into(), "OwnerId".into()].into(),
        ..(*world.selection).clone()
    });
    let mut write = world.write(insert(&[("Subject", "help".into())]));
    write.selection = selection;
    assert_eq!(word(&world.push(&write).await), "applied");
    let case = &world.org.records("Case", false)[0];
    assert_eq!(case["OwnerId"], case["CreatedById"]);
}

#[tokio::test]
async fn an_update_can_claim_a_record() {
    let world = World::start().await;
    let id = world.made("a").await;
    let record = world.read_closed(id).await;
    let WriteOp::Update { key, expect, .. } = update(&record, &[]) else { panic!() };
    let claim = WriteOp::Update { key, values: Vec::new(), expect, claim: true };
    let write = world.write(claim);
    assert_eq!(word(&world.push(&write).await), "applied");
    assert_eq!(world.read(id).await.external_id, Some(write.link));
}
