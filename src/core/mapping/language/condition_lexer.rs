//! The words and signs of a condition.

use std::sync::Arc;

use syncline_sdk::{Comparison, Decimal};

use super::condition::{Literal, continues_name, starts_name};
use super::{Located, Span};

/// What is wrong with a condition, with its place inside the condition's own text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Fault {
    pub span: Span,
    pub message: String,
    pub help: String,
}

impl Fault {
    pub(super) fn new(span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into() }
    }
}

/// One word or sign.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// A word: a name or a keyword.
    Word(Arc<str>),
    /// A name in backticks.
    Quoted(Arc<str>),
    Literal(Literal),
    Compare(Comparison),
    Open,
    Close,
    Comma,
    End,
}

impl Token {
    /// The token as messages name it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("`{word}`"),
            Self::Quoted(name) => format!("the field `{name}`"),
            Self::Literal(literal) => format!("`{literal}`"),
            Self::Compare(comparison) => format!("`{}`", super::condition::sign(*comparison)),
            Self::Open => "`(`".into(),
            Self::Close => "`)`".into(),
            Self::Comma => "`,`".into(),
            Self::End => "the end of the condition".into(),
        }
    }
}

/// Cuts a condition into words and signs, the last of which is `End`.
pub(super) fn tokens(text: &str) -> Result<Vec<Located<Token>>, Fault> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    loop {
        let token = lexer.next()?;
        let end = token.value == Token::End;
        found.push(token);
        if end {
            return Ok(found);
        }
    }
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }
    /// Takes characters while they fit; gives where they began.
    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> usize {
        let start = self.at;
        let taken = self.rest().find(|c| !fits(c)).unwrap_or(self.rest().len());
        self.at += taken;
        start
    }

    fn next(&mut self) -> Result<Located<Token>, Fault> {
        self.take_while(char::is_whitespace);
        let start = self.at;
        let Some(c) = self.peek() else {
            return Ok(Located::new(Token::End, Span::new(start, start)));
        };
        let token = match c {
            '\'' | '"' => Token::Literal(Literal::Text(self.quoted(c)?)),
            '`' => Token::Quoted(self.quoted(c)?),
            '0'..='9' | '-' | '+' | '.' => Token::Literal(self.number()?),
            c if starts_name(c) => {
                self.take_while(continues_name);
                Token::Word(self.text[start..self.at].into())
            }
            _ => self.sign()?,
        };
        Ok(Located::new(token, Span::new(start, self.at)))
    }

    fn quoted(&mut self, quote: char) -> Result<Arc<str>, Fault> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            let Some(c) = self.peek() else {
                let end = start + 1;
                let help = format!("close it with {quote}; a {quote} inside is written twice");
                return Err(Fault::new(Span::new(start, end), "this quote is never closed", help));
            };
            self.at += c.len_utf8();
            if c != quote {
                text.push(c);
            } else if self.peek() == Some(quote) {
                self.at += 1;
                text.push(quote);
            } else {
                return Ok(text.into());
            }
        }
    }

    fn number(&mut self) -> Result<Literal, Fault> {
        let start = self.take_while(|c| c.is_ascii_alphanumeric() || "+-.:".contains(c));
        let text = &self.text[start..self.at];
        if is_moment(text) {
            return Ok(Literal::Moment(text.into()));
        }
        let help = "write numbers as -12.5, dates as 2024-05-31, instants as 2024-05-31T12:00:00Z";
        let fault = || {
            let message = format!("`{text}` is neither a number nor a date");
            Fault::new(Span::new(start, start + text.len()), message, help)
        };
        let digits = text.chars().any(|c| c.is_ascii_digit());
        let number: Decimal = text.parse().map_err(|_| fault())?;
        if digits && number.is_finite() { Ok(Literal::Number(number)) } else { Err(fault()) }
    }

    fn sign(&mut self) -> Result<Token, Fault> {
        let signs = [
            ("!=", Token::Compare(Comparison::NotEqual)),
            ("<>", Token::Compare(Comparison::NotEqual)),
            ("<=", Token::Compare(Comparison::LessOrEqual)),
            (">=", Token::Compare(Comparison::GreaterOrEqual)),
            ("==", Token::Compare(Comparison::Equal)),
            ("=", Token::Compare(Comparison::Equal)),
            ("<", Token::Compare(Comparison::Less)),
            (">", Token::Compare(Comparison::Greater)),
            ("(", Token::Open),
            (")", Token::Close),
            (",", Token::Comma),
        ];
        for (text, token) in signs {
            if self.rest().starts_with(text) {
                let span = Span::new(self.at, self.at + text.len());
                self.at += text.len();
                if text == "==" {
                    return Err(Fault::new(span, "`==` is not a comparison", "write `=`"));
                }
                return Ok(token);
            }
        }
        let c = self.peek().unwrap_or_default();
        let span = Span::new(self.at, self.at + c.len_utf8());
        let help = "conditions have fields, constants, = != < <= > >=, and, or, not, in, is null";
        Err(Fault::new(span, format!("`{c}` has no meaning here"), help))
    }
}

/// Whether a text begins like `2024-`.
fn is_moment(text: &str) -> bool {
    let (year, rest) = text.split_at_checked(4).unwrap_or((text, ""));
    year.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with('-')
}
