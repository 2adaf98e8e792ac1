//! nvml-wrapper's errors as NVML's own numbers, which is what the rest of this module reasons about.

use nvml_wrapper::error::NvmlError;

use crate::nvml::fault::code;

/// The number of nvmlReturn_t behind an error of the wrapper.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the foreign enum has 40 variants, most of which are the wrapper's own"
)]
pub(crate) fn number(error: &NvmlError) -> u32 {
    match error {
        NvmlError::Uninitialized => 1,
        NvmlError::InvalidArg => 2,
        NvmlError::NotSupported => code::NOT_SUPPORTED,
        NvmlError::NoPermission => code::NO_PERMISSION,
        NvmlError::NotFound => code::NOT_FOUND,
        NvmlError::InsufficientSize(_) => code::INSUFFICIENT_SIZE,
        NvmlError::InsufficientPower => 8,
        NvmlError::DriverNotLoaded => code::DRIVER_NOT_LOADED,
        NvmlError::Timeout => code::TIMEOUT,
        NvmlError::IrqIssue => 11,
        NvmlError::LibraryNotFound | NvmlError::LibloadingError(_) => code::LIBRARY_NOT_FOUND,
        NvmlError::FunctionNotFound | NvmlError::FailedToLoadSymbol(_) => code::FUNCTION_NOT_FOUND,
        NvmlError::CorruptedInfoROM => 14,
        NvmlError::GpuLost => code::GPU_IS_LOST,
        NvmlError::ResetRequired => code::RESET_REQUIRED,
        NvmlError::OperatingSystem => 17,
        NvmlError::LibRmVersionMismatch => code::LIB_RM_VERSION_MISMATCH,
        NvmlError::InUse => 19,
        NvmlError::InsufficientMemory => 20,
        NvmlError::NoData => 21,
        NvmlError::VgpuEccNotSupported => 22,
        NvmlError::UnexpectedVariant(number) => *number,
        _ => code::UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_the_wrapper_does_not_know_pass_through() {
        assert_eq!(number(&NvmlError::GpuLost), 15);
        assert_eq!(number(&NvmlError::UnexpectedVariant(28)), code::GPU_NOT_FOUND);
        assert_eq!(number(&NvmlError::Unknown), 999);
    }
}
