//! Waiting for states of the whole.

use std::time::Duration;

use anyhow::bail;
use syncline_core::Sides;

use super::evidence::last_seqs;
use super::gauges::{Gauges, has_open_batches};
use super::seeds::count;
use super::stage::Stage;
use super::time::{now, pause};
use super::world::Kind;

/// How long the first load may take.
const LOAD_LIMIT: Duration = Duration::from_secs(180);
/// How long the sync may take after the last edit.
const QUIET_LIMIT: Duration = Duration::from_secs(180);
/// How long nothing must have been written: above the poll interval and the lag of the CRM.
const CALM: Duration = Duration::from_secs(8);
/// How long it is watched after that for a write that nothing asked for.
const WATCH: Duration = Duration::from_secs(4);
const LOOK: Duration = Duration::from_millis(250);

/// Waits until every seed is on both sides.
pub(super) async fn loaded(stage: &Stage) -> anyhow::Result<()> {
    let begun = now();
    loop {
        let mut there = Sides { left: 0, right: 0 };
        let mut wanted = 0;
        for kind in Kind::ALL {
            there.left += stage.crm.keys(kind).await?.len();
            there.right += stage.ops.keys(kind).await?.len();
            wanted += count(kind);
        }
        if there.left >= wanted && there.right >= wanted {
            return Ok(());
        }
        if let Some(fallen) = stage.engine.look().fallen {
            bail!("{fallen}; its log is {}", stage.engine_log().display());
        }
        if now().duration_since(begun) > LOAD_LIMIT {
            bail!(
                "the first load did not end within {} s: {} of {wanted} records are left and {} \
                 right; the engine's log is {}",
                LOAD_LIMIT.as_secs(),
                there.left,
                there.right,
                stage.engine_log().display()
            );
        }
        pause(LOOK).await;
    }
}

/// How it became quiet.
#[derive(Clone, Debug)]
pub(super) struct Quiet {
    /// The last event of each side then.
    pub last: Sides<u64>,
    /// What was still going on when the limit was reached, if it was.
    pub noise: Option<String>,
}

/// Waits until nothing is due, nothing is under way, and nobody has written for a while; and then
/// a little longer, in which nothing may be written.
pub(super) async fn quiet(stage: &Stage) -> anyhow::Result<Quiet> {
    let begun = now();
    let mut last = last_seqs(&stage.crm, &stage.ops).await?;
    let mut calm_since = now();
    loop {
        pause(LOOK).await;
        let seen = last_seqs(&stage.crm, &stage.ops).await?;
        let gauges = Gauges::read(&stage.ledger).await?;
        let is_open = has_open_batches(&stage.ledger).await?;
        let is_written = seen != last;
        last = seen;
        if is_written || is_open || gauges.is_due {
            calm_since = now();
        }
        if now().duration_since(calm_since) >= CALM {
            pause(WATCH).await;
            return Ok(Quiet { last, noise: None });
        }
        if now().duration_since(begun) > QUIET_LIMIT {
            let what = [
                (is_written, "there were writes"),
                (is_open, "batches were under way"),
                (gauges.is_due, "records waited to be read"),
            ];
            let what: Vec<&str> =
                what.iter().filter(|(is, _)| *is).map(|(_, words)| *words).collect();
            let noise = format!(
                "not quiet {} s after the last edit: {}",
                QUIET_LIMIT.as_secs(),
                what.join(", ")
            );
            return Ok(Quiet { last, noise: Some(noise) });
        }
    }
}
