//! The mark of an installation's own mail.

use doorcode_core::origin::Mark;
use doorcode_core::{MasterKey, Root, Use};

fn master(kid: &str, byte: u8) -> MasterKey {
    MasterKey::from_parts(kid.parse().unwrap(), [byte; 32])
}

fn header(master: &MasterKey) -> Root {
    master.root(Use::Header)
}

#[test]
fn a_mark_is_known_again_by_its_own_key_only() {
    let (ours, theirs) = (master("aaaaaaaa", 1), master("aaaaaaaa", 2));
    let text = Mark::new(ours.kid(), &header(&ours), [7; 16]).to_string();
    let read = Mark::parse(&text).unwrap();
    assert_eq!(read.kid(), ours.kid());
    assert!(read.is_of(&header(&ours)));
    assert!(!read.is_of(&header(&theirs)), "another installation may have the same name for its key");
    assert!(!read.is_of(&ours.root(Use::Link)), "each use has its own root");
}

#[test]
fn no_part_of_a_mark_can_be_changed() {
    let ours = master("aaaaaaaa", 1);
    let text = Mark::new(ours.kid(), &header(&ours), [7; 16]).to_string();
    let (kid, rest) = text.split_once(' ').unwrap();
    let (id, mac) = rest.split_once(' ').unwrap();
    let other = Mark::new(ours.kid(), &header(&ours), [8; 16]).to_string();
    let other_id = other.split(' ').nth(1).unwrap();
    assert!(!Mark::parse(&format!("{kid} {other_id} {mac}")).unwrap().is_of(&header(&ours)));
    assert!(!Mark::parse(&format!("{kid} {id} {id}")).unwrap().is_of(&header(&ours)));
}

#[test]
fn a_mark_survives_folding_and_nothing_else_is_one() {
    let ours = master("aaaaaaaa", 1);
    let text = Mark::new(ours.kid(), &header(&ours), [7; 16]).to_string();
    assert!(Mark::parse(&format!(" {}\r\n", text.replace(' ', "\r\n\t"))).unwrap().is_of(&header(&ours)));
    // With the name of the header it is no longer than a line of a mail is.
    assert!("X-Doorcode-Stamp: ".len() + text.len() <= 78, "{text}");
    for bad in ["", "aaaaaaaa", "aaaaaaaa x y", &format!("{text} more"), &text[..text.len() - 1], &format!("{text}A")] {
        assert!(Mark::parse(bad).is_none(), "{bad}");
    }
}
