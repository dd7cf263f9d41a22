//! Record ids: 15 case-sensitive characters and 3 check characters.

use std::fmt;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// An 18-character record id. Order is the order of its characters, as `ORDER BY Id` sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 18]);

impl Id {
    /// Reads a 15- or 18-character id; an 18-character one must carry the right check
    /// characters (object reference, "ID field type").
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut full = [0_u8; 18];
        full[..15].copy_from_slice(bytes.get(..15)?);
        let check = checksum(&full);
        full[15..].copy_from_slice(&check);
        (bytes.len() == 15 || bytes == full).then_some(Self(full))
    }

    /// The `number`-th id of a key prefix in an instance: prefix, two instance characters,
    /// a reserved `0`, nine digits.
    pub(crate) fn of_number(prefix: &str, instance: [u8; 2], number: u64) -> Self {
        let mut full = [b'0'; 18];
        for (slot, byte) in full.iter_mut().zip(prefix.bytes().take(3)) {
            *slot = byte;
        }
        full[3] = instance[0];
        full[4] = instance[1];
        let mut rest = number;
        for slot in full[6..15].iter_mut().rev() {
            *slot = digit(rest % 62);
            rest /= 62;
        }
        let check = checksum(&full);
        full[15..].copy_from_slice(&check);
        Self(full)
    }

    /// All 18 characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The 15-character form, as messages and access tokens show it.
    pub fn short(&self) -> &str {
        self.as_str().get(..15).unwrap_or_default()
    }

    /// The three characters that name the object.
    pub fn prefix(&self) -> &str {
        self.as_str().get(..3).unwrap_or_default()
    }

    /// The smallest possible id, for range scans.
    pub(crate) const LOWEST: Self = Self([0; 18]);
}

/// One base-62 digit of an id.
pub(crate) fn digit(value: u64) -> u8 {
    usize::try_from(value % 62).ok().and_then(|at| DIGITS.get(at).copied()).unwrap_or(b'0')
}

fn checksum(full: &[u8; 18]) -> [u8; 3] {
    let mut check = [b'A'; 3];
    for (slot, group) in check.iter_mut().zip(full[..15].chunks(5)) {
        let bits = group
            .iter()
            .enumerate()
            .filter(|(_, byte)| byte.is_ascii_uppercase())
            .fold(0_usize, |bits, (at, _)| bits | (1 << at));
        *slot = CHECK.get(bits).copied().unwrap_or(b'A');
    }
    check
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl serde::Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
impl<'de> serde::Deserialize<'de> for Id {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is not a record id")))
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn check_characters_match_recorded_ids() {
        for (short, full) in [
            ("001a000002zhZK", None),
            ("a001a000002zhZK", Some("a001a000002zhZKAAY")),
            ("0031a000005hwVQ", Some("0031a000005hwVQAAY")),
            ("00D1a000000H3O9", Some("00D1a000000H3O9EAK")),
            ("0051a000000QwEr", Some("0051a000000QwErAAK")),
            ("012000000000000", Some("012000000000000AAA")),
        ] {
            assert_eq!(Id::parse(short).map(|id| id.to_string()).as_deref(), full);
        }
        assert_eq!(Id::parse("00D1a000000H3O9EAA"), None);
    }

    #[test]
    fn generated_ids_ascend_and_parse() {
        let mut last = Id::of_number("003", *b"5g", 0);
        for number in 1..5000 {
            let next = Id::of_number("003", *b"5g", number);
            assert!(next > last);
            assert_eq!(Id::parse(next.as_str()), Some(next));
            assert_eq!(Id::parse(next.short()), Some(next));
            last = next;
        }
    }
}
