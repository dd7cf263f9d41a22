//! The door of one system: who is let in.

use std::net::IpAddr;

use ipnet::IpNet;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::SigningKey;
use crate::{Fingerprint, Pins};

/// What a delivery of one system must have. Secrets are kept as digests.
#[derive(Clone)]
pub struct Door {
    /// The system.
    pub system: String,
    /// The digests of the secrets that its address may hold.
    secrets: Vec<[u8; 32]>,
    /// The keys of signed deliveries; none where they are not taken.
    pub signing: Vec<SigningKey>,
    /// The client certificates of which one must be shown; none where none is asked for.
    pub certificates: Option<Pins>,
    /// The addresses it may come from; none where any may.
    pub from: Vec<IpNet>,
    /// Whether deliveries that are not signed are taken: the system sends some of itself.
    pub unsigned: bool,
}

/// A secret that cannot stand in an address, or could be guessed. The message does not repeat it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the secret has to have {min} to {max} letters, digits, `-`, `_`, `.` or `~`")]
pub struct DoorError {
    min: usize,
    max: usize,
}

/// Shorter ones could be tried out.
const SECRET_CHARS_MIN: usize = 20;
const SECRET_CHARS_MAX: usize = 200;

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("system", &self.system).finish_non_exhaustive()
    }
}

impl Door {
    /// A door that opens to these secrets: the one in use, and those that still may be while the
    /// sender is being moved to a new one.
    ///
    /// # Errors
    /// When one cannot stand in an address or could be guessed.
    pub fn new<'a>(
        system: impl Into<String>,
        secrets: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, DoorError> {
        let secrets =
            secrets.into_iter().map(|secret| Self::check(secret).map(|()| digest(secret)));
        Ok(Self {
            system: system.into(),
            secrets: secrets.collect::<Result<_, _>>()?,
            signing: Vec::new(),
            certificates: None,
            from: Vec::new(),
            unsigned: false,
        })
    }

    /// Whether a secret can stand in an address and cannot be guessed.
    ///
    /// # Errors
    /// When it cannot, without repeating it.
    pub fn check(secret: &str) -> Result<(), DoorError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
        let length = SECRET_CHARS_MIN..=SECRET_CHARS_MAX;
        if length.contains(&secret.len()) && secret.chars().all(fits) {
            Ok(())
        } else {
            Err(DoorError { min: SECRET_CHARS_MIN, max: SECRET_CHARS_MAX })
        }
    }

    /// Whether the secret opens it. Takes as long for a wrong one as for a right one.
    pub(super) fn opens_to(&self, secret: &str) -> bool {
        let given = digest(secret);
        let one = |known: Choice, secret: &[u8; 32]| known | secret.ct_eq(&given);
        self.secrets.iter().fold(Choice::from(0), one).into()
    }

    /// Whether a secret that opens it is not the one in use: the sender is not moved yet.
    pub(super) fn is_former(&self, secret: &str) -> bool {
        let given = digest(secret);
        self.opens_to(secret) && !bool::from(self.secrets[0].ct_eq(&given))
    }

    /// Whether deliveries may come from an address.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        self.from.is_empty() || self.from.iter().any(|net| net.contains(&address))
    }

    /// Whether a certificate that was shown, or none, is enough.
    pub(super) fn trusts(&self, certificate: Option<Fingerprint>) -> bool {
        let Some(pins) = &self.certificates else {
            return true;
        };
        certificate.is_some_and(|shown| pins.contain(shown))
    }
}

/// Digests have one length, so that a comparison tells nothing of the length of a secret.
fn digest(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "abcdefghijklmnopqrstuvwxyz";

    #[test]
    fn each_of_two_secrets_opens_it_and_no_other() {
        let door = Door::new("crm", [SECRET, "zyxwvutsrqponmlkjihgfedcba"]).unwrap();
        assert!(door.opens_to(SECRET) && door.opens_to("zyxwvutsrqponmlkjihgfedcba"));
        assert!(!door.is_former(SECRET) && door.is_former("zyxwvutsrqponmlkjihgfedcba"));
        assert!(!door.is_former("a"));
        for wrong in ["", "a", &SECRET[1..], &format!("{SECRET}a")] {
            assert!(!door.opens_to(wrong), "{wrong}");
        }
        assert!(!Door::new("crm", []).unwrap().opens_to(""));
    }

    #[test]
    fn what_could_be_guessed_is_no_secret() {
        for wrong in ["", "short", "with/slash/and/more/letters", "with space and more letters"] {
            let error = Door::new("crm", [wrong]).unwrap_err().to_string();
            assert!(wrong.is_empty() || !error.contains(wrong), "{error}");
        }
        assert!(Door::new("crm", ["a".repeat(201).as_str()]).is_err());
    }

    #[test]
    fn addresses_are_optional_and_so_are_certificates() {
        let mut door = Door::new("crm", [SECRET]).unwrap();
        let address: IpAddr = "10.1.2.3".parse().unwrap();
        assert!(door.admits(address) && door.trusts(None));
        door.from = vec!["10.2.0.0/16".parse().unwrap()];
        assert!(!door.admits(address));
        door.from.push("10.1.2.3/32".parse().unwrap());
        assert!(door.admits(address));
    }
}
