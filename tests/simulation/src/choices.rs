//! Choices: everything that a run decides, drawn from a seed and written down.
//!
//! The choices of a run are kept step by step. A replayed run draws them from the list instead
//! of the generator; whatever the list does not say is 0, which always means the harmless thing.
//! Leaving steps out, or lowering numbers, therefore gives a smaller run of the same kind.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What was chosen, step by step.
pub type Steps = Vec<Vec<u32>>;

/// Where choices come from.
enum Source {
    Seed(Box<StdRng>),
    List(Steps),
}

/// Draws choices and writes them down.
pub struct Choices {
    source: Source,
    taken: Steps,
    place: usize,
}

impl Choices {
    /// Choices drawn from a seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let source = Source::Seed(Box::new(StdRng::seed_from_u64(seed)));
        Self { source, taken: vec![Vec::new()], place: 0 }
    }
    /// Choices made before.
    #[must_use]
    pub fn listed(steps: Steps) -> Self {
        Self { source: Source::List(steps), taken: vec![Vec::new()], place: 0 }
    }
    /// Begins a step. False when a list has no more of them.
    pub fn step(&mut self) -> bool {
        self.taken.push(Vec::new());
        self.place = 0;
        match &self.source {
            Source::Seed(_) => true,
            Source::List(steps) => self.taken.len() <= steps.len(),
        }
    }
    /// A number below `bound`, which is at least 1.
    pub fn below(&mut self, bound: u32) -> u32 {
        let bound = bound.max(1);
        let drawn = match &mut self.source {
            Source::Seed(generator) => generator.random_range(0..bound),
            Source::List(steps) => {
                let step = steps.get(self.taken.len() - 1);
                let kept = step.and_then(|step| step.get(self.place)).copied();
                kept.unwrap_or(0).min(bound - 1)
            }
        };
        self.place += 1;
        if let Some(step) = self.taken.last_mut() {
            step.push(drawn);
        }
        drawn
    }
    /// Whether something befalls that happens so many times in a thousand; 0 is no.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        per_mille > 0 && self.below(1_000) >= 1_000_u32.saturating_sub(per_mille)
    }
    /// One of several.
    pub fn one_of<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        let bound = u32::try_from(of.len()).unwrap_or(u32::MAX);
        if bound == 0 {
            return None;
        }
        of.get(self.below(bound) as usize)
    }
    /// The index of one of several weights; those of 0 are never taken.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let sum: u32 = weights.iter().sum();
        let mut left = self.below(sum);
        for (at, weight) in weights.iter().enumerate() {
            if left < *weight {
                return at;
            }
            left -= weight;
        }
        0
    }
    /// What was drawn so far.
    #[must_use]
    pub fn taken(&self) -> &Steps {
        &self.taken
    }
}
