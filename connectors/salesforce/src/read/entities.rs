//! The objects of an org.

use serde::Deserialize;
use syncline_sdk::{EntityOutline, Error, ErrorKind, Result};

use crate::org::Org;
use crate::wire::Call;

const LIST: &str = "list entities";

/// An item of the global describe (REST guide, Describe Global).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    name: String,
    label: String,
    queryable: bool,
    retrieveable: bool,
    createable: bool,
    updateable: bool,
    #[serde(default)]
    deprecated_and_hidden: bool,
    /// `History`, `Share`, `Feed`: what goes with another object.
    #[serde(default)]
    associate_entity_type: Option<String>,
}

impl Item {
    /// Records of what goes with another object are nobody's to map.
    fn can_be_mapped(&self) -> bool {
        let readable = self.queryable && self.retrieveable && !self.deprecated_and_hidden;
        readable && self.associate_entity_type.is_none()
    }
}

/// The objects that our user may read.
pub(crate) async fn entities(org: &Org) -> Result<Vec<EntityOutline>> {
    #[derive(Deserialize)]
    struct Global {
        sobjects: Vec<Item>,
    }
    let call = Call::get(LIST, "objects", org.data("sobjects"));
    let reply = org.transport.send(&call).await?;
    let global: Global = serde_json::from_slice(&reply.body).map_err(|error| {
        Error::new(ErrorKind::Protocol, LIST, "the list of objects cannot be read")
            .advise("check that url leads to Salesforce")
            .caused_by(error)
    })?;
    let mut known: Vec<EntityOutline> = global
        .sobjects
        .into_iter()
        .filter(Item::can_be_mapped)
        .map(|item| EntityOutline {
            entity: item.name.as_str().into(),
            label: Some(item.label.into()),
            writable: item.createable || item.updateable,
            records: None,
        })
        .collect();
    known.sort_by(|a, b| a.entity.cmp(&b.entity));
    Ok(known)
}
