//! Signing a call and opening a bundle by hand.

#![expect(clippy::unwrap_used, reason = "what helps a test may fail it")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use doorcode_core::seal::turnkey::grant;
use doorcode_core::stamp::{Curve, PublicKey, Refusal, Signable, Stamp, moment};
use doorcode_core::{OrgId, Secret};
use serde_json::Value;
use tokio::process::Command;

use crate::process::{Folder, Ran};

async fn doorcode(arguments: &[&str], files: &[&Path]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
    command.args(arguments).args(files);
    Ran::of(command).await
}

/// A key in a file, and its public half as a target.
async fn key(file: &Path) -> PublicKey {
    let made = doorcode(&["seal", "key", "--json", "--out"], &[file]).await.well();
    let made: Value = serde_json::from_str(&made).unwrap();
    let short = PublicKey::parse(Curve::P256, made["compressed"].as_str().unwrap()).unwrap();
    let long = made["uncompressed"].as_str().unwrap();
    assert!(long.len() == 130 && PublicKey::parse(Curve::P256, long) == Some(short));
    short
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_opened_and_what_is_in_it_signs() {
    let folder = Folder::new("stamp");
    let (target, credential, body) = (folder.join("target.key"), folder.join("credential.key"), folder.join("body"));
    let made = grant(&key(&target).await, || Ok(Secret::new([3; 32]))).unwrap();
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&credential, doorcode(&["seal", "open", &made.bundle, "--key"], &[&target]).await.well()).unwrap();
    let bytes = b"{\"organizationId\": \"x\"}\n\xff";
    fs::write(&body, bytes).unwrap();
    let target = target.to_str().unwrap();
    let printed = doorcode(&["stamp", "--body", body.to_str().unwrap(), "--key"], &[&credential]).await.well();
    let stamp = Stamp::parse(&printed).unwrap();
    assert_eq!((stamp.key(), stamp.verify(bytes)), (&made.key, Ok(())));
    assert_eq!(stamp.verify(b"{\"organizationId\": \"x\"}"), Err(Refusal::NotVerified), "the line end is signed too");
    let nothing = doorcode(&["stamp", "--key", target], &[]).await.well();
    assert_eq!(Stamp::parse(&nothing).unwrap().verify(b""), Ok(()), "standard input");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_not_written_over_and_open_only_what_is_theirs() {
    let folder = Folder::new("stamp");
    let (ours, other) = (folder.join("a.key"), folder.join("b.key"));
    let made = grant(&key(&ours).await, || Ok(Secret::new([3; 32]))).unwrap();
    key(&other).await;
    let before = fs::read(&ours).unwrap();
    doorcode(&["seal", "key", "--out"], &[&ours]).await.refused();
    assert_eq!(fs::read(&ours).unwrap(), before);
    let ran = doorcode(&["seal", "open", &made.bundle, "--key"], &[&other]).await;
    assert!(ran.out.is_empty() && ran.refused().contains("can't be opened"));
    doorcode(&["seal", "open", "nonsense", "--key"], &[&ours]).await.refused();
    doorcode(&["stamp", "--key"], &[&folder.join("none.key")]).await.refused();
    let complaint = doorcode(&["stamp", "--body", "/nonexistent", "--key"], &[&ours]).await.refused();
    assert!(complaint.contains("/nonexistent"), "{complaint}");
}

/// The headers of a whole request: what they say is what is signed.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_request_is_signed_as_its_headers_say() {
    let folder = Folder::new("stamp");
    let (file, body) = (folder.join("me.key"), folder.join("body"));
    let public = key(&file).await;
    fs::write(&body, "{}\n").unwrap();
    let (body, org) = (body.to_str().unwrap(), OrgId::from_bytes([7; 16]).to_string());
    let request = |request, body: Option<&str>| {
        let mut all = vec!["stamp", "--org", org.as_str(), "--request", request];
        all.extend(body.iter().flat_map(|body| ["--body", *body]));
        all.push("--key");
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let mut nonces = Vec::new();
    for (words, bytes) in [(Some(body), b"{}\n".as_slice()), (None, b"")] {
        let arguments = request("post /v1/verifications?a=b", words);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = doorcode(&arguments, &[&file]).await.well();
        let headers: Vec<(&str, &str)> = said.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["X-Organization-Id", "X-Timestamp", "X-Nonce", "X-Stamp"]);
        let call = Signable {
            method: "POST",
            target: "/v1/verifications?a=b",
            org: headers[0].1.parse().unwrap(),
            at: moment(headers[1].1).unwrap(),
            nonce: headers[2].1,
            body: bytes,
        };
        let stamp = Stamp::parse(headers[3].1).unwrap();
        assert_eq!((stamp.key(), stamp.verify(&call.text())), (&public, Ok(())));
        assert!(call.has_nonce() && call.at.millis() > 1_700_000_000_000);
        nonces.push(headers[2].1.to_owned());
    }
    assert_ne!(nonces[0], nonces[1]);
    for bad in ["POST", "POST v1", "POST /a b", ""] {
        let arguments = request(bad, None);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert!(doorcode(&arguments, &[&file]).await.refused().contains("--request"), "{bad}");
    }
    let ran = doorcode(&["stamp", "--request", "GET /v1/keys", "--key"], &[&file]).await;
    assert!(ran.out.is_empty() && ran.err.contains("--org"), "a request without an organization");
}
