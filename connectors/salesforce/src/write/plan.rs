//! What each write sends, decided before anything is sent.

use serde_json::value::RawValue;
use syncline_sdk::{
    Context, Current, Error, ErrorKind, Expect, FieldName, Key, LinkId, Value, Write, WriteOp,
    WriteOutcome,
};

use crate::id::id18;
use crate::version::Stamp;
use crate::wire::{Described, Fields, RECORD_TYPE, RECORD_TYPE_ID, Wire, encode};

const PUSH: &str = "push";

/// What a write sends.
#[derive(Debug)]
pub(super) enum Sending {
    /// A create.
    Insert(Fields),
    /// A guarded update of this record: what is written, and the date of the guard.
    Update { id: String, unmodified_since: String, body: Fields },
    /// A delete.
    Delete(String),
    /// An undelete.
    Undelete(String),
}

/// Plans one write, or answers it when it cannot be sent at all.
pub(super) fn plan(
    cx: &Context,
    write: &Write,
    described: &Described,
) -> Result<Sending, Box<WriteOutcome>> {
    let body = Body { cx, write, described };
    match &write.op {
        WriteOp::Insert { values } => {
            let mut fields = body.fields(values)?;
            body.link(&mut fields, write.link);
            body.marker(&mut fields);
            Ok(Sending::Insert(fields))
        }
        WriteOp::Update { key, values, expect, claim } => {
            let mut fields = body.fields(values)?;
            if *claim {
                body.link(&mut fields, write.link);
            }
            body.marker(&mut fields);
            body.guarded(key, expect, fields)
        }
        WriteOp::Fence { key, expect } => {
            if described.marker_field(&write.selection).is_none() {
                let what = format!(
                    "{}: a guarded delete needs a marker field, and there is none that fits",
                    write.selection.entity
                );
                let error = Error::new(ErrorKind::Unsupported, PUSH, what)
                    .advise("make a text field for the marker, or set delete: review");
                return Err(Box::new(WriteOutcome::Rejected { error, receipted: false }));
            }
            let mut fields = Fields::default();
            body.marker(&mut fields);
            body.guarded(key, expect, fields)
        }
        WriteOp::Delete { key, .. } => Ok(Sending::Delete(body.id(key)?)),
        WriteOp::Undelete { key } => Ok(Sending::Undelete(body.id(key)?)),
    }
}

struct Body<'a> {
    cx: &'a Context,
    write: &'a Write,
    described: &'a Described,
}

impl Body<'_> {
    fn fields(&self, values: &[(FieldName, Value)]) -> Result<Fields, Box<WriteOutcome>> {
        let mut fields = Fields::default();
        for (name, value) in values.iter().filter(|(_, value)| value.is_present()) {
            let name = name.as_str();
            let Some(facts) = self.described.field(name) else {
                return Err(self.refused(
                    ErrorKind::Schema,
                    name,
                    format!("{name} is not there, or hidden from the integration user"),
                    "check the mapping, and the field's security",
                ));
            };
            if facts.wire == Wire::RecordType {
                fields.push(RECORD_TYPE_ID, self.record_type(values, value)?);
                continue;
            }
            match encode(facts.wire, value) {
                Ok(Some(json)) => fields.push(name, json),
                Ok(None) => {}
                Err(error) => {
                    return Err(self.refused(
                        ErrorKind::Invalid,
                        name,
                        error.to_string(),
                        "check the field's type in the mapping",
                    ));
                }
            }
        }
        Ok(fields)
    }
    /// The id of a record type of that name, in this org.
    fn record_type(
        &self,
        values: &[(FieldName, Value)],
        name: &Value,
    ) -> Result<Box<RawValue>, Box<WriteOutcome>> {
        let refused = |what, advice| self.refused(ErrorKind::Invalid, RECORD_TYPE, what, advice);
        let given = |(field, value): &(FieldName, Value)| {
            field.as_str() == RECORD_TYPE_ID && value.is_present()
        };
        if values.iter().any(given) {
            let what = format!("{RECORD_TYPE_ID} and {RECORD_TYPE} are one field, written twice");
            return Err(refused(what, "let edits travel to one of the two only"));
        }
        let advice = "write the API name of a record type of this org, or make one of that name";
        let written = self.described.record_types.written(name);
        let written = written.map_err(|error| refused(error.to_string(), advice))?;
        RawValue::from_string(written).map_err(|error| refused(error.to_string(), advice))
    }
    fn refused(
        &self,
        kind: ErrorKind,
        field: &str,
        what: String,
        advice: &str,
    ) -> Box<WriteOutcome> {
        let what = format!("{}: {what}", self.write.selection.entity);
        let error = Error::new(kind, PUSH, what).field(field.to_owned()).advise(advice);
        Box::new(WriteOutcome::Rejected { error, receipted: false })
    }
    /// The link id, in the same call as the write.
    fn link(&self, fields: &mut Fields, link: LinkId) {
        if let Some(field) = self.described.link_field(&self.write.selection) {
            fields.push_text(field, &link.to_string());
        }
    }
    /// The intent, in the same call as the write: its receipt.
    fn marker(&self, fields: &mut Fields) {
        if let Some(field) = self.described.marker_field(&self.write.selection) {
            fields.push_text(field, &self.cx.marker(self.write.intent));
        }
    }
    /// An update that is refused when the record changed after it was read. The date is the
    /// record's own stamp: the Date of the answer that showed it would let an edit pass that was
    /// stamped before the read and committed after it (protocol I8).
    fn guarded(
        &self,
        key: &Key,
        expect: &Expect,
        body: Fields,
    ) -> Result<Sending, Box<WriteOutcome>> {
        let id = self.id(key)?;
        let date = Stamp::of(&expect.version).and_then(Stamp::http_date);
        match date {
            Some(unmodified_since) => Ok(Sending::Update { id, unmodified_since, body }),
            // Without a version there is no guard; the record is read first.
            None => {
                Err(Box::new(WriteOutcome::Stale { current: Current::Unread, receipted: false }))
            }
        }
    }
    fn id(&self, key: &Key) -> Result<String, Box<WriteOutcome>> {
        id18(key.as_str()).ok_or_else(|| {
            let what = format!("{}: {key:?} is not a record id", self.write.selection.entity);
            let error = Error::new(ErrorKind::Invalid, PUSH, what).advise("unlink the record");
            Box::new(WriteOutcome::Rejected { error, receipted: false })
        })
    }
}
