//! Memory errors and what the GPU did about them.

use super::{Gpu, device_calls};
use crate::{
    abi::{
        ARGUMENT_VERSION_MISMATCH, Code, INVALID_ARGUMENT, NOT_SUPPORTED, Out, nvmlEccSramErrorStatus_v1_t,
        nvmlRepairStatus_v1_t, nvmlRowRemapperHistogramValues_t, version_word,
    },
    signal::Signal,
};

/// `nvmlMemoryErrorType_t`.
const UNCORRECTED: u32 = 1;
/// `nvmlEccCounterType_t`.
const AGGREGATE: u32 = 1;
/// `nvmlMemoryLocation_t`.
const DRAM: u32 = 2;
const SRAM: u32 = 7;
const LOCATIONS: u32 = 8;

/// Pages that a made-up retirement list starts at, and their distance.
const PAGE_BASE: u64 = 0x10_0000;
const PAGE_SIZE: u64 = 0x1_0000;

device_calls! {
    nvmlDeviceGetEccMode(gpu, current: Out<u32>, pending: Out<u32>) {
        current.put(gpu.flag(&gpu.values.ecc_enabled)?)?;
        pending.put(gpu.flag(&gpu.values.ecc_pending)?)
    }

    nvmlDeviceGetTotalEccErrors(gpu, kind: u32, counter: u32, count: Out<u64>) {
        count.put(total(gpu, kind, counter)?)
    }

    nvmlDeviceGetMemoryErrorCounter(gpu, kind: u32, counter: u32, location: u32, count: Out<u64>) {
        let all = total(gpu, kind, counter)?;
        let sram = match (kind, counter) {
            (UNCORRECTED, AGGREGATE) => gpu.u64(&gpu.values.ecc_sram_uncorrected)?,
            (_, AGGREGATE) => gpu.u64(&gpu.values.ecc_sram_corrected)?,
            _ => 0,
        };
        match location {
            DRAM => count.put(all.saturating_sub(sram)),
            SRAM => count.put(sram.min(all)),
            0..LOCATIONS => Err(NOT_SUPPORTED),
            _ => Err(INVALID_ARGUMENT),
        }
    }

    nvmlDeviceGetSramEccErrorStatus(gpu, status: Out<nvmlEccSramErrorStatus_v1_t>) {
        let version = status.get()?.version;
        if version != version_word::<nvmlEccSramErrorStatus_v1_t>(1) {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        let uncorrected = gpu.u64(&gpu.values.ecc_sram_uncorrected)?;
        status.put(nvmlEccSramErrorStatus_v1_t {
            version,
            aggregateUncParity: 0,
            aggregateUncSecDed: uncorrected,
            aggregateCor: gpu.u64(&gpu.values.ecc_sram_corrected)?,
            volatileUncParity: 0,
            volatileUncSecDed: 0,
            volatileCor: 0,
            aggregateUncBucketL2: 0,
            aggregateUncBucketSm: uncorrected,
            aggregateUncBucketPcie: 0,
            aggregateUncBucketMcu: 0,
            aggregateUncBucketOther: 0,
            bThresholdExceeded: gpu.flag(&gpu.values.ecc_sram_threshold_exceeded)?,
        })
    }

    nvmlDeviceGetRemappedRows(gpu, corrected: Out<u32>, uncorrected: Out<u32>, pending: Out<u32>, failed: Out<u32>) {
        corrected.put(gpu.u32(&gpu.values.remapped_rows_corrected)?)?;
        uncorrected.put(gpu.u32(&gpu.values.remapped_rows_uncorrected)?)?;
        pending.put(gpu.flag(&gpu.values.remap_pending)?)?;
        failed.put(gpu.flag(&gpu.values.remap_failure)?)
    }

    nvmlDeviceGetRowRemapperHistogram(gpu, histogram: Out<nvmlRowRemapperHistogramValues_t>) {
        let max = gpu.u32(&gpu.values.remap_banks_max)?;
        histogram.put(nvmlRowRemapperHistogramValues_t { max, high: 0, partial: 0, low: 0, none: 0 })
    }

    nvmlDeviceGetRepairStatus(gpu, status: Out<nvmlRepairStatus_v1_t>) {
        let version = status.get()?.version;
        if version != version_word::<nvmlRepairStatus_v1_t>(1) {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        status.put(nvmlRepairStatus_v1_t {
            version,
            bChannelRepairPending: gpu.flag(&gpu.values.channel_repair_pending)?,
            bTpcRepairPending: gpu.flag(&gpu.values.tpc_repair_pending)?,
        })
    }

    nvmlDeviceGetRetiredPages(gpu, cause: u32, count: Out<u32>, addresses: Out<u64>) {
        addresses.put_list(&count, &retired_pages(gpu, cause)?)
    }

    nvmlDeviceGetRetiredPages_v2(gpu, cause: u32, count: Out<u32>, addresses: Out<u64>, timestamps: Out<u64>) {
        let pages = retired_pages(gpu, cause)?;
        if !timestamps.is_null() && !addresses.is_null() && count.get()? as usize >= pages.len() {
            timestamps.put_list(&count, &vec![0; pages.len()])?;
        }
        addresses.put_list(&count, &pages)
    }

    nvmlDeviceGetRetiredPagesPendingStatus(gpu, pending: Out<u32>) {
        pending.put(gpu.flag(&gpu.values.retired_pages_pending)?)
    }
}

/// A total of `nvmlDeviceGetTotalEccErrors`; not supported while ECC is off.
fn total(gpu: &Gpu<'_>, kind: u32, counter: u32) -> Result<u64, Code> {
    if gpu.flag(&gpu.values.ecc_enabled)? == 0 {
        return Err(NOT_SUPPORTED);
    }
    let signal: &Signal = match (kind, counter) {
        (0, 0) => &gpu.values.ecc_volatile_corrected,
        (UNCORRECTED, 0) => &gpu.values.ecc_volatile_uncorrected,
        (0, AGGREGATE) => &gpu.values.ecc_aggregate_corrected,
        (UNCORRECTED, AGGREGATE) => &gpu.values.ecc_aggregate_uncorrected,
        _ => return Err(INVALID_ARGUMENT),
    };
    gpu.u64(signal)
}

/// Addresses of as many pages as the scenario says were retired.
fn retired_pages(gpu: &Gpu<'_>, cause: u32) -> Result<Vec<u64>, Code> {
    let count = match cause {
        0 => gpu.u32(&gpu.values.retired_pages_single_bit)?,
        1 => gpu.u32(&gpu.values.retired_pages_double_bit)?,
        _ => return Err(INVALID_ARGUMENT),
    };
    Ok((0..u64::from(count)).map(|page| PAGE_BASE + page * PAGE_SIZE).collect())
}
