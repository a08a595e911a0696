//! Stand-in until the lead's `main`: only `bench`.
use clap::Parser;

#[derive(Parser)]
enum Cli {
    /// Measure this machine.
    Bench(doorcode::cli::bench::BenchArgs),
}

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let Cli::Bench(args) = Cli::parse();
    doorcode::cli::bench::run(args).await
}
