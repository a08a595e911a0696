//! Whose key a stamp is of, where the same key stands in an organisation and in its parent, and what its owner may do. Refuses to let a
//! parent do more to a sub-organisation than read it and send and take its people's codes, to look further than one level, and to let somebody who is not
//! a root user touch anybody else.

use crate::activity::Kind;
use crate::id::UserId;

/// Where a key was found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// In the organisation that the call names.
    Own,
    /// In its parent.
    Parent,
}

/// Somebody whose stamp was verified and whose key lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Actor {
    /// Where their key was found.
    pub side: Side,
    /// The user.
    pub user: UserId,
    /// Whether it is a root user there.
    pub root: bool,
}

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// To read.
    Query,
    /// To do something.
    Activity(Kind),
}

/// Of the two places where a key may stand, the one that counts: the organisation's own.
pub fn choose<T>(own: Option<T>, parent: Option<T>) -> Option<(Side, T)> {
    own.map(|found| (Side::Own, found)).or_else(|| parent.map(|found| (Side::Parent, found)))
}

impl Actor {
    /// Whether they may. `subject` is the one user whom the call is about; none if it is about the organisation, several users, or a
    /// contact that may be anybody's.
    pub fn may(&self, call: Call, subject: Option<UserId>) -> bool {
        match (self.side, self.root) {
            (Side::Own, true) => true,
            (Side::Own, false) => subject == Some(self.user),
            (Side::Parent, true) => match call {
                Call::Query => true,
                Call::Activity(kind) => kind.is_open_to_parent(),
            },
            (Side::Parent, false) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANA: UserId = UserId::from_bytes([1; 16]);
    const BEN: UserId = UserId::from_bytes([2; 16]);

    fn actor(side: Side, root: bool) -> Actor {
        Actor { side, user: ANA, root }
    }

    #[test]
    fn the_organisations_own_key_wins() {
        assert_eq!(choose(Some(1), Some(2)), Some((Side::Own, 1)));
        assert_eq!(choose(None, Some(2)), Some((Side::Parent, 2)));
        assert_eq!(choose::<u8>(None, None), None);
    }

    /// The attack: a customer's backend, or whoever stole its key, takes over a person's sub-organisation.
    #[test]
    fn a_parent_sends_and_takes_codes_and_no_more() {
        let parent = actor(Side::Parent, true);
        assert!(parent.may(Call::Query, None));
        for kind in Kind::all() {
            let open = matches!(
                kind.path(),
                "init_otp_auth" | "otp_auth" | "email_auth" | "init_otp" | "verify_otp" | "otp_login"
            );
            assert_eq!(parent.may(Call::Activity(kind), Some(BEN)), open, "{}", kind.name());
            assert!(!actor(Side::Parent, false).may(Call::Activity(kind), Some(ANA)), "{}", kind.name());
        }
        assert!(!actor(Side::Parent, false).may(Call::Query, Some(ANA)));
    }

    #[test]
    fn who_is_not_root_acts_on_themselves() {
        for kind in Kind::all() {
            let call = Call::Activity(kind);
            assert!(actor(Side::Own, true).may(call, None) && actor(Side::Own, true).may(call, Some(BEN)));
            let usual = actor(Side::Own, false);
            assert!(usual.may(call, Some(ANA)) && !usual.may(call, Some(BEN)) && !usual.may(call, None));
        }
        assert!(!actor(Side::Own, false).may(Call::Query, None));
    }
}
