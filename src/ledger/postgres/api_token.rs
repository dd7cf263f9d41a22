//! Table `api_token`.

use sqlx::PgConnection;
use syncline_sdk::Instant;

use super::error::{Meaning, corrupt};
use crate::access::Digest;
use crate::{AccessToken, NewToken, Result};

/// How exactly it is kept when a token was used, microseconds: a row a minute, not a request.
const USED_WITHIN: i64 = 60_000_000;

struct TokenRow {
    id: i64,
    name: String,
    scopes: Vec<String>,
    made_at: i64,
    expires_at: Option<i64>,
    used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl From<TokenRow> for AccessToken {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            made_at: Instant::from_micros(row.made_at),
            expires_at: row.expires_at.map(Instant::from_micros),
            used_at: row.used_at.map(Instant::from_micros),
            revoked_at: row.revoked_at.map(Instant::from_micros),
        }
    }
}

/// Keeps a token, unless its name is taken.
pub(super) async fn add(connection: &mut PgConnection, token: &NewToken) -> Result<bool> {
    let done = sqlx::query!(
        "insert into syncline.api_token (name, digest, scopes, made_at, expires_at)
         values ($1, $2, $3, $4, $5) on conflict (name) do nothing",
        token.name,
        &token.digest,
        &token.scopes,
        token.made_at.micros(),
        token.expires_at.map(Instant::micros),
    )
    .execute(connection)
    .await
    .meaning("keep a token")?;
    Ok(done.rows_affected() == 1)
}

/// All tokens, by number.
pub(super) async fn all(connection: &mut PgConnection) -> Result<Vec<AccessToken>> {
    let rows = sqlx::query_as!(
        TokenRow,
        "select id, name, scopes, made_at, expires_at, used_at, revoked_at
         from syncline.api_token order by id"
    )
    .fetch_all(connection)
    .await
    .meaning("list tokens")?;
    Ok(rows.into_iter().map(AccessToken::from).collect())
}

/// Revokes a token.
pub(super) async fn revoke(connection: &mut PgConnection, name: &str, at: Instant) -> Result<bool> {
    let done = sqlx::query!(
        "update syncline.api_token set revoked_at = $2 where name = $1 and revoked_at is null",
        name,
        at.micros(),
    )
    .execute(connection)
    .await
    .meaning("revoke a token")?;
    Ok(done.rows_affected() == 1)
}

/// The tokens that are of use, by their digests.
pub(super) async fn live(
    connection: &mut PgConnection,
    now: Instant,
) -> Result<Vec<(Digest, AccessToken)>> {
    const WHAT: &str = "read the tokens";
    let rows = sqlx::query!(
        "select id, name, digest, scopes, made_at, expires_at, used_at, revoked_at
         from syncline.api_token
         where revoked_at is null and (expires_at is null or expires_at > $1) order by id",
        now.micros(),
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let mut tokens = Vec::new();
    for row in rows {
        let digest = Digest::try_from(row.digest)
            .map_err(|digest| corrupt("api_token", row.id, format!("{} bytes", digest.len())))?;
        let row = TokenRow {
            id: row.id,
            name: row.name,
            scopes: row.scopes,
            made_at: row.made_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
            revoked_at: row.revoked_at,
        };
        tokens.push((digest, row.into()));
    }
    Ok(tokens)
}

/// The token with a digest, if it is of use.
pub(super) async fn by_digest(
    connection: &mut PgConnection,
    digest: &Digest,
    now: Instant,
) -> Result<Option<AccessToken>> {
    let found = sqlx::query_as!(
        TokenRow,
        "select id, name, scopes, made_at, expires_at, used_at, revoked_at
         from syncline.api_token
         where digest = $1 and revoked_at is null and (expires_at is null or expires_at > $2)",
        digest,
        now.micros(),
    )
    .fetch_optional(&mut *connection)
    .await
    .meaning("look for a token")?;
    let Some(row) = found else {
        return Ok(None);
    };
    if row.used_at.is_none_or(|used| now.micros() >= used + USED_WITHIN) {
        sqlx::query!(
            "update syncline.api_token set used_at = $2 where id = $1",
            row.id,
            now.micros()
        )
        .execute(connection)
        .await
        .meaning("note the use of a token")?;
    }
    Ok(Some(row.into()))
}
