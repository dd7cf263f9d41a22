//! Logins that renew themselves are kept sealed in the ledger.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;
use syncline_ledger::Setup;
use syncline_ledger::postgres::Postgres;
use syncline_sdk::SystemName;

use crate::registry::{REFRESH_TOKEN, TokenStore, TokenStoreError};

/// The tokens of one system.
pub(super) struct LedgerTokens {
    pub ledger: Arc<Postgres>,
    pub system: SystemName,
}

#[async_trait]
impl TokenStore for LedgerTokens {
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError> {
        self.ledger.token(&self.system, REFRESH_TOKEN).await.map_err(failed)
    }
    async fn store(&self, token: &SecretString) -> Result<(), TokenStoreError> {
        self.ledger.keep_token(&self.system, REFRESH_TOKEN, token).await.map_err(failed)
    }
}

fn failed(error: syncline_ledger::LedgerError) -> TokenStoreError {
    TokenStoreError {
        what: "the ledger keeps the logins".to_owned(),
        source: Some(Box::new(error)),
    }
}
