//! The mapping language: from the YAML that people write to a [`super::Mapping`].
//!
//! Two stages. [`check_offline`] reads a file and finds everything that is wrong in itself,
//! without an account anywhere. [`bind`] checks it against what the two systems say of their
//! entities. Both report all findings at once, each with file, line, column and the fix.

mod bind;
mod bind_filter;
mod bind_pairs;
mod bind_units;
mod cases;
mod circles;
mod computed;
mod condition;
mod condition_lexer;
mod condition_parser;
mod constant;
mod constants;
mod diagnostics;
mod file;
mod fit;
mod former;
mod json_schema;
mod mode;
mod narrow;
mod need;
mod objective;
mod overlap;
mod pairs;
mod policies;
mod reader;
mod scalar_map;
mod sensitive;
mod source;
mod spec;
mod suggestion;
mod table_files;
#[cfg(test)]
mod tests;
mod together;
mod tree;
mod units;
mod views;

pub use bind::{MappingRef, bind};
pub use cases::{CaseRecord, CaseSpec, CaseValue};
pub use condition::{Condition, Literal};
pub use diagnostics::{Checked, Diagnostic, Diagnostics, Place, Severity};
pub use file::{MappingFile, check_mapping_name, check_offline, check_with_tables};
pub use former::former;
pub use json_schema::json_schema;
pub use reader::{Keyed, Keys, Reader};
pub use source::{FILE_BYTES_MAX, Located, Source, Span};
pub use spec::{
    FieldSpec, GuardRule, MappingSpec, MatchSpec, ModeSpec, PilotSpec, SideSpec, UnitSpec,
    ValueRows, ViewSpec,
};
pub use suggestion::{nearest, one_of};
pub use table_files::{TableFiles, TableRows};
pub use together::check_together;
pub use tree::{Entry, Node, NodeKind, Scalar, Style, parse};
