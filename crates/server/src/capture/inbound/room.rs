//! How much may come in at once: connections, those of one network, bytes of mails on their way. Refuses to wait for more while holding
//! some: two mails that wait for each other would wait for ever.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use doorcode_core::Network;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Room is given in pieces of this many bytes.
const PIECE: usize = 64 * 1024;
/// Pieces of all mails together: 32 MiB.
const PIECES: usize = 512;
/// How long a mail waits for its first piece.
const PATIENCE: Duration = Duration::from_secs(20);

/// The room of a listener.
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    per_network: usize,
    networks: Mutex<HashMap<[u8; 17], usize>>,
}

impl Room {
    pub(super) fn new(per_network: usize) -> Arc<Self> {
        let bytes = Arc::new(Semaphore::new(PIECES));
        Arc::new(Self { bytes, per_network, networks: Mutex::default() })
    }

    /// A place for a connection from there, if its network has one left.
    pub(super) fn enter(self: &Arc<Self>, from: IpAddr) -> Option<Place> {
        let network = Network::of(from).exact();
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let there = networks.entry(network).or_default();
        if *there >= self.per_network {
            return None;
        }
        *there += 1;
        Some(Place { room: Arc::clone(self), network })
    }

    /// Room for a mail that begins. None: too many are on their way.
    pub(super) async fn begin(&self) -> Option<Held> {
        let piece = tokio::time::timeout(PATIENCE, Arc::clone(&self.bytes).acquire_owned()).await;
        Some(Held { bytes: Arc::clone(&self.bytes), permit: piece.ok()?.ok()? })
    }
}

/// The place of a connection. Free again when dropped.
pub(super) struct Place {
    room: Arc<Room>,
    network: [u8; 17],
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.room.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = networks.get_mut(&self.network) {
            *there -= 1;
            if *there == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

/// The room of a mail. Free again when dropped.
pub(super) struct Held {
    bytes: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

impl Held {
    /// Takes as much as `bytes` need. False: there is no more now.
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        let more = bytes.div_ceil(PIECE).saturating_sub(self.permit.num_permits());
        let Ok(more) = u32::try_from(more) else { return false };
        if more > 0 {
            match Arc::clone(&self.bytes).try_acquire_many_owned(more) {
                Ok(permit) => self.permit.merge(permit),
                Err(_) => return false,
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_places_and_no_more() {
        let room = Room::new(2);
        let [one, other] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse::<IpAddr>().unwrap());
        let places = [room.enter(one), room.enter(one)];
        assert!(places.iter().all(Option::is_some) && room.enter(one).is_none() && room.enter(other).is_some());
        drop(places);
        assert!(room.enter(one).is_some() && room.networks.lock().unwrap().len() <= 1);
    }

    #[tokio::test]
    async fn mails_have_so_much_room_together() {
        let room = Room::new(1);
        let mut held = room.begin().await.unwrap();
        assert!(held.grow(PIECE) && held.grow(PIECE * PIECES) && !held.grow(PIECE * PIECES + 1));
        assert_eq!(room.bytes.available_permits(), 0);
        drop(held);
        assert_eq!(room.bytes.available_permits(), PIECES);
    }
}
