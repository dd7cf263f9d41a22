//! The simulated CRM as people use it, and its own history. All of it goes through the control
//! API, which counts as no API call.

use std::time::Duration;

use anyhow::{Context as _, bail};
use reqwest::Method;
use salesforce_sim::HistoryEntry;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::world::{KEY, Kind};

/// How long the org may take: an edit waits for a lock at most 10 seconds.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Calls that the org allows a day, as one with some thousand licences does: a demo that is left
/// running makes in minutes the edits of days.
const DAILY_CALLS: u64 = 5_000_000;
/// Entries of one page of the history.
const PAGE: usize = 10_000;

/// The org, from outside.
#[derive(Clone, Debug)]
pub(super) struct Crm {
    http: reqwest::Client,
    base: String,
    /// Who the sync is, in the org's history.
    pub integration_user: String,
}

/// What became of a person's edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Saved<T> {
    /// It is saved.
    Done(T),
    /// The system refused it: the record is gone, or somebody holds it.
    Refused(String),
}

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Made {
    id: String,
}

#[derive(Deserialize)]
struct Records {
    records: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Info {
    integration_user: String,
    last_seq: u64,
}

#[derive(Deserialize)]
struct Counts {
    total: u64,
}

#[derive(Deserialize)]
struct History {
    entries: Vec<HistoryEntry>,
}

impl Crm {
    /// The org at an address.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).no_proxy().build()?;
        let base = format!("{}/__sim", url.trim_end_matches('/'));
        let mut crm = Self { http, base, integration_user: String::new() };
        crm.integration_user = crm.info().await?.integration_user;
        let limits = json!({ "max": DAILY_CALLS, "used": 0 });
        match crm.call::<Value>(Method::POST, "limits", Some(limits)).await? {
            Saved::Done(_) => Ok(crm),
            Saved::Refused(why) => bail!("the CRM refused its daily allowance: {why}"),
        }
    }

    /// Saves many records at once as an administrator; gives their ids.
    pub async fn seed(&self, kind: Kind, records: &[Value]) -> anyhow::Result<Vec<String>> {
        let body = json!({ "user": "importer@example.com", "object": kind.object(),
                           "records": records });
        match self.call::<Ids>(Method::POST, "seed", Some(body)).await? {
            Saved::Done(made) => Ok(made.ids),
            Saved::Refused(why) => bail!("the CRM refused the seeds: {why}"),
        }
    }

    /// Makes a record as a person.
    pub async fn create(
        &self,
        who: &str,
        kind: Kind,
        fields: Map<String, Value>,
    ) -> anyhow::Result<Saved<String>> {
        let body = json!({ "user": who, "client": "desk", "object": kind.object(),
                           "fields": fields });
        let made = self.call::<Made>(Method::POST, "create", Some(body)).await?;
        Ok(match made {
            Saved::Done(made) => Saved::Done(made.id),
            Saved::Refused(why) => Saved::Refused(why),
        })
    }

    /// Changes fields of a record as a person.
    pub async fn update(
        &self,
        who: &str,
        id: &str,
        fields: Map<String, Value>,
    ) -> anyhow::Result<Saved<()>> {
        let body = json!({ "user": who, "client": "desk", "id": id, "fields": fields });
        self.edit("update", body).await
    }

    /// Deletes a record as a person.
    pub async fn delete(&self, who: &str, id: &str) -> anyhow::Result<Saved<()>> {
        self.edit("delete", json!({ "user": who, "client": "desk", "id": id })).await
    }

    /// A record as a person sees it; nothing when it is gone.
    pub async fn record(&self, id: &str) -> anyhow::Result<Option<Map<String, Value>>> {
        let found = self.call(Method::GET, &format!("record/{id}"), None).await;
        let record: Map<String, Value> = match found? {
            Saved::Done(record) => record,
            Saved::Refused(_) => return Ok(None),
        };
        let is_deleted = record.get("IsDeleted").and_then(Value::as_bool).unwrap_or(false);
        Ok((!is_deleted).then_some(record))
    }

    /// Every live record: its id and its business key.
    pub async fn keys(&self, kind: Kind) -> anyhow::Result<Vec<(String, String)>> {
        let path = format!("records/{}", kind.object());
        let Saved::Done(found) = self.call::<Records>(Method::GET, &path, None).await? else {
            bail!("the CRM does not list its records");
        };
        let key = kind.fields()[KEY].crm;
        let pairs = found
            .records
            .iter()
            .filter_map(|record| Some((text(record.get("Id"))?, text(record.get(key))?)));
        Ok(pairs.collect())
    }

    /// The whole history of its records, in the order of the commits.
    pub async fn history(&self) -> anyhow::Result<Vec<HistoryEntry>> {
        self.history_since(0).await
    }

    /// The history after a save, in the order of the commits.
    pub async fn history_since(&self, seq: u64) -> anyhow::Result<Vec<HistoryEntry>> {
        let mut all: Vec<HistoryEntry> = Vec::new();
        loop {
            let since = all.last().map_or(seq, |entry| entry.seq);
            let path = format!("history?since={since}&limit={PAGE}");
            let Saved::Done(page) = self.call::<History>(Method::GET, &path, None).await? else {
                bail!("the CRM does not show its history");
            };
            let is_last = page.entries.len() < PAGE;
            all.extend(page.entries);
            if is_last {
                return Ok(all);
            }
        }
    }

    /// The number of the last committed save.
    pub async fn last_seq(&self) -> anyhow::Result<u64> {
        Ok(self.info().await?.last_seq)
    }

    /// How many API calls were made.
    pub async fn api_calls(&self) -> anyhow::Result<u64> {
        match self.call::<Counts>(Method::GET, "requests/counts", None).await? {
            Saved::Done(counts) => Ok(counts.total),
            Saved::Refused(why) => bail!("the CRM does not count its calls: {why}"),
        }
    }

    async fn info(&self) -> anyhow::Result<Info> {
        match self.call::<Info>(Method::GET, "", None).await? {
            Saved::Done(info) => Ok(info),
            Saved::Refused(why) => bail!("the CRM says nothing of itself: {why}"),
        }
    }

    async fn edit(&self, verb: &str, body: Value) -> anyhow::Result<Saved<()>> {
        Ok(match self.call::<Made>(Method::POST, verb, Some(body)).await? {
            Saved::Done(_) => Saved::Done(()),
            Saved::Refused(why) => Saved::Refused(why),
        })
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<Saved<T>> {
        let what = || format!("the simulated CRM ({path})");
        let mut request = self.http.request(method, format!("{}/{path}", self.base));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.with_context(what)?;
        match answer.status().as_u16() {
            200 => Ok(Saved::Done(answer.json().await.with_context(what)?)),
            404 | 422 => Ok(Saved::Refused(answer.text().await.with_context(what)?)),
            status => bail!("{}: {status} {}", what(), answer.text().await.unwrap_or_default()),
        }
    }
}

/// A value as text.
pub(super) fn text(value: Option<&Value>) -> Option<String> {
    match value {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    }
}
