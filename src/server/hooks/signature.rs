//! Signed deliveries, by the Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body`,
//! base64, as `v1,…` in the header `webhook-signature`, beside `webhook-id` and
//! `webhook-timestamp`.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How far the time of a delivery may lie from ours, seconds, as the scheme advises.
pub(super) const WINDOW_S: i64 = 5 * 60;

/// The length of a key, bytes, as the scheme has it.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// A sender that moves to another key signs with both for a while.
const SIGNATURES_MAX: usize = 8;
const ID_CHARS_MAX: usize = 200;

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// A key that deliveries are signed with.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

/// A text that is no such key. The message does not repeat it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a signing secret is `whsec_` and the base64 of 24 to 64 bytes")]
pub struct SigningKeyError;

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

impl std::str::FromStr for SigningKey {
    type Err = SigningKeyError;

    fn from_str(text: &str) -> Result<Self, SigningKeyError> {
        let text = text.strip_prefix("whsec_").unwrap_or(text);
        let key = STANDARD.decode(text.trim()).map_err(|_| SigningKeyError)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SigningKeyError);
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|_| SigningKeyError)
    }
}

/// What makes a delivery a signed one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Signed {
    /// The sender's id of it, the same when it is sent again.
    pub id: String,
    /// When it was sent, seconds since 1970.
    pub timestamp: i64,
    signatures: Vec<Vec<u8>>,
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Forged {
    #[error("the header {0} {1}")]
    Header(&'static str, &'static str),
    #[error("the signature does not fit the body and the key")]
    Signature,
    #[error("the delivery is signed for another time: {0} s away from now")]
    Stale(i64),
}

/// Whether a delivery says that it is signed.
pub(super) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE) || headers.contains_key(ID)
}

impl Signed {
    /// Reads the headers of a signed delivery.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Forged> {
        let one = |name| {
            let mut values = headers.get_all(name).iter();
            let value = values.next().ok_or(Forged::Header(name, "is missing"))?;
            if values.next().is_some() {
                return Err(Forged::Header(name, "is there more than once"));
            }
            value.to_str().map_err(|_| Forged::Header(name, "is not plain text"))
        };
        let (id, timestamp) = (one(ID)?, one(TIMESTAMP)?);
        let fits = |c: char| c.is_ascii_graphic() && c != '.';
        if id.is_empty() || id.len() > ID_CHARS_MAX || !id.chars().all(fits) {
            return Err(Forged::Header(ID, "has to be 1 to 200 printed characters other than `.`"));
        }
        // The number in its one form: it is part of what is signed.
        let seconds =
            timestamp.parse().ok().filter(|seconds: &i64| seconds.to_string() == timestamp);
        let seconds = seconds.ok_or(Forged::Header(TIMESTAMP, "has to be seconds since 1970"))?;
        let signatures: Vec<Vec<u8>> = one(SIGNATURE)?
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .take(SIGNATURES_MAX)
            .filter_map(|signature| STANDARD.decode(signature).ok())
            .collect();
        if signatures.is_empty() {
            return Err(Forged::Header(SIGNATURE, "has no `v1,` with the base64 of a signature"));
        }
        Ok(Self { id: id.to_owned(), timestamp: seconds, signatures })
    }

    /// Whether one of its signatures is that of one of the keys, and its time is near ours.
    /// The time is looked at last: who has no key learns nothing of our clock.
    pub(super) fn verify(
        &self,
        keys: &[SigningKey],
        body: &[u8],
        now_s: i64,
    ) -> Result<(), Forged> {
        let mut fits = false;
        for SigningKey(key) in keys {
            let mut signed = key.clone();
            signed.update(self.id.as_bytes());
            signed.update(format!(".{}.", self.timestamp).as_bytes());
            signed.update(body);
            for signature in &self.signatures {
                // Compared in constant time.
                fits |= signed.clone().verify_slice(signature).is_ok();
            }
        }
        if !fits {
            return Err(Forged::Signature);
        }
        let away = now_s.saturating_sub(self.timestamp);
        if !(-WINDOW_S..=WINDOW_S).contains(&away) {
            return Err(Forged::Stale(away));
        }
        Ok(())
    }

    /// The name that no delivery may have twice: one sent again has a later time.
    pub(super) fn once(&self) -> String {
        format!("{}@{}", self.id, self.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the scheme's own documentation.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const MESSAGE: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = b"{\"test\": 2432232314}";
    const SIGNED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn headers(id: &str, at: &str, signature: &str) -> HeaderMap {
        [("webhook-id", id), ("webhook-timestamp", at), ("webhook-signature", signature)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn verify(headers: &HeaderMap, body: &[u8], now: i64) -> Result<(), Forged> {
        Signed::read(headers)?.verify(&[KEY.parse().unwrap()], body, now)
    }

    #[test]
    fn the_published_example_verifies() {
        let headers = headers(MESSAGE, &AT.to_string(), SIGNED);
        assert_eq!(verify(&headers, BODY, AT), Ok(()));
        assert_eq!(verify(&headers, BODY, AT + WINDOW_S), Ok(()));
        assert_eq!(verify(&headers, BODY, AT - WINDOW_S), Ok(()));
    }

    #[test]
    fn one_of_several_signatures_and_of_several_keys_is_enough() {
        let both = format!("v1,AAAA v2,x {SIGNED} nonsense");
        let signed = Signed::read(&headers(MESSAGE, &AT.to_string(), &both)).unwrap();
        let other: SigningKey = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
        assert_eq!(signed.verify(&[other.clone(), KEY.parse().unwrap()], BODY, AT), Ok(()));
        assert_eq!(signed.verify(&[other], BODY, AT), Err(Forged::Signature));
        assert_eq!(signed.verify(&[], BODY, AT), Err(Forged::Signature));
    }

    #[test]
    fn whatever_is_changed_is_forged() {
        let at = AT.to_string();
        let later = (AT + 1).to_string();
        for (id, at, signature, body) in [
            ("msg_other", &at, SIGNED, BODY),
            (MESSAGE, &later, SIGNED, BODY),
            (MESSAGE, &at, "v1,AAAA", BODY),
            (MESSAGE, &at, "v1,", BODY),
            (MESSAGE, &at, SIGNED, b"{\"test\": 2432232315}"),
        ] {
            let found = verify(&headers(id, at, signature), body, AT);
            assert_eq!(found, Err(Forged::Signature), "{id} {at} {signature}");
        }
    }

    #[test]
    fn another_time_is_stale_and_only_a_holder_of_the_key_is_told() {
        let good = headers(MESSAGE, &AT.to_string(), SIGNED);
        assert_eq!(verify(&good, BODY, AT + WINDOW_S + 1), Err(Forged::Stale(WINDOW_S + 1)));
        assert_eq!(verify(&good, BODY, AT - WINDOW_S - 1), Err(Forged::Stale(-WINDOW_S - 1)));
        let bad = headers(MESSAGE, &AT.to_string(), "v1,AAAA");
        assert_eq!(verify(&bad, BODY, AT + 9999), Err(Forged::Signature));
    }

    #[test]
    fn headers_that_are_missing_or_ambiguous_are_refused() {
        let at = AT.to_string();
        let mut twice = headers(MESSAGE, &at, SIGNED);
        twice.append("webhook-id", "msg_other".parse().unwrap());
        for (headers, says) in [
            (headers("", &at, SIGNED), "webhook-id is missing"),
            (headers(MESSAGE, "", SIGNED), "webhook-timestamp is missing"),
            (headers(MESSAGE, &at, ""), "webhook-signature is missing"),
            (headers("a.b", &at, SIGNED), "webhook-id has to be"),
            (headers(&"x".repeat(201), &at, SIGNED), "webhook-id has to be"),
            (headers(MESSAGE, "+1614265330", SIGNED), "webhook-timestamp has to be"),
            (headers(MESSAGE, "soon", SIGNED), "webhook-timestamp has to be"),
            (headers(MESSAGE, &at, &SIGNED[3..]), "webhook-signature has no `v1,`"),
            (twice, "webhook-id is there more than once"),
        ] {
            let told = verify(&headers, BODY, AT).unwrap_err().to_string();
            assert!(told.contains(says), "{told}: {headers:?}");
        }
    }

    #[test]
    fn keys_are_long_enough_and_never_shown() {
        for text in ["", "whsec_", "whsec_AAAA", "not base64 at all!"] {
            let error = text.parse::<SigningKey>().unwrap_err().to_string();
            assert!(text.is_empty() || text == "whsec_" || !error.contains(text), "{error}");
        }
        let key: SigningKey = KEY.parse().unwrap();
        assert_eq!(format!("{key:?}"), "SigningKey(..)");
    }
}
