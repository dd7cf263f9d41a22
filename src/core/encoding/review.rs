//! Questions and answers, and where a link stands.

use super::shape::{choices, fields};
use crate::model::{Answer, Choice, ReviewKind, Shown};

choices!(ReviewKind, "kind of question" {
    0 = Conflict,
    1 = Initial,
    2 = DeleteUpdate(side),
    3 = Delete(side),
    4 = Leave(side),
    5 = Ambiguous(candidates),
    6 = NoImage(side, reason),
    7 = Oscillation,
    8 = SuspectedDelete(side),
    9 = Overwritten(side),
    10 = Anew,
    11 = Merged(side, partner),
    13 = Candidate(side, record),
});
fields!(Shown { exists, values, base, actor, at });
choices!(Choice, "choice" {
    0 = Take(side),
    1 = Typed(values),
    2 = Adopt(key),
    3 = Separate,
    4 = Retry,
});
fields!(Answer { choice, by, at });
