//! Opening the desk of an installation.

use std::path::Path;

use super::Stop;
use super::desk::{Desk, command};
use crate::installation::read_settings;
use crate::service::{has_ledger, open_ledger};

impl Desk {
    /// Opens the ledger of the settings. Neither the systems nor the mapping files are looked
    /// at: it works while they are broken.
    ///
    /// # Errors
    /// When the ledger does not answer, or no sync has ever run.
    pub async fn open(config: &Path) -> Result<Self, Stop> {
        let desk = Self::find(config).await?;
        let message = "nothing has run with these settings yet: there is no ledger to look at";
        let help = format!("start `{}`", command(config, "run"));
        desk.ok_or_else(|| Stop::found(message, help))
    }

    /// The same; nothing where there is no ledger yet. None is made.
    pub async fn find(config: &Path) -> Result<Option<Self>, Stop> {
        let settings = read_settings(config)?.value;
        if !has_ledger(&settings).await? {
            return Ok(None);
        }
        let ledger = open_ledger(&settings).await?.ledger;
        Ok(Some(Self::at(&ledger, config).await?))
    }
}
