//! The kinds of events: all of them, with their names (docs/webhooks.md says whose id each is about). Refuses an event, and a webhook, of any other.

/// Lists the kinds.
macro_rules! kinds {
    ($($kind:ident $name:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Kind {
            $(#[doc = concat!("`", $name, "`.")] $kind,)*
        }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    UserSignedIn "user.signed_in";
    UserCreated "user.created";
    UserRemoved "user.removed";
    VerificationStarted "verification.started";
    VerificationResent "verification.resent";
    VerificationSent "verification.sent";
    VerificationUndelivered "verification.undelivered";
    VerificationVerified "verification.verified";
    VerificationCanceled "verification.canceled";
    KeyCreated "key.created";
    KeyRotated "key.rotated";
    CredentialCreated "credential.created";
    CredentialRevoked "credential.revoked";
    ActivityCompleted "activity.completed";
    ActivityFailed "activity.failed";
    OrgCreated "org.created";
    OrgRaised "org.raised";
    OrgLowered "org.lowered";
    SessionCreated "session.created";
    SessionEnded "session.ended";
    SessionReused "session.reused";
    SessionAllEnded "session.all_ended";
    RedirectAdded "redirect.added";
    RedirectRemoved "redirect.removed";
    AgentCreated "agent.created";
    AgentRemoved "agent.removed";
    RelayRequested "relay.requested";
    RelayApproved "relay.approved";
    RelayDenied "relay.denied";
    RelayReceived "relay.received";
    RelayHeld "relay.held";
    RelayConsumed "relay.consumed";
    RelayCancelled "relay.cancelled";
    RelayExpired "relay.expired";
    WebhookCreated "webhook.created";
    WebhookRotated "webhook.rotated";
    WebhookEnabled "webhook.enabled";
    WebhookDisabled "webhook.disabled";
    WebhookDeleted "webhook.deleted";
    WebhookTest "webhook.test";
}

impl Kind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A webhook's kinds stand in its row with spaces between.
    #[test]
    fn a_kind_is_one_word_and_one_of_its_name() {
        for kind in Kind::ALL {
            let name = kind.as_str();
            assert_eq!(Kind::named(name), Some(*kind));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte)), "{name}");
        }
    }
}
