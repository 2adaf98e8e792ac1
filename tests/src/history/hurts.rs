//! What was broken when, from the history's own account of it.

use std::collections::BTreeMap;

use super::{Entry, Fact, Fault, Moment, Places};

/// The times in which each fault lasted; open ones end never.
#[derive(Debug, Default)]
pub(super) struct Hurts {
    times: BTreeMap<Fault, Vec<(Moment, Option<Moment>)>>,
}

impl Hurts {
    pub(super) fn of(entries: &[Entry]) -> Hurts {
        let mut times: BTreeMap<Fault, Vec<(Moment, Option<Moment>)>> = BTreeMap::new();
        for entry in entries {
            match &entry.fact {
                Fact::Hurt(fault) => times.entry(fault.clone()).or_default().push((entry.at, None)),
                Fact::Healed(fault) => {
                    if let Some((_, end @ None)) = times.get_mut(fault).and_then(|times| times.last_mut()) {
                        *end = Some(entry.at);
                    }
                }
                Fact::Claimed { .. } | Fact::Stored { .. } | Fact::Heard(_) | Fact::Accused { .. } => {}
            }
        }
        Hurts { times }
    }

    /// Whether a fault lasted at any moment of a time.
    pub(super) fn touches(&self, fault: &Fault, from: Moment, to: Moment) -> bool {
        self.of_fault(fault).any(|(begin, end)| begin <= to && end.is_none_or(|end| end >= from))
    }

    /// Since when a fault lasts, if it does at a moment.
    pub(super) fn since(&self, fault: &Fault, at: Moment) -> Option<Moment> {
        let lasts = |&(begin, end): &(Moment, Option<Moment>)| begin <= at && end.is_none_or(|end| end > at);
        self.of_fault(fault).find(lasts).map(|(begin, _)| begin)
    }

    /// Whether a node was well all the time: its agent ran, and its zone was linked both ways with another one, so that its
    /// own zone and that one would have had answers from it.
    pub(super) fn well(&self, node: &str, places: &Places, from: Moment, to: Moment) -> bool {
        let Some(zone) = places.nodes.get(node) else { return false };
        let down = [Fault::AgentDown(node.to_owned()), Fault::NodeDark(node.to_owned())];
        let uncut =
            |a: &String, b: &String| !self.touches(&Fault::Cut { from: a.clone(), to: b.clone() }, from, to);
        !down.iter().any(|fault| self.touches(fault, from, to))
            && places.zones.iter().any(|other| other != zone && uncut(zone, other) && uncut(other, zone))
    }

    fn of_fault(&self, fault: &Fault) -> impl Iterator<Item = (Moment, Option<Moment>)> {
        self.times.get(fault).into_iter().flatten().copied()
    }
}
