//! The live view: a few lines at the terminal, drawn again four times a second.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use syncline_core::Side;
use syncline_core::model::Figure;

use super::engine::EngineState;
use super::gauges::Gauges;
use super::player::Players;
use super::report::words;
use super::stage::Stage;
use super::time::{now, pause};

const REFRESH: Duration = Duration::from_millis(250);
/// Without a terminal a line now and then tells that it goes on.
const REFRESH_PLAIN: Duration = Duration::from_secs(5);
const BAR: u64 = 30;

/// What the demo is doing, for those who watch.
#[derive(Debug)]
pub(super) struct Progress {
    seed: u64,
    style: Style,
    begun: Instant,
    planned: AtomicU64,
    phase: Mutex<String>,
}

/// How it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Style {
    /// Drawn again and again.
    Terminal,
    /// A line now and then, to standard output.
    Lines,
    /// What is begun, to standard error: standard output is for the answer alone.
    Quiet,
}

impl Progress {
    /// A demo that begins now.
    pub fn new(seed: u64, style: Style) -> Self {
        Self { seed, style, begun: now(), planned: AtomicU64::new(0), phase: Mutex::default() }
    }

    /// Tells what is begun.
    pub fn phase(&self, words: &str) {
        if let Ok(mut phase) = self.phase.lock() {
            words.clone_into(&mut phase);
        }
        match self.style {
            Style::Terminal => {}
            Style::Lines => say(&format!("{:>4} s  {words}", self.begun.elapsed().as_secs())),
            Style::Quiet => {
                let line = format!("demo: {words} (seed {})\n", self.seed);
                let _ = std::io::stderr().lock().write_all(line.as_bytes());
            }
        }
    }

    /// Tells how many more saves are planned.
    pub fn plan(&self, saves: u64) {
        self.planned.fetch_add(saves, Ordering::Relaxed);
    }

    /// How long it has taken.
    pub fn took(&self) -> Duration {
        now().duration_since(self.begun)
    }

    fn shown_phase(&self) -> String {
        self.phase.lock().map(|phase| phase.clone()).unwrap_or_default()
    }
}

/// The cursor is hidden while this lives.
struct Cursor;

impl Cursor {
    fn hide() -> Self {
        say("\x1b[?25l");
        Self
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        say("\x1b[?25h");
    }
}

/// Draws until it is dropped.
pub(super) async fn show(progress: &Progress, stage: &Stage, players: &Players) {
    let pace = match progress.style {
        Style::Terminal => REFRESH,
        Style::Lines => REFRESH_PLAIN,
        Style::Quiet => return std::future::pending().await,
    };
    let _cursor = (progress.style == Style::Terminal).then(Cursor::hide);
    let mut drawn = 0;
    let mut gauges = Gauges::default();
    loop {
        // Between a kill and the next start the ledger answers as before; it is no part of the
        // engine.
        if let Ok(read) = Gauges::read(&stage.ledger).await {
            gauges = read;
        }
        let engine = stage.engine.look();
        if progress.style == Style::Terminal {
            let lines = lines(progress, &gauges, players, &engine);
            draw(&lines, drawn);
            drawn = lines.len();
        } else {
            say(&line(progress, &gauges, players, &engine));
        }
        pause(pace).await;
    }
}

fn lines(
    progress: &Progress,
    gauges: &Gauges,
    players: &Players,
    engine: &EngineState,
) -> Vec<String> {
    let seconds = progress.took().as_secs();
    let (saves, planned) = (players.saves(), progress.planned.load(Ordering::Relaxed));
    let figure = |figure| gauges.figure(figure);
    let engine_words = match engine.pid {
        Some(pid) => format!("\x1b[32m●\x1b[0m pid {pid}, up {} s", engine.up.as_secs()),
        None => "\x1b[31m●\x1b[0m down".to_owned(),
    };
    vec![
        format!(
            "\x1b[1msyncline demo\x1b[0m   crm ⇄ ops   seed {}   {:02}:{:02}   {}",
            progress.seed,
            seconds / 60,
            seconds % 60,
            progress.shown_phase()
        ),
        String::new(),
        format!("  people      {} {saves} of {planned} edits", bar(saves, planned)),
        format!("  engine      {engine_words}, killed {} times", engine.kills),
        String::new(),
        format!(
            "  linked      {:>7}     edits seen  {:>7}     held     {:>7}",
            gauges.linked,
            figure(Figure::EditsSeen),
            gauges.held
        ),
        format!(
            "  waiting     {:>7}     writes      {:>7}     echoes   {:>7}",
            gauges.waiting,
            figure(Figure::Writes),
            figure(Figure::Echoes)
        ),
        String::new(),
        format!("  latency     to crm  {}", words(players.latency.to(Side::Left))),
        format!("              to ops  {}", words(players.latency.to(Side::Right))),
        String::new(),
        "\x1b[2m  figures: the ledger; latency: the players; Ctrl-C ends it\x1b[0m".to_owned(),
    ]
}

fn bar(done: u64, all: u64) -> String {
    let full = (done * BAR).checked_div(all).unwrap_or(0).min(BAR);
    let part = |count: u64, of: &str| of.repeat(usize::try_from(count).unwrap_or_default());
    format!("\x1b[36m{}\x1b[2m{}\x1b[0m", part(full, "━"), part(BAR - full, "━"))
}

fn line(progress: &Progress, gauges: &Gauges, players: &Players, engine: &EngineState) -> String {
    format!(
        "{:>4} s  edits {}  linked {}  seen {}  writes {}  echoes {}  held {}  kills {}  \
         latency {}",
        progress.took().as_secs(),
        players.saves(),
        gauges.linked,
        gauges.figure(Figure::EditsSeen),
        gauges.figure(Figure::Writes),
        gauges.figure(Figure::Echoes),
        gauges.held,
        engine.kills,
        words(players.latency.of_all())
    )
}

/// Draws the lines over those drawn before.
fn draw(lines: &[String], drawn: usize) {
    let mut text = String::new();
    if drawn > 0 {
        text.push_str(&format!("\x1b[{drawn}A"));
    }
    for line in lines {
        text.push_str("\r\x1b[2K");
        text.push_str(line);
        text.push('\n');
    }
    let mut out = std::io::stdout().lock();
    // A terminal that went away is no error of ours.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let end = if text.starts_with('\x1b') { "" } else { "\n" };
    let _ = write!(out, "{text}{end}").and_then(|()| out.flush());
}
