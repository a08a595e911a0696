//! Signed calls on two servers that share a database: the same body is one activity, wherever it comes in.

use doorcode_core::activity::Kind;
use futures_util::future::join_all;
use serde_json::json;

use crate::app::{TestApp, seconds};
use crate::nodes::{advance, two};
use crate::turnkey_attacks::one_of;
use crate::turnkey_cast::*;

const ADA: &str = "ada@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_500_and_500_the_same_body_is_one_activity_and_one_key() {
    let Some((a, b)) = two().await else { return };
    let cast = Cast::of(a).await;
    let sub = cast.sub(ADA, &[]).await;
    let start = cast.start(&sub.org, ADA).await;
    let text = body(
        &cast.app,
        Kind::OtpAuth,
        &sub.org,
        json!({ "otpId": start.0, "otpCode": start.1, "targetPublicKey": Key::new(9).target() }),
    );
    let path = "/public/v1/submit/otp_auth";
    let answered = async |app: &TestApp| {
        // A machine that is busy with other things may not get through a thousand in time; who is sent away comes again.
        for _ in 0..20 {
            let answer = send(app, &cast.backend, path, &text).await;
            if answer.status != 503 {
                return answer;
            }
        }
        panic!("sent away twenty times");
    };
    let (mut answers, others) =
        tokio::join!(join_all((0..500).map(|_| answered(&cast.app))), join_all((0..500).map(|_| answered(&b))),);
    answers.extend(others);
    assert_eq!(answers.len(), 1000);
    one_of(&answers);
    assert_eq!(cast.app.counted("checks", "right") + b.counted("checks", "right"), 1);
    assert_eq!(b.counted("checks", "wrong") + cast.app.counted("checks", "wrong"), 0);
}

#[tokio::test]
async fn a_key_that_one_node_ended_signs_nothing_on_the_other_a_second_later() {
    let Some((a, b)) = two().await else { return };
    let cast = Cast::of(a).await;
    let (owner, second) = (Key::new(20), Key::new(21));
    let sub = cast.sub(ADA, &[&owner]).await;
    let parameters = json!({ "userId": sub.user, "apiKeys": [second.given(None)] });
    let made = result(&cast.submit(&owner, Kind::CreateApiKeysV2, &sub.org, parameters).await, Kind::CreateApiKeysV2);
    let whoami = json!({ "organizationId": sub.org }).to_string();
    let ask = async || send(&b, &second, "/public/v1/query/whoami", &whoami).await.status;
    assert_eq!(ask().await, 200);
    let parameters = json!({ "userId": sub.user, "apiKeyIds": made["apiKeyIds"] });
    result(&cast.submit(&owner, Kind::DeleteApiKeys, &sub.org, parameters).await, Kind::DeleteApiKeys);
    advance([&cast.app, &b], seconds(1));
    assert_eq!(ask().await, 401);
}
