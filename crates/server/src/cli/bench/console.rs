//! What the bench says: the result on standard output, everything else on standard error, so that `--json` can be
//! piped. A closed pipe ends nothing here: the run is over by the time it matters.

use std::io::Write;

/// One line of the result.
pub(super) fn out(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// One line of progress or of what went wrong.
pub(super) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
