//! PCIe, NVLink and the NVLink fabric.

use std::{thread, time::Duration};

use super::{Gpu, device_calls};
use crate::{
    abi::{
        ARGUMENT_VERSION_MISMATCH, Code, INVALID_ARGUMENT, NOT_SUPPORTED, Out, nvmlGpuFabricInfo_t,
        nvmlGpuFabricInfo_v2_t, nvmlGpuFabricInfo_v3_t, nvmlGpuFabricInfoV_t, version_word,
    },
    signal::Signal,
};

/// First NVLink generation whose errors are only in field values.
const NVLINK_5: u32 = 5;

device_calls! {
    nvmlDeviceGetPcieReplayCounter(gpu, count: Out<u32>) {
        count.put(gpu.u32(&gpu.values.pcie_replays)?)
    }

    nvmlDeviceGetCurrPcieLinkGeneration(gpu, generation: Out<u32>) {
        generation.put(gpu.u32(&gpu.values.pcie_generation)?)
    }

    nvmlDeviceGetMaxPcieLinkGeneration(gpu, generation: Out<u32>) {
        generation.put(gpu.u32(&gpu.values.pcie_generation_max)?)
    }

    nvmlDeviceGetGpuMaxPcieLinkGeneration(gpu, generation: Out<u32>) {
        generation.put(gpu.u32(&gpu.values.pcie_generation_max)?)
    }

    nvmlDeviceGetCurrPcieLinkWidth(gpu, width: Out<u32>) {
        width.put(gpu.u32(&gpu.values.pcie_width)?)
    }

    nvmlDeviceGetMaxPcieLinkWidth(gpu, width: Out<u32>) {
        width.put(gpu.u32(&gpu.values.pcie_width_max)?)
    }

    nvmlDeviceGetPcieThroughput(gpu, counter: u32, kib_s: Out<u32>) {
        let signal = match counter {
            0 => &gpu.values.pcie_tx_kib_s,
            1 => &gpu.values.pcie_rx_kib_s,
            _ => return Err(INVALID_ARGUMENT),
        };
        thread::sleep(Duration::from_millis(gpu.scenario.library.pcie_throughput_ms));
        kib_s.put(gpu.u32(signal)?)
    }

    nvmlDeviceGetNvLinkState(gpu, link: u32, active: Out<u32>) {
        check_link(gpu, link)?;
        active.put(u32::from(!gpu.values.nvlink_inactive.contains(&link)))
    }

    nvmlDeviceGetNvLinkVersion(gpu, link: u32, version: Out<u32>) {
        check_link(gpu, link)?;
        // NVLink 3 and later are counted from 5 in nvml.h's nvmlNvlinkVersion_t.
        version.put(gpu.values.nvlink_generation + 2)
    }

    nvmlDeviceGetNvLinkErrorCounter(gpu, link: u32, counter: u32, count: Out<u64>) {
        check_link(gpu, link)?;
        if gpu.values.nvlink_generation >= NVLINK_5 {
            return Err(NOT_SUPPORTED);
        }
        count.put(gpu.u64(error_counter(gpu, counter)?)?)
    }

    nvmlDeviceGetGpuFabricInfo(gpu, info: Out<nvmlGpuFabricInfo_t>) {
        info.put(nvmlGpuFabricInfo_t {
            clusterUuid: [0; 16],
            status: gpu.values.fabric_status,
            cliqueId: gpu.values.fabric_clique_id,
            state: fabric_state(gpu)?,
        })
    }

    nvmlDeviceGetGpuFabricInfoV(gpu, info: Out<nvmlGpuFabricInfoV_t>) {
        fabric_info(gpu, &info)
    }
}

/// Writes the version of the struct that the caller has room for.
fn fabric_info(gpu: &Gpu<'_>, info: &Out<nvmlGpuFabricInfoV_t>) -> Result<(), Code> {
    let second: Out<nvmlGpuFabricInfo_v2_t> = info.cast();
    // The second version is the third's beginning, so its version word can be read either way.
    let version = second.get()?.version;
    let filled = nvmlGpuFabricInfo_v2_t {
        version,
        clusterUuid: [0; 16],
        status: gpu.values.fabric_status,
        cliqueId: gpu.values.fabric_clique_id,
        state: fabric_state(gpu)?,
        healthMask: gpu.values.fabric_health_mask,
    };
    if version == version_word::<nvmlGpuFabricInfo_v2_t>(2) {
        return second.put(filled);
    }
    if version != version_word::<nvmlGpuFabricInfo_v3_t>(3) {
        return Err(ARGUMENT_VERSION_MISMATCH);
    }
    info.put(nvmlGpuFabricInfoV_t {
        version,
        clusterUuid: filled.clusterUuid,
        status: filled.status,
        cliqueId: filled.cliqueId,
        state: filled.state,
        healthMask: filled.healthMask,
        healthSummary: gpu.values.fabric_health_summary,
    })
}

fn fabric_state(gpu: &Gpu<'_>) -> Result<u8, Code> {
    gpu.u32(&gpu.values.fabric_state).map(|state| state.min(u8::MAX.into()) as u8)
}

/// A GPU without NVLink does not support the calls; a link it does not have is an invalid argument.
pub(super) fn check_link(gpu: &Gpu<'_>, link: u32) -> Result<(), Code> {
    match gpu.values.nvlink_count {
        0 => Err(NOT_SUPPORTED),
        count if link >= count => Err(INVALID_ARGUMENT),
        _ => Ok(()),
    }
}

/// The counter of a link, by its number in `nvmlNvLinkErrorCounter_t`.
fn error_counter<'a>(gpu: &Gpu<'a>, counter: u32) -> Result<&'a Signal, Code> {
    match counter {
        0 => Ok(&gpu.values.nvlink_replay_errors),
        1 => Ok(&gpu.values.nvlink_recovery_errors),
        2 => Ok(&gpu.values.nvlink_crc_flit_errors),
        3 => Ok(&gpu.values.nvlink_crc_data_errors),
        4 => Ok(&gpu.values.nvlink_ecc_errors),
        _ => Err(INVALID_ARGUMENT),
    }
}
