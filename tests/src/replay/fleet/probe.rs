//! Probes of the simulated fleet, answered by what is true.

use std::time::Duration;

use ostler_core::detect::{Answer, Ask, Prober};

use super::Fleet;

impl Fleet<'_> {
    /// Makes a round of probes.
    pub(super) fn probe(&mut self, ask: &Ask) {
        let (node, asked) = (self.at(ask.node), (ask.node, ask.round));
        let (let_in_ms, (answer, took_ms)) = self.knock(node, ask.timeout);
        if let Some(let_in_ms) = let_in_ms {
            self.answer(let_in_ms, asked, Prober::Own, Answer::LetIn);
        }
        self.answer(took_ms, asked, Prober::Own, answer);
        for &peer in &ask.peers {
            // The order, the probe and the report: each can be lost, and who is down does nothing.
            let ways = self.way().zip(self.way());
            let Some((there_ms, back_ms)) = ways.filter(|_| self.machines[self.at(peer)].up) else {
                continue;
            };
            let (_, (answer, took_ms)) = self.knock(node, ask.peer_timeout);
            self.answer(there_ms + took_ms + back_ms, asked, Prober::Node(peer), answer);
        }
    }

    /// After how long a machine lets a probe in, and what comes of it after how long. One that was let in and is not answered
    /// in time counts as refused, since the host lives.
    fn knock(&mut self, machine: usize, timeout: Duration) -> (Option<u64>, (Answer, u64)) {
        let timeout_ms = u64::try_from(timeout.as_millis()).expect("a short time");
        let mut round_trip = || Some(self.way()? + self.way()?).filter(|took_ms| *took_ms < timeout_ms);
        let (let_in, answered) = (round_trip(), round_trip());
        let Some(let_in_ms) = let_in.filter(|_| self.machines[machine].up) else {
            return (None, (Answer::TimedOut, timeout_ms));
        };
        match answered {
            Some(answered_ms) => (Some(let_in_ms), (Answer::Ok, let_in_ms + answered_ms)),
            None => (Some(let_in_ms), (Answer::Refused, let_in_ms + timeout_ms)),
        }
    }
}
