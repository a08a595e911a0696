//! What a session presents is read as what it was made for, and as nothing else.

use doorcode_core::id::SessionId;
use doorcode_core::session::{Claim, Kind, Presented};
use doorcode_core::{Kid, MasterKey, Root, Timestamp, Use};

const SEED: [u8; 16] = [3; 16];

fn root(byte: u8) -> Root {
    MasterKey::from_parts(Kid::pick([1; 8]), [byte; 32]).root(Use::Session)
}

fn claim(kind: Kind) -> Claim {
    let until = Timestamp::from_millis(1_800_000_000_000);
    Claim { kind, id: SessionId::from_bytes([7; 16]), generation: 2, until }
}

#[test]
fn what_was_made_is_read_and_known() {
    for kind in [Kind::Cookie, Kind::Access, Kind::Refresh, Kind::Code, Kind::Pressed] {
        let token = claim(kind).encode(&root(1), &SEED);
        assert_eq!(token.expose().len(), 84);
        let read = Presented::read(kind, token.expose()).unwrap();
        assert_eq!(read.claim, claim(kind));
        assert!(read.is_of(&root(1), &SEED));
        assert!(!read.is_of(&root(2), &SEED) && !read.is_of(&root(1), &[4; 16]), "another key, another row");
        assert_eq!(Presented::kind_of(token.expose()), Some(kind));
    }
}

#[test]
fn no_kind_is_another() {
    let token = claim(Kind::Access).encode(&root(1), &SEED).expose().clone();
    assert!(Presented::read(Kind::Refresh, &token).is_none());
    let renamed = token.replacen("dsa_", "dsr_", 1);
    assert!(!Presented::read(Kind::Refresh, &renamed).unwrap().is_of(&root(1), &SEED));
}

#[test]
fn nothing_that_was_changed_is_known() {
    let token = claim(Kind::Refresh).encode(&root(1), &SEED).expose().clone();
    for at in 4..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let known = Presented::read(Kind::Refresh, &changed).is_some_and(|read| read.is_of(&root(1), &SEED));
        assert!(!known, "{at}");
    }
    for nonsense in ["", "dsr_", "dsr_AAAA", &format!("{token}A"), &token[..83], &format!("dsr_{}", "é".repeat(40))] {
        assert!(Presented::read(Kind::Refresh, nonsense).is_none());
    }
}
