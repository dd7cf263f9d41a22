//! What an administrator grants in an org: the app, the user, the permission set, and the fields
//! that Syncline would like.

mod fields;
mod list;
mod login;
mod metadata;
mod rights;

pub(crate) use list::grants;

/// The name under which the link id's field is proposed where a mapping names none.
const EXTERNAL_ID: &str = "Syncline_Id__c";
/// The name under which the marker's field is proposed where a mapping names none.
const MARKER: &str = "Syncline_Marker__c";
