-- Servers that run, where several share a database, and the master keys whose files each of them has: a key is activated when all have it.
CREATE TABLE nodes (
    id    TEXT PRIMARY KEY,
    -- It is there until then, unless it says so again.
    until BIGINT NOT NULL,
    -- Their ids, with spaces between.
    keys  TEXT NOT NULL
) WITHOUT ROWID;
