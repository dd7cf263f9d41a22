//! Values of every type, written to a simulated org and read back.

use std::hash::{BuildHasher, Hasher, RandomState};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngSeed, TestRunner};
use syncline_sdk::{Connector, Instant, Normalizer, Value, WriteOutcome};

use crate::script::cx;
use crate::world::{FIELDS, World, insert, update, word};

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = T> {
    proptest::sample::select(all)
}

/// Values of all types, as an engine may send them.
fn values() -> impl Strategy<Value = Vec<(&'static str, Value)>> {
    let or_null =
        |value: BoxedStrategy<Value>| prop_oneof![4 => value, 1 => Just(Value::Null)].boxed();
    let text = |pattern: &'static str| pattern.prop_map(Value::from).boxed();
    let score = "-?[0-9]{1,6}(\\.[0-9]{1,14})?"
        .prop_map(|text| Value::Decimal(text.parse().unwrap()))
        .boxed();
    let tags = proptest::collection::vec(
        one_of(vec![Value::from("Red"), Value::from("Green"), Value::from("Blue")]),
        0..4,
    )
    .prop_map(|items| if items.is_empty() { Value::Null } else { Value::List(items.into()) })
    .boxed();
    let seen = (0_i64..4_000_000_000)
        .prop_flat_map(|second| (Just(second), 0_i64..1_000_000))
        .prop_map(|(second, micro)| {
            Value::Instant(Instant::from_micros(second * 1_000_000 + micro))
        })
        .boxed();
    let date = (1_i16..28, 1_i8..12)
        .prop_map(|(day, month)| {
            Value::Date(jiff::civil::date(2026, month, i8::try_from(day).unwrap()))
        })
        .boxed();
    let time = (0_i8..24, 0_i8..60)
        .prop_map(|(hour, minute)| Value::Time(jiff::civil::time(hour, minute, 7, 0)))
        .boxed();
    (
        text("[ \\t]{0,2}[A-Za-zäß'\"\\\\]{1,20}[ \u{a0}]{0,2}"),
        or_null(text("[ 0-9()+-]{0,20}")),
        or_null(text("[ -~äß€\\n]{0,40}")),
        or_null(score),
        tags,
        or_null(date),
        or_null(seen),
        or_null(time),
        or_null(any::<bool>().prop_map(Value::Bool).boxed()),
        or_null(one_of(vec![Value::from("gold"), Value::from("Silver")]).boxed()),
    )
        .prop_map(|(name, phone, text, score, tags, date, seen, time, vip, tier)| {
            let all = [name, phone, text, score, tags, date, seen, time, vip, tier];
            FIELDS.into_iter().zip(all).collect()
        })
}

/// A runner that can be run again: its seed is printed, and `PROPTEST_RNG_SEED` sets it.
#[expect(clippy::print_stdout, reason = "a failing test shall tell how it is run again")]
fn seeded() -> TestRunner {
    let mut config = ProptestConfig::default();
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(RandomState::new().build_hasher().finish());
    }
    println!("PROPTEST_RNG_SEED: {:?}", config.rng_seed);
    TestRunner::new(config)
}

/// Whatever is written reads back as its normalisers foretell, and writing that again changes
/// nothing: no echo is ever taken for an edit.
#[tokio::test]
async fn what_reads_back_is_foretold() {
    let world = World::start().await;
    let schema = world.crm.describe(&cx(), &"Account".into()).await.unwrap();
    let mut runner = seeded();
    let cases: Vec<_> =
        (0..150).map(|_| values().new_tree(&mut runner).unwrap().current()).collect();
    let writes: Vec<_> = cases.iter().map(|case| world.write(insert(case))).collect();
    let outcomes = world.crm.push(&cx(), world.batch(writes)).await.unwrap();
    world.pass(3);
    for (case, outcome) in cases.iter().zip(&outcomes) {
        let WriteOutcome::Applied { key: Some(key), .. } = outcome else {
            panic!("{case:?}: {outcome:?}")
        };
        let record = world.fetch(&[key.as_str()]).await.records.remove(0);
        let mut again = Vec::new();
        for ((field, sent), stored) in case.iter().zip(&record.values) {
            let steps = &schema.field(&(*field).into()).unwrap().normalizers;
            let foretold = Normalizer::apply_all(steps, sent.clone());
            assert_eq!(&foretold, stored, "{field}: sent {sent:?}");
            again.push((*field, stored.clone()));
        }
        let rewrite = world.write(update(&record, &again));
        assert_eq!(word(&world.push(&rewrite).await), "applied", "{case:?}");
        let after = world.fetch(&[key.as_str()]).await.records.remove(0);
        assert_eq!(after.values, record.values);
    }
}

/// A composite call reads `@{...}` as a reference to the answer of another part: such a text is
/// written as it is all the same, and guarded all the same.
#[tokio::test]
async fn a_text_that_reads_like_a_reference_is_written_as_it_is() {
    let world = World::start().await;
    let description = FIELDS.iter().position(|field| *field == "Description").unwrap();
    let (odd, plain) = (world.made("Odd").await, world.made("Plain").await);
    for text in ["@{w1.id}", "Dear @{name}, @{w0.body}", "@{", "@{}", "a @{ b"] {
        let (read, other) = (world.read_closed(odd).await, world.read(plain).await);
        let writes = vec![
            world.write(update(&read, &[("Description", text.into())])),
            world.write(update(&other, &[("Description", "none".into())])),
        ];
        let outcomes = world.crm.push(&cx(), world.batch(writes)).await.unwrap();
        assert_eq!(outcomes.iter().map(word).collect::<Vec<_>>(), ["applied", "applied"], "{text}");
        assert_eq!(world.read(odd).await.values[description], Value::from(text));
        let late = world.write(update(&read, &[("Description", "@{late}".into())]));
        assert_eq!(word(&world.push(&late).await), "stale", "{text}");
    }
    let read = world.read_closed(odd).await;
    world.person().delete(odd).await.unwrap();
    let gone = world.write(update(&read, &[("Description", "@{gone}".into())]));
    assert_eq!(word(&world.push(&gone).await), "missing");
}
