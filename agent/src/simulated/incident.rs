//! What goes wrong, and when: the script of the demonstration.

use std::time::Duration;

use super::plan::{GPUS_PER_NODE, Plan, ZONES, mix};

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incident {
    /// A GPU falls off the bus; its engine dies.
    GpuLost {
        /// Number of the node in the plan.
        node: usize,
        /// Index of the GPU.
        gpu: usize,
    },
    /// A node loses power: its agent stops without a word.
    NodeDown {
        /// Number of the node in the plan.
        node: usize,
    },
    /// Every node of a zone goes silent.
    ZoneDark {
        /// Its name.
        zone: &'static str,
    },
}

/// One line of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, counted from the start.
    pub at: Duration,
    /// Whether it begins or ends then.
    pub phase: Phase,
    /// What.
    pub incident: Incident,
}

/// The two ends of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It happens.
    Begin,
    /// It is put right.
    End,
}

/// Length of one round of the script; then it begins again elsewhere.
pub const ROUND: Duration = Duration::from_secs(90);

/// Seconds into the round at which (the GPU, the node, the zone) goes and comes back.
const TIMES: [(u64, u64); 3] = [(15, 68), (25, 36), (40, 55)];

/// The steps of round number `round`, in order of time.
pub fn round(plan: &Plan, round: u32) -> Vec<Step> {
    let nodes = plan.nodes();
    let zone = |offset: usize| ZONES[(round as usize + offset) % ZONES.len()];
    let pick = |zone: &str, salt: u64| {
        let of_zone: Vec<usize> = (0..nodes.len()).filter(|node| nodes[*node].zone == zone).collect();
        of_zone[(mix(plan.seed ^ mix(u64::from(round) * 8 + salt)) % of_zone.len() as u64) as usize]
    };
    let gpu = (mix(plan.seed ^ u64::from(round)) % GPUS_PER_NODE as u64) as usize;
    let incidents = [
        Incident::GpuLost { node: pick(zone(0), 1), gpu },
        Incident::NodeDown { node: pick(zone(1), 2) },
        Incident::ZoneDark { zone: zone(2) },
    ];
    let mut steps: Vec<Step> = incidents
        .into_iter()
        .zip(TIMES)
        .flat_map(|(incident, (begin, end))| {
            let at = |seconds| ROUND * round + Duration::from_secs(seconds);
            [
                Step { at: at(begin), phase: Phase::Begin, incident: incident.clone() },
                Step { at: at(end), phase: Phase::End, incident },
            ]
        })
        .collect();
    steps.sort_by_key(|step| step.at);
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_a_node_and_a_zone_fail_in_different_zones_and_all_come_back() {
        let plan = Plan::default();
        for number in 0..6 {
            let steps = round(&plan, number);
            assert!(steps.is_sorted_by_key(|step| step.at));
            let begun: Vec<_> = steps.iter().filter(|step| step.phase == Phase::Begin).collect();
            let nodes = plan.nodes();
            let zones: Vec<&str> = begun
                .iter()
                .map(|step| match step.incident {
                    Incident::GpuLost { node, .. } | Incident::NodeDown { node } => nodes[node].zone,
                    Incident::ZoneDark { zone } => zone,
                })
                .collect();
            assert!(zones[0] != zones[1] && zones[1] != zones[2] && zones[0] != zones[2], "{zones:?}");
            assert_eq!(steps.len(), 6);
            assert!(steps[5].at < ROUND * (number + 1));
        }
    }

    #[test]
    fn the_first_round_keeps_the_times_that_the_guide_tells() {
        let begins: Vec<u64> = round(&Plan::default(), 0)
            .iter()
            .filter(|step| step.phase == Phase::Begin)
            .map(|step| step.at.as_secs())
            .collect();
        assert_eq!(begins, [15, 25, 40]);
    }
}
