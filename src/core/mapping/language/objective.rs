//! `objective`: what a mapping is to attain.

use jiff::SignedDuration;

use super::reader::{Keyed, Keys, Reader};
use super::tree::Node;
use crate::mapping::Objective;

pub(super) const OBJECTIVE: Keys<'_> = Keys {
    of: "`objective`",
    known: &["lag", "failures"],
    refused: &[("latency", "it is called `lag`"), ("errors", "it is called `failures`")],
};

/// The shortest and the longest lag that can be asked for: below, the clocks of two machines say
/// nothing; above, it is no lag any more.
const LAG: std::ops::RangeInclusive<SignedDuration> =
    SignedDuration::from_millis(10)..=SignedDuration::from_hours(7 * 24);

/// The objective of a mapping, if it has one.
pub(super) fn read(reader: &mut Reader<'_>, keyed: Keyed<'_>) -> Option<Objective> {
    let node = keyed.get("objective")?;
    let keyed = reader.keys(node, OBJECTIVE)?;
    if keyed.entries().is_empty() {
        let diagnostic = reader
            .error(node.span, "`objective` asks for nothing")
            .help("write `objective: { lag: 5s, failures: 0.2% }`, or one of the two");
        reader.note(diagnostic);
    }
    let lag = keyed.get("lag").and_then(|node| {
        let expected = "a duration from 10ms to 168h, as 5s";
        value(reader, node, "lag", expected, |text| {
            let lag: SignedDuration = text.parse().ok().filter(|lag| LAG.contains(lag))?;
            i64::try_from(lag.as_micros()).ok()
        })
    });
    let failures = keyed.get("failures").and_then(|node| {
        let expected = "a share from 0% to 100% with up to four digits behind the point, as 0.2%";
        value(reader, node, "failures", expected, millionths)
    });
    Some(Objective { lag, failures })
}

fn value<T>(
    reader: &mut Reader<'_>,
    node: &Node,
    key: &str,
    expected: &str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let text = reader.text(node, key)?;
    let parsed = parse(text.trim());
    if parsed.is_none() {
        let diagnostic = reader
            .error(node.span, format!("`{key}` cannot be `{}`", *text))
            .help(format!("write {expected}"));
        reader.note(diagnostic);
    }
    parsed
}

/// A share in percent as millionths.
fn millionths(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || whole.len() > 3 || part.len() > 4 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let part: u32 = format!("{part:0<4}").parse().ok()?;
    Some(whole * 10_000 + part).filter(|share| *share <= 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn shares_are_exact() {
        for (text, share) in [
            ("0.2%", Some(2_000)),
            ("0%", Some(0)),
            ("100 %", Some(1_000_000)),
            ("0.0001%", Some(1)),
            ("0.00001%", None),
            ("100.1%", None),
            ("0.2", None),
            (".2%", None),
            ("-1%", None),
            ("1e2%", None),
        ] {
            assert_eq!(millionths(text), share, "{text}");
        }
    }
}
