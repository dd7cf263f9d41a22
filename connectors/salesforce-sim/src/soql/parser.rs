//! Tokens to a statement, by recursive descent.

use super::ast::{FieldSet, Function, Order, Path, Query, Select};
use super::error::{Located, QueryError};
use super::lexer::{Token, tokens};

/// Longest statement (SOQL guide, limits).
const LENGTH_MAX: usize = 100_000;
/// Deepest nesting of parentheses that is read.
const DEPTH_MAX: usize = 100;
const CLAUSES: [&str; 12] = [
    "WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "FROM", "WITH", "HAVING", "FOR", "USING", "AND",
    "OR",
];

/// Reads one statement.
pub(crate) fn parse(statement: &str) -> Result<Query, QueryError> {
    if statement.len() > LENGTH_MAX {
        let text = "SOQL statements cannot be longer than 100000 characters.";
        return Err(Located::malformed(0, text).quote(""));
    }
    let read = || -> Result<Query, Located> {
        let mut parser = Parser { tokens: tokens(statement)?, at: 0, depth: 0 };
        let query = parser.query()?;
        match parser.peek() {
            Token::End => Ok(query),
            _ => Err(parser.unexpected()),
        }
    };
    read().map_err(|error| error.quote(statement))
}

/// The tokens and the place in them.
pub(super) struct Parser {
    tokens: Vec<(Token, usize)>,
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        self.tokens.get(self.at).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn peek_next(&self) -> &Token {
        self.tokens.get(self.at + 1).map_or(&Token::End, |(token, _)| token)
    }

    pub(super) fn place(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(_, at)| *at)
    }

    pub(super) fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn unexpected(&self) -> Located {
        Located::unexpected(self.place(), &self.peek().shown())
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(it) if it.eq_ignore_ascii_case(word))
    }

    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn need_word(&mut self, word: &str) -> Result<(), Located> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(it) if *it == symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn need(&mut self, symbol: &str) -> Result<(), Located> {
        if self.take(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn deeper(&mut self) -> Result<(), Located> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Located::new("QUERY_TOO_COMPLICATED", self.place(), "too deeply nested"));
        }
        Ok(())
    }

    pub(super) fn query(&mut self) -> Result<Query, Located> {
        self.deeper()?;
        self.need_word("SELECT")?;
        let mut select = vec![self.select_item()?];
        while self.take(",") {
            select.push(self.select_item()?);
        }
        self.need_word("FROM")?;
        let from_at = self.place();
        let Token::Word(from) = self.peek().clone() else {
            return Err(self.unexpected());
        };
        self.at += 1;
        let alias = self.alias();
        let mut query = Query {
            select,
            from,
            from_at,
            alias,
            filter: None,
            group: Vec::new(),
            order: Vec::new(),
            limit: None,
            limit_at: 0,
            offset: 0,
        };
        if self.take_word("WHERE") {
            query.filter = Some(self.condition()?);
        }
        if self.take_word("GROUP") {
            self.need_word("BY")?;
            query.group.push(self.path()?);
            while self.take(",") {
                query.group.push(self.path()?);
            }
        }
        if self.take_word("ORDER") {
            self.need_word("BY")?;
            query.order.push(self.order()?);
            while self.take(",") {
                query.order.push(self.order()?);
            }
        }
        if self.take_word("LIMIT") {
            query.limit_at = self.place();
            query.limit = Some(self.count()?);
        }
        if self.take_word("OFFSET") {
            let at = self.place();
            query.offset = self.count()?;
            if query.offset > 2000 {
                let text = "Maximum SOQL offset allowed is 2000";
                return Err(Located::new("NUMBER_OUTSIDE_VALID_RANGE", at, text));
            }
        }
        self.depth -= 1;
        Ok(query)
    }

    pub(super) fn alias(&mut self) -> Option<String> {
        let Token::Word(word) = self.peek() else {
            return None;
        };
        if CLAUSES.iter().any(|clause| word.eq_ignore_ascii_case(clause)) {
            return None;
        }
        let word = word.clone();
        self.at += 1;
        Some(word)
    }

    pub(super) fn select_item(&mut self) -> Result<Select, Located> {
        if self.take("(") {
            let child = self.query()?;
            self.need(")")?;
            return Ok(Select::Child(Box::new(child)));
        }
        let at = self.place();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.unexpected());
        };
        if *self.peek_next() != Token::Symbol("(") {
            return Ok(Select::Field(self.path()?));
        }
        self.at += 2;
        let upper = word.to_ascii_uppercase();
        if upper == "FIELDS" {
            return self.field_set(at);
        }
        let function = match upper.as_str() {
            "COUNT" if self.take(")") => return Ok(Select::Count),
            "COUNT" => Function::Count,
            "COUNT_DISTINCT" => Function::CountDistinct,
            "MIN" => Function::Min,
            "MAX" => Function::Max,
            "SUM" => Function::Sum,
            "AVG" => Function::Avg,
            _ => return Err(Located::unexpected(at, &format!("'{word}'"))),
        };
        let path = self.path()?;
        self.need(")")?;
        Ok(Select::Aggregate { function, path, alias: self.alias() })
    }

    pub(super) fn field_set(&mut self, at: usize) -> Result<Select, Located> {
        let set = if self.take_word("ALL") {
            FieldSet::All
        } else if self.take_word("STANDARD") {
            FieldSet::Standard
        } else if self.take_word("CUSTOM") {
            FieldSet::Custom
        } else {
            return Err(self.unexpected());
        };
        self.need(")")?;
        Ok(Select::Fields(set, at))
    }

    pub(super) fn path(&mut self) -> Result<Path, Located> {
        let at = self.place();
        let Token::Word(word) = self.peek().clone() else {
            return Err(self.unexpected());
        };
        let parts: Vec<String> = word.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(Path { parts, at })
    }

    pub(super) fn order(&mut self) -> Result<Order, Located> {
        let path = self.path()?;
        let descending = self.take_word("DESC");
        if !descending {
            self.take_word("ASC");
        }
        let mut nulls_first = !descending;
        if self.take_word("NULLS") {
            nulls_first = self.take_word("FIRST");
            if !nulls_first {
                self.need_word("LAST")?;
            }
        }
        Ok(Order { path, descending, nulls_first })
    }

    pub(super) fn count(&mut self) -> Result<usize, Located> {
        let number = match self.peek() {
            Token::Number(text) => text.parse().ok(),
            _ => None,
        };
        let Some(number) = number else {
            return Err(self.unexpected());
        };
        self.at += 1;
        Ok(number)
    }
}
