//! All pieces in their order.

use std::collections::BTreeSet;

use syncline_sdk::{Grant, Selection};

use super::{fields, login, rights};
use crate::settings::SalesforceSettings;

/// Every piece of set-up, those first without which nothing runs.
pub(crate) fn grants(settings: &SalesforceSettings, selections: &[&Selection]) -> Vec<Grant> {
    let entities = by_entity(selections);
    let mut grants = vec![
        login::integration_user(),
        login::external_client_app(settings),
        rights::permission_set(&entities),
    ];
    for entity in &entities {
        grants.push(fields::external_id(entity));
        grants.push(fields::marker(entity));
        grants.push(fields::history(entity));
    }
    grants
}

/// What all mappings of an entity read of it together: they share its fields.
fn by_entity(selections: &[&Selection]) -> Vec<Selection> {
    let mut entities: Vec<Selection> = Vec::new();
    for selection in selections {
        let Some(known) = entities.iter_mut().find(|known| known.entity == selection.entity) else {
            entities.push((*selection).clone());
            continue;
        };
        let filter = selection.filter.iter().flat_map(|filter| filter.fields());
        let named = selection.fields.iter().chain(&selection.actor).chain(filter);
        let mut fields = known.fields.to_vec();
        fields.extend(named.cloned());
        // Where two mappings name different ones, each needs its own.
        for (mine, theirs) in [
            (&mut known.external_id, &selection.external_id),
            (&mut known.marker, &selection.marker),
        ] {
            match (mine.as_ref(), theirs) {
                (None, Some(theirs)) => *mine = Some(theirs.clone()),
                (Some(mine), Some(theirs)) if mine != theirs => fields.push(theirs.clone()),
                _ => {}
            }
        }
        let mut seen = BTreeSet::new();
        fields.retain(|field| seen.insert(field.clone()));
        known.fields = fields.into();
    }
    entities
}

#[cfg(test)]
mod tests {
    use syncline_sdk::{Comparison, FieldName, Filter};

    use super::*;

    fn selection(fields: &[&str], external_id: Option<&str>) -> Selection {
        Selection {
            entity: "Account".into(),
            fields: fields.iter().map(|field| FieldName::new(*field)).collect(),
            external_id: external_id.map(FieldName::new),
            marker: None,
            actor: None,
            filter: None,
        }
    }

    #[test]
    fn mappings_of_one_entity_are_told_together() {
        let filter = Filter::Compare {
            field: "Region__c".into(),
            comparison: Comparison::Equal,
            value: "EU".into(),
        };
        let one = selection(&["Name", "Phone"], None);
        let other =
            Selection { filter: Some(filter), ..selection(&["Name", "Fax"], Some("Ours__c")) };
        let settings = SalesforceSettings::new("https://acme.my.salesforce.com", "id");
        let grants = grants(&settings, &[&one, &other]);
        let told = |piece: &str| {
            let grant = grants.iter().find(|grant| grant.piece.starts_with(piece)).unwrap();
            grant.steps.iter().map(|step| step.text.clone()).collect::<Vec<_>>().join("\n")
        };
        let rights = told("permission set");
        for field in ["Phone", "Fax", "Region__c", "Ours__c", "Syncline_Marker__c"] {
            assert!(rights.contains(&format!("Account.{field}<")), "{field}: {rights}");
        }
        assert!(!rights.contains("Syncline_Id__c"), "no field that is not made: {rights}");
        assert!(told("external id field of Account").contains("Ours__c"));
        let history = told("field history of Account");
        assert!(history.contains("Phone") && history.contains("Fax"), "{history}");
    }
}
