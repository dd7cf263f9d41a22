//! How a question is named on a command line: by its number and the revision that was seen.

use std::fmt;
use std::str::FromStr;

/// A question in one of its revisions: `17@2`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seen {
    pub id: i64,
    pub revision: i32,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id, self.revision)
    }
}

impl FromStr for Seen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (id, revision) = text.split_once('@')?;
            let seen = Self { id: id.parse().ok()?, revision: revision.parse().ok()? };
            (seen.id > 0 && seen.revision > 0).then_some(seen)
        };
        parse().ok_or_else(|| {
            "write number and revision, as `syncline conflicts list` shows them: 17@2".to_owned()
        })
    }
}

/// A question by its number; a revision behind it is read over, so that `17@2` can be pasted.
pub fn number(text: &str) -> Result<i64, String> {
    let id = text.split_once('@').map_or(text, |(id, _)| id);
    let number = id.parse().ok().filter(|id| *id > 0);
    number.ok_or_else(|| {
        "write the number of a question, as `syncline conflicts list` shows it: 17".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_named_with_its_revision() {
        assert_eq!("17@2".parse(), Ok(Seen { id: 17, revision: 2 }));
        for wrong in ["17", "17@", "@2", "0@1", "17@0", "17@-1", "a@b", "17@2@3"] {
            assert!(wrong.parse::<Seen>().is_err(), "{wrong}");
        }
        assert_eq!(number("17@2"), Ok(17));
        assert_eq!(number("17"), Ok(17));
        assert!(number("x").is_err());
    }
}
