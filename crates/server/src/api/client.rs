//! Who asks, from the connection and, where a trusted proxy says so, from its one header. Refuses every other header:
//! whoever may choose their own address has no limits.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use tokio::sync::OwnedSemaphorePermit;

use crate::app::App;
use crate::config::Proxy;
use crate::ops::client::Client;

/// The other end of the connection, as the listener saw it.
#[derive(Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The connection's place among those that the house has room for: whoever takes the connection over keeps it.
#[derive(Clone)]
pub struct Place(pub Arc<OwnedSemaphorePermit>);

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip());
        let languages = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(locate(&app.config.proxy, peer, &parts.headers).speaking(languages.unwrap_or_default()))
    }
}

/// Every way of saying "I forward for somebody else".
const FORWARDING: [&str; 7] =
    ["forwarded", "x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip", "fly-client-ip"];

/// Whether somebody forwards the request for somebody else, or says so.
pub(super) fn is_forwarded(proxy: &Proxy, headers: &HeaderMap) -> bool {
    let named = proxy.header.as_ref().is_some_and(|name| headers.contains_key(name));
    named || FORWARDING.iter().any(|name| headers.contains_key(*name))
}

fn locate(proxy: &Proxy, peer: IpAddr, headers: &HeaderMap) -> Client {
    let trusted = |address: IpAddr| proxy.trusted.iter().any(|range| range.holds(address));
    let Some(name) = &proxy.header else {
        let forwarded = FORWARDING.iter().any(|name| headers.contains_key(*name));
        return if forwarded { Client::untraced(peer) } else { Client::at(peer) };
    };
    if !trusted(peer) {
        let forwarded =
            headers.contains_key(name.as_str()) || FORWARDING.iter().any(|name| headers.contains_key(*name));
        return if forwarded { Client::untraced(peer) } else { Client::at(peer) };
    }
    // The last header is the nearest; inside it the last entry is.
    let mut hops: Vec<&str> = Vec::new();
    for value in headers.get_all(name.as_str()) {
        let Ok(value) = value.to_str() else { return Client::untraced(peer) };
        hops.extend(value.split(',').map(str::trim));
    }
    for hop in hops.iter().rev() {
        match hop_address(hop) {
            Some(address) if trusted(address) => {}
            Some(address) => return Client::at(address),
            None => return Client::untraced(peer),
        }
    }
    // A trusted proxy that names nobody: the proxy itself asks, as for its own health check.
    Client::at(peer)
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy() -> Proxy {
        Proxy { header: Some("x-forwarded-for".to_owned()), trusted: vec!["10.0.0.0/8".parse().unwrap()] }
    }

    fn place(proxy: &Proxy, peer: &str, forwarded: &[&str]) -> Option<[u8; 8]> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        locate(proxy, peer.parse().unwrap(), &headers).host()
    }

    fn host(address: &str) -> Option<[u8; 8]> {
        Client::at(address.parse().unwrap()).host()
    }

    #[test]
    fn the_nearest_untrusted_hop_is_the_client() {
        let seen = place(&proxy(), "10.0.0.1", &["6.6.6.6, 203.0.113.7, 10.1.1.1"]);
        assert_eq!(seen, host("203.0.113.7"), "what the client wrote in front of it is not believed");
        assert_eq!(place(&proxy(), "10.0.0.1", &["6.6.6.6", "203.0.113.7"]), host("203.0.113.7"));
        assert_eq!(place(&proxy(), "10.0.0.1", &["[2001:db8::1]:99"]), host("2001:db8::1"));
    }

    #[test]
    fn a_peer_that_is_no_proxy_can_not_choose_its_place() {
        assert_eq!(place(&proxy(), "203.0.113.9", &["8.8.8.8"]), None, "a stranger without a repeat");
        assert_eq!(place(&proxy(), "203.0.113.9", &[]), host("203.0.113.9"));
        assert_eq!(place(&Proxy::default(), "203.0.113.9", &["8.8.8.8"]), None);
    }

    #[test]
    fn nonsense_from_a_proxy_makes_a_stranger() {
        assert_eq!(place(&proxy(), "10.0.0.1", &["unknown"]), None);
        assert_eq!(place(&proxy(), "10.0.0.1", &["203.0.113.7, \u{7f}junk"].map(|_| "203.0.113.7, junk")), None);
    }
}
