//! Coarser views of a value: what one side cannot hold stays on the other (protocol M3).

use std::sync::Arc;

use jiff::civil::Time;
use rust_decimal::{Decimal as Number, RoundingStrategy};
use syncline_sdk::{Decimal, Instant, Value};

use super::{NoImage, View, expression};

impl View {
    /// What the coarser side shows of a value.
    ///
    /// # Errors
    /// [`NoImage`] when the value is of another kind.
    pub fn of(&self, value: &Value) -> Result<Value, NoImage> {
        match (self, value) {
            (_, Value::Null) => Ok(Value::Null),
            (Self::Round(_), Value::Int(_)) => Ok(value.clone()),
            (Self::Round(digits), Value::Decimal(number)) => round(number, *digits),
            (Self::Truncate(chars), Value::Text(text)) => Ok(head(text, *chars)),
            (Self::Day(zone), Value::Instant(instant)) => {
                Ok(Value::Date(local(*instant, zone)?.date()))
            }
            (Self::Day(_), Value::Date(_)) => Ok(value.clone()),
            (_, other) => Err(NoImage::WrongType {
                from: other.kind().to_owned(),
                to: self.what().to_owned(),
            }),
        }
    }

    /// A value of the coarser side as the finer side holds it, over what that holds now: where
    /// its view is the value already it stays as it is; else what the view does not show is
    /// kept, or there is no such value.
    ///
    /// # Errors
    /// [`NoImage`] when keeping the rest is impossible.
    pub fn put(&self, value: &Value, now: &Value) -> Result<Value, NoImage> {
        if now.is_present() && self.of(now).as_ref() == Ok(value) {
            return Ok(now.clone());
        }
        match (self, value, now) {
            (Self::Truncate(chars), Value::Text(_), Value::Text(text))
                if text.chars().count() > *chars as usize =>
            {
                Err(NoImage::WouldLose(format!("the text behind its first {chars} characters")))
            }
            (Self::Day(zone), Value::Date(date), now) => {
                let time = match now {
                    Value::Instant(instant) => local(*instant, zone)?.time(),
                    _ => Time::midnight(),
                };
                let zone = zone_of(zone)?;
                let at = date.to_datetime(time).to_zoned(zone);
                let at = at.map_err(|_| NoImage::OutOfRange(date.to_string()))?;
                Ok(Value::Instant(Instant::from_micros(at.timestamp().as_microsecond())))
            }
            (_, value, _) => Ok(value.clone()),
        }
    }

    fn what(&self) -> &'static str {
        match self {
            Self::Round(_) => "a rounded number",
            Self::Truncate(_) => "the beginning of a text",
            Self::Day(_) => "a day",
        }
    }
}

fn round(number: &Decimal, digits: u32) -> Result<Value, NoImage> {
    let exact = Number::from_str_exact(&number.canonical())
        .map_err(|_| NoImage::OutOfRange(number.to_string()))?;
    let rounded =
        exact.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero).normalize();
    let rounded = rounded.to_string().parse();
    rounded.map(Value::Decimal).map_err(|_| NoImage::OutOfRange(number.to_string()))
}

fn head(text: &Arc<str>, chars: u32) -> Value {
    match text.char_indices().nth(chars as usize) {
        Some((end, _)) => Value::from(&text[..end]),
        None => Value::Text(Arc::clone(text)),
    }
}

fn zone_of(name: &str) -> Result<jiff::tz::TimeZone, NoImage> {
    expression::zone(name).ok_or_else(|| NoImage::OutOfRange(name.to_owned()))
}

fn local(instant: Instant, zone: &str) -> Result<jiff::Zoned, NoImage> {
    let stamp = jiff::Timestamp::from_microsecond(instant.micros())
        .map_err(|_| NoImage::OutOfRange(instant.to_string()))?;
    Ok(stamp.to_zoned(zone_of(zone)?))
}
