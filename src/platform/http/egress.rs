//! Outgoing calls to addresses that users give: names are resolved once, private networks refused, and the caller
//! connects to the address that was checked (a second look-up could answer differently).

use crate::kernel::{Error, Result};
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Most redirects that a client follows.
const MAX_REDIRECTS: usize = 5;
/// Time for a connection, and for the next byte of an answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Which private networks may be reached nevertheless.
#[derive(Debug, Clone, Default)]
pub struct Egress {
    allowed: Vec<IpNet>,
}

impl Egress {
    /// Public addresses and these networks.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// An HTTP client that connects to permitted addresses only, also where a redirect or another address leads it.
    /// Addresses without a name go past its look-up: give the first one of a request to [`Self::check_literal`].
    pub fn client(&self) -> Result<reqwest::Client> {
        Self::built(self.builder().read_timeout(READ_TIMEOUT))
    }

    /// Like [`Self::client`], for requests that take long to send: it waits for an answer until it is told not to.
    pub fn patient_client(&self) -> Result<reqwest::Client> {
        Self::built(self.builder())
    }

    fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
        builder.build().map_err(|e| Error::internal("an HTTP client cannot be made").with_source(e))
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let guard = self.clone();
        let redirects = Policy::custom(move |attempt| {
            let downgraded =
                attempt.url().scheme() == "http" && attempt.previous().iter().any(|u| u.scheme() == "https");
            if attempt.previous().len() > MAX_REDIRECTS || downgraded {
                return attempt.stop();
            }
            match guard.check_literal(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(error) => attempt.error(error),
            }
        });
        reqwest::Client::builder()
            .dns_resolver(Arc::new(self.clone()))
            .redirect(redirects)
            // A proxy would connect where it likes.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
    }

    /// Refuses an address whose host is a private address itself and not a name.
    pub fn check_literal(&self, url: &Url) -> Result<()> {
        let address = match url.host() {
            Some(url::Host::Ipv4(a)) => IpAddr::V4(a),
            Some(url::Host::Ipv6(a)) => IpAddr::V6(a),
            Some(url::Host::Domain(_)) | None => return Ok(()),
        };
        if self.permits(address) { Ok(()) } else { Err(private(&address.to_string(), address)) }
    }

    /// The address to connect to for this host; refused when any of its addresses is private and not allowed.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<IpAddr> {
        self.look_up(host, port)
            .await?
            .first()
            .copied()
            .ok_or_else(|| Error::invalid("egress.unresolvable", format!("the host {host} has no address")))
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<IpAddr>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let lookup = tokio::time::timeout(Duration::from_secs(10), tokio::net::lookup_host((bare, port))).await;
        let addresses: Vec<IpAddr> = match lookup {
            Ok(Ok(found)) => found.map(|a| a.ip()).collect(),
            Ok(Err(e)) => {
                return Err(Error::invalid("egress.unresolvable", format!("the host {bare} cannot be resolved: {e}")));
            }
            Err(_) => return Err(Error::invalid("egress.unresolvable", format!("looking up {bare} took too long"))),
        };
        match addresses.iter().find(|a| !self.permits(**a)) {
            Some(address) => Err(private(bare, *address)),
            None => Ok(addresses),
        }
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || is_public(address)
    }
}

impl Resolve for Egress {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.look_up(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter().map(|a| SocketAddr::new(a, 0))) as Addrs)
        })
    }
}

fn private(host: &str, address: IpAddr) -> Error {
    Error::invalid(
        "egress.private_address",
        format!(
            "{host} is the private address {address}; an operator can allow its network (the settings allowed_networks)"
        ),
    )
}

/// Whether an address is reachable on the public internet (IANA special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => {
            let [o, p, ..] = a.octets();
            !(a.is_private()
                || a.is_loopback()
                || a.is_link_local()
                || a.is_broadcast()
                || a.is_documentation()
                || a.is_multicast()
                || o == 0
                || o >= 240
                || (o == 100 && (64..128).contains(&p))
                || (o == 198 && (p == 18 || p == 19))
                || a.octets()[..3] == [192, 0, 0])
        }
        IpAddr::V6(a) => {
            let first = a.segments()[0];
            // Only global unicast 2000::/3, without documentation, 6to4 and Teredo, which embed IPv4 addresses.
            (first & 0xe000) == 0x2000 && first != 0x2002 && !(first == 0x2001 && matches!(a.segments()[1], 0 | 0xdb8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_not_public() {
        for a in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fd00::1",
            "2002:7f00:1::",
            "2001:db8::1",
            "64:ff9b::7f00:1",
        ] {
            assert!(!is_public(a.parse().unwrap()), "{a}");
        }
        for a in ["1.1.1.1", "93.184.216.34", "2606:4700::1111"] {
            assert!(is_public(a.parse().unwrap()), "{a}");
        }
    }

    #[tokio::test]
    async fn a_mapped_loopback_address_is_refused() {
        let error = Egress::default().resolve("[::ffff:127.0.0.1]", 80).await.unwrap_err();
        assert_eq!(error.code(), "egress.private_address");
        assert!(Egress::new(vec!["127.0.0.0/8".parse().unwrap()]).resolve("::ffff:127.0.0.1", 80).await.is_ok());
    }
}
