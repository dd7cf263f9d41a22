//! What a run of the suite found.

/// What a run of the suite found.
#[derive(Debug, Default)]
pub struct Report {
    /// The checks that held.
    pub held: Vec<&'static str>,
    /// The checks that did not apply, with the reason.
    pub skipped: Vec<(&'static str, &'static str)>,
    /// The checks that did not hold, with what was found.
    pub broken: Vec<(&'static str, String)>,
}

impl Report {
    /// Fails the test unless every check held or did not apply, and at least so many held.
    ///
    /// # Panics
    /// With all that was found broken.
    pub fn expect_held(&self, least: usize) {
        let broken: Vec<String> =
            self.broken.iter().map(|(name, found)| format!("  {name}: {found}")).collect();
        assert!(
            broken.is_empty(),
            "promises of the connector contract are broken:\n{}",
            broken.join("\n")
        );
        assert!(
            self.held.len() >= least,
            "only {} checks held, {least} expected; skipped: {:?}",
            self.held.len(),
            self.skipped
        );
    }
}
