//! What is wrong with a file: all of it at once, each with its place and the fix.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use super::{Source, Span};

/// How wide drawn diagnostics are; longer source lines are cut around the place.
const WIDTH: usize = 100;

/// The columns that the frame and `= help: ` take from a line.
const FRAME: usize = 16;

/// Whether a finding stops the use of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used; some records will need attention.
    Warning,
}

/// A place in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// The bytes that are meant.
    pub span: Span,
    /// What is said beside them.
    pub label: String,
}

/// One finding: what is wrong, where, and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// Whether it stops the use of the file.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where. Findings about a whole system have no place.
    pub place: Option<Place>,
    /// A second place that explains the first.
    pub also: Option<Place>,
    /// Why it is wrong.
    pub note: Option<String>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message.into())
    }
    /// A warning.
    #[must_use]
    pub fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message.into())
    }
    fn new(severity: Severity, message: String) -> Self {
        let message = printable(&message);
        Self { severity, message, place: None, also: None, note: None, help: None }
    }
    /// Where it is.
    #[must_use]
    pub fn at(mut self, source: &Arc<Source>, span: Span) -> Self {
        self.place = Some(Place { source: Arc::clone(source), span, label: String::new() });
        self
    }
    /// What is said beside the place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = &mut self.place {
            place.label = printable(&label.into());
        }
        self
    }
    /// A second place of the same file, with what is said beside it.
    #[must_use]
    pub fn also(mut self, source: &Arc<Source>, span: Span, label: impl Into<String>) -> Self {
        let label = printable(&label.into());
        self.also = Some(Place { source: Arc::clone(source), span, label });
        self
    }
    /// Why it is wrong.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(printable(&note.into()));
        self
    }
    /// What to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(printable(&help.into()));
        self
    }

    fn group(&self) -> Group<'_> {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
        if let Some(place) = &self.place {
            let mut snippet = snippet(place).annotation(annotation(place, AnnotationKind::Primary));
            match &self.also {
                Some(also) if also.source == place.source => {
                    snippet = snippet.annotation(annotation(also, AnnotationKind::Context));
                    group = group.element(snippet);
                }
                Some(also) => {
                    let second =
                        self::snippet(also).annotation(annotation(also, AnnotationKind::Context));
                    group = group.element(snippet).element(second);
                }
                None => group = group.element(snippet),
            }
        }
        if let Some(note) = &self.note {
            group = group.element(Level::NOTE.message(wrapped(note)));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(wrapped(help)));
        }
        group
    }

    fn to_json(&self) -> serde_json::Value {
        let mut object = serde_json::Map::new();
        let mut put = |key: &str, value: serde_json::Value| object.insert(key.to_owned(), value);
        put("severity", serde_json::json!(self.severity));
        put("message", self.message.clone().into());
        if let Some(place) = &self.place {
            let (line, column) = place.source.position(place.span.start);
            let (end_line, end_column) = place.source.position(place.span.end);
            put("file", place.source.path().into());
            put("line", line.into());
            put("column", column.into());
            put("end_line", end_line.into());
            put("end_column", end_column.into());
            if !place.label.is_empty() {
                put("label", place.label.clone().into());
            }
        }
        if let Some(note) = &self.note {
            put("note", note.clone().into());
        }
        if let Some(help) = &self.help {
            put("help", help.clone().into());
        }
        object.into()
    }

    fn sort_key(&self) -> (&str, usize, Severity) {
        let place = self.place.as_ref();
        let path = place.map_or("", |place| place.source.path());
        (path, place.map_or(0, |place| place.span.start), self.severity)
    }
}

fn snippet<'a>(place: &'a Place) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    Snippet::source(place.source.text()).path(place.source.path())
}

fn annotation(place: &Place, kind: AnnotationKind) -> annotate_snippets::Annotation<'_> {
    let span = place.source.clamp(place.span);
    // An underline over several lines draws more than it says: the first line is enough.
    let text = &place.source.text()[span.range()];
    let line = text.find(['\n', '\r']).map_or(span.end, |at| span.start + at);
    let label = (!place.label.is_empty()).then_some(place.label.as_str());
    kind.span(span.start..line).label(label)
}

/// The findings of a check.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }
    /// Adds those of another check.
    pub fn extend(&mut self, other: Self) {
        self.list.extend(other.list);
    }
    /// All of them, in the order of their files and places.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        let mut sorted: Vec<_> = self.list.iter().collect();
        sorted.sort_by_key(|diagnostic| diagnostic.sort_key());
        sorted.into_iter()
    }
    /// How many there are of a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }
    /// True when there is nothing to report.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
    /// True when the file cannot be used.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
    /// The findings about a file with another text of the same length for it, such as one whose
    /// secrets are blotted out.
    #[must_use]
    pub fn shown_in(mut self, source: &Arc<Source>) -> Self {
        for diagnostic in &mut self.list {
            let places = [&mut diagnostic.place, &mut diagnostic.also];
            for place in places.into_iter().flatten() {
                if place.source.path() == source.path() {
                    place.source = Arc::clone(source);
                }
            }
        }
        self
    }
    /// The findings drawn like those of a compiler, with or without terminal colours.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.term_width(WIDTH).decor_style(DecorStyle::Ascii);
        let drawn: Vec<String> =
            self.iter().map(|diagnostic| renderer.render(&[diagnostic.group()])).collect();
        drawn.join("\n\n")
    }
    /// The findings as a list of objects: `severity`, `message`, `file`, `line`, `column`,
    /// `end_line`, `end_column`, `label`, `note`, `help`; lines and columns count from 1.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        self.iter().map(Diagnostic::to_json).collect::<Vec<_>>().into()
    }
    /// The value, unless there are errors: then all findings.
    ///
    /// # Errors
    /// All findings, when at least one is an error or there is no value.
    pub fn check<T>(self, value: Option<T>) -> Result<Checked<T>, Self> {
        match value {
            Some(value) if !self.has_errors() => Ok(Checked { value, warnings: self }),
            _ => Err(self),
        }
    }
}

/// What passed a check, with what should still be known about it.
#[derive(Clone, PartialEq, Debug)]
pub struct Checked<T> {
    /// What was checked.
    pub value: T,
    /// Warnings only.
    pub warnings: Diagnostics,
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { list: vec![diagnostic] }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

/// Text in lines that fit beside the frame of a drawing.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + word.chars().count() > WIDTH - FRAME {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

/// Text that cannot move a terminal's cursor or change its colours.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
