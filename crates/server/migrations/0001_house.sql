-- The house: orgs and people, what they prove, what was sent, what was spent.
--
-- One text for both engines. BYTEA holds 16-byte ids and digests, BIGINT holds milliseconds since 1970, TEXT holds the
-- rest. `WITHOUT ROWID` keeps a table in the order of its key on SQLite and is cut away for PostgreSQL. Keys are UUIDv7
-- wherever that is possible, so that what is written together lies together. No foreign keys: the rows of one unit of
-- work are made together or not at all, and a distributed PostgreSQL could not keep the promise.

-- Facts about this database itself: clock mark, backup mark, whether it has served outside --dev.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- Which master keys this database was served with. The keys themselves are files; here is only a check value.
-- state: accepted (may verify), active (derives what is new), retiring (verifies until retires_at), retired.
CREATE TABLE master_keys (
    kid         TEXT PRIMARY KEY,
    check_value BYTEA NOT NULL,
    state       TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    seen_at     BIGINT,
    retires_at  BIGINT
) WITHOUT ROWID;

CREATE TABLE orgs (
    id         BYTEA PRIMARY KEY,
    parent_id  BYTEA,
    name       TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    org_id     BYTEA NOT NULL,
    id         BYTEA NOT NULL,
    full_name  TEXT NOT NULL,
    email      TEXT,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- Whose an address in a realm is. target_id is the digest of both, so one look-up finds it and no realm sees another's. The
-- address itself is in users: keys here come in no order, and a narrow row is one page to read and one to write.
CREATE TABLE identities (
    target_id   BYTEA PRIMARY KEY,
    org_id      BYTEA NOT NULL,
    user_id     BYTEA NOT NULL,
    verified_at BIGINT
) WITHOUT ROWID;

-- Who may sign up where sign-up is by invitation.
CREATE TABLE invites (
    target_id  BYTEA PRIMARY KEY,
    address    TEXT NOT NULL,
    org_id     BYTEA,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- How a caller proves itself. digest is keyed, seed and kid let an API key be derived again; the key is nowhere.
CREATE TABLE credentials (
    org_id     BYTEA NOT NULL,
    id         BYTEA NOT NULL,
    user_id    BYTEA,
    kind       TEXT NOT NULL,
    digest     BYTEA NOT NULL,
    seed       BYTEA,
    kid        TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX credentials_by_digest ON credentials (digest);

-- The one thing in the middle. The code is not here: it is derived from these columns under the key named by kid.
-- state: 0 pending, 1 consumed, 2 void. expires_at is the end of what its code is good for: to be right, and once consumed, to
-- be repeated. client is who acted last: while pending, who named the account to be made; once consumed, who was right.
-- head and tail are the two halves of its id: the first alone orders the ids of a process and tells them apart, so that on
-- SQLite it is the rowid, and no index stands beside the table. For PostgreSQL, where several processes write, both are the key.
-- Hardly a column is filled in later: a row that grows in a full page moves its neighbours.
CREATE TABLE challenges (
    head         INTEGER PRIMARY KEY,
    tail         BIGINT NOT NULL,
    realm_id     BYTEA NOT NULL,
    purpose      TEXT NOT NULL,
    method       TEXT NOT NULL,
    destination  TEXT NOT NULL,
    language     TEXT NOT NULL,
    alphabet     BIGINT NOT NULL,
    length       BIGINT NOT NULL,
    generation   BIGINT NOT NULL,
    kid          TEXT NOT NULL,
    salt         BYTEA NOT NULL,
    state        BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    sends        BIGINT NOT NULL,
    full_name    TEXT,
    client       BYTEA,
    repeats      BIGINT NOT NULL DEFAULT 0
);

-- One message on its way. state: 0 due, 1 sent, 2 gave up, 3 dropped (nobody waits for it any more).
-- While due, due_at is when somebody may take it: taking it moves due_at ahead by the lease. Afterwards it is when it ended.
CREATE TABLE deliveries (
    id           BYTEA PRIMARY KEY,
    challenge_id BYTEA NOT NULL,
    channel      TEXT NOT NULL,
    state        BIGINT NOT NULL,
    due_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    failure      TEXT
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 0;

-- What may still be guessed at and sent to one address in one realm: every pool of it in one row, so that a limit is
-- one page and one statement. Times are rings: the last N of them, newest first, 13 digits each, so that "no more than
-- N in this window" is one substr(). Retention never resets one; a row leaves only when it equals a fresh one.
-- id begins with six bytes that are the address's in every realm: its live codes are found by them (docs/decisions/0018).
--
-- turn is 0 or 1 and says nothing: SQLite writes no page whose bytes are what they were, and a page must be written.
-- A fresh row has room for what usually comes: entries of no time and of nobody (docs/decisions/0012), and times long ago.
CREATE TABLE targets (
    id           BYTEA PRIMARY KEY,
    short_id     BYTEA,
    short_until  BIGINT NOT NULL DEFAULT 1099511627776,
    long_id      BYTEA,
    long_until   BIGINT NOT NULL DEFAULT 0,
    repeat_until BIGINT NOT NULL DEFAULT 1099511627776,
    sent_at      BIGINT NOT NULL DEFAULT 0,
    sends        TEXT NOT NULL DEFAULT '00000000000000000000000000',
    known_sends  TEXT NOT NULL DEFAULT '00000000000000000000000000',
    misses       TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000',
    known_misses TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000',
    streak       BIGINT NOT NULL DEFAULT 0,
    known_streak BIGINT NOT NULL DEFAULT 0,
    tries        TEXT NOT NULL DEFAULT '......,......,......,......,',
    turn         BIGINT NOT NULL DEFAULT 0,
    known        TEXT NOT NULL DEFAULT '00000000000000000000000000000'
);

-- Counters over many addresses: per network, per wider network, per org. A window starts with its first use.
CREATE TABLE meters (
    id    BYTEA PRIMARY KEY,
    until BIGINT NOT NULL,
    used  BIGINT NOT NULL
) WITHOUT ROWID;

-- What happened, append-only. Ids only: no address, no code, no key.
CREATE TABLE events (
    id         BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    kind       TEXT NOT NULL,
    subject_id BYTEA NOT NULL
) WITHOUT ROWID;
