//! The live view: a few lines at the terminal, drawn again four times a second.

use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use syncline_core::Side;
use syncline_core::model::Figure;

use super::engine::EngineState;
use super::farewell::program;
use super::gauges::Gauges;
use super::player::Players;
use super::report::words;
use super::stage::Stage;
use super::time::{now, pause};

const REFRESH: Duration = Duration::from_millis(250);
/// Without a terminal a line now and then tells that it goes on.
const REFRESH_PLAIN: Duration = Duration::from_secs(5);
const BAR: u64 = 30;
/// What there is to see.
const INTRO: [&str; 4] = [
    "A simulated CRM and a Postgres database hold the same accounts and contacts.",
    "People edit both, at times the same field at once. Syncline keeps them in",
    "agreement, and is killed with kill -9 now and then.",
    "",
];

/// What the demo is doing, for those who watch.
#[derive(Debug)]
pub(super) struct Progress {
    seed: u64,
    style: Style,
    begun: Instant,
    planned: AtomicU64,
    phase: Mutex<String>,
    note: Mutex<String>,
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
        Self {
            seed,
            style,
            begun: now(),
            planned: AtomicU64::new(0),
            phase: Mutex::default(),
            note: Mutex::default(),
        }
    }

    /// Tells what there is to see.
    pub fn intro(&self) {
        if self.style != Style::Quiet {
            INTRO.iter().for_each(|line| say(line));
        }
    }

    /// Tells what is begun.
    pub fn phase(&self, words: &str) {
        if let Ok(mut phase) = self.phase.lock() {
            words.clone_into(&mut phase);
        }
        self.tell(words);
    }

    /// Tells what happened.
    pub fn note(&self, words: &str) {
        if let Ok(mut note) = self.note.lock() {
            *note = format!("At {} s {words}.", self.begun.elapsed().as_secs());
        }
        self.tell(words);
    }

    fn tell(&self, words: &str) {
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

    fn shown_note(&self) -> String {
        self.note.lock().map(|note| note.clone()).unwrap_or_default()
    }

    fn shown_phase(&self) -> String {
        self.phase.lock().map(|phase| phase.clone()).unwrap_or_default()
    }
}

/// The cursor is hidden while this lives, and long lines are cut at the terminal's edge.
struct Cursor;

impl Cursor {
    fn hide() -> Self {
        say("\x1b[?25l\x1b[?7l");
        Self
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        say("\x1b[?7h\x1b[?25h");
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
    let program = program();
    let mut drawn = 0;
    let mut gauges = Gauges::default();
    loop {
        // Between a kill and the next start the ledger answers as before; it is no part of the
        // engine.
        if let Ok(read) = Gauges::read(&stage.ledger).await {
            gauges = read;
        }
        let troubles = stage.engine.troubles().await.join("; ");
        if progress.style == Style::Terminal {
            let lines = lines(progress, &gauges, players, stage, (&troubles, &program));
            draw(&lines, drawn);
            drawn = lines.len();
        } else {
            let engine = stage.engine.look();
            let why = down_words(&engine).unwrap_or(troubles);
            let why = if why.is_empty() { why } else { format!("  ({why})") };
            say(&format!("{}{why}", line(progress, &gauges, players, &engine)));
        }
        pause(pace).await;
    }
}

fn lines(
    progress: &Progress,
    gauges: &Gauges,
    players: &Players,
    stage: &Stage,
    (troubles, program): (&str, &str),
) -> Vec<String> {
    let seconds = progress.took().as_secs();
    let (saves, planned) = (players.saves(), progress.planned.load(Ordering::Relaxed));
    let engine = stage.engine.look();
    let mut lines = vec![
        format!(
            "\x1b[1msyncline demo\x1b[0m   crm ⇄ ops   seed {}   {:02}:{:02}",
            progress.seed,
            seconds / 60,
            seconds % 60
        ),
        format!("\x1b[2m{}\x1b[0m", progress.shown_phase()),
        String::new(),
        format!("  people    {}  {saves} of {planned} edits", bar(saves, planned)),
        format!("  engine    {}", engine_words(&engine)),
        // Always there, so that as many lines are drawn each time.
        if troubles.is_empty() { String::new() } else { format!("            {troubles}") },
    ];
    lines.extend(gauge_lines(gauges));
    lines.extend([
        String::new(),
        format!("  latency   ops to crm   {}", words(players.latency.to(Side::Left))),
        format!("            crm to ops   {}", words(players.latency.to(Side::Right))),
        String::new(),
        "\x1b[2m  held: both sides changed it, a person decides. In another terminal:".to_owned(),
        format!("    cd {}", stage.folder().display()),
        format!("    {program} conflicts list\x1b[0m"),
        String::new(),
        format!("\x1b[2m  {}", progress.shown_note()),
        "  Figures: the ledger. Latency: the people. Ctrl-C ends it.\x1b[0m".to_owned(),
    ]);
    lines
}

fn gauge_lines(gauges: &Gauges) -> [String; 2] {
    let figure = |figure| gauges.figure(figure);
    [
        format!(
            "  linked    {:>7}     edits seen  {:>7}     held     {:>7}",
            gauges.linked,
            figure(Figure::EditsSeen),
            gauges.held
        ),
        format!(
            "  waiting   {:>7}     writes      {:>7}     echoes   {:>7}",
            gauges.waiting,
            figure(Figure::Writes),
            figure(Figure::Echoes)
        ),
    ]
}

/// Why the engine is down; nothing while it is up.
fn down_words(engine: &EngineState) -> Option<String> {
    match (engine.pid, &engine.fallen) {
        (Some(_), _) => None,
        (None, Some(fallen)) => Some(format!("down: {fallen}; engine.log says why")),
        (None, None) if engine.changing => Some("down: it is being started".to_owned()),
        (None, None) => Some("not started yet".to_owned()),
    }
}

fn engine_words(engine: &EngineState) -> String {
    let state = match (engine.pid, down_words(engine)) {
        (Some(pid), _) => format!("\x1b[32m●\x1b[0m pid {pid}, up {} s", engine.up.as_secs()),
        (None, why) => format!("\x1b[31m●\x1b[0m {}", why.unwrap_or_default()),
    };
    match engine.recovery {
        None => format!("{state}   killed with -9: {}", engine.kills),
        Some(time) => {
            let seconds = time.as_secs_f64();
            format!("{state}   killed with -9: {}, wrote again in {seconds:.1} s", engine.kills)
        }
    }
}

/// The last figures, for those who ended it.
pub(super) async fn figures(stage: &Stage, players: &Players) -> Vec<String> {
    let Ok(gauges) = Gauges::read(&stage.ledger).await else {
        return Vec::new();
    };
    let engine = stage.engine.look();
    vec![
        format!(
            "{} edits of people, {} writes of the sync, {} questions for people, {} kills with -9",
            players.saves(),
            gauges.figure(Figure::Writes),
            gauges.held,
            engine.kills
        ),
        format!(
            "latency: ops to CRM {}; CRM to ops {}",
            words(players.latency.to(Side::Left)),
            words(players.latency.to(Side::Right))
        ),
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
