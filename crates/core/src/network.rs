//! The client's place in the network, as budgets count it. Refuses to print: an address of a person is shown as the
//! network around it. Which address is the client's is the server's question (docs/threat-model.md).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

/// Where a request came from. Two are equal if budgets take them for one client: the same full IPv4 address, or the
/// same IPv6 /64, which is what one subscriber is given.
#[derive(Clone, Copy)]
pub struct Network(IpAddr);

/// What a key stands for. The first byte of the key, so that no two kinds ever collide in one table.
#[derive(Clone, Copy)]
enum Kind {
    Exact = 0x00,
    Wide = 0x10,
    Host = 0x20,
}

impl Network {
    /// The place of this address. An IPv4 address that came mapped into IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
    pub fn of(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address itself, for whoever may be told where somebody is.
    pub const fn address(&self) -> IpAddr {
        self.0
    }

    /// *N* of the security rules: the full IPv4 address, or the IPv6 /64.
    pub fn exact(&self) -> [u8; 17] {
        self.key(Kind::Exact, 32, 64)
    }

    /// The neighbourhood: the IPv4 /24, or the IPv6 /48, which is what a site or a rented server is given.
    pub fn wide(&self) -> [u8; 17] {
        self.key(Kind::Wide, 24, 48)
    }

    /// The full address in both families: who may repeat a right answer (docs/limits.md).
    pub fn host(&self) -> [u8; 17] {
        self.key(Kind::Host, 32, 128)
    }

    /// Kind and family in the first byte, then the first bits of the address, then zeros.
    fn key(&self, kind: Kind, v4_bits: usize, v6_bits: usize) -> [u8; 17] {
        let mut key = [0; 17];
        match self.0 {
            IpAddr::V4(v4) => {
                key[0] = kind as u8 | 4;
                key[1..=v4_bits / 8].copy_from_slice(&v4.octets()[..v4_bits / 8]);
            }
            IpAddr::V6(v6) => {
                key[0] = kind as u8 | 6;
                key[1..=v6_bits / 8].copy_from_slice(&v6.octets()[..v6_bits / 8]);
            }
        }
        key
    }
}

impl PartialEq for Network {
    fn eq(&self, other: &Self) -> bool {
        self.exact() == other.exact()
    }
}
impl Eq for Network {}
impl Hash for Network {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.exact().hash(state);
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                write!(f, "{a}.{b}.{c}.0/24")
            }
            IpAddr::V6(v6) => {
                let [a, b, c, ..] = v6.segments();
                write!(f, "{a:x}:{b:x}:{c:x}::/48")
            }
        }
    }
}
