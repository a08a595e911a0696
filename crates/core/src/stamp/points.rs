//! Points of P-256 that were decompressed a moment ago: whoever signs sends the same compressed key with each call, and the square root in
//! it is a tenth of what a signed question costs. Public keys only. Refuses to grow: who fills it with others costs everybody the root again,
//! and no more.

use std::cell::RefCell;

use super::key::{UNCOMPRESSED, compressed};

/// Places of a thread: some 260 KiB, once a key was decompressed in it.
const PLACES: usize = 4096;

type Point = [u8; UNCOMPRESSED];

thread_local! {
    static KEPT: RefCell<Vec<Point>> = const { RefCell::new(Vec::new()) };
}

/// The point of these compressed bytes: kept, or worked out now. None if there is none.
pub(super) fn decompressed(bytes: &[u8; 33], work_out: impl FnOnce() -> Option<Point>) -> Option<Point> {
    let place = usize::from(u16::from_be_bytes([bytes[1], bytes[2]])) % PLACES;
    let kept = KEPT.with_borrow(|kept| kept.get(place).copied());
    // A place that nobody took yet begins with 0, and a point with 4.
    if let Some(point) = kept.filter(|point| point[0] == 4 && compressed(point) == *bytes) {
        return Some(point);
    }
    let point = work_out()?;
    KEPT.with_borrow_mut(|kept| {
        kept.resize(PLACES, [0; UNCOMPRESSED]);
        kept[place] = point;
    });
    Some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A point only by its form: nothing here looks at its curve.
    fn point(x: u8, y: u8) -> Point {
        let mut point = [x; UNCOMPRESSED];
        (point[0], point[UNCOMPRESSED - 1]) = (4, y);
        point
    }

    #[test]
    fn a_point_is_worked_out_once_while_nobody_takes_its_place() {
        let (one, twin) = (point(7, 1), point(7, 2));
        assert_eq!(decompressed(&compressed(&one), || Some(one)), Some(one));
        assert_eq!(decompressed(&compressed(&one), || None), Some(one));
        // Same x, same place, another key.
        assert_eq!(decompressed(&compressed(&twin), || None), None);
        assert_eq!(decompressed(&compressed(&twin), || Some(twin)), Some(twin));
        assert_eq!(decompressed(&compressed(&one), || None), None);
    }

    #[test]
    fn what_is_no_point_is_not_kept() {
        assert_eq!(decompressed(&[2; 33], || None), None);
        assert_eq!(decompressed(&[0; 33], || None), None);
    }
}
