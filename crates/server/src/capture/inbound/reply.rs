//! Everything that is ever said to a mail client (RFC 5321 section 4.2, codes of RFC 3463). Refuses to say what became of a mail: who
//! sends it is not who waits for it.

/// A reply, without its end.
pub(super) type Reply = &'static str;

pub(super) const OK: Reply = "250 2.0.0 OK";
pub(super) const SENDER: Reply = "250 2.1.0 OK";
pub(super) const RECIPIENT: Reply = "250 2.1.5 OK";
/// It was matched and what was found is sealed and committed, or nobody waits for it.
pub(super) const TAKEN: Reply = "250 2.6.0 Taken";
pub(super) const GO_AHEAD: Reply = "354 End with CR LF . CR LF";
pub(super) const BYE: Reply = "221 2.0.0 Bye";
pub(super) const TLS: Reply = "220 2.0.0 Go ahead";
pub(super) const HELP: Reply = "214 2.0.0 Mail is taken in for addresses that were handed out here, and never sent on";
pub(super) const NOT_SAID: Reply = "252 2.1.5 Not said; send, and see";

pub(super) const TOO_LONG: Reply = "500 5.5.2 The line is too long";
pub(super) const SYNTAX: Reply = "500 5.5.2 Only printable ASCII in commands";
pub(super) const BARE: Reply = "500 5.5.2 A line ends with CR and LF together, and neither stands alone";
pub(super) const UNKNOWN: Reply = "500 5.5.1 Unknown command";
pub(super) const PARAMETERS: Reply = "501 5.5.4 Something is wrong with the parameters";
pub(super) const NOT_HERE: Reply = "502 5.5.1 Not offered here";
pub(super) const ORDER: Reply = "503 5.5.1 Not now";
/// A mail was begun, and nobody is it for (RFC 5321 section 3.3).
pub(super) const NO_RECIPIENTS: Reply = "554 5.5.1 No valid recipients";
pub(super) const NO_SUCH_PARAMETER: Reply = "555 5.5.4 A parameter that is not offered here";
pub(super) const NO_SUCH_ADDRESS: Reply = "550 5.1.1 No such address";
pub(super) const TOO_MANY_RECIPIENTS: Reply = "452 4.5.3 Five recipients at most";
pub(super) const TOO_LARGE: Reply = "552 5.3.4 A mail has 1 MiB at most";
pub(super) const BARE_DATA: Reply = "554 5.6.0 In a mail CR and LF stand together only";
pub(super) const LATER: Reply = "451 4.3.0 Not now; try again";
pub(super) const BUSY: Reply = "451 4.3.2 Too many mails at once; try again";
pub(super) const TOO_MANY: Reply = "421 4.7.0 Too many connections from your network";
pub(super) const FULL: Reply = "421 4.3.2 Too many connections; try again";
pub(super) const NO_PROGRESS: Reply = "421 4.7.0 Too many commands without a mail";
pub(super) const TOO_SLOW: Reply = "421 4.4.2 Too slow";
