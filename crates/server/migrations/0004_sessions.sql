-- Sign-ins that last: sessions of browsers and apps, where apps may have browsers sent back to, and the codes that those bring.

-- A session has the id of the challenge that it was earned with: who repeats a right answer has the same one. What is presented
-- of it is derived from these columns under the key named by kid. generation counts refreshes: of two with the same token, one
-- changes the row. client_id is the org whose app it is; none: a browser's own.
CREATE TABLE sessions (
    id         BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    user_id    BYTEA NOT NULL,
    client_id  BYTEA,
    kid        TEXT NOT NULL,
    seed       BYTEA NOT NULL,
    generation BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    idle_until BIGINT NOT NULL,
    until      BIGINT NOT NULL,
    revoked_at BIGINT,
    agent      TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, id);

-- Where an org's apps may have browsers sent back to: exactly these texts.
CREATE TABLE redirects (
    org_id BYTEA NOT NULL,
    id     BYTEA NOT NULL,
    uri    TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX redirects_by_uri ON redirects (org_id, uri);

-- What a browser brings back to an app, by the id of the challenge that it was earned with; good for a minute and once.
CREATE TABLE redirect_codes (
    id             BYTEA PRIMARY KEY,
    client_id      BYTEA NOT NULL,
    uri            TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce          TEXT,
    org_id         BYTEA NOT NULL,
    user_id        BYTEA NOT NULL,
    kid            TEXT NOT NULL,
    seed           BYTEA NOT NULL,
    expires_at     BIGINT NOT NULL,
    used_at        BIGINT
) WITHOUT ROWID;
