-- Webhooks: who wants to hear of events, and what is on its way to them.

-- Somebody's URL. events is '*' or kinds with a space between. Its secret is not here: it is derived from seed under the
-- key named by kid. After a rotation the one before it signs as well, until old_until. failing_since is when the first try
-- failed of those that failed since the last success; none while all is well.
CREATE TABLE webhooks (
    org_id        BYTEA NOT NULL,
    id            BYTEA NOT NULL,
    url           TEXT NOT NULL,
    events        TEXT NOT NULL,
    seed          BYTEA NOT NULL,
    kid           TEXT NOT NULL,
    old_seed      BYTEA,
    old_kid       TEXT,
    old_until     BIGINT,
    disabled_at   BIGINT,
    failing_since BIGINT,
    PRIMARY KEY (org_id, id)
) WITHOUT ROWID;

-- One event on its way to one of them. What it says is made from the event when it is sent. state: 0 due, 1 delivered,
-- 2 gave up, 3 dropped (nobody wants it any more). While due, due_at is when somebody may take it: taking it moves due_at
-- ahead by the lease. Afterwards it is when it ended. status is that of the last answer.
CREATE TABLE webhook_messages (
    id         BYTEA PRIMARY KEY,
    org_id     BYTEA NOT NULL,
    webhook_id BYTEA NOT NULL,
    event_id   BYTEA NOT NULL,
    state      BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    status     BIGINT,
    failure    TEXT
) WITHOUT ROWID;
-- By receiver first, so that the backlog of one is passed over in one step.
CREATE INDEX webhook_messages_due ON webhook_messages (webhook_id, due_at) WHERE state = 0;
CREATE INDEX webhook_messages_by_webhook ON webhook_messages (webhook_id, id);
