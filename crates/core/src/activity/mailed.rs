//! What became of a mail, as senders of mail tell it (the words are those of Amazon SES, which the published clients expect). Refuses to say
//! that a mail was delivered: a mail server that took it is all that is known here.

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mailed {
    /// The mail server took it.
    Sent,
    /// The mail server did not take it yet; it is tried again.
    Delayed,
    /// It was given up, for a reason that another mail to this address may not meet: time ran out, or the message was refused.
    Lost,
    /// The address is refused for good.
    Refused,
}

impl Mailed {
    /// All of them, in the order of the numbers under which they are stored.
    pub const ALL: [Self; 4] = [Self::Sent, Self::Delayed, Self::Lost, Self::Refused];

    /// The `eventType`. Two have the same.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sent => "Send",
            Self::Delayed => "DeliveryDelay",
            Self::Lost | Self::Refused => "Bounce",
        }
    }

    /// The `bounceType`. Whoever reads `Permanent` writes to the address no more.
    pub const fn bounce(self) -> Option<&'static str> {
        match self {
            Self::Sent | Self::Delayed => None,
            Self::Lost => Some("Transient"),
            Self::Refused => Some("Permanent"),
        }
    }

    /// The stored number.
    pub const fn to_i64(self) -> i64 {
        self as i64
    }

    /// What has that number, if anything.
    pub fn from_i64(stored: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|mailed| mailed.to_i64() == stored)
    }
}

/// The numbers, first and last, of all that have this `eventType`; none: nothing here ever has.
pub fn numbers_of(name: &str) -> Option<[i64; 2]> {
    let mut named = Mailed::ALL.into_iter().filter(|mailed| mailed.name() == name).map(Mailed::to_i64);
    let first = named.next()?;
    Some([first, named.next_back().unwrap_or(first)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_and_a_name_has_a_range_of_them() {
        for (number, mailed) in Mailed::ALL.into_iter().enumerate() {
            assert_eq!(Mailed::from_i64(number as i64), Some(mailed));
            let [first, last] = numbers_of(mailed.name()).unwrap();
            let alike = Mailed::ALL.iter().filter(|other| other.name() == mailed.name());
            assert!(alike.clone().all(|other| (first..=last).contains(&other.to_i64())));
            assert_eq!(alike.count() as i64, last - first + 1, "and nothing else stands between");
        }
        assert_eq!(Mailed::from_i64(4), None);
        assert_eq!((numbers_of("Delivery"), numbers_of("send"), numbers_of("")), (None, None, None));
    }
}
