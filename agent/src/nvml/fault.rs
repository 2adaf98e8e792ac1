//! Why NVML as a whole cannot be read: each cause has its own state, its own words and its own remedy.

use ostler_proto::v1::SourceState;

/// NVML's own error numbers that mean something special here.
pub(crate) mod code {
    pub(crate) const NOT_SUPPORTED: u32 = 3;
    pub(crate) const NO_PERMISSION: u32 = 4;
    pub(crate) const NOT_FOUND: u32 = 6;
    pub(crate) const INSUFFICIENT_SIZE: u32 = 7;
    pub(crate) const DRIVER_NOT_LOADED: u32 = 9;
    pub(crate) const TIMEOUT: u32 = 10;
    pub(crate) const LIBRARY_NOT_FOUND: u32 = 12;
    pub(crate) const FUNCTION_NOT_FOUND: u32 = 13;
    pub(crate) const GPU_IS_LOST: u32 = 15;
    pub(crate) const RESET_REQUIRED: u32 = 16;
    pub(crate) const LIB_RM_VERSION_MISMATCH: u32 = 18;
    pub(crate) const ARGUMENT_VERSION_MISMATCH: u32 = 25;
    pub(crate) const DEPRECATED: u32 = 26;
    pub(crate) const GPU_NOT_FOUND: u32 = 28;
    pub(crate) const UNKNOWN: u32 = 999;
}

/// A cause for which the child gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// libnvidia-ml.so.1 cannot be loaded.
    LibraryMissing,
    /// The library is there, the kernel module is not.
    DriverNotLoaded,
    /// The driver is there and shows no GPU to this process.
    NoGpu,
    /// The library and the kernel module are of different versions.
    VersionMismatch,
    /// The device files may not be opened.
    NoPermission,
    /// Every GPU answers "unknown error" though all worked before: the container lost its device rules.
    AccessLost,
    /// Initialisation failed with another NVML error.
    Call(u32),
}

impl Fault {
    /// The cause behind the error number of `nvmlInit_v2` or `nvmlDeviceGetCount_v2`.
    pub(crate) fn of_init(number: u32) -> Fault {
        match number {
            code::LIBRARY_NOT_FOUND => Fault::LibraryMissing,
            code::DRIVER_NOT_LOADED => Fault::DriverNotLoaded,
            code::NO_PERMISSION => Fault::NoPermission,
            code::LIB_RM_VERSION_MISMATCH => Fault::VersionMismatch,
            code::NOT_FOUND | code::GPU_NOT_FOUND => Fault::NoGpu,
            other => Fault::Call(other),
        }
    }

    /// The same cause, known better: what fails right after it worked was taken away, not missing.
    pub(crate) fn after_having_worked(self) -> Fault {
        match self {
            Fault::Call(code::UNKNOWN) | Fault::NoPermission | Fault::AccessLost => Fault::AccessLost,
            Fault::LibraryMissing
            | Fault::DriverNotLoaded
            | Fault::NoGpu
            | Fault::VersionMismatch
            | Fault::Call(_) => self,
        }
    }

    /// The state that the source reports.
    pub(crate) fn state(self) -> SourceState {
        match self {
            Fault::LibraryMissing | Fault::DriverNotLoaded | Fault::NoGpu => SourceState::Absent,
            Fault::VersionMismatch | Fault::NoPermission | Fault::AccessLost | Fault::Call(_) => {
                SourceState::Failed
            }
        }
    }

    /// For a person: what is wrong and what to do. `text` is what the child saw.
    pub(crate) fn detail(self, text: &str) -> String {
        match self {
            Fault::LibraryMissing => format!(
                "the NVIDIA driver library libnvidia-ml.so.1 cannot be loaded ({text}). On a GPU node: install the \
                 driver, or run the container with the NVIDIA runtime and the capability `utility` \
                 (NVIDIA_DRIVER_CAPABILITIES); on a node without GPUs nothing is wrong"
            ),
            Fault::DriverNotLoaded => "the driver library is there, the NVIDIA kernel module is not loaded: run \
                 `modprobe nvidia` and look at `dmesg | grep NVRM`; during a driver upgrade, wait"
                .to_owned(),
            Fault::NoGpu => "the NVIDIA driver is there, no GPU is visible: in a container check \
                 NVIDIA_VISIBLE_DEVICES and the device plugin; on the machine check `lspci -d 10de:` and the kernel \
                 log"
            .to_owned(),
            Fault::VersionMismatch => "driver library and kernel module have different versions: the driver was \
                 upgraded while in use. Reload the kernel module or reboot; in a container also restart the container \
                 so that it mounts the new library. NVML is tried again by itself until the versions agree"
                .to_owned(),
            Fault::NoPermission => "no permission to open /dev/nvidia*: run the agent as root or as a member of the \
                 group that owns the device files, and allow the devices in the container"
                .to_owned(),
            Fault::AccessLost => "every GPU answers with an unknown error though all worked before: the container \
                 lost access to the device files, usually because `systemctl daemon-reload` rewrote its device \
                 cgroup. The GPUs are not at fault. Restart the agent's container; to prevent it, create the \
                 /dev/char links for the NVIDIA devices or use CDI"
                .to_owned(),
            Fault::Call(code::UNKNOWN) => format!(
                "NVML failed with an unknown error ({text}): look at `nvidia-smi` and the kernel log; a container that \
                 lost access to the device files (`systemctl daemon-reload`) has to be restarted"
            ),
            Fault::Call(number) => {
                format!("NVML failed with error {number} ({text}): look at `nvidia-smi` and the kernel log")
            }
        }
    }

    /// For the pipe.
    pub(crate) fn to_numbers(self) -> (u8, u32) {
        match self {
            Fault::LibraryMissing => (1, 0),
            Fault::DriverNotLoaded => (2, 0),
            Fault::NoGpu => (3, 0),
            Fault::VersionMismatch => (4, 0),
            Fault::NoPermission => (5, 0),
            Fault::AccessLost => (6, 0),
            Fault::Call(number) => (7, number),
        }
    }

    /// From the pipe.
    pub(crate) fn from_numbers(kind: u8, number: u32) -> Option<Fault> {
        Some(match kind {
            1 => Fault::LibraryMissing,
            2 => Fault::DriverNotLoaded,
            3 => Fault::NoGpu,
            4 => Fault::VersionMismatch,
            5 => Fault::NoPermission,
            6 => Fault::AccessLost,
            7 => Fault::Call(number),
            _ => return None,
        })
    }
}

/// NVML's words for its error numbers, for a person.
pub(crate) fn describe(number: u32) -> &'static str {
    match number {
        1 => "not initialised",
        2 => "invalid argument",
        code::NOT_SUPPORTED => "not supported",
        code::NO_PERMISSION => "no permission",
        code::NOT_FOUND => "not found",
        code::DRIVER_NOT_LOADED => "driver not loaded",
        code::TIMEOUT => "timeout",
        code::LIBRARY_NOT_FOUND => "library not found",
        code::FUNCTION_NOT_FOUND => "function not found",
        code::GPU_IS_LOST => "GPU is lost",
        code::RESET_REQUIRED => "GPU requires reset",
        code::LIB_RM_VERSION_MISMATCH => "driver/library version mismatch",
        code::GPU_NOT_FOUND => "GPU not found",
        code::UNKNOWN => "unknown error",
        _ => "see nvmlReturn_t",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Fault; 7] = [
        Fault::LibraryMissing,
        Fault::DriverNotLoaded,
        Fault::NoGpu,
        Fault::VersionMismatch,
        Fault::NoPermission,
        Fault::AccessLost,
        Fault::Call(17),
    ];

    #[test]
    fn every_cause_has_words_of_its_own_that_fit_the_wire() {
        for (index, fault) in ALL.iter().enumerate() {
            let detail = fault.detail("libnvidia-ml.so.1: cannot open shared object file");
            assert!(detail.len() <= 512, "{fault:?}: {} bytes", detail.len());
            assert!(!detail.contains("  "), "{detail}");
            for other in &ALL[index + 1..] {
                assert_ne!(detail, other.detail("x"));
            }
        }
    }

    #[test]
    fn a_cause_survives_the_pipe() {
        for fault in ALL {
            let (kind, number) = fault.to_numbers();
            assert_eq!(Fault::from_numbers(kind, number), Some(fault));
        }
        assert_eq!(Fault::from_numbers(99, 0), None);
    }

    #[test]
    fn an_unknown_error_is_a_loss_of_access_only_where_it_worked_before() {
        let fault = Fault::of_init(code::UNKNOWN);
        assert_eq!(fault, Fault::Call(999));
        assert_eq!(fault.after_having_worked(), Fault::AccessLost);
        assert_eq!(Fault::of_init(code::LIB_RM_VERSION_MISMATCH), Fault::VersionMismatch);
        assert_eq!(Fault::VersionMismatch.after_having_worked(), Fault::VersionMismatch);
        assert_eq!(Fault::of_init(code::DRIVER_NOT_LOADED).state(), SourceState::Absent);
    }
}
