//! `syncline-simulation`: plays many seeded runs and says what failed.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context as _;
use clap::Parser;
use syncline_simulation::shrink::shrink;
use syncline_simulation::{Coverage, Outcome, Wanted, run};

/// Plays seeded histories of two systems with faults, and judges each.
#[derive(Parser)]
#[command(name = "syncline-simulation")]
struct Arguments {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many runs, each with the next seed.
    #[arg(long, default_value_t = 1_000)]
    runs: u64,
    /// The kinds of both systems, as LEFT or LEFT:RIGHT; without it each seed draws its own.
    #[arg(long, default_value = "")]
    profile: String,
    /// Prints the whole trace of a run that failed, and of a single run.
    #[arg(long)]
    trace: bool,
    /// Makes a failed run as small as possible before it is printed.
    #[arg(long)]
    shrink: bool,
    /// Goes on after a failure, to count how many runs fail.
    #[arg(long)]
    keep_going: bool,
    /// Nobody makes the same record on both sides one after the other: plays seeds that were
    /// noted before that was possible.
    #[arg(long)]
    no_twins: bool,
    /// No rules of fields beyond direction and owner: plays seeds that were noted before there
    /// were any.
    #[arg(long)]
    no_rules: bool,
    /// No sweeps: plays seeds that were noted before there were any.
    #[arg(long)]
    no_sweeps: bool,
    /// No counters and sets: plays seeds that were noted before there were any.
    #[arg(long)]
    no_merges: bool,
    /// No changes of a mapping: plays seeds that were noted before there were any.
    #[arg(long)]
    no_changes: bool,
    /// No processes that only observe: plays seeds that were noted before there were any.
    #[arg(long)]
    no_modes: bool,
    /// No histories that are asked, and no systems without conditional writes: plays seeds that
    /// were noted before there were any.
    #[arg(long)]
    no_histories: bool,
    /// No filters: plays seeds that were noted before there were any.
    #[arg(long)]
    no_filters: bool,
    /// How many threads play runs.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let profiles = match arguments.profile.split_once(':') {
        Some((left, right)) => [left.to_owned(), right.to_owned()],
        None => [arguments.profile.clone(), arguments.profile.clone()],
    };
    let mut out = std::io::stdout().lock();
    #[expect(
        clippy::disallowed_methods,
        reason = "the speed that is printed is that of the wall clock"
    )]
    let began = Instant::now();
    let played = play(&arguments, &profiles);
    let seconds = began.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = played.runs as f64 / seconds.max(0.001);
    writeln!(out, "{} histories in {seconds:.1} s, {rate:.0} a second", played.runs)?;
    for (what, times) in played.coverage.iter() {
        writeln!(out, "  {times:>12}  {what}")?;
    }
    let mut by_invariant: std::collections::BTreeMap<&str, Vec<u64>> = Default::default();
    for (seed, outcome) in &played.failed {
        by_invariant.entry(outcome.violations[0].invariant).or_default().push(*seed);
    }
    for (invariant, seeds) in &by_invariant {
        writeln!(out, "{invariant}: {} runs, seeds {seeds:?}", seeds.len())?;
    }
    if let Some((seed, outcome)) = played.failed.first() {
        report(&mut out, &arguments, &profiles, *seed, outcome)?;
        return Ok(ExitCode::FAILURE);
    }
    let missing = played.coverage.missing();
    if arguments.runs >= 20_000
        && arguments.profile.is_empty()
        && !arguments.no_twins
        && !arguments.no_rules
        && !arguments.no_sweeps
        && !arguments.no_merges
        && !arguments.no_changes
        && !arguments.no_modes
        && !arguments.no_histories
        && !arguments.no_filters
        && !missing.is_empty()
    {
        writeln!(out, "these never happened, so the runs prove less than they say: {missing:?}")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Default)]
struct Played {
    runs: u64,
    coverage: Coverage,
    failed: Vec<(u64, Outcome)>,
}

/// Plays all runs, on as many threads as there are cores.
fn play(arguments: &Arguments, profiles: &[String; 2]) -> Played {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = if arguments.threads == 0 { cores } else { arguments.threads } as u64;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut played = Played::default();
    let play_share = |share: u64| {
        let mut played = Played::default();
        let mut seed = arguments.seed + share;
        while seed < arguments.seed + arguments.runs {
            if stop.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            let wanted = wanted(arguments, profiles, seed);
            let outcome = run(&wanted);
            played.runs += 1;
            played.coverage.append(&outcome.coverage);
            if !outcome.violations.is_empty() {
                played.failed.push((seed, outcome));
                if !arguments.keep_going {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            }
            seed += threads;
        }
        played
    };
    let play_share = &play_share;
    std::thread::scope(|scope| {
        let handles: Vec<_> =
            (0..threads).map(|share| scope.spawn(move || play_share(share))).collect();
        for handle in handles {
            if let Ok(share) = handle.join() {
                played.runs += share.runs;
                played.coverage.append(&share.coverage);
                played.failed.extend(share.failed);
            }
        }
    });
    played.failed.sort_by_key(|(seed, _)| *seed);
    played
}

fn wanted(arguments: &Arguments, profiles: &[String; 2], seed: u64) -> Wanted {
    Wanted {
        seed,
        profiles: profiles.clone(),
        traced: false,
        twins: !arguments.no_twins,
        rules: !arguments.no_rules,
        sweeps: !arguments.no_sweeps,
        merges: !arguments.no_merges,
        changes: !arguments.no_changes,
        modes: !arguments.no_modes,
        histories: !arguments.no_histories,
        filters: !arguments.no_filters,
        steps: None,
    }
}

fn report(
    out: &mut impl std::io::Write,
    arguments: &Arguments,
    profiles: &[String; 2],
    seed: u64,
    outcome: &Outcome,
) -> anyhow::Result<()> {
    let wanted = Wanted { traced: true, ..wanted(arguments, profiles, seed) };
    let replayed = run(&wanted);
    let shown = if arguments.shrink { shrink(&wanted, outcome).1 } else { replayed };
    let lines = &shown.trace;
    let from = if arguments.trace { 0 } else { lines.len().saturating_sub(60) };
    for line in &lines[from..] {
        writeln!(out, "{line}").context("the trace cannot be printed")?;
    }
    writeln!(out, "seed {seed}: {}", shown.plan)?;
    for found in &shown.violations {
        writeln!(out, "seed {seed} violates {}: {}", found.invariant, found.what)?;
    }
    let profile = if arguments.profile.is_empty() {
        String::new()
    } else {
        format!(" --profile {}", arguments.profile)
    };
    let without = [
        (arguments.no_twins, " --no-twins"),
        (arguments.no_rules, " --no-rules"),
        (arguments.no_sweeps, " --no-sweeps"),
        (arguments.no_merges, " --no-merges"),
        (arguments.no_changes, " --no-changes"),
        (arguments.no_modes, " --no-modes"),
        (arguments.no_histories, " --no-histories"),
        (arguments.no_filters, " --no-filters"),
    ];
    let without = without.iter().filter(|(without, _)| *without).map(|(_, flag)| *flag);
    let without: String = without.collect();
    writeln!(
        out,
        "replay: syncline-simulation --seed {seed} --runs 1{profile}{without} --trace --shrink"
    )?;
    Ok(())
}
