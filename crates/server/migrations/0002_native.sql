-- What the native door needs: orgs that may send to strangers, keys with names, verifications with what their asker
-- attached, requests that are done once, and events that can be found.

-- When the operator let the org send to addresses that are not its own; none: not yet.
ALTER TABLE orgs ADD COLUMN raised_at BIGINT;
CREATE INDEX orgs_raised ON orgs (id) WHERE raised_at IS NOT NULL;

ALTER TABLE credentials ADD COLUMN name TEXT;
-- To the nearest minutes: a row is not written for every request.
ALTER TABLE credentials ADD COLUMN last_used_at BIGINT;

-- Whatever the asker wants to find again, as JSON, and where the browser that opens the link goes afterwards. Both behind all
-- other columns, so that a row without them is as short as before.
ALTER TABLE challenges ADD COLUMN metadata TEXT;
ALTER TABLE challenges ADD COLUMN redirect TEXT;

-- Requests with an Idempotency-Key: a digest of org, operation and key; one of the body; the answer, without secrets, which
-- are derived again.
CREATE TABLE idempotency (
    id     BYTEA PRIMARY KEY,
    body   BYTEA NOT NULL,
    answer TEXT NOT NULL,
    until  BIGINT NOT NULL
) WITHOUT ROWID;

-- What an org did, newest first. Sign-ins at the OutX door are left out: each is of another org, so the index would cost
-- every one of them a page (docs/decisions/0013).
CREATE INDEX events_by_org ON events (org_id, id) WHERE kind <> 'user.signed_in';
CREATE INDEX events_of_verification ON events (subject_id, id) WHERE kind >= 'verification.' AND kind < 'verification/';
