//! The cryptography of signed calls alone, on all cores: what a server that did nothing else would reach. Refuses to count anything that is
//! no cryptography: no HTTP, no JSON, no database.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use doorcode_core::code::{self, Alphabet, Binding, Shape};
use doorcode_core::root::{MasterKey, Root, Use};
use doorcode_core::seal::turnkey::grant;
use doorcode_core::stamp::{PublicKey, Stamp};
use doorcode_core::{ChallengeId, Kid, OrgId, Secret};
use hyper::body::Bytes;
use tokio::task::JoinSet;

use super::failure::{Failure, Outcome};
use super::rig::join;
use super::round::Round;
use super::stamped::Signed;
use super::stopwatch::now;
use super::window::{Lane, Window};
use crate::entropy::Entropy;

/// One kind of call's cryptography.
pub(super) enum Work {
    /// A stamp is verified, the code is derived, a key is made and sealed.
    Redeem(Box<Redeem>),
    /// A stamp is verified.
    Verify(Arc<Vec<Signed>>),
}

/// What that takes.
pub(super) struct Redeem {
    stamp: Stamp,
    body: Bytes,
    target: PublicKey,
    codes: Root,
}

impl Work {
    /// That of a code which comes back for a key.
    pub(super) fn redeem(call: Signed, target: &PublicKey) -> Outcome<Self> {
        let seed = Entropy::real().bytes().map_err(Failure::during("drawing a key"))?;
        let codes = MasterKey::from_parts(Kid::pick([1; 8]), seed).root(Use::Code);
        Ok(Self::Redeem(Box::new(Redeem { stamp: call.stamp, body: call.body, target: *target, codes })))
    }

    /// That of a question.
    pub(super) fn verify(questions: Arc<Vec<Signed>>) -> Self {
        Self::Verify(questions)
    }

    /// Does it once.
    fn once(&self, turn: usize, entropy: &Entropy) -> Outcome<()> {
        let failed = || Failure::new("the cryptography alone does not do");
        match self {
            Self::Redeem(call) => {
                call.stamp.verify(&call.body).map_err(|_| failed())?;
                std::hint::black_box(code::derive(&call.codes, &BINDING));
                std::hint::black_box(grant(&call.target, || entropy.bytes().map(Secret::new)).map_err(|_| failed())?);
            }
            Self::Verify(questions) => {
                let Some(question) = questions.get(turn % questions.len().max(1)) else { return Err(failed()) };
                question.stamp.verify(&question.body).map_err(|_| failed())?;
            }
        }
        Ok(())
    }
}

/// A challenge like others.
const BINDING: Binding<'_> = Binding {
    org: OrgId::HOUSE,
    challenge: ChallengeId::from_bytes([7; 16]),
    generation: 0,
    purpose: "otp-auth",
    method: "code",
    destination: "00000000-1-1@bench.example",
    shape: Shape { alphabet: Alphabet::Crockford, length: 9 },
    salt: &[7; 16],
};

/// One round, on a thread for each core.
pub(super) async fn round(work: &Arc<Work>, length: Duration) -> Outcome<Round> {
    let threads = available_parallelism().map_or(1, usize::from);
    let window = Arc::new(Window::new(now(), length, threads));
    let mut tasks = JoinSet::new();
    for thread in 0..threads {
        let (work, window) = (Arc::clone(work), Arc::clone(&window));
        tasks.spawn_blocking(move || {
            let (mut lane, entropy) = (Lane::default(), Entropy::real());
            let mut begun = now();
            for turn in thread.. {
                work.once(turn, &entropy)?;
                let done = now();
                lane.note(&window, begun, done);
                if window.is_over(done) {
                    break;
                }
                begun = done;
            }
            Ok(lane)
        });
    }
    let lanes = join(tasks).await?;
    Ok(Round::of(&lanes, window.measured()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn without_work_there_is_nothing_to_count() {
        let none = Arc::new(Work::verify(Arc::new(Vec::new())));
        assert!(round(&none, Duration::from_millis(50)).await.is_err());
    }
}
