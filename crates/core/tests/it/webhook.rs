//! The secrets and signatures of webhooks: the published example, and values of a second implementation in Python.

use doorcode_core::{Error, OrgId, Secret, Timestamp, Use, WebhookId, webhook};

use crate::master;

const ORG: OrgId = OrgId::from_bytes([0x11; 16]);
const HOOK: WebhookId = WebhookId::from_bytes([0x66; 16]);

fn sign(secret: &str, body: &str) -> Result<String, Error> {
    let at = Timestamp::from_millis(1_614_265_330_999);
    webhook::sign(&Secret::new(secret.to_owned()), "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body.as_bytes())
}

/// The example that the libraries of the specification test themselves with.
#[test]
fn the_published_example_comes_out() {
    let signature = sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "{\"test\": 2432232314}").unwrap();
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn a_secret_is_pinned_and_signs() {
    let root = master().root(Use::Webhook);
    let secret = webhook::derive_secret(&root, ORG, HOOK, &[0x55; 32]);
    assert_eq!(secret.expose(), "whsec_EB/YTnBPE5eEG+bcdG4ZaxyMQl8mceS21LEvaVLM+tE=");
    let id = "018bcfe5-6800-7000-8000-000000000001";
    let at = Timestamp::from_millis(1_800_000_000_000);
    let signature = webhook::sign(&secret, id, at, b"{\"type\":\"webhook.test\"}").unwrap();
    assert_eq!(signature, "v1,3dIKe/eDDEBx3C1MxupauTUUXRr97XO3X8dzzqaaTkE=");
}

#[test]
fn every_part_changes_the_secret() {
    let secret = |org, id, seed| {
        let secret = webhook::derive_secret(&master().root(Use::Webhook), org, id, &seed);
        secret.expose().clone()
    };
    let first = secret(ORG, HOOK, [0x55; 32]);
    assert_ne!(first, secret(OrgId::from_bytes([0x12; 16]), HOOK, [0x55; 32]));
    assert_ne!(first, secret(ORG, WebhookId::from_bytes([0x67; 16]), [0x55; 32]));
    assert_ne!(first, secret(ORG, HOOK, [0x56; 32]));
}

#[test]
fn what_is_no_secret_signs_nothing() {
    let (short, long) = ("A".repeat(28), "A".repeat(88));
    for bad in ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS"] {
        assert!(matches!(sign(bad, ""), Err(Error::Invalid { .. })), "{bad}");
    }
    for bad in [short, long] {
        assert!(matches!(sign(&format!("whsec_{bad}"), ""), Err(Error::Invalid { .. })), "{bad}");
    }
}
