//! What the judge is shown: both histories and the queue, in one language.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use salesforce_sim::HistoryEntry;
use serde_json::Value;
use syncline_core::model::{Review, ReviewStatus};
use syncline_core::{Side, Sides};
use syncline_ledger::postgres::Postgres;
use syncline_ledger::{People as _, ReviewQuery};
use syncline_sdk::Value as Shown;

use super::crm::{Crm, text};
use super::judge::{Author, Event, Evidence, Op, Question, Read};
use super::ops::{Change, Ops, SYNC};
use super::stage::Stage;
use super::world::{KEY, Kind, Pair};

/// Questions of one page of the queue.
const PAGE: usize = 500;

/// Where both histories are now.
pub(super) async fn last_seqs(crm: &Crm, ops: &Ops) -> anyhow::Result<Sides<u64>> {
    Ok(Sides { left: crm.last_seq().await?, right: ops.last_seq().await? })
}

/// Reads both histories and the queue.
pub(super) async fn gather(
    stage: &Stage,
    reads: Vec<Read>,
    seeded: Sides<u64>,
    quiet: Sides<u64>,
) -> anyhow::Result<Evidence> {
    let mut known = Known::default();
    let left = crm_events(&stage.crm, &mut known.left).await?;
    let right = ops_events(&stage.ops.history().await?, &mut known.right)?;
    let questions = questions(&stage.ledger, &known).await?;
    Ok(Evidence { events: Sides { left, right }, seeded, quiet, reads, questions })
}

/// The business keys of the records of each side.
type Known = Sides<BTreeMap<String, Pair>>;

async fn crm_events(crm: &Crm, known: &mut BTreeMap<String, Pair>) -> anyhow::Result<Vec<Event>> {
    let entries = crm.history().await?;
    let mut events = Vec::new();
    for entry in &entries {
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.object() == entry.object) {
            events.push(crm_event(crm, kind, entry, known)?);
        }
    }
    Ok(events)
}

fn crm_event(
    crm: &Crm,
    kind: Kind,
    entry: &HistoryEntry,
    known: &mut BTreeMap<String, Pair>,
) -> anyhow::Result<Event> {
    let op = match entry.op.as_str() {
        "create" => Op::Create,
        "update" => Op::Update,
        "delete" => Op::Delete,
        "undelete" => Op::Undelete,
        other => bail!("the CRM's history tells of a {other}, which nobody does in this demo"),
    };
    let place = |name: &str| kind.fields().iter().position(|field| field.crm == name);
    let mut changes = Vec::new();
    // A record that is deleted or brought back keeps its values.
    for change in entry.changes.iter().filter(|_| matches!(op, Op::Create | Op::Update)) {
        if let Some(field) = place(&change.field) {
            changes.push((field, text(Some(&change.new))));
        }
    }
    let author = if entry.user == crm.integration_user { Author::Sync } else { Author::Person };
    Ok(told(
        Event { seq: entry.seq, author, op, kind, record: entry.id.to_string(), changes },
        known,
    ))
}

fn ops_events(
    history: &[Change],
    known: &mut BTreeMap<String, Pair>,
) -> anyhow::Result<Vec<Event>> {
    let mut events = Vec::new();
    for change in history {
        let kind = Kind::ALL.into_iter().find(|kind| kind.table() == change.entity);
        let kind = kind.with_context(|| format!("the history of ops names {}", change.entity))?;
        let op = match change.op.as_str() {
            "INSERT" => Op::Create,
            "UPDATE" => Op::Update,
            "DELETE" => Op::Delete,
            other => bail!("the history of ops tells of a {other}"),
        };
        let value =
            |row: &Option<Value>, name: &str| row.as_ref().and_then(|row| text(row.get(name)));
        let mut changes = Vec::new();
        for (at, field) in kind.fields().iter().enumerate().filter(|_| op != Op::Delete) {
            let (old, new) = (value(&change.before, field.ops), value(&change.after, field.ops));
            if old != new {
                changes.push((at, new));
            }
        }
        let author = if change.author == SYNC { Author::Sync } else { Author::Person };
        events.push(told(
            Event {
                seq: u64::try_from(change.seq)?,
                author,
                op,
                kind,
                record: change.record.clone(),
                changes,
            },
            known,
        ));
    }
    Ok(events)
}

/// Notes who the record is, and names the account that it refers to by its business key, so that
/// references of both sides can be compared.
fn told(mut event: Event, known: &mut BTreeMap<String, Pair>) -> Event {
    if event.op == Op::Create {
        let key = event.changes.iter().find(|(field, _)| *field == KEY);
        if let Some(key) = key.and_then(|(_, value)| value.clone()) {
            known.insert(event.record.clone(), Pair { kind: event.kind, key });
        }
    }
    for (field, value) in &mut event.changes {
        if Some(*field) == event.kind.reference()
            && let Some(id) = value
            && let Some(account) = known.get(id)
        {
            *value = Some(account.key.clone());
        }
    }
    event
}

/// The questions of the queue that are not closed.
async fn questions(ledger: &Postgres, known: &Known) -> anyhow::Result<Vec<Question>> {
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let query = ReviewQuery { after, max: PAGE, ..ReviewQuery::default() };
        let page = ledger.reviews(&query).await.context("the review queue")?;
        for review in page.iter().filter(|review| review.status != ReviewStatus::Closed) {
            found.extend(question(ledger, known, review).await?);
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.id,
            _ => return Ok(found),
        }
    }
}

/// A question, about the pair that one of the link's records belongs to. One whose records are
/// in neither history helps nobody, and is no excuse for anything.
async fn question(
    ledger: &Postgres,
    known: &Known,
    review: &Review,
) -> anyhow::Result<Option<Question>> {
    let link = ledger.link(review.key.link).await.context("the link of a question")?;
    let pair = link.and_then(|link| {
        Side::BOTH.into_iter().find_map(|side| {
            let key = link.keys[side].as_ref()?.to_string();
            known[side].get(&key).cloned()
        })
    });
    let values =
        review.shown.iter().flat_map(|(_, shown)| &shown.values).filter_map(|value| match value {
            Shown::Text(text) => Some(text.to_string()),
            _ => None,
        });
    Ok(pair.map(|pair| Question {
        pair,
        field: review.key.unit.map(usize::from),
        values: values.collect(),
    }))
}
