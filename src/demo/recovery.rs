//! Kills, and how long nothing is carried over after each.

use std::time::Duration;

use syncline_core::Sides;

use super::evidence::last_seqs;
use super::stage::Stage;
use super::time::{now, pause};
use super::view::Progress;

/// How long the first write of a new engine is waited for. Without an edit there is none.
const WRITE_LIMIT: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_millis(10);

/// Kills the engine with signal 9, starts the next one, and notes how long it took from the kill
/// until that one had written to either system.
pub(super) async fn kill(stage: &Stage, progress: &Progress) -> anyhow::Result<()> {
    let begun = now();
    stage.engine.kill_and_start().await?;
    // What the killed one had under way has arrived by now.
    let since = last_seqs(&stage.crm, &stage.ops).await?;
    while !has_written(stage, since).await? {
        if now().duration_since(begun) > WRITE_LIMIT {
            progress.note("the engine was killed with -9; nothing was to be written since");
            return Ok(());
        }
        pause(LOOK).await;
    }
    let time = now().duration_since(begun);
    stage.engine.note_recovery(time);
    let seconds = time.as_secs_f64();
    progress
        .note(&format!("the engine was killed with -9; the next one wrote after {seconds:.1} s"));
    Ok(())
}

async fn has_written(stage: &Stage, since: Sides<u64>) -> anyhow::Result<bool> {
    let entries = stage.crm.history_since(since.left).await?;
    let is_ours = entries.iter().any(|entry| entry.user == stage.crm.integration_user);
    Ok(is_ours || stage.ops.is_written_since(since.right).await?)
}
