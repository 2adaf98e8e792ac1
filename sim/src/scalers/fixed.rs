//! Counts that were planned beforehand. One for all times is [`Static`](crate::scaler::Static).

use ostler_core::time::Time;

use crate::scaler::{Observation, Scaler, Wanted};

/// Steps in order of time, each until the next; the last one stays. What a clairvoyant follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    name: String,
    steps: Vec<(Time, u32)>,
}

impl Plan {
    /// None unless there is a step and their times increase.
    pub fn new(name: &str, steps: Vec<(Time, u32)>) -> Option<Plan> {
        let valid = !steps.is_empty() && steps.is_sorted_by(|one, two| one.0 < two.0);
        valid.then(|| Plan { name: name.to_owned(), steps })
    }
}

impl Scaler for Plan {
    fn name(&self) -> &str {
        &self.name
    }

    /// Before the first step, as many as there are.
    fn decide(&mut self, seen: &Observation) -> Wanted {
        let begun = self.steps.partition_point(|(from, _)| *from <= seen.now);
        match begun.checked_sub(1) {
            Some(last) => Wanted::on_demand(self.steps[last].1),
            None => seen.wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{Load, seen};

    #[test]
    fn a_plan_is_followed_step_by_step() {
        let at = |seconds: u64| Time::from_millis(seconds * 1000);
        let mut plan = Plan::new("plan", vec![(at(10), 7), (at(20), 3)]).unwrap();
        let wanted = [0, 9, 10, 19, 20, 9999].map(|s| plan.decide(&seen(s, &[Load(0, 0, 0.0)], 0)).total());
        assert_eq!(wanted, [1, 1, 7, 7, 3, 3]);
        assert_eq!(Plan::new("plan", Vec::new()), None);
        assert_eq!(Plan::new("plan", vec![(at(20), 7), (at(10), 3)]), None);
    }
}
