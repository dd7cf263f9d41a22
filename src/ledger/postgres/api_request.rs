//! Table `api_request`.

use sqlx::PgConnection;

use super::error::Meaning;
use super::prune::all_of;
use crate::access::REQUEST_LIFE;
use crate::deliveries::kept_from;
use crate::{Begun, NewRequest, Result};

const WHAT: &str = "begin a request";

/// Takes the key of a request, or tells what became of the one that has it.
pub(super) async fn begin(connection: &mut PgConnection, request: &NewRequest) -> Result<Begun> {
    // One that has lost its process is taken over by the same request.
    let taken = sqlx::query!(
        "insert into syncline.api_request as r (token, key, digest, at) values ($1, $2, $3, $4)
         on conflict (token, key) do update set at = excluded.at
         where r.status is null and r.digest = excluded.digest and r.at < $5",
        request.token,
        request.key,
        &request.digest,
        request.at.micros(),
        kept_from(request.at, REQUEST_LIFE),
    )
    .execute(&mut *connection)
    .await
    .meaning(WHAT)?;
    if taken.rows_affected() == 1 {
        return Ok(Begun::New);
    }
    let row = sqlx::query!(
        "select digest, status, body from syncline.api_request where token = $1 and key = $2",
        request.token,
        request.key,
    )
    .fetch_optional(connection)
    .await
    .meaning(WHAT)?;
    Ok(match row {
        // It ended without an answer just now: the client asks again.
        None => Begun::UnderWay,
        Some(row) if row.digest != request.digest => Begun::Other,
        Some(row) => match (row.status.map(u16::try_from), row.body) {
            (Some(Ok(status)), Some(body)) => Begun::Answered(status, body),
            _ => Begun::UnderWay,
        },
    })
}

/// Keeps the answer to a request, or gives its key free.
pub(super) async fn end(
    connection: &mut PgConnection,
    token: i64,
    key: &str,
    answer: Option<(u16, &str)>,
) -> Result<()> {
    match answer {
        Some((status, body)) => sqlx::query!(
            "update syncline.api_request set status = $3, body = $4 where token = $1 and key = $2",
            token,
            key,
            i16::try_from(status).unwrap_or(i16::MAX),
            body,
        )
        .execute(connection)
        .await
        .meaning("end a request")?,
        None => sqlx::query!(
            "delete from syncline.api_request where token = $1 and key = $2 and status is null",
            token,
            key,
        )
        .execute(connection)
        .await
        .meaning("end a request")?,
    };
    Ok(())
}

/// Removes requests that were begun before a time.
pub(super) async fn prune(connection: &mut PgConnection, before: i64) -> Result<u64> {
    all_of!(
        connection,
        "delete from syncline.api_request where ctid = any(array(
             select ctid from syncline.api_request where at < $1 limit $2))",
        before
    )
}
