//! The phases of a replica, and how long each takes.
//!
//! ```text
//! PENDING_NODE -> PULL -> LOAD -> WARM -> READY -> DRAINING -> gone
//!                                    (any) -> LOST -> gone
//! ```
//!
//! A replica waits for a node unless one with a free place is there, and pulls the image unless its node has it.
//! LOST is a replica that is dead and still counted, until somebody notices.

use std::path::Path;

use crate::profile::Profile;
use crate::random::{Law, Samples};
use crate::time::Span;
use crate::trace::{Error, Lines};

/// Where a replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Its node is being made.
    PendingNode,
    /// The image is being pulled.
    Pull,
    /// The weights are being loaded.
    Load,
    /// Kernels are compiled and graphs captured.
    Warm,
    /// It serves.
    Ready,
    /// It ends what it has and gets nothing new.
    Draining,
    /// It is dead, and nobody knows yet.
    Lost,
}

impl Phase {
    /// What follows when this phase has taken its time; none when nothing does by itself.
    pub fn next(self) -> Option<Phase> {
        match self {
            Phase::PendingNode => Some(Phase::Pull),
            Phase::Pull => Some(Phase::Load),
            Phase::Load => Some(Phase::Warm),
            Phase::Warm => Some(Phase::Ready),
            Phase::Ready | Phase::Draining | Phase::Lost => None,
        }
    }

    /// Whether it will serve, and does not yet.
    pub fn is_starting(self) -> bool {
        match self {
            Phase::PendingNode | Phase::Pull | Phase::Load | Phase::Warm => true,
            Phase::Ready | Phase::Draining | Phase::Lost => false,
        }
    }
}

/// How long the phases of a start take.
#[derive(Clone, Debug, PartialEq)]
pub struct Startup {
    /// Until a new node is there.
    pub pending_node: Law,
    /// The image, on a node that does not have it.
    pub pull: Law,
    /// The weights.
    pub load: Law,
    /// What follows before the first request.
    pub warm: Law,
}

/// Spread of a phase around its median, which puts p99 at 2.0 medians: an assumption. The measured loads of one service in
/// `cold_start/` have 2.3 (22.7 s and 51.9 s).
const SIGMA: f64 = 0.3;

/// Weights a second: 140 GB in the 84 s that ServerlessLLM measured for a plain load of LLaMA-2-70B
/// (reference/autoscaling.md §4).
const LOAD_BYTES_PER_SECOND: u64 = 140_000_000_000 / 84;

impl Startup {
    /// Published and assumed figures.
    ///
    /// A node: 210 s, the middle of the autoscaler FAQ's 3 to 4 minutes. Image: 30 s, an assumption. Load: by the size of the
    /// weights. Warm-up: 40 s, so that a 70B replica on a node that is there takes 30 + 84 + 40 = 154 s, where SageServe
    /// measured 155 s.
    pub fn of(profile: &Profile) -> Startup {
        let around = |median| Law::LogNormal { median, sigma: SIGMA };
        Startup {
            pending_node: around(Span::from_seconds(210)),
            pull: around(Span::from_seconds(30)),
            load: around(Span::from_millis(profile.weights_bytes * 1000 / LOAD_BYTES_PER_SECOND)),
            warm: around(Span::from_seconds(40)),
        }
    }

    /// Always the same time from asking to serving, wherever it runs.
    pub fn constant(total: Span) -> Startup {
        let none = Law::Constant(Span::ZERO);
        Startup { pending_node: none.clone(), pull: none.clone(), load: Law::Constant(total), warm: none }
    }

    /// With loads that were measured.
    pub fn with_loads(self, loads: Samples) -> Startup {
        Startup { load: Law::Empirical(loads), ..self }
    }
}

/// Most rows of a file of measured loads; the published one has 7,531.
const LOADS_MAX: usize = 100_000;

/// Reads measured loads: `timestamp_anon,value,container_ip` with values in milliseconds, as in the GenAI traces of Alibaba.
/// A zero is a load that did not take place and is left out.
pub fn read_loads(file: &Path) -> Result<Samples, Error> {
    let mut loads = Vec::new();
    for line in Lines::table(file, &["timestamp_anon", "value"])?.at_most(LOADS_MAX) {
        let millis = line?.number(1, "value", 0.0..=1e8)?;
        if millis > 0.0 {
            loads.push(Span::clamped_from_seconds(millis / 1e3));
        }
    }
    Samples::new(loads).ok_or_else(|| Error::whole(file, "has no load", "give one with rows"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn a_70b_replica_starts_as_fast_as_measured_elsewhere() {
        let startup = Startup::of(&Profile::llama_70b_8xh100());
        let mut stream = random::stream(1, "start", [0, 0]);
        let mut totals: Vec<f64> = (0..4001)
            .map(|_| {
                [&startup.pull, &startup.load, &startup.warm].map(|law| law.draw(&mut stream).as_seconds())
            })
            .map(|phases| phases.iter().sum())
            .collect();
        totals.sort_by(f64::total_cmp);
        assert!((totals[2000] - 155.0).abs() < 10.0, "{}", totals[2000]);
    }

    #[test]
    fn more_loads_than_are_held_are_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let with = |rows| {
            let text = format!("timestamp_anon,value\n{}", "0,9\n".repeat(rows));
            std::fs::write(file.path(), text).unwrap();
            read_loads(file.path()).map_err(|error| error.to_string())
        };
        assert_eq!(with(LOADS_MAX).unwrap().quantile(0.5), Span::from_millis(9));
        let error = with(LOADS_MAX + 1).unwrap_err();
        assert!(error.contains(":100002: column 1 (row): is one row too many"), "{error}");
    }

    #[test]
    fn every_start_ends_ready() {
        let mut phase = Phase::PendingNode;
        let mut passed = vec![phase];
        while let Some(next) = phase.next() {
            phase = next;
            passed.push(phase);
        }
        assert_eq!(passed, [Phase::PendingNode, Phase::Pull, Phase::Load, Phase::Warm, Phase::Ready]);
    }
}
