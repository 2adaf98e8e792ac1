//! Faults of GPU servers, replayed: what is seen of each is told as an agent tells it, and the verdict is waited for.

use std::collections::BTreeMap;

use ostler_core::detect::{Subject, Verdict};
use ostler_core::event::{What, Xid};
use ostler_core::inventory::GpuState;

use super::falls::falls;
use super::faults::{Fault, Faults, Symptom};
use super::fleet::{Fleet, Network};
use super::machine::GPUS_MAX;
use super::score::Score;
use super::script::{Change, Script};
use crate::dice::Dice;

/// Time before the first fault, and of each.
const SETTLE_MS: u64 = 20_000;
const FAULT_MS: u64 = 30_000;

/// When in its time a fault shows at the latest, and when it is mended.
const SHOWS_MS: u64 = 2_000;
const MENDED_MS: u64 = 15_000;

/// Zones that the servers are spread over. The trace does not say where they were.
const ZONES: usize = 4;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct GpuScore {
    /// As of any outage.
    pub servers: Score,
    /// Until each fault of a GPU had its verdict.
    pub told_ms: Vec<u64>,
    /// Faults of GPUs that never had it.
    pub missed: u64,
    /// Verdicts on GPUs that were well, or other ones than the fault asks for.
    pub wrong: u64,
    /// Faults by what is seen of them.
    pub faults: BTreeMap<Symptom, u64>,
}

/// Replays so many of the faults, evenly over all of them, one after the other.
pub fn replay_gpus(faults: &Faults, most: usize, network: Network) -> GpuScore {
    let every = faults.faults.len().div_ceil(most).max(1);
    let chosen: Vec<&Fault> = faults.faults.iter().step_by(every).collect();
    let script = script(faults.servers, &chosen);
    let mut fleet = Fleet::new(&script, network, GPUS_MAX, u64::MAX / 4);
    let mut score = GpuScore::default();
    let mut dice = Dice::new(7);
    for (fault, from_ms) in chosen.iter().zip((0..).map(|number| SETTLE_MS + number * FAULT_MS)) {
        *score.faults.entry(fault.symptom).or_default() += 1;
        fleet.run_until(from_ms + dice.below(SHOWS_MS));
        score.follow(&mut fleet, fault, from_ms + MENDED_MS - 1);
    }
    let record = fleet.run();
    score.servers.add(&script, &record, &falls(&script, u64::MAX / 4));
    score
}

/// Servers that fall silent fall at the beginning of their time; each is mended by starting it again.
fn script(servers: usize, faults: &[&Fault]) -> Script {
    let mut changes = Vec::new();
    for (fault, from_ms) in faults.iter().zip((0..).map(|number| SETTLE_MS + number * FAULT_MS)) {
        let machine = fault.server;
        if fault.symptom == Symptom::Silence {
            changes.push(Change { at_ms: from_ms + SHOWS_MS, machine, up: false });
        }
        if fault.symptom != Symptom::Nothing {
            changes.push(Change { at_ms: from_ms + MENDED_MS, machine, up: true });
        }
    }
    let length_ms = SETTLE_MS + faults.len() as u64 * FAULT_MS;
    Script {
        zones: (0..servers).map(|server| server % ZONES).collect(),
        up: vec![true; servers],
        changes,
        length_ms,
    }
}

impl GpuScore {
    /// Lets a fault show, and looks every 20 ms what is said of GPUs.
    fn follow(&mut self, fleet: &mut Fleet<'_>, fault: &Fault, until_ms: u64) {
        let Some((what, verdict)) = shows(fleet, fault) else {
            fleet.run_until(until_ms);
            self.wrong += gpu_verdicts(fleet).count() as u64;
            return;
        };
        let from_ms = fleet.now_ms();
        fleet.tell(fault.server, from_ms, what);
        let mut told_ms = None;
        while fleet.now_ms() < until_ms {
            fleet.run_until(fleet.now_ms() + 20);
            if told_ms.is_none() && gpu_verdicts(fleet).any(|it| it == verdict) {
                told_ms = Some(fleet.now_ms() - from_ms);
            }
        }
        self.wrong += gpu_verdicts(fleet).filter(|it| *it != verdict).count() as u64;
        self.wrong += gpu_verdicts(fleet).count().saturating_sub(1) as u64;
        match told_ms {
            Some(told_ms) => self.told_ms.push(told_ms),
            None => self.missed += 1,
        }
    }
}

fn gpu_verdicts(fleet: &Fleet<'_>) -> impl Iterator<Item = Verdict> {
    let findings = fleet.engine().detector().findings();
    findings.filter(|(subject, _)| matches!(subject, Subject::Gpu(..))).map(|(_, finding)| finding.verdict)
}

/// What the agent says of a fault of its first GPU, and the verdict that is due.
fn shows(fleet: &Fleet<'_>, fault: &Fault) -> Option<(What, Verdict)> {
    let gpu = fleet.machine(fault.server).gpu(0);
    let state = |to| What::Gpu { gpu: gpu.clone(), from: GpuState::Ok, to, detail: fault.name.clone() };
    match fault.symptom {
        Symptom::Silence | Symptom::Nothing => None,
        Symptom::GpuLost => Some((state(GpuState::Lost), Verdict::GpuLost)),
        Symptom::GpuHung => Some((state(GpuState::Hung), Verdict::GpuHung)),
        Symptom::Xid(number) => {
            let verdict = if number == 79 { Verdict::GpuLost } else { Verdict::GpuDegraded };
            let xid = Xid {
                gpu: Some(gpu.clone()),
                pci_bus_id: Box::default(),
                number,
                gpu_instance_id: None,
                compute_instance_id: None,
                source: Box::from("nvml"),
                message: fault.name.clone(),
                nvswitch: false,
            };
            Some((What::Xid(xid), verdict))
        }
    }
}
