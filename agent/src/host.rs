//! The machine itself: CPU, memory, disk, network and how long tasks had to wait for them.
//!
//! CPU, memory and load come from `sysinfo`, asked for nothing else, since its other views walk processes, mounts and
//! interfaces. Throughput and pressure are one kernel file each. The space of a disk is asked for by a thread of its
//! own: a file system whose server is gone may never answer, and must not hold up a heartbeat.

pub mod text;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use ostler_proto::v1::{self, Metric, SourceState};
use sysinfo::{MemoryRefreshKind, System};

use crate::{hub::lock, sample::Group, sys};
use text::Throughput;

/// How often the space of the disk is asked for: it changes slowly.
const DISK_PERIOD: Duration = Duration::from_secs(10);

/// A disk that has not answered for so long is reported as such.
const DISK_PATIENCE: Duration = Duration::from_secs(30);

/// Names of devices remembered; a machine with more has more virtual ones than anyone wants counted.
const DEVICES_MAX: usize = 4096;

/// How to read the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Mount point whose space is reported.
    pub disk: PathBuf,
}

/// The host name, made fit for a node's name; "localhost" when there is none.
#[must_use]
pub fn name() -> String {
    let name = System::host_name().unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// The kernel's boot id; empty when there is none.
#[must_use]
pub fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// Reads the machine.
#[derive(Debug)]
pub struct Sampler {
    period: Duration,
    /// `None` where the platform has no such view.
    system: Option<System>,
    disk: Disk,
    network: Rate,
    storage: Rate,
}

impl Sampler {
    /// A sampler that is read once a `period`.
    #[must_use]
    pub fn start(config: Config, period: Duration) -> Self {
        Self {
            period,
            system: System::new().ok(),
            disk: Disk::start(config.disk),
            network: Rate::new("/proc/net/dev", "/sys/class/net", text::network),
            storage: Rate::new("/proc/diskstats", "/sys/block", text::storage),
        }
    }

    /// Says how often it will be read from now on.
    pub fn set_period(&mut self, period: Duration) {
        self.period = period;
    }

    /// The newest values and how the reading went.
    pub fn read(&mut self) -> (Group, v1::SourceStatus) {
        let mut missing = Vec::new();
        let now = Instant::now();
        let mut values = Vec::with_capacity(13);
        self.read_system(&mut values);
        let space = self.disk.read(now, &mut missing);
        values.push((Metric::HostDiskUsedBytes, space.and_then(|space| whole(space.used))));
        values.push((Metric::HostDiskTotalBytes, space.and_then(|space| whole(space.total))));
        let network = self.network.read(now, &mut missing);
        values.push((Metric::HostNetworkRxBytesPerSecond, network.map(|rate| rate.0)));
        values.push((Metric::HostNetworkTxBytesPerSecond, network.map(|rate| rate.1)));
        let storage = self.storage.read(now, &mut missing);
        values.push((Metric::HostDiskReadBytesPerSecond, storage.map(|rate| rate.0)));
        values.push((Metric::HostDiskWriteBytesPerSecond, storage.map(|rate| rate.1)));
        let load = System::load_average().ok().map(|load| (load.one * 1000.0) as i64);
        values.push((Metric::HostLoad1mMilli, load));
        for (metric, path) in [
            (Metric::HostPressureCpuSomePpm, "/proc/pressure/cpu"),
            (Metric::HostPressureMemorySomePpm, "/proc/pressure/memory"),
            (Metric::HostPressureIoSomePpm, "/proc/pressure/io"),
        ] {
            values.push((metric, pressure(path, &mut missing)));
        }
        (Group { period: self.period, sampled: true, values }, status(&missing))
    }

    fn read_system(&mut self, values: &mut Vec<(Metric, Option<i64>)>) {
        let system = self.system.as_mut().map(|system| {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
            &*system
        });
        let cpu = system.map(|system| (f64::from(system.global_cpu_usage()) * 10_000.0) as i64);
        values.push((Metric::HostCpuUsedPpm, cpu));
        values.push((Metric::HostMemoryUsedBytes, system.and_then(|system| whole(system.used_memory()))));
        values.push((Metric::HostMemoryTotalBytes, system.and_then(|system| whole(system.total_memory()))));
    }
}

fn whole(value: u64) -> Option<i64> {
    i64::try_from(value).ok()
}

fn pressure(path: &str, missing: &mut Vec<String>) -> Option<i64> {
    let value = fs::read_to_string(path).ok().and_then(|text| text::pressure_some_ppm(&text));
    if value.is_none() {
        missing.push(format!("{path} (start the kernel with psi=1)"));
    }
    value
}

fn status(missing: &[String]) -> v1::SourceStatus {
    let (state, detail) = if missing.is_empty() {
        (SourceState::Ok, String::new())
    } else {
        (SourceState::Degraded, format!("cannot be read: {}", missing.join(", ")))
    };
    v1::SourceStatus { name: "host".to_owned(), state: state.into(), detail }
}

/// Bytes in and out of each device since it came up.
type Counters = BTreeMap<String, (u64, u64)>;

/// A pair of counters summed over the real devices, as rates.
#[derive(Debug)]
struct Rate {
    /// The kernel's table of counters.
    table: &'static str,
    /// Where each device has a folder, with `device` in it when it is real.
    devices: &'static str,
    parse: fn(&str) -> Vec<Throughput>,
    /// Whether each name seen is a real device; virtual ones would count the same bytes twice.
    real: BTreeMap<String, bool>,
    /// Counters of the reading before, and when.
    before: Option<(Instant, Counters)>,
}

impl Rate {
    fn new(table: &'static str, devices: &'static str, parse: fn(&str) -> Vec<Throughput>) -> Self {
        Self { table, devices, parse, real: BTreeMap::new(), before: None }
    }

    /// Bytes a second in and out since the reading before; `None` at the first.
    fn read(&mut self, now: Instant, missing: &mut Vec<String>) -> Option<(i64, i64)> {
        let Ok(text) = fs::read_to_string(self.table) else {
            missing.push(self.table.to_owned());
            self.before = None;
            return None;
        };
        let counters = self.select((self.parse)(&text));
        let (then, old) = self.before.replace((now, counters))?;
        let (_, new) = self.before.as_ref()?;
        text::rate(&old, new, now.saturating_duration_since(then))
    }

    /// The real devices; all of them when none is real, as in a container.
    fn select(&mut self, all: Vec<Throughput>) -> Counters {
        if self.real.len() > DEVICES_MAX {
            self.real.clear();
        }
        for device in &all {
            if !self.real.contains_key(&device.name) {
                let real = Path::new(self.devices).join(&device.name).join("device").exists();
                self.real.insert(device.name.clone(), real);
            }
        }
        let is_real = |device: &&Throughput| self.real.get(&device.name) == Some(&true);
        let none_real = !all.iter().any(|device| is_real(&device));
        all.iter()
            .filter(|device| none_real || is_real(device))
            .map(|device| (device.name.clone(), (device.bytes_in, device.bytes_out)))
            .collect()
    }
}

/// When a disk answered, and its space if the path was one.
type Answer = (Instant, Option<sys::Space>);

/// The space of one mount point, asked for by a thread that may hang.
#[derive(Debug)]
struct Disk {
    path: PathBuf,
    /// Asks the thread; full while it has not answered.
    ask: mpsc::SyncSender<()>,
    answer: Arc<Mutex<Option<Answer>>>,
    started: Instant,
    asked: Option<Instant>,
}

impl Disk {
    fn start(path: PathBuf) -> Self {
        let (ask, asked) = mpsc::sync_channel::<()>(1);
        let answer = Arc::new(Mutex::new(None));
        let disk = Self {
            path: path.clone(),
            ask,
            answer: Arc::clone(&answer),
            started: Instant::now(),
            asked: None,
        };
        let work = move || {
            while asked.recv().is_ok() {
                let space = sys::space(&path).ok();
                *lock(&answer) = Some((Instant::now(), space));
            }
        };
        // Without the thread there is no answer, which the status then says.
        let _ = std::thread::Builder::new().name("disk".to_owned()).stack_size(64 << 10).spawn(work);
        disk
    }

    fn read(&mut self, now: Instant, missing: &mut Vec<String>) -> Option<sys::Space> {
        if self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= DISK_PERIOD) {
            self.asked = Some(now);
            // Full: the thread has not answered yet.
            let _ = self.ask.try_send(());
        }
        let answer = *lock(&self.answer);
        let answered = answer.map_or(self.started, |(at, _)| at);
        if now.saturating_duration_since(answered) >= DISK_PATIENCE {
            missing.push(format!("{} (the file system does not answer)", self.path.display()));
            return None;
        }
        let (_, space) = answer?;
        if space.is_none() {
            missing.push(format!("{} (set host.disk to a mount point)", self.path.display()));
        }
        space
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory_load_and_a_disk() {
        let mut sampler = Sampler::start(Config { disk: "/".into() }, Duration::from_secs(1));
        let value = |group: &Group, metric| {
            group.values.iter().find(|(known, _)| *known == metric).expect("every metric is listed").1
        };
        let mut group = sampler.read().0;
        for _ in 0..200 {
            if value(&group, Metric::HostDiskTotalBytes).is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
            group = sampler.read().0;
        }
        assert!(value(&group, Metric::HostMemoryTotalBytes) > Some(1 << 20));
        assert!(value(&group, Metric::HostMemoryUsedBytes) <= value(&group, Metric::HostMemoryTotalBytes));
        assert!(value(&group, Metric::HostDiskTotalBytes) > Some(0));
        assert!((0..=1_000_000).contains(&value(&group, Metric::HostCpuUsedPpm).unwrap()));
        assert!(value(&group, Metric::HostLoad1mMilli).is_some());
        assert_eq!(group.values.len(), 13);
    }

    #[test]
    fn what_is_missing_is_named() {
        let mut missing = Vec::new();
        assert_eq!(pressure("/proc/no/such/file", &mut missing), None);
        let status = status(&missing);
        assert_eq!(status.state(), SourceState::Degraded);
        assert!(status.detail.contains("/proc/no/such/file"), "{}", status.detail);
    }

    #[test]
    fn a_mount_point_that_is_none_is_named() {
        let mut disk = Disk::start("/no/such/mount".into());
        let mut missing = Vec::new();
        for _ in 0..200 {
            disk.read(Instant::now(), &mut missing);
            if !missing.is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(missing[0].contains("host.disk"), "{missing:?}");
    }

    #[test]
    fn a_disk_that_never_answers_is_reported_after_a_while() {
        let mut disk = Disk::start("/".into());
        let (ask, _kept) = mpsc::sync_channel(1);
        disk.ask = ask;
        let mut missing = Vec::new();
        assert_eq!(disk.read(disk.started + Duration::from_secs(29), &mut missing), None);
        assert!(missing.is_empty());
        disk.read(disk.started + Duration::from_secs(30), &mut missing);
        assert!(missing[0].contains("does not answer"), "{missing:?}");
    }

    #[test]
    fn virtual_devices_are_left_out_where_there_are_real_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("eth0/device")).unwrap();
        fs::create_dir_all(folder.path().join("veth1")).unwrap();
        let devices: &'static str = folder.path().to_str().unwrap().to_owned().leak();
        let mut rate = Rate::new("", devices, text::network);
        let device = |name: &str| Throughput { name: name.to_owned(), bytes_in: 1, bytes_out: 2 };
        let names = |selected: BTreeMap<String, (u64, u64)>| selected.into_keys().collect::<Vec<_>>();
        assert_eq!(names(rate.select(vec![device("eth0"), device("veth1")])), ["eth0"]);
        assert_eq!(names(rate.select(vec![device("veth1")])), ["veth1"]);
    }
}
