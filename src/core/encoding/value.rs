//! Values. The first byte says the kind; short texts and small numbers are in it.

use jiff::civil::{Date, Time};
use syncline_sdk::{LinkId, Value};
use uuid::Uuid;

use super::bytes::utf8;
use super::primitive::{read_instant, units, write_list};
use super::{DecodeError, Encoded, Reader, Writer};

const ABSENT: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
const INT: u8 = 4;
const DECIMAL: u8 = 5;
const TEXT: u8 = 6;
const BYTES: u8 = 7;
const DATE: u8 = 8;
const TIME: u8 = 9;
/// The three precisions follow: 10, 11, 12.
const INSTANT: u8 = 10;
const INSTANT_LAST: u8 = 12;
const UUID: u8 = 13;
const JSON: u8 = 14;
const LIST: u8 = 15;
const LINK: u8 = 16;
const RAW: u8 = 17;
/// From here on a whole number from 0 to 63.
const SMALL_INT: u8 = 0x40;
/// From here on a text of 0 to 127 bytes.
const SHORT_TEXT: u8 = 0x80;

impl Encoded for Value {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Absent => out.byte(ABSENT),
            Self::Null => out.byte(NULL),
            Self::Bool(false) => out.byte(FALSE),
            Self::Bool(true) => out.byte(TRUE),
            Self::Int(number) => write_int(*number, out),
            Self::Decimal(decimal) => tagged(DECIMAL, decimal.as_str().as_bytes(), out),
            Self::Text(text) => write_text(text, out),
            Self::Bytes(bytes) => tagged(BYTES, bytes, out),
            Self::Date(date) => write_date(*date, out),
            Self::Time(time) => write_time(*time, out),
            Self::Instant(instant) => {
                let (precision, units) = units(*instant);
                out.byte(INSTANT + precision);
                out.signed(units);
            }
            Self::Uuid(uuid) => {
                out.byte(UUID);
                uuid.write(out);
            }
            Self::Json(text) => tagged(JSON, text.as_bytes(), out),
            Self::List(items) => {
                out.byte(LIST);
                write_list(items, out);
            }
            Self::Link(link) => {
                out.byte(LINK);
                link.write(out);
            }
            Self::Raw(text) => tagged(RAW, text.as_bytes(), out),
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let value = match input.byte()? {
            tag @ SHORT_TEXT.. => {
                Self::Text(utf8(input.raw(usize::from(tag - SHORT_TEXT))?)?.into())
            }
            tag @ SMALL_INT..SHORT_TEXT => Self::Int(i64::from(tag - SMALL_INT)),
            ABSENT => Self::Absent,
            NULL => Self::Null,
            FALSE => Self::Bool(false),
            TRUE => Self::Bool(true),
            INT => Self::Int(input.signed()?),
            DECIMAL => Self::Decimal(
                input.text()?.parse().map_err(|_| DecodeError::Invalid("decimal number"))?,
            ),
            TEXT => Self::Text(input.text()?.into()),
            BYTES => Self::Bytes(input.bytes()?.into()),
            DATE => Self::Date(read_date(input)?),
            TIME => Self::Time(read_time(input)?),
            tag @ INSTANT..=INSTANT_LAST => Self::Instant(read_instant(tag - INSTANT, input)?),
            UUID => Self::Uuid(Uuid::read(input)?),
            JSON => Self::Json(input.text()?.into()),
            LIST => Self::List(input.nested(Vec::<Self>::read)?.into()),
            LINK => Self::Link(LinkId::read(input)?),
            RAW => Self::Raw(input.text()?.into()),
            tag => return Err(DecodeError::Tag { what: "value", tag }),
        };
        Ok(value)
    }
}

fn tagged(tag: u8, bytes: &[u8], out: &mut Writer) {
    out.byte(tag);
    out.bytes(bytes);
}

fn write_int(number: i64, out: &mut Writer) {
    match u8::try_from(number) {
        Ok(small @ 0..SMALL_INT) => out.byte(SMALL_INT + small),
        _ => {
            out.byte(INT);
            out.signed(number);
        }
    }
}

fn write_text(text: &str, out: &mut Writer) {
    match u8::try_from(text.len()) {
        Ok(short @ 0..SHORT_TEXT) => {
            out.byte(SHORT_TEXT + short);
            out.raw(text.as_bytes());
        }
        _ => tagged(TEXT, text.as_bytes(), out),
    }
}

fn write_date(date: Date, out: &mut Writer) {
    out.byte(DATE);
    out.signed(i64::from(date.year()));
    out.byte(date.month().cast_unsigned());
    out.byte(date.day().cast_unsigned());
}

fn read_date(input: &mut Reader<'_>) -> Result<Date, DecodeError> {
    let year = i16::read(input)?;
    let (month, day) = (input.byte()?.cast_signed(), input.byte()?.cast_signed());
    Date::new(year, month, day).map_err(|_| DecodeError::Invalid("date"))
}

fn write_time(time: Time, out: &mut Writer) {
    out.byte(TIME);
    out.byte(time.hour().cast_unsigned());
    out.byte(time.minute().cast_unsigned());
    out.byte(time.second().cast_unsigned());
    out.signed(i64::from(time.subsec_nanosecond()));
}

fn read_time(input: &mut Reader<'_>) -> Result<Time, DecodeError> {
    let hour = input.byte()?.cast_signed();
    let minute = input.byte()?.cast_signed();
    let second = input.byte()?.cast_signed();
    let nanosecond = i32::read(input)?;
    Time::new(hour, minute, second, nanosecond).map_err(|_| DecodeError::Invalid("time"))
}
