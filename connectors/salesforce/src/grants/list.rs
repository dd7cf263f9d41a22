//! All pieces in their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline_sdk::{EntityName, Grant, Selection};

use super::{fields, login, rights};
use crate::settings::SalesforceSettings;
use crate::wire::Described;

/// What an entity was described as, where it was.
pub(crate) type Known<'a> = &'a dyn Fn(&EntityName) -> Option<Arc<Described>>;

/// Every piece of set-up, those first without which nothing runs.
pub(crate) fn grants(
    settings: &SalesforceSettings,
    selections: &[&Selection],
    known: Known<'_>,
) -> Vec<Grant> {
    let entities = by_entity(selections);
    let mut grants = vec![
        login::integration_user(),
        login::external_client_app(settings),
        rights::permission_set(&entities, known),
    ];
    for entity in &entities {
        grants.push(fields::external_id(entity));
        grants.push(fields::marker(entity));
        grants.push(fields::history(entity, known(&entity.entity).as_deref()));
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
        let grants = grants(&settings, &[&one, &other], &|_| None);
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
    #[test]
    fn a_description_decides_which_rights_can_be_given() {
        let json = r#"{"name":"Account","queryable":true,"updateable":true,"fields":[
            {"name":"Name","type":"string","permissionable":false},
            {"name":"Phone","type":"phone","permissionable":true},
            {"name":"Master__c","type":"reference","permissionable":false},
            {"name":"Sum__c","type":"currency","permissionable":true,"calculated":true},
            {"name":"Number__c","type":"string","permissionable":true,"autoNumber":true},
            {"name":"HomeCity","type":"string","permissionable":true,
             "compoundFieldName":"HomeAddress"},
            {"name":"HomeAddress","type":"address","permissionable":true},
            {"name":"FirstName","type":"string","permissionable":true,
             "compoundFieldName":"Name"},
            {"name":"Old","type":"string"}]}"#;
        let known = Arc::new(crate::wire::described(json.as_bytes(), None).unwrap());
        let fields = [
            "Name",
            "Phone",
            "Master__c",
            "Sum__c",
            "Number__c",
            "HomeCity",
            "FirstName",
            "Old",
            "Hidden__c",
        ];
        let selection = selection(&fields, None);
        let settings = SalesforceSettings::new("https://acme.my.salesforce.com", "id");
        let told = |known: Known<'_>| grants(&settings, &[&selection], known);
        let described = told(&|_| Some(known.clone()));
        let steps = &described.iter().find(|it| it.piece.starts_with("permission")).unwrap().steps;
        let xml = &steps.iter().find(|step| step.title.ends_with("-meta.xml")).unwrap().text;
        let right = |field: &str| {
            let at = xml.find(&format!("Account.{field}<"))?;
            let editable = xml[..at].rfind("<editable>")? + "<editable>".len();
            Some(xml[editable..].starts_with("true"))
        };
        for (field, wanted) in [
            ("Name", None),
            ("Phone", Some(true)),
            ("Master__c", None),
            ("Sum__c", Some(false)),
            ("Number__c", Some(false)),
            ("HomeCity", None),
            ("HomeAddress", Some(true)),
            ("FirstName", Some(true)),
            ("Old", Some(true)),
            ("Hidden__c", Some(true)),
            ("Syncline_Id__c", Some(true)),
        ] {
            assert_eq!(right(field), wanted, "{field}: {xml}");
        }
        let doubt = &steps[0];
        assert!(doubt.text.contains("Account.Hidden__c, Account.Old"), "{}", doubt.text);
        assert!(!doubt.text.contains("Phone"), "{}", doubt.text);
        let history = described.iter().find(|it| it.piece.starts_with("field history")).unwrap();
        assert!(!history.steps[0].text.contains("Sum__c"), "{}", history.steps[0].text);
        // Without a description nothing is known of any.
        let guessed = told(&|_| None);
        let steps = &guessed.iter().find(|it| it.piece.starts_with("permission")).unwrap().steps;
        assert!(steps[0].text.contains("Account.Phone"), "{}", steps[0].text);
        assert!(steps[0].text.contains("Account.Master__c"), "{}", steps[0].text);
    }
}
