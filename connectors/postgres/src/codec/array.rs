//! Array literals of one dimension.

/// The items of an array literal, `None` for a null; nothing for what the seam does not model
/// (several dimensions, a lower bound other than one) or what is no literal.
pub(crate) fn items(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut found = Vec::new();
    if inner.is_empty() {
        return Some(found);
    }
    let mut rest = inner.chars().peekable();
    loop {
        let mut item = String::new();
        let quoted = rest.peek() == Some(&'"');
        if quoted {
            rest.next();
            loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => item.push(rest.next()?),
                    c => item.push(c),
                }
            }
        } else {
            while let Some(c) = rest.next_if(|c| *c != ',') {
                match c {
                    // A brace outside of quotes opens a second dimension.
                    '{' | '}' | '"' => return None,
                    '\\' => item.push(rest.next()?),
                    c => item.push(c),
                }
            }
        }
        let null = !quoted && item.eq_ignore_ascii_case("null");
        found.push((!null).then_some(item));
        match rest.next() {
            None => return Some(found),
            Some(',') => {}
            Some(_) => return None,
        }
    }
}

/// Adds one item to a literal that is being written.
pub(crate) fn push_item(literal: &mut String, item: Option<&str>) {
    literal.push(if literal.is_empty() { '{' } else { ',' });
    match item {
        None => literal.push_str("NULL"),
        Some(text) => {
            literal.push('"');
            for c in text.chars() {
                if matches!(c, '"' | '\\') {
                    literal.push('\\');
                }
                literal.push(c);
            }
            literal.push('"');
        }
    }
}
