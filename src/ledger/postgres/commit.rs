//! A commit: one transaction.

use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::{Connection, PgConnection};
use syncline_core::model::{Changeset, LinkChange};

use super::decided::{self, Pass};
use super::error::{is_moved, meaning};
use super::keyring::{LinkKeys, Name};
use super::{
    Postgres, alias, awaits, batch, claim, figure, gap, hint, journal, link, link_key, parked,
    position, review_change, tally,
};
use crate::{Committed, LedgerError, Result};

const WHAT: &str = "commit";

/// Why a commit did not go on.
enum Stop {
    /// A guard does not hold.
    Moved(String),
    /// The database said so.
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Stop {
    fn from(error: sqlx::Error) -> Self {
        if is_moved(&error) { Self::Moved(words(&error)) } else { Self::Failed(error) }
    }
}

/// The first row that is taken, in the database's words.
fn words(error: &sqlx::Error) -> String {
    let detail = error.as_database_error().and_then(|error| {
        let error = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()?;
        Some(format!("{}: {}", error.constraint()?, error.detail()?))
    });
    detail.unwrap_or_else(|| error.to_string())
}

/// Everything of a changeset that needs work before it is sent, done before the transaction
/// starts, so that rows are locked for as short as may be.
struct Prepared<'a> {
    changeset: &'a Changeset,
    inserts: link::Columns,
    updates: (link::Columns, link::Guards),
    key_updates: (link::Columns, link::Guards),
    entries: journal::Columns,
    batches: batch::Changes,
    reviews: review_change::Changes,
    parked: parked::Columns,
    /// The keys of links that have none yet, sealed.
    keys: Vec<(Name, Vec<u8>)>,
}

impl<'a> Prepared<'a> {
    fn new(changeset: &'a Changeset, keys: LinkKeys) -> Result<Self> {
        let mut inserts = link::Columns::default();
        let mut updates = (link::Columns::default(), link::Guards::default());
        let mut key_updates = (link::Columns::default(), link::Guards::default());
        for change in &changeset.links {
            match change {
                LinkChange::Insert(link) => inserts.add(link, true, &keys)?,
                LinkChange::Update { guard, link, keys_changed } => {
                    let columns = if *keys_changed { &mut key_updates } else { &mut updates };
                    columns.0.add(link, *keys_changed, &keys)?;
                    columns.1.push(guard)?;
                }
            }
        }
        Ok(Self {
            changeset,
            inserts,
            updates,
            key_updates,
            entries: journal::Columns::new(&changeset.entries, &keys)?,
            batches: batch::Changes::new(&changeset.batches)?,
            reviews: review_change::Changes::new(&changeset.reviews, &keys)?,
            parked: parked::Columns::new(&changeset.parked, &keys)?,
            keys: keys.made,
        })
    }
}

impl Postgres {
    /// Makes a changeset durable.
    pub(super) async fn make_durable(&self, changeset: &Changeset) -> Result<Committed> {
        let mut session = self.session(WHAT).await?;
        let keys = self.keyring.for_commit(session.connection(), changeset);
        let prepared = Prepared::new(changeset, self.bounded(WHAT, keys).await?)?;
        // From here on a lost connection may hide a commit that happened.
        let committing = AtomicBool::new(false);
        let connection = session.connection();
        let work = transaction(connection, &prepared, &committing);
        match self.bounded(WHAT, work).await {
            Ok(answer) => {
                if answer != Committed::Unknown {
                    session.done();
                }
                Ok(answer)
            }
            Err(LedgerError::Unavailable { .. }) if committing.load(Ordering::Relaxed) => {
                Ok(Committed::Unknown)
            }
            Err(error) => Err(error),
        }
    }
}

fn not_passed(passed: Pass, commit: i64) -> Option<Committed> {
    match passed {
        Pass::Open => None,
        Pass::Fenced => Some(Committed::Fenced),
        Pass::Taken => Some(Committed::Moved(format!("commit number {commit} is taken"))),
    }
}

fn failed(error: sqlx::Error) -> LedgerError {
    meaning(WHAT, error)
}

async fn transaction(
    connection: &mut PgConnection,
    prepared: &Prepared<'_>,
    committing: &AtomicBool,
) -> Result<Committed> {
    let commit = prepared.changeset.commit;
    let mut transaction = connection.begin().await.map_err(failed)?;
    let passed = decided::pass(&mut transaction, prepared.changeset).await.map_err(failed)?;
    if let Some(refused) = not_passed(passed, commit) {
        transaction.rollback().await.map_err(failed)?;
        return Ok(refused);
    }
    match apply(&mut transaction, prepared).await {
        Ok(()) => {}
        Err(Stop::Moved(moved)) => {
            transaction.rollback().await.map_err(failed)?;
            return Ok(Committed::Moved(name_moved(connection, prepared, moved).await));
        }
        Err(Stop::Failed(error)) => return Err(failed(error)),
    }
    committing.store(true, Ordering::Relaxed);
    match transaction.commit().await {
        Ok(()) => Ok(Committed::Committed),
        Err(error) if is_moved(&error) => Ok(Committed::Moved(words(&error))),
        Err(error) => Err(failed(error)),
    }
}

/// The guarded rows and the rest, in the order in which names become free before they are taken.
async fn apply(connection: &mut PgConnection, prepared: &Prepared<'_>) -> Result<(), Stop> {
    let changeset = prepared.changeset;
    write_links(connection, prepared).await?;
    if !prepared.keys.is_empty() {
        link_key::keep(connection, &prepared.keys).await?;
    }
    if !changeset.releases.is_empty() {
        claim::release(connection, &changeset.releases).await?;
    }
    if !changeset.claims.is_empty() && !claim::take(connection, &changeset.claims).await? {
        // LinkKeys are values of records, and these words are for the log.
        let links: Vec<String> =
            changeset.claims.iter().map(|claim| claim.link.to_string()).collect();
        let links = links.join(", ");
        return Err(Stop::Moved(format!("a business key of {links} belongs to another link")));
    }
    if !changeset.entries.is_empty() {
        journal::append(connection, &prepared.entries).await?;
    }
    if !changeset.batches.is_empty()
        && let Some(moved) = batch::change(connection, &prepared.batches).await?
    {
        return Err(Stop::Moved(moved));
    }
    if !changeset.reviews.is_empty()
        && let Some(moved) = review_change::change(connection, &prepared.reviews).await?
    {
        return Err(Stop::Moved(moved));
    }
    write_rest(connection, prepared).await?;
    Ok(())
}

async fn write_links(connection: &mut PgConnection, prepared: &Prepared<'_>) -> Result<(), Stop> {
    let epoch = prepared.changeset.fence.epoch;
    let (columns, guards) = &prepared.updates;
    if columns.len() > 0 {
        let touched = link::update(connection, epoch, columns, guards).await?;
        assert_touched(touched, columns)?;
    }
    let (columns, guards) = &prepared.key_updates;
    if columns.len() > 0 {
        let touched = link::update_with_keys(connection, epoch, columns, guards).await?;
        assert_touched(touched, columns)?;
    }
    if prepared.inserts.len() > 0 {
        let touched = link::insert(connection, epoch, &prepared.inserts).await?;
        assert_touched(touched, &prepared.inserts)?;
    }
    Ok(())
}

fn assert_touched(touched: u64, columns: &link::Columns) -> Result<(), Stop> {
    if touched == columns.len() as u64 {
        return Ok(());
    }
    Err(Stop::Moved(format!("{touched} of {} links are as they were loaded", columns.len())))
}

/// Names the first link that is not as it was loaded, where the guards of links are what failed.
async fn name_moved(
    connection: &mut PgConnection,
    prepared: &Prepared<'_>,
    otherwise: String,
) -> String {
    for (columns, guards) in [&prepared.updates, &prepared.key_updates] {
        if columns.len() > 0
            && let Ok(Some(first)) = link::first_moved(connection, columns, guards).await
        {
            return first;
        }
    }
    otherwise
}

/// What has no guard.
async fn write_rest(
    connection: &mut PgConnection,
    prepared: &Prepared<'_>,
) -> Result<(), sqlx::Error> {
    let changeset = prepared.changeset;
    if !changeset.aliases.is_empty() {
        alias::keep(connection, &changeset.aliases).await?;
    }
    if !changeset.hints_done.is_empty() {
        hint::remove(connection, &changeset.hints_done).await?;
    }
    if !changeset.hints.is_empty() {
        hint::add(connection, &changeset.hints).await?;
    }
    if !changeset.awaits_done.is_empty() {
        awaits::remove(connection, &changeset.awaits_done).await?;
    }
    if !changeset.awaits.is_empty() {
        awaits::add(connection, &changeset.awaits).await?;
    }
    if !changeset.arrived.is_empty() {
        let woken = awaits::wake(connection, &changeset.arrived).await?;
        if !woken.is_empty() {
            hint::add(connection, &woken).await?;
        }
    }
    if !changeset.positions.is_empty() {
        position::move_to(connection, changeset.at, &changeset.positions).await?;
    }
    if !changeset.unparked.is_empty() {
        parked::take_back(connection, &changeset.unparked).await?;
    }
    if !changeset.parked.is_empty() {
        parked::set_aside(connection, &prepared.parked).await?;
    }
    if !changeset.gaps.is_empty() {
        gap::keep(connection, &changeset.gaps).await?;
    }
    if !changeset.tallies.is_empty() {
        tally::raise(connection, &changeset.tallies).await?;
    }
    figure::raise(connection, &changeset.figures).await
}
