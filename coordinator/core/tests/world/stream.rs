//! Streams: agents beat, connect and break; what comes is folded in order.

use std::time::Duration;

use ostler_core::event::{Event, Reply};
use ostler_core::inventory::GpuState;

use crate::agent::{self, Health, Piece, Stream};
use crate::world::{Happens, Letter, World};

/// How long an agent waits for what it sent to be taken until it connects anew (its `UNACKNOWLEDGED_MAX`).
const UNACKNOWLEDGED_MAX_MS: u64 = 10_000;

impl World {
    /// Once a second, less or more by a tenth.
    pub(crate) fn beat(&mut self, agent: usize) {
        let after_ms = self.dice.between(900, 1_100);
        self.after(after_ms, Happens::Beats(agent));
        if self.agents[agent].health != Health::Well {
            return;
        }
        for replica in 0..self.replicas.len() {
            let at_ms = self.now_ms;
            let Some(stream) = self.stream(agent, replica) else { continue };
            let piece = Piece::Row { seq: stream.next_seq(), at_ms };
            self.send(agent, replica, piece);
        }
    }

    fn stream(&mut self, agent: usize, replica: usize) -> Option<&mut Stream> {
        self.agents[agent].streams.get_mut(&replica)
    }

    pub(crate) fn dial(&mut self, agent: usize, replica: usize) {
        let (now_ms, it) = (self.now_ms, &self.agents[agent]);
        if it.health != Health::Well || it.streams.contains_key(&replica) {
            return;
        }
        let there = &self.replicas[replica];
        if there.is_down(now_ms) || !self.net.open_both(it.spot(), there.spot(), now_ms) {
            return self.redial(agent, replica);
        }
        self.streams += 1;
        let (number, life) = (self.streams, there.life);
        let hello = Piece::Hello { incarnation: it.incarnation, boot: it.boot };
        let snapshot = Piece::Snapshot { seq: 1, at_ms: now_ms, gpu: it.gpu };
        self.agents[agent].streams.insert(replica, Stream { number, life, seq: 1, ..Stream::default() });
        self.send(agent, replica, hello);
        self.send(agent, replica, snapshot);
    }

    fn redial(&mut self, agent: usize, replica: usize) {
        self.agents[agent].streams.remove(&replica);
        let after_ms = self.dice.between(250, 1_500);
        self.after(after_ms, Happens::Dials { agent, replica });
    }

    /// Sends what is stuck and then this, if anything gets through.
    pub(crate) fn send(&mut self, agent: usize, replica: usize, piece: Piece) {
        let (now_ms, from, there) = (self.now_ms, self.agents[agent].spot(), &self.replicas[replica]);
        let (to, life, down) = (there.spot(), there.life, there.is_down(now_ms));
        let open = self.net.open_both(from, to, now_ms);
        let Some(stream) = self.stream(agent, replica) else { return };
        if open && (down || stream.life != life) {
            // The host answers with a reset.
            return self.redial(agent, replica);
        }
        stream.keep(piece, now_ms);
        if !open {
            if now_ms - stream.stuck_since_ms >= UNACKNOWLEDGED_MAX_MS {
                self.redial(agent, replica);
            }
            return;
        }
        let (number, mut arrives_ms) = (stream.number, stream.arrives_ms);
        for piece in std::mem::take(&mut stream.stuck) {
            arrives_ms = arrives_ms.max(now_ms + self.net.piece(&mut self.dice));
            let letter = Letter::Piece { stream: number, agent, piece };
            self.after(arrives_ms - now_ms, Happens::Comes { replica, life, letter });
        }
        if let Some(stream) = self.stream(agent, replica) {
            stream.arrives_ms = arrives_ms;
        }
    }

    /// The agent's process dies, and its host closes its streams.
    pub(crate) fn crash_agent(&mut self, agent: usize) {
        for replica in 0..self.replicas.len() {
            self.send(agent, replica, Piece::Closed);
        }
        self.set_health(agent, Health::Crashed);
    }

    /// Sets how an agent is; one that does not run has no streams.
    pub(crate) fn set_health(&mut self, agent: usize, health: Health) {
        let it = &mut self.agents[agent];
        if it.health == health {
            return;
        }
        let (was, now_ms) = (it.health, self.now_ms);
        (it.health, it.since_ms) = (health, now_ms);
        let starts = match (was, health) {
            (_, Health::Hung) | (Health::Hung, Health::Well) | (Health::Well, Health::Well) => false,
            (_, Health::Crashed | Health::Off) => {
                it.streams.clear();
                false
            }
            (Health::Crashed | Health::Off, Health::Well) => true,
        };
        if starts {
            it.incarnation += 1;
            it.boot += u64::from(was == Health::Off);
            if was == Health::Off {
                it.gpu = GpuState::Ok;
            }
            for replica in 0..self.replicas.len() {
                self.dial(agent, replica);
            }
        }
    }

    /// A GPU of a node falls off the bus, and its agent says so.
    pub(crate) fn lose_gpu(&mut self, agent: usize) {
        let it = &mut self.agents[agent];
        (it.gpu, it.gpu_since_ms) = (GpuState::Lost, self.now_ms);
        for replica in 0..self.replicas.len() {
            self.send(agent, replica, Piece::GpuLost { id: self.now_ms });
        }
    }

    /// Folds a message as the coordinator's ingest does.
    pub(crate) fn fold(&mut self, replica: usize, stream: u64, agent: usize, piece: Piece) {
        let (now_ms, layout, zone) = (self.now_ms, self.layout.clone(), self.agents[agent].zone);
        let it = &mut self.replicas[replica];
        let now = it.time(now_ms);
        let age = |at_ms: u64| Duration::from_millis(now_ms - at_ms);
        if let Piece::Hello { incarnation, boot } = piece {
            let hello = agent::hello(agent, zone, incarnation, boot);
            if let Reply::Joined(session) = it.engine.handle(Event::Joined(hello), now) {
                it.seats.insert(stream, session);
            }
        } else if let Some(session) = it.seats.get(&stream).copied() {
            let event = match piece {
                Piece::Hello { .. } => unreachable!("it was folded above"),
                Piece::Snapshot { seq, at_ms, gpu } => {
                    let snapshot = agent::snapshot(agent, seq, gpu, age(at_ms), &layout);
                    Event::Snapshot { session, snapshot }
                }
                Piece::Row { seq, at_ms } => Event::Row { session, row: agent::row(seq, age(at_ms)) },
                Piece::GpuLost { id } => Event::Happened { session, happening: agent::gpu_lost(agent, id) },
                Piece::Closed => Event::Disconnected { session, reason: "closed" },
            };
            let reply = it.engine.handle(event, now);
            if piece == Piece::Closed || matches!(reply, Reply::Refused(_)) {
                it.seats.remove(&stream);
            }
            if matches!(reply, Reply::Resync(_)) {
                self.resync(agent, replica);
            }
        }
        self.hasten(replica);
    }

    /// The coordinator asks for a snapshot.
    fn resync(&mut self, agent: usize, replica: usize) {
        let (now_ms, gpu) = (self.now_ms, self.agents[agent].gpu);
        if let Some(stream) = self.stream(agent, replica) {
            let piece = Piece::Snapshot { seq: stream.next_seq(), at_ms: now_ms, gpu };
            self.send(agent, replica, piece);
        }
    }
}
