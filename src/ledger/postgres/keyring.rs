//! The keys of links, and the one place where what is kept of them is sealed and opened.
//!
//! Of a mapping with sensitive fields everything that may hold a value is encrypted: the bodies of
//! links and journal entries, questions and their answers, what a system said of a parked record.
//! Whole columns, so that no value is left out, wherever in them it stands. Which columns are
//! sealed shows in their first byte, so that rows of before the field was sensitive are read too.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::PgConnection;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Changeset, ReviewChange};
use syncline_sdk::LinkId;
use uuid::Uuid;

use super::error::corrupt;
use super::seal::Cipher;
use super::{SealKey, link_key};
use crate::{LedgerError, Result};

/// The first byte of what is sealed. Encodings count their versions from 1 up and stay below.
const SEALED: u8 = 0x81;

/// A link by the columns that name it.
pub(super) type Name = (i32, Uuid);

/// Whether bytes are sealed.
pub(super) fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEALED)
}

/// The links among rows of which something is sealed.
pub(super) fn sealed<'a>(rows: impl Iterator<Item = (Name, &'a [u8])>) -> BTreeSet<Name> {
    rows.filter(|(_, bytes)| is_sealed(bytes)).map(|(name, _)| name).collect()
}

/// Where sealed bytes stand. They open nowhere else, so that they cannot be swapped.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A link's body.
    Link,
    /// The body of an entry, by its number.
    Entry(i64),
    /// A column of a question, by its unit and base.
    Review(&'static str, i32, i64),
    /// What is told of a parked record.
    Parked,
}

impl Place {
    fn bytes(self, (mapping, link): &Name) -> Vec<u8> {
        match self {
            Self::Link => format!("link/{mapping}/{link}"),
            Self::Entry(id) => format!("journal/{mapping}/{link}/{id}"),
            Self::Review(column, unit, base) => {
                format!("review/{mapping}/{link}/{unit}/{base}/{column}")
            }
            Self::Parked => format!("parked/{mapping}/{link}"),
        }
        .into_bytes()
    }

    fn table(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Entry(_) => "journal",
            Self::Review(..) => "review",
            Self::Parked => "parked",
        }
    }
}

/// Opens the keys of links.
#[derive(Clone, Debug)]
pub(super) struct Keyring(Option<Arc<SealKey>>);

impl Keyring {
    pub(super) fn new(key: Option<SealKey>) -> Self {
        Self(key.map(Arc::new))
    }

    /// The key that seals keys and logins.
    pub(super) fn seal_key(&self) -> Option<&SealKey> {
        self.0.as_deref()
    }

    /// The keys of links that are named. Nothing is asked where none is.
    pub(super) async fn of(
        &self,
        connection: &mut PgConnection,
        names: BTreeSet<Name>,
    ) -> Result<LinkKeys> {
        if names.is_empty() {
            return Ok(LinkKeys::default());
        }
        let mut keys = LinkKeys::default();
        for (name, sealed) in link_key::among(connection, &names).await? {
            keys.known.insert(name, self.open(&name, &sealed)?);
        }
        Ok(keys)
    }

    /// The keys that a commit seals with: those of the links of sensitive mappings. Those that
    /// are new are made, and are to be kept with the commit.
    pub(super) async fn for_commit(
        &self,
        connection: &mut PgConnection,
        changeset: &Changeset,
    ) -> Result<LinkKeys> {
        self.with_new(connection, written(changeset)).await
    }

    /// The keys of links; those that are new are made, and are to be kept.
    pub(super) async fn with_new(
        &self,
        connection: &mut PgConnection,
        names: BTreeSet<Name>,
    ) -> Result<LinkKeys> {
        let mut keys = self.of(connection, names.clone()).await?;
        for name in names {
            if !keys.known.contains_key(&name) {
                let key = Cipher::generate();
                keys.made.push((name, self.seal(&name, &key)?));
                keys.known.insert(name, key);
            }
        }
        Ok(keys)
    }

    fn own(&self) -> Result<&SealKey> {
        self.seal_key().ok_or_else(|| {
            refused(
                "there is no key file: bring back the file `key` of the state folder, which was \
                 made with the ledger"
                    .to_owned(),
            )
        })
    }

    fn seal(&self, name: &Name, key: &Cipher) -> Result<Vec<u8>> {
        let sealed = self.own()?.seal_key(&key_place(name), key);
        sealed.ok_or_else(|| refused("the system's generator of random numbers failed".to_owned()))
    }

    fn open(&self, name: &Name, sealed: &[u8]) -> Result<Cipher> {
        let own = self.own()?;
        own.open_key(&key_place(name), sealed).ok_or_else(|| {
            refused(format!(
                "the key of link {} was sealed with another key than {}: bring back the key file \
                 that the ledger was used with",
                name.1,
                own.place()
            ))
        })
    }

    /// Whether the keys that are kept open with the key at hand, by one of them.
    pub(super) async fn check(&self, connection: &mut PgConnection) -> Result<()> {
        match link_key::one(connection).await? {
            Some((name, sealed)) => self.open(&name, &sealed).map(drop),
            None => Ok(()),
        }
    }
}

fn refused(reason: String) -> LedgerError {
    LedgerError::Refused { what: "the values of sensitive fields", reason, source: None }
}

/// Where the key of a link is sealed for.
fn key_place((mapping, link): &Name) -> String {
    format!("link_key/{mapping}/{link}")
}

/// The links of sensitive mappings of which a commit writes something.
fn written(changeset: &Changeset) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    if changeset.sensitive.is_empty() {
        return names;
    }
    let mut add = |mapping: MappingId, link: LinkId| {
        if changeset.sensitive.contains(&mapping) {
            names.insert((mapping.0, link.0));
        }
    };
    for link in changeset.links.iter().map(|change| change.link()) {
        add(link.mapping, link.id);
    }
    changeset.entries.iter().for_each(|entry| add(entry.mapping, entry.link));
    changeset.parked.iter().for_each(|parked| add(parked.mapping, parked.link));
    for change in &changeset.reviews {
        match change {
            ReviewChange::Ask(review) | ReviewChange::Show { review, .. } => {
                add(review.key.mapping, review.key.link);
            }
            ReviewChange::Close { .. } => {}
        }
    }
    names
}

/// Keys of links, at hand.
#[derive(Default)]
pub(super) struct LinkKeys {
    known: BTreeMap<Name, Cipher>,
    /// Those that are new, sealed.
    pub(super) made: Vec<(Name, Vec<u8>)>,
}

impl LinkKeys {
    /// Bytes as they are kept in a place: sealed where the link has a key here.
    pub(super) fn seal(&self, name: Name, place: Place, plain: Vec<u8>) -> Result<Vec<u8>> {
        if self.known.is_empty() {
            return Ok(plain);
        }
        let Some(key) = self.known.get(&name) else { return Ok(plain) };
        key.seal(SEALED, &place.bytes(&name), &plain)
            .ok_or_else(|| refused("the system's generator of random numbers failed".to_owned()))
    }

    /// Bytes of a place as they are read; those that are not sealed are as they are.
    pub(super) fn open<'a>(
        &self,
        name: Name,
        place: Place,
        bytes: &'a [u8],
    ) -> Result<Cow<'a, [u8]>> {
        if !is_sealed(bytes) {
            return Ok(Cow::Borrowed(bytes));
        }
        let failed = |reason: &str| corrupt(place.table(), row(name, place), reason);
        let key = self.known.get(&name).ok_or_else(|| {
            failed("it is encrypted, and the key of its link is not in table link_key")
        })?;
        key.open(SEALED, &place.bytes(&name), bytes).map(Cow::Owned).ok_or_else(|| {
            failed("it does not open with the key of its link: it was changed, or moved here")
        })
    }

    /// Whether a link has a key here.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.known.contains_key(name)
    }
}

/// A row in words.
fn row((mapping, link): Name, place: Place) -> String {
    match place {
        Place::Entry(id) => format!("{id} of link {link}"),
        Place::Review(column, unit, base) => {
            format!("of link {link}, unit {unit}, base {base}, {column}")
        }
        Place::Link | Place::Parked => format!("{link} of mapping {mapping}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(names: &[Name]) -> LinkKeys {
        let known = names.iter().map(|name| (*name, Cipher::generate())).collect();
        LinkKeys { known, made: Vec::new() }
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let (one, two) = ((1, Uuid::from_u128(1)), (1, Uuid::from_u128(2)));
        let keys = keys(&[one, two]);
        let places = [
            Place::Link,
            Place::Entry(7),
            Place::Entry(8),
            Place::Review("kind", 0, 1),
            Place::Review("answer", 0, 1),
            Place::Review("kind", 0, 2),
            Place::Review("kind", -1, 1),
            Place::Parked,
        ];
        for (at, place) in places.into_iter().enumerate() {
            let sealed = keys.seal(one, place, b"078-05-1120".to_vec()).unwrap();
            assert!(is_sealed(&sealed) && !sealed.windows(3).any(|part| part == b"078"));
            assert_eq!(&*keys.open(one, place, &sealed).unwrap(), b"078-05-1120");
            for (other, elsewhere) in places.into_iter().enumerate() {
                assert_eq!(keys.open(one, elsewhere, &sealed).is_ok(), other == at, "{place:?}");
            }
            assert!(keys.open(two, place, &sealed).is_err());
            for end in 1..sealed.len() {
                assert!(keys.open(one, place, &sealed[..end]).is_err(), "{end}");
            }
            for byte in 1..sealed.len() {
                let mut spoilt = sealed.clone();
                spoilt[byte] ^= 1;
                assert!(keys.open(one, place, &spoilt).is_err(), "{byte}");
            }
        }
    }

    #[test]
    fn what_is_not_sealed_and_links_without_a_key_are_left_as_they_are() {
        let (known, other) = ((1, Uuid::from_u128(1)), (2, Uuid::from_u128(1)));
        let plain = vec![2, 1, 0];
        for keys in [keys(&[known]), LinkKeys::default()] {
            assert_eq!(keys.seal(other, Place::Link, plain.clone()).unwrap(), plain);
            assert_eq!(&*keys.open(known, Place::Link, &plain).unwrap(), plain);
        }
        let sealed = keys(&[known]).seal(known, Place::Link, plain).unwrap();
        let said = LinkKeys::default().open(known, Place::Link, &sealed).unwrap_err().to_string();
        assert!(said.contains("not in table link_key"), "{said}");
        let said = keys(&[known]).open(known, Place::Link, &sealed).unwrap_err().to_string();
        assert!(said.contains("does not open with the key of its link"), "{said}");
    }

    #[test]
    fn the_key_of_a_link_opens_with_its_key_file_and_for_that_link() {
        let ring = |digits: &str| {
            let text = secrecy::SecretString::from(digits.repeat(32));
            Keyring::new(Some(SealKey::parse(&text, "the content of key").unwrap()))
        };
        let name = (3, Uuid::from_u128(9));
        let key = Cipher::generate();
        let sealed = ring("0f").seal(&name, &key).unwrap();
        assert_eq!(ring("0f").open(&name, &sealed).unwrap().key(), key.key());
        assert!(ring("0f").open(&(4, name.1), &sealed).is_err());
        assert!(ring("0f").open(&name, &sealed[..40]).is_err());
        let Err(said) = ring("1f").open(&name, &sealed) else { panic!("it opened") };
        assert!(said.to_string().contains("another key than the content of key"), "{said}");
        let Err(said) = Keyring::new(None).open(&name, &sealed) else { panic!("it opened") };
        assert!(said.to_string().contains("there is no key file"), "{said}");
    }
}
