//! Random faults of a world.

use ostler_core::lead::Input;

use crate::agent::Health;
use crate::net::Side;
use crate::world::{Happens, World};

/// Longest fault of a replica or of the network.
const FAULT_MS_MAX: u64 = 12_000;

/// Longest time in which a machine that fails stays so.
const BROKEN_MS_MAX: u64 = 60_000;

impl World {
    /// The next fault, if faults are on.
    pub(crate) fn fault(&mut self) {
        let every_ms = self.fault_every_ms;
        let after_ms = if every_ms == 0 { 1_000 } else { 1 + self.dice.below(2 * every_ms) };
        self.after(after_ms, Happens::Fault);
        if every_ms == 0 {
            return;
        }
        self.mend();
        if self.dice.percent(50) {
            self.break_agent();
        } else {
            self.break_control_plane();
        }
    }

    /// Machines that failed come back.
    fn mend(&mut self) {
        for at in 0..self.agents.len() {
            let since_ms = self.agents[at].since_ms;
            let over = self.dice.below(BROKEN_MS_MAX) + since_ms < self.now_ms;
            if over && self.agents[at].health != Health::Well {
                self.set_health(at, Health::Well);
            }
        }
    }

    fn break_agent(&mut self) {
        let at = self.dice.index(self.agents.len());
        let broken = self.agents.iter().filter(|it| it.health != Health::Well).count();
        if broken * 5 > self.agents.len() || self.agents[at].health != Health::Well {
            return;
        }
        match self.dice.below(5) {
            0 => self.crash_agent(at),
            1 => self.set_health(at, Health::Hung),
            2 => self.lose_gpu(at),
            _ => self.set_health(at, Health::Off),
        }
    }

    fn break_control_plane(&mut self) {
        let (at, for_ms) = (self.dice.index(self.replicas.len()), self.dice.between(100, FAULT_MS_MAX));
        let (zone, until_ms) = (self.replicas[at].zone, self.now_ms + for_ms);
        match self.dice.below(16) {
            0 | 1 => self.pause_replica(at, for_ms),
            2 => self.crash_replica(at, for_ms),
            3 => self.net.cut_both(Side::Replica(at), Side::Etcd, until_ms),
            4 => self.net.cut(Side::Replica(at), Side::Etcd, until_ms),
            5 => self.net.cut(Side::Etcd, Side::Replica(at), until_ms),
            6 => self.net.cut_both(Side::Replica(at), Side::Anybody, until_ms),
            7 => self.net.cut_both(Side::Zone(zone), Side::Elsewhere, until_ms),
            8 => self.net.cut(Side::Zone(zone), Side::Elsewhere, until_ms),
            9 => self.etcd.change_leader(self.now_ms),
            10 => self.etcd.compact(),
            11 => self.etcd_fails(for_ms / 3),
            12 => self.replicas[at].watch_stalled_until_ms = until_ms,
            13 => {
                self.net.loss_percent = self.dice.below(6);
                self.net.jitter_ms = self.dice.between(1, 150);
                self.late_ms = self.dice.between(20, 30_000);
            }
            14 => self.jump_wall_clock(at),
            _ if self.replicas[at].runs(self.now_ms) => self.tell_election(at, Input::Shutdown),
            _ => {}
        }
    }

    /// The machine's wall clock is put forward or back by up to an hour; the process that runs goes on by its own.
    pub(crate) fn jump_wall_clock(&mut self, replica: usize) {
        let by_ms = i64::try_from(self.dice.below(7_200_000)).expect("two hours") - 3_600_000;
        self.replicas[replica].skew_ms = by_ms;
    }

    /// Ends all faults but those of machines.
    pub(crate) fn calm(&mut self) {
        self.fault_every_ms = 0;
        self.late_ms = 20;
        self.net.heal();
        for it in &mut self.replicas {
            it.watch_stalled_until_ms = 0;
        }
    }
}
