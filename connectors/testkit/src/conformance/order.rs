//! The order of versions.

use syncline_sdk::{Version, VersionOrder};

use super::{Check, Outcome, Session, ensure};

pub(super) fn checks() -> Vec<Check> {
    super::list![|_| true;
        order_is_reflexive_and_antisymmetric,
        a_reading_after_a_change_is_not_older,
        a_reading_after_our_write_is_not_older_than_it,
    ]
}

fn turned(order: VersionOrder) -> VersionOrder {
    match order {
        VersionOrder::Older => VersionOrder::Newer,
        VersionOrder::Newer => VersionOrder::Older,
        same => same,
    }
}

pub(super) async fn order_is_reflexive_and_antisymmetric(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let mut versions = vec![Version::default()];
    for _ in 0..3 {
        let record = session.settled(&key).await?;
        versions.push(record.version.clone());
        let (write, _) = session.update_text(&record);
        versions.extend(session.apply(&write).await?.version);
        session.next_tick().await;
        session.edited(&key, &session.other_text()).await;
    }
    let connector = session.connector();
    for (at, a) in versions.iter().enumerate() {
        let own = connector.order(a, a);
        ensure!(own == VersionOrder::Same, "{a:?} and itself are {own:?}");
        for (later, b) in versions.iter().enumerate() {
            let (there, back) = (connector.order(a, b), connector.order(b, a));
            ensure!(turned(there) == back, "{a:?} to {b:?} is {there:?}, back it is {back:?}");
            // They were taken in this order.
            let backwards = at < later && there == VersionOrder::Newer;
            ensure!(!backwards, "{a:?}, taken before {b:?}, is said to be newer");
        }
        let none = connector.order(&Version::default(), a);
        ensure!(
            a.is_none() || none == VersionOrder::Older,
            "no version at all and {a:?} are {none:?}"
        );
    }
    Ok(())
}

pub(super) async fn a_reading_after_a_change_is_not_older(session: &Session<'_>) -> Outcome {
    let key = session.created().await;
    let before = session.settled(&key).await?;
    session.edited(&key, &session.text()).await;
    let after = session.record(&key).await?;
    let order = session.connector().order(&before.version, &after.version);
    ensure!(order == VersionOrder::Older, "before an edit and after it are {order:?}");
    Ok(())
}

pub(super) async fn a_reading_after_our_write_is_not_older_than_it(
    session: &Session<'_>,
) -> Outcome {
    let key = session.created().await;
    let record = session.settled(&key).await?;
    let (write, _) = session.update_text(&record);
    let written = session.apply(&write).await?.version;
    let after = session.record(&key).await?;
    let order = session.connector().order(&record.version, &after.version);
    ensure!(order == VersionOrder::Older, "before our write and after it are {order:?}");
    if let Some(written) = written {
        let order = session.connector().order(&written, &after.version);
        let fits = matches!(order, VersionOrder::Older | VersionOrder::Same);
        ensure!(fits, "our write and a reading after it are {order:?}");
    }
    Ok(())
}
