//! Rows that another ledger holds.

use super::Memory;
use crate::Loaded;

impl Memory {
    /// Takes in rows as another ledger holds them, past all guards: nobody has seen them here.
    pub(crate) fn lend(&self, loaded: Loaded) {
        let mut state = self.lock();
        for link in loaded.links {
            for (side, key) in link.keys.iter() {
                if let Some(key) = key {
                    state.keys.insert((link.mapping, side, key.clone()), link.id);
                }
            }
            state.links.insert((link.mapping, link.id), link);
        }
        for alias in loaded.aliases {
            state.aliases.insert((alias.mapping, alias.side, alias.key.clone()), alias);
        }
        for claim in loaded.claims {
            state.claims.insert((claim.mapping, claim.key), claim.link);
        }
        for review in loaded.reviews {
            state.last_review = state.last_review.max(review.id);
            state.reviews.insert(review.key, review);
        }
    }
}
