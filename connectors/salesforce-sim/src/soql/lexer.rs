//! Statement text to tokens.

use super::error::Located;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Word(String),
    /// Begins with a digit or a sign: number, date or dateTime.
    Number(String),
    Text {
        plain: String,
        pattern: String,
    },
    Symbol(&'static str),
    End,
}

impl Token {
    /// As an error message shows it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Word(word) => format!("'{word}'"),
            Self::Number(number) => format!("'{number}'"),
            Self::Text { plain, .. } => format!("'{plain}'"),
            Self::Symbol(symbol) => format!("'{symbol}'"),
            Self::End => String::from("<EOF>"),
        }
    }
}

const SYMBOLS: [&str; 11] = ["!=", "<>", "<=", ">=", "<", ">", "=", "(", ")", ",", ":"];

/// All tokens with their character positions; the last one is [`Token::End`].
pub(crate) fn tokens(statement: &str) -> Result<Vec<(Token, usize)>, Located> {
    let chars: Vec<char> = statement.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_alphabetic() || c == '_' {
            let word = run(&chars, at, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            found.push((Token::Word(word.clone()), at));
            at += word.len();
        } else if c.is_ascii_digit() || (matches!(c, '-' | '+' | '.') && digit(&chars, at + 1)) {
            let mut text = String::from(c);
            text.push_str(&run(&chars, at + 1, |c| {
                c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '-' | '+')
            }));
            let length = text.len();
            found.push((Token::Number(text), at));
            at += length;
        } else if c == '\'' {
            let (token, next) = quoted(&chars, at)?;
            found.push((token, at));
            at = next;
        } else if let Some(symbol) = symbol(&chars, at) {
            found.push((Token::Symbol(symbol), at));
            at += symbol.len();
        } else {
            return Err(Located::malformed(at, format!("unexpected token: '{c}'")));
        }
    }
    found.push((Token::End, chars.len()));
    Ok(found)
}

fn run(chars: &[char], from: usize, keep: impl Fn(char) -> bool) -> String {
    chars.iter().skip(from).copied().take_while(|c| keep(*c)).collect()
}

fn digit(chars: &[char], at: usize) -> bool {
    chars.get(at).is_some_and(char::is_ascii_digit)
}

fn symbol(chars: &[char], at: usize) -> Option<&'static str> {
    SYMBOLS.into_iter().find(|symbol| {
        symbol.chars().enumerate().all(|(offset, c)| chars.get(at + offset) == Some(&c))
    })
}

/// A quoted string with its escapes (SOQL guide, quoted string escape sequences).
fn quoted(chars: &[char], start: usize) -> Result<(Token, usize), Located> {
    let (mut plain, mut pattern) = (String::new(), String::new());
    let mut at = start + 1;
    while let Some(&c) = chars.get(at) {
        at += 1;
        match c {
            '\'' => return Ok((Token::Text { plain, pattern }, at)),
            '\\' => {
                let escaped = chars.get(at).copied().unwrap_or('\0');
                at += 1;
                let made = match escaped {
                    'n' | 'N' => '\n',
                    'r' | 'R' => '\r',
                    't' | 'T' => '\t',
                    'b' | 'B' => '\u{8}',
                    'f' | 'F' => '\u{c}',
                    '\'' | '"' | '\\' => escaped,
                    '_' | '%' => {
                        plain.push(escaped);
                        pattern.push('\\');
                        pattern.push(escaped);
                        continue;
                    }
                    'u' | 'U' => {
                        let hex: String = chars.iter().skip(at).take(4).collect();
                        at += 4;
                        u32::from_str_radix(&hex, 16)
                            .ok()
                            .and_then(char::from_u32)
                            .ok_or_else(|| bad_escape(at - 6, chars))?
                    }
                    _ => return Err(bad_escape(at - 2, chars)),
                };
                plain.push(made);
                if made == '\\' {
                    pattern.push('\\');
                }
                pattern.push(made);
            }
            other => {
                plain.push(other);
                pattern.push(other);
            }
        }
    }
    Err(Located::malformed(start, "unexpected token: '<EOF>', string literal is not closed"))
}

fn bad_escape(at: usize, chars: &[char]) -> Located {
    let shown: String = chars.iter().skip(at).take(2).collect();
    Located::malformed(at, format!("Illegal backslash escape sequence '{shown}'"))
}
