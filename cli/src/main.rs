//! `ostler`: runs, reads and explains a fleet of GPU nodes.

mod args;
mod backup;
mod certs;
mod client;
mod command;
mod describe;
mod error;
mod get;
mod kind;
mod output;
mod simulate;
mod status;
mod subscribe;
mod top;
mod up;
mod view;
mod watch;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    if matches!(cli.command, args::Command::NvmlChild) {
        return ostler_agent::nvml::child::main();
    }
    match command::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if let Some(text) = error.explain() {
                let _ = writeln!(std::io::stderr(), "{text}"); // A closed stderr leaves nobody to tell.
            }
            error.exit_code()
        }
    }
}
