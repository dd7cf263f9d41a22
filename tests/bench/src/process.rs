//! Processor time of processes, from the kernel's own account.

use std::fs;

use anyhow::Context;

/// How many ticks the kernel counts in a second.
const TICKS_PER_SECOND: f64 = 100.0;

struct Account {
    parent: i32,
    own: u64,
    ended_children: u64,
}

fn account(pid: i32) -> anyhow::Result<Account> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    // The name of the program stands in parentheses and may contain anything.
    let (_, rest) = text.rsplit_once(')').with_context(|| path.clone())?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |at: usize| -> anyhow::Result<u64> {
        fields.get(at).context("too few fields")?.parse().with_context(|| path.clone())
    };
    Ok(Account {
        parent: fields.get(1).context("too few fields")?.parse()?,
        own: number(11)? + number(12)?,
        ended_children: number(13)? + number(14)?,
    })
}

/// Seconds of processor time that this process has used.
pub(crate) fn own_seconds() -> anyhow::Result<f64> {
    let account = account(i32::try_from(std::process::id())?)?;
    Ok(to_seconds(account.own))
}

/// Seconds of processor time that a Postgres cluster has used, all its processes together,
/// given one of its backends.
pub(crate) fn cluster_seconds(backend: i32) -> anyhow::Result<f64> {
    let postmaster = account(backend)?.parent;
    let top = account(postmaster)?;
    let mut ticks = top.own + top.ended_children;
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while we look.
        if let Ok(account) = account(pid)
            && account.parent == postmaster
        {
            ticks += account.own;
        }
    }
    Ok(to_seconds(ticks))
}

#[expect(clippy::cast_precision_loss, reason = "no process runs for 2^52 ticks")]
fn to_seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}
