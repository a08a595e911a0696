//! Who succeeded at an address before: the list in the address's own row, newest first, by tag of network or device.
//! A known client has a guess pool and a send pool that strangers can't touch. Refuses to know anybody for longer than
//! [`KNOWN_FOR`], or more than [`KEPT`] at a time: a person has a few places, and the row stays small.

use crate::budget::{Class, KNOWN_FOR, Ring};
use crate::time::Timestamp;

/// How many networks or devices are remembered.
pub const KEPT: usize = 6;

/// A network or device, as eight bytes of a digest.
pub type Tag = [u8; 8];

/// Sixteen hex digits of the tag, thirteen digits of the time.
const WIDTH: usize = 16 + Ring::WIDTH;

/// What a client is to an address: known if its tag succeeded there within the last 90 days.
pub fn class(list: &str, tag: &Tag, now: Timestamp) -> Class {
    let hex = hex(tag);
    let known = entries(list)
        .any(|entry| entry.starts_with(&hex) && Ring::nth(&entry[16..], 1).is_some_and(|at| at > now.minus(KNOWN_FOR)));
    if known { Class::Known } else { Class::Stranger }
}

/// Whether anybody ever succeeded here, as far as the list goes back. A list may begin with an entry of nobody, at no time.
pub fn is_proved(list: &str) -> bool {
    entries(list).any(|entry| entry.bytes().any(|digit| digit != b'0'))
}

/// The list with this client in front, once, and without those who are forgotten.
pub fn remember(list: &str, tag: &Tag, now: Timestamp) -> String {
    let hex = hex(tag);
    let mut longer = format!("{hex}{}", Ring::entry(now));
    let forgotten = Ring::entry(now.minus(KNOWN_FOR));
    let stays = |entry: &&str| !entry.starts_with(&hex) && entry[16..] > *forgotten;
    for entry in entries(list).filter(stays).take(KEPT - 1) {
        longer.push_str(entry);
    }
    longer
}

fn entries(list: &str) -> impl Iterator<Item = &str> {
    (0..list.len() / WIDTH).filter_map(move |n| list.get(n * WIDTH..(n + 1) * WIDTH))
}

fn hex(tag: &Tag) -> String {
    format!("{:016x}", u64::from_be_bytes(*tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    #[test]
    fn a_success_is_known_for_ninety_days() {
        let list = remember("", &[7; 8], NOW);
        assert_eq!(class(&list, &[7; 8], NOW), Class::Known);
        assert_eq!(class(&list, &[8; 8], NOW), Class::Stranger);
        assert_eq!(class(&list, &[7; 8], NOW.plus(KNOWN_FOR - Duration::from_millis(1))), Class::Known);
        assert_eq!(class(&list, &[7; 8], NOW.plus(KNOWN_FOR)), Class::Stranger);
    }

    #[test]
    fn the_oldest_makes_room_and_nobody_stands_twice() {
        let mut list = String::new();
        for n in 0..10 {
            list = remember(&list, &[n; 8], NOW);
        }
        assert_eq!(list.len(), KEPT * WIDTH);
        assert_eq!(class(&list, &[3; 8], NOW), Class::Stranger);
        assert_eq!(class(&list, &[4; 8], NOW), Class::Known);
        let again = remember(&list, &[9; 8], NOW.plus(Duration::from_secs(1)));
        assert_eq!(again.len(), list.len());
    }

    #[test]
    fn nobody_takes_room_and_proves_nothing() {
        let nobody = "0".repeat(WIDTH);
        assert!(!is_proved("") && !is_proved(&nobody));
        assert_eq!(class(&nobody, &[0; 8], NOW), Class::Stranger);
        let list = remember(&nobody, &[7; 8], NOW);
        assert_eq!((list.len(), is_proved(&list)), (WIDTH, true), "the row keeps its size");
        let later = NOW.plus(KNOWN_FOR);
        assert_eq!(remember(&list, &[8; 8], later), remember("", &[8; 8], later), "who is forgotten leaves");
        assert_eq!(remember(&list, &[8; 8], later.minus(Duration::from_millis(1))).len(), 2 * WIDTH);
    }

    #[test]
    fn what_is_no_list_knows_nobody() {
        for list in ["x", "é".repeat(40).as_str(), "0".repeat(29).as_str()] {
            assert_eq!(class(list, &[1; 8], NOW), Class::Stranger);
        }
    }
}
