//! Ids: UUIDv7 in form, in order of time, one spelling.

use doorcode_core::{ChallengeId, EventId, OrgId, Timestamp, UserId};
use proptest::prelude::*;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// The example of RFC 9562 appendix A.6.
#[test]
fn is_the_uuid_v7_of_the_rfc() {
    let id = UserId::new(at(0x017f_22e2_79b0), [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f]);
    assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_eq!(format!("{id:?}"), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_eq!(id.made_at(), at(1_645_557_742_000));
}

#[test]
fn the_house_is_zeros() {
    assert_eq!(OrgId::HOUSE.as_bytes(), &[0; 16]);
    assert_eq!(OrgId::HOUSE.to_string(), "00000000-0000-0000-0000-000000000000");
    assert!(OrgId::HOUSE < OrgId::floor(at(0)));
}

#[test]
fn moments_out_of_range_are_the_nearest_inside() {
    assert_eq!(EventId::new(at(-5), [1; 10]).made_at(), at(0));
    assert_eq!(EventId::new(at(i64::MAX), [1; 10]).made_at(), at((1 << 48) - 1));
}

#[test]
fn takes_one_spelling() {
    let text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    assert_eq!(text.parse::<UserId>().unwrap().to_string(), text);
    assert_eq!(text.to_uppercase().parse::<UserId>().unwrap().to_string(), text);
    let simple = text.replace('-', "");
    for bad in [
        "",
        "x",
        &simple,
        &format!("{{{text}}}"),
        &format!("urn:uuid:{text}"),
        &format!(" {text}"),
        &format!("{text}\n"),
        &text.replace('0', "g"),
        &text[1..],
        &"0".repeat(36),
        &"é".repeat(18),
    ] {
        assert!(bad.parse::<UserId>().is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn text_and_bytes_come_back(bytes: [u8; 16]) {
        let id = ChallengeId::from_bytes(bytes);
        prop_assert_eq!(ChallengeId::from_halves(id.halves()), id);
        prop_assert_eq!(id.as_bytes(), &bytes);
        prop_assert_eq!(id.to_string().parse::<ChallengeId>().unwrap(), id);
    }

    #[test]
    fn order_is_time_and_text(a in 0i64..(1 << 47), b in 0i64..(1 << 47), r: [u8; 10], s: [u8; 10]) {
        let (x, y) = (EventId::new(at(a), r), EventId::new(at(b), s));
        if a != b {
            prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        }
        prop_assert_eq!(x.cmp(&y), x.to_string().cmp(&y.to_string()));
        prop_assert_eq!(x.cmp(&y), x.as_bytes().cmp(y.as_bytes()));
        prop_assert_eq!(x.made_at(), at(a));
    }

    #[test]
    fn the_floor_is_under_its_millisecond_and_above_the_last(ms in 1i64..(1 << 47), r: [u8; 10]) {
        prop_assert!(EventId::floor(at(ms)) <= EventId::new(at(ms), r));
        prop_assert!(EventId::floor(at(ms)) > EventId::new(at(ms - 1), r));
    }

    #[test]
    fn in_order_is_a_uuid_v7_and_halves_come_back(order in 0u64..(1 << 59), r: [u8; 8], s: [u8; 8]) {
        let id = EventId::in_order(order, r);
        let bytes = *id.as_bytes();
        prop_assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 2));
        prop_assert_eq!(id.made_at(), at(i64::try_from(order >> 12).unwrap()));
        prop_assert_eq!(EventId::from_halves(id.halves()), id);
        prop_assert_eq!(id.order(), order);
        let next = EventId::in_order(order + 1, s);
        prop_assert!(next > id && next.halves()[0] > id.halves()[0]);
    }

    #[test]
    fn random_bits_count(ms in 0i64..(1 << 47), r: [u8; 10], byte in 0usize..10) {
        // The low bits of every byte are kept; version and variant take six high ones.
        let mut s = r;
        s[byte] ^= 1;
        prop_assert_ne!(EventId::new(at(ms), r), EventId::new(at(ms), s));
        let bytes = *EventId::new(at(ms), r).as_bytes();
        prop_assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 2));
    }
}
