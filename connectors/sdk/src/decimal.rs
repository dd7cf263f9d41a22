//! Decimals of any size, exact.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A decimal number of any size, kept as its text, so that nothing is ever rounded. Carries the
/// digits and the scale it was given with; compares by value (`1.0` equals `1.00`). Also the
/// three values beyond all digits that Postgres `numeric` knows: `NaN` (equal to itself and
/// above all others, as in Postgres), `Infinity`, `-Infinity`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct Decimal(Arc<str>);

/// A text that is not a decimal number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number")]
pub struct ParseDecimalError(String);

/// Above this exponent a text in scientific notation is refused: it would take its size in
/// digits. Postgres `numeric` itself ends at 131,072 digits.
const EXPONENT_MAX: i32 = 140_000;

impl Decimal {
    /// The text, without exponent: `-12.50`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// True for a number with digits: neither `NaN` nor infinite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        !self.0.ends_with(['N', 'y'])
    }
    /// True for a finite number without a fraction, whatever its scale.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.is_finite() && self.parts().2.is_empty()
    }
    /// The number of digits right of the point that count (trailing zeros do not).
    #[must_use]
    pub fn scale(&self) -> usize {
        if self.is_finite() { self.parts().2.len() } else { 0 }
    }
    /// The number of digits left of the point that count (0 for a number below one).
    #[must_use]
    pub fn integer_digits(&self) -> usize {
        if self.is_finite() { self.parts().1.len() } else { 0 }
    }
    /// The shortest text of the same value: no leading zeros, no trailing zeros after the point.
    #[must_use]
    pub fn canonical(&self) -> String {
        if !self.is_finite() {
            return self.0.to_string();
        }
        let (negative, integer, fraction) = self.parts();
        let mut text = String::with_capacity(self.0.len());
        if negative && !(integer.is_empty() && fraction.is_empty()) {
            text.push('-');
        }
        text.push_str(if integer.is_empty() { "0" } else { integer });
        if !fraction.is_empty() {
            text.push('.');
            text.push_str(fraction);
        }
        text
    }
    /// The value rounded half away from zero to so many significant digits.
    #[must_use]
    pub fn round_significant(&self, digits: usize) -> Self {
        if !self.is_finite() {
            return self.clone();
        }
        let (negative, integer, fraction) = self.parts();
        let all: Vec<u8> = integer.bytes().chain(fraction.bytes()).collect();
        let lead = all.iter().take_while(|digit| **digit == b'0').count();
        if all.len() - lead <= digits {
            return self.clone();
        }
        let cut = lead + digits;
        let mut kept = all[..cut].to_vec();
        let mut point = integer.len();
        if all[cut] >= b'5' && increment(&mut kept) {
            kept.insert(0, b'1');
            point += 1;
        }
        let sign = if negative { "-" } else { "" };
        let mut digits: String = kept.iter().map(|digit| char::from(*digit)).collect();
        while digits.len() < point {
            digits.push('0');
        }
        let (left, right) = digits.split_at(point);
        let left = if left.is_empty() { "0" } else { left };
        let text = if right.is_empty() {
            format!("{sign}{left}")
        } else {
            format!("{sign}{left}.{right}")
        };
        Self(text.into())
    }
    /// Sign, integer digits without leading zeros, fraction digits without trailing zeros.
    fn parts(&self) -> (bool, &str, &str) {
        let (negative, rest) = match self.0.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, &*self.0),
        };
        let (integer, fraction) = rest.split_once('.').unwrap_or((rest, ""));
        (negative, integer.trim_start_matches('0'), fraction.trim_end_matches('0'))
    }
    fn rank(&self) -> i8 {
        match &*self.0 {
            "-Infinity" => -1,
            "Infinity" => 1,
            "NaN" => 2,
            _ => 0,
        }
    }
}

/// Adds one to a run of digits; true when it overflowed (all nines).
fn increment(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    true
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;
    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        parse(text).ok_or_else(|| ParseDecimalError(text.chars().take(60).collect()))
    }
}

fn parse(text: &str) -> Option<Decimal> {
    match text {
        "NaN" | "Infinity" | "-Infinity" => return Some(Decimal(text.into())),
        _ => {}
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    if exponent.abs() > EXPONENT_MAX {
        return None;
    }
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (integer, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if integer.len() + fraction.len() == 0 || !plain(integer) || !plain(fraction) {
        return None;
    }
    if exponent == 0
        && sign.is_empty()
        && mantissa == text
        && !integer.is_empty()
        && !text.starts_with('+')
        && !text.ends_with('.')
    {
        return Some(Decimal(text.into()));
    }
    Some(Decimal(shift(sign, integer, fraction, exponent).into()))
}

/// Moves the point by the exponent, writing all digits out.
fn shift(sign: &str, integer: &str, fraction: &str, exponent: i32) -> String {
    let digits = format!("{integer}{fraction}");
    let point = i64::try_from(integer.len()).unwrap_or(i64::MAX) + i64::from(exponent);
    let len = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let (left, right) = if point <= 0 {
        let zeros = usize::try_from(-point).unwrap_or(0);
        ("0".to_owned(), format!("{}{digits}", "0".repeat(zeros)))
    } else if point >= len {
        let zeros = usize::try_from(point - len).unwrap_or(0);
        (format!("{digits}{}", "0".repeat(zeros)), String::new())
    } else {
        let at = usize::try_from(point).unwrap_or(0);
        (digits[..at].to_owned(), digits[at..].to_owned())
    };
    if right.is_empty() { format!("{sign}{left}") } else { format!("{sign}{left}.{right}") }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.to_string().into())
    }
}
impl TryFrom<Arc<str>> for Decimal {
    type Error = ParseDecimalError;
    fn try_from(text: Arc<str>) -> Result<Self, ParseDecimalError> {
        text.parse()
    }
}
impl From<Decimal> for Arc<str> {
    fn from(decimal: Decimal) -> Self {
        decimal.0
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Decimal {}
impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_rank = self.rank().cmp(&other.rank());
        if by_rank != Ordering::Equal || self.rank() != 0 {
            return by_rank;
        }
        let (a_negative, a_integer, a_fraction) = self.parts();
        let (b_negative, b_integer, b_fraction) = other.parts();
        let a_zero = a_integer.is_empty() && a_fraction.is_empty();
        let b_zero = b_integer.is_empty() && b_fraction.is_empty();
        match (a_negative && !a_zero, b_negative && !b_zero) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let size = a_integer
            .len()
            .cmp(&b_integer.len())
            .then_with(|| a_integer.cmp(b_integer))
            .then_with(|| a_fraction.cmp(b_fraction));
        if a_negative && !a_zero { size.reverse() } else { size }
    }
}
impl Hash for Decimal {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn keeps_every_digit_and_compares_by_value() {
        assert_eq!(decimal("1.0"), decimal("1.00"));
        assert_eq!(decimal("1.00").as_str(), "1.00");
        assert_eq!(decimal("-0.0"), decimal("0"));
        assert!(decimal("-2") < decimal("-1.5"));
        assert!(
            decimal("99999999999999999999999999999999.1")
                > decimal("99999999999999999999999999999999")
        );
        assert_eq!(decimal("NaN"), decimal("NaN"));
        assert!(decimal("NaN") > decimal("Infinity"));
        assert!(decimal("-Infinity") < decimal("-1e9"));
    }

    #[test]
    fn writes_exponents_out() {
        assert_eq!(decimal("1.5e3").as_str(), "1500");
        assert_eq!(decimal("1.5e-3").as_str(), "0.0015");
        assert_eq!(decimal("-12.345e1").as_str(), "-123.45");
        assert_eq!(decimal(".5").as_str(), "0.5");
        assert_eq!(decimal("5.").as_str(), "5");
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", "-", ".", "1,5", "1.2.3", "0x10", "1e", "1e999999999", "nan", "--1", " 1"]
        {
            assert!(text.parse::<Decimal>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn rounds_to_significant_digits() {
        assert_eq!(decimal("123456.789").round_significant(4).canonical(), "123500");
        assert_eq!(decimal("0.00123456").round_significant(3).canonical(), "0.00123");
        assert_eq!(decimal("999.96").round_significant(4).canonical(), "1000");
        assert_eq!(decimal("1.5").round_significant(15).canonical(), "1.5");
    }
}
