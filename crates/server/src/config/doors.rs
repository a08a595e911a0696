//! The settings of the doors and of the sessions that they give, `[door.…]` and `[sessions]`, as they are written. Refuses codes that
//! live longer than their contract or the standards have it.

use std::time::Duration;

use doorcode_core::Shape;
use doorcode_core::challenge::{LIFE, LIFE_BY_CONTRACT};
use doorcode_core::time::HOUR;
use serde::Deserialize;

use super::complaints::Complaints;
use super::{Native, Outx, Sessions};

/// The shortest life of what a person has to read and type.
pub const SHORTEST_LIFE: Duration = Duration::from_secs(30);

/// `[door]`, as written.
#[derive(Deserialize)]
pub(super) struct RawDoor {
    pub(super) outx: RawOutx,
    pub(super) native: RawNative,
}

/// `[door.outx]`, as written.
#[derive(Deserialize)]
pub(super) struct RawOutx {
    code_alphabet: String,
    code_length: u8,
    code_life: String,
    code_renew: String,
}

/// `[door.native]`, as written.
#[derive(Deserialize)]
pub(super) struct RawNative {
    code_alphabet: String,
    code_length: u8,
    code_life: String,
    code_renew: String,
    token_life: String,
}

/// `[sessions]`, as written.
#[derive(Deserialize)]
pub(super) struct RawSessions {
    idle: String,
    absolute: String,
    access: String,
}

impl RawOutx {
    pub(super) fn mean(self, bad: &mut Complaints) -> Outx {
        let shape = short_shape("door.outx", &self.code_alphabet, self.code_length, bad);
        let life = bad.duration("door.outx.code_life", &self.code_life);
        if life > LIFE_BY_CONTRACT || life < SHORTEST_LIFE {
            bad.push("door.outx.code_life: must be between 30s and 1h");
        }
        let renew = bad.duration("door.outx.code_renew", &self.code_renew);
        Outx { shape, life, renew: renew.min(life / 2) }
    }
}

impl RawNative {
    pub(super) fn mean(self, bad: &mut Complaints) -> Native {
        let shape = short_shape("door.native", &self.code_alphabet, self.code_length, bad);
        let life = bad.duration("door.native.code_life", &self.code_life);
        if life > LIFE || life < SHORTEST_LIFE {
            bad.push("door.native.code_life: must be between 30s and 10m");
        }
        let token_life = bad.duration("door.native.token_life", &self.token_life);
        if token_life > HOUR || token_life < SHORTEST_LIFE {
            bad.push("door.native.token_life: must be between 30s and 1h");
        }
        let renew = bad.duration("door.native.code_renew", &self.code_renew);
        Native { shape, life, renew: renew.min(life / 2), token_life }
    }
}

impl RawSessions {
    pub(super) fn mean(self, bad: &mut Complaints) -> Sessions {
        let idle = bad.duration("sessions.idle", &self.idle);
        let absolute = bad.duration("sessions.absolute", &self.absolute);
        let access = bad.duration("sessions.access", &self.access);
        if idle.is_zero() || absolute < idle {
            bad.push("sessions: idle must be more than nought, and absolute at least as long");
        }
        if access < SHORTEST_LIFE || access > HOUR {
            bad.push("sessions.access: must be between 30s and 1h");
        }
        Sessions { idle, absolute, access }
    }
}

/// The shape of a short code. 13 symbols are the long one's.
fn short_shape(door: &str, alphabet: &str, length: u8, bad: &mut Complaints) -> Shape {
    let shape = alphabet.parse().ok().and_then(|alphabet| Shape::new(alphabet, length).ok());
    let shape = shape.filter(|shape| shape.length <= 12);
    let must = "code_alphabet must be digits, letters or crockford, and code_length 4 to 12";
    bad.take(door, shape, must, Shape::LONG)
}
