//! Reading nodes into words and names, noting every mistake on the way.

use std::sync::Arc;

use super::suggestion::{nearest, one_of};
use super::tree::{Entry, Node, NodeKind};
use super::{Diagnostic, Diagnostics, Located, Source, Span};

/// Reads nodes of one file. What cannot be read is noted and left out, so that reading goes on.
#[derive(Debug)]
pub struct Reader<'s> {
    /// The file.
    pub source: &'s Arc<Source>,
    /// What was wrong so far.
    pub found: Diagnostics,
    /// Values that no message may repeat: what was inserted from outside the file.
    pub hidden: Vec<Span>,
}

/// The keys that a node may have.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'k> {
    /// What the node is, for messages: `a field pair`.
    pub of: &'k str,
    /// The keys that there are.
    pub known: &'k [&'k str],
    /// Keys that people will try, and why each is not one.
    pub refused: &'k [(&'k str, &'k str)],
}

/// A node that has keys.
#[derive(Clone, Copy, Debug)]
pub struct Keyed<'n> {
    entries: &'n [Entry],
    /// The node's place.
    pub span: Span,
}

impl<'n> Keyed<'n> {
    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| &**entry.key == key).map(|entry| &entry.value)
    }
    /// The place of a key.
    #[must_use]
    pub fn key_span(&self, key: &str) -> Option<Span> {
        self.entries.iter().find(|entry| &**entry.key == key).map(|entry| entry.key.span)
    }
    /// All entries, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }
}

impl<'s> Reader<'s> {
    /// A reader that has noted nothing yet.
    #[must_use]
    pub fn new(source: &'s Arc<Source>) -> Self {
        Self { source, found: Diagnostics::new(), hidden: Vec::new() }
    }
    /// An error at a place of this file, not noted yet.
    #[must_use]
    pub fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(self.source, span)
    }
    /// A warning at a place of this file, not noted yet.
    #[must_use]
    pub fn warning(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(self.source, span)
    }
    /// Notes a finding.
    pub fn note(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// The node as a set of keys. Keys that it may not have are noted.
    pub fn keys<'n>(&mut self, node: &'n Node, keys: Keys<'_>) -> Option<Keyed<'n>> {
        let NodeKind::Map(entries) = &node.kind else {
            let diagnostic = self
                .error(node.span, format!("{} is a set of keys, not {}", keys.of, node.what()))
                .help(format!("its keys are {}", one_of(keys.known.iter().copied())));
            self.note(diagnostic);
            return None;
        };
        for Entry { key, .. } in entries {
            if keys.known.contains(&&***key) {
                continue;
            }
            let diagnostic = self
                .error(key.span, format!("unknown key `{}` in {}", **key, keys.of))
                .label("no such key");
            let refused = keys.refused.iter().find(|(refused, _)| *refused == &***key);
            let diagnostic = match (refused, nearest(key, keys.known.iter().copied())) {
                (Some((_, why)), _) => diagnostic.help(*why),
                (None, Some(near)) => diagnostic.help(format!("did you mean `{near}`?")),
                (None, None) => {
                    diagnostic.help(format!("keys are {}", one_of(keys.known.iter().copied())))
                }
            };
            self.note(diagnostic);
        }
        Some(Keyed { entries, span: node.span })
    }

    /// The value of a key that must be there.
    pub fn required<'n>(
        &mut self,
        keyed: Keyed<'n>,
        of: &str,
        key: &str,
        example: &str,
    ) -> Option<&'n Node> {
        let value = keyed.get(key);
        if value.is_none() {
            let diagnostic = self
                .error(keyed.span, format!("{of} has no `{key}`"))
                .help(format!("add it, as in: {example}"));
            self.note(diagnostic);
        }
        value
    }

    /// The items of a list.
    pub fn list<'n>(&mut self, node: &'n Node, key: &str) -> Option<&'n [Node]> {
        if let NodeKind::List(items) = &node.kind {
            return Some(items);
        }
        let diagnostic = self
            .error(node.span, format!("`{key}` is a list, not {}", node.what()))
            .help(format!("write `{key}: [...]`, or one item a line behind `- `"));
        self.note(diagnostic);
        None
    }

    /// A text that is not empty.
    pub fn text(&mut self, node: &Node, key: &str) -> Option<Located<Arc<str>>> {
        match node.as_scalar() {
            Some(scalar) if !scalar.is_null() && !scalar.text.trim().is_empty() => {
                Some(Located::new(Arc::clone(&scalar.text), node.span))
            }
            scalar => {
                let message = match scalar {
                    Some(_) => format!("`{key}` is empty"),
                    None => format!("`{key}` is a single value, not {}", node.what()),
                };
                let diagnostic = self
                    .error(node.span, message)
                    .help(format!("give it a value, or remove `{key}`"));
                self.note(diagnostic);
                None
            }
        }
    }

    /// One word of a few.
    pub fn word<T: Clone>(
        &mut self,
        node: &Node,
        key: &str,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        let all = || words.iter().map(|(word, _)| *word);
        let Some(scalar) = node.as_scalar().filter(|scalar| !scalar.is_null()) else {
            let diagnostic = self
                .error(node.span, format!("`{key}` is one word, not {}", node.what()))
                .help(format!("write {}", one_of(all())));
            self.note(diagnostic);
            return None;
        };
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == &*scalar.text) {
            return Some(Located::new(meaning.clone(), node.span));
        }
        let (what, help) = if self.hidden.contains(&node.span) {
            ("this value".to_owned(), format!("write {}", one_of(all())))
        } else {
            let help = match nearest(&scalar.text, all()) {
                Some(near) => format!("did you mean `{near}`? It is {}", one_of(all())),
                None => format!("write {}", one_of(all())),
            };
            (format!("`{}`", scalar.text), help)
        };
        let diagnostic = self.error(node.span, format!("`{key}` cannot be {what}")).help(help);
        self.note(diagnostic);
        None
    }
}
