//! How much of the file the writer keeps in memory: a share of it, within bounds. The inner pages should be among it, or every
//! look-up reads them again. But no more than that: when an insert has moved rows between pages out of order, SQLite looks
//! through the whole cache at the end of the commit, and the time of a first start for an address must not show.

use rusqlite::Connection;

/// At least this: the inner pages of a quarter of a million people.
const LEAST_KIB: i64 = 8 * 1024;
/// At most this: those of two million and more, and room for the leaves that push them out.
const MOST_KIB: i64 = 64 * 1024;
/// Which share of the file is kept, between the two. Inner pages are a hundredth of it, but leaves push them out: with half of this
/// share a check read some of them again. With twice of it nothing more was gained.
const SHARE: i64 = 16;

/// Fits a connection's cache to its file.
pub(super) fn fit(connection: &Connection) -> rusqlite::Result<()> {
    let bytes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes = connection.query_row(bytes, [], |row| row.get(0))?;
    connection.pragma_update(None, "cache_size", -kib(bytes))
}

/// For a file of that many bytes.
fn kib(bytes: i64) -> i64 {
    (bytes / 1024 / SHARE).clamp(LEAST_KIB, MOST_KIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_file_within_bounds() {
        assert_eq!(
            [0, 1 << 20, 256 << 20, 512 << 20, 1 << 30, 1 << 40].map(kib),
            [8192, 8192, 16384, 32768, 65536, 65536]
        );
    }

    #[test]
    fn a_connection_has_it() {
        let connection = Connection::open_in_memory().unwrap();
        fit(&connection).unwrap();
        let size: i64 = connection.query_row("PRAGMA cache_size", [], |row| row.get(0)).unwrap();
        assert_eq!(size, -LEAST_KIB);
    }
}
