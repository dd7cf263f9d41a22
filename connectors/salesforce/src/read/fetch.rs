//! Look-ups by id, by link id, and by the value of a field.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use syncline_sdk::{
    Absence, EntityName, Error, ErrorKind, FetchBy, FetchRequest, Fetched, Key, LinkId, Result,
    Selection,
};

use super::matching::{chunks, conditions, gathered};
use crate::id::id18;
use crate::limits::{COMPOSITE_QUERIES_MAX, LOOKUP_ROWS_MAX, QUERY_CHARS_MAX, RETRIEVE_IDS_MAX};
use crate::org::{Org, unreadable};
use crate::version::Stamp;
use crate::wire::{
    QueryAnswer, Row, RowPlan, Shown, Wire, classify, encoded, faults, quoted, sub_bodies,
};

const LOOK_UP: &str = "look up";

/// Looks records up.
pub(crate) async fn fetch(org: &Org, request: &FetchRequest) -> Result<Fetched> {
    let first = once(org, request).await;
    if org.lost_field(&request.selection.entity, &first).await {
        return once(org, request).await;
    }
    first
}

async fn once(org: &Org, request: &FetchRequest) -> Result<Fetched> {
    let selection = &request.selection;
    match &request.by {
        FetchBy::Keys(keys) => by_keys(org, selection, keys).await,
        FetchBy::ExternalIds(links) => by_links(org, selection, links).await,
        FetchBy::Matching { field, normalize, values } => {
            let (described, plan) = org.plan(selection).await?;
            let field = field.as_str();
            let found = conditions(&selection.entity, &described, field, normalize, values)?;
            let set = described.field(field).is_some_and(|facts| facts.wire == Wire::Set);
            let room = room(&plan);
            let mut fetched = Fetched::default();
            let conditions = gathered(field, set, found, room);
            collect(org, selection, &plan, &conditions, false, &mut fetched).await?;
            once_each(&mut fetched);
            fetched.missing.clear();
            Ok(fetched)
        }
    }
}

async fn by_links(org: &Org, selection: &Selection, links: &[LinkId]) -> Result<Fetched> {
    let (described, plan) = org.plan(selection).await?;
    let Some(field) = described.link_field(selection) else {
        let what = format!("{} has no fit field for the link id", selection.entity);
        return Err(Error::new(ErrorKind::Config, LOOK_UP, what)
            .advise("make a unique external-id field and name it in the mapping"));
    };
    let literals = links.iter().map(|link| quoted(&link.to_string())).collect();
    let mut fetched = Fetched::default();
    let conditions = lists(field, literals, &plan);
    collect(org, selection, &plan, &conditions, false, &mut fetched).await?;
    once_each(&mut fetched);
    fetched.missing.clear();
    Ok(fetched)
}

/// Ids are asked for in batches of 2,000 by one call; those that do not come are looked for in
/// the recycle bin. What is not there either is not visible, and that is all that can be said:
/// a purged record and one that these credentials may no longer see look alike, so no canary
/// could make a deletion of it (protocol O7).
async fn by_keys(org: &Org, selection: &Selection, keys: &[Key]) -> Result<Fetched> {
    let (_, plan) = org.plan(selection).await?;
    let mut asked: HashMap<String, Key> = HashMap::new();
    let mut fetched = Fetched::default();
    for key in keys {
        match id18(key.as_str()) {
            Some(id) => drop(asked.insert(id, key.clone())),
            None => fetched.missing.push((key.clone(), Absence::NotVisible)),
        }
    }
    let mut ids: Vec<String> = asked.keys().cloned().collect();
    ids.sort_unstable();
    if plan.related() {
        by_ids_query(org, selection, &plan, ids.clone(), false, &mut fetched).await?;
    } else {
        for chunk in ids.chunks(RETRIEVE_IDS_MAX) {
            retrieve(org, selection, &plan, chunk, &mut fetched).await?;
        }
    }
    let came: HashSet<String> = {
        let live = fetched.records.iter().map(|record| record.key.as_str().to_owned());
        let gone = fetched.missing.iter().map(|(key, _)| key.as_str().to_owned());
        live.chain(gone).collect()
    };
    ids.retain(|id| !came.contains(id));
    if plan.tells_deleted() && !ids.is_empty() {
        let mut bin = Fetched::default();
        by_ids_query(org, selection, &plan, ids.clone(), true, &mut bin).await?;
        // A record that the second question shows alive came back in between; it is not absent,
        // and neither is it taken from an answer that was meant for the bin.
        fetched.missing.append(&mut bin.missing);
    }
    let explained: HashSet<Key> = fetched.missing.iter().map(|(key, _)| key.clone()).collect();
    for id in ids {
        let key = Key::new(id);
        if !explained.contains(&key) {
            fetched.missing.push((key, Absence::NotVisible));
        }
    }
    // Keys are answered in the form in which they were asked for.
    for (key, _) in &mut fetched.missing {
        if let Some(form) = asked.get(key.as_str()) {
            *key = form.clone();
        }
    }
    Ok(fetched)
}

async fn retrieve(
    org: &Org,
    selection: &Selection,
    plan: &RowPlan,
    ids: &[String],
    fetched: &mut Fetched,
) -> Result<()> {
    #[derive(Serialize)]
    struct Ask<'a> {
        ids: &'a [String],
        fields: &'a [String],
    }
    let entity = &selection.entity;
    let broken = |error| unreadable(LOOK_UP, entity, error);
    let ask = serde_json::to_vec(&Ask { ids, fields: plan.columns() }).map_err(broken)?;
    let path = org.data(&format!("composite/sobjects/{entity}"));
    let reply = org.post_read(LOOK_UP, entity, path, ask).await?;
    let rows: Vec<Option<Row<'_>>> = serde_json::from_slice(&reply.body).map_err(broken)?;
    let own = org.own_user();
    for row in rows.iter().flatten() {
        take(fetched, plan.shown(row, reply.floor, own.as_deref())?);
    }
    heard(fetched, reply.floor);
    Ok(())
}

async fn by_ids_query(
    org: &Org,
    selection: &Selection,
    plan: &RowPlan,
    ids: Vec<String>,
    all: bool,
    fetched: &mut Fetched,
) -> Result<()> {
    let literals = ids.iter().map(|id| quoted(id)).collect();
    collect(org, selection, plan, &lists("Id", literals, plan), all, fetched).await
}

/// Conditions on a field that together name all literals, each fit for one query.
fn lists(field: &str, literals: Vec<String>, plan: &RowPlan) -> Vec<String> {
    let lists = chunks(literals, room(plan)).into_iter();
    lists.map(|list| format!("{field} IN ({})", list.join(","))).collect()
}

/// All rows of a selection whose field holds one of these texts, the recycle bin included.
pub(crate) async fn by_text(
    org: &Org,
    selection: &Selection,
    field: &str,
    texts: &[String],
) -> Result<Fetched> {
    let (_, plan) = org.plan(selection).await?;
    let literals = texts.iter().map(|text| quoted(text)).collect();
    let mut fetched = Fetched::default();
    let conditions = lists(field, literals, &plan);
    collect(org, selection, &plan, &conditions, true, &mut fetched).await?;
    Ok(fetched)
}

/// Asks for the rows of each condition: one by a query, several by five queries a call.
async fn collect(
    org: &Org,
    selection: &Selection,
    plan: &RowPlan,
    conditions: &[String],
    all: bool,
    fetched: &mut Fetched,
) -> Result<()> {
    let entity = &selection.entity;
    let asked = Asked { org, entity, plan };
    let statement = |condition: &String| format!("{} WHERE {condition}", plan.select());
    for statements in conditions.chunks(COMPOSITE_QUERIES_MAX) {
        let statements: Vec<String> = statements.iter().map(statement).collect();
        if let [soql] = statements.as_slice() {
            let reply = org.query(LOOK_UP, entity, soql, all).await?;
            asked.pages(&reply.body, reply.floor, fetched).await?;
            continue;
        }
        let reply = org.queries(LOOK_UP, entity, &statements, all).await?;
        let bodies = sub_bodies(&reply.body, statements.len()).unwrap_or_default();
        for at in 0..statements.len() {
            let answered = bodies.get(at).copied().flatten();
            let Some((status, body)) = answered else {
                let what = format!("{entity}: unreadable answer");
                return Err(Error::new(ErrorKind::Protocol, LOOK_UP, what));
            };
            if status != 200 {
                return Err(classify(&faults(body), LOOK_UP, entity.as_str()).0);
            }
            asked.pages(body, reply.floor, fetched).await?;
        }
    }
    Ok(())
}

struct Asked<'a> {
    org: &'a Org,
    entity: &'a EntityName,
    plan: &'a RowPlan,
}

impl Asked<'_> {
    /// Takes the rows of a page, and of those that follow it.
    async fn pages(&self, body: &[u8], floor: Option<Stamp>, fetched: &mut Fetched) -> Result<()> {
        let mut next = self.page(body, floor, fetched)?;
        while let Some(place) = next {
            let reply = self.org.query_next(LOOK_UP, self.entity, &place).await?;
            next = self.page(&reply.body, reply.floor, fetched)?;
        }
        Ok(())
    }

    /// Takes the rows of a page; gives the place of the next one.
    fn page(
        &self,
        body: &[u8],
        floor: Option<Stamp>,
        fetched: &mut Fetched,
    ) -> Result<Option<String>> {
        let entity = self.entity;
        let answer: QueryAnswer<'_> =
            serde_json::from_slice(body).map_err(|error| unreadable(LOOK_UP, entity, error))?;
        let own = self.org.own_user();
        for row in &answer.records {
            take(fetched, self.plan.shown(row, floor, own.as_deref())?);
        }
        heard(fetched, floor);
        if fetched.records.len() > LOOKUP_ROWS_MAX {
            let what = format!("{entity}: more than {LOOKUP_ROWS_MAX} records match");
            return Err(Error::new(ErrorKind::Config, LOOK_UP, what)
                .advise("match by a field whose values are nearly unique"));
        }
        Ok(answer.next.filter(|_| !answer.done).map(|next| next.to_string()))
    }
}

fn take(fetched: &mut Fetched, shown: Shown) {
    match shown {
        Shown::Live(record) => fetched.records.push(record),
        Shown::Gone(key, absence) => fetched.missing.push((key, absence)),
    }
}

/// Several answers make one: its clock is the earliest of theirs.
fn heard(fetched: &mut Fetched, floor: Option<Stamp>) {
    let floor = floor.map(Stamp::instant);
    fetched.server_time = match (fetched.server_time, floor) {
        (Some(known), Some(floor)) => Some(known.min(floor)),
        (known, floor) => known.or(floor),
    };
}

/// Conditions overlap: a record that two of them found is answered once.
fn once_each(fetched: &mut Fetched) {
    let mut seen = HashSet::new();
    fetched.records.retain(|record| seen.insert(record.key.clone()));
}

/// What a condition may take of the request line beside the select list.
fn room(plan: &RowPlan) -> usize {
    QUERY_CHARS_MAX.saturating_sub(encoded(&plan.select()).len()).max(500)
}
