//! All pieces in their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use syncline_sdk::{EntityName, FieldName, Grant, Need};

use super::{fields, login, rights};
use crate::settings::SalesforceSettings;
use crate::wire::Described;

/// What an entity was described as, where it was.
pub(crate) type Known<'a> = &'a dyn Fn(&EntityName) -> Option<Arc<Described>>;

/// Every piece of set-up, those first without which nothing runs.
pub(crate) fn grants(
    settings: &SalesforceSettings,
    needs: &[Need],
    known: Known<'_>,
) -> Vec<Grant> {
    let entities = by_entity(needs);
    let mut grants = vec![
        login::integration_user(),
        login::external_client_app(settings),
        rights::permission_set(&entities, known),
    ];
    // They serve what Syncline writes itself; what a mapping names must be there in any case.
    for entity in &entities {
        let (selection, writes) = (&entity.selection, entity.writes());
        if writes || selection.external_id.is_some() {
            grants.push(fields::external_id(selection));
        }
        if writes || selection.marker.is_some() {
            grants.push(fields::marker(selection));
        }
        if writes {
            grants.push(fields::history(selection, known(&selection.entity).as_deref()));
        }
    }
    grants
}

/// What all mappings of an entity do with it together: they share its fields.
fn by_entity(needs: &[Need]) -> Vec<Need> {
    let mut entities: Vec<Need> = Vec::new();
    for need in needs {
        let selection = &need.selection;
        let same = |known: &&mut Need| known.selection.entity == selection.entity;
        let Some(known) = entities.iter_mut().find(same) else {
            entities.push(need.clone());
            continue;
        };
        let filter = selection.filter.iter().flat_map(|filter| filter.fields());
        let named = selection.fields.iter().chain(&selection.actor).chain(filter);
        let mut fields = known.selection.fields.to_vec();
        fields.extend(named.cloned());
        known.texts = texts(known, need);
        known.written.extend(need.written.iter().cloned());
        // Where two mappings name different ones, each needs its own.
        let own = [
            (&mut known.selection.external_id, &selection.external_id),
            (&mut known.selection.marker, &selection.marker),
        ];
        for (mine, theirs) in own {
            match (mine.as_ref(), theirs) {
                (None, Some(theirs)) => *mine = Some(theirs.clone()),
                (Some(mine), Some(theirs)) if mine != theirs => {
                    fields.push(theirs.clone());
                    known.written.extend(need.writes().then(|| theirs.clone()));
                }
                _ => {}
            }
        }
        known.creates |= need.creates;
        known.deletes |= need.deletes;
        let mut seen = BTreeSet::new();
        fields.retain(|field| seen.insert(field.clone()));
        known.selection.fields = fields.into();
    }
    entities
}

/// The texts that two mappings may write to fields: those of both, where both say so.
fn texts(one: &Need, other: &Need) -> Vec<(FieldName, Vec<Arc<str>>)> {
    let of = |need: &Need, name: &FieldName| {
        let listed = need.texts.iter().find(|(field, _)| field == name);
        let unbounded = listed.is_none() && need.written.contains(name);
        (!unbounded).then(|| listed.map(|(_, texts)| texts.clone()).unwrap_or_default())
    };
    let mut names: Vec<&FieldName> =
        one.texts.iter().chain(&other.texts).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let both = |name: &FieldName| {
        let mut texts = [of(one, name)?, of(other, name)?].concat();
        texts.sort();
        texts.dedup();
        Some((name.clone(), texts))
    };
    names.into_iter().filter_map(both).collect()
}

#[cfg(test)]
mod tests {
    use syncline_sdk::{Comparison, Filter, Selection};

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

    /// A mapping that writes all that it reads.
    fn both_ways(selection: &Selection) -> Need {
        let written = selection.fields.to_vec();
        Need { written, creates: true, deletes: true, ..Need::reading(selection.clone()) }
    }

    /// The permission set's file.
    fn set(grants: &[Grant]) -> &str {
        let set = grants.iter().find(|it| it.piece.starts_with("permission")).unwrap();
        &set.steps.iter().find(|step| step.title.ends_with("-meta.xml")).unwrap().text
    }

    /// Whether a field may be written; nothing where no right to it is given.
    fn right(xml: &str, field: &str) -> Option<bool> {
        let at = xml.find(&format!("Account.{field}<"))?;
        let editable = xml[..at].rfind("<editable>")? + "<editable>".len();
        Some(xml[editable..].starts_with("true"))
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
        let grants = grants(&settings, &[both_ways(&one), both_ways(&other)], &|_| None);
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
            {"name":"FirstName","type":"string","permissionable":false,
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
        let told = |known: Known<'_>| grants(&settings, &[both_ways(&selection)], known);
        let described = told(&|_| Some(known.clone()));
        let steps = &described.iter().find(|it| it.piece.starts_with("permission")).unwrap().steps;
        let xml = set(&described);
        for (field, wanted) in [
            ("Name", None),
            ("Phone", Some(true)),
            ("Master__c", None),
            ("Sum__c", Some(false)),
            ("Number__c", Some(false)),
            ("HomeCity", None),
            ("HomeAddress", Some(true)),
            ("FirstName", None),
            ("Old", Some(true)),
            ("Hidden__c", Some(true)),
            ("Syncline_Id__c", Some(true)),
        ] {
            assert_eq!(right(xml, field), wanted, "{field}: {xml}");
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

    #[test]
    fn what_is_only_read_is_granted_to_be_read() {
        let filter = Filter::Compare {
            field: "Region__c".into(),
            comparison: Comparison::Equal,
            value: "EU".into(),
        };
        let fields = ["Phone", "Fax", "BillingCity", "BillingStreet", "Website", "Region__c"];
        let read =
            Selection { actor: Some("Author__c".into()), ..selection(&fields, Some("Ours__c")) };
        let read = Selection { filter: Some(filter), ..read };
        let one_way = Need {
            written: ["Phone", "BillingCity"].map(FieldName::new).to_vec(),
            ..Need::reading(read)
        };
        let settings = SalesforceSettings::new("https://acme.my.salesforce.com", "id");
        let told = |needs: &[Need]| grants(&settings, needs, &|_| None);
        let grants = told(std::slice::from_ref(&one_way));
        let xml = set(&grants);
        for (field, wanted) in [
            ("Phone", Some(true)),
            ("Fax", Some(false)),
            // One of the parts is written, and the right is that of the whole.
            ("BillingAddress", Some(true)),
            ("Website", Some(false)),
            ("Region__c", Some(false)),
            ("Author__c", Some(false)),
            ("Ours__c", Some(true)),
            ("Syncline_Marker__c", Some(true)),
        ] {
            assert_eq!(right(xml, field), wanted, "{field}: {xml}");
        }
        let object = |xml: &str, right: &str| xml.contains(&format!("<{right}>true</{right}>"));
        assert!(object(xml, "allowEdit") && !object(xml, "allowCreate"), "{xml}");
        assert!(!object(xml, "allowDelete") && object(xml, "viewAllRecords"), "{xml}");
        // Nothing is written at all: Syncline's own fields are read where they are named.
        let reads = Need { written: Vec::new(), ..one_way.clone() };
        let grants = told(std::slice::from_ref(&reads));
        let xml = set(&grants);
        assert!(!xml.contains("<editable>true") && !object(xml, "allowEdit"), "{xml}");
        assert_eq!(right(xml, "Ours__c"), Some(false), "{xml}");
        assert_eq!(right(xml, "Syncline_Marker__c"), None, "{xml}");
        assert_eq!(grants.len(), 4, "no piece but the named field");
        // Another mapping writes it.
        let deleting = Need { deletes: true, ..reads };
        let grants = told(&[one_way, deleting]);
        assert_eq!(right(set(&grants), "Phone"), Some(true));
        assert!(object(set(&grants), "allowDelete"));
    }
    #[test]
    fn record_types_that_are_written_are_assigned() {
        let json = r#"{"name":"Account","queryable":true,"updateable":true,"fields":[
            {"name":"RecordTypeId","type":"reference","permissionable":false}],
            "recordTypeInfos":[
            {"recordTypeId":"012000000000001AAA","developerName":"Partner","active":true},
            {"recordTypeId":"012000000000002AAA","developerName":"Old","active":false}]}"#;
        let known = Arc::new(crate::wire::described(json.as_bytes(), None).unwrap());
        let settings = SalesforceSettings::new("https://acme.my.salesforce.com", "id");
        let both = both_ways(&selection(&["RecordType.DeveloperName"], None));
        let told = |need: &Need, known: Known<'_>| {
            let grants = grants(&settings, std::slice::from_ref(need), known);
            let set = grants.into_iter().find(|it| it.piece.starts_with("permission")).unwrap();
            set.steps.into_iter().map(|step| step.text).collect::<Vec<_>>().join("\n")
        };
        let text = told(&both, &|_| Some(known.clone()));
        let clicks = "Object Settings > Account > Edit > Record Type Assignments: Partner\n";
        assert!(text.contains(clicks), "{text}");
        assert!(!text.contains("are a guess"), "{text}");
        let text = told(&both, &|_| None);
        assert!(text.contains("Record Type Assignments: those that mappings write"), "{text}");
        // Where the mappings write some only, those.
        let bounded = |texts: &[&str]| {
            let texts = texts.iter().map(|text| (*text).into()).collect();
            Need {
                texts: vec![(FieldName::new("RecordType.DeveloperName"), texts)],
                ..both.clone()
            }
        };
        let text = told(&bounded(&["Customer"]), &|_| Some(known.clone()));
        assert!(text.contains("Record Type Assignments: Customer\n"), "{text}");
        assert_eq!(texts(&bounded(&["B", "A"]), &bounded(&["B"]))[0].1, ["A".into(), "B".into()]);
        assert!(texts(&bounded(&["A"]), &both).is_empty(), "the other writes any");
        let reads = Need { written: Vec::new(), creates: false, deletes: false, ..both };
        let text = told(&reads, &|_| Some(known.clone()));
        assert!(!text.contains("Record Type Assignments"), "{text}");
    }
}
