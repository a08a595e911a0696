-- The relay: a person's code, to their agent, after they said yes.

-- What a credential acts as, where that is not its org or user: an agent or a device.
ALTER TABLE credentials ADD COLUMN subject_id BYTEA;

-- Programs that ask. rules are the person's, as JSON; identity is a public key that signs the keys of requests.
CREATE TABLE agents (
    org_id      BYTEA NOT NULL,
    id          BYTEA NOT NULL,
    owner_id    BYTEA NOT NULL,
    name        TEXT NOT NULL,
    description TEXT,
    identity    TEXT,
    rules       TEXT,
    paused_at   BIGINT,
    blocked_at  BIGINT,
    removed_at  BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX agents_by_owner ON agents (owner_id, id);

-- What hands messages in: a phone or a collector. reference is what it calls itself.
CREATE TABLE devices (
    org_id      BYTEA NOT NULL,
    id          BYTEA NOT NULL,
    owner_id    BYTEA NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    reference   TEXT,
    platform    TEXT,
    model       TEXT,
    os_version  TEXT,
    linked_at   BIGINT,
    removed_at  BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX devices_by_owner ON devices (owner_id, id);

-- What links a device to a person: shown in a signed-in session, found by digest, good once.
CREATE TABLE device_links (
    digest     BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    owner_id   BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);

-- Requests. state: 0 pending approval, 1 approved, 2 code received, 3 consumed, 4 denied, 5 expired, 6 cancelled. ends_at is when
-- it ends by itself in its state. payload is sealed to public_key, and gone when it was read or is over. sources is a set of bits:
-- 1 sms, 2 email, 4 whatsapp. readable says whether this server could read the message. unverified: its owner takes unverified mail for
-- this one. asked_again_at: its owner said yes to any message at all, and was asked whether that is meant; only another yes approves it.
-- forwarder: on whose word the sender is verified, where a forwarder's seal says so. spf: what SPF says of the host that brought
-- the message. turned_away: mail that would have fitted came and was not passed on, 1 unverified, 2 forged. held: a sealed code of a message about this (a reset, a payment) waits, with state 1, for its owner to say yes once more.
CREATE TABLE relays (
    id              BYTEA PRIMARY KEY,
    org_id          BYTEA NOT NULL,
    agent_id        BYTEA NOT NULL,
    owner_id        BYTEA NOT NULL,
    state           BIGINT NOT NULL,
    ends_at         BIGINT NOT NULL,
    approve_until   BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    reason          TEXT NOT NULL,
    public_key      TEXT NOT NULL,
    key_signature   TEXT,
    sources         BIGINT NOT NULL,
    sender          TEXT,
    sender_pattern  TEXT,
    content_pattern TEXT,
    received_after  BIGINT,
    origin          TEXT NOT NULL,
    test            BIGINT NOT NULL,
    chosen          BIGINT NOT NULL DEFAULT 0,
    unverified      BIGINT NOT NULL DEFAULT 0,
    decided_by      TEXT,
    decided_at      BIGINT,
    denial          TEXT,
    source          TEXT,
    capture         TEXT,
    readable        BIGINT,
    sender_domain   TEXT,
    verdict         TEXT,
    forwarder       TEXT,
    spf             TEXT,
    turned_away     BIGINT NOT NULL DEFAULT 0,
    received_at     BIGINT,
    kept_until      BIGINT,
    payload         TEXT,
    held            TEXT,
    asked_again_at  BIGINT,
    ended_at        BIGINT,
    repeat_key      BYTEA
);
CREATE INDEX relays_by_owner ON relays (owner_id, id);
CREATE INDEX relays_by_agent ON relays (agent_id, id);
CREATE INDEX relays_ending ON relays (ends_at) WHERE state < 3;
CREATE INDEX relays_read ON relays (ended_at) WHERE state = 3 AND payload IS NOT NULL;

-- Messages that were handed in, by digest: each is taken once in thirty days.
CREATE TABLE relay_messages (
    digest BYTEA PRIMARY KEY,
    until  BIGINT NOT NULL
);
CREATE INDEX relay_messages_ending ON relay_messages (until);

-- A person's own settings of the relay, and the head of their record.
CREATE TABLE relay_owners (
    owner_id   BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    paused_at  BIGINT,
    senders    TEXT,
    head       BIGINT NOT NULL DEFAULT 0,
    chain      BYTEA
);

-- Browsers that are told when an agent asks, each by the push service that it named: what to seal to, in which language, and under
-- which master key's key the service knows us.
CREATE TABLE push_subscriptions (
    owner_id   BYTEA NOT NULL,
    id         BYTEA NOT NULL,
    org_id     BYTEA NOT NULL,
    endpoint   TEXT NOT NULL,
    p256dh     TEXT NOT NULL,
    auth       TEXT NOT NULL,
    language   TEXT NOT NULL,
    kid        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner_id, id)
);

-- Everything that was done in a person's name or asked of them. Each row's chain is a MAC over it and the chain before, under a key that
-- is not here: who changes a row or takes one away is noticed.
CREATE TABLE audit (
    owner_id BYTEA NOT NULL,
    number   BIGINT NOT NULL,
    org_id   BYTEA NOT NULL,
    at       BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    actor    TEXT NOT NULL,
    agent_id BYTEA,
    relay_id BYTEA,
    details  TEXT NOT NULL,
    kid      TEXT NOT NULL,
    chain    BYTEA NOT NULL,
    PRIMARY KEY (owner_id, number)
);

-- Where programs push a person's messages to. kind: sms (our own form), twilio, whatsapp. digest finds it by the token in its path, which
-- is derived from seed under the master key kid, as our own secrets are. secret is theirs (Twilio's token, Meta's app secret), sealed.
CREATE TABLE hooks (
    org_id     BYTEA NOT NULL,
    id         BYTEA NOT NULL,
    owner_id   BYTEA NOT NULL,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    digest     BYTEA NOT NULL,
    seed       BYTEA NOT NULL,
    kid        TEXT NOT NULL,
    secret     TEXT,
    used_at    BIGINT,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX hooks_by_owner ON hooks (owner_id, id);
CREATE UNIQUE INDEX hooks_by_digest ON hooks (digest);

-- A person's address for forwarded mail, one at a time; found by digest, derived from seed under kid.
CREATE TABLE inbound_addresses (
    owner_id   BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    digest     BYTEA NOT NULL,
    seed       BYTEA NOT NULL,
    kid        TEXT NOT NULL,
    made_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbound_by_digest ON inbound_addresses (digest);

-- Mailboxes that this server watches for their owners: where, and by what it signs in there, sealed under the master key kid for this very
-- row and server. version counts what was changed of that. state: connecting, watching, away, credentials_refused. reached is up to where the
-- mailbox was looked at. Until lease_until it is watched by the server node.
CREATE TABLE mailboxes (
    id          BYTEA PRIMARY KEY,
    org_id      BYTEA NOT NULL,
    owner_id    BYTEA NOT NULL,
    name        TEXT NOT NULL,
    host        TEXT NOT NULL,
    port        BIGINT NOT NULL,
    security    TEXT NOT NULL,
    login       TEXT NOT NULL,
    addresses   TEXT NOT NULL,
    folder      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    kid         TEXT NOT NULL,
    credentials TEXT NOT NULL,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    trouble     TEXT,
    refusals    BIGINT NOT NULL DEFAULT 0,
    changed_at  BIGINT NOT NULL,
    reached     TEXT,
    node        TEXT,
    lease_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX mailboxes_by_owner ON mailboxes (owner_id, id);
CREATE INDEX mailboxes_by_org ON mailboxes (org_id, lease_until);
CREATE INDEX mailboxes_due ON mailboxes (lease_until) WHERE state <> 'credentials_refused';
