//! What came of it, as one JSON object and in words.

use std::time::Duration;

use serde_json::{Map, Value, json};
use syncline_core::Side;
use syncline_core::model::Figure;

use super::gauges::Gauges;
use super::judge::{Rule, Verdict};
use super::latency::{Latency, Quantiles};

/// Violations that are shown.
const SAMPLES: usize = 20;

/// Everything that is reported.
pub(super) struct Report {
    /// What the demo was drawn from.
    pub seed: u64,
    /// What the judge says.
    pub verdict: Verdict,
    /// How the sync stood at the end.
    pub gauges: Gauges,
    /// How often the engine was killed.
    pub kills: u64,
    /// Calls of the CRM's API, by its own count.
    pub api_calls: u64,
    /// Times until the other side showed an edit.
    pub latency: Quantiles,
    /// The same by the side that had to show it.
    pub latency_to: [(Side, Quantiles); 2],
    /// Followed edits that the other side did not show for long.
    pub unseen: u64,
    /// From the kills to the first writes of the next engine.
    pub recovery: Quantiles,
    /// What else is wrong: it did not become quiet, the engine fell.
    pub faults: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// Kills that a demo must have survived.
const KILLS_MIN: u64 = 3;

impl Report {
    /// The quantiles of the latency, by side.
    pub fn by_side(latency: &Latency) -> [(Side, Quantiles); 2] {
        Side::BOTH.map(|side| (side, latency.to(side)))
    }

    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.verdict.violations.is_empty() && self.faults.is_empty() && self.kills >= KILLS_MIN
    }

    /// As JSON.
    pub fn json(&self) -> Map<String, Value> {
        let verdict = &self.verdict;
        let violations: Vec<String> = self
            .faults
            .iter()
            .cloned()
            .chain(verdict.violations.iter().map(ToString::to_string))
            .take(SAMPLES)
            .collect();
        let broken: Map<String, Value> = [Rule::V1, Rule::V2, Rule::V3, Rule::V5, Rule::V6]
            .into_iter()
            .map(|rule| (rule.to_string(), verdict.count(rule).into()))
            .collect();
        let fields = json!({
            "seed": self.seed,
            "holds": self.holds(),
            "human_edits": verdict.human_edits,
            "sync_writes": verdict.sync_writes,
            "lost_edits": verdict.count(Rule::V2),
            "duplicates": verdict.count(Rule::V5),
            "invented": verdict.count(Rule::V3),
            "echoes_suppressed": self.gauges.figure(Figure::Echoes),
            "conflicts_open": verdict.conflicts_open,
            "converged": verdict.count(Rule::V1) == 0,
            "recovery_ms": quantiles(self.recovery),
            "latency_ms": quantiles(self.latency),
            "latency_to_crm_ms": quantiles(self.latency_to[0].1),
            "latency_to_ops_ms": quantiles(self.latency_to[1].1),
            "latency_unseen": self.unseen,
            "api_calls": self.api_calls,
            "kills": self.kills,
            "blind_overwrites": verdict.blind_overwrites,
            "broken": broken,
            "violations": violations,
            "seconds": self.took.as_secs(),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// In words.
    pub fn words(&self) -> Vec<String> {
        let verdict = &self.verdict;
        let mut lines = vec![
            format!(
                "{} edits of people, {} writes of the sync, {} questions for people",
                verdict.human_edits, verdict.sync_writes, verdict.conflicts_open
            ),
            format!(
                "lost {}, duplicated {}, invented {}, {}",
                verdict.count(Rule::V2),
                verdict.count(Rule::V5),
                verdict.count(Rule::V3),
                if verdict.count(Rule::V1) == 0 { "converged" } else { "not converged" },
            ),
            format!(
                "latency: ops to CRM {}; CRM to ops {}",
                words(self.latency_to[0].1),
                words(self.latency_to[1].1),
            ),
            format!(
                "{} kills with -9, the next engine wrote after {}; {} API calls in all",
                self.kills,
                words(self.recovery),
                self.api_calls
            ),
        ];
        let violations = verdict.violations.iter().map(ToString::to_string);
        let found = self.faults.iter().cloned().chain(violations);
        lines.extend(found.take(SAMPLES).map(|what| format!("  {what}")));
        lines.push(format!(
            "seed {}: {}",
            self.seed,
            if self.holds() { "everything holds" } else { "NOT everything holds" }
        ));
        lines
    }
}

fn quantiles(quantiles: Quantiles) -> Value {
    let ms = |time: Option<Duration>| time.map(|time| u64::try_from(time.as_millis()).ok());
    json!({ "p50": ms(quantiles.p50).flatten(), "p99": ms(quantiles.p99).flatten() })
}

/// `p50 31 ms, p99 1.2 s`
pub(super) fn words(quantiles: Quantiles) -> String {
    let time = |time: Option<Duration>| match time {
        None => "-".to_owned(),
        Some(time) if time < Duration::from_secs(1) => format!("{} ms", time.as_millis()),
        Some(time) => format!("{:.1} s", time.as_secs_f64()),
    };
    format!("p50 {}, p99 {}", time(quantiles.p50), time(quantiles.p99))
}
