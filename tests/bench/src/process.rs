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

/// Seconds of processor time that a process has used.
pub(crate) fn seconds(pid: i32) -> anyhow::Result<f64> {
    Ok(to_seconds(account(pid)?.own))
}

/// Whether a process has ended; one that only waits to be taken note of has.
pub(crate) fn has_ended(pid: i32) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    matches!(state, Some('Z' | 'X'))
}

/// The most memory that a process has held at a time, in megabytes.
pub(crate) fn peak_megabytes(pid: i32) -> anyhow::Result<f64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| path.clone())?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = line
        .and_then(|line| line.split_whitespace().next())
        .context("no VmHWM")?
        .parse()
        .with_context(|| path.clone())?;
    Ok(kilobytes / 1024.0)
}

/// How many processes wanted to run at a time, on average over the last minute.
pub(crate) fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

/// Seconds of processor time that a Postgres cluster has used, all its processes together,
/// given one of its backends.
pub(crate) fn cluster_seconds(backend: i32) -> anyhow::Result<f64> {
    postmaster_seconds(account(backend)?.parent)
}

/// Seconds of processor time that a Postgres cluster has used, given its first process.
pub(crate) fn postmaster_seconds(postmaster: i32) -> anyhow::Result<f64> {
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
