//! What the parent knows about the node's GPUs: the newest values, and a state for each that says why it is not well.
//!
//! A GPU that was seen once stays on the board until the agent ends: one that falls off the bus, or that a new child no
//! longer finds, is reported as lost and not as never having been there.

use ostler_proto::v1::{self, GpuState, Metric, agent_event};

use crate::{
    nvml::{
        fault::{code, describe},
        frame::Health,
        section::{Periods, SECTIONS, Section},
    },
    sample::{GPUS_MAX, GpuSample, Group},
};

/// Events kept until they are taken; an agent takes them every second, so this is a flood.
const EVENTS_MAX: usize = 256;

/// Bits of nvmlClocksEventReasons that mean heat: software and hardware thermal slowdown.
const HEAT: i64 = 0x20 | 0x40;

/// One GPU that was seen.
#[derive(Clone, Debug)]
struct Known {
    info: v1::GpuInfo,
    groups: Vec<(Section, Group)>,
    health: Health,
    /// Whether the living child, or the last one that lived, found it.
    found: bool,
    xids: i64,
}

/// All GPUs that were seen, and what happened to them.
#[derive(Clone, Debug)]
pub(crate) struct Board {
    periods: Periods,
    /// In index order.
    gpus: Vec<Known>,
    /// Position in `gpus` of each GPU as the child numbers them.
    positions: Vec<usize>,
    events: Vec<agent_event::Kind>,
    /// Whether an event was pushed since this was last cleared.
    pub(crate) news: bool,
    /// Events that found no room since the agent started.
    pub(crate) events_dropped: u64,
    /// GPUs that NVML counts; more than the board holds are left out.
    pub(crate) gpus_found: u32,
    /// Whether a child ever gave a value.
    pub(crate) worked: bool,
}

impl Board {
    pub(crate) fn new(periods: Periods) -> Board {
        Board {
            periods,
            gpus: Vec::new(),
            positions: Vec::new(),
            events: Vec::new(),
            news: false,
            events_dropped: 0,
            gpus_found: 0,
            worked: false,
        }
    }

    /// How often each section is read from now on.
    pub(crate) fn set_periods(&mut self, periods: Periods) {
        self.periods = periods;
        for (section, group) in self.gpus.iter_mut().flat_map(|gpu| &mut gpu.groups) {
            group.period = section.period(&periods).unwrap_or(group.period);
        }
    }

    /// A child says which GPUs there are.
    pub(crate) fn inventory(&mut self, gpus_found: u32, gpus: Vec<v1::GpuInfo>) {
        self.gpus_found = gpus_found;
        self.gpus.iter_mut().for_each(|gpu| gpu.found = false);
        let (named, unnamed): (Vec<_>, Vec<_>) =
            gpus.into_iter().take(GPUS_MAX).partition(|gpu| !gpu.uuid.is_empty());
        let mut places = Vec::new();
        for info in named {
            let known = self.gpus.iter().position(|gpu| gpu.info.uuid == info.uuid);
            places.push((info.index, self.place(known, info)));
        }
        for mut info in unnamed {
            // A GPU that does not say who it is must be one of those that are missing, most likely at its old index.
            let missing = |gpu: &Known| !gpu.found;
            let known = self
                .gpus
                .iter()
                .position(|gpu| missing(gpu) && gpu.info.index == info.index)
                .or_else(|| self.gpus.iter().position(missing));
            match known {
                Some(known) => info = v1::GpuInfo { index: info.index, ..self.gpus[known].info.clone() },
                None => info.uuid = format!("GPU-unidentified-{}", info.index),
            }
            places.push((info.index, self.place(known, info)));
        }
        self.sort(&places);
    }

    fn place(&mut self, known: Option<usize>, mut info: v1::GpuInfo) -> usize {
        match known {
            Some(known) => {
                let gpu = &mut self.gpus[known];
                (info.state, info.detail) = (gpu.info.state, std::mem::take(&mut gpu.info.detail));
                gpu.info = info;
                gpu.found = true;
                known
            }
            None => {
                // A placeholder gives way to the GPU that it stood for.
                self.gpus.push(Known {
                    info,
                    groups: empty_groups(&self.periods),
                    health: Health::Ok,
                    found: true,
                    xids: 0,
                });
                self.gpus.len() - 1
            }
        }
    }

    /// Puts the board in index order and remembers where the child's numbers point.
    fn sort(&mut self, places: &[(u32, usize)]) {
        let uuids: Vec<(u32, String)> =
            places.iter().map(|(index, place)| (*index, self.gpus[*place].info.uuid.clone())).collect();
        self.gpus.retain(|gpu| gpu.found || !gpu.info.uuid.starts_with("GPU-unidentified-"));
        self.gpus.sort_by_key(|gpu| (gpu.info.index, !gpu.found));
        // Those that are there come first when there is not room for all.
        while self.gpus.len() > GPUS_MAX {
            match self.gpus.iter().rposition(|gpu| !gpu.found) {
                Some(position) => drop(self.gpus.remove(position)),
                None => self.gpus.truncate(GPUS_MAX),
            }
        }
        self.positions = vec![usize::MAX; GPUS_MAX];
        for (index, uuid) in uuids {
            let position = self.gpus.iter().position(|gpu| gpu.info.uuid == uuid);
            if let (Some(slot), Some(position)) =
                (self.positions.get_mut(usize::try_from(index).unwrap_or(usize::MAX)), position)
            {
                *slot = position;
            }
        }
    }

    fn by_number(&mut self, gpu: u8) -> Option<&mut Known> {
        let position = *self.positions.get(usize::from(gpu))?;
        self.gpus.get_mut(position)
    }

    /// A child gives the values of one section.
    pub(crate) fn values(&mut self, gpu: u8, section: Section, health: Health, values: &[Option<i64>]) {
        self.worked |= health == Health::Ok;
        let Some(known) = self.by_number(gpu) else { return };
        // Slow sections may fail where the fast one works; the GPU's health is what its cheap calls say.
        if section == Section::Fast || matches!(health, Health::Lost(_)) {
            known.health = health;
        }
        let xids = known.xids;
        let Some((_, group)) = known.groups.iter_mut().find(|(known, _)| *known == section) else { return };
        group.sampled = true;
        for ((metric, slot), value) in group.values.iter_mut().zip(values) {
            *slot = if *metric == Metric::GpuXidErrorsTotal { Some(xids) } else { *value };
        }
    }

    /// The driver reported an XID.
    pub(crate) fn xid(&mut self, gpu: u8, xid: u32, instances: [Option<u32>; 2]) {
        let Some(known) = self.by_number(gpu) else { return };
        known.xids += 1;
        let [gpu_instance_id, compute_instance_id] = instances;
        let event = v1::XidEvent {
            gpu_uuid: known.info.uuid.clone(),
            pci_bus_id: known.info.pci_bus_id.clone(),
            xid,
            gpu_instance_id,
            compute_instance_id,
            source: "nvml".to_owned(),
            message: String::new(),
            nvswitch: false,
        };
        self.push(agent_event::Kind::Xid(event));
    }

    /// Keeps an event until the next look, if there is room.
    pub(crate) fn push(&mut self, event: agent_event::Kind) {
        self.news = true;
        if self.events.len() < EVENTS_MAX {
            self.events.push(event);
        } else {
            self.events_dropped += 1;
        }
    }

    /// Gives each GPU its state. `hung` names the calls that hang on the GPU of that number; `unreadable` says why no
    /// GPU can be read, if that is so.
    pub(crate) fn judge(&mut self, hung: impl Fn(u8) -> Option<String>, unreadable: Option<&str>) {
        let mut changes = Vec::new();
        for (position, gpu) in self.gpus.iter_mut().enumerate() {
            let number = self.positions.iter().position(|place| *place == position);
            let hung = number.and_then(|number| hung(u8::try_from(number).ok()?));
            let (state, detail) = judge_one(gpu, hung, unreadable);
            if state != GpuState::Ok && state != GpuState::Degraded && state != GpuState::Hung {
                forget_values(gpu);
            }
            let from = gpu.info.state();
            if from != state && from != GpuState::Unspecified {
                changes.push(v1::GpuEvent {
                    gpu_uuid: gpu.info.uuid.clone(),
                    from: from.into(),
                    to: state.into(),
                    detail: detail.clone(),
                });
            }
            gpu.info.set_state(state);
            gpu.info.detail = detail;
        }
        changes.into_iter().for_each(|change| self.push(agent_event::Kind::Gpu(change)));
    }

    /// How many GPUs are in that state.
    pub(crate) fn count(&self, state: GpuState) -> usize {
        self.gpus.iter().filter(|gpu| gpu.info.state() == state).count()
    }

    /// Numbers of the GPUs in that state, for a person.
    pub(crate) fn indices(&self, state: GpuState) -> String {
        let indices = self.gpus.iter().filter(|gpu| gpu.info.state() == state);
        indices.map(|gpu| gpu.info.index.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// The newest values of all GPUs and the events since the last time.
    pub(crate) fn take(&mut self) -> (Vec<GpuSample>, Vec<agent_event::Kind>) {
        let mut samples = Vec::with_capacity(self.gpus.len());
        for gpu in &mut self.gpus {
            let groups = gpu.groups.iter_mut().map(|(_, group)| {
                let copy = group.clone();
                group.sampled = false;
                copy
            });
            samples.push(GpuSample { groups: groups.collect(), info: gpu.info.clone() });
        }
        (samples, std::mem::take(&mut self.events))
    }
}

fn empty_groups(periods: &Periods) -> Vec<(Section, Group)> {
    let group = |section: Section| {
        let period = section.period(periods)?;
        let values = section.metrics().iter().map(|metric| (*metric, None)).collect();
        Some((section, Group { period, sampled: false, values }))
    };
    SECTIONS.iter().filter_map(|section| group(*section)).collect()
}

fn forget_values(gpu: &mut Known) {
    let values = gpu.groups.iter_mut().flat_map(|(_, group)| &mut group.values);
    values.filter(|(metric, _)| *metric != Metric::GpuXidErrorsTotal).for_each(|(_, value)| *value = None);
}

fn judge_one(gpu: &Known, hung: Option<String>, unreadable: Option<&str>) -> (GpuState, String) {
    if let Some(hung) = hung {
        return (GpuState::Hung, hung);
    }
    if let Some(reason) = unreadable {
        return (GpuState::Unreadable, reason.to_owned());
    }
    if !gpu.found {
        let detail = "NVML no longer finds this GPU: it left the bus. Look at the kernel log for XID 79; drain the \
                      node and reboot it";
        return (GpuState::Lost, detail.to_owned());
    }
    match gpu.health {
        Health::Lost(code::RESET_REQUIRED) => {
            let detail = "NVML says that the GPU requires a reset: drain it and run `nvidia-smi --gpu-reset`";
            (GpuState::Lost, detail.to_owned())
        }
        Health::Lost(number) => {
            let detail = format!(
                "NVML says: {} ({number}). The GPU fell off the bus or cannot be reached; drain the node and reboot it",
                describe(number)
            );
            (GpuState::Lost, detail)
        }
        Health::Unreadable(number) => {
            let detail = format!("no call on this GPU succeeds: {} ({number})", describe(number));
            (GpuState::Unreadable, detail)
        }
        Health::Ok => match complaint(gpu) {
            Some(complaint) => (GpuState::Degraded, complaint.to_owned()),
            None => (GpuState::Ok, String::new()),
        },
    }
}

/// What asks for attention on a GPU that can be read, most serious first.
fn complaint(gpu: &Known) -> Option<&'static str> {
    let value = |metric| {
        let mut all = gpu.groups.iter().flat_map(|(_, group)| &group.values);
        all.find(|(known, _)| *known == metric).and_then(|(_, value)| *value)
    };
    match value(Metric::GpuRecoveryAction) {
        None | Some(0) => {}
        Some(1) => return Some("the driver asks for a reset of the GPU"),
        Some(2) => return Some("the driver asks for a reboot of the node"),
        Some(3) => return Some("the driver asks to drain peer-to-peer traffic"),
        Some(4) => return Some("the driver asks to drain and reset the GPU"),
        Some(5) => return Some("the driver asks to recover the IMEX domain"),
        Some(_) => return Some("the driver asks for a recovery action that this agent does not know"),
    }
    if value(Metric::GpuSramEccThresholdExceeded) == Some(1) {
        return Some("the SRAM error threshold was exceeded: the GPU wants replacement");
    }
    if value(Metric::GpuRowRemapFailed) == Some(1) {
        return Some("a row remap failed: the GPU wants inspection");
    }
    if value(Metric::GpuRowRemapPending) == Some(1) {
        return Some("a row remap waits for a reset of the GPU");
    }
    if value(Metric::GpuPagesRetiredPending) == Some(1) {
        return Some("a page retirement waits for a reboot");
    }
    if value(Metric::GpuThrottleReasons).is_some_and(|reasons| reasons & HEAT != 0) {
        return Some("slowed down by heat");
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn board() -> Board {
        let mut board = Board::new(Periods {
            fast: Duration::from_secs(1),
            slow: Duration::from_secs(10),
            bandwidth: None,
        });
        board.inventory(2, vec![gpu(0, "GPU-a"), gpu(1, "GPU-b")]);
        board
    }

    fn gpu(index: u32, uuid: &str) -> v1::GpuInfo {
        v1::GpuInfo { index, uuid: uuid.into(), ..Default::default() }
    }

    fn fast(metric: Metric, value: i64) -> Vec<Option<i64>> {
        let metrics = Section::Fast.metrics().iter();
        metrics.map(|known| (*known == metric).then_some(value)).collect()
    }

    fn states(board: &Board) -> Vec<GpuState> {
        board.gpus.iter().map(|gpu| gpu.info.state()).collect()
    }

    #[test]
    fn a_lost_gpu_has_no_values_and_the_other_keeps_its_own() {
        let mut board = board();
        board.values(0, Section::Fast, Health::Ok, &fast(Metric::GpuPowerMilliwatts, 7));
        board.values(1, Section::Fast, Health::Ok, &fast(Metric::GpuPowerMilliwatts, 9));
        board.judge(|_| None, None);
        board.values(1, Section::Fast, Health::Lost(15), &[]);
        board.judge(|_| None, None);
        assert_eq!(states(&board), [GpuState::Ok, GpuState::Lost]);
        let (samples, events) = board.take();
        let power = |sample: &GpuSample| sample.groups[0].values[7].1;
        assert_eq!(samples.iter().map(power).collect::<Vec<_>>(), [Some(7), None]);
        assert!(matches!(&events[..], [agent_event::Kind::Gpu(change)] if change.gpu_uuid == "GPU-b"));
    }

    #[test]
    fn a_gpu_that_a_new_child_no_longer_finds_is_lost_and_numbers_follow_the_uuid() {
        let mut board = board();
        board.inventory(1, vec![gpu(0, "GPU-b")]);
        board.values(0, Section::Fast, Health::Ok, &fast(Metric::GpuPowerMilliwatts, 9));
        board.judge(|_| None, None);
        let (samples, _) = board.take();
        let lost: Vec<_> = samples.iter().map(|gpu| (gpu.info.uuid.as_str(), gpu.info.state())).collect();
        assert_eq!(lost, [("GPU-b", GpuState::Ok), ("GPU-a", GpuState::Lost)]);
    }

    #[test]
    fn a_gpu_that_does_not_say_who_it_is_keeps_the_name_it_had_at_that_index() {
        let mut board = board();
        board.inventory(2, vec![gpu(0, "GPU-a"), gpu(1, "")]);
        board.values(1, Section::Fast, Health::Lost(15), &[]);
        board.judge(|_| None, None);
        assert_eq!(board.gpus[1].info.uuid, "GPU-b");
        assert_eq!(states(&board), [GpuState::Ok, GpuState::Lost]);
    }

    #[test]
    fn a_placeholder_gives_way_once_the_gpu_says_who_it_is() {
        let mut board = Board::new(board().periods);
        board.inventory(1, vec![gpu(0, "")]);
        assert_eq!(board.gpus[0].info.uuid, "GPU-unidentified-0");
        board.inventory(1, vec![gpu(0, "GPU-a")]);
        assert_eq!(board.gpus.len(), 1);
        assert_eq!(board.gpus[0].info.uuid, "GPU-a");
    }

    #[test]
    fn what_asks_for_attention_degrades_a_readable_gpu() {
        for (metric, value, degraded) in [
            (Metric::GpuRecoveryAction, 0, false),
            (Metric::GpuRecoveryAction, 2, true),
            (Metric::GpuRecoveryAction, 77, true),
            (Metric::GpuThrottleReasons, 0x4, false),
            (Metric::GpuThrottleReasons, 0x40, true),
        ] {
            let mut board = board();
            board.values(0, Section::Fast, Health::Ok, &fast(metric, value));
            board.judge(|_| None, None);
            assert_eq!(states(&board)[0] == GpuState::Degraded, degraded, "{metric:?} = {value}");
        }
    }

    #[test]
    fn an_xid_is_counted_and_told_with_its_instances() {
        let mut board = board();
        board.xid(1, 79, [Some(3), None]);
        board.values(1, Section::Fast, Health::Ok, &fast(Metric::GpuPowerMilliwatts, 9));
        let (samples, events) = board.take();
        let total = samples[1].groups[0].values.iter().find(|(m, _)| *m == Metric::GpuXidErrorsTotal);
        assert_eq!(total.and_then(|(_, value)| *value), Some(1));
        let [agent_event::Kind::Xid(xid)] = &events[..] else { panic!("{events:?}") };
        assert_eq!((xid.gpu_uuid.as_str(), xid.xid, xid.gpu_instance_id), ("GPU-b", 79, Some(3)));
    }

    #[test]
    fn a_flood_of_events_is_bounded_and_counted() {
        let mut board = board();
        (0..1000).for_each(|_| board.xid(0, 31, [None, None]));
        assert_eq!(board.take().1.len(), EVENTS_MAX);
        assert_eq!(board.events_dropped, 1000 - EVENTS_MAX as u64);
    }
}
