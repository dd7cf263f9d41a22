//! Round trips of everything that is stored, and bytes that nobody wrote.

mod model;
mod values;

use std::fmt::Debug;

use proptest::prelude::*;

use super::*;
use crate::model::{Answer, Base, BothHalves, FieldState, Pending, ReviewKind, Shown};

/// Reads back what was written: equal, in the same digits and precision, and by the same bytes.
fn same_again<T: Encoded + PartialEq + Debug>(value: &T) {
    let bytes = encode(value);
    let again: T = decode(&bytes).unwrap();
    assert_eq!(again, *value);
    assert_eq!(format!("{again:?}"), format!("{value:?}"));
    assert_eq!(encode(&again), bytes);
    for end in 0..bytes.len() {
        assert!(decode::<T>(&bytes[..end]).is_err(), "cut at {end} it still reads");
    }
}

#[test]
fn rest_costs_nothing() {
    let link = model::blank();
    // Two version bytes of the sides, the mapping revision, what is there, the encoding version.
    assert_eq!(encode_link(&link).len(), 5);
    assert_eq!(decode_link(&encode_link(&link)).unwrap(), LinkBody::default());
}

#[test]
fn an_unknown_version_is_named() {
    assert_eq!(decode::<bool>(&[7, 1]), Err(DecodeError::Version(7)));
    assert_eq!(decode::<bool>(&[VERSION, 1, 1]), Err(DecodeError::Long(1)));
    assert_eq!(decode::<bool>(&[]), Err(DecodeError::Short));
}

#[test]
fn an_entry_of_the_first_version_does_not_tell_its_revision() {
    // Nothing observed, decided, intended or settled.
    let first: EntryBody = decode(&[1, 0, 0, 0, 0]).unwrap();
    assert_eq!(first, EntryBody::default());
    let told = EntryBody { revision: 3, ..EntryBody::default() };
    assert_eq!(encode(&told), [VERSION, 0, 0, 0, 0, 6]);
}

#[test]
fn lists_end_somewhere() {
    let mut bytes = vec![VERSION];
    bytes.extend([15, 1].repeat(100_000));
    assert_eq!(
        decode::<syncline_sdk::Value>(&bytes),
        Err(DecodeError::Invalid("list: nested too deeply"))
    );
}

#[test]
fn a_length_that_lies_costs_nothing() {
    let mut out = Writer::versioned(VERSION);
    out.unsigned(u64::MAX);
    assert_eq!(decode::<Vec<bool>>(&out.into_bytes()), Err(DecodeError::Short));
}

#[test]
fn an_image_is_hardly_larger_than_its_texts() {
    let texts = ["Acme Corporation", "+44 20 7946 0000", "Hot", "acme.example", "London", "GB"];
    let image: Vec<_> = texts.iter().map(|text| syncline_sdk::Value::from(*text)).collect();
    let length: usize = texts.iter().map(|text| text.len()).sum();
    // Version, existence, the number of values, one byte a value.
    assert_eq!(encode(&Base { exists: true, image }).len(), length + 3 + texts.len());
}

#[test]
fn ids_of_one_commit_cost_two_bytes() {
    let id = |ordinal| syncline_sdk::IntentId { commit: 1_000_000, ordinal };
    assert!(encode_ids(&(0..500).map(id).collect::<Vec<_>>()).len() < 1_010);
}

#[test]
fn units_of_one_origin_cost_one_origin() {
    let origin = crate::model::Origin {
        side: crate::Side::Left,
        actor: syncline_sdk::ActorKind::Person,
        entry: syncline_sdk::IntentId { commit: 1_000_000, ordinal: 17 },
        at: 1_780_000_000_000_000,
    };
    let one = encode(&Origins(vec![Some(origin); 1])).len();
    assert_eq!(encode(&Origins(vec![Some(origin); 100])).len(), one);
    let mut two = vec![Some(origin); 8];
    two[3] = None;
    assert_eq!(encode(&Origins(two)).len(), one + 9);
}

proptest! {
    #[test]
    fn values(value in values::any()) {
        same_again(&value);
    }

    #[test]
    fn links(base in model::base(), pending in model::pending(), state in model::field_state(),
             origins in model::origins()) {
        same_again(&base);
        same_again(&pending);
        same_again(&state);
        same_again(&origins);
    }

    #[test]
    fn link_bodies(link in model::link()) {
        let bytes = encode_link(&link);
        let body = decode_link(&bytes).unwrap();
        let merged_into = match link.state {
            crate::model::LinkState::Merged(into) => Some(into),
            _ => None,
        };
        let expected = LinkBody {
            mapping_rev: link.mapping_rev,
            merged_into,
            base: link.base,
            pending: link.pending,
            complement: link.complement,
            field_state: link.field_state,
            versions: link.versions,
            origins: Origins(link.origins),
        };
        prop_assert_eq!(format!("{body:?}"), format!("{expected:?}"));
        for end in 0..bytes.len() {
            prop_assert!(decode_link(&bytes[..end]).is_err(), "cut at {} it still reads", end);
        }
    }

    #[test]
    fn entries(entry in model::entry()) {
        let body = EntryBody {
            observed: entry.observed.clone(),
            decided: entry.decided.clone(),
            intent: entry.intent.clone(),
            settled: entry.settled.clone(),
            revision: entry.revision,
        };
        same_again(&body);
        prop_assert_eq!(encode_entry(&entry), encode(&body));
    }

    #[test]
    fn ids(ids in prop::collection::vec(model::id(), 0..20)) {
        prop_assert_eq!(decode_ids(&encode_ids(&ids)).unwrap(), ids);
    }

    #[test]
    fn questions(kind in model::review_kind(), shown in model::shown(), answer in model::answer()) {
        same_again(&kind);
        same_again(&shown);
        same_again(&answer);
    }

    #[test]
    fn bytes_that_nobody_wrote(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        bytes.insert(0, VERSION);
        let _ = decode::<syncline_sdk::Value>(&bytes);
        let _ = decode::<Base>(&bytes);
        let _ = decode::<Pending>(&bytes);
        let _ = decode::<FieldState>(&bytes);
        let _ = decode::<BothHalves>(&bytes);
        let _ = decode::<Origins>(&bytes);
        let _ = decode_link(&bytes);
        let _ = decode_ids(&bytes);
        let _ = decode::<EntryBody>(&bytes);
        let _ = decode::<ReviewKind>(&bytes);
        let _ = decode::<crate::Sides<Shown>>(&bytes);
        let _ = decode::<Answer>(&bytes);
    }

    #[test]
    fn bytes_that_somebody_spoilt(entry in model::entry(), at in any::<prop::sample::Index>(),
                                  byte in any::<u8>()) {
        let mut bytes = encode_entry(&entry);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(body) = decode::<EntryBody>(&bytes) {
            // Whatever it reads as, it can be written again.
            let _ = encode(&body);
        }
    }
}
