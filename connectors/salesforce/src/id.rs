//! Record ids: 15 case-sensitive characters, or 18 with the checksum of their case.

const CHECK: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The 18-character form of an id, or nothing when the text is not an id. An 18-character id
/// comes back with the case that its checksum demands only when it already has it: a wrong
/// checksum is no id.
pub(crate) fn id18(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if !matches!(bytes.len(), 15 | 18) || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    let mut id = text[..15].to_owned();
    for group in bytes[..15].chunks(5) {
        let bits = group
            .iter()
            .enumerate()
            .fold(0_usize, |bits, (at, byte)| bits | usize::from(byte.is_ascii_uppercase()) << at);
        id.push(char::from(CHECK[bits]));
    }
    (bytes.len() == 15 || id.as_bytes()[15..].eq_ignore_ascii_case(&bytes[15..])).then_some(id)
}

/// Whether the id is that of a user (key prefix 005).
pub(crate) fn is_user(id: &str) -> bool {
    id.starts_with("005")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_recorded_ids() {
        for (short, check) in
            [("a001a000002zhZK", "AAY"), ("0031a000005hwVQ", "AAY"), ("00D1a000000H3O9", "EAK")]
        {
            let id = format!("{short}{check}");
            assert_eq!(id18(short).as_deref(), Some(id.as_str()));
            assert_eq!(id18(&id).as_deref(), Some(id.as_str()));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "001", "a001a000002zhZKAAX", "a001a000002zh'K", "ä01a000002zhZK"] {
            assert_eq!(id18(text), None, "{text}");
        }
    }
}
