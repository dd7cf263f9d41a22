//! `LIKE`: `%` is any run, `_` one character, `\%` and `\_` themselves; case folds.

/// Does the text match the pattern.
pub(crate) fn like(text: &str, pattern: &[Piece]) -> bool {
    let chars: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    matches(&chars, pattern)
}

/// One piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Run,
    One,
    Char(char),
}

/// Reads a pattern, lower-cased.
pub(crate) fn pattern(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '%' => pieces.push(Piece::Run),
            '_' => pieces.push(Piece::One),
            '\\' => pieces.extend(chars.next().map(Piece::Char)),
            other => pieces.extend(other.to_lowercase().map(Piece::Char)),
        }
    }
    pieces
}

/// Greedy match with one point of return: linear in practice, never exponential.
fn matches(text: &[char], pattern: &[Piece]) -> bool {
    let (mut at, mut piece) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(piece) {
            Some(Piece::Run) => {
                retry = Some((piece, at));
                piece += 1;
            }
            Some(Piece::One) => {
                at += 1;
                piece += 1;
            }
            Some(Piece::Char(c)) if text.get(at) == Some(c) => {
                at += 1;
                piece += 1;
            }
            _ => match retry {
                Some((run, from)) => {
                    retry = Some((run, from + 1));
                    at = from + 1;
                    piece = run + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(piece).all(|piece| *piece == Piece::Run)
}
