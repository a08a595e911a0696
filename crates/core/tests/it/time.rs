//! Moments: RFC 3339, and arithmetic that can't wrap.

use std::time::Duration;

use doorcode_core::Timestamp;
use proptest::prelude::*;

#[test]
fn shows_rfc_3339() {
    for (millis, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_799_999, "2000-02-29T23:59:59.999Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_210_096_789, "2024-02-29T12:34:56.789Z"),
        (1_735_689_599_999, "2024-12-31T23:59:59.999Z"),
        (1_795_334_400_000, "2026-11-22T08:00:00.000Z"),
        (4_107_542_399_000, "2100-02-28T23:59:59.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (9_999_999_999_999, "2286-11-20T17:46:39.999Z"),
        (-62_167_219_200_000, "0000-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(Timestamp::from_millis(millis).to_string(), text);
    }
}

#[test]
fn days_follow_each_other_for_four_centuries() {
    let (mut year, mut month, mut day) = (1900, 1, 1);
    for days in -25_567..(-25_567 + 146_097) {
        let shown = Timestamp::from_millis(days * 86_400_000).to_string();
        assert_eq!(shown, format!("{year:04}-{month:02}-{day:02}T00:00:00.000Z"));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        (year, month, day) = match (month, day) {
            (12, 31) => (year + 1, 1, 1),
            (_, d) if d == last => (year, month + 1, 1),
            _ => (year, month, day + 1),
        };
    }
    assert_eq!((year, month, day), (2300, 1, 1));
}

#[test]
fn arithmetic_saturates() {
    let (least, most) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
    assert_eq!(most.plus(Duration::from_millis(1)), most);
    assert_eq!(least.minus(Duration::from_millis(1)), least);
    assert_eq!(Timestamp::from_millis(0).plus(Duration::MAX), most);
    assert_eq!(Timestamp::from_millis(-1).minus(Duration::MAX), least);
    assert_eq!(most.since(least), Duration::from_millis(i64::MAX as u64));
    assert_eq!(least.since(most), Duration::ZERO);
    // Both ends print.
    assert!(least.to_string().ends_with('Z') && most.to_string().ends_with('Z'));
}

proptest! {
    #[test]
    fn since_undoes_plus(start in -(1i64 << 50)..(1i64 << 50), span in 0u64..(1 << 50)) {
        let (start, span) = (Timestamp::from_millis(start), Duration::from_millis(span));
        prop_assert_eq!(start.plus(span).since(start), span);
        prop_assert_eq!(start.since(start.plus(span)), Duration::ZERO);
        prop_assert_eq!(start.plus(span).minus(span), start);
    }

    #[test]
    fn text_sorts_like_time(a in 0i64..253_402_300_800_000, b in 0i64..253_402_300_800_000) {
        let (a, b) = (Timestamp::from_millis(a), Timestamp::from_millis(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
}
