//! YAML as a tree of nodes that know their place.
//!
//! A derived deserialiser stops at the first mistake. Files that people write are read from this
//! tree instead, so that all mistakes are reported at once, and so that scalars keep the text
//! that was written (`1.0` stays `1.0`).

use std::sync::Arc;

use serde_saphyr::granit_parser::{self, Event, Parser, ScalarStyle, StructureStyle};

use super::{Diagnostic, Diagnostics, Located, Source, Span};

/// How deep collections may be nested; the languages here need five.
const DEPTH_MAX: usize = 32;

/// One YAML node.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Where it was written. Of a block collection, its first line.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, PartialEq, Debug)]
pub enum NodeKind {
    /// A scalar: its text, before any guess at a type.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file; each key once.
    Map(Vec<Entry>),
}

/// A scalar as written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scalar {
    /// Its text, quotes and escapes resolved.
    pub text: Arc<str>,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// Without quotes: `null`, `true` and numbers are not text.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// As a block, behind `|` or `>`.
    Block,
}

/// One entry of a mapping.
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// The key.
    pub key: Located<Arc<str>>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The word for its kind, for messages.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match &self.kind {
            NodeKind::Scalar(scalar) if scalar.is_null() => "nothing",
            NodeKind::Scalar(_) => "a single value",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a set of keys",
        }
    }
    /// The scalar, unless it is a collection.
    #[must_use]
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }
    /// True for an empty value, `~` and `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_null)
    }
    /// Calls a function for each scalar, with the nearest key above it.
    pub fn visit_scalars<'n>(&'n self, key: &'n str, seen: &mut impl FnMut(&'n str, &'n Self)) {
        match &self.kind {
            NodeKind::Scalar(_) => seen(key, self),
            NodeKind::List(items) => items.iter().for_each(|item| item.visit_scalars(key, seen)),
            NodeKind::Map(entries) => {
                for entry in entries {
                    entry.value.visit_scalars(&entry.key, seen);
                }
            }
        }
    }
}

impl Scalar {
    /// True for an empty plain scalar, `~` and `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }
    /// The truth of a plain `true` or `false`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match (self.style, &*self.text) {
            (Style::Plain, "true") => Some(true),
            (Style::Plain, "false") => Some(false),
            _ => None,
        }
    }
}

/// Reads one YAML document.
///
/// # Errors
/// The first syntax error, where the text is no YAML at all, else every use of what is refused
/// here: several documents, anchors, aliases, tags, keys that occur twice or are not plain text.
pub fn parse(source: &Arc<Source>) -> Result<Node, Diagnostics> {
    let options = granit_parser::options! {
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX,
        block_nesting_limit: DEPTH_MAX,
    };
    let mut builder = Builder::new(source);
    for event in Parser::new_from_str_with_options(source.text(), options) {
        match event {
            Ok((event, span)) => builder.event(event, convert(span)),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(source.text().len());
                let end = (at + 1).min(source.text().len()).max(at);
                builder.found.push(
                    Diagnostic::error("the file is not valid YAML")
                        .at(source, Span::new(at, end))
                        .label(error.info())
                        .help("quote values that hold any of : { } [ ] , # & * ! | > ' % @"),
                );
                return Err(builder.found);
            }
        }
    }
    builder.finish()
}

fn convert(span: granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or_default();
    Span::new(start, span.end.byte_offset().unwrap_or(start))
}

/// A collection that is not closed yet.
struct Open {
    span: Span,
    flow: bool,
    items: Vec<Node>,
    entries: Option<Vec<Entry>>,
    key: Option<Located<Arc<str>>>,
}

struct Builder<'s> {
    source: &'s Arc<Source>,
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    found: Diagnostics,
}

impl<'s> Builder<'s> {
    fn new(source: &'s Arc<Source>) -> Self {
        Self { source, open: Vec::new(), root: None, documents: 0, found: Diagnostics::new() }
    }

    fn event(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents == 2 {
                    self.refuse(span, "a second document", "write one document a file");
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.check(span, anchor, tag.is_some());
                let scalar = scalar(&text, style, span);
                self.push(Node { span, kind: NodeKind::Scalar(scalar) });
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.check(span, anchor, tag.is_some());
                self.begin(span, style, None);
            }
            Event::MappingStart(style, anchor, tag) => {
                self.check(span, anchor, tag.is_some());
                self.begin(span, style, Some(Vec::new()));
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.refuse(span, "an alias", "write the value out");
                let text = "".into();
                let kind = NodeKind::Scalar(Scalar { text, style: Style::Plain });
                self.push(Node { span, kind });
            }
            _ => {}
        }
    }

    fn check(&mut self, span: Span, anchor: usize, tagged: bool) {
        if anchor != 0 {
            self.refuse(span, "an anchor", "remove it, and write the value out where it is used");
        }
        if tagged {
            self.refuse(span, "a tag", "remove it; use quotes to force text");
        }
    }

    fn refuse(&mut self, span: Span, what: &str, help: &str) {
        let message = format!("{what} is not allowed here");
        self.found.push(Diagnostic::error(message).at(self.source, span).help(help));
    }

    fn begin(&mut self, span: Span, style: StructureStyle, entries: Option<Vec<Entry>>) {
        let flow = style == StructureStyle::Flow;
        self.open.push(Open { span, flow, items: Vec::new(), entries, key: None });
    }

    fn end(&mut self, end: Span) {
        let Some(open) = self.open.pop() else { return };
        let first = match &open.entries {
            Some(entries) => entries.first().map(|entry| entry.key.span),
            None => open.items.first().map(|item| item.span),
        };
        let span = match first {
            _ if open.flow => Span::new(open.span.start, end.end),
            Some(first) => first,
            None => open.span,
        };
        let kind = match open.entries {
            Some(entries) => NodeKind::Map(entries),
            None => NodeKind::List(open.items),
        };
        self.push(Node { span, kind });
    }

    fn push(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return;
        };
        let Some(entries) = &mut open.entries else {
            open.items.push(node);
            return;
        };
        let Some(key) = open.key.take() else {
            let text = match &node.kind {
                NodeKind::Scalar(scalar) => Arc::clone(&scalar.text),
                _ => {
                    self.refuse(node.span, "a collection as a key", "use a single word as the key");
                    "".into()
                }
            };
            let Some(open) = self.open.last_mut() else {
                return;
            };
            open.key = Some(Located::new(text, node.span));
            return;
        };
        match entries.iter().find(|entry| entry.key == key) {
            Some(first) => {
                let message = format!("the key `{}` occurs twice", *key);
                let diagnostic = Diagnostic::error(message)
                    .at(self.source, key.span)
                    .label("again here")
                    .also(self.source, first.key.span, "first here")
                    .help("remove one of them");
                self.found.push(diagnostic);
            }
            None => entries.push(Entry { key, value: node }),
        }
    }

    fn finish(self) -> Result<Node, Diagnostics> {
        if !self.found.is_empty() {
            return Err(self.found);
        }
        let empty = Scalar { text: "".into(), style: Style::Plain };
        let null = Node { span: Span::default(), kind: NodeKind::Scalar(empty) };
        Ok(self.root.unwrap_or(null))
    }
}

fn scalar(text: &str, style: ScalarStyle, span: Span) -> Scalar {
    let style = match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
    };
    // The parser gives an absent value the text `~`.
    let absent = style == Style::Plain && span.start == span.end;
    Scalar { text: if absent { "".into() } else { text.into() }, style }
}
