//! Carries out one command.

mod order;
pub(crate) mod policy;

use clap::CommandFactory;

use crate::args::{Cli, Command, Format};
use crate::error::Error;
use crate::output::Output;
use crate::{backup, certs, describe, get, simulate, status, top, up, watch};

/// Runs the command to its end.
pub(crate) fn run(cli: Cli) -> Result<(), Error> {
    if let Command::Completion { shell } = cli.command {
        return completion(shell);
    }
    if cli.global.output == Format::Html && !matches!(cli.command, Command::Simulate(_)) {
        return Err(Error::Usage(
            "only `ostler simulate` makes a page; use -o table, json or yaml".to_owned(),
        ));
    }
    // Fails only when a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let output = Output::new(&cli.global);
    let server = &cli.global.server;
    match cli.command {
        Command::Up(options) => up::run(options, output),
        Command::Status => wait(status::run(server, output)),
        Command::Get(options) => wait(get::run(server, options, output)),
        Command::Describe(options) => wait(describe::run(server, options, output)),
        Command::Explain(options) => wait(order::explain(server, options, output)),
        Command::Hold(options) => wait(order::hold(server, options, output)),
        Command::Release(options) => wait(order::release(server, options, output)),
        Command::Top(options) => wait(top::run(server, options, output)),
        Command::Watch(options) => wait(watch::run(server, options, output)),
        Command::Backup(options) => wait(backup::run(*options, output)),
        Command::Restore(options) => wait(backup::restore(*options, output)),
        Command::Certs(options) => certs::run(options, output),
        Command::Simulate(options) => simulate::run(*options, output),
        Command::Policy(options) => policy::run(options, output),
        Command::Replay(options) => policy::replay(&options, output),
        Command::Completion { .. } | Command::NvmlChild => unreachable!("handled before"),
    }
}

/// A client needs one thread.
fn wait(command: impl Future<Output = Result<(), Error>>) -> Result<(), Error> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// Written to memory first, because the generator panics when its writer fails.
fn completion(shell: clap_complete::Shell) -> Result<(), Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "ostler", &mut script);
    Ok(std::io::Write::write_all(&mut std::io::stdout().lock(), &script)?)
}
