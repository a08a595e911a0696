//! The binary: reads the environment, once, and hands over to the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "only here is the environment read")]
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| name.starts_with("DOORCODE_"))
        .collect();
    doorcode::cli::run(std::env::args_os(), environment)
}
