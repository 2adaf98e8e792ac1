//! The verdict on a GPU: what the agent sees, what the driver says is needed, and what its errors mean.

use std::time::Duration;

use super::fact::{GpuSample, Wear};
use super::verdict::Verdict;
use super::xid::{Action, Meaning, Recovery, Remedy, Table};
use crate::id::GpuId;
use crate::inventory::GpuState;
use crate::time::Time;

/// Errors remembered of one GPU.
const ERRORS_MAX: usize = 8;

/// How long an error waits for the driver's own verdict, which comes with the next sample, before the table's counts.
const DRIVER_SPEAKS: Duration = Duration::from_millis(1500);

/// Application errors that point at the GPU when they repeat on it: illegal instruction or access (13), MMU fault (31).
const REPEATING: [u32; 2] = [13, 31];

/// That many within [`REPEAT_WINDOW`]. NVIDIA names the rule and no number.
const REPEATS: usize = 3;
const REPEAT_WINDOW: Duration = Duration::from_secs(3600);

/// Restarts of the machine after which another one is no remedy, and the time they count in.
const REBOOTS: usize = 2;
const REBOOT_WINDOW: Duration = Duration::from_secs(7 * 86_400);

/// How long a fault by the table counts without another one when the driver never says whether anything is needed (before
/// R565): nobody tells of a reset then. One that was not mended shows again as soon as the GPU is used.
const FAULT_KEPT: Duration = Duration::from_secs(86_400);

/// Why a GPU has its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The agent sees it so.
    State(GpuState),
    /// The driver says what it needs.
    Driver,
    /// Its memory cannot repair itself any more.
    Worn(Wear),
    /// An error, by the table.
    Xid {
        /// Its number.
        number: u32,
        /// What the table says.
        action: Action,
    },
    /// An application error that came again and again on this GPU.
    Repeated {
        /// Its number.
        number: u32,
        /// How often.
        count: usize,
    },
}

/// A verdict on a GPU with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuEvidence {
    /// Why.
    pub cause: Cause,
    /// What would mend it.
    pub remedy: Remedy,
    /// Whether the remedy is the driver's own word and not the table's.
    pub driver_says: bool,
}

/// A fault or application error.
#[derive(Clone, Copy, Debug)]
struct Error {
    number: u32,
    action: Action,
    at: Time,
}

/// One GPU about which something was ever to be noted.
#[derive(Clone, Debug)]
pub(super) struct GpuWatch {
    pub(super) id: GpuId,
    sample: Option<(GpuSample, Time)>,
    /// What XID 154 said last.
    told: Option<(Recovery, Time)>,
    /// Newest last, at most [`ERRORS_MAX`].
    errors: Vec<Error>,
    /// Restarts of the machine while this GPU asked for one, newest last.
    reboots: [Option<Time>; REBOOTS],
    pub(super) verdict: Verdict,
    pub(super) evidence: Option<GpuEvidence>,
}

/// Whether a sample says nothing that a GPU without a history need remember.
pub(super) fn unremarkable(sample: &GpuSample) -> bool {
    let well = matches!(sample.state, GpuState::Ok | GpuState::Unknown | GpuState::Unreadable);
    well && matches!(sample.recovery, None | Some(0)) && sample.worn == Wear::None
}

impl GpuWatch {
    pub(super) fn new(id: GpuId) -> GpuWatch {
        GpuWatch {
            id,
            sample: None,
            told: None,
            errors: Vec::new(),
            reboots: [None; REBOOTS],
            verdict: Verdict::Healthy,
            evidence: None,
        }
    }

    pub(super) fn note_sample(&mut self, sample: GpuSample, now: Time) {
        self.sample = Some((sample, now));
    }

    /// Takes an error; false when it is only to be reported.
    pub(super) fn note_xid(&mut self, number: u32, message: &str, table: &Table, now: Time) -> bool {
        let Some(action) = table.action(number) else { return false };
        if action == Action::DriverVerdict
            && let Some(recovery) = Recovery::from_message(message)
        {
            self.told = Some((recovery, now));
            return true;
        }
        if action.meaning() == Meaning::Reported {
            return false;
        }
        if self.errors.len() == ERRORS_MAX {
            // Faults outlive application errors, which are many.
            let oldest = self.errors.iter().position(|error| error.action == Action::RestartApp).unwrap_or(0);
            self.errors.remove(oldest);
        }
        self.errors.push(Error { number, action, at: now });
        true
    }

    /// The machine started again: what needed that is over.
    pub(super) fn restart(&mut self, now: Time) {
        if self.evidence.is_some_and(|evidence| evidence.remedy == Remedy::RebootNode) {
            self.reboots.rotate_left(1);
            self.reboots[REBOOTS - 1] = Some(now);
        }
        (self.sample, self.told) = (None, None);
        self.errors.clear();
    }

    /// Whether nothing of it need be remembered.
    pub(super) fn forgettable(&self) -> bool {
        let quiet = self.verdict == Verdict::Healthy && self.errors.is_empty() && self.told.is_none();
        quiet
            && self.reboots == [None; REBOOTS]
            && self.sample.is_none_or(|(sample, _)| unremarkable(&sample))
    }

    /// Moves the verdict to where the facts lead; the one before when it, or its reason, moved.
    pub(super) fn settle(&mut self, now: Time) -> Option<Verdict> {
        self.expire(now);
        let found = self.find(now).map(|(verdict, evidence)| (verdict, self.escalated(evidence)));
        let (verdict, evidence) = found.map_or((Verdict::Healthy, None), |(it, why)| (it, Some(why)));
        let moved = verdict != self.verdict || evidence != self.evidence;
        self.evidence = evidence;
        let was = std::mem::replace(&mut self.verdict, verdict);
        moved.then_some(was)
    }

    fn find(&self, now: Time) -> Option<(Verdict, GpuEvidence)> {
        let state = self.sample.map_or(GpuState::Unknown, |(sample, _)| sample.state);
        let driver = self.driver();
        let of = |verdict, cause, remedy| {
            let needed = match driver {
                Some(Recovery::Needed(needed)) => Some(needed),
                Some(Recovery::None) | None => None,
            };
            let remedy = needed.unwrap_or(remedy);
            Some((verdict, GpuEvidence { cause, remedy, driver_says: needed.is_some() }))
        };
        let state_cause = Cause::State(state);
        match state {
            GpuState::Lost => return of(Verdict::GpuLost, state_cause, Remedy::RebootNode),
            GpuState::Hung => return of(Verdict::GpuHung, state_cause, Remedy::RebootNode),
            GpuState::Unknown | GpuState::Ok | GpuState::Degraded | GpuState::Unreadable => {}
        }
        if let Some(fault) = self.fault(now) {
            let Meaning::Fault(verdict, remedy) = fault.action.meaning() else { return None };
            return of(verdict, Cause::Xid { number: fault.number, action: fault.action }, remedy);
        }
        if let Some(Recovery::Needed(remedy)) = driver {
            return of(Verdict::GpuDegraded, Cause::Driver, remedy);
        }
        let worn = self.sample.map_or(Wear::None, |(sample, _)| sample.worn);
        if worn != Wear::None {
            return of(Verdict::GpuDegraded, Cause::Worn(worn), Remedy::Inspect);
        }
        if let Some((number, count)) = self.repeated() {
            return of(Verdict::GpuDegraded, Cause::Repeated { number, count }, Remedy::Inspect);
        }
        let degraded = state == GpuState::Degraded;
        degraded.then(|| of(Verdict::GpuDegraded, state_cause, Remedy::Watch)).flatten()
    }

    /// What the driver said last, by either way.
    fn driver(&self) -> Option<Recovery> {
        let field = self.field().map(|(recovery, _)| recovery);
        match (self.told, self.field()) {
            (Some((told, at)), Some((_, read))) if at > read => Some(told),
            (Some((told, _)), None) => Some(told),
            (_, _) => field,
        }
    }

    fn field(&self) -> Option<(Recovery, Time)> {
        let (sample, at) = self.sample?;
        Some((Recovery::from_field(sample.recovery?)?, at))
    }

    /// The worst error by the table that the driver did not overrule and had its chance to.
    fn fault(&self, now: Time) -> Option<Error> {
        let settled = |error: &&Error| {
            let Meaning::Fault(verdict, _) = error.action.meaning() else { return false };
            let sampled = self.sample.is_some_and(|(_, at)| at > error.at);
            verdict == Verdict::GpuLost || sampled || now.since(error.at) >= DRIVER_SPEAKS
        };
        let worst = |error: &&Error| match error.action.meaning() {
            Meaning::Fault(verdict, remedy) => (verdict == Verdict::GpuLost, remedy),
            Meaning::Application | Meaning::Reported => (false, Remedy::Watch),
        };
        self.errors.iter().filter(settled).max_by_key(worst).copied()
    }

    fn repeated(&self) -> Option<(u32, usize)> {
        let count = |number| self.errors.iter().filter(|error| error.number == number).count();
        REPEATING.map(|number| (number, count(number))).into_iter().find(|(_, count)| *count >= REPEATS)
    }

    /// Forgets application errors that are old, faults after which the driver says that nothing is needed or never speaks,
    /// and restarts of long ago.
    fn expire(&mut self, now: Time) {
        let cleared = match (self.field(), self.told) {
            (Some((Recovery::None, at)), _) | (None, Some((Recovery::None, at))) => Some(at),
            (_, _) => None,
        };
        let mute = self.driver().is_none();
        self.errors.retain(|error| match error.action.meaning() {
            Meaning::Application => now.since(error.at) <= REPEAT_WINDOW,
            Meaning::Fault(..) | Meaning::Reported => {
                cleared.is_none_or(|at| error.at >= at) && !(mute && now.since(error.at) > FAULT_KEPT)
            }
        });
        for reboot in &mut self.reboots {
            *reboot = reboot.filter(|at| now.since(*at) <= REBOOT_WINDOW);
        }
        if let (Some((Recovery::None, at)), Some((_, told))) = (self.field(), self.told)
            && at > told
        {
            self.told = None;
        }
    }

    fn escalated(&self, evidence: GpuEvidence) -> GpuEvidence {
        let useless = evidence.remedy == Remedy::RebootNode && self.reboots.iter().all(Option::is_some);
        if useless {
            GpuEvidence { remedy: Remedy::Inspect, driver_says: false, ..evidence }
        } else {
            evidence
        }
    }
}
