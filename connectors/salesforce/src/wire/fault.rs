//! What Salesforce's refusals mean: one table from code to kind, disposition and advice.

use serde::Deserialize;
use serde_json::Value as Json;
use syncline_sdk::{Error, ErrorKind};

use crate::limits::MESSAGE_CHARS_MAX;

/// What a refused row of a write comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Disposition {
    /// The row was refused for what it says.
    Rejected,
    /// The row was refused for now; it may pass later as it is.
    Busy,
    /// The record is not there.
    Missing,
    /// The record is not the one that the guard expected.
    Stale,
    /// Whether it was applied is not known.
    Unknown,
}

/// How far a request that failed as a whole got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reach {
    /// No byte of it was sent.
    NotSent,
    /// It was answered with a refusal: nothing of it was applied.
    Refused,
    /// It may have been applied.
    Unknown,
}

/// One error as Salesforce states it. Top-level errors name their code `errorCode`, rows of
/// collections `statusCode` (REST guide, status codes and errors; sObject Collections).
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Json")]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) fields: Option<Vec<String>>,
}

/// The most duplicates that a message names.
const DUPLICATES_MAX: usize = 5;

/// Reads what is there. Whatever else a refusal holds, it is a definite answer: a member in
/// another form than expected must not turn it into one that nobody can read.
impl From<Json> for Fault {
    fn from(json: Json) -> Self {
        let text = |name: &str| json.get(name).and_then(Json::as_str).map(str::to_owned);
        let mut message = text("message").unwrap_or_default();
        message.push_str(&found(&json).unwrap_or_default());
        let fields = json.get("fields").and_then(Json::as_array);
        let named = |fields: &Vec<Json>| {
            fields.iter().filter_map(Json::as_str).map(str::to_owned).collect()
        };
        Self {
            code: text("errorCode").or_else(|| text("statusCode")).unwrap_or_default(),
            message,
            fields: fields.map(named),
        }
    }
}

/// What a duplicate rule found. The key is misspelt in the documented reply; the right spelling
/// is taken too (REST guide, duplicate rules).
fn found(fault: &Json) -> Option<String> {
    let keys = ["duplicateResut", "duplicateResult"].into_iter();
    let found = keys.filter_map(|key| fault.get(key)).find(|found| found.is_object())?;
    let list = |json: &Json, name: &str| {
        json.get(name).and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let rows = list(found, "matchResults").into_iter();
    let rows = rows.flat_map(|result| list(&result, "matchRecords"));
    let id = |row: Json| row.pointer("/record/Id").and_then(Json::as_str).map(str::to_owned);
    let ids: Vec<String> = rows.filter_map(id).take(DUPLICATES_MAX).collect();
    if ids.is_empty() {
        return None;
    }
    let rule = found.get("duplicateRule").and_then(Json::as_str).unwrap_or("without a name");
    Some(format!(" The rule {rule:?} found {}", ids.join(", ")))
}

/// The errors in a body: an array of them, or one alone; nothing when it holds none (an edge
/// server's HTML page, an empty body).
pub(crate) fn faults(body: &[u8]) -> Vec<Fault> {
    let faults = match serde_json::from_slice(body) {
        Ok(Json::Array(faults)) => faults.into_iter().map(Fault::from).collect(),
        Ok(fault @ Json::Object(_)) => vec![Fault::from(fault)],
        _ => Vec::new(),
    };
    faults.into_iter().filter(|fault| !fault.code.is_empty()).collect()
}

/// A remote message in a form fit for one line: shortened, without line breaks.
pub(crate) fn message(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

struct Rule {
    codes: &'static [&'static str],
    kind: ErrorKind,
    disposition: Disposition,
    advice: &'static str,
}

macro_rules! rules {
    ($($($code:literal)|+ => $kind:ident, $disposition:ident, $advice:literal;)*) => {
        &[$(Rule {
            codes: &[$($code),+],
            kind: ErrorKind::$kind,
            disposition: Disposition::$disposition,
            advice: $advice,
        }),*]
    };
}

/// The table. Order matters only for a message that wraps another error.
const RULES: &[Rule] = rules! {
    "UNABLE_TO_LOCK_ROW" => Locked, Busy,
        "somebody holds the record or its parent; it is tried again";
    "INVALID_SESSION_ID" | "INVALID_AUTH_HEADER" => Auth, Busy,
        "the login ended; log in again, and let the external client app use the REST API";
    "API_DISABLED_FOR_ORG" | "API_CURRENTLY_DISABLED" => Auth, Busy,
        "give the integration user the permission API Enabled";
    "SERVER_UNAVAILABLE" => Unavailable, Unknown,
        "Salesforce is busy or under maintenance; it is tried again";
    "INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE" => Unavailable, Busy,
        "Salesforce is under maintenance; it is tried again";
    "UNKNOWN_EXCEPTION" => Unavailable, Unknown,
        "Salesforce met an error of its own; give its ErrorId to Salesforce support if it stays";
    "ENTITY_FAILED_IFLASTMODIFIED_ON_UPDATE" => Protocol, Stale,
        "the record changed since it was read; it is read again";
    "ENTITY_IS_DELETED" => Schema, Missing,
        "the record is in the recycle bin";
    "NOT_FOUND" => Schema, Missing,
        "the record, entity or field is not there, or the integration user may not see it";
    "ALL_OR_NONE_OPERATION_ROLLED_BACK" | "PROCESSING_HALTED" => Invalid, Busy,
        "another record of the call was refused; it is tried again";
    "DUPLICATE_VALUE" | "DUPLICATE_EXTERNAL_ID" => Duplicate, Rejected,
        "another record holds the unique value";
    // A rule likens records; it holds no unique value, so that no second try could pass.
    "DUPLICATES_DETECTED" => Invalid, Rejected,
        "a duplicate rule refused it: let the two match, or tell them apart, and replay it; or set \
         allow_duplicates: true where the rule only warns";
    "STRING_TOO_LONG" => Invalid, Rejected,
        "shorten the value, or lengthen the field";
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST" => Invalid, Rejected,
        "add the value to the picklist, or map it to one that is there";
    "INVALID_EMAIL_ADDRESS" => Invalid, Rejected, "correct the e-mail address";
    "NUMBER_OUTSIDE_VALID_RANGE" => Invalid, Rejected,
        "the number has more digits than the field holds";
    "REQUIRED_FIELD_MISSING" => Invalid, Rejected,
        "map the required field, or give it a default value in Salesforce";
    "FIELD_CUSTOM_VALIDATION_EXCEPTION" => Invalid, Rejected,
        "a validation rule refused it: correct the record, or change the rule";
    "INVALID_CROSS_REFERENCE_KEY" => Invalid, Rejected,
        "the record it points to is not there, or the integration user may not see it";
    "FIELD_INTEGRITY_EXCEPTION" | "MALFORMED_ID" => Invalid, Rejected,
        "the value does not fit the field: check what it points to";
    "JSON_PARSER_ERROR" => Invalid, Rejected,
        "a value has the wrong type for its field; check the mapping against the schema";
    "DELETE_FAILED" => Invalid, Rejected,
        "other records need this one; delete or move them first";
    "UNDELETE_FAILED" => Invalid, Rejected,
        "the record is no longer in the recycle bin, or cannot be brought back";
    "ENTITY_IS_LOCKED" => Locked, Rejected,
        "an approval locks the record; it can be written when the approval ends";
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY" | "INSUFFICIENT_ACCESS_OR_READONLY"
        | "INSUFFICIENT_ACCESS" | "TXN_SECURITY_NO_ACCESS" => Forbidden, Rejected,
        "give the integration user the rights to this record";
    "INVALID_FIELD_FOR_INSERT_UPDATE" => Forbidden, Rejected,
        "give the integration user edit rights to the field, or map it one way";
    "INVALID_FIELD" => Schema, Rejected,
        "the field is not there, or the integration user may not see it; check the mapping";
    "INVALID_TYPE" | "INVALID_TYPE_FOR_OPERATION" => Schema, Rejected,
        "the entity is not there, or the integration user may not use it";
    "MALFORMED_QUERY" | "INVALID_QUERY_FILTER_OPERATOR" => Schema, Rejected,
        "the filter cannot be asked of this entity; change the where of the mapping";
    "QUERY_TIMEOUT" | "OPERATION_TOO_LARGE" | "QUERY_TOO_COMPLICATED" | "EXCEEDED_ID_LIMIT" =>
        Schema, Rejected, "the query is too large: narrow the filter or lower page_rows";
    "STORAGE_LIMIT_EXCEEDED" => Quota, Rejected,
        "the org's storage is full: free some, or buy more";
    "LOGIN_RATE_EXCEEDED" => Throttled, Busy, "too many logins in an hour; it is tried again";
    "TOO_MANY_APEX_REQUESTS" | "REQUEST_RUNNING_TOO_LONG" | "LIMIT_EXCEEDED" | "APEX_ERROR" =>
        Config, Rejected,
        "code in the org failed or used more than its limits: make it lighter there; the record \
         is tried again by itself";
    "UNSUPPORTED_API_VERSION" | "GONE" => Config, Busy,
        "set api_version to one that the org still serves";
    "METHOD_NOT_ALLOWED" | "UNSUPPORTED_MEDIA_TYPE" => Protocol, Rejected,
        "report this: Salesforce does not take a request of ours";
};

/// What a code means, for a message of its own and for one that wraps it.
fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.codes.contains(&code))
}

/// The two meanings of the one code for a used-up limit, told apart by the text only (REST
/// guide, API usage): too many long calls at once, or the calls of the day.
fn limit(text: &str) -> Rule {
    let (kind, advice) = if text.contains("Concurrent") {
        (ErrorKind::Throttled, "too many long calls run at once; it is tried again")
    } else {
        (
            ErrorKind::Quota,
            "the calls of the day are used up: wait, raise the org's limit, or raise \
             quota_reserve",
        )
    };
    Rule { codes: &["REQUEST_LIMIT_EXCEEDED"], kind, disposition: Disposition::Busy, advice }
}

/// The error and the disposition of a refusal. The first fault decides; a code that wraps
/// another one in its text (a trigger that met a lock) is looked into.
pub(crate) fn classify(
    faults: &[Fault],
    operation: &'static str,
    place: &str,
) -> (Error, Disposition) {
    let Some(fault) = faults.first() else {
        let error = Error::new(
            ErrorKind::Protocol,
            operation,
            format!("{place}: refused without a reason"),
        );
        return (error.advise("look at the record in Salesforce"), Disposition::Rejected);
    };
    let wrapped =
        matches!(fault.code.as_str(), "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" | "UNKNOWN_EXCEPTION");
    let inner = if wrapped { inside(&fault.message) } else { None };
    let code = inner.unwrap_or(&fault.code);
    let limit = (code == "REQUEST_LIMIT_EXCEEDED").then(|| limit(&fault.message));
    let found = limit.as_ref().or_else(|| rule(code));
    let (kind, disposition, advice) = match found {
        Some(rule) => (rule.kind, rule.disposition, rule.advice),
        None => (
            ErrorKind::Invalid,
            Disposition::Rejected,
            "Salesforce refused it; its message says why",
        ),
    };
    let texts: Vec<String> = faults.iter().map(|fault| message(&fault.message)).collect();
    let mut error = Error::new(kind, operation, format!("{place}: {}", texts.join("; ")))
        .code(fault.code.clone())
        .advise(advice);
    if let Some(field) = fault.fields.as_ref().and_then(|fields| fields.first()) {
        error = error.field(field.clone());
    }
    (error, disposition)
}

/// The error that a trigger's message wraps: `... first error: UNABLE_TO_LOCK_ROW, ...`. Only
/// those that pass by themselves count: whatever else the trigger met concerns another record.
fn inside(text: &str) -> Option<&'static str> {
    let known = |word: &str| {
        if word == "REQUEST_LIMIT_EXCEEDED" {
            return Some("REQUEST_LIMIT_EXCEEDED");
        }
        let rule = rule(word)?;
        let passes = rule.disposition == Disposition::Busy && rule.kind != ErrorKind::Auth;
        rule.codes.iter().find(|code| passes && **code == word).copied()
    };
    text.split(|c: char| !(c.is_ascii_uppercase() || c == '_'))
        .filter(|word| word.contains('_'))
        .find_map(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(code: &str, text: &str) -> (ErrorKind, Disposition) {
        let fault = Fault { code: code.into(), message: text.into(), fields: None };
        let (error, disposition) = classify(&[fault], "push", "Account");
        assert!(error.advice.is_some());
        (error.kind, disposition)
    }

    #[test]
    fn both_error_shapes_are_read() {
        let top = br#"[{"message":"Required fields are missing: [LastName]",
            "errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]}]"#;
        let row = br#"[{"statusCode":"DUPLICATE_VALUE","message":"m","fields":["Ext__c"]}]"#;
        assert_eq!(faults(top)[0].code, "REQUIRED_FIELD_MISSING");
        assert_eq!(faults(row)[0].code, "DUPLICATE_VALUE");
        assert!(faults(b"<html>Bad gateway</html>").is_empty());
        assert!(faults(b"").is_empty());
        let (error, _) = classify(&faults(top), "push", "Contact");
        assert_eq!(error.field.as_deref(), Some("LastName"));
    }

    #[test]
    fn a_duplicate_rule_names_the_records_it_found() {
        for key in ["duplicateResut", "duplicateResult"] {
            let body = format!(
                r#"[{{"{key}":{{"allowSave":true,"duplicateRule":"Same site","matchResults":[
                {{"matchRecords":[{{"matchConfidence":100.0,"record":{{"attributes":
                {{"type":"Account"}},"Id":"001000000000001AAA"}}}}],"size":1}}]}},
                "errorCode":"DUPLICATES_DETECTED","message":"Use one of these records?"}}]"#
            );
            let (error, disposition) = classify(&faults(body.as_bytes()), "push", "Account");
            assert_eq!((error.kind, disposition), (ErrorKind::Invalid, Disposition::Rejected));
            assert!(error.context.contains("\"Same site\" found 001000000000001AAA"), "{error}");
        }
    }

    #[test]
    fn what_else_a_refusal_holds_does_not_make_it_unreadable() {
        let known = r#"{"record":{"Id":"001000000000001AAA"}}"#;
        for extra in [
            r#""duplicateResut":null"#.to_owned(),
            r#""duplicateResut":"x","fields":null"#.to_owned(),
            r#""duplicateResut":{"duplicateRule":null,"matchResults":null}"#.to_owned(),
            r#""duplicateResut":{"matchResults":[null,{"matchRecords":[{"record":null}]}]}"#
                .to_owned(),
            format!(
                r#""duplicateResut":null,"statusCode":"X","duplicateResult":{{"duplicateRule":null,
                "matchResults":[{{"matchRecords":[null,{known}]}}]}}"#
            ),
        ] {
            let body = format!(r#"[{{{extra},"errorCode":"DUPLICATES_DETECTED","message":null}}]"#);
            let faults = faults(body.as_bytes());
            let [fault] = faults.as_slice() else { panic!("{body}") };
            assert_eq!(fault.code, "DUPLICATES_DETECTED");
            assert_eq!(fault.message.contains("001000000000001AAA"), extra.contains(known));
        }
    }

    #[test]
    fn the_limit_is_told_apart_by_its_text() {
        let code = "REQUEST_LIMIT_EXCEEDED";
        assert_eq!(
            one(code, "TotalRequests Limit exceeded."),
            (ErrorKind::Quota, Disposition::Busy)
        );
        assert_eq!(
            one(code, "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
            (ErrorKind::Throttled, Disposition::Busy)
        );
    }

    #[test]
    fn what_code_of_the_org_refuses_is_not_the_state_of_the_org() {
        for code in ["APEX_ERROR", "LIMIT_EXCEEDED", "QUERY_TIMEOUT", "OPERATION_TOO_LARGE"] {
            let (kind, disposition) = one(code, "System.LimitException: Apex CPU time");
            assert!(!kind.is_outage(), "{code}");
            assert_eq!(disposition, Disposition::Rejected);
        }
        for code in ["REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID", "STORAGE_LIMIT_EXCEEDED"] {
            assert!(one(code, "m").0.is_outage(), "{code}");
        }
    }

    #[test]
    fn a_lock_inside_a_trigger_is_a_lock() {
        let code = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY";
        let text = "T: execution of AfterUpdate caused by: System.DmlException: Update failed. \
                    First error: UNABLE_TO_LOCK_ROW, unable to obtain exclusive access";
        assert_eq!(one(code, text), (ErrorKind::Locked, Disposition::Busy));
        assert_eq!(one(code, "no"), (ErrorKind::Invalid, Disposition::Rejected));
    }

    #[test]
    fn no_code_stands_twice() {
        let mut codes: Vec<_> = RULES.iter().flat_map(|rule| rule.codes).collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn long_messages_are_cut() {
        let text = message(&"é\n".repeat(2_000));
        assert!(text.chars().count() <= MESSAGE_CHARS_MAX + 1);
        assert!(!text.contains('\n'));
    }
}
