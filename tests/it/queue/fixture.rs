//! A ledger with something in it, and an installation that uses it.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value as Json;
use sqlx::{Connection as _, Executor as _, PgConnection};
use syncline_core::mapping::MappingId;
use syncline_core::model::{
    Base, Changeset, Decided, Entry, EntryId, Fence, Link, LinkChange, LinkState, Observed, Origin,
    Pending, Review, ReviewChange, ReviewKey, ReviewKind, ReviewStatus, Shown, UnitState,
    UnitStatus, Verdict,
};
use syncline_core::{Side, Sides};
use syncline_ledger::postgres::{Access, Postgres, connect, migrate};
use syncline_ledger::{Committed, Description, Ledger as _, Ownership, People as _, Setup as _};
use syncline_sdk::{
    Actor, ActorKind, Capabilities, Cas, EntitySchema, FeedKind, FieldSchema, FieldType,
    HistoryKind, Instant, Key, LinkId, Precision, ReceiptKind, Value, Version,
};
use uuid::Uuid;

/// A mapping with three units.
pub const ACCOUNTS: &str = "\
mapping: accounts
left: { system: crm, entity: Account }
right: { system: ops, entity: public.accounts }
match: [{ left: Name, right: name }]
fields:
  - { left: Name, right: name }
  - { left: Phone, right: phone }
  - { left: Employees, right: staff }
create: both
delete: review
";

pub const MINUTE: i64 = 60_000_000;
pub const DAY: i64 = 1_440 * MINUTE;

/// The time now, to the second: what commands print.
#[expect(clippy::disallowed_methods, reason = "the commands under test look at the real clock")]
pub fn now() -> i64 {
    let now = jiff::Timestamp::now().as_microsecond();
    Instant::new(now, Precision::Second).micros()
}

/// A time as commands print it.
pub fn printed(micros: i64) -> String {
    Instant::from_micros(micros).to_string()
}

/// When the edits of a conflict were made.
pub fn edited() -> i64 {
    now() - 4 * DAY
}

/// A person.
pub fn person(name: &str) -> Actor {
    Actor { id: Some(name.into()), kind: ActorKind::Person }
}

/// A folder with settings and mappings, and a database for the ledger. The folder is removed when
/// the test ends; the database goes with its cluster.
pub struct Installation {
    pub folder: PathBuf,
    pub url: String,
}

impl Installation {
    /// One whose database is empty.
    pub async fn empty() -> Self {
        let server = server();
        let name = format!("queue_{}_{}", std::process::id(), next());
        let mut connection = PgConnection::connect(&server).await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("create database {name}"));
        connection.execute(statement).await.unwrap();
        let (base, _) = server.rsplit_once('/').unwrap();
        let folder = std::env::temp_dir().join(format!("syncline-{name}"));
        std::fs::create_dir_all(folder.join("mappings")).unwrap();
        let installation = Self { folder, url: format!("{base}/{name}") };
        installation.write("mappings/accounts.yaml", ACCOUNTS);
        installation.settings("syncline.yaml", "");
        installation
    }

    /// Writes settings with these lines more.
    pub fn settings(&self, name: &str, more: &str) {
        let settings = format!(
            "ledger: {{ url: \"{}\" }}\n{more}systems:\n  \
             crm: {{ kind: postgres, url: 'postgres://u@127.0.0.1:9/crm' }}\n  \
             ops: {{ kind: postgres, url: 'postgres://u@127.0.0.1:9/ops' }}\n",
            self.url
        );
        self.write(name, &settings);
    }

    /// Runs statements in its database.
    pub async fn sql(&self, text: &str) {
        let mut connection = PgConnection::connect(&self.url).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(text.to_owned())).await.unwrap();
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.join(name), text).unwrap();
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_syncline"))
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("USER", "jane")
            .output()
            .unwrap();
        Ran(output)
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A command that ended.
pub struct Ran(Output);

impl Ran {
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }
    pub fn text(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }
    pub fn errors(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }
    /// The one JSON object that it printed.
    pub fn json(&self) -> Json {
        let text = self.text();
        assert_eq!(text.lines().count(), 1, "{text}\n{}", self.errors());
        let told: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(told["syncline"], 1);
        told
    }
    /// The text of a command that went well.
    pub fn well(&self) -> String {
        assert_eq!(self.code(), Some(0), "{}\n{}", self.text(), self.errors());
        self.text()
    }
}

#[expect(clippy::disallowed_methods, reason = "the wrapper of the tests names its cluster there")]
fn server() -> String {
    std::env::var("SYNCLINE_TEST_POSTGRES_URL")
        .expect("SYNCLINE_TEST_POSTGRES_URL is not set: run the tests by make test")
}

fn next() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An engine that commits what a test wants to be in the ledger.
pub struct Engine {
    pub ledger: Postgres,
    pub mapping: MappingId,
    fence: Fence,
    ordinal: AtomicI32,
}

impl Engine {
    /// Owns the ledger until `until`, with the mapping known to it.
    pub async fn new(installation: &Installation, until: i64) -> Self {
        let pool = connect(&installation.url, Access::Encrypted).await.unwrap();
        migrate(&pool).await.unwrap();
        let ledger = Postgres::new(pool, None);
        let at = Instant::from_micros(0);
        let known = ledger.mapping("accounts", ACCOUNTS, at).await.unwrap();
        let owned = ledger.own("the engine", at, Instant::from_micros(until)).await.unwrap();
        let Ownership::Owned(fence) = owned else { panic!("{owned:?}") };
        Self { ledger, mapping: known.mapping, fence, ordinal: AtomicI32::new(0) }
    }

    /// Keeps what a side of the mapping is bound to: writable fields that may be null, as changed.
    pub async fn described(&self, side: Side, change: impl FnOnce(&mut EntitySchema)) {
        let field = |name: &str, kind: FieldType| FieldSchema {
            name: name.into(),
            kind,
            native: "native".into(),
            nullable: true,
            creatable: true,
            updatable: true,
            required: false,
            unique: false,
            external_id: false,
            normalizers: Vec::new(),
            filled: None,
        };
        let text = || FieldType::Text { chars_max: None };
        let (system, entity, names) = match side {
            Side::Left => ("crm", "Account", ["Name", "Phone", "Employees"]),
            Side::Right => ("ops", "public.accounts", ["name", "phone", "staff"]),
        };
        let kinds = [text(), text(), FieldType::Int { min: 0, max: 1_000 }];
        let mut schema = EntitySchema {
            entity: entity.into(),
            key: vec!["id".into()],
            fields: names.into_iter().zip(kinds).map(|(name, kind)| field(name, kind)).collect(),
            creatable: true,
            deletable: true,
            problems: Vec::new(),
            same: Vec::new(),
            fixed: Vec::new(),
        };
        change(&mut schema);
        let described = Description {
            system: system.into(),
            entity: entity.into(),
            schema,
            capabilities: capabilities(),
            gone: Vec::new(),
            at: Instant::from_micros(0),
        };
        self.ledger.keep_description(self.mapping, side, &described).await.unwrap();
    }

    /// Commits what `fill` puts into a changeset.
    pub async fn commit(&self, fill: impl FnOnce(&mut Changeset)) {
        let commit = self.ledger.reserve(1).await.unwrap().start;
        let mut changes =
            Changeset { commit, fence: self.fence, at: now(), ..Changeset::default() };
        fill(&mut changes);
        let committed = self.ledger.commit(&changes).await.unwrap();
        assert_eq!(committed, Committed::Committed);
    }

    /// An id within a commit.
    pub fn id(&self, changes: &Changeset) -> EntryId {
        let ordinal = self.ordinal.fetch_add(1, Ordering::Relaxed);
        EntryId { commit: changes.commit, ordinal }
    }

    /// A pair that was agreed on Acme, `+1`, 7.
    pub fn link(&self, number: u128) -> Link {
        let key = |side: char| Some(Key::from(format!("{side}{number}")));
        let image = vec![Value::from("Acme"), Value::from("+1"), Value::Int(7)];
        let base = Some(Base { exists: true, image });
        Link {
            shard: 7,
            epoch: 1,
            mapping_rev: 1,
            sync_version: 3,
            keys: Sides { left: key('L'), right: key('R') },
            base: Sides { left: base.clone(), right: base },
            ..Link::new(self.mapping, link_id(number), LinkState::Linked)
        }
    }

    /// A question about a link.
    pub fn question(&self, link: &Link, unit: Option<u16>, kind: ReviewKind) -> Review {
        Review {
            key: ReviewKey { mapping: self.mapping, link: link.id, unit, sync_version: 3 },
            id: 0,
            revision: 1,
            kind,
            shown: Sides::from_fn(|side| self.shown(link, side, unit)),
            status: ReviewStatus::Open,
            answer: None,
            entry: None,
            asked_at: now() - 3 * DAY,
        }
    }

    fn shown(&self, link: &Link, side: Side, unit: Option<u16>) -> Shown {
        let places = match unit {
            Some(unit) => vec![usize::from(unit)],
            None => vec![0, 1, 2],
        };
        let pending = &link.pending[side];
        Shown {
            exists: link.exists(side),
            values: places.iter().map(|at| link.observed(side, *at).clone()).collect(),
            base: places.iter().map(|at| link.base_value(side, *at).clone()).collect(),
            actor: pending.actor.clone(),
            at: pending.at,
        }
    }

    /// A pair whose phone was changed on both sides, held, with its question and its journal.
    pub async fn conflict(&self, number: u128, edited_at: i64) -> Review {
        let mut link = self.link(number);
        link.pending.left = edit("+2", person("Kim"), edited_at);
        link.pending.right = edit("+3", Actor::default(), edited_at + MINUTE);
        let held = UnitState { status: UnitStatus::Held, bounces: 0, replaced: 0 };
        link.field_state.set_unit(1, held);
        let question = self.question(&link, Some(1), ReviewKind::Conflict);
        self.commit(|changes| {
            let id = self.id(changes);
            link.last_entry = Some(id);
            let entry = EntryId { commit: 1, ordinal: 0 };
            let origin =
                Origin { side: Side::Left, actor: ActorKind::Person, entry, at: edited_at - DAY };
            link.origins = vec![Some(origin); 3];
            let observed = Side::BOTH.map(|side| observed(&link, side));
            changes.entries.push(Entry {
                id,
                mapping: self.mapping,
                link: link.id,
                previous: None,
                at: Instant::from_micros(edited_at + 2 * MINUTE),
                revision: 1,
                observed: observed.into(),
                decided: vec![Decided {
                    unit: Some(1),
                    verdict: Verdict::Hold,
                    left: vec![Value::from("+2")],
                    right: vec![Value::from("+3")],
                }],
                intent: None,
                settled: Vec::new(),
            });
            changes.links.push(LinkChange::Insert(link.clone()));
            changes.reviews.push(ReviewChange::Ask(question.clone()));
        })
        .await;
        question
    }
}

fn capabilities() -> Capabilities {
    Capabilities {
        cas: Cas::ExactField,
        receipt: ReceiptKind::Table,
        history: HistoryKind::None,
        feed: FeedKind::Images,
        unique_external_id: false,
        conditional_delete: true,
        recycle_bin: None,
        transactional: true,
        stored_image: true,
        search_lag: Duration::ZERO,
        request_horizon: Duration::ZERO,
        push_writes_max: 500,
        push_guarded_max: 500,
        fetch_keys_max: 500,
    }
}

pub fn link_id(number: u128) -> LinkId {
    LinkId(Uuid::from_u128(number))
}

fn edit(phone: &str, actor: Actor, at: i64) -> Pending {
    Pending {
        values: vec![(1, Value::from(phone))],
        actor,
        at: Some(Instant::from_micros(at)),
        foreign: true,
        closed: true,
        ..Pending::default()
    }
}

fn observed(link: &Link, side: Side) -> Observed {
    let pending = &link.pending[side];
    Observed {
        side,
        key: link.keys[side].clone().unwrap(),
        exists: None,
        values: vec![(1, Value::from("+1"), link.observed(side, 1).clone())],
        version: Version::default(),
        closed: true,
        actor: pending.actor.clone(),
        at: pending.at,
        server_time: None,
        group: None,
        marker: None,
    }
}

/// Closes a question.
pub async fn close(engine: &Engine, id: i64) {
    let review = review(engine, id).await;
    let change = ReviewChange::Close {
        key: review.key,
        read_revision: review.revision,
        read_status: review.status,
    };
    engine.commit(|changes| changes.reviews.push(change)).await;
}

/// A question as the ledger has it.
pub async fn review(engine: &Engine, id: i64) -> Review {
    engine.ledger.review(id).await.unwrap().unwrap()
}
