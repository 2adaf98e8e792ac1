//! The ways of one replica to etcd: a proxy process in its zone, told by lines what befalls connections.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, ensure};

/// A proxy in front of each member. It ends when this is dropped, because its stdin does.
#[derive(Debug)]
pub(crate) struct Proxies {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Proxies {
    /// Starts them; the command has the ways as its arguments.
    pub(crate) fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start ostler-faultproxy")?;
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Self { child, orders, answers })
    }

    /// Gives the proxies of these members an order, and waits until each has obeyed.
    pub(crate) fn order(&mut self, members: usize, order: &str) -> anyhow::Result<()> {
        for member in 0..members {
            let orders = self.orders.as_mut().context("its input is piped")?;
            writeln!(orders, "{member} {order}")?;
            orders.flush()?;
            let mut answer = String::new();
            self.answers.read_line(&mut answer)?;
            ensure!(answer.starts_with("ok "), "the proxy answers {answer:?} to {order:?}");
        }
        Ok(())
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.orders = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
