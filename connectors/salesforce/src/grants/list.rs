//! All pieces in their order.

use std::collections::BTreeSet;

use syncline_sdk::{Grant, Selection};

use super::{fields, login, rights};
use crate::settings::SalesforceSettings;

/// Every piece of set-up, those first without which nothing runs.
pub(crate) fn grants(settings: &SalesforceSettings, selections: &[&Selection]) -> Vec<Grant> {
    let mut grants = vec![
        login::integration_user(),
        login::external_client_app(settings),
        rights::permission_set(selections),
    ];
    let mut seen = BTreeSet::new();
    for selection in selections {
        // Several mappings of one entity share its fields.
        if seen.insert(selection.entity.as_str()) {
            grants.push(fields::external_id(selection));
            grants.push(fields::marker(selection));
            grants.push(fields::history(selection));
        }
    }
    grants
}
