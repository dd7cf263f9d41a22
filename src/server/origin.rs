//! Where a request comes from, as far as that can be believed.
//!
//! Anybody can write `X-Forwarded-For`. It is read only where the connection itself comes from a
//! proxy that the settings list, and then from its end: up to the first address that is no such
//! proxy.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a certificate in DER.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The other end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its address.
    pub address: SocketAddr,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// The client certificate it showed, and has the key of.
    pub certificate: Option<Fingerprint>,
}

/// The proxies whose word is taken for where a request comes from.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// Where a request comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Origin {
    /// The address of the client.
    pub client: IpAddr,
    /// Whether somebody on the way could read it.
    pub way: Way,
    /// The client certificate that was shown to us.
    pub certificate: Option<Fingerprint>,
}

/// The way of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// Encrypted up to us or to a trusted proxy, or from this very machine.
    Secure,
    /// In plain text, at least in part.
    Plain,
    /// Through a proxy on this machine whose word is not taken: nobody knows.
    Unlisted,
}

impl Way {
    /// What is wrong with a way that is not secure, and what to do.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Secure => "the way is secure",
            Self::Plain => {
                "it came in plain text over a network: send it over https, to Syncline itself \
                 (`tls`) or to a proxy that `trusted_proxies` lists"
            }
            Self::Unlisted => {
                "it came through a proxy on this machine that `trusted_proxies` does not list, so \
                 that its way there may have been plain text: list the address that the proxy \
                 calls from"
            }
        }
    }
}

/// What proxies add to a request.
const FORWARDED: [HeaderName; 4] = [
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
];

impl Origin {
    pub(crate) fn of(peer: &Peer, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let direct = canonical(peer.address.ip());
        let certificate = peer.certificate;
        let forwarded = FORWARDED.iter().any(|name| headers.contains_key(name));
        // Without a word of a proxy it is a client like others, also from an address of one.
        if !forwarded || !proxies.contain(direct) {
            let way = match (peer.encrypted, direct.is_loopback()) {
                (true, _) => Way::Secure,
                (false, true) if forwarded => Way::Unlisted,
                (false, true) => Way::Secure,
                (false, false) => Way::Plain,
            };
            return Self { client: direct, way, certificate };
        }
        let mut client = direct;
        for hop in hops(headers) {
            let Some(address) = hop else {
                break;
            };
            client = address;
            if !proxies.contain(client) {
                break;
            }
        }
        // What the nearest proxy says of the way up to it; those before it are not asked.
        let proto = last(headers, "x-forwarded-proto");
        let secure = proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        let way = if secure { Way::Secure } else { Way::Plain };
        Self { client, way, certificate }
    }
}

/// An IPv4 address is one, also where a socket for both shows it as IPv6.
fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The addresses of `X-Forwarded-For`, the nearest first; nothing for what is no address.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    let name = HeaderName::from_static("x-forwarded-for");
    let values: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    let all: Vec<Option<IpAddr>> =
        values.iter().flat_map(|value| value.split(',')).map(|part| address(part.trim())).collect();
    all.into_iter().rev()
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let ip = plain.parse().ok();
    ip.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(canonical)
}

/// The last word of a header that may be there several times.
fn last<'a>(headers: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let origin = origin(peer, false, headers);
        (origin.client.to_string(), origin.way == Way::Secure)
    }

    fn origin(peer: &str, encrypted: bool, headers: &[(&'static str, &str)]) -> Origin {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let peer = Peer {
            address: SocketAddr::new(peer.parse().unwrap(), 4000),
            encrypted,
            certificate: None,
        };
        let nets = ["10.0.0.0/8", "127.0.0.8/32", "fd00::/8"].map(|net| net.parse().unwrap());
        Origin::of(&peer, &headers, &TrustedProxies(nets.to_vec()))
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";

    #[test]
    fn a_stranger_is_not_believed() {
        let claims = [(FOR, "10.0.0.1, 127.0.0.1"), (PROTO, "https")];
        assert_eq!(of("203.0.113.9", &claims), ("203.0.113.9".to_owned(), false));
    }

    #[test]
    fn this_machine_needs_no_encryption_and_is_not_believed_either() {
        assert_eq!(of("127.0.0.1", &[]), ("127.0.0.1".to_owned(), true));
        assert_eq!(of("::ffff:127.0.0.1", &[]), ("127.0.0.1".to_owned(), true));
        // A proxy here that is not listed may have been called in plain text by anybody.
        for told in [(FOR, "198.51.100.1"), (PROTO, "https"), ("forwarded", "for=x")] {
            let origin = origin("127.0.0.1", false, &[told]);
            assert_eq!((origin.client.is_loopback(), origin.way), (true, Way::Unlisted));
            assert!(origin.way.advice().contains("trusted_proxies"));
        }
    }

    #[test]
    fn from_the_address_of_a_proxy_come_clients_too() {
        assert_eq!(origin("10.0.0.7", true, &[]).way, Way::Secure);
        assert_eq!(origin("10.0.0.7", false, &[]).way, Way::Plain);
        assert_eq!(of("127.0.0.8", &[]), ("127.0.0.8".to_owned(), true));
        assert!(!of("127.0.0.8", &[(PROTO, "http")]).1);
        // What a proxy tells counts, also over an encrypted connection of its own.
        assert_eq!(origin("10.0.0.7", true, &[(PROTO, "http")]).way, Way::Plain);
    }

    #[test]
    fn a_trusted_proxy_tells_who_came_to_it() {
        let told = [(FOR, "198.51.100.1"), (PROTO, "https")];
        assert_eq!(of("10.0.0.7", &told), ("198.51.100.1".to_owned(), true));
        let v6 = [(FOR, "[2001:db8::1]:4711"), (PROTO, "HTTPS")];
        assert_eq!(of("fd00::1", &v6), ("2001:db8::1".to_owned(), true));
        let plain = [(FOR, "198.51.100.1"), (PROTO, "http")];
        assert_eq!(of("10.0.0.7", &plain), ("198.51.100.1".to_owned(), false));
        assert!(!of("10.0.0.7", &[(FOR, "198.51.100.1")]).1);
    }

    #[test]
    fn what_the_client_wrote_before_the_proxy_is_not_believed() {
        let spoofed = [(FOR, "10.9.9.9, 192.0.2.1, 198.51.100.1, 10.0.0.3"), (PROTO, "https")];
        assert_eq!(of("10.0.0.7", &spoofed).0, "198.51.100.1");
        let twice = [(FOR, "192.0.2.1"), (FOR, "198.51.100.1"), (PROTO, "https, http")];
        assert_eq!(of("10.0.0.7", &twice), ("198.51.100.1".to_owned(), false));
        // Beyond what is no address nothing is believed.
        assert_eq!(of("10.0.0.7", &[(FOR, "192.0.2.1, unknown, 10.0.0.3")]).0, "10.0.0.3");
        assert_eq!(of("10.0.0.7", &[(FOR, "nonsense")]).0, "10.0.0.7");
    }
}
