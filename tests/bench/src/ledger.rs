//! The ledger alone: commits A and C of changes that nobody sends.

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool};
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Base, Batch, BatchChange, BatchState, Changeset, Decided, Entry, EntryId, Fence, Figure, Guard,
    Intent, IntentKind, Link, LinkChange, LinkState, Observed, Origin, Outcome, Pending, Settled,
    StreamPosition, Verdict, WrittenField,
};
use syncline_core::{Side, Sides};
use syncline_ledger::postgres::{Access, Postgres, connect, migrate};
use syncline_ledger::{Committed, Ledger, LinkQuery, Ownership};
use syncline_sdk::{Actor, ActorKind, BatchId, Instant, Key, LinkId, Value, Version};
use uuid::Uuid;

use crate::Settings;
use crate::process::{cluster_seconds, own_seconds};
use crate::report::{Measured, Target};

const MAPPING: MappingId = MappingId(1);
/// Commits A and C: two updates of the link a change.
const UPDATES_PER_CHANGE: i64 = 2;

/// Measures the ledger at batch 500 in random order, in the order of the table, and one change
/// at a time.
pub(crate) async fn run(settings: &Settings) -> anyhow::Result<Vec<Measured>> {
    let links: u64 = if settings.quick { 10_000 } else { 100_000 };
    let bench = Bench::new(&settings.postgres, links).await?;
    let mut measured = Vec::new();
    // A stride without a common factor visits every link once, far from the one before.
    let random: Vec<u64> = (0..links).map(|at| at * 48_271 % links).collect();
    let figures = bench.measure(&random, 500).await?;
    measured.push(
        Measured::new("ledger, batch 500: server CPU a change", figures.server_us, "µs")
            .beside(Target::AtMost(25.0)),
    );
    measured.push(
        Measured::new("ledger, batch 500: HOT updates of link", figures.hot_percent, "%")
            .beside(Target::AtLeast(100.0)),
    );
    measured.push(Measured::new("ledger, batch 500: client CPU a change", figures.client_us, "µs"));
    measured.push(Measured::new("ledger, batch 500: WAL a change", figures.wal_bytes, "bytes"));
    measured.push(Measured::new("ledger, batch 500: changes", figures.per_second, "per s"));
    let in_order: Vec<u64> = (0..links).collect();
    let figures = bench.measure(&in_order, 500).await?;
    measured.push(Measured::new(
        "ledger, neighbours: server CPU a change",
        figures.server_us,
        "µs",
    ));
    measured.push(Measured::new(
        "ledger, neighbours: HOT updates of link",
        figures.hot_percent,
        "%",
    ));
    let figures = bench.measure(&random[..random.len() / 20], 1).await?;
    measured.push(Measured::new("ledger, alone: server CPU a change", figures.server_us, "µs"));
    measured.push(Measured::new("ledger, alone: changes", figures.per_second, "per s"));
    Ok(measured)
}

struct Bench {
    ledger: Postgres,
    pool: PgPool,
    fence: Fence,
}

struct Figures {
    server_us: f64,
    client_us: f64,
    hot_percent: f64,
    wal_bytes: f64,
    per_second: f64,
}

struct Snapshot {
    server: f64,
    client: f64,
    wal: f64,
    clock: f64,
    updates: i64,
    hot: i64,
}

impl Bench {
    async fn new(server: &str, links: u64) -> anyhow::Result<Self> {
        let name = format!("bench_ledger_{}", std::process::id());
        let mut connection = PgConnection::connect(server).await?;
        connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
        let (base, _) = server.rsplit_once('/').context("the address names no database")?;
        let pool = connect(&format!("{base}/{name}"), Access::Encrypted).await?;
        migrate(&pool).await?;
        let ledger = Postgres::new(pool.clone(), None);
        let owned = ledger.own("bench", Instant::from_micros(0), Instant::from_micros(1)).await?;
        let Ownership::Owned(fence) = owned else { anyhow::bail!("a fresh ledger is owned") };
        let bench = Self { ledger, pool, fence };
        for first in (0..links).step_by(1_000) {
            let mut changes = bench.changeset().await?;
            changes.links = (first..(first + 1_000).min(links))
                .map(|at| LinkChange::Insert(link(at)))
                .collect();
            bench.commit(&changes).await?;
        }
        sqlx::query("vacuum (analyze) syncline.link").execute(&bench.pool).await?;
        Ok(bench)
    }

    async fn changeset(&self) -> anyhow::Result<Changeset> {
        let commit = self.ledger.reserve(1).await?.start;
        Ok(Changeset { commit, fence: self.fence, at: 1, ..Changeset::default() })
    }

    async fn commit(&self, changes: &Changeset) -> anyhow::Result<()> {
        let answer = self.ledger.commit(changes).await?;
        ensure!(answer == Committed::Committed, "{answer:?}");
        Ok(())
    }

    async fn measure(&self, order: &[u64], batch: usize) -> anyhow::Result<Figures> {
        // Whatever was done before is written back before the clock starts.
        sqlx::query("checkpoint").execute(&self.pool).await?;
        let before = self.snapshot(None).await?;
        let mut numbers = self.ledger.reserve(i64::try_from(2 * order.len() / batch + 2)?).await?;
        for places in order.chunks(batch) {
            let mut next = || numbers.next().context("too few commit numbers");
            self.change(places, next()?, next()?).await?;
        }
        let expected = before.updates + UPDATES_PER_CHANGE * i64::try_from(order.len())?;
        let after = self.snapshot(Some(expected)).await?;
        let count = u32::try_from(order.len()).map(f64::from)?;
        let per_change = |of: fn(&Snapshot) -> f64| (of(&after) - of(&before)) / count;
        let hot = f64::from(u32::try_from(after.hot - before.hot)?);
        Ok(Figures {
            server_us: per_change(|snapshot| snapshot.server * 1e6),
            client_us: per_change(|snapshot| snapshot.client * 1e6),
            hot_percent: 100.0 * hot / (2.0 * count),
            wal_bytes: per_change(|snapshot| snapshot.wal),
            per_second: 1.0 / per_change(|snapshot| snapshot.clock),
        })
    }

    /// Loads links, decides on an edit of one field each (A), and settles it (C).
    async fn change(&self, places: &[u64], a: i64, c: i64) -> anyhow::Result<()> {
        let mut query = LinkQuery { mapping: MAPPING, ..LinkQuery::default() };
        query.keys.left.extend(places.iter().map(|at| key(Side::Left, *at)));
        let loaded = self.ledger.load(&[query]).await?;
        ensure!(loaded.links.len() == places.len(), "{} links found", loaded.links.len());
        let id = BatchId { commit: a, ordinal: 0 };
        let mut first = Changeset { commit: a, fence: self.fence, at: 1, ..Changeset::default() };
        let mut second = Changeset { commit: c, ..first.clone() };
        for (ordinal, link) in (0..).zip(loaded.links) {
            let planned = plan(&link, EntryId { commit: a, ordinal });
            let settled = settle(&planned.0, EntryId { commit: c, ordinal });
            first.links.push(update(&link, planned.0.clone()));
            first.entries.push(planned.1);
            second.links.push(update(&planned.0, settled.0));
            second.entries.push(settled.1);
        }
        first.batches.push(BatchChange::Send(Batch {
            id,
            system: "ops".into(),
            intents: first.entries.iter().map(|entry| entry.id).collect(),
            epoch: self.fence.epoch,
            state: BatchState::Sent,
            first_sent: 1,
            last_sent: 1,
            die_after: 2,
            attempts: 1,
        }));
        let count = i64::try_from(places.len())?;
        first.figures.push((Figure::EditsSeen, count));
        first.positions.push(StreamPosition {
            stream: "feed:crm".into(),
            identity: "one".into(),
            place: format!("{a}"),
        });
        let state = BatchState::Settled;
        second.batches.push(BatchChange::Close { id, state, attempts: None });
        second.figures.push((Figure::Writes, count));
        self.commit(&first).await?;
        self.commit(&second).await
    }

    /// The account now; waits until the server has counted so many updates.
    async fn snapshot(&self, updates: Option<i64>) -> anyhow::Result<Snapshot> {
        let row = sqlx::query_as::<_, (i32, f64, f64)>(
            "select pg_backend_pid(), (pg_current_wal_insert_lsn() - '0/0')::float8,
                    extract(epoch from clock_timestamp())::float8",
        )
        .fetch_one(&self.pool)
        .await?;
        let (server, client) = (cluster_seconds(row.0)?, own_seconds()?);
        let (counted, hot) = self.counted(updates).await?;
        Ok(Snapshot { server, client, wal: row.1, clock: row.2, updates: counted, hot })
    }

    async fn counted(&self, updates: Option<i64>) -> anyhow::Result<(i64, i64)> {
        const TRIES: usize = 100;
        let mut counted = (0, 0);
        for _ in 0..TRIES {
            counted = sqlx::query_as::<_, (i64, i64)>(
                "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables
                 where schemaname = 'syncline' and relname = 'link'",
            )
            .fetch_one(&self.pool)
            .await?;
            if updates.is_none_or(|updates| counted.0 >= updates) {
                return Ok(counted);
            }
            sqlx::query("select pg_stat_force_next_flush(), pg_sleep(0.1)")
                .execute(&self.pool)
                .await?;
        }
        anyhow::bail!("the server counted {counted:?} updates and not {updates:?}")
    }
}

fn key(side: Side, at: u64) -> Key {
    match side {
        Side::Left => Key::from(format!("001Qy0000{at:09}")),
        Side::Right => Key::from(format!("{at}")),
    }
}

/// Eight fields, about 150 bytes on both sides together.
fn image(at: u64, edit: i64) -> Vec<Value> {
    vec![
        Value::from(format!("Account {at}")),
        Value::from(format!("+44 20 {at:08}")),
        Value::from("Hot"),
        Value::from("London"),
        Value::from("GB"),
        Value::Int(edit),
        Value::Bool(true),
        Value::Null,
    ]
}

fn link(at: u64) -> Link {
    let id = LinkId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(at)));
    let base = Some(Base { exists: true, image: image(at, 0) });
    let entry = EntryId { commit: 1, ordinal: 0 };
    let origin = Origin { side: Side::Left, actor: ActorKind::Person, entry, at: 0 };
    Link {
        mapping_rev: 1,
        keys: Sides::from_fn(|side| Some(key(side, at))),
        base: Sides { left: base.clone(), right: base },
        versions: Sides { left: Version::new([0; 8]), right: Version::new([0; 8]) },
        origins: vec![Some(origin); 8],
        ..Link::new(MAPPING, id, LinkState::Linked)
    }
}

fn update(read: &Link, link: Link) -> LinkChange {
    let guard =
        Guard { sync_version: read.sync_version, open: read.open, last_entry: read.last_entry };
    LinkChange::Update { guard, link, keys_changed: false }
}

/// The field that is edited.
const EDITED: u16 = 5;

/// Commit A of one link: an edit on the left is seen, a write to the right is decided.
fn plan(link: &Link, id: EntryId) -> (Link, Entry) {
    let before = link.base_value(Side::Left, usize::from(EDITED)).clone();
    let value = Value::Int(link.sync_version + 1_000);
    let version = Version::new(id.commit.to_be_bytes());
    let actor = Actor { id: Some("0055g000001".into()), kind: ActorKind::Person };
    let at = Some(Instant::from_micros(1_780_000_000_000_000));
    let mut planned = link.clone();
    planned.pending.left = Pending {
        exists: None,
        values: vec![(EDITED, value.clone())],
        actor: actor.clone(),
        at,
        foreign: true,
        closed: true,
        entry: Some(id),
    };
    planned.open.right = Some(id);
    planned.versions.left = version.clone();
    planned.last_entry = Some(id);
    let observed = Observed {
        side: Side::Left,
        key: link.keys.left.clone().unwrap_or_else(|| Key::from("")),
        exists: None,
        values: vec![(EDITED, before.clone(), value.clone())],
        version,
        closed: true,
        actor: actor.clone(),
        at,
        server_time: at,
        group: Some(7_000_000),
        marker: None,
    };
    let decided = Decided {
        unit: Some(EDITED),
        verdict: Verdict::Write(Side::Right),
        left: vec![value.clone()],
        right: vec![before.clone()],
    };
    let written = WrittenField {
        field: EDITED,
        value: value.clone(),
        image: value.clone(),
        expected: before,
    };
    let intent = Intent {
        id,
        side: Side::Right,
        kind: IntentKind::Update,
        key: link.keys.right.clone(),
        units: vec![EDITED],
        fields: vec![written],
        version: link.versions.right.clone(),
        source: vec![(EDITED, value)],
        half: false,
        actor,
        edited_at: at,
    };
    let mut entry = blank(link, id);
    entry.observed.push(observed);
    entry.decided.push(decided);
    entry.intent = Some(intent);
    (planned, entry)
}

/// Commit C of one link: the write was applied, the base moves.
fn settle(link: &Link, id: EntryId) -> (Link, Entry) {
    let mut settled = link.clone();
    let intent = link.open.right.unwrap_or(id);
    for (field, value) in std::mem::take(&mut settled.pending.left).values {
        for base in [&mut settled.base.left, &mut settled.base.right].into_iter().flatten() {
            base.image[usize::from(field)] = value.clone();
        }
        settled.origins[usize::from(field)] = Some(Origin {
            side: Side::Left,
            actor: ActorKind::Person,
            entry: intent,
            at: 1_780_000_000_000_000,
        });
    }
    settled.open.right = None;
    settled.sync_version += 1;
    settled.versions.right = Version::new(id.commit.to_be_bytes());
    settled.last_entry = Some(id);
    let mut entry = blank(link, id);
    entry.settled.push(Settled { intent, side: Side::Right, outcome: Outcome::Applied });
    (settled, entry)
}

fn blank(link: &Link, id: EntryId) -> Entry {
    Entry {
        id,
        mapping: link.mapping,
        link: link.id,
        previous: link.last_entry,
        at: Instant::from_micros(1_780_000_000_000_000),
        revision: 1,
        observed: Vec::new(),
        decided: Vec::new(),
        intent: None,
        settled: Vec::new(),
    }
}
