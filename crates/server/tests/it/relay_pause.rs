//! What was said yes to before its owner stopped the agent, or everything: nothing is taken for it and nothing is read of it until they let it
//! go on. On both engines.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use doorcode::ops::agents::{self, Step};
use doorcode::ops::relays::{self, Taken};
use doorcode::store::relays as rows;
use doorcode_core::RelayId;
use doorcode_core::relay::Named as _;
use doorcode_core::relay::fit::Worth;
use serde_json::json;

use crate::agentotp_cast::*;
use crate::relay_mail::comes;

const TEXT: &str = "Your Acme code is 482913";

/// What is stopped, and lets it go on again.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Stop {
    Everything,
    Paused,
    Blocked,
}

const STOPS: [Stop; 3] = [Stop::Everything, Stop::Paused, Stop::Blocked];

async fn stop(cast: &Cast, what: Stop, on: bool) {
    let step = match what {
        Stop::Everything => return relays::pause(&cast.app.app, cast.whose, on).await.unwrap(),
        Stop::Paused => Step::Pause(on),
        Stop::Blocked => Step::Block(on),
    };
    agents::change(&cast.app.app, cast.whose, cast.agent, step).await.unwrap();
}

#[tokio::test]
async fn a_code_that_is_there_is_not_read_while_its_agent_is_stopped() {
    for what in STOPS {
        let cast = Cast::new().await;
        let text = cast.received().await;
        stop(&cast, what, true).await;
        let stopped = cast.consume(&text).await;
        assert_eq!(codes(&stopped), refused(403, "OTP_APPROVAL_DENIED", "FORBIDDEN"), "{what:?}");
        assert!(!stopped.text().contains("encrypted"), "{what:?}: {}", stopped.text());
        // The statement says so too, whatever was looked at before.
        let (id, agent, now) = (RelayId::read(&text).unwrap(), cast.agent, cast.app.now());
        let taken =
            cast.app.app.db.write(move |tx| Box::pin(async move { rows::consume(tx, &id, &agent, None, now).await }));
        assert!(!taken.await.unwrap(), "{what:?}");
        assert_eq!(cast.status(&text).await["status"], "otp_received");
        stop(&cast, what, false).await;
        assert_eq!(cast.consume(&text).await.status, 200, "{what:?}: it may go on");
    }
}

#[tokio::test]
async fn what_was_read_is_not_given_again_while_everything_is_stopped() {
    let cast = Cast::new().await;
    let id = cast.received().await;
    let path = format!("/v1/otp/{id}/consume");
    let by = cast.by(&cast.key).saying("idempotency-key", "a");
    assert_eq!(by.post(&path, json!({})).await.status, 200);
    stop(&cast, Stop::Everything, true).await;
    assert_eq!(codes(&by.post(&path, json!({})).await), refused(403, "OTP_APPROVAL_DENIED", "FORBIDDEN"));
    let other = cast.consume(&id).await;
    assert_eq!(codes(&other), refused(409, "OTP_ALREADY_CONSUMED", "ALREADY_CONSUMED"), "what it was before it is");
}

#[tokio::test]
async fn nothing_is_handed_in_for_an_agent_that_is_stopped() {
    for what in [Stop::Everything, Stop::Paused] {
        let cast = Cast::new().await;
        let id = cast.approved().await;
        stop(&cast, what, true).await;
        let list = cast.by(&cast.collector).get("/v1/otp/pending").await.json();
        assert_eq!(list["requests"], json!([]), "{what:?}: nobody looks for it");
        assert_eq!(codes(&cast.hand_in(&id).await), refused(409, "CONFLICT", "CONFLICT"), "{what:?}");
        assert_eq!(cast.status(&id).await["status"], "approved");
        stop(&cast, what, false).await;
        assert_eq!(cast.hand_in(&id).await.status, 200, "{what:?}: the same message, it was not used up");
    }
}

#[tokio::test]
async fn no_message_goes_to_an_agent_that_is_stopped() {
    for what in [Stop::Everything, Stop::Paused] {
        let cast = Cast::new().await;
        let id = RelayId::read(&cast.approved().await).unwrap();
        stop(&cast, what, true).await;
        let (app, whose) = (&cast.app.app, cast.whose);
        assert_eq!(comes(app, whose, TEXT, Worth::Verified, 1).await, Taken::Nobody, "{what:?}");
        let held = "Reset your password: the code is 482913";
        assert_eq!(comes(app, whose, held, Worth::Verified, 2).await, Taken::Nobody, "{what:?}: nor is one held");
        assert_eq!(comes(app, whose, TEXT, Worth::Unverified, 3).await, Taken::Nobody, "{what:?}: nor noted");
        stop(&cast, what, false).await;
        assert_eq!(comes(app, whose, TEXT, Worth::Verified, 1).await, Taken::Given(id), "{what:?}");
    }
}

#[tokio::test]
async fn a_message_that_two_agents_wait_for_goes_to_the_one_that_is_not_stopped() {
    let cast = Cast::new().await;
    let (_, other) = agent(&cast.app, cast.whose, "Other", false).await;
    let (first, second) = (cast.approved().await, cast.ask_as(&other).await);
    cast.approve(&second).await;
    let (app, whose) = (&cast.app.app, cast.whose);
    assert_eq!(comes(app, whose, TEXT, Worth::Verified, 1).await, Taken::Contested);
    stop(&cast, Stop::Paused, true).await;
    let second = RelayId::read(&second).unwrap();
    assert_eq!(comes(app, whose, TEXT, Worth::Verified, 1).await, Taken::Given(second));
    assert_eq!(cast.status(&first).await["status"], "approved", "its owner may let it go on");
}
