//! GPUs as NVIDIA's library sees them, read in a process of their own because any call may never return.
//!
//! NVML is a library over a kernel driver with one lock. A call can block for ever in a sleep that no signal ends, and
//! takes with it whatever thread made it. So all calls are made by a child process that may be abandoned: the parent
//! asks it for readings over a pipe, sees on a shared page which call is in flight, and when that passes its deadline
//! reports the GPU as hung, gives the process up, and starts another that leaves out just the call that hung. Looking at
//! [`Monitor::latest`] never waits for any of it.
//!
//! A value that the GPU or driver does not support is absent, never a fault; a GPU that is lost loses its own values and
//! no other's; and every reason for which nothing can be read has its own words and remedy.

use std::{
    io::Write as _,
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering},
    time::{Duration, Instant},
};

use ostler_proto::v1::{SourceState, SourceStatus, agent_event};

use crate::sample::GpuSample;

mod board;
mod call;
mod caller;
pub mod child;
mod device;
mod error;
mod events;
mod fault;
mod frame;
mod identity;
mod page;
mod raw;
mod restart;
mod schedule;
mod section;
mod session;
mod supervisor;
mod sys;

/// Stack of the supervising thread; it only moves frames.
const STACK_BYTES: usize = 256 * 1024;

/// Called when a GPU or the source changes its state or the driver reports an error, from the monitor's own thread; it must not block.
pub type Notify = Arc<dyn Fn() + Send + Sync>;

/// How to read GPUs.
#[derive(Clone)]
pub struct Config {
    /// The library to load; `None`: `libnvidia-ml.so.1`, wherever the dynamic linker finds it.
    pub library: Option<PathBuf>,
    /// How often the fast values are read, 100 ms to 60 s.
    pub interval: Duration,
    /// How often the slow values are read (ECC, links, MIG, processes, limits); at least the interval.
    pub slow_period: Duration,
    /// How often PCIe traffic is read; the driver needs 40 ms for each GPU. `None`: never.
    pub bandwidth_period: Option<Duration>,
    /// How long an ordinary call may take before its process is given up.
    pub call_deadline: Duration,
    /// The same for calls that may have to initialise GPUs.
    pub init_deadline: Duration,
    /// Whether to listen for the driver's events (XIDs).
    pub events: bool,
    /// Whether the first reading takes everything at once instead of spreading it.
    pub all_at_once: bool,
    /// Whether to keep the time that each call took, for [`Monitor::timings`].
    pub timings: bool,
    /// The program that has `nvml-child`; `None`: the one that is running.
    pub executable: Option<PathBuf>,
    /// Whom to tell of a change of state at once.
    pub notify: Option<Notify>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            library: None,
            interval: Duration::from_secs(1),
            slow_period: Duration::from_secs(10),
            bandwidth_period: Some(Duration::from_secs(30)),
            // A hang begins up to an interval before the reading that meets it, and is to be reported within 3 s.
            call_deadline: Duration::from_millis(1500),
            init_deadline: Duration::from_secs(30),
            events: true,
            all_at_once: false,
            timings: false,
            executable: None,
            notify: None,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("library", &self.library)
            .field("interval", &self.interval)
            .field("slow_period", &self.slow_period)
            .field("bandwidth_period", &self.bandwidth_period)
            .field("call_deadline", &self.call_deadline)
            .field("init_deadline", &self.init_deadline)
            .finish_non_exhaustive()
    }
}

impl Config {
    fn periods(&self) -> section::Periods {
        section::Periods {
            fast: self.interval.clamp(Duration::from_millis(100), Duration::from_secs(60)),
            slow: self.slow_period,
            bandwidth: self.bandwidth_period,
        }
    }
}

/// The newest that is known of the GPUs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// Every GPU that was seen since the monitor started, in index order.
    pub gpus: Vec<GpuSample>,
    /// How NVML itself is doing.
    pub status: SourceStatus,
    /// XIDs and changes of state since the reading before.
    pub events: Vec<agent_event::Kind>,
}

/// How long one NVML call took last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallTime {
    /// Index of the GPU; `None` for a call that belongs to none.
    pub gpu: Option<u8>,
    /// The call, by NVIDIA's name.
    pub call: &'static str,
    /// Its duration in microseconds.
    pub us: u64,
}

/// Reads the GPUs of this machine for as long as it lives.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<supervisor::Shared>,
    /// Wakes the supervising thread.
    wake: UnixStream,
}

impl Monitor {
    /// Starts the thread that starts the child; returns at once.
    #[must_use]
    pub fn start(config: Config) -> Monitor {
        let status = SourceStatus {
            name: "nvml".to_owned(),
            state: SourceState::Degraded.into(),
            detail: "NVML is being initialised".to_owned(),
        };
        let shared = Arc::new(supervisor::Shared {
            board: Mutex::new(board::Board::new(config.periods())),
            status: Mutex::new(status),
            wishes: Mutex::default(),
            read_us: AtomicU64::new(0),
            looked_us: AtomicU64::new(0),
            readings: AtomicU64::new(0),
            timings: Mutex::default(),
        });
        let (wake, woken) = UnixStream::pair().expect("a socket pair needs nothing but two descriptors");
        woken.set_nonblocking(true).expect("a fresh socket can be made non-blocking");
        wake.set_nonblocking(true).expect("a fresh socket can be made non-blocking");
        let supervisor = supervisor::Supervisor::new(config, Arc::clone(&shared), woken);
        let thread = std::thread::Builder::new().name("nvml".into()).stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(move || supervisor.run()) {
            let mut status = supervisor::lock(&shared.status);
            status.set_state(SourceState::Failed);
            status.detail = format!("the NVML thread cannot be started: {error}");
        }
        Monitor { shared, wake }
    }

    /// The newest reading. Never waits for NVML: what is not new has `sampled` unset.
    pub fn latest(&mut self) -> Reading {
        let read_us = self.shared.read_us.load(Ordering::Acquire);
        if self.shared.looked_us.load(Ordering::Acquire) <= read_us {
            self.shared.looked_us.store(sys::monotonic_us(), Ordering::Release);
        }
        let (gpus, events) = supervisor::lock(&self.shared.board).take();
        let status = supervisor::lock(&self.shared.status).clone();
        Reading { gpus, status, events }
    }

    /// Lets go of NVML for that long, so that a driver can be unloaded or a GPU reset. The status says when it is done.
    pub fn release(&self, hold: Duration) {
        supervisor::lock(&self.shared.wishes).released_until = Instant::now().checked_add(hold);
        self.wake();
    }

    /// Takes NVML up again before the time is over.
    pub fn resume(&self) {
        supervisor::lock(&self.shared.wishes).released_until = None;
        self.wake();
    }

    /// Reads that often from now on.
    pub fn set_interval(&self, interval: Duration) {
        supervisor::lock(&self.shared.wishes).interval = Some(interval);
        self.wake();
    }

    /// How NVML is doing; unlike [`Monitor::latest`] it takes nothing away.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        supervisor::lock(&self.shared.status).clone()
    }

    /// Complete readings since the start.
    #[must_use]
    pub fn readings(&self) -> u64 {
        self.shared.readings.load(Ordering::Acquire)
    }

    /// How long each call took last time; empty unless the configuration asks for it.
    #[must_use]
    pub fn timings(&self) -> Vec<CallTime> {
        let timings = supervisor::lock(&self.shared.timings);
        timings.iter().map(|(gpu, call, us)| CallTime { gpu: *gpu, call: call.symbol(), us: *us }).collect()
    }

    fn wake(&self) {
        // A full socket means that the thread is about to look anyway.
        let _ = (&self.wake).write(&[1]);
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        supervisor::lock(&self.shared.wishes).stop = true;
        self.wake();
    }
}

#[cfg(test)]
mod tests;
