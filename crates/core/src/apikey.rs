//! API keys, client secrets and link tokens: what is long enough to need no guess budget. All are derived, so that a
//! stolen database holds none and the owner can be shown the same one again; presented ones are found by a keyed
//! digest. Refuses to store or compare a key: there is nothing to compare, a digest is found or not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::code::Binding;
use crate::id::{CredentialId, OrgId};
use crate::root::Root;
use crate::secret::Secret;

const BASE36: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// The API key of a credential: `outx_` and 24 of `0-9a-z` (the OutX contract), 124 bits. Under the root of
/// [`crate::Use::ApiKey`]; `seed` is 32 random bytes of the credential's row, so that a leaked root alone yields no key.
pub fn derive_api_key(root: &Root, org: OrgId, id: CredentialId, seed: &[u8; 32]) -> Secret<String> {
    derive(root, "outx_", 24, org, id, seed)
}

/// A further key, made by hand: `dck_` and 32 of `0-9a-z`, 165 bits. Under the root of [`crate::Use::ApiKey`]; its prefix is
/// in what is derived, so that it is no other credential's.
pub fn derive_access_key(root: &Root, org: OrgId, id: CredentialId, seed: &[u8; 32]) -> Secret<String> {
    derive(root, "dck_", 32, org, id, seed)
}

/// The secret of a client: `dcs_` and 40 of `0-9a-z`, 206 bits. Under the root of [`crate::Use::ClientSecret`].
pub fn derive_client_secret(root: &Root, org: OrgId, id: CredentialId, seed: &[u8; 32]) -> Secret<String> {
    derive(root, "dcs_", 40, org, id, seed)
}

/// The key of an agent: `ak_live_`, or `ak_test_` for one that tries things out, and 32 of `0-9a-z` (the AgentOTP contract), 165 bits.
/// Under the root of [`crate::Use::ApiKey`].
pub fn derive_agent_key(root: &Root, test: bool, org: OrgId, id: CredentialId, seed: &[u8; 32]) -> Secret<String> {
    derive(root, if test { "ak_test_" } else { "ak_live_" }, 32, org, id, seed)
}

/// The key of a device or a collector: `dk_` and 32 of `0-9a-z`, 165 bits. Under the root of [`crate::Use::ApiKey`].
pub fn derive_device_key(root: &Root, org: OrgId, id: CredentialId, seed: &[u8; 32]) -> Secret<String> {
    derive(root, "dk_", 32, org, id, seed)
}

fn derive(
    root: &Root,
    prefix: &'static str,
    length: usize,
    org: OrgId,
    id: CredentialId,
    seed: &[u8; 32],
) -> Secret<String> {
    let mut key = String::with_capacity(prefix.len() + length);
    key.push_str(prefix);
    root.stream(&[prefix.as_bytes(), org.as_bytes(), id.as_bytes(), seed]).draw(BASE36, length, &mut key);
    Secret::new(key)
}

/// What a presented key or secret is looked up by. Under the root of [`crate::Use::ApiKeyLookup`] or
/// [`crate::Use::ClientSecretLookup`]. Of the text as it came: case and spaces count.
pub fn lookup_digest(root: &Root, presented: &str) -> [u8; 16] {
    root.short_mac(&[presented.as_bytes()])
}

/// The token in a link: 32 bytes as base64url without padding, 43 characters. Under the root of [`crate::Use::Link`],
/// bound to everything that the code of the same challenge is bound to.
pub fn derive_link_token(root: &Root, binding: &Binding<'_>) -> Secret<String> {
    let mac = Zeroizing::new(binding.with_parts("link", |parts| root.mac(parts)));
    Secret::new(URL_SAFE_NO_PAD.encode(mac.as_slice()))
}

/// Whether a text is the token of a link. Takes the same time wherever they differ.
pub fn link_matches(root: &Root, binding: &Binding<'_>, text: &Secret<String>) -> bool {
    derive_link_token(root, binding).expose().as_bytes().ct_eq(text.expose().as_bytes()).into()
}
