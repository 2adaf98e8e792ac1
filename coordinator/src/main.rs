//! `ostler-coordinator`: one replica as a process.

mod huge_pages;

use std::process::ExitCode;

use clap::Parser;
use ostler_coordinator::{config, start, telemetry};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let arguments = config::Arguments::parse();
    huge_pages::begin_again_with();
    let Err(error) = run(arguments) else { return ExitCode::SUCCESS };
    eprintln!("ostler-coordinator: {error:#}");
    ExitCode::FAILURE
}

#[tokio::main(flavor = "current_thread")]
async fn run(arguments: config::Arguments) -> anyhow::Result<()> {
    if arguments.print_config {
        use std::io::Write;
        return Ok(std::io::stdout().write_all(config::EXAMPLE.as_bytes())?);
    }
    let config = arguments.load()?;
    let _telemetry = telemetry::init(&config.telemetry)?;
    let running = start(config).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let failed = tokio::select! {
        _ = interrupt.recv() => false,
        _ = terminate.recv() => false,
        () = running.stops() => true,
    };
    running.shutdown();
    running.wait().await;
    anyhow::ensure!(!failed, "a part of it ended that never should; the log says which");
    Ok(())
}
