//! Who may be talked to: the settings, and what this server is itself. Refuses its own listener whatever is allowed, so
//! that no caller borrows the server's own place in the network to speak to it.

use std::net::SocketAddr;

use super::address::is_global;
use super::settings::Settings;
use super::target::Target;

/// The rules of one server.
pub(super) struct Rules {
    pub(super) settings: Settings,
    listen: SocketAddr,
    /// The host of our own public URL.
    own_host: Option<String>,
}

impl Rules {
    pub(super) fn new(settings: &Settings, listen: SocketAddr, public_url: Option<&str>) -> Self {
        let own_host = public_url.and_then(|text| url::Url::parse(text).ok());
        let own_host = own_host.and_then(|url| url.host_str().map(str::to_owned));
        Self { settings: settings.clone(), listen, own_host }
    }

    /// Whether a name is that of our own public URL.
    pub(super) fn is_own_name(&self, name: &str) -> bool {
        self.own_host.as_deref() == Some(name)
    }

    /// Whether an address that a target has may be connected to.
    pub(super) fn admit(&self, target: &Target, address: SocketAddr) -> bool {
        let excused = target.is_allowed() || self.settings.allows_address(address.ip(), address.port());
        (excused || is_global(address.ip())) && address != self.listen
    }

    /// Whether a connection from `local` to `peer` ended at our own listener.
    pub(super) fn is_own(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        peer.port() == self.listen.port() && local.ip().to_canonical() == peer.ip().to_canonical()
    }
}
