//! How much may come in at once: connections, those of one network and of what lies around it, bytes of mails on their way, those of one person. Refuses to wait for more
//! while holding some: two mails that wait for each other would wait for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::{Network, UserId};

use crate::capture::shares::{self, Shares};

/// Room is given in pieces of this many bytes.
const PIECE: usize = 64 * 1024;
/// Pieces of all mails together: 32 MiB.
const PIECES: usize = 512;
/// Pieces of one person's: 8 MiB. Whoever knows an address here does not fill the room of all.
const SHARE: usize = PIECES / 4;
/// Networks' worth of connections that a wider network has (a /24, a /48): whoever rents one has many networks in it, and a forwarder's
/// hosts stand side by side.
const WIDE: usize = 2;
/// How long a mail waits for its first piece.
const PATIENCE: Duration = Duration::from_secs(20);

/// The room of a listener.
pub(super) struct Room {
    bytes: Shares,
    per_network: usize,
    networks: Mutex<HashMap<[u8; 17], usize>>,
}

impl Room {
    /// For so many connections, and so many of one network.
    pub(super) fn new(connections: usize, per_network: usize) -> Arc<Self> {
        // Nor do one person's mails keep every connection waiting.
        let bytes = Shares::new(PIECES, SHARE, connections.div_ceil(2));
        Arc::new(Self { bytes, per_network, networks: Mutex::default() })
    }

    /// A place for a connection from there, if its network has one left, and the wider one around it.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let network = Network::of(from);
        let within = [network.exact(), network.wide()];
        let most = [self.per_network, self.per_network.saturating_mul(WIDE)];
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if within.iter().zip(most).any(|(network, most)| networks.get(network).is_some_and(|there| *there >= most)) {
            return None;
        }
        for network in within {
            *networks.entry(network).or_default() += 1;
        }
        Some(Place { room: Arc::clone(self), within })
    }

    /// Room for a mail that begins, for a person. None: too many are on their way, or too many of theirs.
    pub(super) async fn begin(&self, person: UserId) -> Option<Held> {
        tokio::time::timeout(PATIENCE, self.bytes.begin(person)).await.ok().flatten().map(Held)
    }
}

/// The place of a connection. Free again when dropped.
pub(super) struct Place {
    room: Arc<Room>,
    within: [[u8; 17]; 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.room.networks.lock().unwrap_or_else(PoisonError::into_inner);
        for network in self.within {
            if let Some(there) = networks.get_mut(&network) {
                *there -= 1;
                if *there == 0 {
                    networks.remove(&network);
                }
            }
        }
    }
}

/// The room of a mail. Free again when dropped.
pub(super) struct Held(shares::Room);

impl Held {
    /// Takes as much as `bytes` need. False: there is no more now.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        self.0.grow(bytes.div_ceil(PIECE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_places_and_no_more() {
        let room = Room::new(200, 2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let places = [room.enter(one), room.enter(one)];
        assert!(places.iter().all(Option::is_some) && room.enter(one).is_none() && room.enter(other).is_some());
        drop(places);
        assert!(room.enter(one).is_some() && room.networks.lock().unwrap().is_empty());
    }

    /// The attack: many addresses of one /24, or many /64 of one /48, of which each has its places.
    #[test]
    fn neighbours_have_the_places_of_two_networks() {
        let room = Room::new(200, 20);
        let hosts: [fn(u16) -> IpAddr; 2] =
            [|host| [192, 0, 2, host as u8].into(), |host| [0x2001, 0xdb8, 1, host, 0, 0, 0, 1].into()];
        for host in hosts {
            let places: Vec<_> = (0..200).filter_map(|number| room.enter(host(number % 10))).collect();
            assert_eq!(places.len(), 40);
        }
        let elsewhere = ["192.0.3.1", "2001:db8:2::1"].map(|text| text.parse::<IpAddr>().unwrap());
        assert!(elsewhere.iter().all(|from| room.enter(*from).is_some()));
        assert!(room.networks.lock().unwrap().is_empty(), "all have left, and those who found no place left nothing");
    }

    #[tokio::test]
    async fn one_persons_mails_have_a_share_of_what_all_have_together() {
        let room = Room::new(200, 1);
        let [eve, ada] = [1, 2].map(|id| UserId::from_bytes([id; 16]));
        let (mut flood, mut held) = (room.begin(eve).await.unwrap(), room.begin(ada).await.unwrap());
        assert!(flood.grow(PIECE) && flood.grow(PIECE * SHARE) && !flood.grow(PIECE * SHARE + 1));
        assert!(held.grow(PIECE * SHARE));
        let more = [3, 4].map(|id| UserId::from_bytes([id; 16]));
        let (mut third, mut fourth) = (room.begin(more[0]).await.unwrap(), room.begin(more[1]).await.unwrap());
        assert!(third.grow(PIECE * SHARE) && fourth.grow(PIECE * (SHARE - 1)), "the whole room");
        drop(flood);
        assert!(fourth.grow(PIECE * SHARE) && !fourth.grow(PIECE * SHARE + 1));
    }
}
