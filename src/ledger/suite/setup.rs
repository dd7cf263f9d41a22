//! What is set up.

use secrecy::ExposeSecret;

use super::Subject;
use super::fixture::at;
use crate::{MappingRevision, Snapshot};

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
