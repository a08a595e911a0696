-- What became of the mails of signed calls, for whoever looks up an address's. No address: target_id is the digest of an org and an
-- address, as in targets. what as in core/activity/mailed.rs; why: the reply codes of the mail server.
CREATE TABLE mail_events (
    id          BYTEA PRIMARY KEY,
    target_id   BYTEA NOT NULL,
    delivery_id BYTEA NOT NULL,
    what        BIGINT NOT NULL,
    why         TEXT
) WITHOUT ROWID;
CREATE INDEX mail_events_of_target ON mail_events (target_id, id);
