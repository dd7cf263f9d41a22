//! The text of an expression: places in it.

use std::ops::Range;

use cel::common::ast::SourceInfo;

/// The place of a part of an expression, in bytes, as the parser counts them. A call is told of by
/// the name of its function, and not by its parenthesis.
pub(super) fn place(info: &SourceInfo, id: u64, text: &str) -> Range<usize> {
    let Some((start, end)) = info.offset_for(id) else { return 0..text.len() };
    let mut start = text.floor_char_boundary(start as usize);
    let mut end = text.ceil_char_boundary((end as usize).saturating_add(1));
    if text[start..].starts_with('(') {
        let name = |c: char| c.is_alphanumeric() || c == '_';
        end = start;
        start = text[..end].rfind(|c| !name(c)).map_or(0, |at| text.ceil_char_boundary(at + 1));
    }
    start..end.max(start)
}

/// The place of a line and column, both from one.
pub(super) fn at(text: &str, (line, column): (isize, isize)) -> Range<usize> {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let start = start + byte(rest, column - 1);
    let end = text[start..].chars().next().map_or(start, |next| start + next.len_utf8());
    start..end
}

fn byte(text: &str, chars: usize) -> usize {
    text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at)
}
