//! What the suite needs of a system.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use syncline_sdk::{Connector, Context, FieldName, Key, Selection, Value};

/// One entity of one system, with a connector to it and the hands of a person who works in it
/// by other means (SQL, the vendor's own API under another user). A hand that fails should say so
/// by a panic: it is the test's own fault.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The connector under test, prepared for the selection.
    fn connector(&self) -> &dyn Connector;
    /// The entity and fields: with the external-id, marker and actor fields where there are.
    fn selection(&self) -> Arc<Selection>;
    /// What calls are given. The install is the fixture's own; the time must not stand still on
    /// a system whose clock moves.
    fn context(&self) -> Context;
    /// Two fields of the selection that hold any text of up to 40 characters as it is, and null.
    fn texts(&self) -> [FieldName; 2];
    /// What a create must give beside the texts (required and unique fields), different for each
    /// number.
    fn others(&self, number: u64) -> Vec<(FieldName, Value)> {
        let _ = number;
        Vec::new()
    }
    /// Writable fields of the selection with values of their kinds that must survive a round trip
    /// (through the normalisers that the schema declares): edges, null, empty text.
    fn samples(&self) -> Vec<(FieldName, Vec<Value>)> {
        Vec::new()
    }
    /// A writable field and a value that the system refuses for what it is.
    fn refused(&self) -> Option<(FieldName, Value)> {
        None
    }
    /// A key in the system's form that no record ever had.
    fn unknown_key(&self) -> Key;

    /// Creates a record by hand.
    async fn create(&self, values: Vec<(FieldName, Value)>) -> Key;
    /// Writes fields of a record by hand, in one transaction.
    async fn edit(&self, key: &Key, values: Vec<(FieldName, Value)>);
    /// Deletes a record by hand.
    async fn delete(&self, key: &Key);
    /// The stored values of a record, in the order of the selection, read by hand; nothing when
    /// it is not there.
    async fn read(&self, key: &Key) -> Option<Vec<Value>>;
    /// Returns once the system's own clock has moved on by at least this.
    async fn wait(&self, at_least: Duration);
    /// Locks a record as a person with an open transaction does. False where nobody can.
    async fn lock(&self, key: &Key) -> bool {
        let _ = key;
        false
    }
    /// Ends that lock.
    async fn unlock(&self, key: &Key) {
        let _ = key;
    }
    /// Hides a field of the selection (not one of the texts, if it can be helped) from the
    /// connector's user and names it; nothing where that cannot be played.
    async fn hide_field(&self) -> Option<FieldName> {
        None
    }
    /// Shows it again.
    async fn show_field(&self) {}
}
