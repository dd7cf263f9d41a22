//! What the settings say about the HTTP surface: its address, its encryption, its webhooks.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::Context as _;
use ipnet::{IpNet, Ipv6Net};
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use syncline_core::mapping::language::{Keyed, Keys, Node, Span};
use syncline_server::{Door, Pins, SigningKey, TlsFiles};

use super::file::File;

pub(super) const TLS: Keys<'_> = Keys { of: "`tls`", known: &["certificate", "key"], refused: &[] };

pub(super) const WEBHOOK: Keys<'_> = Keys {
    of: "`webhook`",
    known: &[
        "secret",
        "previous_secret",
        "signing_secret",
        "previous_signing_secret",
        "client_certificate",
        "from",
    ],
    refused: &[("url", "the address is made of `public_url`, the system's name and the secret")],
};

/// What the HTTP surface is told.
#[derive(Clone, Debug, Default)]
pub struct HttpSettings {
    /// Where it is reached from outside, without a slash at the end.
    pub public_url: Option<String>,
    /// What encrypts its connections; plain text without it.
    pub tls: Option<TlsFiles>,
    /// The proxies that are believed where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
}

/// How deliveries of a system are taken.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The secret of the address to register.
    pub secret: SecretString,
    /// The one before, which still opens the door.
    pub previous_secret: Option<SecretString>,
    /// The keys of signed deliveries, the one to register first.
    pub signing_secrets: Vec<SecretString>,
    /// A file of client certificates, one of which has to be shown.
    pub client_certificate: Option<PathBuf>,
    /// The addresses that deliveries may come from; any, where none is listed.
    pub from: Vec<IpNet>,
}

impl WebhookSettings {
    /// The door of a system. `unsigned` says whether the system sends deliveries of its own.
    ///
    /// # Errors
    /// When the client certificates cannot be read.
    pub fn door(&self, system: &str, unsigned: bool) -> anyhow::Result<Door> {
        let secrets = std::iter::once(&self.secret).chain(&self.previous_secret);
        let mut door = Door::new(system, secrets.map(|secret| secret.expose_secret()))
            .with_context(|| format!("the webhook of {system}"))?;
        let signing = self.signing_secrets.iter().map(|secret| secret.expose_secret().parse());
        door.signing = signing.collect::<Result<Vec<SigningKey>, _>>()?;
        if let Some(path) = &self.client_certificate {
            let pins = Pins::read(path)
                .with_context(|| format!("the client certificate of {system}'s webhook"))?;
            door.certificates = Some(pins);
        }
        door.from.clone_from(&self.from);
        door.unsigned = unsigned;
        Ok(door)
    }
}

/// Whether a network is wider than any that is one owner's: the largest private ones are 10.0.0.0/8
/// and fc00::/7. One of IPv4 addresses in IPv6 counts as what it stands for.
fn is_too_wide(net: &IpNet) -> bool {
    let every_ipv4 = Ipv6Net::new_assert(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped(), 96);
    match net {
        IpNet::V4(net) => net.prefix_len() < 8,
        IpNet::V6(net) => {
            let length = net.prefix_len();
            length < 7 || length < 104 && (net.contains(&every_ipv4) || every_ipv4.contains(net))
        }
    }
}

impl File<'_> {
    pub(super) fn http(&mut self, keyed: Keyed<'_>) -> HttpSettings {
        HttpSettings {
            public_url: keyed.get("public_url").and_then(|node| self.public_url(node)),
            tls: keyed.get("tls").and_then(|node| self.tls(node)),
            trusted_proxies: self.proxies(keyed),
        }
    }

    /// The proxies that are believed. Were everybody one, anybody could say where a request comes
    /// from, and that it came encrypted.
    fn proxies(&mut self, keyed: Keyed<'_>) -> Vec<IpNet> {
        const KEY: &str = "trusted_proxies";
        let nets = self.nets(keyed, KEY);
        if let Some(net) = IpNet::aggregate(&nets).iter().find(|net| is_too_wide(net)) {
            let span = keyed.get(KEY).map(|node| node.span).unwrap_or_default();
            let listed = if nets.contains(net) {
                net.to_string()
            } else {
                let within = nets.iter().filter(|one| net.contains(*one));
                let within: Vec<String> = within.map(ToString::to_string).collect();
                format!("{} are together {net}", within.join(", "))
            };
            self.fault(
                span,
                &format!("`{KEY}` trusts strangers: {listed}"),
                "list the addresses of your proxies alone, at most networks of /8 (IPv6: /7): what \
                 they say of where a request comes from, and how, is believed",
            );
        }
        nets
    }

    fn public_url(&mut self, node: &Node) -> Option<String> {
        let text = self.reader.text(node, "public_url")?;
        let fits = |url: &Url| {
            let host = url.host_str().unwrap_or_default();
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            let here = host == "localhost"
                || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
            let way = url.scheme() == "https" || (url.scheme() == "http" && here);
            way && url.query().is_none() && url.fragment().is_none() && url.username().is_empty()
        };
        match Url::parse(&text).ok().filter(fits) {
            Some(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
            None => {
                let expected = "the https address under which the world reaches Syncline, as \
                                https://sync.example.com";
                self.refuse(node, "public_url", expected);
                None
            }
        }
    }

    fn tls(&mut self, node: &Node) -> Option<TlsFiles> {
        let keyed = self.reader.keys(node, TLS)?;
        let example = "tls: { certificate: fullchain.pem, key: privkey.pem }";
        let mut path = |key| {
            let node = self.reader.required(keyed, "`tls`", key, example)?;
            let text = self.reader.text(node, key)?;
            Some(self.folder.join(&**text))
        };
        let (certificate, key) = (path("certificate"), path("key"));
        Some(TlsFiles { certificate: certificate?, key: key? })
    }

    /// Networks, or single addresses.
    fn nets(&mut self, keyed: Keyed<'_>, key: &str) -> Vec<IpNet> {
        let Some(items) = keyed.get(key).and_then(|node| self.reader.list(node, key)) else {
            return Vec::new();
        };
        let mut nets = Vec::new();
        for item in items {
            let Some(text) = self.reader.text(item, key) else {
                continue;
            };
            let host = || text.parse::<IpAddr>().ok().map(IpNet::from);
            match text.parse().ok().or_else(host) {
                Some(net) => nets.push(net),
                None => self.refuse(item, key, "networks or addresses as 10.0.0.0/8 or 10.0.0.7"),
            }
        }
        nets
    }

    /// The webhook of a system. `tls` says whether connections are encrypted here.
    pub(super) fn webhook(&mut self, node: &Node, tls: bool) -> Option<WebhookSettings> {
        let keyed = self.reader.keys(node, WEBHOOK)?;
        let example = r#"webhook: { secret: "${CRM_WEBHOOK_SECRET}" }"#;
        let node = self.reader.required(keyed, "`webhook`", "secret", example);
        let secret = node.and_then(|node| self.path_secret(node, "secret"));
        let previous_secret =
            keyed.get("previous_secret").and_then(|node| self.path_secret(node, "previous_secret"));
        let signing = ["signing_secret", "previous_signing_secret"]
            .map(|key| keyed.get(key).and_then(|node| self.signing_secret(node, key)));
        if let (None, Some(span)) = (&signing[0], keyed.key_span("previous_signing_secret")) {
            self.fault(
                span,
                "`previous_signing_secret` without `signing_secret`",
                "add the new one",
            );
        }
        let client_certificate = keyed.get("client_certificate").and_then(|node| {
            let text = self.reader.text(node, "client_certificate")?;
            if !tls {
                let help = "set `tls`, so that certificates are shown to Syncline itself; behind a \
                            proxy let that check them";
                self.fault(node.span, "`client_certificate` needs TLS of Syncline's own", help);
            }
            Some(self.folder.join(&**text))
        });
        Some(WebhookSettings {
            secret: secret?,
            previous_secret,
            signing_secrets: signing.into_iter().flatten().collect(),
            client_certificate,
            from: self.nets(keyed, "from"),
        })
    }

    fn path_secret(&mut self, node: &Node, key: &str) -> Option<SecretString> {
        let text = self.reader.text(node, key)?;
        if let Err(error) = Door::check(&text) {
            let help = format!("{error}; `syncline webhooks` proposes one");
            self.fault(node.span, &format!("`{key}` does not fit"), &help);
            return None;
        }
        Some(SecretString::from(&**text))
    }

    fn signing_secret(&mut self, node: &Node, key: &str) -> Option<SecretString> {
        let text = self.reader.text(node, key)?;
        if let Err(error) = text.parse::<SigningKey>() {
            self.fault(node.span, &format!("`{key}` does not fit"), &error.to_string());
            return None;
        }
        Some(SecretString::from(&**text))
    }

    fn fault(&mut self, span: Span, message: &str, help: &str) {
        let diagnostic = self.reader.error(span, message).help(help);
        self.reader.note(diagnostic);
    }
}
