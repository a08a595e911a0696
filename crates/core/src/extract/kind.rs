//! What a message is about beside its code, for whoever must ask a person again before handing it on: resetting a
//! password, approving a payment, a new device. Refuses to decide: a message may be of several kinds or of none, and
//! a missing kind is no proof that it is harmless.

mod words;

use std::sync::LazyLock;

use super::Message;
use super::scan::scan;
use super::terms::Dictionary;

/// One thing that a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// Resetting a password, recovering an account.
    Reset,
    /// Approving a payment or transfer.
    Payment,
    /// Signing in, from a new device or at all.
    SignIn,
    /// A device, browser or place that was not seen before, or one that is to be trusted from now on.
    NewDevice,
}

/// A set of [`Kind`]. Empty: something else, or nothing that was recognised.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Kinds(u8);

impl Kinds {
    /// Whether `kind` is among them.
    pub const fn has(self, kind: Kind) -> bool {
        self.0 >> kind as u8 & 1 == 1
    }

    /// Whether none was recognised.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

static WORDS: LazyLock<Dictionary> = LazyLock::new(|| {
    let lists = [
        (Kind::Reset, words::RESET),
        (Kind::Payment, words::PAYMENT),
        (Kind::SignIn, words::SIGN_IN),
        (Kind::SignIn, words::NEW_DEVICE),
        (Kind::NewDevice, words::NEW_DEVICE),
    ];
    Dictionary::of(lists.into_iter().flat_map(|(kind, lists)| lists.iter().map(move |list| (kind as u8, *list))))
});

/// What the message is about. Looks at the subject and at everything that is seen of the body.
pub fn classify(message: &Message<'_>) -> Kinds {
    let scan = scan(&super::visible(message));
    Kinds(WORDS.find(&scan).iter().fold(0, |kinds, hit| kinds | hit.terms.bits() as u8))
}
