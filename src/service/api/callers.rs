//! Who calls. The tokens of the ledger are few, so all of them are read for many calls at once: a
//! stranger's guesses cost no reading each.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use syncline_engine::Clock as _;
use syncline_engine::driver::SystemClock;
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{Access as _, AccessToken};
use syncline_sdk::Instant;
use syncline_server::api::{Answered, Failure};
use tokio::sync::Mutex;

use super::failure::failed;

type Digest = [u8; 32];

/// How long what was read of tokens is taken for true: one that is revoked dies within that.
pub(super) const KNOWN_FOR: Duration = Duration::from_secs(5);
/// How often the tokens are read at most for a token that is not among them, which may be new; or
/// after a reading that failed.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);
/// How exactly it is noted when a token was used.
const USED_WITHIN: Duration = Duration::from_secs(60);

/// Where tokens are kept.
#[async_trait]
pub(super) trait Tokens: Sync {
    /// Now.
    fn now(&self) -> Instant;
    /// The tokens that are of use.
    async fn live(&self) -> Answered<Vec<(Digest, AccessToken)>>;
    /// Notes that one was used; nothing when it is of no use any more.
    async fn used(&self, digest: &Digest) -> Answered<Option<AccessToken>>;
    /// Waits.
    async fn wait(&self, time: Duration);
}

#[async_trait]
impl Tokens for Postgres {
    fn now(&self) -> Instant {
        SystemClock.now()
    }
    async fn live(&self) -> Answered<Vec<(Digest, AccessToken)>> {
        self.live_tokens(SystemClock.now()).await.map_err(failed)
    }
    async fn used(&self, digest: &Digest) -> Answered<Option<AccessToken>> {
        self.use_token(digest, SystemClock.now()).await.map_err(failed)
    }
    #[expect(clippy::disallowed_methods, reason = "a stranger's guess waits for the next reading")]
    async fn wait(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// The callers that are known.
#[derive(Default)]
pub(super) struct Callers(Mutex<Option<Read>>);

/// What was read.
struct Read {
    at: Instant,
    tokens: Answered<BTreeMap<Digest, AccessToken>>,
}

impl Callers {
    /// The token of a digest, if it is of use now; it is noted that it was used.
    ///
    /// # Errors
    /// When the tokens cannot be read.
    pub async fn find(
        &self,
        tokens: &impl Tokens,
        digest: Digest,
    ) -> Answered<Option<AccessToken>> {
        let asked_at = tokens.now();
        loop {
            let pause = {
                let mut read = self.0.lock().await;
                let now = tokens.now();
                let age = read.as_ref().map(|read| age(read.at, now));
                let known = read.as_ref().is_some_and(|read| read.tokens.is_ok());
                let life = if known { KNOWN_FOR } else { UNKNOWN_FOR };
                let found = match age {
                    Some(age) if age < life => look(&read, &digest)?,
                    _ => {
                        *read = Some(self::read(tokens).await);
                        look(&read, &digest)?
                    }
                };
                if let Some(token) = found {
                    return use_now(tokens, &mut read, &digest, token).await;
                }
                match &*read {
                    // A token that was made before the call would be among them.
                    Some(read) if read.at >= asked_at => return Ok(None),
                    Some(read) => UNKNOWN_FOR.saturating_sub(self::age(read.at, tokens.now())),
                    None => Duration::ZERO,
                }
            };
            // It may have been made since: the tokens are read once more, for all who wait.
            tokens.wait(pause).await;
            let mut read = self.0.lock().await;
            if read.as_ref().is_none_or(|read| read.at < asked_at) {
                *read = Some(self::read(tokens).await);
            }
        }
    }
}

/// How old something is; what is younger than nothing is as old as can be, for the clock was set
/// back.
fn age(at: Instant, now: Instant) -> Duration {
    let micros = now.micros().saturating_sub(at.micros());
    u64::try_from(micros).map_or(Duration::MAX, Duration::from_micros)
}

async fn read(tokens: &impl Tokens) -> Read {
    // Taken before the reading: it is as old as when it was begun.
    let at = tokens.now();
    Read { at, tokens: tokens.live().await.map(|list| list.into_iter().collect()) }
}

fn look(read: &Option<Read>, digest: &Digest) -> Answered<Option<AccessToken>> {
    match read.as_ref().map(|read| &read.tokens) {
        Some(Ok(tokens)) => Ok(tokens.get(digest).cloned()),
        Some(Err(failure)) => Err(failure.clone()),
        None => Err(Failure::Internal("the tokens were not read".to_owned())),
    }
}

/// The token, noted as used, unless it has expired since it was read.
async fn use_now(
    tokens: &impl Tokens,
    read: &mut Option<Read>,
    digest: &Digest,
    token: AccessToken,
) -> Answered<Option<AccessToken>> {
    let now = tokens.now();
    if token.expires_at.is_some_and(|end| end <= now) {
        return Ok(None);
    }
    if token.used_at.is_some_and(|used| age(used, now) < USED_WITHIN) {
        return Ok(Some(token));
    }
    let used = tokens.used(digest).await?.map(|token| AccessToken { used_at: Some(now), ..token });
    if let Some(Read { tokens: Ok(tokens), .. }) = read {
        match &used {
            Some(token) => drop(tokens.insert(*digest, token.clone())),
            None => drop(tokens.remove(digest)),
        }
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as Locked;

    use super::*;

    #[derive(Default)]
    struct State {
        now: i64,
        tokens: Vec<(Digest, AccessToken)>,
        reads: usize,
        uses: usize,
        fails: bool,
        /// A token that is made while somebody waits.
        made: Option<(Digest, AccessToken)>,
    }

    #[derive(Default)]
    struct Ledger(Locked<State>);

    #[async_trait]
    impl Tokens for Ledger {
        fn now(&self) -> Instant {
            Instant::from_micros(self.0.lock().unwrap().now)
        }
        async fn live(&self) -> Answered<Vec<(Digest, AccessToken)>> {
            let mut state = self.0.lock().unwrap();
            state.reads += 1;
            match state.fails {
                true => Err(Failure::Unavailable("no".to_owned())),
                false => Ok(state.tokens.clone()),
            }
        }
        async fn used(&self, digest: &Digest) -> Answered<Option<AccessToken>> {
            let mut state = self.0.lock().unwrap();
            state.uses += 1;
            let found = state.tokens.iter().find(|(known, _)| known == digest);
            Ok(found.map(|(_, token)| token.clone()))
        }
        async fn wait(&self, time: Duration) {
            let mut state = self.0.lock().unwrap();
            state.now += i64::try_from(time.as_micros()).unwrap();
            let made = state.made.take();
            state.tokens.extend(made);
        }
    }

    fn token(number: u8) -> (Digest, AccessToken) {
        let token = AccessToken {
            id: number.into(),
            name: format!("t{number}"),
            scopes: Vec::new(),
            made_at: Instant::from_micros(0),
            expires_at: None,
            used_at: None,
            revoked_at: None,
        };
        ([number; 32], token)
    }

    fn seconds(seconds: i64) -> i64 {
        seconds * 1_000_000
    }

    #[tokio::test]
    async fn many_calls_cost_one_reading_and_a_revoked_token_dies_soon() {
        let (ledger, callers) = (Ledger::default(), Callers::default());
        ledger.0.lock().unwrap().tokens = vec![token(1)];
        for _ in 0..50 {
            assert_eq!(callers.find(&ledger, [1; 32]).await.unwrap().unwrap().id, 1);
        }
        let counted = |ledger: &Ledger| {
            let state = ledger.0.lock().unwrap();
            (state.reads, state.uses)
        };
        assert_eq!(counted(&ledger), (1, 1));
        ledger.0.lock().unwrap().tokens.clear();
        ledger.0.lock().unwrap().now = seconds(4);
        assert!(callers.find(&ledger, [1; 32]).await.unwrap().is_some());
        ledger.0.lock().unwrap().now = seconds(6);
        assert!(callers.find(&ledger, [1; 32]).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn guesses_wait_for_a_reading_a_second_and_a_new_token_is_seen_at_once() {
        let (ledger, callers) = (Ledger::default(), Callers::default());
        ledger.0.lock().unwrap().tokens = vec![token(1)];
        callers.find(&ledger, [1; 32]).await.unwrap();
        for _ in 0..10 {
            ledger.0.lock().unwrap().now += 1;
            assert!(callers.find(&ledger, [9; 32]).await.unwrap().is_none());
        }
        let (now, reads) = {
            let state = ledger.0.lock().unwrap();
            (state.now, state.reads)
        };
        assert!(reads <= 11 && now >= seconds(9), "{reads} readings in {now}");
        ledger.0.lock().unwrap().made = Some(token(2));
        ledger.0.lock().unwrap().now += 1;
        assert!(callers.find(&ledger, [2; 32]).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_ledger_that_fails_is_not_asked_by_every_call() {
        let (ledger, callers) = (Ledger::default(), Callers::default());
        ledger.0.lock().unwrap().fails = true;
        for _ in 0..10 {
            assert!(callers.find(&ledger, [1; 32]).await.is_err());
        }
        assert_eq!(ledger.0.lock().unwrap().reads, 1);
        ledger.0.lock().unwrap().fails = false;
        ledger.0.lock().unwrap().tokens = vec![token(1)];
        ledger.0.lock().unwrap().now = seconds(1);
        assert!(callers.find(&ledger, [1; 32]).await.unwrap().is_some());
    }
}
