//! The process that calls NVML, and that may hang in it: `ostler-agent nvml-child`.
//!
//! It answers requests of its parent on its standard streams and ends when they close. It keeps no state worth keeping,
//! so that it can be given up at any moment: the parent announces nothing, waits for nothing, and starts another.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Write as _},
    os::fd::RawFd,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use nvml_wrapper::{Nvml, error::NvmlError};

use crate::{
    nvml::{
        call::{Call, EVENT_WAIT},
        device::Gpu,
        error, events,
        fault::{Fault, code},
        frame::{Answer, Health, Request, Skips, append_values},
        page::{DESCRIPTOR_VARIABLE, Lane, Page},
        section::{SECTIONS, Section, Values},
        sys,
    },
    sample::GPUS_MAX,
};

/// The name by which the dynamic linker finds the driver's library.
pub(crate) const LIBRARY: &str = "libnvidia-ml.so.1";

/// Readings in a row in which every GPU answered "unknown error" before it counts as a loss of access.
const ACCESS_LOST_READINGS: u32 = 2;

/// Readings after which everything that goes on has been touched, and the pages of starting up are given back.
const READINGS_TO_SETTLE: u32 = 3;

/// Entry point of `nvml-child`.
pub fn main() -> ExitCode {
    sys::die_with_parent();
    sys::name_process();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::debug!(%error, "the NVML child ends");
            ExitCode::FAILURE
        }
    }
}

/// What all threads of the child share.
pub(crate) struct Link {
    page: Page,
    output: Mutex<File>,
    /// Set when the event thread has to end.
    pub(crate) stopping: AtomicBool,
}

impl Link {
    /// The page on which calls are announced.
    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// Writes whole frames to the parent.
    pub(crate) fn send(&self, frames: &[u8]) -> io::Result<()> {
        self.output.lock().map_err(|_| io::Error::other("another thread panicked"))?.write_all(frames)
    }

    fn send_answer(&self, answer: &Answer) -> io::Result<()> {
        let mut frame = Vec::new();
        answer.append(&mut frame);
        self.send(&frame)
    }

    fn give_up(&self, fault: Fault, text: &str) -> io::Result<()> {
        self.send_answer(&Answer::Fault { fault, text: text.to_owned() })
    }
}

fn serve() -> io::Result<()> {
    let output = Mutex::new(sys::take_stdout()?);
    let page: RawFd = std::env::var(DESCRIPTOR_VARIABLE)
        .ok()
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| io::Error::other("nvml-child is started by the agent, not by hand"))?;
    let link = Link { page: Page::open(page)?, output, stopping: AtomicBool::new(false) };
    let mut input = io::stdin().lock();
    let Some(Request::Begin { library, events, skips }) = Request::read(&mut input)? else {
        return Err(io::Error::other("the parent did not begin"));
    };
    let library = if library.is_empty() { LIBRARY } else { &library };
    let start = || Nvml::builder().lib_path(OsStr::new(library)).init();
    let nvml = match link.page.announce(Lane::Reader, None, Call::Init, start).0 {
        Ok(nvml) => nvml,
        Err(error) => return link.give_up(init_fault(&error), &error.to_string()),
    };
    let gpus_found = match link.page.announce(Lane::Reader, None, Call::Count, || nvml.device_count()).0 {
        Ok(0) => return link.give_up(Fault::NoGpu, ""),
        Ok(count) => count,
        Err(error) => return link.give_up(Fault::of_init(error::number(&error)), &error.to_string()),
    };
    let version = || nvml.sys_driver_version().unwrap_or_default();
    let driver = link.page.announce(Lane::Reader, None, Call::DriverVersion, version).0;
    let last = gpus_found.min(u32::try_from(GPUS_MAX).unwrap_or(u32::MAX));
    let gpus = (0..u8::try_from(last).unwrap_or(0))
        .map(|gpu| Gpu::open(&nvml, &link.page, gpu, skips[usize::from(gpu)], &driver))
        .collect();
    let mut reader = Reader::new(&link, driver, gpus_found, gpus);
    reader.send_inventory()?;
    thread::scope(|scope| {
        if events {
            events::spawn(scope, &nvml, &link, &mut reader.gpus);
        }
        let result = reader.answer_requests(&mut input);
        end_session(&nvml, &link);
        // Exiting here rather than returning: the event thread may be in a call that never returns.
        std::process::exit(i32::from(result.is_err()));
    })
}

/// Lets the event thread finish and shuts NVML down, each only as long as it goes well.
fn end_session(nvml: &Nvml, link: &Link) {
    link.stopping.store(true, Ordering::Release);
    let patience = Instant::now() + EVENT_WAIT + Duration::from_millis(200);
    while link.page.in_flight(Lane::Events).is_some() && Instant::now() < patience {
        thread::sleep(Duration::from_millis(20));
    }
    // What cannot be shut down is closed by the kernel when the process ends.
    let _ = link.page.announce(Lane::Reader, None, Call::Shutdown, || crate::nvml::raw::shutdown(nvml)).0;
}

fn init_fault(error: &NvmlError) -> Fault {
    Fault::of_init(error::number(error))
}

/// Answers the parent's requests.
struct Reader<'nvml, 'link> {
    link: &'link Link,
    driver: String,
    gpus_found: u32,
    gpus: Vec<Gpu<'nvml, 'link>>,
    /// One buffer of values for each section and one of bytes, used again and again.
    values: [Values; SECTIONS.len()],
    frames: Vec<u8>,
    /// Readings in a row in which no GPU gave anything but "unknown error".
    unknown_readings: u32,
    /// Whether any GPU ever gave a value.
    worked: bool,
    /// Readings until start-up counts as over.
    to_settle: u32,
}

impl<'nvml, 'link> Reader<'nvml, 'link> {
    fn new(link: &'link Link, driver: String, gpus_found: u32, gpus: Vec<Gpu<'nvml, 'link>>) -> Self {
        Reader {
            link,
            driver,
            gpus_found,
            gpus,
            values: SECTIONS.map(Values::none),
            frames: Vec::new(),
            unknown_readings: 0,
            worked: false,
            to_settle: READINGS_TO_SETTLE,
        }
    }

    fn send_inventory(&mut self) -> io::Result<()> {
        self.link.send_answer(&Answer::Inventory {
            driver: self.driver.clone(),
            gpus_found: self.gpus_found,
            gpus: self.gpus.iter().map(|gpu| gpu.info.clone()).collect(),
        })
    }

    fn answer_requests(&mut self, input: &mut impl io::Read) -> io::Result<()> {
        while let Some(request) = Request::read(input)? {
            match request {
                Request::Read { slow, bandwidth } => {
                    self.read(slow, bandwidth)?;
                    if self.unknown_readings >= ACCESS_LOST_READINGS {
                        return self.link.give_up(Fault::AccessLost, "");
                    }
                }
                Request::Skip(skips) => self.skip(&skips),
                Request::Stop => break,
                Request::Begin { .. } => return Err(io::Error::other("the parent began twice")),
            }
        }
        Ok(())
    }

    fn skip(&mut self, skips: &Skips) {
        self.gpus.iter_mut().zip(skips).for_each(|(gpu, calls)| gpu.skip(*calls));
    }

    /// The fast values of all GPUs leave first, so that slow calls never make them late.
    fn read(&mut self, slow: u32, bandwidth: u32) -> io::Result<()> {
        let (mut unknown, mut readable) = (0, 0);
        for gpu in 0..self.gpus.len() {
            match self.read_section(gpu, Section::Fast)?.0 {
                Health::Ok => readable += 1,
                Health::Unreadable(code::UNKNOWN) => unknown += 1,
                Health::Lost(_) | Health::Unreadable(_) => {}
            }
        }
        self.flush()?;
        self.worked |= readable > 0;
        let all_unknown = self.worked && unknown > 0 && unknown == self.gpus.len();
        self.unknown_readings = if all_unknown { self.unknown_readings + 1 } else { 0 };
        let mut changed = false;
        for (section, wanted) in [(Section::Slow, slow), (Section::Bandwidth, bandwidth)] {
            for gpu in (0..self.gpus.len()).filter(|gpu| wanted >> gpu & 1 == 1) {
                changed |= self.read_section(gpu, section)?.1;
            }
        }
        if changed {
            self.send_inventory()?;
        }
        Answer::Done.append(&mut self.frames);
        self.flush()?;
        self.settle();
        Ok(())
    }

    /// Gives back, once, what only starting up needed; when that cannot be done the process is larger and nothing else.
    fn settle(&mut self) {
        if self.to_settle == 1 {
            let _ = crate::sys::release_startup_pages();
        }
        self.to_settle = self.to_settle.saturating_sub(1);
    }

    fn read_section(&mut self, gpu: usize, section: Section) -> io::Result<(Health, bool)> {
        let values = &mut self.values[section as usize];
        let (health, changed) = self.gpus[gpu].read(section, values);
        append_values(&mut self.frames, u8::try_from(gpu).unwrap_or(u8::MAX), section, health, values);
        Ok((health, changed))
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.link.send(&self.frames);
        self.frames.clear();
        result
    }
}
