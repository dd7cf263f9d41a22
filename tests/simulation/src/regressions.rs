//! Runs that found a defect once, and that a run is decided by its seed alone.

use crate::{Wanted, run};

/// Each seed with what it once found.
const SEEDS: [(u64, &str); 23] = [
    (8, "a write without receipt table was sent again behind its fence, for ever"),
    (64, "the same, after a crash"),
    (100, "a page read before our own write was folded after it and carried back"),
    (140, "the same, of one half of a typed answer"),
    (289, "another process owned the shards in between, and its batches were closed twice"),
    (306, "the partner of a merged record was given a key of its own side"),
    (476, "an edit of that partner brought the merged link to life"),
    (507, "a chosen partner belonged to another link that was not loaded"),
    (541, "a deletion came with the feed before the create of its record was settled"),
    (585, "a fence under way was taken for a lost stream, and a create was given up"),
    (814, "a commit whose reply was lost took its sends with it"),
    (2127, "a process that was fenced while it started had no feed"),
    (7363, "a batch that a lost commit had closed was closed again"),
    (8_889, "a batch was sent long after it was recorded, and arrived when given up"),
    (10_812, "an answer refused for an open tick left a question without its held unit"),
    (18_353, "a record came back beside another of its business key"),
    (19_811, "of two readings within one tick the older was folded last"),
    (5_038_801, "an edit sent a create again of which nobody knew what became"),
    (6_041_702, "an adopted record of ours emptied what it had never been given"),
    (6_063_059, "the children of a merged record stayed behind"),
    (7_024_044, "a record kept by a rule counted as a duplicate"),
    (7_048_302, "an undelete whose reply was lost was followed by a create"),
    (8_012_376, "a look-up that came behind newer news took its reason with it"),
];

#[test]
fn seeds_that_found_something_find_nothing() {
    for (seed, found) in SEEDS {
        let outcome = run(&Wanted { seed, ..Wanted::default() });
        assert!(outcome.violations.is_empty(), "seed {seed} ({found}): {:?}", outcome.violations);
    }
}

#[test]
fn a_seed_decides_a_run() {
    for seed in 1..20 {
        let wanted = Wanted { seed, ..Wanted::default() };
        assert_eq!(run(&wanted).hash, run(&wanted).hash, "seed {seed}");
    }
}
