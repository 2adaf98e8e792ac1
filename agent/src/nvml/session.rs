//! One child process, as its parent holds it: two pipes, the shared page, and what is expected of it.

use std::{
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, RawFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::nvml::{
    call::Call,
    frame::{self, Answer, Decoder, Request, Skips},
    page::{DESCRIPTOR_VARIABLE, InFlight, Lane, Page},
    sys,
};

/// How long a child that should be working may show no call at all before it counts as stuck outside NVML
/// (stopped by a signal, or without memory or CPU time).
const SILENCE_MAX: Duration = Duration::from_millis(2500);

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    /// A call did not return in time.
    Hung { call: Call, gpu: Option<u8> },
    /// The child makes no call and gives no answer.
    Stuck,
    /// The process is gone.
    Exited(Option<ExitStatus>),
    /// It sent something that no child sends.
    Nonsense(frame::Error),
    /// The pipes failed.
    Pipe(io::Error),
}

impl End {
    /// For a person.
    pub(crate) fn describe(&self) -> String {
        match self {
            End::Hung { call, gpu: Some(gpu) } => format!("{} hangs on GPU {gpu}", call.symbol()),
            End::Hung { call, gpu: None } => format!("{} hangs", call.symbol()),
            End::Stuck => "the NVML process makes no progress".to_owned(),
            End::Exited(Some(status)) => match (status.signal(), status.code()) {
                (Some(signal), _) => format!("the NVML process was ended by signal {signal}"),
                (None, Some(code)) => format!("the NVML process exited with code {code}"),
                (None, None) => "the NVML process exited".to_owned(),
            },
            End::Exited(None) => "the NVML process ended".to_owned(),
            End::Nonsense(error) => format!("the NVML process sent nonsense: {error}"),
            End::Pipe(error) => format!("the pipe to the NVML process failed: {error}"),
        }
    }
}

/// A living child.
#[derive(Debug)]
pub(crate) struct Session {
    process: Child,
    input: ChildStdin,
    output: ChildStdout,
    page: Page,
    decoder: Decoder,
    /// When the process was started.
    pub(crate) started: Instant,
    /// Whether it has said which GPUs there are.
    pub(crate) ready: bool,
    /// Since when an answer is owed: the start, a reading, or the end after a stop.
    owed_since: Option<Instant>,
    /// Whether it was told to stop.
    pub(crate) stopping: bool,
    /// Last time a call was seen in flight while an answer was owed.
    busy_at: Instant,
    /// What the child was told to leave out.
    skips: Skips,
}

impl Session {
    /// Starts a child and tells it to begin. `executable`: `None` for this very program.
    pub(crate) fn start(
        executable: Option<&Path>,
        library: &str,
        events: bool,
        skips: Skips,
        now: Instant,
    ) -> io::Result<Session> {
        let (page, memory) = Page::create()?;
        // The path through /proc stays right when the file was replaced by an upgrade.
        let mut command = Command::new(executable.unwrap_or(Path::new("/proc/self/exe")));
        if let Some(name) = std::env::args_os().next().filter(|_| executable.is_none()) {
            command.arg0(name);
        }
        let mut process = command
            .arg("nvml-child")
            .env(DESCRIPTOR_VARIABLE, memory.as_raw_fd().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err(io::Error::other("the pipes were asked for"));
        };
        sys::set_nonblocking(input.as_raw_fd())?;
        sys::set_nonblocking(output.as_raw_fd())?;
        let mut session = Session {
            process,
            input,
            output,
            page,
            decoder: Decoder::default(),
            started: now,
            ready: false,
            owed_since: Some(now),
            stopping: false,
            busy_at: now,
            skips,
        };
        let library = library.to_owned();
        // A child that is gone already is met, and collected, at the other pipe.
        let _ = session.send(&Request::Begin { library, events, skips });
        Ok(session)
    }

    /// The descriptor that becomes readable when the child has something to say.
    pub(crate) fn descriptor(&self) -> RawFd {
        self.output.as_raw_fd()
    }

    /// Whether an answer is owed.
    pub(crate) fn is_owed(&self) -> bool {
        self.owed_since.is_some()
    }

    /// How long an answer has been owed.
    pub(crate) fn owed_for(&self, now: Instant) -> Duration {
        self.owed_since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// How long the call took last time, in microseconds.
    pub(crate) fn last_us(&self, gpu: Option<u8>, call: Call) -> Option<u64> {
        self.page.last_us(gpu, call)
    }

    fn send(&mut self, request: &Request) -> io::Result<()> {
        let mut bytes = Vec::new();
        request.append(&mut bytes);
        // At most one request is under way and all are short, so the pipe has room unless the child is stuck.
        self.input.write_all(&bytes)
    }

    /// Asks for a reading.
    pub(crate) fn ask(&mut self, slow: u32, bandwidth: u32, now: Instant) -> Result<(), End> {
        self.owed_since = Some(now);
        self.busy_at = now;
        self.send(&Request::Read { slow, bandwidth }).map_err(End::Pipe)
    }

    /// Tells the child what to leave out, if that changed.
    pub(crate) fn skip(&mut self, skips: &Skips) -> Result<(), End> {
        if self.skips == *skips {
            return Ok(());
        }
        self.skips = *skips;
        self.send(&Request::Skip(*skips)).map_err(End::Pipe)
    }

    /// Asks the child to shut NVML down and exit.
    pub(crate) fn stop(&mut self, now: Instant) -> Result<(), End> {
        self.stopping = true;
        self.owed_since = Some(now);
        self.busy_at = now;
        self.send(&Request::Stop).map_err(End::Pipe)
    }

    /// Takes what the child has said so far, without waiting.
    pub(crate) fn receive(&mut self, mut give: impl FnMut(Answer)) -> Result<(), End> {
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.output.read(&mut buffer) {
                Ok(0) => return Err(End::Exited(self.exit_status())),
                Ok(count) => {
                    let (mut done, mut ready) = (false, false);
                    let pushed = self.decoder.push(&buffer[..count], |answer| {
                        done |= answer == Answer::Done;
                        ready |= matches!(answer, Answer::Inventory { .. });
                        give(answer);
                    });
                    if (done || ready && !self.ready) && !self.stopping {
                        self.owed_since = None;
                    }
                    self.ready |= ready;
                    pushed.map_err(End::Nonsense)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(End::Pipe(error)),
            }
        }
    }

    /// The status of a process whose output has just closed. It dies within a moment; the thread that asks has time.
    fn exit_status(&mut self) -> Option<ExitStatus> {
        for _ in 0..20 {
            if let Ok(Some(status)) = self.process.try_wait() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    /// The call that has been in flight longest, and for how long.
    pub(crate) fn longest_call(&self) -> Option<(InFlight, Duration)> {
        let now_us = sys::monotonic_us();
        [Lane::Reader, Lane::Events]
            .into_iter()
            .filter_map(|lane| self.page.in_flight(lane))
            .map(|call| (call, Duration::from_micros(now_us.saturating_sub(call.started_us))))
            .max_by_key(|(_, lasted)| *lasted)
    }

    /// Whether the child has to be given up now.
    pub(crate) fn watch(&mut self, ordinary: Duration, waking: Duration, now: Instant) -> Result<(), End> {
        let longest = [Lane::Reader, Lane::Events].map(|lane| self.page.in_flight(lane));
        let now_us = sys::monotonic_us();
        for call in longest.into_iter().flatten() {
            let lasted = Duration::from_micros(now_us.saturating_sub(call.started_us));
            if lasted > call.call.deadline(ordinary, waking) {
                return Err(End::Hung { call: call.call, gpu: call.gpu });
            }
        }
        if longest[Lane::Reader as usize].is_some() || !self.is_owed() {
            self.busy_at = now;
        }
        if now.saturating_duration_since(self.busy_at) > SILENCE_MAX.max(ordinary) {
            return Err(End::Stuck);
        }
        Ok(())
    }

    /// Gives the child up: killed, if it can be, and returned for someone to collect when it is dead.
    pub(crate) fn abandon(mut self) -> Child {
        // A process in uninterruptible sleep ignores this for as long as the driver holds it.
        let _ = self.process.kill();
        self.process
    }
}
