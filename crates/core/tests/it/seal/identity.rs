//! Who an agent is: its signature over what it asks, and what a server can't forge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorcode_core::Timestamp;
use doorcode_core::seal::{IdentityKey, IdentitySigner, PrivateKey, PublicKey, Statement};

use super::{known, public, secret, seed, why};

const STATEMENT: Statement<'static> = Statement {
    agent: "agent_1",
    expected_sender: "Acme",
    sender_pattern: "*@acme.com",
    content_pattern: r"\d{6}",
    reason: "sign in to Acme – für Jane",
    signed_at: Timestamp::from_millis(1_800_000_000_000),
    ttl: 300,
};

#[test]
fn an_identity_signs_its_requests() {
    let signer = IdentitySigner::parse(&secret(&known("identity", "private"))).unwrap();
    let identity = IdentityKey::parse(&known("identity", "public")).unwrap();
    assert_eq!(signer.public().unwrap(), identity);
    assert_eq!(identity.encode(), known("identity", "public"));
    assert_eq!(signer.encode().expose(), &known("identity", "private"));
    // Ed25519 has no randomness: the other implementation's signature is ours.
    let signature = signer.sign(&STATEMENT, &public("hpke")).unwrap();
    assert_eq!(signature, known("identity", "signature"));
    identity.verify(&STATEMENT, &public("hpke"), &signature).unwrap();
}

/// The attack: a server that wants to read puts a key of its own, or another question, under the agent's name.
#[test]
fn a_key_that_the_server_swapped_is_told() {
    let signature = known("identity", "signature");
    let identity = IdentityKey::parse(&known("identity", "public")).unwrap();
    let refuse = |identity: &IdentityKey, statement: &Statement<'_>, key: &PublicKey, signature: &str| {
        why(identity.verify(statement, key, signature), "identitySignature");
    };
    let servers = PrivateKey::from_seed(seed(5)).public().unwrap();
    refuse(&identity, &STATEMENT, &servers, &signature);
    refuse(&identity, &STATEMENT, &public("rsa"), &signature);
    for other in [
        Statement { agent: "agent_2", ..STATEMENT },
        Statement { expected_sender: "", ..STATEMENT },
        Statement { sender_pattern: "*@bank.example", ..STATEMENT },
        Statement { content_pattern: "", ..STATEMENT },
        Statement { reason: "sign in to Acme", ..STATEMENT },
        Statement { signed_at: Timestamp::from_millis(1_800_000_000_001), ..STATEMENT },
        Statement { ttl: 301, ..STATEMENT },
        Statement { expected_sender: "Acme*@acme", sender_pattern: ".com", ..STATEMENT },
    ] {
        refuse(&identity, &other, &public("hpke"), &signature);
    }
    // The server's own signature is another identity's.
    let server = IdentitySigner::from_seed(seed(6));
    let forged = server.sign(&STATEMENT, &servers).unwrap();
    refuse(&identity, &STATEMENT, &servers, &forged);
    assert!(!server.public().unwrap().fingerprint().agrees(&known("identity", "fingerprint")));
    for bad in [
        "",
        &signature[1..],
        &format!("{signature}="),
        &format!("{signature}AA"),
        &"A".repeat(86),
        &"A".repeat(1 << 20),
    ] {
        refuse(&identity, &STATEMENT, &public("hpke"), bad);
    }
}

/// With a point of small order as the key, a signature that anybody can make fits every statement.
#[test]
fn weak_identities_are_refused() {
    let spell = |bytes: [u8; 32]| format!("ed25519:{}", URL_SAFE_NO_PAD.encode(bytes));
    let mut one = [0; 32];
    one[0] = 1;
    let mut two = [0xff; 32];
    two[0] = 0xec;
    two[31] = 0x7f;
    let mut second_spelling = one;
    second_spelling[31] = 0x80;
    for bad in [spell([0; 32]), spell(one), spell(two), spell(second_spelling), spell([2; 32]), spell([0xff; 32])] {
        why(IdentityKey::parse(&bad), "identityKey");
    }
    for bad in ["", "ed25519:", "ed25519:AAAA", &known("identity", "private"), &known("hpke", "public")] {
        why(IdentityKey::parse(bad), "identityKey");
        why(
            IdentitySigner::parse(&secret(bad)).map(|_| ()).and(IdentityKey::parse(bad)),
            if bad.contains("private") { "identityKey" } else { "identity" },
        );
    }
}
