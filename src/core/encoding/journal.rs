//! What a journal entry says.

use syncline_sdk::Value;

use super::shape::{choices, fields};
use super::{DecodeError, Encoded, Reader, Writer};
use crate::mapping::NoImage;
use crate::model::{
    Came, Decided, Entry, Intent, IntentKind, Observed, Outcome, Settled, Verdict, Would,
    WrittenField,
};

/// The part of an entry that only its reader understands; ids and time stand beside it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct EntryBody {
    /// What was observed.
    pub observed: Vec<Observed>,
    /// What was decided.
    pub decided: Vec<Decided>,
    /// The write decided on.
    pub intent: Option<Intent>,
    /// What became of intents.
    pub settled: Vec<Settled>,
    /// The revision of the mapping that fields and units are counted by; 0 where it is not told.
    pub revision: i32,
}

/// The revision stands last, and not at all in version 1.
impl Encoded for EntryBody {
    fn write(&self, out: &mut Writer) {
        self.observed.write(out);
        self.decided.write(out);
        self.intent.write(out);
        self.settled.write(out);
        self.revision.write(out);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            observed: Encoded::read(input)?,
            decided: Encoded::read(input)?,
            intent: Encoded::read(input)?,
            settled: Encoded::read(input)?,
            revision: if input.version() < 2 { 0 } else { i32::read(input)? },
        })
    }
}

/// The bytes of an entry's body, without taking the entry apart.
#[must_use]
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut out = Writer::versioned(super::VERSION);
    entry.observed.write(&mut out);
    entry.decided.write(&mut out);
    entry.intent.write(&mut out);
    entry.settled.write(&mut out);
    entry.revision.write(&mut out);
    out.into_bytes()
}

fields!(Observed {
    side,
    key,
    exists,
    values,
    version,
    closed,
    actor,
    at,
    server_time,
    group,
    marker,
});
fields!(Decided { unit, verdict, left, right });
choices!(NoImage, "reason" {
    0 = Absent,
    1 = NotNullable,
    2 = NotInTable(value),
    3 = NotInList(value),
    4 = TooLong { chars, chars_max },
    5 = OutOfRange(value),
    6 = WouldLose(what),
    7 = WrongType { from, to },
    8 = NoParent(key),
    9 = Expression(why),
});
choices!(Verdict, "verdict" {
    0 = Write(side),
    1 = Agree,
    2 = PolicyTook(side),
    3 = Hold,
    4 = Kept(side),
    5 = NoImage(side, reason),
    6 = AwaitParent,
    7 = Oscillates,
    8 = Create(side),
    9 = Delete(side),
    10 = Undelete(side),
    11 = BothGone,
    12 = DeleteUpdate(side),
    13 = Adopt(side),
    14 = Ambiguous,
    15 = End,
    16 = MergeInto(link),
    17 = Rekey(side),
    18 = Leave(side),
    19 = Enter(side),
    20 = Answered(what),
    21 = AnswerNotApplied(why),
    22 = HalfWritten,
    23 = Released(why),
    24 = Retract(side),
    25 = Merged,
    26 = Reverted(side),
    27 = Would(what),
    28 = Came(what),
    29 = MoveTo(mapping),
    30 = MoveFrom(mapping),
    31 = Overwritten(side),
    32 = Candidate(side),
    33 = Excluded(side),
});
choices!(Would, "what would have been done" {
    0 = Write(side),
    1 = WriteBoth,
    2 = Ask,
    3 = Create(side),
    4 = Delete(side),
    5 = Undelete(side),
});
choices!(Came, "what became of it" { 0 = Same, 1 = Other(side), 2 = Withdrawn });
choices!(IntentKind, "kind of intent" { 0 = Create, 1 = Update, 2 = Delete, 3 = Undelete });
fields!(Intent { id, side, kind, key, units, fields, version, source, half, actor, edited_at });
choices!(Outcome, "outcome" {
    0 = Applied, 1 = Stale, 2 = Missing, 3 = Busy, 4 = Refused(kind, message), 5 = Cancelled,
});
fields!(Settled { intent, side, outcome });

/// The image equals the value.
const SAME_IMAGE: u8 = 1;
/// What is expected equals the value.
const SAME_EXPECTED: u8 = 2;

/// What is sent is mostly what is stored: the image is written only where it differs, and so is
/// what is expected (all three are the same for a delete).
impl Encoded for WrittenField {
    fn write(&self, out: &mut Writer) {
        self.field.write(out);
        let flags_at = out.len();
        out.byte(0);
        let from = out.len();
        self.value.write(out);
        let value = (from, out.len());
        let same_image = write_unless_same(value, &self.image, out);
        let same_expected = write_unless_same(value, &self.expected, out);
        let flags = (u8::from(same_image) * SAME_IMAGE) | (u8::from(same_expected) * SAME_EXPECTED);
        out.replace(flags_at, flags);
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let field = u16::read(input)?;
        let flags = input.byte()?;
        if flags > SAME_IMAGE | SAME_EXPECTED {
            return Err(DecodeError::Tag { what: "written field", tag: flags });
        }
        let value = Value::read(input)?;
        let mut unless = |flag: u8| {
            if flags & flag == 0 { Value::read(input) } else { Ok(value.clone()) }
        };
        let image = unless(SAME_IMAGE)?;
        let expected = unless(SAME_EXPECTED)?;
        Ok(Self { field, value, image, expected })
    }
}

/// Writes a value unless its bytes are those written before: equal values may differ in their
/// digits or precision, and those are kept.
fn write_unless_same(before: (usize, usize), value: &Value, out: &mut Writer) -> bool {
    let from = out.len();
    value.write(out);
    let same = out.part(before.0, before.1) == out.part(from, out.len());
    if same {
        out.truncate(from);
    }
    same
}
