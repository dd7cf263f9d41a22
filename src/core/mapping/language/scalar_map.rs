//! Places inside a YAML scalar: which byte of the file a byte of the resolved text came from.

use super::tree::{Scalar, Style};
use super::{Source, Span};

/// Where the bytes of a scalar's text stand in its file.
pub(super) struct ScalarMap {
    /// For each byte of the text, and for its end, the byte of the file; nothing where quotes,
    /// escapes or folding could not be followed.
    offsets: Option<Vec<usize>>,
    whole: Span,
}

impl ScalarMap {
    pub(super) fn new(source: &Source, scalar: &Scalar, span: Span) -> Self {
        Self { offsets: align(&source.text()[span.range()], scalar, span.start), whole: span }
    }
    /// The place in the file of a place in the text.
    pub(super) fn locate(&self, span: Span) -> Span {
        let Some(offsets) = &self.offsets else {
            return self.whole;
        };
        let last = offsets.len() - 1;
        let (start, end) = (offsets[span.start.min(last)], offsets[span.end.min(last)]);
        // The end of an escaped character is the start of the next one.
        Span::new(start, end)
    }
}

/// Walks the raw text and the resolved text side by side.
fn align(raw: &str, scalar: &Scalar, base: usize) -> Option<Vec<usize>> {
    let raw = match scalar.style {
        Style::Single | Style::Double => (raw.get(1..raw.len().checked_sub(1)?)?, base + 1),
        Style::Plain | Style::Block => (raw, base),
    };
    let (raw, base) = raw;
    let mut offsets = Vec::with_capacity(scalar.text.len() + 1);
    let mut at = 0;
    for c in scalar.text.chars() {
        let (start, end) = step(raw, at, c, scalar.style)?;
        offsets.extend(std::iter::repeat_n(base + start, c.len_utf8()));
        at = end;
    }
    offsets.push(base + at);
    Some(offsets)
}

/// Where the next character of the resolved text begins and ends in the raw text.
fn step(raw: &str, mut at: usize, wanted: char, style: Style) -> Option<(usize, usize)> {
    loop {
        let rest = &raw[at..];
        let found = rest.chars().next()?;
        if style == Style::Double && found == '\\' {
            let escape = escape_len(rest)?;
            if matches!(rest.as_bytes().get(1), Some(b'\n' | b'\r')) {
                at += escape;
                continue;
            }
            return Some((at, at + escape));
        }
        if style == Style::Single && rest.starts_with("''") {
            return (wanted == '\'').then_some((at, at + 2));
        }
        let spaces = rest.len() - rest.trim_start().len();
        if rest[..spaces].contains('\n') && matches!(wanted, ' ' | '\n') {
            // A folded line end stands for one space, or for one of several line ends.
            let line = rest.find('\n').map_or(spaces, |end| end + 1);
            return Some((at, at + if wanted == ' ' { spaces } else { line }));
        }
        if found == wanted {
            return Some((at, at + found.len_utf8()));
        }
        if !found.is_whitespace() {
            return None;
        }
        at += found.len_utf8();
    }
}

/// The length of an escape sequence in double quotes.
fn escape_len(rest: &str) -> Option<usize> {
    let second = rest[1..].chars().next()?;
    let digits = match second {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '\r' if rest[2..].starts_with('\n') => 1,
        _ => 0,
    };
    let end = 1 + second.len_utf8() + digits;
    rest.is_char_boundary(end).then_some(end).filter(|end| *end <= rest.len())
}
