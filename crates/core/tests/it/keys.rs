//! Master keys, roots, API keys: pinned values, so that no derivation ever changes by accident. The values come from a
//! second implementation of the security rules, written in Python without looking at this one.

use std::collections::HashSet;

use doorcode_core::apikey::{derive_api_key, derive_client_secret, derive_link_token, lookup_digest};
use doorcode_core::{Alphabet, CredentialId, Error, Kid, MasterKey, OrgId, Use};
use proptest::prelude::*;

use crate::{binding, master, shape};

const USES: [Use; 16] = [
    Use::Code,
    Use::Link,
    Use::ApiKey,
    Use::ApiKeyLookup,
    Use::ClientSecret,
    Use::ClientSecretLookup,
    Use::Header,
    Use::Webhook,
    Use::Audit,
    Use::Ticket,
    Use::Message,
    Use::Activity,
    Use::OtpTarget,
    Use::Verification,
    Use::OldVerification,
    Use::Notary,
];
const ORG: OrgId = OrgId::from_bytes([0x11; 16]);
const KEY: CredentialId = CredentialId::from_bytes([0x33; 16]);
const SEED: [u8; 32] = [0x55; 32];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_root_is_pinned() {
    let expected = [
        "2a8070a9b819dfd219276614d35d76fbabcf98db3701770f9422bf14aaa30094",
        "c329ef54cbc231b294f0bb7684acec9ccfe4e7ef0a3f0d9b5aed42becbc46260",
        "c9090f788b09ccd4e9c4d8d73e533a8b32b439fa83f0e44cbdb2037f2590daf6",
        "b0a53b3083361400559a0eadd60fc13b051a0d5d17683fbfb16b9262f996cc1d",
        "348ff30d33afe7eefd00a5131e181a69051c3357ddb3a940fc0c7f49d22f03e8",
        "6059fc8c748ad5745c2336dbf7a1cfd6e118fd0442db9c52af9d9e4d89879b69",
        "603bd4af16c360aab1850b9f1e43a876ef0f7bb7e5a35ee9e984c29d60e1e3f4",
        "d53745dc2217ce2ce890d0877ab706807b4647b7ef1328ab76fb0904396b812b",
        "32fc36bfe182ac54223c07138b946923564fa1a5068540f10ca1843216a0f220",
        "07a2929857eea8afe880d81d4d35037bb6efcddf383c75c89cc4613f66e7d40d",
        "e50bf99195c74f27ae9a03f1c89d3d0105af3f421bf5461a7cef8fd6d53dea7d",
        "af903e5c4f975ab8a39391cdef11f07b4b7263ed40b1e10c98b57c954c4e8293",
        "46f851038b01acb11e26508df04ce4aa9568a27ebf8c8647df4bd2bd6cd6f242",
        "d0fa0a340e8579b51c7c7a8ddf25d9be77efc294d6bb81554f31e449b872ad36",
        "9e7df364794a323645fb6eab70607bdb552416f66a2c80f281d205485408d489",
        "520faf8508b56176beb52080078433e19ab2f912ba3cca6feb8ed435a2b9a99d",
    ];
    for (use_, expected) in USES.into_iter().zip(expected) {
        assert_eq!(hex(&master().root(use_).mac(&[b"x"])), expected, "{use_:?}");
    }
    assert_eq!(
        hex(&master().root(Use::Header).mac(&[b"a", b"", b"bc"])),
        "527b900a4604b0fd2ef49e7fb7f4dc10278d8f7584140399e97a4b627282e3a2"
    );
    assert_eq!(hex(&master().check_value()), "3688bca64acc09d45e12cc93d90e3f6b");
}

#[test]
fn keys_are_pinned() {
    let key = derive_api_key(&master().root(Use::ApiKey), ORG, KEY, &SEED);
    assert_eq!(key.expose(), "outx_ek79bajmgv8tq2ymb1g03m6c");
    let secret = derive_client_secret(&master().root(Use::ClientSecret), ORG, KEY, &SEED);
    assert_eq!(secret.expose(), "dcs_b303lnacmkr840xt0cpjx9qmyalaetj7t8qn1p9d");
    let digest = lookup_digest(&master().root(Use::ApiKeyLookup), key.expose());
    assert_eq!(hex(&digest), "a8bb9db9367f23e92dcfde9338db6d5f");
    let digest = lookup_digest(&master().root(Use::ClientSecretLookup), secret.expose());
    assert_eq!(hex(&digest), "15a8282ec45f2e17d83679f5e6cb745e");
    let token = derive_link_token(&master().root(Use::Link), &binding(shape(Alphabet::Digits, 6)));
    assert_eq!(token.expose(), "ODYAwJlHy9hf89NSIGIbMCvaJER-hrsFk18FvOwjB_Q");
}

#[test]
fn uses_have_labels_of_their_own() {
    let labels: HashSet<&str> = USES.into_iter().map(Use::label).collect();
    assert_eq!(labels.len(), USES.len());
    // The check value is derived like a root; no root may have its label.
    assert!(!labels.contains("check"));
}

#[test]
fn a_key_file_comes_back() {
    let line = "doorcode-master-v1 testkey1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    assert_eq!(master().encode().expose(), line);
    for spelling in [line.to_owned(), format!("{line}\n"), format!("{line}\r\n")] {
        let key = MasterKey::parse(&spelling).unwrap();
        assert_eq!(key.kid().as_str(), "testkey1");
        assert_eq!(key.check_value(), master().check_value());
    }
}

#[test]
fn a_broken_key_file_is_refused() {
    let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for bad in [
        String::new(),
        "doorcode-master-v1".to_owned(),
        "doorcode-master-v1 testkey1".to_owned(),
        "doorcode-master-v1 testkey1 ".to_owned(),
        format!("doorcode-master-v2 testkey1 {base64}"),
        format!("doorcode-master-v1 testkey {base64}"),
        format!("doorcode-master-v1 Testkey1 {base64}"),
        format!("doorcode-master-v1  testkey1 {base64}"),
        format!("doorcode-master-v1 testkey1 {base64} more"),
        format!("doorcode-master-v1 testkey1 {base64}\ndoorcode-master-v1 testkey2 {base64}"),
        format!("doorcode-master-v1 testkey1 {}", &base64[..43]),
        format!("doorcode-master-v1 testkey1 {}=", &base64[..42]),
        format!("doorcode-master-v1 testkey1 {}", base64.replace('A', "!")),
        format!("doorcode-master-v1 testkey1 {}A", &base64[..43]),
        format!("doorcode-master-v1 testkey1 {}=", "A".repeat(43)),
    ] {
        assert!(matches!(MasterKey::parse(&bad), Err(Error::Invalid { .. })), "{bad}");
    }
}

#[test]
fn key_names() {
    assert_eq!("abc12345".parse::<Kid>().unwrap().to_string(), "abc12345");
    assert_eq!(format!("{:?}", "abc12345".parse::<Kid>().unwrap()), "abc12345");
    for bad in ["", "abc1234", "abc123456", "ABC12345", "abc-1234", "abc 1234", "äbc1234"] {
        assert!(bad.parse::<Kid>().is_err(), "{bad}");
    }
    assert_eq!(Kid::pick([0, 9, 10, 35, 36, 71, 72, 255]).as_str(), "09az0z03");
}

proptest! {
    #[test]
    fn picked_names_are_names(random: [u8; 8]) {
        let kid = Kid::pick(random);
        prop_assert_eq!(kid.as_str().parse::<Kid>().unwrap(), kid);
    }

    #[test]
    fn any_key_file_comes_back(random: [u8; 8], bytes in any::<[u8; 32]>().prop_filter("zeros", |b| b != &[0; 32])) {
        let key = MasterKey::from_parts(Kid::pick(random), bytes);
        let again = MasterKey::parse(key.encode().expose()).unwrap();
        prop_assert_eq!(again.kid(), key.kid());
        prop_assert!(again.encode().expose() == key.encode().expose());
    }

    /// Length-prefixing: two lists of parts have one MAC only if they are one list.
    #[test]
    fn no_two_lists_read_the_same(
        a in prop::collection::vec(prop::collection::vec(0u8..3, 0..5), 0..5),
        b in prop::collection::vec(prop::collection::vec(0u8..3, 0..5), 0..5),
    ) {
        let root = master().root(Use::Header);
        let mac = |list: &[Vec<u8>]| root.mac(&list.iter().map(Vec::as_slice).collect::<Vec<_>>());
        prop_assert_eq!(mac(&a) == mac(&b), a == b);
    }

    /// The same bytes, cut elsewhere.
    #[test]
    fn moving_a_cut_changes_the_mac(bytes in prop::collection::vec(any::<u8>(), 1..40), x: prop::sample::Index, y: prop::sample::Index) {
        let (x, y) = (x.index(bytes.len() + 1), y.index(bytes.len() + 1));
        let root = master().root(Use::Header);
        let mac = |at: usize| root.mac(&[&bytes[..at], &bytes[at..]]);
        prop_assert_eq!(mac(x) == mac(y), x == y);
    }

    #[test]
    fn an_api_key_depends_on_everything(org: [u8; 16], id: [u8; 16], seed: [u8; 32], bit in 0usize..512, key: [u8; 32]) {
        let make = |master: &MasterKey, org, id, seed: &[u8; 32]| {
            let key = derive_api_key(&master.root(Use::ApiKey), OrgId::from_bytes(org), CredentialId::from_bytes(id), seed);
            key.expose().clone()
        };
        let one = make(&master(), org, id, &seed);
        prop_assert_eq!(&one, &make(&master(), org, id, &seed));
        prop_assert!(one.starts_with("outx_") && one.len() == 29);
        prop_assert!(one[5..].bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()));
        let (mut org2, mut id2, mut seed2) = (org, id, seed);
        match bit {
            0..128 => org2[bit / 8] ^= 1 << (bit % 8),
            128..256 => id2[bit / 8 - 16] ^= 1 << (bit % 8),
            _ => seed2[bit / 8 - 32] ^= 1 << (bit % 8),
        }
        prop_assert_ne!(&one, &make(&master(), org2, id2, &seed2));
        let other = MasterKey::from_parts("otherkey".parse().unwrap(), key);
        prop_assert_ne!(&one, &make(&other, org, id, &seed));
    }

    #[test]
    fn digests_are_of_the_exact_text(a in "[a-z0-9_ ]{0,30}", b in "[a-z0-9_ ]{0,30}") {
        let root = master().root(Use::ApiKeyLookup);
        prop_assert_eq!(lookup_digest(&root, &a) == lookup_digest(&root, &b), a == b);
        prop_assert_ne!(lookup_digest(&root, &a), lookup_digest(&master().root(Use::ClientSecretLookup), &a));
    }
}
