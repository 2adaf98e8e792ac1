//! Processes that are killed, stopped and started again, all in one folder that keeps their logs.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, ensure};

/// Lines of a log that are shown when something is wrong.
const SHOWN_LINES: usize = 40;

/// A process, which is ended by its id when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    command: Command,
    child: Option<Child>,
    log: PathBuf,
}

impl Process {
    /// Starts a command whose output is appended to a log in a folder.
    pub(crate) fn start(name: &str, folder: &Path, mut command: Command) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        command.stdout(output.try_clone()?).stderr(output);
        let mut process = Self { command, child: None, log };
        process.again()?;
        Ok(process)
    }

    /// Starts it again after it ended.
    pub(crate) fn again(&mut self) -> anyhow::Result<()> {
        let program = self.command.get_program().to_string_lossy().into_owned();
        let child = self.command.stdin(Stdio::null()).spawn();
        self.child = Some(child.with_context(|| format!("cannot start {program}"))?);
        Ok(())
    }

    /// Kills it, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends it a signal, as `kill` names it.
    pub(crate) fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let pid = self.child.as_ref().context("the process runs")?.id().to_string();
        let status = Command::new("kill").args(["-s", signal, &pid]).status()?;
        ensure!(status.success(), "kill -s {signal}: {status}");
        Ok(())
    }

    /// Whether it has ended by itself.
    pub(crate) fn ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// The end of what it said.
    pub(crate) fn log(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
