//! Outgoing calls to addresses that users give: names are resolved once, private networks refused, and the caller
//! connects to the address that was checked (a second look-up could answer differently).

use crate::kernel::{Error, Result};
use ipnet::IpNet;
use std::net::IpAddr;
use std::time::Duration;

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

    /// The address to connect to for this host; refused when any of its addresses is private and not allowed.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<IpAddr> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let lookup = tokio::time::timeout(Duration::from_secs(10), tokio::net::lookup_host((bare, port))).await;
        let addresses: Vec<IpAddr> = match lookup {
            Ok(Ok(found)) => found.map(|a| a.ip()).collect(),
            Ok(Err(e)) => {
                return Err(Error::invalid("egress.unresolvable", format!("the host {bare} cannot be resolved: {e}")));
            }
            Err(_) => return Err(Error::invalid("egress.unresolvable", format!("looking up {bare} took too long"))),
        };
        if let Some(private) = addresses.iter().find(|a| !self.permits(**a)) {
            return Err(Error::invalid(
                "egress.private_address",
                format!("{bare} is the private address {private}; an operator can allow its network (egress.allow)"),
            ));
        }
        addresses
            .first()
            .copied()
            .ok_or_else(|| Error::invalid("egress.unresolvable", format!("the host {bare} has no address")))
    }

    fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed.iter().any(|net| net.contains(&address)) || is_public(address)
    }
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
