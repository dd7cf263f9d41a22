//! What a status is made of.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde_json::{Map, Value as Json, json};
use syncline_core::Side;
use syncline_core::mapping::MappingId;
use syncline_core::model::{Figure, Gap, Link, Parked, ReviewStatus};
use syncline_engine::limits::LEASE;
use syncline_ledger::{
    Awaited, AwaitedThing, Ledger as _, LinkCount, LinkQuery, OpenBatch, Owner, People as _,
    Result, ReviewQuery, Scheduled, Schedules as _, Waiting,
};

use super::account::{Account, account_since, last_report};
use super::desk::Desk;
use super::removed::{Files, Removed};
use super::words::time_json;
use crate::stop::Stop;

/// The most questions that are counted: more are told as so many and more.
pub const QUESTIONS_MAX: usize = 10_000;

/// The most open batches that are counted.
pub const BATCHES_MAX: usize = 1_000;

/// How far a stream is folded.
pub struct Stream {
    pub name: String,
    pub place: String,
    /// When it moved last, microseconds UTC.
    pub moved_at: i64,
}

/// The questions that are not closed.
#[derive(Default)]
pub struct Questions {
    pub open: usize,
    pub answered: usize,
    /// When the oldest open one was asked.
    pub oldest: Option<i64>,
    /// Whether there are more than were counted.
    pub more: bool,
    /// Those of mappings that were removed from the files.
    pub resting: BTreeMap<MappingId, i64>,
}

/// How an installation stands.
pub struct Report {
    pub owner: Option<Owner>,
    /// What it waits for, or waited for when it was last up.
    pub awaited: Vec<Awaited>,
    pub links: Vec<LinkCount>,
    pub figures: BTreeMap<Figure, i64>,
    pub streams: Vec<Stream>,
    pub waiting: Vec<Waiting>,
    pub questions: Questions,
    pub parked: Vec<(Parked, Option<Link>)>,
    /// Whether there are more parked records than these.
    pub parked_more: bool,
    /// Gaps that are not closed.
    pub gaps: Vec<Gap>,
    pub batches: Vec<OpenBatch>,
    /// What happens at set times.
    pub scheduled: Vec<Scheduled>,
    /// What was carried since the last report.
    pub account: Account,
    /// What is left of what was removed from the files, where these were looked at.
    pub removed: Vec<Removed>,
}

impl Report {
    /// Reads it; up to `limit` parked records and gaps. The links are counted where nobody has
    /// done so lately: each is read for it. `files` tells what was removed.
    pub async fn read(
        desk: &Desk,
        limit: usize,
        links: Option<Vec<LinkCount>>,
        files: Option<&Files>,
    ) -> Result<Self, Stop> {
        let (ledger, read) = (&desk.ledger, "the ledger");
        let mut parked = ledger.parked(None, limit + 1).await.context(read)?;
        let parked_more = parked.len() > limit;
        parked.truncate(limit);
        let told = parked.into_iter().map(|parked| desk.mapping(parked.mapping).parked(parked));
        let told = told.collect();
        let mut gaps = ledger.gaps().await.context(read)?;
        gaps.truncate(limit);
        let links = match links {
            Some(links) => links,
            None => ledger.link_counts().await.context(read)?,
        };
        let mut report = Self {
            owner: ledger.owner().await.context(read)?,
            awaited: ledger.awaited().await.context(read)?,
            links,
            figures: ledger.figures().await.context(read)?,
            streams: streams(desk).await.context("the ledger: its streams cannot be read")?,
            waiting: ledger.waiting().await.context(read)?,
            questions: questions(desk, files).await.context(read)?,
            parked: with_links(desk, told).await?,
            parked_more,
            gaps,
            batches: ledger.open_batches(BATCHES_MAX).await.context(read)?,
            scheduled: ledger.scheduled().await.context(read)?,
            account: since_last_report(desk, files).await?,
            removed: Vec::new(),
        };
        if let Some(files) = files {
            report.removed = Removed::of(desk, &report, files);
        }
        Ok(report)
    }

    /// Whether an engine works now.
    pub fn engine_runs(&self, desk: &Desk) -> bool {
        self.owner.as_ref().is_some_and(|owner| owner.until > desk.now.micros())
    }

    /// When an engine last renewed its lease, microseconds UTC: its last sign of life.
    pub fn last_sign(&self, desk: &Desk) -> Option<i64> {
        let lease = i64::try_from(LEASE.as_micros()).unwrap_or(i64::MAX);
        let owner = self.owner.as_ref()?;
        Some((owner.until - lease).min(desk.now.micros()))
    }

    /// The report as JSON.
    pub fn json(&self, desk: &Desk) -> Map<String, Json> {
        let mapping = |id: MappingId| desk.mapping(id).name;
        let figures = Figure::ALL.map(|figure| {
            let value = self.figures.get(&figure).copied().unwrap_or_default();
            (figure.as_str().to_owned(), Json::from(value))
        });
        let told = json!({
            "engine": {
                "runs": self.engine_runs(desk),
                "owner": self.owner.as_ref().map(|owner| &owner.owner),
                "epoch": self.owner.as_ref().map(|owner| owner.epoch),
                "last_sign_of_life": self.last_sign(desk).map(time_json),
                "lease_until": self.owner.as_ref().map(|owner| time_json(owner.until)),
            },
            "awaited": self.awaited.iter().map(|awaited| {
                let (kind, name) = awaited_name(awaited);
                json!({
                    kind: name,
                    "reason": awaited.reason,
                    "since": time_json(awaited.since.micros()),
                })
            }).collect::<Json>(),
            "removed": self.removed.iter().map(Removed::json).collect::<Json>(),
            "modes": desk.mappings.iter().map(|mapping| json!({
                "mapping": mapping.name,
                "mode": mapping.mode(),
            })).collect::<Json>(),
            "links": self.links.iter().map(|count| json!({
                "mapping": mapping(count.mapping),
                "state": count.state,
                "count": count.count,
            })).collect::<Json>(),
            "figures": Json::Object(figures.into_iter().collect()),
            "streams": self.streams.iter().map(|stream| json!({
                "stream": stream.name,
                "place": stream.place,
                "moved_at": time_json(stream.moved_at),
            })).collect::<Json>(),
            "hints": self.waiting.iter().map(|waiting| json!({
                "system": waiting.system,
                "waiting": waiting.hints,
                "first_due": time_json(waiting.due.max(0)),
            })).collect::<Json>(),
            "questions": {
                "open": self.questions.open,
                "answered": self.questions.answered,
                "oldest_asked_at": self.questions.oldest.map(time_json),
                "more": self.questions.more,
            },
            "parked": self.parked.iter().map(|(parked, link)| json!({
                "mapping": mapping(parked.mapping),
                "link": parked.link,
                "side": parked.side,
                "key": link.as_ref().and_then(|link| link.keys[parked.side].clone()),
                "kind": parked.kind,
                "message": parked.message,
                "advice": parked.advice,
                "at": time_json(parked.at),
            })).collect::<Json>(),
            "parked_more": self.parked_more,
            "gaps": self.gaps.iter().map(|gap| json!({
                "stream": stream_name(desk, &gap.stream),
                "reason": gap.reason,
                "noticed_at": time_json(gap.noticed_at),
            })).collect::<Json>(),
            "objectives": self.account.mappings.iter().filter_map(|of| Some(json!({
                "mapping": of.mapping,
                "since": self.account.from,
                "attained": of.objective.as_ref()?,
            }))).collect::<Json>(),
            "schedules": self.scheduled.iter().map(scheduled_json).collect::<Json>(),
            "batches": self.batches.iter().map(|open| json!({
                "id": open.batch.id.to_string(),
                "system": open.batch.system,
                "intents": open.batch.intents.len(),
                "attempts": open.batch.attempts,
                "first_sent": time_json(open.batch.first_sent),
                "last_sent": time_json(open.batch.last_sent),
            })).collect::<Json>(),
        });
        match told {
            Json::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

/// What kind of thing is waited for, and its name.
pub fn awaited_name(awaited: &Awaited) -> (&'static str, &str) {
    match &awaited.thing {
        AwaitedThing::System(name) => ("system", name.as_str()),
        AwaitedThing::Mapping(name) => ("mapping", name),
        AwaitedThing::Field(name) => ("field", name),
    }
}

/// A stream's name with the name of its mapping, which the ledger numbers there.
pub fn stream_name(desk: &Desk, stream: &str) -> String {
    let number = stream.strip_prefix("mapping:").and_then(|id| id.parse().ok());
    number.map_or_else(
        || stream.to_owned(),
        |id| format!("mapping:{}", desk.mapping(MappingId(id)).name),
    )
}

/// The report where there is no ledger yet.
pub fn nothing() -> Map<String, Json> {
    let engine = json!({ "runs": false, "owner": null, "epoch": null });
    Map::from_iter([("engine".to_owned(), engine)])
}

async fn since_last_report(desk: &Desk, files: Option<&Files>) -> Result<Account, Stop> {
    let last = last_report(&desk.ledger).await.context("the ledger")?;
    let (account, _, _) = account_since(desk, files, last.as_ref(), desk.now.micros()).await?;
    Ok(account)
}

/// Those of mappings that the files do not have are counted apart: nobody acts on an answer.
async fn questions(desk: &Desk, files: Option<&Files>) -> Result<Questions> {
    let removed =
        |id: MappingId| files.is_some_and(|files| !files.mappings.contains(&desk.mapping(id).name));
    let query = ReviewQuery { max: QUESTIONS_MAX + 1, ..ReviewQuery::default() };
    let mut reviews = desk.ledger.reviews(&query).await?;
    let more = reviews.len() > QUESTIONS_MAX;
    reviews.truncate(QUESTIONS_MAX);
    let mut questions = Questions { more, ..Questions::default() };
    for review in reviews {
        if removed(review.key.mapping) {
            *questions.resting.entry(review.key.mapping).or_default() += 1;
            continue;
        }
        if review.status == ReviewStatus::Answered {
            questions.answered += 1;
            continue;
        }
        questions.open += 1;
        let oldest = questions.oldest.unwrap_or(i64::MAX).min(review.asked_at);
        questions.oldest = Some(oldest);
    }
    Ok(questions)
}

pub async fn with_links(
    desk: &Desk,
    parked: Vec<Parked>,
) -> Result<Vec<(Parked, Option<Link>)>, Stop> {
    let mut queries: BTreeMap<MappingId, LinkQuery> = BTreeMap::new();
    for parked in &parked {
        let query = queries.entry(parked.mapping).or_default();
        query.mapping = parked.mapping;
        query.links.push(parked.link);
    }
    let queries: Vec<LinkQuery> = queries.into_values().collect();
    let links = desk.load(&queries).await?.links;
    let with_link = |parked: Parked| {
        let link = links.iter().find(|link| link.id == parked.link).cloned();
        (parked, link)
    };
    Ok(parked.into_iter().map(with_link).collect())
}

/// The key of the record that was refused, or of its partner when it was to be created.
pub fn parked_record(desk: &Desk, parked: &Parked, link: Option<&Link>) -> String {
    let mapping = desk.mapping(parked.mapping);
    let key = |side: Side| link.and_then(|link| link.keys[side].as_ref());
    match (key(parked.side), key(parked.side.other())) {
        (None, Some(partner)) => {
            let partner = mapping.record(parked.side.other(), Some(partner));
            format!("a new record for {partner}")
        }
        (key, _) => mapping.record(parked.side, key),
    }
}

/// All streams. Reads with the ledger's pool, which is there for those who only look.
async fn streams(desk: &Desk) -> Result<Vec<Stream>, sqlx::Error> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "select stream, place, moved_at from syncline.position
             where stream not like 'revision:%' and stream not like 'frozen:%'
             order by stream",
    )
    .fetch_all(desk.ledger.pool())
    .await?;
    let stream = |(name, place, moved_at)| Stream { name, place, moved_at };
    Ok(rows.into_iter().map(stream).collect())
}

/// Something that happens at set times.
pub fn scheduled_json(scheduled: &Scheduled) -> Json {
    json!({
        "name": scheduled.name,
        "times": scheduled.times,
        "next_at": time_json(scheduled.next_at),
        "last_at": scheduled.last_at.map(time_json),
        "outcome": scheduled.outcome,
    })
}
