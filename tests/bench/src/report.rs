//! The table, or the JSON document.

use serde::Serialize;

/// A target.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
}

/// One figure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Measured {
    /// What was measured.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
    /// What is built for, where there is a target.
    pub target: Option<Target>,
    /// Whether it is reached.
    pub reached: Option<bool>,
}

impl Measured {
    /// A figure without a target.
    #[must_use]
    pub fn new(what: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self { what: what.into(), value, unit, target: None, reached: None }
    }
    /// With a target.
    #[must_use]
    pub fn beside(self, target: Target) -> Self {
        let reached = match target {
            Target::AtMost(most) => self.value <= most,
            Target::AtLeast(least) => self.value >= least,
        };
        Self { target: Some(target), reached: Some(reached), ..self }
    }
}

/// Prints what was measured as a table, under its conditions.
#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
pub fn print(conditions: &str, measured: &[Measured]) {
    println!("# {conditions}");
    for row in measured {
        let target = match row.target {
            None => String::new(),
            Some(Target::AtMost(most)) => format!("at most {most}"),
            Some(Target::AtLeast(least)) => format!("at least {least}"),
        };
        let verdict = match row.reached {
            Some(false) => "MISSED",
            _ => "",
        };
        let line = format!(
            "{:WIDTH$}  {:>12.2} {:<6} {target:<16} {verdict}",
            row.what, row.value, row.unit
        );
        println!("{}", line.trim_end());
    }
}

/// Prints what was measured as one JSON document.
///
/// # Errors
/// When it cannot be written as JSON.
#[expect(clippy::print_stdout, reason = "printing is what this program is for")]
pub fn print_json(measured: &[Measured]) -> anyhow::Result<()> {
    let document = serde_json::json!({
        "version": 1,
        "load_average": crate::process::load_average(),
        "measured": measured,
    });
    println!("{}", serde_json::to_string(&document)?);
    Ok(())
}

/// The width of the first column.
const WIDTH: usize = 60;
