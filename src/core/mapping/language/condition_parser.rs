//! From the text of a condition to its tree.

use syncline_sdk::{Comparison, FieldName};

use super::condition::{Condition, Literal, WORDS};
use super::condition_lexer::{Fault, Token, tokens};
use super::{Located, Span};

/// The longest condition, in bytes; a filter with more belongs into a field of the system.
const CONDITION_BYTES_MAX: usize = 16 * 1024;

/// How deep parentheses and `not` may be nested.
const DEPTH_MAX: usize = 32;

/// Reads a condition.
pub(super) fn parse(text: &str) -> Result<Condition, Fault> {
    if text.len() > CONDITION_BYTES_MAX {
        let message = format!("the condition has {} bytes", text.len());
        let help = format!("at most {CONDITION_BYTES_MAX} are read: filter by a field instead");
        return Err(Fault::new(Span::new(0, text.len()), message, help));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let condition = parser.any()?;
    match parser.peek() {
        Token::End => Ok(condition),
        token => {
            let message = format!("{} does not continue the condition", token.describe());
            Err(parser.fault(message, "join conditions with `and` or `or`"))
        }
    }
}

struct Parser {
    tokens: Vec<Located<Token>>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn current(&self) -> &Located<Token> {
        // The last token is `End`, which is never passed.
        &self.tokens[self.at.min(self.tokens.len() - 1)]
    }
    fn peek(&self) -> &Token {
        &self.current().value
    }
    fn span(&self) -> Span {
        self.current().span
    }
    fn take(&mut self) -> Located<Token> {
        let token = self.current().clone();
        self.at += 1;
        token
    }
    fn fault(&self, message: impl Into<String>, help: impl Into<String>) -> Fault {
        Fault::new(self.span(), message, help)
    }
    /// Takes the keyword if it is next.
    fn keyword(&mut self, word: &str) -> bool {
        let next = matches!(self.peek(), Token::Word(found) if found.eq_ignore_ascii_case(word));
        self.at += usize::from(next);
        next
    }

    fn any(&mut self) -> Result<Condition, Fault> {
        let mut parts = vec![self.all()?];
        while self.keyword("or") {
            parts.push(self.all()?);
        }
        Ok(single(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, Fault> {
        let mut parts = vec![self.not()?];
        while self.keyword("and") {
            parts.push(self.not()?);
        }
        Ok(single(parts, Condition::All))
    }

    fn not(&mut self) -> Result<Condition, Fault> {
        if !self.keyword("not") {
            return self.primary();
        }
        self.deeper(|parser| parser.not().map(|part| Condition::Not(Box::new(part))))
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == DEPTH_MAX {
            let help = "write it with fewer parentheses";
            return Err(self.fault("the condition is nested too deeply", help));
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    fn primary(&mut self) -> Result<Condition, Fault> {
        if *self.peek() == Token::Open {
            let open = self.take().span;
            let inner = self.deeper(Self::any)?;
            if *self.peek() == Token::Close {
                self.at += 1;
                return Ok(inner);
            }
            let (message, help) = match self.peek() {
                Token::End => ("this parenthesis is never closed".to_owned(), "close it with `)`"),
                token => (
                    format!("{} does not continue the condition", token.describe()),
                    "join conditions with `and` or `or`, or close the parenthesis",
                ),
            };
            let span = if *self.peek() == Token::End { open } else { self.span() };
            return Err(Fault::new(span, message, help));
        }
        let field = self.field()?;
        self.predicate(field)
    }

    fn field(&mut self) -> Result<Located<FieldName>, Fault> {
        let help = "begin with a field, as in: industry = 'Banking'";
        let name = match self.peek() {
            Token::Quoted(name) => FieldName::new(name.clone()),
            Token::Word(word) if !WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)) => {
                FieldName::new(word.clone())
            }
            Token::Word(word) => {
                let help = format!("if a field has this name, write it as `{word}` in backticks");
                return Err(self.fault(format!("`{word}` is a word of the language"), help));
            }
            Token::End => return Err(self.fault("the condition ends before it is complete", help)),
            token => {
                let message = format!("{} stands where a field is expected", token.describe());
                return Err(self.fault(message, help));
            }
        };
        Ok(Located::new(name, self.take().span))
    }

    fn predicate(&mut self, field: Located<FieldName>) -> Result<Condition, Fault> {
        if let Token::Compare(comparison) = *self.peek() {
            self.at += 1;
            let literal = self.literal()?;
            return Ok(Condition::Compare { field, comparison, literal });
        }
        let start = self.span();
        if self.keyword("is") {
            let comparison =
                if self.keyword("not") { Comparison::NotEqual } else { Comparison::Equal };
            let span = Span::new(start.start, self.span().end);
            if !self.keyword("null") {
                return Err(self.fault(
                    format!("`is` asks for null only, not for {}", self.peek().describe()),
                    "compare with `=`, or write `is null` or `is not null`",
                ));
            }
            let literal = Located::new(Literal::Null, span);
            return Ok(Condition::Compare { field, comparison, literal });
        }
        let negated = self.keyword("not");
        if self.keyword("in") {
            let list = Condition::In { field, literals: self.list()? };
            return Ok(if negated { Condition::Not(Box::new(list)) } else { list });
        }
        let help = "after a field write = != < <= > >=, `in (...)`, `is null` or `is not null`";
        let message = match self.peek() {
            Token::End => "the comparison is missing".to_owned(),
            token => format!("{} is not a comparison", token.describe()),
        };
        Err(self.fault(message, help))
    }

    fn list(&mut self) -> Result<Vec<Located<Literal>>, Fault> {
        let help = "write the constants as in: industry in ('Banking', 'Energy')";
        if *self.peek() != Token::Open {
            return Err(self.fault("`in` is followed by a list in parentheses", help));
        }
        self.at += 1;
        let mut literals = Vec::new();
        loop {
            let literal = self.literal()?;
            if literal.value == Literal::Null {
                let help = "write `field is null or field in (...)`";
                return Err(Fault::new(literal.span, "a list cannot hold null", help));
            }
            literals.push(literal);
            match self.peek() {
                Token::Comma => self.at += 1,
                Token::Close => {
                    self.at += 1;
                    return Ok(literals);
                }
                token => {
                    let message = format!("{} does not continue the list", token.describe());
                    return Err(self.fault(message, help));
                }
            }
        }
    }

    fn literal(&mut self) -> Result<Located<Literal>, Fault> {
        let literal = match self.peek() {
            Token::Literal(literal) => literal.clone(),
            Token::Word(word) if word.eq_ignore_ascii_case("null") => Literal::Null,
            Token::Word(word) if word.eq_ignore_ascii_case("true") => Literal::Bool(true),
            Token::Word(word) if word.eq_ignore_ascii_case("false") => Literal::Bool(false),
            Token::Word(word) | Token::Quoted(word) => {
                let help = format!("a field is compared with a constant; text is quoted: '{word}'");
                return Err(self.fault(format!("`{word}` is not a constant"), help));
            }
            token => {
                let message = format!("{} stands where a constant is expected", token.describe());
                let help = "write 'text', a number, true, false, null, or a date as 2024-05-31";
                return Err(self.fault(message, help));
            }
        };
        Ok(Located::new(literal, self.take().span))
    }
}

/// The only part, or all of them together.
fn single(mut parts: Vec<Condition>, join: impl Fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => part,
        (_, last) => {
            parts.extend(last);
            join(parts)
        }
    }
}
