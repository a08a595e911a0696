//! Work that several ask for at the same time, done once in this process: who comes while it is under way waits for it and has the same. What
//! other processes do at the same time is the database's to decide. Refuses to keep anything: once nobody waits, it is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::OnceCell;

/// Names held before those that nobody waits for are cleared away.
const ROOM: usize = 256;

/// By what the same work is known.
type Name = [u8; 32];

/// What is under way.
pub struct Flights<T> {
    under_way: Mutex<HashMap<Name, Weak<OnceCell<T>>>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<T: Clone> Flights<T> {
    /// Does the work, or waits for who does it. Where that one fails, the next who waits tries.
    pub async fn once<E>(&self, name: Name, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let cell = self.join(name);
        cell.get_or_try_init(|| work).await.cloned()
    }

    fn join(&self, name: Name) -> Arc<OnceCell<T>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = under_way.get(&name).and_then(Weak::upgrade) {
            return cell;
        }
        if under_way.len() >= ROOM {
            under_way.retain(|_, cell| cell.strong_count() > 0);
        }
        let cell = Arc::new(OnceCell::new());
        under_way.insert(name, Arc::downgrade(&cell));
        cell
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test]
    async fn who_comes_meanwhile_has_the_same_and_who_comes_later_begins_anew() {
        let (flights, begun) = (Flights::default(), AtomicU32::new(0));
        let work = async || {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            if number == 0 { Err(()) } else { Ok(number) }
        };
        let all = join_all((0..9).map(|_| flights.once([1; 32], work()))).await;
        assert_eq!(all.iter().filter(|done| done.is_err()).count(), 1, "only who tried hears of it");
        assert_eq!(all.iter().filter(|done| **done == Ok(1)).count(), 8);
        assert_eq!(flights.once([1; 32], work()).await, Ok(2), "nothing is kept");
        for n in 0..=255 {
            assert!(flights.once([n; 32], work()).await.is_ok());
        }
        assert!(flights.under_way.lock().unwrap().len() <= ROOM);
    }
}
