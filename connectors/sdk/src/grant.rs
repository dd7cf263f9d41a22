//! What somebody grants a sync: the pieces of set-up of a system, each with what it buys.

use std::sync::Arc;

use serde::Serialize;

use crate::{FieldName, Guarantee, Selection};

/// What a mapping does with an entity: the least rights follow from it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Need {
    /// What it reads.
    pub selection: Selection,
    /// The fields that it writes, of those that it reads.
    pub written: Vec<FieldName>,
    /// The texts that it may write to fields, where it writes no others.
    pub texts: Vec<(FieldName, Vec<Arc<str>>)>,
    /// Whether it makes records.
    pub creates: bool,
    /// Whether it deletes records, its own copies that came second among them.
    pub deletes: bool,
}

impl Need {
    /// What a mapping needs that reads and writes nothing.
    #[must_use]
    pub fn reading(selection: Selection) -> Self {
        let (written, texts) = (Vec::new(), Vec::new());
        Self { selection, written, texts, creates: false, deletes: false }
    }

    /// Whether it writes anything at all.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.creates || self.deletes || !self.written.is_empty()
    }
}

/// One piece of set-up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Grant {
    /// What it is: `receipt table`, `marker field of Account`.
    pub piece: String,
    /// Whether nothing runs without it.
    pub required: bool,
    /// Who makes it.
    pub made_by: Maker,
    /// The least rights that it needs, or gives to our user.
    pub rights: String,
    /// What it buys.
    pub buys: String,
    /// What holds without it.
    pub without: String,
    /// The class of guarantee that holds without it; nothing where it is required.
    pub class_without: Option<Guarantee>,
    /// How it is made, exactly, in this order.
    pub steps: Vec<Step>,
}

/// Who makes a piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Maker {
    /// An administrator of the system, once.
    Administrator,
    /// `syncline run` itself, with the rights of its user.
    Run,
}

/// One step of making a piece.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Step {
    /// What the text is for.
    pub tool: Tool,
    /// Where the text goes, or what it does.
    pub title: String,
    /// The statements, the file's content, or the clicks, one a line.
    pub text: String,
}

/// What the text of a step is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tool {
    /// Statements for the database.
    Sql,
    /// A file of metadata, to be deployed.
    Metadata,
    /// Clicks in the system's own pages, one a line.
    Clicks,
    /// Lines for the settings of Syncline.
    Settings,
}

impl Step {
    /// A step.
    pub fn new(tool: Tool, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self { tool, title: title.into(), text: text.into() }
    }
}
