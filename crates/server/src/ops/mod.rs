//! The transaction scripts that every entrance shares: one file per noun. Each takes `now` once, asks `core` to judge,
//! does its writes in one unit, and knows nothing of HTTP.

pub mod agents;
pub mod audit;
pub mod backups;
pub mod challenges;
pub mod client;
pub mod credentials;
pub mod devices;
pub mod events;
pub mod feed;
pub mod flights;
pub mod holds;
pub mod hooks;
pub mod idempotency;
pub mod inbound;
pub mod jobs;
pub mod keys;
pub mod links;
pub mod mailboxes;
pub mod master_keys;
pub mod orgs;
pub mod outbox;
pub mod push;
pub mod recent;
pub mod redirects;
pub mod relays;
pub mod sessions;
pub mod sign_in;
pub mod signed;
pub mod tokens;
pub mod users;
pub mod verifications;
pub mod webhooks;
