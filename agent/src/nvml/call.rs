//! Every NVML call that the child makes, by name: what is announced before it starts, timed, cached as unsupported,
//! and skipped while it is known to hang.

use std::time::Duration;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $symbol:literal),+ $(,)?) => {
        /// One NVML call, as far as deadlines, quarantine and timings tell calls apart.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub(crate) enum Call { $($(#[$doc])* $name),+ }

        /// All calls; a call's position is its number on the pipe and on the shared page.
        pub(crate) const CALLS: &[Call] = &[$(Call::$name),+];

        impl Call {
            /// The name that NVIDIA's documentation uses.
            pub(crate) fn symbol(self) -> &'static str {
                match self { $(Call::$name => $symbol),+ }
            }
        }
    };
}

calls! {
    /// Loading the library is part of it.
    Init = "nvmlInit_v2",
    DriverVersion = "nvmlSystemGetDriverVersion",
    Count = "nvmlDeviceGetCount_v2",
    Handle = "nvmlDeviceGetHandleByIndex_v2",
    Uuid = "nvmlDeviceGetUUID",
    Name = "nvmlDeviceGetName",
    PciInfo = "nvmlDeviceGetPciInfo_v3",
    Serial = "nvmlDeviceGetSerial",
    VbiosVersion = "nvmlDeviceGetVbiosVersion",
    ComputeCapability = "nvmlDeviceGetCudaComputeCapability",
    Utilization = "nvmlDeviceGetUtilizationRates",
    Memory = "nvmlDeviceGetMemoryInfo_v2",
    MemoryV1 = "nvmlDeviceGetMemoryInfo",
    Temperature = "nvmlDeviceGetTemperature",
    TemperatureSlowdown = "nvmlDeviceGetTemperatureThreshold(slowdown)",
    TemperatureShutdown = "nvmlDeviceGetTemperatureThreshold(shutdown)",
    TemperatureMargin = "nvmlDeviceGetMarginTemperature",
    Power = "nvmlDeviceGetPowerUsage",
    PowerLimit = "nvmlDeviceGetEnforcedPowerLimit",
    Energy = "nvmlDeviceGetTotalEnergyConsumption",
    ClockSm = "nvmlDeviceGetClockInfo(sm)",
    ClockMemory = "nvmlDeviceGetClockInfo(memory)",
    ClockSmMax = "nvmlDeviceGetMaxClockInfo(sm)",
    ClockMemoryMax = "nvmlDeviceGetMaxClockInfo(memory)",
    ThrottleReasons = "nvmlDeviceGetCurrentClocksEventReasons",
    FieldsFast = "nvmlDeviceGetFieldValues(memory temperature, recovery action)",
    FieldsNvLink = "nvmlDeviceGetFieldValues(nvlink)",
    EccErrors = "nvmlDeviceGetTotalEccErrors",
    RemappedRows = "nvmlDeviceGetRemappedRows",
    RetiredPages = "nvmlDeviceGetRetiredPages",
    RetiredPagesPending = "nvmlDeviceGetRetiredPagesPendingStatus",
    PcieGeneration = "nvmlDeviceGetCurrPcieLinkGeneration",
    PcieWidth = "nvmlDeviceGetCurrPcieLinkWidth",
    PcieGenerationMax = "nvmlDeviceGetMaxPcieLinkGeneration",
    PcieWidthMax = "nvmlDeviceGetMaxPcieLinkWidth",
    PcieReplay = "nvmlDeviceGetPcieReplayCounter",
    PcieThroughput = "nvmlDeviceGetPcieThroughput",
    NvLinkState = "nvmlDeviceGetNvLinkState",
    SramEcc = "nvmlDeviceGetSramEccErrorStatus",
    Fabric = "nvmlDeviceGetGpuFabricInfoV",
    MigMode = "nvmlDeviceGetMigMode",
    MigInstances = "nvmlDeviceGetMigDeviceHandleByIndex",
    Processes = "nvmlDeviceGetComputeRunningProcesses_v3",
    EventRegister = "nvmlDeviceRegisterEvents",
    EventWait = "nvmlEventSetWait_v2",
    Shutdown = "nvmlShutdown",
}

/// Calls fit one bit each in a `u64`, so that a set of them is one word.
pub(crate) const CALLS_MAX: usize = 64;
const _: () = assert!(CALLS.len() <= CALLS_MAX);

/// How long the event thread lets the driver wait for an event before it looks around.
pub(crate) const EVENT_WAIT: Duration = Duration::from_secs(1);

/// Longest that waking one GPU may take: it is 1 to 3 s where persistence mode is off.
const WAKING_ONE_MAX: Duration = Duration::from_secs(6);

impl Call {
    /// The call of that number, if there is one.
    pub(crate) fn from_number(number: u8) -> Option<Call> {
        CALLS.get(usize::from(number)).copied()
    }

    /// Its bit in a set of calls.
    pub(crate) fn bit(self) -> u64 {
        1 << (self as u8)
    }

    /// How long the call may take before its process is given up, when an ordinary call may take `ordinary` and one
    /// that has to wake the hardware up may take `waking`.
    pub(crate) fn deadline(self, ordinary: Duration, waking: Duration) -> Duration {
        if self == Call::EventWait {
            EVENT_WAIT + ordinary
        } else if self == Call::Handle {
            // It wakes one GPU, and until it returns the others wait.
            waking.min(WAKING_ONE_MAX).max(ordinary)
        } else if self.wakes_hardware() {
            waking.max(ordinary)
        } else {
            ordinary
        }
    }

    /// Whether the call may initialise a GPU, which takes 1 to 3 s for each one where persistence mode is off.
    pub(crate) fn wakes_hardware(self) -> bool {
        matches!(self, Call::Init | Call::Count | Call::Handle | Call::Shutdown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_found_again_by_its_number() {
        for (number, call) in CALLS.iter().enumerate() {
            assert_eq!(Call::from_number(u8::try_from(number).unwrap()), Some(*call));
        }
        assert_eq!(Call::from_number(63), None);
        assert_eq!(Call::from_number(255), None);
    }

    #[test]
    fn waking_calls_get_the_long_deadline_and_readings_the_short_one() {
        let (ordinary, waking) = (Duration::from_secs(2), Duration::from_secs(30));
        assert_eq!(Call::Init.deadline(ordinary, waking), waking);
        assert_eq!(Call::Handle.deadline(ordinary, waking), WAKING_ONE_MAX);
        assert_eq!(Call::Power.deadline(ordinary, waking), ordinary);
        assert_eq!(Call::EventWait.deadline(ordinary, waking), Duration::from_secs(3));
    }
}
