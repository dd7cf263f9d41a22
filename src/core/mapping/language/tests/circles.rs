//! Circles of mappings: the real ones are refused, and no others.

use proptest::prelude::*;

use crate::mapping::language::{MappingFile, MappingSpec, Source, check_offline, check_together};

const SYSTEMS: [&str; 4] = ["a", "b", "c", "d"];

/// A mapping of two systems: which field is carried where, and where records are made.
#[derive(Clone, Debug)]
struct Drawn {
    left: usize,
    right: usize,
    fields: Vec<(&'static str, &'static str)>,
    create: &'static str,
}

fn spec(drawn: &Drawn) -> MappingSpec {
    let side = |at: usize| format!("{{ system: {}, entity: e }}", SYSTEMS[at]);
    let pair =
        |(name, way): &(&str, &str)| format!("{{ left: {name}, right: {name}, direction: {way} }}");
    let pairs: Vec<String> = drawn.fields.iter().map(pair).collect();
    let text = format!(
        "mapping: {}{}\nleft: {}\nright: {}\nmatch: []\ncreate: {}\nfields: [{}]\n",
        SYSTEMS[drawn.left],
        SYSTEMS[drawn.right],
        side(drawn.left),
        side(drawn.right),
        drawn.create,
        pairs.join(", ")
    );
    let file = MappingFile::parse(&Source::new("m.yaml", &text)).unwrap();
    check_offline(&file).unwrap().value
}

/// What is said of the circles of mappings.
fn circles(drawn: &[Drawn]) -> Vec<String> {
    let specs: Vec<MappingSpec> = drawn.iter().map(spec).collect();
    let found = check_together(&specs, &SYSTEMS.map(Into::into));
    let messages = found.iter().map(|one| one.message.clone());
    messages.filter(|message| message.contains("closes a circle")).collect()
}

fn plain(sides: &str, way: &'static str, create: &'static str) -> Drawn {
    let at = |name: &str| SYSTEMS.iter().position(|known| *known == name).unwrap();
    let (left, right) = (at(&sides[..1]), at(&sides[1..]));
    Drawn { left, right, fields: vec![("f", way)], create }
}

#[test]
fn an_edit_that_comes_back_another_way_is_a_circle() {
    let chain = || vec![plain("ab", "both", "none"), plain("bc", "both", "none")];
    assert!(circles(&chain()).is_empty());
    let mut three = chain();
    three.push(plain("ca", "both", "none"));
    assert_eq!(circles(&three), ["`ca` closes a circle with `bc`, `ab`"]);
    three[2].fields = vec![("g", "both")];
    assert!(circles(&three).is_empty(), "another field");
}

#[test]
fn two_ways_to_one_place_are_no_circle() {
    let diamond = ["ab", "ac", "bd", "cd"].map(|sides| plain(sides, "to_right", "right"));
    assert!(circles(&diamond).is_empty());
    // The fields travel one way, the new records round and round.
    let made = ["ab", "ac", "bd", "cd"].map(|sides| plain(sides, "to_right", "both"));
    assert_eq!(circles(&made), ["`cd` closes a circle of new records with `ac`, `ab`, `bd`"]);
    let triangle = ["ab", "bc", "ac"].map(|sides| plain(sides, "to_right", "none"));
    assert!(circles(&triangle).is_empty());
}

/// Whether anything that travels, an edit of a field or a new record, ever takes the same way
/// twice: all walks that do not turn back on the two entities that they come from.
fn comes_round(all: &[Drawn]) -> bool {
    type Step = (usize, usize, Option<&'static str>);
    let mut steps: Vec<Step> = Vec::new();
    for one in all {
        let mut add = |way: &str, field| {
            if way != "to_left" && way != "left" && way != "none" {
                steps.push((one.left, one.right, field));
            }
            if way != "to_right" && way != "right" && way != "none" {
                steps.push((one.right, one.left, field));
            }
        };
        one.fields.iter().for_each(|(name, way)| add(way, Some(*name)));
        add(one.create, None);
    }
    let follows = |a: &Step, b: &Step| a.1 == b.0 && a.2 == b.2 && a.0 != b.1;
    let mut leads: Vec<Vec<bool>> =
        steps.iter().map(|a| steps.iter().map(|b| follows(a, b)).collect()).collect();
    for over in 0..steps.len() {
        for from in 0..steps.len() {
            for to in 0..steps.len() {
                leads[from][to] |= leads[from][over] && leads[over][to];
            }
        }
    }
    (0..steps.len()).any(|at| leads[at][at])
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let way = || prop_oneof![Just("both"), Just("to_left"), Just("to_right")];
    let fields = (proptest::option::of(way()), way()).prop_map(|(first, second)| {
        first.map(|way| ("f", way)).into_iter().chain([("g", second)]).collect()
    });
    let create = prop_oneof![Just("both"), Just("left"), Just("right"), Just("none")];
    (0..SYSTEMS.len(), 1..SYSTEMS.len(), fields, create).prop_map(|(left, on, fields, create)| {
        let right = (left + on) % SYSTEMS.len();
        Drawn { left, right, fields, create }
    })
}

proptest! {
    #[test]
    fn circles_are_refused_exactly_where_something_comes_round(
        all in proptest::collection::vec(drawn(), 1..7)
    ) {
        prop_assert_eq!(!circles(&all).is_empty(), comes_round(&all));
    }

    #[test]
    fn what_only_goes_onward_is_no_circle(
        all in proptest::collection::vec((0..3usize, 1..4usize), 1..7)
    ) {
        let onward = all.into_iter().map(|(left, on)| Drawn {
            left,
            right: (left + on).min(SYSTEMS.len() - 1),
            fields: vec![("f", "to_right")],
            create: "right",
        });
        prop_assert!(circles(&onward.collect::<Vec<_>>()).is_empty());
    }
}

/// Each arm of a diamond would make its own copy of a record that both arms mean.
#[test]
fn two_mappings_that_make_records_of_one_entity_are_told_of() {
    let told = |last: &'static str| -> Vec<String> {
        let arms = [("ab", "right"), ("ac", "right"), ("bd", "right"), ("cd", last)];
        let drawn = arms.map(|(sides, create)| plain(sides, "to_right", create));
        let specs: Vec<MappingSpec> = drawn.iter().map(spec).collect();
        let found = check_together(&specs, &SYSTEMS.map(Into::into));
        assert!(!found.has_errors(), "{found}");
        found.iter().map(|one| one.message.clone()).collect()
    };
    assert_eq!(told("right"), ["`bd` and `cd` both make records of e"]);
    assert_eq!(told("none"), Vec::<String>::new());
}
