//! Reads one GPU, call by call: each announced, timed, left out when it hangs or is not supported, and none of them
//! able to spoil another.

use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{
        Clock, EccCounter, MemoryError, PcieUtilCounter, RetirementCause, TemperatureSensor,
        TemperatureThreshold,
    },
};
use ostler_proto::v1::{self, Metric};

use crate::nvml::{
    call::Call,
    caller::Caller,
    error,
    fault::code,
    frame::Health,
    identity,
    page::Page,
    raw::{self, field},
    section::{Section, Values},
};

/// NVLink links a GPU can have, as nvml.h says.
const NVLINKS_MAX: u32 = 18;

/// One GPU as the child sees it.
pub(crate) struct Gpu<'nvml, 'page> {
    nvml: &'nvml Nvml,
    /// `None` while NVML does not give a handle; asked for again with every slow reading.
    device: Option<Device<'nvml>>,
    caller: Caller<'page>,
    /// What the parent was told last.
    pub(crate) info: v1::GpuInfo,
    /// NVML's error on the last attempt to open the device.
    open_error: u32,
    driver_major: u32,
}

impl<'nvml, 'page> Gpu<'nvml, 'page> {
    /// The GPU at that index; it need not answer.
    pub(crate) fn open(
        nvml: &'nvml Nvml,
        page: &'page Page,
        gpu: u8,
        skipped: u64,
        driver: &str,
    ) -> Gpu<'nvml, 'page> {
        let mut opened = Gpu {
            nvml,
            device: None,
            caller: Caller::new(page, gpu),
            info: v1::GpuInfo {
                index: u32::from(gpu),
                driver_version: driver.to_owned(),
                ..Default::default()
            },
            open_error: 0,
            driver_major: driver.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0),
        };
        opened.caller.skip(skipped);
        opened.reopen();
        opened
    }

    /// Adds the GPU's events to the set; `None` when it has none or does not answer.
    pub(crate) fn register(&mut self, set: &mut raw::EventSet<'_>, bits: u64) -> Option<usize> {
        let device = self.device.as_ref()?;
        self.caller.begin();
        self.caller.call(Call::EventRegister, || set.register(device, bits))
    }

    /// Replaces the calls to leave out.
    pub(crate) fn skip(&mut self, calls: u64) {
        self.caller.skip(calls);
    }

    /// Asks for the handle if there is none; true when that told something new about the GPU.
    fn reopen(&mut self) -> bool {
        if self.device.is_some() {
            return false;
        }
        let (nvml, index) = (self.nvml, self.info.index);
        self.caller.begin();
        let mut number = 0;
        self.device = self.caller.call(Call::Handle, || {
            nvml.device_by_index(index).map_err(|error| {
                number = error::number(&error);
                number
            })
        });
        self.open_error = number;
        let Some(device) = &self.device else { return false };
        identity::read(&mut self.caller, device, &mut self.info);
        true
    }

    /// Reads one section into `values`; says how the GPU is and whether its inventory entry changed.
    pub(crate) fn read(&mut self, section: Section, values: &mut Values) -> (Health, bool) {
        values.clear();
        let mut changed = section == Section::Slow && self.reopen();
        let Some(device) = &self.device else {
            let health = match self.open_error {
                // Left out because it hangs; the parent knows.
                0 => Health::Unreadable(code::TIMEOUT),
                code::NO_PERMISSION | code::UNKNOWN => Health::Unreadable(self.open_error),
                number => Health::Lost(number),
            };
            return (health, changed);
        };
        self.caller.begin();
        match section {
            Section::Fast => read_fast(&mut self.caller, self.nvml, device, values),
            Section::Slow => {
                read_temperatures_and_limits(&mut self.caller, self.nvml, device, values);
                read_memory_health(&mut self.caller, self.nvml, device, values, &self.info);
                read_links(&mut self.caller, self.nvml, device, values, self.driver_major);
                read_processes(&mut self.caller, self.nvml, device, values);
                changed |= read_mig(&mut self.caller, self.nvml, device, values, &mut self.info);
            }
            Section::Bandwidth => read_bandwidth(&mut self.caller, device, values),
        }
        let health = self.caller.health();
        if matches!(health, Health::Lost(_)) {
            values.clear();
        }
        (health, changed)
    }
}

fn read_fast(caller: &mut Caller<'_>, nvml: &Nvml, device: &Device<'_>, values: &mut Values) {
    let utilization = caller.wrapped(Call::Utilization, || device.utilization_rates());
    values.set(Metric::GpuUtilizationPercent, utilization.as_ref().map(|rates| rates.gpu));
    values.set(Metric::GpuMemoryUtilizationPercent, utilization.map(|rates| rates.memory));
    read_memory(caller, nvml, device, values);
    values.set(
        Metric::GpuTemperatureCelsius,
        caller.wrapped(Call::Temperature, || device.temperature(TemperatureSensor::Gpu)),
    );
    values.set(Metric::GpuPowerMilliwatts, caller.wrapped(Call::Power, || device.power_usage()));
    values.set(
        Metric::GpuEnergyMillijoulesTotal,
        caller.wrapped(Call::Energy, || device.total_energy_consumption()),
    );
    values.set(Metric::GpuSmClockMegahertz, caller.wrapped(Call::ClockSm, || device.clock_info(Clock::SM)));
    values.set(
        Metric::GpuMemoryClockMegahertz,
        caller.wrapped(Call::ClockMemory, || device.clock_info(Clock::Memory)),
    );
    values.set(
        Metric::GpuThrottleReasons,
        caller.call(Call::ThrottleReasons, || raw::throttle_reasons(nvml, device)),
    );
    let wanted = [(field::MEMORY_TEMPERATURE, 0), (field::RECOVERY_ACTION, 0)];
    let [memory_temperature, recovery_action, ..] = caller
        .call(Call::FieldsFast, || raw::field_values(nvml, device, &wanted))
        .unwrap_or([None; raw::FIELDS_MAX]);
    values.set(Metric::GpuMemoryTemperatureCelsius, memory_temperature);
    values.set(Metric::GpuRecoveryAction, recovery_action);
    values.set(Metric::GpuNvmlCallMicrosecondsMax, Some(caller.longest_us()));
}

fn read_memory(caller: &mut Caller<'_>, nvml: &Nvml, device: &Device<'_>, values: &mut Values) {
    if let Some(memory) = caller.wrapped(Call::Memory, || device.memory_info()) {
        values.set(Metric::GpuMemoryUsedBytes, Some(memory.used));
        values.set(Metric::GpuMemoryTotalBytes, Some(memory.total));
        values.set(Metric::GpuMemoryReservedBytes, Some(memory.reserved));
    } else if caller.is_unsupported(Call::Memory) {
        let memory = caller.call(Call::MemoryV1, || raw::memory_v1(nvml, device));
        values.set(Metric::GpuMemoryUsedBytes, memory.map(|(used, _)| used));
        values.set(Metric::GpuMemoryTotalBytes, memory.map(|(_, total)| total));
    }
}

fn read_temperatures_and_limits(
    caller: &mut Caller<'_>,
    nvml: &Nvml,
    device: &Device<'_>,
    values: &mut Values,
) {
    let slowdown = caller
        .wrapped(Call::TemperatureSlowdown, || device.temperature_threshold(TemperatureThreshold::Slowdown));
    values.set(Metric::GpuTemperatureSlowdownCelsius, slowdown);
    values.set(
        Metric::GpuTemperatureShutdownCelsius,
        caller.wrapped(Call::TemperatureShutdown, || {
            device.temperature_threshold(TemperatureThreshold::Shutdown)
        }),
    );
    let margin = caller
        .call(Call::TemperatureMargin, || raw::margin_temperature(nvml, device))
        .map(i64::from)
        .or_else(|| {
            // Before Hopper the driver gives no margin, but both numbers that make one.
            let now = caller.wrapped(Call::Temperature, || device.temperature(TemperatureSensor::Gpu))?;
            slowdown.map(|slowdown| i64::from(slowdown) - i64::from(now))
        });
    values.set(Metric::GpuTemperatureMarginCelsius, margin);
    values.set(
        Metric::GpuPowerLimitMilliwatts,
        caller.wrapped(Call::PowerLimit, || device.enforced_power_limit()),
    );
    values.set(
        Metric::GpuSmClockMaxMegahertz,
        caller.wrapped(Call::ClockSmMax, || device.max_clock_info(Clock::SM)),
    );
    values.set(
        Metric::GpuMemoryClockMaxMegahertz,
        caller.wrapped(Call::ClockMemoryMax, || device.max_clock_info(Clock::Memory)),
    );
}

fn read_memory_health(
    caller: &mut Caller<'_>,
    nvml: &Nvml,
    device: &Device<'_>,
    values: &mut Values,
    info: &v1::GpuInfo,
) {
    for (metric, error, counter) in [
        (Metric::GpuEccCorrectedVolatileTotal, MemoryError::Corrected, EccCounter::Volatile),
        (Metric::GpuEccUncorrectedVolatileTotal, MemoryError::Uncorrected, EccCounter::Volatile),
        (Metric::GpuEccCorrectedAggregateTotal, MemoryError::Corrected, EccCounter::Aggregate),
        (Metric::GpuEccUncorrectedAggregateTotal, MemoryError::Uncorrected, EccCounter::Aggregate),
    ] {
        let count = caller.wrapped(Call::EccErrors, || device.total_ecc_errors(error, counter));
        values.set(metric, count);
    }
    if let Some((correctable, uncorrectable, pending, failed)) =
        caller.call(Call::RemappedRows, || raw::remapped_rows(nvml, device))
    {
        values.set(Metric::GpuRowsRemappedCorrectable, Some(correctable));
        values.set(Metric::GpuRowsRemappedUncorrectable, Some(uncorrectable));
        values.set(Metric::GpuRowRemapPending, Some(u8::from(pending)));
        values.set(Metric::GpuRowRemapFailed, Some(u8::from(failed)));
    }
    let sram = caller.call(Call::SramEcc, || raw::sram_threshold_exceeded(nvml, device));
    values.set(Metric::GpuSramEccThresholdExceeded, sram.map(u8::from));
    // From Ampere on rows are remapped instead, and asking for pages is wasted.
    let before_ampere = info
        .cuda_compute_capability
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok())
        .is_none_or(|major| major < 8);
    if before_ampere {
        for (metric, cause) in [
            (Metric::GpuPagesRetiredSingleBit, RetirementCause::MultipleSingleBitEccErrors),
            (Metric::GpuPagesRetiredDoubleBit, RetirementCause::DoubleBitEccError),
        ] {
            let pages = caller.wrapped(Call::RetiredPages, || device.retired_pages(cause));
            values.set(metric, pages.map(|pages| pages.len()));
        }
        let pending = caller.wrapped(Call::RetiredPagesPending, || device.are_pages_pending_retired());
        values.set(Metric::GpuPagesRetiredPending, pending.map(u8::from));
    }
}

fn read_links(
    caller: &mut Caller<'_>,
    nvml: &Nvml,
    device: &Device<'_>,
    values: &mut Values,
    driver_major: u32,
) {
    values.set(
        Metric::GpuPcieLinkGeneration,
        caller.wrapped(Call::PcieGeneration, || device.current_pcie_link_gen()),
    );
    values
        .set(Metric::GpuPcieLinkWidth, caller.wrapped(Call::PcieWidth, || device.current_pcie_link_width()));
    values.set(
        Metric::GpuPcieLinkGenerationMax,
        caller.wrapped(Call::PcieGenerationMax, || device.max_pcie_link_gen()),
    );
    values.set(
        Metric::GpuPcieLinkWidthMax,
        caller.wrapped(Call::PcieWidthMax, || device.max_pcie_link_width()),
    );
    values.set(Metric::GpuPcieReplayTotal, caller.wrapped(Call::PcieReplay, || device.pcie_replay_counter()));
    let links = active_links(caller, device);
    values.set(Metric::GpuNvlinkActiveLinks, links);
    if links.is_some() {
        read_nvlink_counters(caller, nvml, device, values);
    }
    // The call crashed older drivers' libraries under other programs; before 550 there is nothing to know.
    if driver_major >= 550 {
        let fabric = caller.call(Call::Fabric, || raw::fabric_state(nvml, device));
        values.set(Metric::GpuFabricState, fabric);
    }
}

/// Links that are up; `None` when the GPU has none at all.
fn active_links(caller: &mut Caller<'_>, device: &Device<'_>) -> Option<u32> {
    let mut active = None;
    for link in 0..NVLINKS_MAX {
        // Past the last link the driver says "not supported" or "invalid argument"; only on the first does that speak
        // about the GPU.
        let state = caller.call(Call::NvLinkState, || {
            match device.link_wrapper_for(link).is_active().map_err(|error| error::number(&error)) {
                Ok(up) => Ok(Some(up)),
                Err(code::GPU_IS_LOST) => Err(code::GPU_IS_LOST),
                Err(code::RESET_REQUIRED) => Err(code::RESET_REQUIRED),
                Err(number) if link == 0 => Err(number),
                Err(_) => Ok(None),
            }
        });
        match state.flatten() {
            Some(up) => active = Some(active.unwrap_or(0) + u32::from(up)),
            None => break,
        }
    }
    active
}

fn read_nvlink_counters(caller: &mut Caller<'_>, nvml: &Nvml, device: &Device<'_>, values: &mut Values) {
    let wanted = [
        (field::NVLINK_DATA_TX_KIBIBYTES, raw::ALL_LINKS),
        (field::NVLINK_DATA_RX_KIBIBYTES, raw::ALL_LINKS),
        (field::NVLINK_CRC_FLIT_ERRORS, 0),
        (field::NVLINK_CRC_DATA_ERRORS, 0),
        (field::NVLINK_REPLAY_ERRORS, 0),
        (field::NVLINK_RECOVERY_ERRORS, 0),
    ];
    let fields = caller.call(Call::FieldsNvLink, || raw::field_values(nvml, device, &wanted));
    let Some([tx, rx, errors @ ..]) = fields else { return };
    values.set(Metric::GpuNvlinkTxKibibytesTotal, tx);
    values.set(Metric::GpuNvlinkRxKibibytesTotal, rx);
    let errors = errors.into_iter().flatten().reduce(i64::saturating_add);
    values.set(Metric::GpuNvlinkErrorsTotal, errors);
}

fn read_processes(caller: &mut Caller<'_>, nvml: &Nvml, device: &Device<'_>, values: &mut Values) {
    let processes = caller.call(Call::Processes, || raw::processes(nvml, device));
    values.set(Metric::GpuProcesses, processes.map(|processes| processes.count));
    values.set(Metric::GpuProcessMemoryUsedBytes, processes.and_then(|processes| processes.memory_bytes));
}

/// Reads the MIG mode and instances; true when the instances are not those known before.
fn read_mig(
    caller: &mut Caller<'_>,
    nvml: &Nvml,
    device: &Device<'_>,
    values: &mut Values,
    info: &mut v1::GpuInfo,
) -> bool {
    let Some(mode) = caller.wrapped(Call::MigMode, || device.mig_mode()) else { return false };
    let enabled = mode.current == 1;
    values.set(Metric::GpuMigEnabled, Some(u8::from(enabled)));
    let instances = if enabled {
        let Some(instances) = identity::mig_instances(caller, nvml, device) else { return false };
        instances
    } else {
        Vec::new()
    };
    values.set(Metric::GpuMigInstances, enabled.then_some(instances.len()));
    let changed = instances != info.mig_instances;
    info.mig_instances = instances;
    changed
}

fn read_bandwidth(caller: &mut Caller<'_>, device: &Device<'_>, values: &mut Values) {
    for (metric, counter) in [
        (Metric::GpuPcieTxKibibytesPerSecond, PcieUtilCounter::Send),
        (Metric::GpuPcieRxKibibytesPerSecond, PcieUtilCounter::Receive),
    ] {
        let traffic = caller.wrapped(Call::PcieThroughput, || device.pcie_throughput(counter));
        values.set(metric, traffic);
    }
}
