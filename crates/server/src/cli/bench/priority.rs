//! How much of the machine the driver takes where the side beside it has none: the cryptography alone drives nobody, while a server shares its
//! cores with whoever asks it. As an equal, the driver is let in for every single answer, and the server pays for the change of threads; a
//! client on a machine of its own costs a server nothing like it. Refuses to touch the server, which was started before.

use std::fs;

use rustix::process::{Pid, getpriority_process, setpriority_process};

use super::failure::{Failure, Outcome};

/// How much nicer the driver is than the server (setpriority(2)): it does what it has to when the server waits for it, or in the server's pauses.
const NICER: i32 = 5;
/// The nicest that there is.
const NICEST: i32 = 19;

/// From now on this program's threads, and those that they start, go behind the server's.
pub(super) fn step_back() -> Outcome<()> {
    let failed = Failure::during::<std::io::Error>;
    for thread in fs::read_dir("/proc/self/task").map_err(failed("listing the driver's threads"))? {
        let name = thread.map_err(failed("listing the driver's threads"))?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse().ok()).and_then(Pid::from_raw) else { continue };
        let nicer = |niceness: i32| setpriority_process(Some(id), (niceness + NICER).min(NICEST));
        match getpriority_process(Some(id)).and_then(nicer) {
            // It has ended since it was listed.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(failed("stepping back behind the server")(error.into())),
        }
    }
    Ok(())
}
