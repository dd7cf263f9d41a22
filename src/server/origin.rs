//! Where a request comes from, as far as that can be believed.
//!
//! Anybody can write `X-Forwarded-For`. It is read only where the connection itself comes from a
//! proxy that the settings list, and then from its end: up to the first address that is no such
//! proxy.

use std::net::{IpAddr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::http::{HeaderMap, HeaderName};
use axum::serve::IncomingStream;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;

use crate::tls::TlsListener;

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

impl Connected<IncomingStream<'_, TcpListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TcpListener>) -> Self {
        Self { address: *stream.remote_addr(), encrypted: false, certificate: None }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        let (_, connection) = stream.io().get_ref();
        let shown = connection.peer_certificates().and_then(|chain| chain.first());
        Self {
            address: *stream.remote_addr(),
            encrypted: true,
            certificate: shown.map(|certificate| Fingerprint::of(certificate)),
        }
    }
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
    /// Whether nobody on the way could read it: encrypted up to us or to a trusted proxy, or
    /// from this very machine.
    pub secure: bool,
    /// The client certificate that was shown to us.
    pub certificate: Option<Fingerprint>,
}

impl Origin {
    pub(crate) fn of(peer: &Peer, headers: &HeaderMap, proxies: &TrustedProxies) -> Self {
        let direct = canonical(peer.address.ip());
        let certificate = peer.certificate;
        if !proxies.contain(direct) {
            let secure = peer.encrypted || direct.is_loopback();
            return Self { client: direct, secure, certificate };
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
        Self { client, secure, certificate }
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
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let peer = Peer {
            address: SocketAddr::new(peer.parse().unwrap(), 4000),
            encrypted: false,
            certificate: None,
        };
        let nets = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        let origin = Origin::of(&peer, &headers, &TrustedProxies(nets.to_vec()));
        (origin.client.to_string(), origin.secure)
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
        assert_eq!(of("127.0.0.1", &[(FOR, "198.51.100.1")]), ("127.0.0.1".to_owned(), true));
        assert_eq!(of("::ffff:127.0.0.1", &[]), ("127.0.0.1".to_owned(), true));
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
