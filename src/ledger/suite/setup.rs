//! What is set up.

use std::time::Duration;

use secrecy::ExposeSecret;
use syncline_core::Side;
use syncline_sdk::{
    Capabilities, Cas, EntitySchema, FeedKind, FieldSchema, FieldType, HistoryKind, Precision,
    ReceiptKind,
};

use super::Subject;
use super::fixture::at;
use crate::{Awaited, AwaitedThing, Description, MappingRevision, Snapshot};

pub(super) async fn mappings_have_numbers_and_revisions<L: Subject>(ledger: &L) {
    let number = async |name: &str, source: &str| {
        let made = ledger.mapping(name, source, at(1)).await.unwrap();
        assert_eq!(made.name, name);
        (made.mapping, made.revision)
    };
    let (accounts, first) = number("accounts", "a").await;
    assert_eq!(first, 1);
    assert_eq!(number("accounts", "a").await, (accounts, 1));
    let (contacts, _) = number("contacts", "a").await;
    assert_ne!(contacts, accounts);
    assert_eq!(number("accounts", "b").await, (accounts, 2));
    // An older text is not an older revision: bases were written in between.
    assert_eq!(number("accounts", "a").await, (accounts, 3));
    let texts = [(1, "a".to_owned()), (2, "b".to_owned()), (3, "a".to_owned())];
    assert_eq!(ledger.revisions(accounts).await.unwrap(), texts);
    assert_eq!(ledger.revisions(contacts).await.unwrap(), texts[..1]);
    let expected = [("accounts", accounts, 3), ("contacts", contacts, 1)];
    let mut known = ledger.mappings().await.unwrap();
    known.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(
        known,
        expected.map(|(name, mapping, revision)| MappingRevision {
            mapping,
            name: name.into(),
            revision
        })
    );
}

pub(super) async fn things_are_kept<L: Subject>(ledger: &L) {
    assert_eq!(ledger.install("first").await.unwrap(), "first");
    assert_eq!(ledger.clone().install("second").await.unwrap(), "first");

    let (crm, account) = ("crm".into(), "Account".into());
    assert_eq!(ledger.snapshot(&crm, &account).await.unwrap(), None);
    for fingerprint in ["one", "two"] {
        let snapshot = Snapshot { fingerprint: fingerprint.into(), at: at(5) };
        ledger.keep_snapshot(&crm, &account, &snapshot).await.unwrap();
        assert_eq!(ledger.snapshot(&crm, &account).await.unwrap(), Some(snapshot));
    }

    assert!(ledger.token(&crm, "refresh").await.unwrap().is_none());
    for secret in ["hunter2", "correct horse"] {
        ledger.keep_token(&crm, "refresh", &secret.into()).await.unwrap();
        let kept = ledger.token(&crm, "refresh").await.unwrap().unwrap();
        assert_eq!(kept.expose_secret(), secret);
    }
    assert!(ledger.token(&"ops".into(), "refresh").await.unwrap().is_none());
}

fn field(name: &str, kind: FieldType) -> FieldSchema {
    FieldSchema {
        name: name.into(),
        kind,
        native: "as it is".into(),
        nullable: true,
        creatable: true,
        updatable: false,
        required: false,
        unique: true,
        external_id: false,
        normalizers: Vec::new(),
        filled: None,
    }
}

fn description(fields: Vec<FieldSchema>, at_second: i64) -> Description {
    Description {
        system: "crm".into(),
        entity: "account".into(),
        gone: vec!["Fax".into()],
        schema: EntitySchema {
            entity: "Account".into(),
            key: vec!["Id".into()],
            fields,
            creatable: true,
            deletable: false,
            problems: vec!["it is a view".to_owned()],
            same: Vec::new(),
            fixed: Vec::new(),
        },
        capabilities: Capabilities {
            cas: Cas::Coarse { tick: Duration::from_secs(1) },
            receipt: ReceiptKind::MarkerField,
            history: HistoryKind::None,
            feed: FeedKind::Polled,
            unique_external_id: true,
            conditional_delete: false,
            recycle_bin: Some(Duration::from_secs(86_400)),
            transactional: false,
            stored_image: false,
            search_lag: Duration::ZERO,
            request_horizon: Duration::from_millis(1_500),
            push_writes_max: 200,
            push_guarded_max: 25,
            fetch_keys_max: 2_000,
        },
        at: at(at_second),
    }
}

pub(super) async fn descriptions_are_replaced<L: Subject>(ledger: &L) {
    let mapping = ledger.mapping("accounts", "a", at(1)).await.unwrap().mapping;
    assert_eq!(ledger.description(mapping, Side::Left).await.unwrap(), None);
    let one = description(vec![field("Name", FieldType::Text { chars_max: Some(80) })], 5);
    let kinds = [
        FieldType::Enum { values: vec!["a".into(), "b".into()], restricted: true },
        FieldType::List(Box::new(FieldType::Decimal { precision: Some(12), scale: None })),
        FieldType::Instant { precision: Precision::Second },
        FieldType::Reference { entities: vec!["Account".into()] },
        FieldType::Int { min: i64::MIN, max: i64::MAX },
    ];
    let two = description(kinds.map(|kind| field("F", kind)).to_vec(), 6);
    for (side, wanted) in [(Side::Left, &one), (Side::Right, &one), (Side::Left, &two)] {
        ledger.keep_description(mapping, side, wanted).await.unwrap();
        assert_eq!(ledger.description(mapping, side).await.unwrap().as_ref(), Some(wanted));
    }
    assert_eq!(ledger.description(mapping, Side::Right).await.unwrap(), Some(one));
}

pub(super) async fn what_is_waited_for_is_replaced<L: Subject>(ledger: &L) {
    assert!(ledger.awaited().await.unwrap().is_empty());
    let system = Awaited {
        thing: AwaitedThing::System("crm".into()),
        reason: "connection refused".into(),
        since: at(3),
    };
    let mapping = Awaited {
        thing: AwaitedThing::Mapping("accounts".into()),
        reason: "system crm".into(),
        since: at(2),
    };
    let field =
        Awaited { thing: AwaitedThing::Field("accounts left Fax".into()), ..mapping.clone() };
    ledger.keep_awaited(&[field.clone(), mapping.clone(), system.clone()]).await.unwrap();
    assert_eq!(ledger.awaited().await.unwrap(), [system.clone(), mapping, field]);
    let later = Awaited { reason: "the login was refused".into(), ..system };
    ledger.keep_awaited(std::slice::from_ref(&later)).await.unwrap();
    assert_eq!(ledger.awaited().await.unwrap(), [later]);
    ledger.keep_awaited(&[]).await.unwrap();
    assert!(ledger.awaited().await.unwrap().is_empty());
}
