//! The rules, from outside: what the server sees of them. One file per subject.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails; clippy's exemption misses the helpers")]

mod activity;
mod address;
mod budget;
mod challenge;
mod code;
mod content;
mod email;
mod error;
mod extract;
mod id;
mod keys;
mod network;
mod normalise;
mod origin;
mod phone;
mod push;
mod reason;
mod redirect;
mod seal;
mod secret;
mod sender;
mod session;
mod stamp;
mod time;
mod token;
mod turnkey;
mod uniform;
mod webhook;

use doorcode_core::{Alphabet, Binding, ChallengeId, Kid, MasterKey, OrgId, Shape};

#[expect(clippy::disallowed_methods, reason = "signing asks for it, and no test depends on what it gives")]
fn random() -> impl ring::rand::SecureRandom {
    ring::rand::SystemRandom::new()
}

/// The master key of every test: bytes 0 to 31.
fn master() -> MasterKey {
    MasterKey::from_parts("testkey1".parse::<Kid>().unwrap(), std::array::from_fn(|i| i as u8))
}

fn shape(alphabet: Alphabet, length: u8) -> Shape {
    Shape::new(alphabet, length).unwrap()
}

/// The binding of every test.
fn binding(shape: Shape) -> Binding<'static> {
    Binding {
        org: OrgId::from_bytes([0x11; 16]),
        challenge: ChallengeId::from_bytes([0x22; 16]),
        generation: 1,
        purpose: "signin",
        method: "code",
        destination: "jane@example.com",
        shape,
        salt: &[0x44; 16],
    }
}

/// A file of vectors that can't be committed, out of `shared/spec/vectors` in a folder above the repository. None: it is not there, which is
/// said.
#[expect(clippy::print_stdout, reason = "a test that was skipped says so")]
fn vectors(name: &str) -> Option<serde_json::Value> {
    let above = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut files = above.map(|folder| folder.join("shared/spec/vectors").join(name));
    let Some(text) = files.find_map(|file| std::fs::read_to_string(file).ok()) else {
        println!("skipped: no {name} beside the repository");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}
