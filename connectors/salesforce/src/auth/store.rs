//! Where rotated refresh tokens are kept.

use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

/// Why a token could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("the token store failed: {what}")]
pub struct TokenStoreError {
    /// What failed, without the token.
    pub what: String,
    /// What caused it.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Keeps the refresh token of one system. With rotation switched on, each renewal gives a new
/// refresh token and kills the old one (OAuth, refresh token rotation), so a new one has to
/// survive a restart. Called by one task at a time.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// The token kept last; nothing before the first rotation.
    ///
    /// # Errors
    /// When the store cannot be read; the renewal fails and is tried again later.
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError>;

    /// Keeps a token, encrypted, in place of the one before. Called before the session that came
    /// with it is used.
    ///
    /// # Errors
    /// When it could not be kept. The session is used all the same, the token stays in memory
    /// and is handed out again at the next renewal.
    async fn store(&self, refresh_token: &SecretString) -> Result<(), TokenStoreError>;
}

/// A store that forgets at the end of the process: for client credentials, which have no refresh
/// token, and for tests.
#[derive(Default)]
pub struct MemoryTokenStore(Mutex<Option<SecretString>>);

#[async_trait]
impl TokenStore for MemoryTokenStore {
    async fn load(&self) -> Result<Option<SecretString>, TokenStoreError> {
        Ok(self.lock().clone())
    }
    async fn store(&self, refresh_token: &SecretString) -> Result<(), TokenStoreError> {
        *self.lock() = Some(refresh_token.expose_secret().into());
        Ok(())
    }
}

impl MemoryTokenStore {
    fn lock(&self) -> std::sync::MutexGuard<'_, Option<SecretString>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
