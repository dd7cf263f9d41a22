//! How outbound messages are set up in an org.

use syncline_sdk::EntityName;

/// The clicks, for an administrator of the org.
pub(super) fn steps(url: &str, entities: &[EntityName]) -> Vec<String> {
    let mut steps = Vec::new();
    for entity in entities {
        let name = format!("Syncline_{}", entity.as_str().trim_end_matches("__c"));
        steps.push(format!(
            "Setup > Quick Find: Outbound Messages > New Outbound Message > Object: {entity} > \
             Next. Name: {name}. Endpoint URL: {url}. User to send as: the integration user. \
             Leave \"Send Session ID\" off. Selected fields: Id alone. Save."
        ));
        steps.push(format!(
            "Setup > Quick Find: Flows > New Flow > Record-Triggered Flow. Object: {entity}. \
             Trigger: a record is created or updated. Optimize for: Actions and Related Records. \
             Add element > Action > Outbound Message: {name}. Save, Activate. To spare messages \
             about Syncline's own writes, add the entry condition $User.Username does not equal \
             the integration user's name."
        ));
    }
    steps.push(
        "Watch them: Setup > Quick Find: Outbound Messages > View Message Delivery Status. \
         Deletions are not sent; the poll finds them."
            .to_owned(),
    );
    steps
}
