//! The parent's thread: starts the child, asks it for readings, and gives it up when a call does not return.
//!
//! It is the only place that waits for the child, and it waits with a timeout. Everything else looks at the [`Board`].

use std::{
    io::Read as _,
    os::{fd::AsRawFd as _, unix::net::UnixStream},
    process::Child,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicU64, atomic::Ordering},
    time::{Duration, Instant},
};

use ostler_proto::v1::{GpuState, SourceState, SourceStatus, agent_event};

use crate::nvml::{
    Config,
    board::Board,
    call::{CALLS, Call},
    fault::Fault,
    frame::Answer,
    raw::event,
    restart::{Backoff, Ended, Quarantine},
    schedule::Schedule,
    session::{End, Session},
    sys,
};

/// Children that were given up and are still alive. Each may be stuck in the kernel for ever; more of them would not
/// help, and each holds the driver open.
const ABANDONED_MAX: usize = 6;
/// How often a child that owes an answer is looked at.
const WATCH_TICK: Duration = Duration::from_millis(100);
/// How long nothing may have worked before the values of all GPUs are withdrawn.
const GRACE: Duration = Duration::from_secs(5);
/// A call that may wake hardware up is reported as hanging before it is given up.
const WAKING_PATIENCE: Duration = Duration::from_millis(2500);
/// How long a child may take to shut NVML down.
const STOP_MAX: Duration = Duration::from_secs(4);
/// Changes are told at most this often.
const NOTIFY_PAUSE: Duration = Duration::from_millis(50);
/// Longest detail on the wire.
const DETAIL_BYTES_MAX: usize = 512;

/// What the monitor's owner wants.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wishes {
    /// NVML stays released until then.
    pub(crate) released_until: Option<Instant>,
    /// The monitor is gone.
    pub(crate) stop: bool,
    /// How often to read, when it is not what the configuration said.
    pub(crate) interval: Option<Duration>,
}

/// What the supervisor and the monitor share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) board: Mutex<Board>,
    pub(crate) status: Mutex<SourceStatus>,
    pub(crate) wishes: Mutex<Wishes>,
    /// When the newest reading was asked for, and when somebody first looked at the board after that
    /// ([`sys::monotonic_us`]).
    pub(crate) read_us: AtomicU64,
    pub(crate) looked_us: AtomicU64,
    /// Complete readings so far.
    pub(crate) readings: AtomicU64,
    /// How long each call took last time: GPU (`None`: the driver), call, microseconds.
    pub(crate) timings: Mutex<Vec<(Option<u8>, Call, u64)>>,
}

/// A lock whose holder panicked still guards plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why there is no child.
#[derive(Clone, Debug)]
enum Cause {
    /// None was started yet.
    New,
    /// The last one said why it cannot work.
    Fault(Fault, String),
    /// The last one hung; the words say where.
    Hung(String),
    /// The last one broke in another way.
    Broken(String),
}

/// The thread's state.
pub(crate) struct Supervisor {
    config: Config,
    shared: Arc<Shared>,
    wake: UnixStream,
    session: Option<Session>,
    /// Given up and not yet dead, and the call on a GPU that each hangs in.
    abandoned: Vec<(Child, Option<(u8, Call)>)>,
    quarantine: Quarantine,
    backoff: Backoff,
    schedule: Schedule,
    cause: Cause,
    /// Earliest start of the next child.
    start_at: Instant,
    /// Last time a child gave a value, or the start of the thread.
    worked_at: Instant,
    released: bool,
    /// Last time that somebody was told of a change.
    notified_at: Instant,
}

impl Supervisor {
    pub(crate) fn new(config: Config, shared: Arc<Shared>, wake: UnixStream) -> Supervisor {
        let now = Instant::now();
        Supervisor {
            schedule: Schedule::new(config.periods(), config.all_at_once, now),
            shared,
            wake,
            session: None,
            abandoned: Vec::new(),
            quarantine: Quarantine::new(config.slow_period.max(config.interval)),
            backoff: Backoff::default(),
            cause: Cause::New,
            start_at: now,
            worked_at: now,
            released: false,
            notified_at: now,
            config,
        }
    }

    /// Runs until the monitor is dropped.
    pub(crate) fn run(mut self) {
        loop {
            let now = Instant::now();
            let wishes = *lock(&self.shared.wishes);
            if wishes.stop {
                return self.close();
            }
            self.abandoned.retain_mut(|(child, _)| !matches!(child.try_wait(), Ok(Some(_))));
            for (gpu, call) in self.abandoned.iter().filter_map(|(_, hangs)| *hangs) {
                self.quarantine.hold(gpu, call, now);
            }
            self.follow(&wishes, now);
            match self.drive(now) {
                Ok(()) => {}
                Err(end) => self.end_session(&end, now),
            }
            if self.session.is_none() && !self.released {
                self.start(now);
            }
            self.publish(now);
            self.wait(Instant::now());
        }
    }

    /// The monitor is gone: let the child finish by itself and do not wait for it.
    fn close(mut self) {
        if let Some(mut session) = self.session.take() {
            let patience = Instant::now() + STOP_MAX;
            let _ = session.stop(Instant::now());
            while session.receive(|_| {}).is_ok() && Instant::now() < patience {
                sys::wait_readable(&[session.descriptor()], WATCH_TICK);
            }
            let _ = session.abandon().try_wait();
        }
    }

    /// Releases NVML, or takes it up again, or changes the interval, as wished.
    fn follow(&mut self, wishes: &Wishes, now: Instant) {
        let hold = wishes.released_until.is_some_and(|until| now < until);
        if hold && !self.released {
            self.released = true;
            if let Some(Err(end)) = self.session.as_mut().map(|session| session.stop(now)) {
                self.end_session(&end, now);
            }
        } else if !hold && self.released {
            self.released = false;
            self.start_at = now;
            self.cause = Cause::New;
            self.worked_at = now;
            self.backoff.reset();
        }
        if let Some(interval) = wishes.interval
            && interval != self.config.interval
        {
            self.config.interval = interval;
            self.schedule.set_periods(self.config.periods(), now);
            lock(&self.shared.board).set_periods(self.config.periods());
        }
    }

    /// Takes the child's answers, looks at its calls, and asks for the next reading when it is time.
    fn drive(&mut self, now: Instant) -> Result<(), End> {
        let Some(session) = &mut self.session else { return Ok(()) };
        let (shared, schedule, cause) = (&self.shared, &mut self.schedule, &mut self.cause);
        let mut worked = false;
        let received = session.receive(|answer| worked |= fold(shared, schedule, cause, answer, now));
        if worked {
            self.worked_at = now;
        }
        received?;
        if session.stopping && session.owed_for(now) > STOP_MAX {
            return Err(End::Stuck);
        }
        session.watch(self.config.call_deadline, self.config.init_deadline, now)?;
        if session.is_owed() || session.stopping {
            return Ok(());
        }
        self.quarantine.forget_old(now);
        session.skip(&self.quarantine.skips(now))?;
        let looked_us = self.shared.looked_us.load(Ordering::Acquire);
        let read_us = self.shared.read_us.load(Ordering::Acquire);
        let looked = (looked_us > read_us)
            .then(|| Duration::from_micros(sys::monotonic_us().saturating_sub(looked_us)))
            .and_then(|ago| now.checked_sub(ago));
        if let Some((slow, bandwidth)) = self.schedule.due(looked, now) {
            self.shared.read_us.store(sys::monotonic_us(), Ordering::Release);
            session.ask(slow, bandwidth, now)?;
        }
        Ok(())
    }

    fn end_session(&mut self, end: &End, now: Instant) {
        let Some(session) = self.session.take() else { return };
        let (lived, was_stopping) = (now.saturating_duration_since(session.started), session.stopping);
        let hangs = match end {
            End::Hung { call, gpu: Some(gpu) } => Some((*gpu, *call)),
            End::Hung { gpu: None, .. } | End::Stuck | End::Exited(_) | End::Nonsense(_) | End::Pipe(_) => {
                None
            }
        };
        self.abandoned.push((session.abandon(), hangs));
        if was_stopping {
            return;
        }
        let words = end.describe();
        let ended = match (&self.cause, end) {
            (Cause::Fault(..), End::Exited(_)) => Ended::Refused,
            (_, End::Hung { .. }) => {
                if let Some((gpu, call)) = hangs {
                    self.quarantine.add(gpu, call, now);
                }
                self.cause = Cause::Hung(words.clone());
                Ended::Broken
            }
            (_, End::Stuck) => {
                self.cause = Cause::Hung(words.clone());
                Ended::Broken
            }
            (_, End::Exited(_) | End::Nonsense(_) | End::Pipe(_)) => {
                self.cause = Cause::Broken(words.clone());
                Ended::Broken
            }
        };
        let pause = self.backoff.pause(ended, lived, rand::random());
        self.start_at = now + pause;
        if ended == Ended::Refused {
            tracing::debug!(next_in = ?pause, "NVML cannot be used");
            return;
        }
        tracing::warn!(reason = words, next_in = ?pause, "gave up the NVML process");
        // The next process may work before anybody looks at the status.
        let state =
            if matches!(self.cause, Cause::Hung(_)) { SourceState::Hung } else { SourceState::Failed };
        let detail = format!("{words}; another is tried");
        let status = SourceStatus { name: "nvml".to_owned(), state: state.into(), detail };
        lock(&self.shared.board).push(agent_event::Kind::Source(status));
    }

    fn start(&mut self, now: Instant) {
        if now < self.start_at || self.abandoned.len() >= ABANDONED_MAX {
            return;
        }
        let library = self.config.library.as_ref().map(|path| path.to_string_lossy().into_owned());
        let started = Session::start(
            self.config.executable.as_deref(),
            library.as_deref().unwrap_or_default(),
            self.config.events,
            self.quarantine.skips(now),
            now,
        );
        match started {
            Ok(session) => {
                self.session = Some(session);
                self.schedule.restart(now);
            }
            Err(error) => {
                self.cause = Cause::Broken(format!("the NVML process cannot be started: {error}"));
                self.start_at = now + self.backoff.pause(Ended::Refused, Duration::ZERO, rand::random());
            }
        }
    }

    /// Judges the GPUs and the source, and tells whoever wants to know at once.
    fn publish(&mut self, now: Instant) {
        let unreadable = self.unreadable(now);
        let mut board = lock(&self.shared.board);
        let hung = |gpu| self.hung_words(gpu, now);
        board.judge(hung, unreadable.as_deref());
        let mut changed = std::mem::take(&mut board.news);
        let (state, mut detail) = self.judge(&board, now);
        drop(board);
        detail.truncate(detail.floor_char_boundary(DETAIL_BYTES_MAX));
        let mut status = lock(&self.shared.status);
        if status.state() != state || status.detail != detail {
            changed |= status.state() != state;
            *status = SourceStatus { name: "nvml".to_owned(), state: state.into(), detail };
        }
        drop(status);
        // A flood of events must not wake the others at its own pace; what is not told now is seen at the next look.
        if changed && now.saturating_duration_since(self.notified_at) >= NOTIFY_PAUSE {
            self.notified_at = now;
            self.config.notify.as_ref().inspect(|notify| notify());
        }
    }

    /// What hangs on that GPU: calls left out, or one that is past its deadline right now.
    fn hung_words(&self, gpu: u8, now: Instant) -> Option<String> {
        let (_, first) = self.quarantine.suspected(now).find(|(suspected, _)| *suspected == gpu)?;
        let more = if self.quarantine.is_whole_gpu(gpu, now) {
            "so does another call; the GPU is left alone for a while"
        } else {
            "the call is left out for a while, the others go on"
        };
        let deadline = first.deadline(self.config.call_deadline, self.config.init_deadline);
        Some(format!(
            "{} did not return within {deadline:?}; {more}. If it stays so, drain the node and reboot it",
            first.symbol(),
        ))
    }

    /// Why no GPU can be read, once that is certain.
    fn unreadable(&self, now: Instant) -> Option<String> {
        if self.released {
            return Some("NVML was released on command".to_owned());
        }
        let stale = now.saturating_duration_since(self.worked_at) > GRACE;
        match &self.cause {
            Cause::Fault(fault, text) => Some(fault.detail(text)),
            Cause::Hung(words) | Cause::Broken(words) if stale => Some(words.clone()),
            Cause::New | Cause::Hung(_) | Cause::Broken(_) => None,
        }
    }

    fn judge(&self, board: &Board, now: Instant) -> (SourceState, String) {
        if self.released {
            return match &self.session {
                Some(_) => (SourceState::Degraded, "NVML is being released".to_owned()),
                None => (SourceState::Released, "released on command; taken up again by itself".to_owned()),
            };
        }
        if let Cause::Fault(fault, text) = &self.cause {
            return (fault.state(), fault.detail(text));
        }
        if self.session.is_none() && self.abandoned.len() >= ABANDONED_MAX {
            let detail = format!(
                "{ABANDONED_MAX} NVML processes hang in the driver and cannot be ended; none is started until one \
                 ends. Drain the node and reboot it"
            );
            return (SourceState::Hung, detail);
        }
        if let Some(slow) = self.slow_words() {
            return (SourceState::Hung, slow);
        }
        let hung: Vec<String> = self
            .quarantine
            .suspected(now)
            .map(|(gpu, call)| format!("GPU {gpu}: {}", call.symbol()))
            .collect();
        if !hung.is_empty() {
            let detail = format!("calls that did not return in time are left out: {}", hung.join("; "));
            return (SourceState::Hung, detail);
        }
        let ready = self.session.as_ref().is_some_and(|session| session.ready);
        match &self.cause {
            Cause::Hung(words) => (SourceState::Hung, format!("{words}; another process is tried")),
            Cause::Broken(words) => (SourceState::Failed, format!("{words}; another is tried")),
            Cause::New | Cause::Fault(..) if !ready => {
                (SourceState::Degraded, "NVML is being initialised".to_owned())
            }
            Cause::New | Cause::Fault(..) => judge_working(board),
        }
    }

    /// Words for a call that takes long but is still waited for.
    fn slow_words(&self) -> Option<String> {
        let (call, lasted) = self.session.as_ref()?.longest_call()?;
        if !call.call.wakes_hardware() || lasted < WAKING_PATIENCE {
            return None;
        }
        let gpu = call.gpu.map_or_else(String::new, |gpu| format!(" for GPU {gpu}"));
        Some(format!(
            "{}{gpu} has not returned for more than {WAKING_PATIENCE:?}; it is given {:?}, because waking a GPU takes 1 \
             to 3 s where persistence mode is off (`nvidia-smi -pm 1`)",
            call.call.symbol(),
            call.call.deadline(self.config.call_deadline, self.config.init_deadline),
        ))
    }

    /// Sleeps until there is something to do.
    fn wait(&mut self, now: Instant) {
        let mut until = now + Duration::from_secs(1);
        let mut descriptors = vec![self.wake.as_raw_fd()];
        match &self.session {
            Some(session) => {
                descriptors.push(session.descriptor());
                until = if session.is_owed() { now + WATCH_TICK } else { until.min(self.schedule.next()) };
            }
            None if !self.released => until = until.min(self.start_at.max(now + Duration::from_millis(1))),
            None => {}
        }
        let timings = self.session.as_ref().filter(|_| self.config.timings).map(collect_timings);
        if let Some(timings) = timings {
            *lock(&self.shared.timings) = timings;
        }
        if let Some(expiry) = self.quarantine.next_expiry(now) {
            until = until.min(expiry);
        }
        sys::wait_readable(&descriptors, until.saturating_duration_since(now));
        let mut drained = [0; 64];
        // Non-blocking; whatever was written only meant "look again".
        let _ = self.wake.read(&mut drained);
    }
}

fn collect_timings(session: &Session) -> Vec<(Option<u8>, Call, u64)> {
    let owners = std::iter::once(None).chain((0..16).map(Some));
    owners
        .flat_map(|gpu| CALLS.iter().map(move |call| (gpu, *call)))
        .filter_map(|(gpu, call)| Some((gpu, call, session.last_us(gpu, call)?)))
        .collect()
}

fn judge_working(board: &Board) -> (SourceState, String) {
    let mut missing = Vec::new();
    for (state, words) in [(GpuState::Lost, "lost"), (GpuState::Unreadable, "unreadable")] {
        if board.count(state) > 0 {
            missing.push(format!("GPU {} {words}", board.indices(state)));
        }
    }
    let room = u32::try_from(crate::sample::GPUS_MAX).unwrap_or(u32::MAX);
    if board.gpus_found > room {
        missing.push(format!("the node has {} GPUs, the first {room} are reported", board.gpus_found));
    }
    if board.events_dropped > 0 {
        missing.push(format!("{} events were dropped in a flood", board.events_dropped));
    }
    match missing.is_empty() {
        true => (SourceState::Ok, String::new()),
        false => (SourceState::Degraded, missing.join("; ")),
    }
}

/// Folds one answer into what is known; true when it is a sign that NVML works.
fn fold(shared: &Shared, schedule: &mut Schedule, cause: &mut Cause, answer: Answer, now: Instant) -> bool {
    let mut board = lock(&shared.board);
    match answer {
        Answer::Inventory { driver: _, gpus_found, gpus } => {
            schedule.set_gpus(gpus.len());
            board.inventory(gpus_found, gpus);
            *cause = Cause::New;
            true
        }
        Answer::Values { gpu, section, health, values } => {
            board.values(gpu, section, health, &values);
            schedule.fast_arrived(now);
            true
        }
        Answer::Done => {
            shared.readings.fetch_add(1, Ordering::AcqRel);
            false
        }
        Answer::Event { gpu, bits, data, gpu_instance, compute_instance } => {
            if bits & event::XID != 0 {
                let known = |id| (id != u32::MAX).then_some(id);
                let xid = u32::try_from(data).unwrap_or(u32::MAX);
                board.xid(gpu, xid, [known(gpu_instance), known(compute_instance)]);
            }
            // Something happened to a GPU: its values are worth reading now.
            schedule.hurry(now);
            false
        }
        Answer::Fault { fault, text } => {
            let fault = if board.worked { fault.after_having_worked() } else { fault };
            *cause = Cause::Fault(fault, text);
            false
        }
    }
}
