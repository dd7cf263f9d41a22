//! Calls that meet the same lock.

use std::sync::Arc;
use std::time::Duration;

use salesforce_sim::{Fault, FaultAction, Id, Selector};
use syncline_sdk::{Connector, FieldName, Selection, Value, Write};

use crate::script::cx;
use crate::world::{World, insert, word};

/// A parent, and what makes a child of it.
async fn children(world: &World) -> (Id, impl Fn(&str) -> Write) {
    let parent = world.made("Parent").await;
    let selection = Arc::new(Selection {
        entity: "Contact".into(),
        fields: ["LastName", "AccountId"].map(FieldName::new).into(),
        ..(*world.selection).clone()
    });
    let child = move |name: &str| {
        let values = [("LastName", Value::from(name)), ("AccountId", parent.as_str().into())];
        Write { selection: selection.clone(), ..world.write(insert(&values)) }
    };
    (parent, child)
}

#[tokio::test]
async fn children_of_a_locked_parent_are_retried_one_call_after_the_other() {
    let world = World::start().await;
    let (_, child) = children(&world).await;
    let (one, other) = (child("One"), child("Other"));
    // Each save is open longer than another one waits for its parent's lock.
    let late = || Fault {
        on: Selector { kind: Some("collections_create".into()), ..Selector::default() },
        skip: 0,
        count: Some(2),
        action: FaultAction::CommitLate { ms: 300 },
    };
    world.org.add_fault(late());
    let (first, second) = tokio::join!(world.push(&one), world.push(&other));
    let mut words = [word(&first), word(&second)];
    words.sort_unstable();
    assert_eq!(words, ["applied", "busy"], "side by side one is refused");
    // From now on it is known that they meet: the second call waits for the first.
    let (third, again) = (child("Third"), if word(&first) == "busy" { &one } else { &other });
    world.org.clear_faults();
    world.org.add_fault(late());
    let (third, again) = tokio::join!(world.push(&third), world.push(again));
    assert_eq!([word(&third), word(&again)], ["applied", "applied"]);
}

#[tokio::test]
async fn a_call_that_waited_for_another_of_ours_until_its_time_was_up_is_busy() {
    let world = World::start().await;
    let (parent, child) = children(&world).await;
    world.org.lock_row(parent, 60_000);
    assert_eq!(word(&world.push(&child("First")).await), "busy");
    world.org.unlock_rows();
    // The lock is known: the second call waits for the first.
    world.org.add_fault(Fault {
        on: Selector { kind: Some("collections_create".into()), ..Selector::default() },
        skip: 0,
        count: Some(1),
        action: FaultAction::CommitLate { ms: 400 },
    });
    let (long, short) = (child("Long"), world.batch(vec![child("Short")]));
    let hurried = syncline_sdk::Context { timeout: Duration::from_millis(100), ..cx() };
    let (long, short) = tokio::join!(world.push(&long), world.crm.push(&hurried, short));
    assert_eq!(word(&long), "applied");
    assert_eq!(word(&short.unwrap()[0]), "busy");
}
