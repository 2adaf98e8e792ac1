//! The library's state: how often it was initialised, and the scenario it plays.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    abi::{Code, Outcome, UNINITIALIZED},
    fault,
    scenario::Scenario,
};

/// How often the scenario file is looked at, at most: often enough that an edit is seen at the next reading.
const LOOK_EVERY: Duration = Duration::from_millis(20);

static LIBRARY: LazyLock<Mutex<Library>> = LazyLock::new(|| Mutex::new(Library::load()));

/// What all calls of a process share.
pub(crate) struct Library {
    /// Calls of `nvmlInit` less those of `nvmlShutdown`.
    inits: u32,
    pub(crate) scenario: Arc<Scenario>,
    file: Option<ScenarioFile>,
    clock: Clock,
    counters: fault::Counters,
    /// A call hangs while it holds the driver's lock.
    driver_locked: bool,
    /// Consumption of each GPU.
    energy: Vec<Energy>,
    /// By handle.
    pub(crate) sets: BTreeMap<usize, EventSet>,
    /// Handle of the last set that was made; handles are not used twice.
    pub(crate) last_set: usize,
    /// Events that some set has received.
    pub(crate) delivered: BTreeSet<u64>,
}

/// An event set.
#[derive(Default)]
pub(crate) struct EventSet {
    /// GPU and the bits it is registered for.
    pub(crate) registered: BTreeMap<usize, u64>,
    /// Ids this set has received, or that happened before it was registered.
    pub(crate) delivered: BTreeSet<u64>,
}

/// The scenario file, and what is known of it.
struct ScenarioFile {
    path: PathBuf,
    looked: Instant,
    /// What it looked like when last read, whether or not it could be understood; the inner `None` is "not there".
    stamp: Option<Option<Stamp>>,
}

/// What tells one version of a file from another: modification time, size, and inode for one moved into its place.
type Stamp = (SystemTime, u64, u64);

/// Seconds since the machine started: the same in every process, so that waves and ramps go on when one is replaced.
struct Clock {
    uptime_s: f64,
    read: Instant,
}

/// Energy of one GPU, added up to a moment.
#[derive(Clone, Copy)]
struct Energy {
    mj: f64,
    at: f64,
}

/// One moment of the scenario, for the body of one call.
pub(crate) struct View {
    pub(crate) scenario: Arc<Scenario>,
    /// Seconds since the machine started.
    pub(crate) at: f64,
}

/// Locks the state. A panic elsewhere cannot have left it half changed in a way that matters to a test.
pub(crate) fn lock() -> MutexGuard<'static, Library> {
    LIBRARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The common beginning of every call that needs an initialised library: newest scenario, ordered faults, whole-library
/// errors. May take long, or for ever, when the scenario says so.
pub(crate) fn enter(call: &str, gpu: Option<usize>) -> Result<View, Code> {
    enter_any(call, gpu, true).and_then(|view| match view.scenario.library.call_error {
        Some(code) => Err(code),
        None => Ok(view),
    })
}

/// The same for calls that work without `nvmlInit`.
pub(crate) fn enter_uninitialised(call: &str) -> Result<View, Code> {
    enter_any(call, None, false)
}

fn enter_any(call: &str, gpu: Option<usize>, needs_init: bool) -> Result<View, Code> {
    let mut library = lock();
    if needs_init && library.inits == 0 {
        return Err(UNINITIALIZED);
    }
    library.refresh();
    let scenario = Arc::clone(&library.scenario);
    let verdict = fault::consult(&scenario.faults, &mut library.counters, call, gpu);
    library.driver_locked |= verdict.is_some_and(|verdict| verdict.locks_driver);
    let driver_locked = library.driver_locked;
    let at = library.clock.now();
    drop(library);
    if driver_locked {
        fault::hang();
    }
    if let Some(verdict) = verdict {
        verdict.carry_out()?;
    }
    Ok(View { scenario, at })
}

impl Library {
    fn load() -> Self {
        if env::var_os("OSTLER_FAKE_NVML_QUIET").is_none() {
            eprintln!("fake NVML: simulated GPUs");
        }
        let now = Instant::now();
        let file = env::var_os("OSTLER_FAKE_NVML").map(|path| ScenarioFile {
            path: path.into(),
            looked: now,
            stamp: None,
        });
        let mut library = Self {
            inits: 0,
            scenario: Arc::new(healthy()),
            file,
            clock: Clock::start(),
            counters: fault::Counters::new(),
            driver_locked: false,
            energy: Vec::new(),
            sets: BTreeMap::new(),
            last_set: 0,
            delivered: BTreeSet::new(),
        };
        library.read_file();
        library.delivered =
            library.scenario.events.iter().filter(|event| event.only_live).map(|event| event.id).collect();
        library
    }

    /// Counts one `nvmlInit`.
    pub(crate) fn init(&mut self) {
        self.inits = self.inits.saturating_add(1);
    }

    /// Counts one `nvmlShutdown`; the last one forgets all event sets.
    pub(crate) fn shutdown(&mut self) -> Outcome {
        self.inits = self.inits.checked_sub(1).ok_or(UNINITIALIZED)?;
        if self.inits == 0 {
            self.sets.clear();
        }
        Ok(())
    }

    pub(crate) fn is_initialised(&self) -> bool {
        self.inits > 0
    }

    /// Takes up a changed scenario file, looking no more often than [`LOOK_EVERY`].
    pub(crate) fn refresh(&mut self) {
        let now = Instant::now();
        let Some(file) = &mut self.file else { return };
        if now.duration_since(file.looked) >= LOOK_EVERY {
            file.looked = now;
            self.read_file();
        }
    }

    /// Reads the file if it changed. One that cannot be used is told of once, and the last good scenario goes on.
    fn read_file(&mut self) {
        let Some(file) = &mut self.file else { return };
        let stamp = Some(stamp(&file.path));
        if stamp == file.stamp {
            return;
        }
        file.stamp = stamp;
        let parsed = fs::read_to_string(&file.path)
            .map_err(|error| error.to_string())
            .and_then(|text| Scenario::parse(&text));
        match parsed {
            Ok(scenario) => {
                self.settle_energy();
                self.scenario = Arc::new(scenario);
            }
            Err(error) => {
                eprintln!(
                    "fake NVML: {} is not used, the scenario before goes on: {error}",
                    file.path.display()
                );
            }
        }
    }

    /// Energy that a GPU has taken since the machine started, in mJ.
    pub(crate) fn energy_mj(&mut self, gpu: usize) -> u64 {
        self.settle_energy();
        self.energy.get(gpu).map_or(0, |energy| energy.mj as u64)
    }

    /// Adds up the power of all GPUs until now. Before it is first read, a GPU is taken to have drawn the same since the
    /// machine's start.
    fn settle_energy(&mut self) {
        if !self.is_initialised() {
            return;
        }
        let now = self.clock.now();
        self.energy.resize(self.scenario.gpus.len(), Energy { mj: 0.0, at: 0.0 });
        for (energy, values) in self.energy.iter_mut().zip(&self.scenario.gpus) {
            // Power is in mW and time in s, so the area is in mJ.
            energy.mj += values.power_mw.integral(energy.at, now);
            energy.at = now;
        }
    }
}

impl Clock {
    fn start() -> Self {
        let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
        let uptime_s = uptime.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0);
        Self { uptime_s, read: Instant::now() }
    }

    fn now(&self) -> f64 {
        self.uptime_s + self.read.elapsed().as_secs_f64()
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}

/// What is played without a scenario file: eight idle H100s.
fn healthy() -> Scenario {
    Scenario::parse("").expect("the default profile is part of this library and is parsed by its tests")
}
