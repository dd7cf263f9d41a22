//! What an org should have, found or missing.

use serde::Deserialize;
use syncline_sdk::{Error, ErrorKind, Guarantee, Health, Piece, Result, Selection};

use crate::connector::external_id_fits;
use crate::limits::{LINK_ID_CHARS, MARKER_CHARS};
use crate::org::Org;
use crate::read::history_object;
use crate::wire::{Call, Described, PERSON_FLAG, RECORD_TYPE, RECORD_TYPE_ID};

/// Looks at the org. Changes nothing.
pub(crate) async fn check(org: &Org, selections: &[&Selection]) -> Result<Health> {
    let session = org.transport.login().session(None).await?;
    let mut pieces = vec![served_version(org).await?];
    for selection in selections {
        match org.describe(&selection.entity).await {
            Ok(described) => {
                entity_pieces(selection, &described, &mut pieces);
                pieces.push(history_piece(org, selection).await?);
            }
            Err(error) if error.kind == ErrorKind::Schema => pieces.push(Piece {
                name: format!("entity {}", selection.entity),
                present: false,
                required: true,
                made: false,
                detail: "it is not there, or hidden from the integration user: check the name in \
                         the mapping, and the user's rights"
                    .to_owned(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(Health {
        version: format!("Salesforce v{}", org.settings.api_version),
        identity: session.org.clone(),
        user: user_name(org, &session.user).await,
        guarantee: Guarantee::Coarse,
        pieces,
    })
}

/// Makes sure that each entity can be read and polled.
pub(crate) async fn prepare(org: &Org, selections: &[&Selection]) -> Result<()> {
    for selection in selections {
        let described = org.describe(&selection.entity).await?;
        let readable = described.stamp.is_some();
        if let (false, Some(problem)) = (readable, described.schema.problems.first()) {
            return Err(Error::new(ErrorKind::Schema, "prepare", problem.clone())
                .advise("nothing was made on Salesforce"));
        }
    }
    Ok(())
}

async fn served_version(org: &Org) -> Result<Piece> {
    #[derive(Deserialize)]
    struct Served {
        version: String,
    }
    let wanted = org.settings.api_version.as_str();
    let call = Call::get("check", "versions", "/services/data".to_owned());
    let reply = org.transport.send(&call).await?;
    let served: Vec<Served> = serde_json::from_slice(&reply.body).map_err(|error| {
        Error::new(ErrorKind::Protocol, "check", "the list of API versions cannot be read")
            .advise("check that url leads to Salesforce")
            .caused_by(error)
    })?;
    let present = served.iter().any(|served| served.version == wanted);
    let newest = served.last().map_or("none", |served| served.version.as_str());
    Ok(Piece {
        name: "API version".to_owned(),
        present,
        required: true,
        made: false,
        detail: if present {
            format!("v{wanted} is served, the newest is v{newest}")
        } else {
            format!("v{wanted} is not served: set api_version to {newest}")
        },
    })
}

/// The login name of our user; its id where the user may not read that.
async fn user_name(org: &Org, id: &str) -> String {
    #[derive(Deserialize)]
    struct User {
        #[serde(rename = "Username")]
        name: String,
    }
    let path = org.data(&format!("sobjects/User/{id}?fields=Username"));
    let call = Call::get("check", "user", path);
    let reply = org.transport.send(&call).await.ok();
    let user = reply.and_then(|reply| serde_json::from_slice::<User>(&reply.body).ok());
    user.map_or_else(|| id.to_owned(), |user| user.name)
}

fn entity_pieces(selection: &Selection, described: &Described, pieces: &mut Vec<Piece>) {
    let entity = &selection.entity;
    let problems = &described.schema.problems;
    pieces.push(Piece {
        name: format!("entity {entity}"),
        present: problems.is_empty(),
        required: true,
        made: false,
        detail: if problems.is_empty() {
            format!("{} fields are visible", described.schema.fields.len())
        } else {
            problems.join("; ")
        },
    });
    pieces.push(external_id_piece(selection, described));
    pieces.push(marker_piece(selection, described));
    pieces.extend(person_accounts_piece(selection, described));
    pieces.extend(record_types_piece(selection, described));
    let hidden: Vec<&str> = selection
        .fields
        .iter()
        .filter(|name| !described.shows(name))
        .map(syncline_sdk::FieldName::as_str)
        .collect();
    if !hidden.is_empty() {
        pieces.push(Piece {
            name: format!("mapped fields of {entity}"),
            present: false,
            required: false,
            made: false,
            detail: format!(
                "not there, or hidden from the integration user, and read as absent: {}; give \
                 the user the right to read them, or correct the mapping",
                hidden.join(", ")
            ),
        });
    }
}

/// People are accounts and contacts at once where an org has person accounts: a mapping says
/// which of them it means.
fn person_accounts_piece(selection: &Selection, described: &Described) -> Option<Piece> {
    let flag = PERSON_FLAG;
    // Looked at before it is bound, a mapping names the fields of its filter and no more.
    if !described.has(flag) || selection.fields.iter().any(|field| field.as_str() == flag) {
        return None;
    }
    let entity = &selection.entity;
    Some(Piece {
        name: format!("person accounts in {entity}"),
        present: false,
        required: false,
        made: false,
        detail: format!(
            "this org has person accounts, which are rows of Account and of Contact alike: add \
             {flag} = false (or = true) to the where of the mapping of {entity}, so that people \
             are not carried over twice and names are written only where they can be"
        ),
    })
}

/// Record types that a mapping may have to give to records, and our user has not been given.
fn record_types_piece(selection: &Selection, described: &Described) -> Option<Piece> {
    let mut fields = selection.fields.iter().map(syncline_sdk::FieldName::as_str);
    let withheld = described.record_types.withheld();
    if withheld.is_empty() || !fields.any(|name| [RECORD_TYPE, RECORD_TYPE_ID].contains(&name)) {
        return None;
    }
    let entity = &selection.entity;
    Some(Piece {
        name: format!("record types of {entity}"),
        present: false,
        required: false,
        made: false,
        detail: format!(
            "the integration user may read, and not give to records: {}; where a mapping writes \
             them, assign them in the permission set (Object Settings, {entity}, Record Type \
             Assignments)",
            withheld.join(", ")
        ),
    })
}

/// The history that audits look at. Which fields it tells of nobody says.
async fn history_piece(org: &Org, selection: &Selection) -> Result<Piece> {
    let entity = &selection.entity;
    let place = history_object(entity);
    let present = org.described_if_there(&place).await?.is_some();
    Ok(Piece {
        name: format!("field history of {entity}"),
        present,
        required: false,
        made: false,
        detail: match present {
            true => format!(
                "{place} can be read: an edit of a tracked field that a write of ours replaced \
                 unseen is found there"
            ),
            false => format!(
                "{place} is not there, or hidden from the integration user: track the mapped \
                 fields (Setup, Object Manager, {entity}, Fields & Relationships, Set History \
                 Tracking); until then an edit made in the very second of a write of ours may be \
                 replaced without a trace"
            ),
        },
    })
}

fn external_id_piece(selection: &Selection, described: &Described) -> Piece {
    let entity = &selection.entity;
    let present = external_id_fits(selection, described);
    let detail = match (&selection.external_id, present) {
        (Some(field), true) => format!("{field} holds the link id: no create is made twice"),
        (Some(field), false) => format!(
            "{field} is missing or unfit: it must be a text of at least {LINK_ID_CHARS} \
             characters, unique, external id, and writable for the integration user; until then \
             a create whose answer is lost waits for a search or for a person"
        ),
        (None, _) => format!(
            "none is named: make a text field of {LINK_ID_CHARS} characters on {entity}, unique \
             and external id, and name it in the mapping; until then a create whose answer is \
             lost waits for a search or for a person"
        ),
    };
    Piece {
        name: format!("external id field of {entity}"),
        present,
        required: false,
        made: false,
        detail,
    }
}

fn marker_piece(selection: &Selection, described: &Described) -> Piece {
    let entity = &selection.entity;
    let present = described.marker_field(selection).is_some();
    let without = "until then an update whose answer is lost is judged by content alone, which \
                   may ask a person needlessly, and deletes cannot be guarded";
    let detail = match (&selection.marker, present) {
        (Some(field), true) => {
            format!("{field} holds the last intent: the receipt of updates, the fence of deletes")
        }
        (Some(field), false) => format!(
            "{field} is missing or unfit: it must be a text of at least {MARKER_CHARS} \
             characters, writable for the integration user; {without}"
        ),
        (None, _) => format!(
            "none is named: make a text field of {MARKER_CHARS} characters or more on {entity}, \
             and name it in the mapping; {without}"
        ),
    };
    Piece {
        name: format!("marker field of {entity}"),
        present,
        required: false,
        made: false,
        detail,
    }
}
