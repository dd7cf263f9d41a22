//! `${VARIABLE}` and `file:path` in the values of a parsed file.

use std::path::Path;
use std::sync::Arc;

use syncline_core::mapping::language::{
    Diagnostic, Diagnostics, Node, NodeKind, Scalar, Source, Span, Style,
};

use super::Environment;

/// A file whose values are complete.
pub(super) struct Inserted {
    /// The tree, every value as it is used.
    pub root: Node,
    /// The places of values that came from outside the file, in part or whole. No message may
    /// repeat them.
    pub hidden: Vec<Span>,
}

/// Inserts variables and files into every value (never into a key). `folder` is where relative
/// file names begin.
pub(super) fn insert(
    source: &Arc<Source>,
    root: Node,
    folder: &Path,
    environment: &dyn Environment,
) -> (Inserted, Diagnostics) {
    let mut inserter =
        Inserter { source, folder, environment, hidden: Vec::new(), found: Diagnostics::new() };
    let root = inserter.node("the value", root);
    (Inserted { root, hidden: inserter.hidden }, inserter.found)
}

struct Inserter<'a> {
    source: &'a Arc<Source>,
    folder: &'a Path,
    environment: &'a dyn Environment,
    hidden: Vec<Span>,
    found: Diagnostics,
}

/// Why a value cannot be completed.
struct Fault {
    message: String,
    help: String,
}

fn fault<T>(message: impl Into<String>, help: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { message: message.into(), help: help.into() })
}

impl Inserter<'_> {
    fn node(&mut self, key: &str, node: Node) -> Node {
        let kind = match node.kind {
            NodeKind::Scalar(scalar) => NodeKind::Scalar(self.scalar(key, node.span, scalar)),
            NodeKind::List(items) => {
                NodeKind::List(items.into_iter().map(|item| self.node(key, item)).collect())
            }
            NodeKind::Map(mut entries) => {
                for entry in &mut entries {
                    let empty = Node { span: entry.value.span, kind: NodeKind::List(Vec::new()) };
                    let value = std::mem::replace(&mut entry.value, empty);
                    entry.value = self.node(&Arc::clone(&entry.key), value);
                }
                NodeKind::Map(entries)
            }
        };
        Node { span: node.span, kind }
    }

    fn scalar(&mut self, key: &str, span: Span, scalar: Scalar) -> Scalar {
        let filled = match scalar.text.strip_prefix("file:") {
            Some(path) => self.file(path).map(|text| (text, true)),
            None => self.variables(&scalar.text),
        };
        match filled {
            Ok((text, true)) => {
                self.hidden.push(span);
                Scalar { text: text.into(), style: Style::Double }
            }
            // `$$` alone: still the file's own value, of the type that it looks like.
            Ok((text, false)) => Scalar { text: text.into(), style: scalar.style },
            Err(Fault { message, help }) => {
                self.found.push(
                    Diagnostic::error(format!("`{key}`: {message}"))
                        .at(self.source, span)
                        .help(help),
                );
                // The value is used nowhere: the file is refused.
                self.hidden.push(span);
                scalar
            }
        }
    }

    fn file(&self, path: &str) -> Result<String, Fault> {
        let (path, _) = self.variables(path.trim())?;
        let full = self.folder.join(&path);
        match self.environment.file(&full) {
            // Editors end files with a line end, which is no part of a secret.
            Ok(text) => Ok(text.trim_end_matches(['\n', '\r']).to_owned()),
            Err(error) => fault(
                format!("the file {} cannot be read: {error}", full.display()),
                "name a file that this user may read; relative names begin at the settings file",
            ),
        }
    }

    /// The text with variables inserted, and whether there were any.
    fn variables(&self, text: &str) -> Result<(String, bool), Fault> {
        let mut filled = String::with_capacity(text.len());
        let mut inserted = false;
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                filled.push('$');
                rest = after;
            } else if let Some(after) = rest.strip_prefix('{') {
                let Some(end) = after.find('}') else {
                    return fault("`${` is never closed", "close it with `}`; write $$ for a $");
                };
                filled.push_str(&self.variable(&after[..end])?);
                inserted = true;
                rest = &after[end + 1..];
            } else {
                filled.push('$');
            }
        }
        filled.push_str(rest);
        Ok((filled, inserted))
    }

    fn variable(&self, name: &str) -> Result<String, Fault> {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return fault(
                format!("`{name}` is not the name of a variable"),
                "write ${NAME} with letters, digits and _; write $$ for a $",
            );
        }
        match self.environment.variable(name) {
            Some(value) => Ok(value),
            None => fault(
                format!("the variable {name} is not set"),
                format!("set it: export {name}=..., or take the value from a file: file:path"),
            ),
        }
    }
}
