//! Edits by people: `/__sim/create`, `update`, `delete`, `undelete`, `purge`, `merge`, `seed`.

use serde::Deserialize;
use serde_json::{Map, Value as Raw, json};

use super::{Answered, Refusal, read};
use crate::org::{Id, Org};
use crate::rest::Http;

/// An edit; which members count depends on the verb.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    user: String,
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    commit_after_ms: u64,
    #[serde(default)]
    object: Option<String>,
    #[serde(default)]
    id: Option<Id>,
    #[serde(default)]
    winner: Option<Id>,
    #[serde(default)]
    losers: Vec<Id>,
    #[serde(default)]
    fields: Map<String, Raw>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seed {
    #[serde(default = "admin")]
    user: String,
    object: String,
    records: Vec<Map<String, Raw>>,
}

fn admin() -> String {
    String::from("admin@example.com")
}

pub(super) async fn route(org: &Org, http: &Http, verb: &str) -> Answered {
    if http.method != "POST" {
        return Err(Refusal::NotFound);
    }
    if verb == "seed" {
        let seed: Seed = read(http)?;
        let ids = org.seed(&seed.user, &seed.object, &seed.records)?;
        return Ok(json!({ "ids": ids }));
    }
    let edit: Edit = read(http)?;
    let mut person = org.person(&edit.user)?.committing_after(edit.commit_after_ms);
    if let Some(client) = &edit.client {
        person = person.through(client);
    }
    let need = |id: Option<Id>, name: &str| {
        id.ok_or_else(|| Refusal::BadInput(format!("{verb} needs the member {name}")))
    };
    let id = match verb {
        "create" => {
            let object = edit.object.as_deref().unwrap_or_default();
            person.create(object, &edit.fields).await?
        }
        "merge" => {
            let winner = need(edit.winner, "winner")?;
            person.merge(winner, &edit.losers, &edit.fields).await?;
            winner
        }
        _ => {
            let id = need(edit.id, "id")?;
            match verb {
                "update" => person.update(id, &edit.fields).await?,
                "delete" => person.delete(id).await?,
                "undelete" => person.undelete(id).await?,
                _ => person.purge(id).await?,
            }
            id
        }
    };
    Ok(json!({ "id": id, "seq": org.last_seq() }))
}
