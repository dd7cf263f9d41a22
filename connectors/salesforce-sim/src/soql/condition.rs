//! The conditions of a statement.

use super::ast::{Expr, Literal, LiteralKind, Op, Path};
use super::error::Located;
use super::lexer::Token;
use super::operand::date_or_number;
use super::parser::Parser;

impl Parser {
    /// AND and OR do not mix without parentheses.
    pub(super) fn condition(&mut self) -> Result<Expr, Located> {
        self.deeper()?;
        let first = self.term()?;
        let joined = if self.is_word("AND") {
            Expr::And(self.joined("AND", first)?)
        } else if self.is_word("OR") {
            Expr::Or(self.joined("OR", first)?)
        } else {
            first
        };
        self.depth -= 1;
        if self.is_word("AND") || self.is_word("OR") {
            return Err(self.unexpected());
        }
        Ok(joined)
    }

    pub(super) fn joined(&mut self, word: &str, first: Expr) -> Result<Vec<Expr>, Located> {
        let mut all = vec![first];
        while self.take_word(word) {
            all.push(self.term()?);
        }
        Ok(all)
    }

    pub(super) fn term(&mut self) -> Result<Expr, Located> {
        if self.take_word("NOT") {
            self.deeper()?;
            let inner = self.term()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        if self.take("(") {
            let inner = self.condition()?;
            self.need(")")?;
            return Ok(inner);
        }
        let path = self.path()?;
        if self.take_word("NOT") {
            self.need_word("IN")?;
            return self.in_list(path, true);
        }
        if self.take_word("IN") {
            return self.in_list(path, false);
        }
        for (word, negated) in [("INCLUDES", false), ("EXCLUDES", true)] {
            if self.take_word(word) {
                let list = self.list()?;
                return Ok(Expr::Includes { path, negated, list });
            }
        }
        let op = self.operator()?;
        let literal = self.literal()?;
        Ok(Expr::Compare { path, op, literal })
    }

    pub(super) fn operator(&mut self) -> Result<Op, Located> {
        if self.take_word("LIKE") {
            return Ok(Op::Like);
        }
        let op = match self.peek() {
            Token::Symbol("=") => Op::Eq,
            Token::Symbol("!=" | "<>") => Op::Ne,
            Token::Symbol("<") => Op::Lt,
            Token::Symbol("<=") => Op::Le,
            Token::Symbol(">") => Op::Gt,
            Token::Symbol(">=") => Op::Ge,
            _ => return Err(self.unexpected()),
        };
        self.at += 1;
        Ok(op)
    }

    pub(super) fn in_list(&mut self, path: Path, negated: bool) -> Result<Expr, Located> {
        let nested =
            matches!(self.peek_next(), Token::Word(it) if it.eq_ignore_ascii_case("SELECT"));
        if *self.peek() == Token::Symbol("(") && nested {
            self.at += 1;
            let query = Box::new(self.query()?);
            self.need(")")?;
            return Ok(Expr::InQuery { path, negated, query });
        }
        Ok(Expr::In { path, negated, list: self.list()? })
    }

    pub(super) fn list(&mut self) -> Result<Vec<Literal>, Located> {
        self.need("(")?;
        let mut list = vec![self.literal()?];
        while self.take(",") {
            list.push(self.literal()?);
        }
        self.need(")")?;
        Ok(list)
    }

    pub(super) fn literal(&mut self) -> Result<Literal, Located> {
        let at = self.place();
        let bad = self.unexpected();
        let kind = match self.next() {
            Token::Text { plain, pattern } => LiteralKind::Text { plain, pattern },
            Token::Number(text) => date_or_number(&text).ok_or(bad)?,
            Token::Word(word) => match word.to_ascii_uppercase().as_str() {
                "NULL" => LiteralKind::Null,
                "TRUE" => LiteralKind::Bool(true),
                "FALSE" => LiteralKind::Bool(false),
                name if super::dates::is_known(name) => {
                    let number = if self.take(":") {
                        Some(i64::try_from(self.count()?).unwrap_or(i64::MAX))
                    } else {
                        None
                    };
                    if super::dates::wants_number(name) != number.is_some() {
                        return Err(Located::unexpected(at, &format!("'{word}'")));
                    }
                    LiteralKind::DateWord { name: name.to_owned(), number }
                }
                _ => return Err(bad),
            },
            _ => return Err(bad),
        };
        Ok(Literal { at, kind })
    }
}
