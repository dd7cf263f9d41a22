//! How a command that stays is asked to end.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Waits until the process is asked to end: by Ctrl-C, or by the signal that service managers
/// send.
///
/// # Errors
/// When the signals cannot be listened to.
pub async fn ended() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be listened to")?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed.context("signals cannot be listened to"),
        _ = terminate.recv() => Ok(()),
    }
}
