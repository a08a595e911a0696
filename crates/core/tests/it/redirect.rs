//! Where browsers may be sent back to: each refused address is a way in that somebody tried.

use doorcode_core::redirect::{check_uri, form_action, is_challenge, proves, with_query};

#[test]
fn what_an_app_needs_is_taken() {
    for uri in [
        "https://app.example.com/callback",
        "https://app.example.com:8443/a/b?tenant=7",
        "http://localhost:3000/callback",
        "http://127.0.0.1/callback",
        "http://[::1]:9000/cb",
        "com.example.app:/callback",
        "com.example.app://callback",
    ] {
        assert!(check_uri(uri).is_ok(), "{uri}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_or_run_is_not() {
    for uri in [
        "",
        "app.example.com/callback",
        "/callback",
        "//app.example.com",
        "http://app.example.com/callback",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://app.example.com@evil.example/",
        "https://app.example.com\\@evil.example/",
        "https://app.example.com/#fragment",
        "https://app.example.com/ path",
        "https://app.example.com/\r\nSet-Cookie: a=b",
        "https://äpp.example.com/",
        "https://*.example.com/",
        "https://",
        "https:///path",
        "https:app.example.com",
        "HTTPS://app.example.com/",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "intent://x#Intent;end",
        "intent:x",
        "file:///etc/passwd",
        "myapp://callback",
        "com.example.app:",
        "https://ex%61mple.com/",
        "https://app.example.com;script-src/",
        "https://app.example.com,x/",
        "https://app.example.com'/",
    ] {
        assert!(check_uri(uri).is_err(), "{uri}");
    }
    assert!(check_uri(&format!("https://a.example/{}", "x".repeat(600))).is_err());
}

#[test]
fn the_proof_is_that_of_rfc_7636() {
    // Appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert!(is_challenge(challenge) && proves(verifier, challenge));
    assert!(!proves(&verifier[1..], challenge) && !proves(challenge, challenge) && !proves("", ""));
    assert!(!is_challenge(verifier.get(1..).unwrap()) && !is_challenge(&"!".repeat(43)));
}

#[test]
fn parameters_are_added_whole() {
    assert_eq!(
        with_query("https://a.example/cb", &[("code", "a b&c"), ("iss", "x")]),
        "https://a.example/cb?code=a%20b%26c&iss=x"
    );
    assert_eq!(with_query("com.example.app:/cb?t=1", &[("state", "ü")]), "com.example.app:/cb?t=1&state=%C3%BC");
    assert_eq!(form_action("https://a.example:8443/cb?x"), "https://a.example:8443");
    assert_eq!(form_action("com.example.app:/cb"), "com.example.app:");
}
