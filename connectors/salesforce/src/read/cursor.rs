//! Where a poll stands.

use std::fmt;
use std::str::FromStr;

use crate::version::Stamp;

/// A place in the order of stamp and id: everything up to it was shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub(super) stamp: Stamp,
    /// The last id shown of that second; empty before the first.
    pub(super) id: String,
}

impl Place {
    pub(super) fn before(stamp: Stamp) -> Self {
        Self { stamp, id: String::new() }
    }
}

/// The cursor of a poll: `p1;stamp;id;due;back stamp;back id;chain`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Poll {
    /// How far the poll came.
    pub(super) at: Place,
    /// When, by the server's clock, the window behind is read again.
    pub(super) due: Stamp,
    /// How far the re-reading of the window came, while it goes on.
    pub(super) back: Option<Place>,
    /// Whose memory of shown rows belongs to it.
    pub(super) chain: i64,
}

impl fmt::Display for Poll {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p1;{};{};{};", self.at.stamp.0, self.at.id, self.due.0)?;
        match &self.back {
            Some(back) => write!(f, "{};{};", back.stamp.0, back.id)?,
            None => f.write_str(";;")?,
        }
        write!(f, "{}", self.chain)
    }
}

impl FromStr for Poll {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split(';').collect();
        let ["p1", stamp, id, due, back, back_id, chain] = parts.as_slice() else {
            return Err(());
        };
        let number = |text: &str| text.parse::<i64>().map_err(|_| ());
        let place = |stamp: &str, id: &str| {
            if !id.is_empty() && crate::id::id18(id).is_none() {
                return Err(());
            }
            Ok(Place { stamp: Stamp(number(stamp)?), id: id.to_owned() })
        };
        Ok(Self {
            at: place(stamp, id)?,
            due: Stamp(number(due)?),
            back: if back.is_empty() { None } else { Some(place(back, back_id)?) },
            chain: number(chain)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let id = "001000000000001AAA".to_owned();
        for (at, back) in [("", None), (id.as_str(), Some(Place::before(Stamp(3))))] {
            let poll = Poll {
                at: Place { stamp: Stamp(7), id: at.to_owned() },
                due: Stamp(9),
                back,
                chain: -4,
            };
            assert_eq!(poll.to_string().parse(), Ok(poll));
        }
        for text in ["", "p1;1;;2;;;", "p2;1;;2;;;3", "p1;1;' OR;2;;;3", "p1;x;;2;;;3"] {
            assert_eq!(text.parse::<Poll>(), Err(()), "{text}");
        }
    }
}
