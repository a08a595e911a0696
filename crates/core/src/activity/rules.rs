//! The numbers of signed calls, and the rules that are numbers: what codes look like and how long they live, how many keys a user has and
//! which one makes room, which features are on. Refuses what is laxer than the door's contract. Guesses and messages are counted by
//! [`crate::budget`] besides.

use std::time::Duration;

use crate::address::Address;
use crate::code::{Alphabet, Shape};
use crate::stamp::Refusal;
use crate::time::Timestamp;

/// Seconds that a code lives.
pub const CODE_LIFE: u32 = 300;
/// The most that it may live.
pub const CODE_LIFE_MOST: u32 = 600;
/// Seconds that a verification token lives.
pub const TOKEN_LIFE: u32 = 3600;
/// The most that it may live.
pub const TOKEN_LIFE_MOST: u32 = 86_400;
/// The most that one lives that names no key, which whoever holds it can spend.
pub const BARE_TOKEN_LIFE_MOST: u32 = 600;
/// Seconds that what a code, a token or a stamp earns lives: a key, or a session.
pub const EARNED_LIFE: u32 = 900;
/// The most that it may live: 30 days.
pub const EARNED_LIFE_MOST: u32 = 30 * 86_400;
/// The most that a key may live that was given, with an end: ten years.
pub const GIVEN_KEY_LIFE_MOST: u32 = 3650 * 86_400;
/// Wrong tries, then a code is never right again.
pub const TRIES: u32 = 3;
/// Starts of one `userIdentifier` …
pub const STARTS: u32 = 3;
/// … in this time.
pub const STARTS_WINDOW: Duration = Duration::from_secs(180);
/// Live keys of a user that have no end, and as many that have one.
pub const KEYS_OF_A_KIND: usize = 10;
/// Users that come with a sub-organisation.
pub const ROOT_USERS_MOST: usize = 10;
/// The code of a sandbox contact.
pub const SANDBOX_CODE: &str = "000000";

/// What a code looks like: by default nine characters of Crockford's alphabet, which has no look-alikes and is compared without case.
///
/// # Errors
/// `Request` for a length other than 6 to 9.
pub fn shape(length: Option<u8>, alphanumeric: Option<bool>) -> Result<Shape, Refusal> {
    const USUAL: u8 = 9;
    let alphabet = if alphanumeric.unwrap_or(true) { Alphabet::Crockford } else { Alphabet::Digits };
    match length.unwrap_or(USUAL) {
        length @ 6..=9 => Ok(Shape { alphabet, length }),
        _ => Err(Refusal::Request { field: "otpLength", why: "must be 6 to 9" }),
    }
}

/// Whether this contact, asked for a code of this shape, is one that nothing is sent to. Only where an organisation is marked for it, or in
/// development: everybody knows its code.
pub fn is_sandbox(contact: &Address, shape: Shape) -> bool {
    let plain = shape == Shape { alphabet: Alphabet::Digits, length: 6 };
    plain && matches!(contact.as_str(), "user@example.com" | "+19999999999")
}

/// The most that a verification token may live, of what was asked for.
pub fn token_life(asked: u32, has_key: bool) -> u32 {
    asked.min(if has_key { TOKEN_LIFE_MOST } else { BARE_TOKEN_LIFE_MOST })
}

/// A key that counts: it was stamped with, or given by its user. One that a mail carries counts from its first stamp.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyAge {
    /// When it was made.
    pub made_at: Timestamp,
    /// When it is over; none: never.
    pub expires_at: Option<Timestamp>,
}

/// Whether another key has room, and which one makes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// There is some.
    Free,
    /// The key at this place has to go.
    After(usize),
}

/// Whether a user with these keys may have another one. An expiring key makes room by itself: one that is over goes, else the oldest.
///
/// # Errors
/// `TooManyKeys` for one without an end, which nothing makes room for.
pub fn room(keys: &[KeyAge], expiring: bool, now: Timestamp) -> Result<Room, Refusal> {
    let alike = keys.iter().enumerate().filter(|(_, key)| key.expires_at.is_some() == expiring);
    if alike.clone().count() < KEYS_OF_A_KIND {
        return Ok(Room::Free);
    }
    if !expiring {
        return Err(Refusal::TooManyKeys);
    }
    // False before true: those that are over come first, and of each kind the oldest.
    let first = alike.min_by_key(|(at, key)| (key.expires_at.is_some_and(|end| now < end), key.made_at, *at));
    Ok(first.map_or(Room::Free, |(at, _)| Room::After(at)))
}

/// Whether a user with these keys may be given those at once: each finds [`room`], and none takes the place of one that came with it.
///
/// # Errors
/// `TooManyKeys` if one does not.
pub fn room_for(keys: &[KeyAge], new: &[KeyAge], now: Timestamp) -> Result<(), Refusal> {
    let mut all = keys.to_vec();
    for (before, key) in new.iter().enumerate() {
        if let Room::After(at) = room(&all, key.expires_at.is_some(), now)? {
            if at + before >= all.len() {
                return Err(Refusal::TooManyKeys);
            }
            all.remove(at);
        }
        all.push(*key);
    }
    Ok(())
}

/// What an organisation can switch.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Feature {
    /// Sealed keys by mail.
    EmailAuth,
    /// Codes by mail.
    OtpEmailAuth,
    /// Codes by SMS.
    SmsAuth,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EmailAuth, Self::OtpEmailAuth, Self::SmsAuth];
    /// Their names.
    pub(super) const NAMES: [&'static str; 3] =
        [Self::EmailAuth.name(), Self::OtpEmailAuth.name(), Self::SmsAuth.name()];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EmailAuth => "FEATURE_NAME_EMAIL_AUTH",
            Self::OtpEmailAuth => "FEATURE_NAME_OTP_EMAIL_AUTH",
            Self::SmsAuth => "FEATURE_NAME_SMS_AUTH",
        }
    }

    /// Codes to such a contact.
    pub const fn of(contact: &Address) -> Self {
        match contact {
            Address::Email(_) => Self::OtpEmailAuth,
            Address::Phone(_) => Self::SmsAuth,
        }
    }

    /// The feature of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feature| feature.name() == name)
    }

    /// Whether it is on in an organisation that nobody has switched it in.
    pub const fn is_on(self, is_sub_organization: bool) -> bool {
        is_sub_organization
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Email, Phone};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn key(age: i64, left: Option<i64>) -> KeyAge {
        let at = |millis: i64| Timestamp::from_millis(NOW.millis() + millis);
        KeyAge { made_at: at(-age), expires_at: left.map(at) }
    }

    #[test]
    fn a_code_has_six_to_nine_characters_without_look_alikes() {
        let usual = shape(None, None).unwrap();
        assert_eq!((usual.alphabet, usual.length), (Alphabet::Crockford, 9));
        assert!(usual.alphabet.symbols().iter().all(|symbol| !b"ILOU".contains(symbol)));
        assert_eq!(shape(Some(6), Some(false)).unwrap(), Shape { alphabet: Alphabet::Digits, length: 6 });
        assert!(
            shape(Some(5), None).is_err() && shape(Some(10), None).is_err() && shape(Some(0), Some(false)).is_err()
        );
    }

    #[test]
    fn the_sandbox_is_two_contacts_and_one_shape() {
        let (mail, phone) = (Email::parse("user@example.com").unwrap(), Phone::parse("+1 999-999-9999").unwrap());
        let (mail, phone) = (Address::from(mail), Address::from(phone));
        let six = shape(Some(6), Some(false)).unwrap();
        assert!(is_sandbox(&mail, six) && is_sandbox(&phone, six));
        assert!(!is_sandbox(&mail, shape(Some(6), Some(true)).unwrap()));
        assert!(!is_sandbox(&mail, shape(Some(7), Some(false)).unwrap()));
        assert!(!is_sandbox(&Address::from(Email::parse("user2@example.com").unwrap()), six));
        assert_eq!(SANDBOX_CODE.len(), 6);
    }

    #[test]
    fn an_eleventh_expiring_key_takes_the_place_of_one_that_is_over_else_of_the_oldest() {
        let mut keys: Vec<_> = (0..9).map(|n| key(100 - n, Some(1000))).collect();
        keys.push(key(1, None));
        assert_eq!(room(&keys, true, NOW), Ok(Room::Free), "those without an end are counted apart");
        keys.push(key(5, Some(1000)));
        assert_eq!(room(&keys, true, NOW), Ok(Room::After(0)), "the oldest");
        keys[4] = key(1, Some(0));
        assert_eq!(room(&keys, true, NOW), Ok(Room::After(4)), "over at this very moment");
        assert_eq!(room(&keys, false, NOW), Ok(Room::Free));
    }

    #[test]
    fn an_eleventh_key_without_an_end_is_refused() {
        let keys = vec![key(1, None); KEYS_OF_A_KIND];
        assert_eq!(room(&keys, false, NOW), Err(Refusal::TooManyKeys));
        assert_eq!(room(&keys[1..], false, NOW), Ok(Room::Free));
        assert_eq!(room(&keys, true, NOW), Ok(Room::Free));
    }

    /// Given at once, they would throw each other out.
    #[test]
    fn keys_that_come_together_leave_each_other_their_place() {
        for left in [None, Some(1000)] {
            let (old, new) = (vec![key(100, left); KEYS_OF_A_KIND], vec![key(0, left); KEYS_OF_A_KIND + 1]);
            assert_eq!(room_for(&[], &new[1..], NOW), Ok(()));
            assert_eq!(room_for(&[], &new, NOW), Err(Refusal::TooManyKeys));
            let over = if left.is_some() { Ok(()) } else { Err(Refusal::TooManyKeys) };
            assert_eq!(room_for(&old, &new[1..], NOW), over, "those with an end take the place of the old ones");
            assert_eq!(room_for(&old, &new, NOW), Err(Refusal::TooManyKeys));
            assert_eq!(room_for(&old[1..], &new[..1], NOW), Ok(()));
        }
        let both: Vec<_> = (0..20).map(|n| key(0, (n % 2 == 0).then_some(1000))).collect();
        assert_eq!(room_for(&[], &both, NOW), Ok(()), "each kind is counted apart");
    }

    #[test]
    fn a_token_that_anybody_could_spend_lives_ten_minutes() {
        assert_eq!((token_life(3600, true), token_life(3600, false), token_life(60, false)), (3600, 600, 60));
        assert_eq!(token_life(u32::MAX, true), TOKEN_LIFE_MOST);
    }

    #[test]
    fn features_are_on_in_sub_organisations_only() {
        for feature in Feature::ALL {
            assert_eq!(Feature::of_name(feature.name()), Some(feature));
            assert!(feature.is_on(true) && !feature.is_on(false));
        }
        assert_eq!(Feature::of(&Email::parse("a@example.com").unwrap().into()), Feature::OtpEmailAuth);
        assert_eq!(Feature::of(&Phone::parse("+1 999-999-9999").unwrap().into()), Feature::SmsAuth);
        assert_eq!(Feature::of_name("FEATURE_NAME_WEBHOOK"), None);
    }
}
