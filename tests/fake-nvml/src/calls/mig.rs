//! MIG: a GPU divided into instances, each with a handle of its own.

use super::device_calls;
use crate::abi::{
    Handle, INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED, Out, nvmlDevice_t, nvmlDeviceAttributes_t,
};

/// Instances that every MIG-capable data-centre GPU can be divided into.
const INSTANCES_MAX: u32 = 7;

/// Bytes in the MB of `nvmlDeviceAttributes_t`.
const MB: u64 = 1 << 20;

device_calls! {
    nvmlDeviceGetMigMode(gpu, current: Out<u32>, pending: Out<u32>) {
        let now = gpu.flag(&gpu.values.mig_enabled)?;
        current.put(now)?;
        pending.put(match &gpu.values.mig_pending {
            Some(signal) => gpu.flag(signal)?,
            None => now,
        })
    }

    nvmlDeviceGetMaxMigDeviceCount(gpu, count: Out<u32>) {
        count.put(if gpu.u32(&gpu.values.mig_enabled).is_ok() { INSTANCES_MAX } else { 0 })
    }

    nvmlDeviceGetMigDeviceHandleByIndex(gpu, index: u32, device: Out<nvmlDevice_t>) {
        if gpu.u32(&gpu.values.mig_enabled).is_err() {
            return Err(NOT_SUPPORTED);
        }
        if !gpu.in_mig_mode() || index as usize >= gpu.values.mig_instances.len() {
            return Err(NOT_FOUND);
        }
        device.put(Handle::of_mig(gpu.index, index as usize).0)
    }

    #[mig]
    nvmlDeviceIsMigDeviceHandle(gpu, is_mig: Out<u32>) {
        is_mig.put(u32::from(gpu.mig.is_some()))
    }

    #[mig]
    nvmlDeviceGetDeviceHandleFromMigDeviceHandle(gpu, device: Out<nvmlDevice_t>) {
        gpu.mig.ok_or(INVALID_ARGUMENT)?;
        device.put(Handle::of_gpu(gpu.index).0)
    }

    #[mig]
    nvmlDeviceGetGpuInstanceId(gpu, id: Out<u32>) {
        id.put(gpu.mig.ok_or(NOT_SUPPORTED)?.gpu_instance)
    }

    #[mig]
    nvmlDeviceGetComputeInstanceId(gpu, id: Out<u32>) {
        id.put(gpu.mig.ok_or(NOT_SUPPORTED)?.compute_instance)
    }

    #[mig]
    nvmlDeviceGetAttributes_v2(gpu, attributes: Out<nvmlDeviceAttributes_t>) {
        let instance = gpu.mig.ok_or(NOT_SUPPORTED)?;
        // A profile begins with its slices, as in "3g.40gb".
        let slices = instance.profile.split('g').next().and_then(|slices| slices.parse().ok()).unwrap_or(1);
        attributes.put(nvmlDeviceAttributes_t {
            multiprocessorCount: slices * 14,
            sharedCopyEngineCount: slices,
            sharedDecoderCount: slices,
            sharedEncoderCount: 0,
            sharedJpegCount: slices,
            sharedOfaCount: 0,
            gpuInstanceSliceCount: slices,
            computeInstanceSliceCount: slices,
            memorySizeMB: instance.memory_total_bytes / MB,
        })
    }
}
