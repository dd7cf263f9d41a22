//! A book with one question in it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use crate::api::{
    Actor, Answer, Answered, Begun, Book, Caller, Conflict, ConflictQuery, ConflictSide, Engine,
    Failure, JournalEntry, JournalQuery, Link, LinkQuery, Mapping, Observed, ObservedQuery, Page,
    ParkedQuery, ParkedRecord, Replay, Report, ReportQuery, Request, Run, Scope, Status, System,
    TakenAnswer,
};

/// A token that may everything, and one that may read.
pub(super) const BOTH: &str = "both";
pub(super) const READS: &str = "reads";

/// What was done, and what was answered under keys.
#[derive(Default)]
pub(super) struct OneQuestion {
    pub answers: Mutex<Vec<(i64, String)>>,
    requests: Mutex<BTreeMap<String, Kept>>,
}

/// A request under a key: what was asked, and the answer once there is one.
type Kept = ([u8; 32], Option<(u16, String)>);

fn question(revision: i32) -> Conflict {
    let side = || ConflictSide {
        system: Some("crm".to_owned()),
        entity: Some("Account".to_owned()),
        key: Some("1".to_owned()),
        exists: true,
        fields: Vec::new(),
        actor: Actor { kind: "person".to_owned(), id: None },
        at: None,
    };
    Conflict {
        question: format!("7@{revision}"),
        id: 7,
        revision,
        status: "open".to_owned(),
        mapping: "accounts".to_owned(),
        link: "l".to_owned(),
        unit: None,
        sync_version: 1,
        kind: "conflict".to_owned(),
        answer_not_applied: None,
        rests: None,
        kind_side: None,
        what: "changed on both sides".to_owned(),
        reason: None,
        candidates: Vec::new(),
        asked_at: "2026-01-01T00:00:00Z".to_owned(),
        left: side(),
        right: side(),
        answer: None,
        answers: Vec::new(),
    }
}

fn nothing<T>() -> Answered<T> {
    Err(Failure::NotFound("there is nothing".to_owned()))
}

#[async_trait]
impl Book for OneQuestion {
    async fn caller(&self, digest: [u8; 32]) -> Answered<Option<Caller>> {
        let is = |token: &str| <[u8; 32]>::from(Sha256::digest(token)) == digest;
        let caller = |scopes: &[Scope]| Caller {
            token: 1,
            name: "console".to_owned(),
            scopes: scopes.to_vec(),
        };
        Ok(match digest {
            _ if is(BOTH) => Some(caller(&Scope::ALL)),
            _ if is(READS) => Some(caller(&[Scope::Read])),
            _ => None,
        })
    }
    async fn begin(&self, request: &Request) -> Answered<Begun> {
        let mut requests = self.requests.lock().unwrap();
        Ok(match requests.get(&request.key) {
            None => {
                requests.insert(request.key.clone(), (request.digest, None));
                Begun::New
            }
            Some((digest, _)) if *digest != request.digest => Begun::Other,
            Some((_, None)) => Begun::UnderWay,
            Some((_, Some((status, body)))) => Begun::Answered(*status, body.clone()),
        })
    }
    async fn end(&self, request: &Request, answer: Option<(u16, String)>) -> Answered<()> {
        let mut requests = self.requests.lock().unwrap();
        match answer {
            Some(answer) => {
                requests.insert(request.key.clone(), (request.digest, Some(answer)));
            }
            None => drop(requests.remove(&request.key)),
        }
        Ok(())
    }
    async fn status(&self) -> Answered<Status> {
        Ok(Status {
            engine: Engine {
                runs: true,
                owner: None,
                epoch: None,
                last_sign_of_life: None,
                lease_until: None,
            },
            ready: true,
            notes: Vec::new(),
            figures: BTreeMap::new(),
            questions: serde_json::Value::Null,
            streams: Vec::new(),
            schedules: Vec::new(),
            objectives: Vec::new(),
            gaps: Vec::new(),
            batches: Vec::new(),
            removed: Vec::new(),
        })
    }
    async fn systems(&self) -> Answered<Vec<System>> {
        Ok(Vec::new())
    }
    async fn mappings(&self) -> Answered<Vec<Mapping>> {
        Err(Failure::Unavailable("try again".to_owned()))
    }
    async fn reports(&self, _: ReportQuery) -> Answered<Page<Report>> {
        Ok(Page { items: Vec::new(), next: None })
    }
    async fn runs(&self) -> Answered<Vec<Run>> {
        Ok(Vec::new())
    }
    async fn report(&self) -> Answered<Report> {
        nothing()
    }
    async fn links(&self, _: LinkQuery) -> Answered<Page<Link>> {
        nothing()
    }
    async fn link(&self, id: &str) -> Answered<Link> {
        assert_ne!(id, "broken", "this link breaks whoever looks at it");
        nothing()
    }
    async fn link_journal(&self, _: &str, _: JournalQuery) -> Answered<Page<JournalEntry>> {
        nothing()
    }
    async fn journal(&self, _: JournalQuery) -> Answered<Page<JournalEntry>> {
        nothing()
    }
    async fn observed(&self, _: ObservedQuery) -> Answered<Page<Observed>> {
        Ok(Page { items: Vec::new(), next: None })
    }
    async fn conflicts(&self, query: ConflictQuery) -> Answered<Page<Conflict>> {
        let all = vec![question(2), question(3)];
        Ok(Page::new(all, query.limit as usize, |last| last.id.to_string()))
    }
    async fn conflict(&self, id: i64) -> Answered<Conflict> {
        if id == 7 { Ok(question(2)) } else { nothing() }
    }
    async fn answer(&self, id: i64, answer: Answer, by: &str) -> Answered<TakenAnswer> {
        if answer.revision != 2 {
            let why = "a value moved".to_owned();
            return Err(Failure::Moved(why, Box::new(question(2))));
        }
        if answer.retry {
            return Err(Failure::Unavailable("try again".to_owned()));
        }
        self.answers.lock().unwrap().push((id, by.to_owned()));
        let question = format!("{id}@2");
        let choice = serde_json::Value::Null;
        Ok(TakenAnswer { question, choice, by: by.to_owned(), engine_runs: true })
    }
    async fn parked(&self, _: ParkedQuery) -> Answered<Page<ParkedRecord>> {
        nothing()
    }
    async fn replay(&self, _: &str) -> Answered<Replay> {
        nothing()
    }
}
