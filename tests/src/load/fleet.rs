//! Many connections at their pace: each sends one row a second at its own moment of the second.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ostler_proto::v1;

use super::connection::Connection;
use super::trace::Trace;

/// Zones over which the nodes are spread.
const ZONES: usize = 3;

/// Connections between two reports of progress, while the fleet connects.
const PROGRESS_STEP: usize = 250;

/// Synthetic agents with their connections.
#[derive(Debug)]
pub struct Fleet {
    agents: Vec<Agent>,
}

#[derive(Debug)]
struct Agent {
    connection: Connection,
    trace: Arc<Trace>,
    rows_sent: usize,
}

/// What a [`Fleet::run`] did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// Rows sent.
    pub rows: u64,
    /// Connections that the coordinator ended.
    pub ended: u64,
    /// Times that the coordinator asked for a new snapshot; a correct run has none.
    pub resyncs: u64,
    /// Rows that left more than a second after their moment: the load itself was too slow.
    pub late: u64,
    /// Acks received.
    pub acks: u64,
}

impl Fleet {
    /// Connects `count` agents, each sending Hello, Snapshot and the backlog of its trace. `progress` hears how many have.
    pub fn connect(
        address: SocketAddr,
        count: usize,
        traces: &[Arc<Trace>],
        mut progress: impl FnMut(usize),
    ) -> io::Result<Self> {
        let mut agents = Vec::with_capacity(count);
        for number in 0..count {
            let trace = Arc::clone(&traces[number % traces.len()]);
            let mut connection = Connection::open(address)?;
            connection.send(&Trace::hello(number, ZONES))?;
            connection.send(&trace.snapshot(number))?;
            for backlog in &trace.backlog {
                connection.send(backlog)?;
            }
            agents.push(Agent { connection, trace, rows_sent: 0 });
            if (number + 1) % PROGRESS_STEP == 0 {
                progress(number + 1);
                // Those that wait for the rest answer the server's pings, or it would give them up.
                agents.iter_mut().try_for_each(|agent| agent.connection.receive())?;
            }
        }
        let mut fleet = Self { agents };
        fleet.wait_until_welcome()?;
        progress(count);
        Ok(fleet)
    }

    /// Agents there are.
    pub fn len(&self) -> usize {
        self.agents.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// Live rows that each agent still has.
    pub fn rows_left(&self) -> usize {
        self.agents.iter().map(|agent| agent.trace.rows() - agent.rows_sent).min().unwrap_or(0)
    }

    /// The connection of one agent.
    pub fn connection(&mut self, number: usize) -> &mut Connection {
        &mut self.agents[number].connection
    }

    /// Sends `seconds` rows from each agent, one a second, spread evenly over the second.
    pub fn run(&mut self, seconds: usize) -> io::Result<Sent> {
        let mut sent = Sent::default();
        let start = Instant::now();
        let count = self.agents.len() as u64;
        for second in 0..seconds as u64 {
            for (number, agent) in self.agents.iter_mut().enumerate() {
                let due = Duration::from_micros(1_000_000 * second + 1_000_000 * number as u64 / count);
                let now = start.elapsed();
                if due > now {
                    thread::sleep(due - now);
                } else if now - due > Duration::from_secs(1) {
                    sent.late += 1;
                }
                agent.send_row(&mut sent)?;
            }
        }
        let end = Duration::from_secs(seconds as u64);
        thread::sleep(end.saturating_sub(start.elapsed()));
        Ok(sent)
    }

    fn wait_until_welcome(&mut self) -> io::Result<()> {
        for agent in &mut self.agents {
            let welcome = agent.connection.receive_until(Duration::from_secs(60), |connection| {
                !connection.messages.is_empty() || connection.ended.is_some()
            })?;
            if !welcome || agent.connection.ended.is_some() {
                let why =
                    agent.connection.ended.clone().unwrap_or_else(|| "no Welcome within 60 s".to_owned());
                return Err(io::Error::other(why));
            }
        }
        Ok(())
    }
}

impl Agent {
    fn send_row(&mut self, sent: &mut Sent) -> io::Result<()> {
        self.connection.receive()?;
        for message in self.connection.messages.drain(..) {
            match message.body {
                Some(v1::coordinator_message::Body::Resync(_)) => sent.resyncs += 1,
                Some(v1::coordinator_message::Body::Ack(_)) => sent.acks += 1,
                _ => {}
            }
        }
        if self.connection.ended.is_some() {
            sent.ended += 1;
            return Ok(());
        }
        if let Some(row) = self.trace.rows.get(self.rows_sent) {
            self.connection.send(row)?;
            self.rows_sent += 1;
            sent.rows += 1;
        }
        Ok(())
    }
}
