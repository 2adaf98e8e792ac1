//! A stretch of a trace on a clock of its own, on which the time without events is short.

use super::trace::Trace;
use crate::dice::Dice;

/// Time before the first event, in which the fleet connects and its rhythm is learned.
const SETTLE_MS: u64 = 20_000;

/// The longest time between two events, in seconds. It is twice the 15 s in which losses count together, and enough for a
/// verdict (6 s), for a node that returns to be trusted (5 s) and for a zone to be well again (15 s).
const PAUSE_S: u64 = 30;

/// What happens to which machine when.
#[derive(Clone, Debug)]
pub struct Script {
    /// Index of the zone of each machine.
    pub zones: Vec<usize>,
    /// Machines that are up at its beginning; what is down then is not known to anybody until it comes up.
    pub up: Vec<bool>,
    /// In order.
    pub changes: Vec<Change>,
    /// How long it takes.
    pub length_ms: u64,
}

/// A machine falls or returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, by the script's clock.
    pub at_ms: u64,
    /// Index of the machine.
    pub machine: usize,
    /// Whether it is up from now on.
    pub up: bool,
}

impl Script {
    /// The stretch between two moments of a trace. Within the second that the trace gives, events are spread at random.
    pub fn of(trace: &Trace, from_s: u64, to_s: u64) -> Self {
        let mut up = vec![true; trace.machines.len()];
        let mut events = Vec::new();
        for outage in &trace.outages {
            if (outage.from_s..outage.to_s).contains(&from_s) {
                up[outage.machine] = false;
            } else if (from_s..to_s).contains(&outage.from_s) {
                events.push((outage.from_s, outage.machine, false));
            }
            if (from_s + 1..to_s).contains(&outage.to_s) {
                events.push((outage.to_s, outage.machine, true));
            }
        }
        events.sort_unstable();
        let mut dice = Dice::new(from_s);
        let (mut script_s, mut trace_s) = (0, from_s);
        let changes = events.into_iter().map(|(at_s, machine, up)| {
            script_s += (at_s - trace_s).min(PAUSE_S);
            trace_s = at_s;
            Change { at_ms: SETTLE_MS + script_s * 1000 + dice.below(1000), machine, up }
        });
        let mut changes: Vec<Change> = changes.collect();
        changes.sort_by_key(|change| change.at_ms);
        let length_ms = changes.last().map_or(SETTLE_MS, |change| change.at_ms) + PAUSE_S * 1000;
        let zones = trace.machines.iter().map(|machine| machine.site).collect();
        Self { zones, up, changes, length_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_without_events_are_half_a_minute_and_what_is_close_together_stays_as_it_was() {
        let nodes = "\na,c,n1,0,0\na,c,n2,0,0\n";
        let trace = Trace::parse(nodes, "\na,c,n1,50,200\na,c,n1,10000,10007\na,c,n2,190,10009\n");
        let script = Script::of(&trace, 100, 20_000);
        assert_eq!(script.up, [false, true]);
        let changes: Vec<_> = script.changes.iter().map(|it| (it.at_ms / 1000, it.machine, it.up)).collect();
        // Falls after 90 s, 10 s later the other returns, 9,800 s later it falls again.
        assert_eq!(changes, [(50, 1, false), (60, 0, true), (90, 0, false), (97, 0, true), (99, 1, true)]);
        assert_eq!(script.length_ms / 1000, 129);
    }
}
