//! The page of ours that somebody goes on to when they have signed in. Refuses every address that is not one of those few, in exactly
//! this spelling: what stands in a link is a stranger's word.

use doorcode_core::relay::Named as _;
use doorcode_core::{AgentId, RelayId};

/// The parameter and the hidden field with it.
pub(super) const NEXT_FIELD: &str = "next";

/// The page that a text names, if it is one of ours that one may go on to.
pub(super) fn onward(text: &str) -> Option<String> {
    let known = match text {
        "/approvals" | "/approvals/settings" => true,
        _ => {
            let request = text.strip_prefix("/approvals?request=").and_then(RelayId::read);
            let agent = text.strip_prefix("/approvals/agents/").and_then(AgentId::read);
            request.is_some() || agent.is_some()
        }
    };
    known.then(|| text.to_owned())
}

/// The way to sign in and come back to a page.
pub(super) fn by_signing_in(next: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(NEXT_FIELD, next).finish();
    format!("/signin?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_goes_on_to_pages_of_ours_only() {
        let request = format!("/approvals?request={}", RelayId::from_bytes([7; 16]).shown());
        let agent = format!("/approvals/agents/{}", AgentId::from_bytes([7; 16]).shown());
        for page in ["/approvals", "/approvals/settings", &request, &agent] {
            assert_eq!(onward(page).as_deref(), Some(page));
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "https://evil.example/approvals",
            "/approvals/",
            "/approvals?request=x",
            "/approvals\r\nset-cookie: a=b",
            "/approvals/settings?x",
            "/\\evil.example",
            "/account/sign-out",
        ] {
            assert_eq!(onward(other), None, "{other}");
        }
        assert_eq!(by_signing_in("/approvals?request=a"), "/signin?next=%2Fapprovals%3Frequest%3Da");
    }
}
