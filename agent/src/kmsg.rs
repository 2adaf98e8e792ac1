//! Errors of the NVIDIA driver (XIDs, and SXids of NVSwitches) as the kernel log tells them.
//!
//! The kernel keeps what NVML only says to those who listen at the time, and keeps saying it when NVML hangs. A thread of
//! its own reads `/dev/kmsg` record by record; the position is kept in a file, so that an agent that restarts neither
//! repeats an error nor misses one. A flood costs events, which are counted, and never memory.

use std::{
    collections::VecDeque,
    fs, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ostler_proto::v1::{SourceState, SourceStatus, XidEvent};

mod cursor;
mod log;
mod parse;

pub use parse::{Parser, Record};

use cursor::Cursor;
use log::{LINE_BYTES_MAX, Log, Next};

/// How often the log is looked at. Reading without waiting in the kernel lets the thread end when it should.
const TICK: Duration = Duration::from_millis(200);
/// How long to wait before a log that cannot be opened is tried again.
const REOPEN_PAUSE: Duration = Duration::from_secs(10);
/// Events kept until they are taken, which happens every second.
const EVENTS_MAX: usize = 256;
/// Records read in one go before the thread looks around: a whole ring of 128 KiB in a few steps.
const RECORDS_MAX: usize = 4096;
/// The position is written this often at most when nothing happened; after an event it is written at once.
const SAVE_PERIOD: Duration = Duration::from_secs(60);
/// An event that is older than this when it is read says so in its message.
const OLD: Duration = Duration::from_secs(60);
/// Stack of the thread.
const STACK_BYTES: usize = 256 * 1024;

/// How to read the kernel log.
#[derive(Clone, Debug)]
pub struct Config {
    /// The log: the kernel's device, or a plain file of log lines.
    pub path: PathBuf,
    /// Where the position is kept; `None`: nowhere, and every start reads the whole log.
    pub state: Option<PathBuf>,
    /// Tells boots apart; `None`: the kernel's own id.
    pub boot_id: Option<String>,
}

impl Default for Config {
    fn default() -> Config {
        Config { path: PathBuf::from("/dev/kmsg"), state: None, boot_id: None }
    }
}

/// What the thread and the monitor share.
#[derive(Debug, Default)]
struct Shared {
    events: VecDeque<XidEvent>,
    /// Events that found no room.
    dropped: u64,
    /// Times that the kernel overwrote records before they were read.
    overruns: u64,
    /// Why the log cannot be read, if so.
    failure: Option<String>,
    /// Position up to which everything was read, and up to which it was also taken.
    read: Option<u64>,
    taken: Option<u64>,
    /// Whether an event was taken since the position was kept.
    unsaved: bool,
}

/// Reads the kernel log for as long as it lives.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<Mutex<Shared>>,
    stop: Arc<AtomicBool>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Monitor {
    /// Starts the thread that reads; returns at once.
    #[must_use]
    pub fn start(config: Config) -> Monitor {
        let monitor = Monitor { shared: Arc::default(), stop: Arc::default() };
        let reader = Reader::new(config, Arc::clone(&monitor.shared));
        let stop = Arc::clone(&monitor.stop);
        let thread = std::thread::Builder::new().name("kmsg".into()).stack_size(STACK_BYTES);
        if let Err(error) = thread.spawn(move || reader.run(&stop)) {
            lock(&monitor.shared).failure = Some(format!("the thread cannot be started: {error}"));
        }
        monitor
    }

    /// The errors since the last call, oldest first, and how the log is doing. Never waits.
    pub fn latest(&self) -> (Vec<XidEvent>, SourceStatus) {
        let mut shared = lock(&self.shared);
        shared.taken = shared.read;
        shared.unsaved |= !shared.events.is_empty();
        let events = shared.events.drain(..).collect();
        let (state, detail) = match &shared.failure {
            Some(failure) => (SourceState::Failed, failure.clone()),
            None if shared.dropped + shared.overruns > 0 => {
                let detail = format!(
                    "a flood of messages: {} errors found no room, the kernel overwrote unread ones {} times",
                    shared.dropped, shared.overruns
                );
                (SourceState::Degraded, detail)
            }
            None => (SourceState::Ok, String::new()),
        };
        (events, SourceStatus { name: "kmsg".to_owned(), state: state.into(), detail })
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

/// The thread's state.
struct Reader {
    config: Config,
    shared: Arc<Mutex<Shared>>,
    parser: Parser,
    /// Where the last run of the agent stopped, in this boot.
    skip_through: Option<u64>,
    cursor: Cursor,
    saved_at: Instant,
}

impl Reader {
    fn new(config: Config, shared: Arc<Mutex<Shared>>) -> Reader {
        let boot_id = config.boot_id.clone().unwrap_or_else(boot_id);
        let cursor = Cursor::open(config.state.clone(), boot_id);
        Reader {
            skip_through: cursor.position(),
            config,
            shared,
            parser: Parser::default(),
            cursor,
            saved_at: Instant::now(),
        }
    }

    fn run(mut self, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            match Log::open(&self.config.path) {
                Ok(mut log) => {
                    lock(&self.shared).failure = None;
                    let error = self.follow(&mut log, stop);
                    if let Err(error) = error {
                        self.fail(&error);
                    }
                }
                Err(error) => self.fail(&error),
            }
            let until = Instant::now() + REOPEN_PAUSE;
            while Instant::now() < until && !stop.load(Ordering::Acquire) {
                std::thread::sleep(TICK);
            }
        }
        self.save(true);
    }

    fn fail(&self, error: &io::Error) {
        let path = self.config.path.display();
        let kind = error.kind();
        let remedy = if kind == io::ErrorKind::PermissionDenied {
            "run the agent with CAP_SYSLOG (or set kernel.dmesg_restrict=0) and allow the device in the container"
        } else if kind == io::ErrorKind::NotFound {
            "mount the host's /dev/kmsg into the container"
        } else {
            "it is opened again by itself"
        };
        let failure = format!("the kernel log {path} cannot be read ({error}): {remedy}");
        lock(&self.shared).failure = Some(failure);
    }

    /// Reads until the log ends or cannot be read any more.
    fn follow(&mut self, log: &mut Log, stop: &AtomicBool) -> io::Result<()> {
        let mut line = Vec::with_capacity(LINE_BYTES_MAX);
        while !stop.load(Ordering::Acquire) {
            for _ in 0..RECORDS_MAX {
                match log.next(&mut line)? {
                    Next::Line => self.take(&String::from_utf8_lossy(&line), log.is_device),
                    Next::Overrun => lock(&self.shared).overruns += 1,
                    Next::Nothing => break,
                }
            }
            self.save(false);
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    fn take(&mut self, line: &str, is_device: bool) {
        let record = Record::parse(line);
        let seen = record.sequence.zip(self.skip_through).is_some_and(|(this, last)| this <= last);
        // A record that was seen before is read all the same: the names in it are needed.
        let event = self.parser.read(&record).filter(|_| !seen);
        let mut shared = lock(&self.shared);
        if is_device && !seen {
            shared.read = record.sequence.or(shared.read);
            // After the device was opened again it starts from the oldest record.
            self.skip_through = record.sequence.or(self.skip_through);
        } else if !is_device {
            shared.read = shared.read.max(record.sequence);
        }
        let Some(mut event) = event else { return };
        if let Some(age) = record.at_us.filter(|_| is_device).and_then(age_of).filter(|age| *age > OLD) {
            event.message = marked_old(&event.message, age);
        }
        if shared.events.len() < EVENTS_MAX {
            shared.events.push_back(event);
        } else {
            shared.dropped += 1;
        }
    }

    /// Keeps the position up to which everything was passed on.
    fn save(&mut self, now: bool) {
        let (taken, unsaved) = {
            let shared = lock(&self.shared);
            (shared.taken, shared.unsaved)
        };
        let Some(taken) = taken.filter(|taken| self.cursor.position() != Some(*taken)) else { return };
        let due = now || unsaved || self.cursor.is_fresh() || self.saved_at.elapsed() >= SAVE_PERIOD;
        if !due {
            return;
        }
        self.saved_at = Instant::now();
        lock(&self.shared).unsaved = false;
        if let Err(error) = self.cursor.save(taken) {
            tracing::debug!(%error, "the position in the kernel log cannot be kept");
        }
    }
}

/// How long ago something was logged at that time since boot.
fn age_of(at_us: u64) -> Option<Duration> {
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()?.checked_sub(Duration::from_micros(at_us))
}

fn marked_old(message: &str, age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    let text = match minutes {
        0..60 => format!("(logged {minutes} min before it was read) {message}"),
        _ => format!("(logged {} h {} min before it was read) {message}", minutes / 60, minutes % 60),
    };
    text[..text.floor_char_boundary(1024)].to_owned()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write as _};

    use super::*;

    const XID: &str = "NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.";

    struct Files {
        folder: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Files {
            Files { folder: tempfile::tempdir().unwrap() }
        }
        fn log(&self) -> PathBuf {
            self.folder.path().join("kmsg")
        }
        fn append(&self, text: &str) {
            let mut file = OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        fn reader(&self, boot_id: &str) -> Reader {
            let state = Some(self.folder.path().join("state"));
            let config = Config { path: self.log(), state, boot_id: Some(boot_id.into()) };
            Reader::new(config, Arc::default())
        }
    }

    /// Reads to the end of the log and gives the XIDs.
    fn drain(reader: &mut Reader, log: &mut Log) -> Vec<u32> {
        let mut line = Vec::new();
        while let Next::Line = log.next(&mut line).unwrap() {
            reader.take(&String::from_utf8_lossy(&line), log.is_device);
        }
        let monitor = Monitor { shared: Arc::clone(&reader.shared), stop: Arc::default() };
        monitor.latest().0.iter().map(|event| event.xid).collect()
    }

    #[test]
    fn an_agent_that_restarts_neither_repeats_nor_misses_an_error_and_a_new_boot_starts_over() {
        let files = Files::new();
        files.append(&format!("3,1,5,-;{XID}\n"));
        let mut reader = files.reader("a");
        let mut log = Log::open(&files.log()).unwrap();
        assert_eq!(drain(&mut reader, &mut log), [79]);
        reader.save(true);
        files.append("3,2,5,-;NVRM: Xid (PCI:0000:18:00): 13, x\n");
        let restarted = drain(&mut files.reader("a"), &mut Log::open(&files.log()).unwrap());
        assert_eq!(restarted, [13]);
        let rebooted = drain(&mut files.reader("b"), &mut Log::open(&files.log()).unwrap());
        assert_eq!(rebooted, [79, 13]);
    }

    #[test]
    fn what_was_read_but_not_passed_on_is_read_again_after_a_crash() {
        let files = Files::new();
        files.append(&format!("3,1,5,-;{XID}\n"));
        let mut reader = files.reader("a");
        reader.take(&format!("3,1,5,-;{XID}"), true);
        reader.save(true);
        let again = drain(&mut files.reader("a"), &mut Log::open(&files.log()).unwrap());
        assert_eq!(again, [79]);
    }

    #[test]
    fn a_device_that_is_opened_again_repeats_nothing() {
        let files = Files::new();
        let mut reader = files.reader("a");
        for _ in 0..2 {
            reader.take("3,1,5,-;NVRM: Xid (PCI:0000:18:00): 13, x", true);
        }
        reader.take("3,2,5,-;NVRM: Xid (PCI:0000:18:00): 13, x", true);
        assert_eq!(lock(&reader.shared).events.len(), 2);
    }

    #[test]
    fn lines_of_a_plain_file_are_followed_as_it_grows_and_when_it_is_cut() {
        let files = Files::new();
        files.append("NVRM: Xid (PCI:0000:18:00): 13, x\nNVRM: Xid (PCI:0000:18");
        let (mut reader, mut log) = (files.reader("a"), Log::open(&files.log()).unwrap());
        assert_eq!(drain(&mut reader, &mut log), [13]);
        files.append(":00): 31, y\n");
        assert_eq!(drain(&mut reader, &mut log), [31]);
        fs::write(files.log(), "NVRM: Xid (PCI:0000:18:00): 62\n").unwrap();
        assert_eq!(drain(&mut reader, &mut log), [] as [u32; 0]);
        assert_eq!(drain(&mut reader, &mut log), [62]);
    }

    #[test]
    fn a_last_line_without_its_end_is_taken_once_nothing_more_comes() {
        let files = Files::new();
        files.append("NVRM: Xid (PCI:0000:18:00): 13");
        let (mut reader, mut log) = (files.reader("a"), Log::open(&files.log()).unwrap());
        assert_eq!(drain(&mut reader, &mut log), [] as [u32; 0]);
        assert_eq!(drain(&mut reader, &mut log), [13]);
        files.append("\nNVRM: Xid (PCI:0000:18:00): 31\n");
        assert_eq!(drain(&mut reader, &mut log), [31]);
    }

    #[test]
    fn a_line_without_end_takes_no_memory_and_the_one_after_it_is_read() {
        let files = Files::new();
        files.append(&"x".repeat(10 * LINE_BYTES_MAX));
        let (mut reader, mut log) = (files.reader("a"), Log::open(&files.log()).unwrap());
        assert_eq!(drain(&mut reader, &mut log), [] as [u32; 0]);
        assert!(log.pending.len() <= LINE_BYTES_MAX + 4096);
        files.append("\nNVRM: Xid (PCI:0000:18:00): 62\n");
        assert_eq!(drain(&mut reader, &mut log), [62]);
    }

    #[test]
    fn a_flood_is_bounded_and_counted() {
        let files = Files::new();
        let mut reader = files.reader("a");
        for sequence in 0..1000 {
            reader.take(&format!("3,{sequence},5,-;NVRM: Xid (PCI:0000:18:00): 13, x"), true);
        }
        let monitor = Monitor { shared: Arc::clone(&reader.shared), stop: Arc::default() };
        let (events, status) = monitor.latest();
        assert_eq!(events.len(), EVENTS_MAX);
        assert_eq!(status.state(), SourceState::Degraded);
        assert!(status.detail.contains(&(1000 - EVENTS_MAX).to_string()), "{}", status.detail);
    }

    #[test]
    fn a_log_that_is_not_there_is_reported_with_a_remedy() {
        let files = Files::new();
        let reader = files.reader("a");
        reader.fail(&Log::open(&files.log()).err().expect("there is no log"));
        let monitor = Monitor { shared: Arc::clone(&reader.shared), stop: Arc::default() };
        let (_, status) = monitor.latest();
        assert_eq!(status.state(), SourceState::Failed);
        assert!(status.detail.contains("mount the host's /dev/kmsg"), "{}", status.detail);
    }

    #[test]
    fn an_old_event_says_how_old_it_is() {
        let words = marked_old(XID, Duration::from_secs(2 * 3600 + 300));
        assert!(words.starts_with("(logged 2 h 5 min before it was read) NVRM: Xid"), "{words}");
    }
}
