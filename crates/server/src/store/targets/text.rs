//! Pieces of statements that guesses and sends share. Refuses to stand in a statement of another table.

/// A ring with one more entry ($2) in front. What no longer counts, being from before a time, makes room for it; else the
/// ring grows until one more than $3 characters of it are kept. So a row keeps its size: one that grows in a full page moves
/// its neighbours.
macro_rules! pushed {
    ($ring:expr, $before:literal) => {
        concat!(
            "$2 || substr(",
            $ring,
            ", 1, CASE WHEN ",
            $ring,
            " <> '' AND substr(",
            $ring,
            ", length(",
            $ring,
            ") - 12, 13) <= ",
            $before,
            " THEN length(",
            $ring,
            ") - 13 ELSE $3 END)"
        )
    };
}

/// Tries of nobody, in the room of four: three that are wrong, and the right one. As in migrations/0001_house.sql.
macro_rules! no_tries {
    () => {
        "'......,......,......,......,'"
    };
}

/// A time long ago that takes the room of one to come.
macro_rules! over {
    () => {
        "1099511627776"
    };
}
