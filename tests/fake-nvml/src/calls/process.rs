//! Who uses a GPU.

use super::{Gpu, device_calls};
use crate::{
    abi::{
        INSUFFICIENT_SIZE, NOT_FOUND, NOT_SUPPORTED, Out, nvmlProcessInfo_t, nvmlProcessUtilizationSample_t,
    },
    values::Process,
};

/// What NVML puts where a process belongs to no MIG instance.
const NO_INSTANCE: u32 = u32::MAX;

device_calls! {
    #[mig]
    nvmlDeviceGetComputeRunningProcesses_v3(gpu, count: Out<u32>, processes: Out<nvmlProcessInfo_t>) {
        processes.put_list(&count, &running(gpu, false))
    }

    #[mig]
    nvmlDeviceGetGraphicsRunningProcesses_v3(gpu, count: Out<u32>, processes: Out<nvmlProcessInfo_t>) {
        processes.put_list(&count, &running(gpu, true))
    }

    #[mig]
    nvmlDeviceGetMPSComputeRunningProcesses_v3(_gpu, count: Out<u32>, processes: Out<nvmlProcessInfo_t>) {
        processes.put_list(&count, &[])
    }

    nvmlDeviceGetProcessUtilization(
        gpu,
        samples: Out<nvmlProcessUtilizationSample_t>,
        count: Out<u32>,
        last_seen_us: u64,
    ) {
        if gpu.in_mig_mode() {
            return Err(NOT_SUPPORTED);
        }
        let now_us = (gpu.at * 1e6) as u64;
        let list: Vec<_> = gpu.values.processes.iter().map(|process| sample(process, now_us)).collect();
        if list.is_empty() || last_seen_us >= now_us {
            return Err(NOT_FOUND);
        }
        if samples.is_null() {
            count.put(list.len() as u32)?;
            return Err(INSUFFICIENT_SIZE);
        }
        samples.put_list(&count, &list)
    }
}

fn running(gpu: &Gpu<'_>, graphics: bool) -> Vec<nvmlProcessInfo_t> {
    let here = |process: &&Process| match gpu.mig {
        Some(instance) => {
            process.gpu_instance == Some(instance.gpu_instance)
                && process.compute_instance.unwrap_or(0) == instance.compute_instance
        }
        None => true,
    };
    let listed = gpu.values.processes.iter().filter(|process| process.graphics == graphics).filter(here);
    listed
        .map(|process| nvmlProcessInfo_t {
            pid: process.pid,
            usedGpuMemory: process.memory_bytes,
            gpuInstanceId: process.gpu_instance.unwrap_or(NO_INSTANCE),
            computeInstanceId: process.compute_instance.unwrap_or(NO_INSTANCE),
        })
        .collect()
}

fn sample(process: &Process, now_us: u64) -> nvmlProcessUtilizationSample_t {
    nvmlProcessUtilizationSample_t {
        pid: process.pid,
        timeStamp: now_us,
        smUtil: process.sm_percent,
        memUtil: process.memory_percent,
        encUtil: 0,
        decUtil: 0,
    }
}
