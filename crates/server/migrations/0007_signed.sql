-- Signed calls: who signs, with which keys, what they asked for, and what is spent.

-- What was switched of an org's features: +NAME or -NAME, with spaces between. What nobody switched is as it is everywhere.
ALTER TABLE orgs ADD COLUMN features TEXT;
-- Origins whose pages may call without a stamp, with spaces between; none: nobody may.
ALTER TABLE orgs ADD COLUMN proxy TEXT;
CREATE INDEX orgs_by_parent ON orgs (parent_id, id) WHERE parent_id IS NOT NULL;

-- root: 1 for a root user of their org, 0 for another one; none for whoever signs nothing. phone and email of those who sign are
-- what somebody says of them: whether it was proved is in identities.
ALTER TABLE users ADD COLUMN phone TEXT;
ALTER TABLE users ADD COLUMN root BIGINT;
CREATE INDEX users_by_email ON users (email, org_id) WHERE root IS NOT NULL AND email IS NOT NULL;
CREATE INDEX users_by_phone ON users (phone, org_id) WHERE root IS NOT NULL AND phone IS NOT NULL;

-- A public key that signs: the letter of its curve and the compressed point in hexadecimal; and its type. Nothing of it is derived or secret.
ALTER TABLE credentials ADD COLUMN public_key TEXT;
ALTER TABLE credentials ADD COLUMN key_type TEXT;
CREATE INDEX credentials_by_public_key ON credentials (public_key, org_id) WHERE public_key IS NOT NULL;
CREATE INDEX credentials_ending ON credentials (expires_at) WHERE public_key IS NOT NULL AND expires_at IS NOT NULL;

-- What signed callers asked for. print finds it by the keyed digest of its body, while the same body may come again. body has every code and
-- token masked; plain and signature are none where it had any, since either would tell whoever tries which code it was. result is what it
-- is made of again, without tokens. status as in core/activity/status.rs. failure: code or token.
CREATE TABLE activities (
    id         BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    print      BYTEA,
    kind       TEXT NOT NULL,
    status     BIGINT NOT NULL,
    signer_org BYTEA NOT NULL,
    user_id    BYTEA NOT NULL,
    public_key TEXT NOT NULL,
    scheme     TEXT NOT NULL,
    plain      TEXT,
    signature  TEXT,
    body       TEXT NOT NULL,
    result     TEXT,
    failure    TEXT
);
CREATE UNIQUE INDEX activities_by_print ON activities (print) WHERE print IS NOT NULL;
CREATE INDEX activities_printed ON activities (id) WHERE print IS NOT NULL;
CREATE INDEX activities_by_org ON activities (org_id, id);

-- Verification tokens that were spent, by their ids, which say when they were made.
CREATE TABLE spent_tokens (
    id BYTEA PRIMARY KEY
) WITHOUT ROWID;
