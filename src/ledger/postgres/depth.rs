//! How much waits, read from several tables; nothing is written here.

use async_trait::async_trait;
use sqlx::PgConnection;
use syncline_core::mapping::MappingId;
use syncline_core::model::ReviewStatus;
use syncline_sdk::SystemName;

use super::error::Meaning;
use super::session::call;
use super::{Postgres, code};
use crate::Result;
use crate::depths::{Depth, Depths, Measures};

const WHAT: &str = "measure what waits";

#[async_trait]
impl Measures for Postgres {
    async fn depths(&self, now: i64) -> Result<Depths> {
        call!(self, "measure what waits", |connection| async {
            let (batches, resent) = batches(&mut *connection).await?;
            Ok(Depths {
                questions: questions(&mut *connection, ReviewStatus::Open).await?,
                answers: questions(&mut *connection, ReviewStatus::Answered).await?,
                parked: parked(&mut *connection).await?,
                batches,
                resent,
                hints: hints(&mut *connection, now).await?,
                streams: streams(&mut *connection).await?,
                gaps: gaps(connection).await?,
            })
        })
    }
}

async fn questions(
    connection: &mut PgConnection,
    status: ReviewStatus,
) -> Result<Vec<Depth<MappingId>>> {
    // The second condition lets the index of what is not closed be used.
    let rows = sqlx::query!(
        r#"select mapping, count(*) as "count!",
                  min(coalesce(answered_at, asked_at)) as "oldest!"
           from syncline.review where status = $1 and status <> 2
           group by mapping order by mapping"#,
        code::status(status),
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let depth = rows.into_iter().map(|row| Depth {
        of: MappingId(row.mapping),
        count: row.count,
        oldest: row.oldest,
    });
    Ok(depth.collect())
}

async fn parked(connection: &mut PgConnection) -> Result<Vec<Depth<(MappingId, String)>>> {
    let rows = sqlx::query!(
        r#"select mapping, kind, count(*) as "count!", min(at) as "oldest!"
           from syncline.parked group by mapping, kind order by mapping, kind"#
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let depth = rows.into_iter().map(|row| Depth {
        of: (MappingId(row.mapping), row.kind),
        count: row.count,
        oldest: row.oldest,
    });
    Ok(depth.collect())
}

type BySystem = Vec<Depth<SystemName>>;

async fn batches(connection: &mut PgConnection) -> Result<(BySystem, BySystem)> {
    let rows = sqlx::query!(
        r#"select system, attempts > 1 as "resent!", count(*) as "count!",
                  min(first_sent) as "oldest!"
           from syncline.batch where state = 0 group by 1, 2 order by 1, 2"#
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let (mut all, mut resent): (BySystem, BySystem) = Default::default();
    for row in rows {
        let of = SystemName::from(row.system);
        let depth = Depth { of, count: row.count, oldest: row.oldest };
        if row.resent {
            resent.push(depth.clone());
        }
        match all.last_mut().filter(|last| last.of == depth.of) {
            Some(last) => {
                last.count += depth.count;
                last.oldest = last.oldest.min(depth.oldest);
            }
            None => all.push(depth),
        }
    }
    Ok((all, resent))
}

async fn hints(connection: &mut PgConnection, now: i64) -> Result<BySystem> {
    let rows = sqlx::query!(
        r#"select system, count(*) as "count!", min(due) as "oldest!"
           from syncline.hint where due <= $1 group by system order by system"#,
        now,
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let depth = rows.into_iter().map(|row| Depth {
        of: SystemName::from(row.system),
        count: row.count,
        oldest: row.oldest,
    });
    Ok(depth.collect())
}

async fn streams(connection: &mut PgConnection) -> Result<Vec<(String, i64)>> {
    let rows = sqlx::query!("select stream, moved_at from syncline.position order by stream")
        .fetch_all(connection)
        .await
        .meaning(WHAT)?;
    Ok(rows.into_iter().map(|row| (row.stream, row.moved_at)).collect())
}

async fn gaps(connection: &mut PgConnection) -> Result<Vec<Depth<String>>> {
    let rows = sqlx::query!(
        r#"select stream, count(*) as "count!", min(noticed_at) as "oldest!"
           from syncline.gap where closed_at is null group by stream order by stream"#
    )
    .fetch_all(connection)
    .await
    .meaning(WHAT)?;
    let depth =
        rows.into_iter().map(|row| Depth { of: row.stream, count: row.count, oldest: row.oldest });
    Ok(depth.collect())
}
