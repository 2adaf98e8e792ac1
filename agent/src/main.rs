//! `ostler-agent`: one process per GPU node.

use std::process::ExitCode;

use clap::Parser as _;
use ostler_agent::cli::{Arguments, Command};

fn main() -> ExitCode {
    // Before the command line is parsed: the child is to touch as little of the program as it can.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == "nvml-child") {
        return ostler_agent::nvml::child::main();
    }
    let Arguments { options, command } = Arguments::parse();
    match command.unwrap_or_default() {
        Command::Run => ostler_agent::cli::run(&options),
        Command::Probe(format) => ostler_agent::cli::probe(&options, format),
        Command::NvmlChild => ostler_agent::nvml::child::main(),
        Command::Config(action) => ostler_agent::cli::config(&options, action),
    }
}
