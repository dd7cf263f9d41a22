//! Reading Rust text just well enough: code without comments and literals, calls and their
//! arguments, words.

/// Blanks comments and the inside of string and character literals, so that what remains is
/// code. Lines keep their numbers.
pub(super) fn code(text: &str) -> String {
    split(text).0
}

/// The inside of string literals, all else blanked. Lines keep their numbers.
pub(super) fn literals(text: &str) -> String {
    split(text).1
}

fn split(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut literals) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < bytes.len() {
        let (end, is_literal) = skip(bytes, at);
        let is_code = end == at;
        let end = end.max(at + 1);
        for &byte in &bytes[at..end] {
            let blank = if byte == b'\n' { b'\n' } else { b' ' };
            code.push(if is_code { byte } else { blank });
            literals.push(if is_literal { byte } else { blank });
        }
        at = end;
    }
    let whole = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (whole(&code), whole(&literals))
}

/// Where the comment or literal ends that begins at `at`, and whether it is a string; `at`
/// itself when code is there.
fn skip(bytes: &[u8], at: usize) -> (usize, bool) {
    let rest = &bytes[at..];
    let until = |mark: &[u8], from: usize| {
        let found = rest[from..].windows(mark.len()).position(|window| window == mark);
        found.map_or(bytes.len(), |offset| at + from + offset + mark.len())
    };
    if rest.starts_with(b"//") {
        return (until(b"\n", 2), false);
    }
    if rest.starts_with(b"/*") {
        return (until(b"*/", 2), false);
    }
    let follows_word = at > 0 && is_word(bytes[at - 1]);
    if rest[0] == b'r' && !follows_word {
        let hashes = rest[1..].iter().take_while(|&&byte| byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let mut mark = vec![b'"'];
            mark.extend(std::iter::repeat_n(b'#', hashes));
            return (until(&mark, 2 + hashes), true);
        }
    }
    if rest[0] == b'"' {
        return (at + quoted(rest, b'"'), true);
    }
    // A lifetime has no closing quote right behind its first letter.
    let is_char = rest[0] == b'\''
        && (rest.get(1) == Some(&b'\\')
            || rest.iter().take(6).skip(2).any(|&byte| byte == b'\'')
                && !rest.get(1).is_some_and(|&byte| is_word(byte) && rest.get(2) != Some(&b'\'')));
    if is_char {
        return (at + quoted(rest, b'\''), false);
    }
    (at, false)
}

/// The length of a literal with escapes, quotes included.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Cuts off the unit tests at a file's end: rules on what the product does end there.
pub(super) fn without_tests(code: &str) -> &str {
    let mut from = 0;
    while let Some(offset) = code[from..].find("#[cfg(test)]") {
        let at = from + offset;
        let rest = code[at + "#[cfg(test)]".len()..].trim_start();
        let head = rest.split('\n').next().unwrap_or_default();
        if head.starts_with("mod ") && head.trim_end().ends_with('{') {
            return &code[..at];
        }
        from = at + 1;
    }
    code
}

/// The places where `needle` stands as whole words.
pub(super) fn words<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(needle).map(|(at, _)| at).filter(move |&at| {
        let end = at + needle.len();
        let starts_word = needle.as_bytes().first().is_some_and(|&byte| is_word(byte));
        let ends_word = needle.as_bytes().last().is_some_and(|&byte| is_word(byte));
        let before = at > 0 && is_word(bytes[at - 1]);
        let after = bytes.get(end).is_some_and(|&byte| is_word(byte));
        !(starts_word && before || ends_word && after)
    })
}

/// The line of a place, counted from one.
pub(super) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// How many arguments the call has whose opening parenthesis is the last byte before `at`.
pub(super) fn arguments(code: &str, at: usize) -> usize {
    let (mut depth, mut count, mut any) = (0_u32, 0, false);
    for byte in code[at..].bytes() {
        match byte {
            b')' if depth == 0 => break,
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                count += 1;
                any = false;
                continue;
            }
            _ => {}
        }
        any |= !byte.is_ascii_whitespace();
    }
    count + usize::from(any)
}

#[test]
fn comments_and_literals_are_not_code() {
    let text = r##"let a = "x // y"; // todo!()
/* sleep */ let b = '"'; let c = r#"sleep "quoted""#; fn d<'a>(e: &'a str) { '\'' }"##;
    let code = code(text);
    assert!(!code.contains("todo") && !code.contains("sleep") && !code.contains("y\""), "{code}");
    assert!(code.contains("let b =") && code.contains("fn d<'a>(e: &'a str) {"), "{code}");
    assert_eq!(code.len(), text.len());
    assert!(literals(text).contains("x // y") && !literals(text).contains("let"));
}

#[test]
fn only_inline_tests_are_cut() {
    let text =
        "fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\nfn c() {}}";
    assert!(without_tests(text).contains("fn b"));
    assert!(!without_tests(text).contains("fn c"));
}

#[test]
fn words_are_whole() {
    assert_eq!(words("rand strand rand_core rand::rng", "rand").collect::<Vec<_>>(), [0, 22]);
    assert_eq!(words("x.await;", ".await").count(), 1);
}

#[test]
fn arguments_are_counted_over_nested_commas_and_lines() {
    let count = |text: &str| arguments(text, text.find('(').unwrap() + 1);
    assert_eq!(count("v.push((a, b))"), 1);
    assert_eq!(count("v.push(f(a, b), )"), 1);
    assert_eq!(count("c.push(\n    cx,\n    WriteBatch { a, b },\n)"), 2);
    assert_eq!(count("c.push()"), 0);
}
