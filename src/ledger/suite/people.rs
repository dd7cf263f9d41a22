//! What people are told.

use syncline_core::mapping::MappingId;
use syncline_core::model::{Counted, Figure, Gap, Link, LinkChange, LinkState, Parked, Tally};
use syncline_core::{Side, Sides};

use super::Subject;
use super::fixture::{Engine, MAPPING, full_link, hint, link, link_id};
use crate::{LinkCount, Waiting};

pub(super) async fn lists_and_figures<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    assert!(ledger.figures().await.unwrap().is_empty());
    assert!(ledger.link_counts().await.unwrap().is_empty());
    assert!(ledger.waiting().await.unwrap().is_empty());
    let elsewhere = Link { mapping: MappingId(8), state: LinkState::Seen(Side::Left), ..link(4) };
    // It moved there from here.
    let behind = Link { state: LinkState::Ended, keys: Sides::default(), ..link(4) };
    engine
        .must(|changes| {
            changes.links.extend(
                [link(1), link(2), full_link(3), behind, elsewhere.clone()].map(LinkChange::Insert),
            );
            changes.hints.extend([hint("a", 70), hint("b", 30)]);
            changes.figures.extend([(Figure::Writes, 2), (Figure::EditsSeen, 3)]);
        })
        .await;
    engine.must(|changes| changes.figures.extend([(Figure::Writes, 40)])).await;
    let figures: Vec<_> = ledger.figures().await.unwrap().into_iter().collect();
    assert_eq!(figures, [(Figure::EditsSeen, 3), (Figure::Writes, 42)]);
    let mut counts = ledger.link_counts().await.unwrap();
    counts.sort();
    let count = |mapping, state, count| LinkCount { mapping, state, count };
    assert_eq!(
        counts,
        [
            count(MAPPING, "ended", 1),
            count(MAPPING, "linked", 2),
            count(MAPPING, "merged", 1),
            count(MappingId(8), "seen_left", 1),
        ]
    );
    let waiting = Waiting { system: "crm".into(), hints: 2, due: 30 };
    assert_eq!(ledger.waiting().await.unwrap(), [waiting]);
    assert_eq!(ledger.link(link_id(4)).await.unwrap(), Some(elsewhere));
    assert_eq!(ledger.link(link_id(2)).await.unwrap(), Some(link(2)));
    assert_eq!(ledger.link(link_id(9)).await.unwrap(), None);
}

pub(super) async fn counts_of_mappings_add_up<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    assert!(ledger.tallies().await.unwrap().is_empty());
    let tally = |toward, counted| Tally { mapping: MAPPING, toward, counted };
    let applied = tally(Some(Side::Left), Counted::Applied);
    let refused = tally(Some(Side::Right), Counted::Refused("invalid".into()));
    let asked = tally(None, Counted::Asked);
    engine
        .must(|changes| {
            changes.tallies.extend([(applied.clone(), 3), (asked.clone(), 1)]);
            // A commit that counts and does nothing else is none.
            changes.hints.push(hint("a", 70));
        })
        .await;
    engine
        .must(|changes| {
            changes.tallies.extend([(applied.clone(), 4), (refused.clone(), 2)]);
            changes.figures.push((Figure::Writes, 1));
            changes.hints.push(hint("b", 70));
        })
        .await;
    engine
        .refused(|changes| {
            changes.tallies.push((applied.clone(), 9));
            let gone = link(9);
            changes.links.push(super::fixture::update(&gone, gone.clone()));
        })
        .await;
    assert_eq!(ledger.tallies().await.unwrap(), [(asked, 1), (applied, 7), (refused, 2)]);
}

pub(super) async fn gaps_and_parked_records<L: Subject>(ledger: &L) {
    let engine = Engine::new(ledger).await;
    let gap = |noticed_at, closed_at| Gap {
        stream: "feed:ops".into(),
        reason: "the slot is gone".into(),
        noticed_at,
        closed_at,
    };
    engine.must(|changes| changes.gaps.extend([gap(1, None), gap(2, None)])).await;
    engine.must(|changes| changes.gaps.push(gap(1, Some(9)))).await;
    engine.must(|changes| changes.gaps.extend([gap(1, Some(12)), gap(1, None)])).await;
    assert_eq!(ledger.gaps().await.unwrap(), [gap(2, None)]);
    assert_eq!(ledger.all_gaps(9).await.unwrap(), [gap(2, None), gap(1, Some(9))]);

    let parked = |number, message: &str, at| Parked {
        mapping: MAPPING,
        link: link_id(number),
        side: Side::Right,
        kind: "rejected".into(),
        message: message.into(),
        advice: "mend it".into(),
        entry: link(1).last_entry,
        at,
        asked_again: false,
    };
    engine.must(|changes| changes.parked.extend([parked(1, "no", 5), parked(2, "no", 6)])).await;
    engine.must(|changes| changes.parked.push(parked(1, "still no", 7))).await;
    let list = ledger.parked(Some(MAPPING), 9).await.unwrap();
    assert_eq!(list, [parked(1, "still no", 7), parked(2, "no", 6)]);
    assert!(ledger.parked(Some(MappingId(8)), 9).await.unwrap().is_empty());
    engine.must(|changes| changes.unparked.push((MAPPING, link_id(1)))).await;
    assert_eq!(ledger.parked(None, 9).await.unwrap(), [parked(2, "no", 6)]);
    // Taken back and set aside again in one commit: it is set aside.
    engine
        .must(|changes| {
            changes.unparked.push((MAPPING, link_id(2)));
            changes.parked.push(parked(2, "again", 8));
        })
        .await;
    assert_eq!(ledger.parked(None, 9).await.unwrap(), [parked(2, "again", 8)]);
}
