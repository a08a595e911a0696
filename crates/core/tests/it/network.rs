//! Places in the network: who counts as one client.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use doorcode_core::Network;
use proptest::prelude::*;

fn net(text: &str) -> Network {
    Network::of(text.parse().unwrap())
}

#[test]
fn v4_counts_whole_and_by_24() {
    assert_ne!(net("192.0.2.1"), net("192.0.2.2"));
    assert_ne!(net("192.0.2.1").exact(), net("192.0.2.2").exact());
    assert_ne!(net("192.0.2.1").host(), net("192.0.2.2").host());
    assert_eq!(net("192.0.2.1").wide(), net("192.0.2.255").wide());
    assert_ne!(net("192.0.2.1").wide(), net("192.0.3.1").wide());
}

#[test]
fn v6_counts_by_64_and_by_48() {
    assert_eq!(net("2001:db8:1:2::1"), net("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    assert_eq!(net("2001:db8:1:2::1").exact(), net("2001:db8:1:2:ffff::").exact());
    assert_ne!(net("2001:db8:1:2::1").host(), net("2001:db8:1:2::2").host());
    assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
    assert_eq!(net("2001:db8:1:2::1").wide(), net("2001:db8:1:ffff::1").wide());
    assert_ne!(net("2001:db8:1:2::1").wide(), net("2001:db8:2:2::1").wide());
}

#[test]
fn mapped_v4_is_v4() {
    assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1"));
    assert_eq!(net("::ffff:192.0.2.1").wide(), net("192.0.2.99").wide());
    assert_eq!(net("::ffff:192.0.2.1").host(), net("192.0.2.1").host());
    assert_ne!(net("::ffff:192.0.2.1"), net("::ffff:192.0.2.2"));
    // The old "compatible" form is no IPv4 address: nobody routes it.
    assert_ne!(net("::192.0.2.1"), net("192.0.2.1"));
}

#[test]
fn the_encoding_is_stored_and_stays() {
    let v4 = net("192.0.2.1");
    assert_eq!(v4.exact()[..6], [0x04, 192, 0, 2, 1, 0]);
    assert_eq!(v4.wide()[..6], [0x14, 192, 0, 2, 0, 0]);
    assert_eq!(v4.host()[..6], [0x24, 192, 0, 2, 1, 0]);
    let v6 = net("2001:db8:1:2:3:4:5:6");
    assert_eq!(v6.exact(), [0x06, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(v6.wide(), [0x16, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(v6.host(), [0x26, 0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]);
}

#[test]
fn prints_the_neighbourhood_only() {
    assert_eq!(format!("{:?}", net("192.0.2.77")), "192.0.2.0/24");
    assert_eq!(format!("{:?}", net("2001:db8:1:2:3:4:5:6")), "2001:db8:1::/48");
}

proptest! {
    #[test]
    fn kinds_never_collide(a: u32, b: u128) {
        let (v4, v6) = (Network::of(IpAddr::V4(Ipv4Addr::from_bits(a))), Network::of(IpAddr::V6(Ipv6Addr::from_bits(b))));
        let keys = [v4.exact(), v4.wide(), v4.host(), v6.exact(), v6.wide(), v6.host()];
        let tags: HashSet<u8> = keys.iter().map(|key| key[0]).collect();
        let mapped = Ipv6Addr::from_bits(b).to_ipv4_mapped().is_some();
        prop_assert_eq!(tags.len(), if mapped { 3 } else { 6 });
    }

    #[test]
    fn equal_means_equal_keys(a: u128, b: u128, same in 0u32..=128) {
        let mask = u128::MAX.checked_shl(128 - same).unwrap_or(0);
        let b = a & mask | b & !mask;
        let (x, y) = (Network::of(IpAddr::V6(a.into())), Network::of(IpAddr::V6(b.into())));
        prop_assert_eq!(x == y, x.exact() == y.exact());
        if same >= 64 && Ipv6Addr::from_bits(a).to_ipv4_mapped().is_none() && Ipv6Addr::from_bits(b).to_ipv4_mapped().is_none() {
            prop_assert_eq!(x, y);
        }
        // Nested: one host is in one network is in one neighbourhood.
        prop_assert!(x.host() != y.host() || x.exact() == y.exact());
        prop_assert!(x.exact() != y.exact() || x.wide() == y.wide());
    }
}
