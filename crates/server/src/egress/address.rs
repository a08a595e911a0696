//! Which addresses are global: reached over the public internet and nobody's inside. Refuses every block of the IANA
//! registries of special-purpose addresses (RFC 6890, RFC 8190) that is not plainly so, and looks inside addresses that
//! carry another one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that are not global: the first address, and how many bits of it count.
const V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network (RFC 791)
    ([10, 0, 0, 0], 8),      // private (RFC 1918)
    ([100, 64, 0, 0], 10),   // behind a provider's translation (RFC 6598)
    ([127, 0, 0, 0], 8),     // loopback (RFC 1122)
    ([169, 254, 0, 0], 16),  // link-local, and the metadata services of clouds (RFC 3927)
    ([172, 16, 0, 0], 12),   // private (RFC 1918)
    ([192, 0, 0, 0], 24),    // protocol assignments (RFC 6890)
    ([192, 0, 2, 0], 24),    // documentation (RFC 5737)
    ([192, 88, 99, 0], 24),  // relays of 6to4 (RFC 7526)
    ([192, 168, 0, 0], 16),  // private (RFC 1918)
    ([198, 18, 0, 0], 15),   // benchmarks (RFC 2544)
    ([198, 51, 100, 0], 24), // documentation (RFC 5737)
    ([203, 0, 113, 0], 24),  // documentation (RFC 5737)
    ([224, 0, 0, 0], 4),     // multicast (RFC 5771)
    ([240, 0, 0, 0], 4),     // reserved, and broadcast (RFC 1112, RFC 919)
];

/// Blocks inside `2000::/3`, which is all that is global of IPv6 (RFC 4291), that are not.
const V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo (RFC 2928, RFC 4380)
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation (RFC 3849)
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation (RFC 9637)
];

/// Whether an address is global.
pub(super) fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => is_global_v6(v6),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let number = u32::from(address);
    !V4.iter().any(|(first, bits)| (u32::from_be_bytes(*first) ^ number) >> (32 - bits) == 0)
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    if let Some(inside) = carried(address) {
        return is_global_v4(inside);
    }
    // ISATAP (RFC 5214): a host of a site's own, under any prefix.
    if let [.., 0 | 0x200, 0x5efe, _, _] = address.segments() {
        return false;
    }
    let within = |first: Ipv6Addr, bits: u32| (u128::from(first) ^ u128::from(address)) >> (128 - bits) == 0;
    within(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3) && !V6.iter().any(|(first, bits)| within(*first, *bits))
}

/// The IPv4 address that an IPv6 one carries and that packets to it end up at.
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let both = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // Mapped (RFC 4291), and translated at a gateway of the well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(both(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(both(high, low)),
        _ => None,
    }
}
