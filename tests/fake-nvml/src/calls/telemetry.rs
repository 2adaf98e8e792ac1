//! What a GPU is doing: load, memory, heat, power, clocks.

use super::{Gpu, device_calls};
use crate::{
    abi::{
        self, ARGUMENT_VERSION_MISMATCH, Code, INVALID_ARGUMENT, NOT_SUPPORTED, Out,
        nvmlMarginTemperature_v1_t, nvmlMemory_t, nvmlMemory_v2_t, nvmlTemperature_v1_t, nvmlUtilization_t,
        nvmlViolationTime_t, version_word,
    },
    library,
    signal::Signal,
};

/// What is measured over nanoseconds of the machine's life.
const NANOSECONDS: f64 = 1e9;

device_calls! {
    nvmlDeviceGetUtilizationRates(gpu, rates: Out<nvmlUtilization_t>) {
        if gpu.in_mig_mode() {
            return Err(NOT_SUPPORTED);
        }
        rates.put(nvmlUtilization_t {
            gpu: gpu.u32(&gpu.values.utilization_percent)?,
            memory: gpu.u32(&gpu.values.memory_utilization_percent)?,
        })
    }

    #[mig]
    nvmlDeviceGetMemoryInfo(gpu, info: Out<nvmlMemory_t>) {
        let memory = memory(gpu)?;
        // The first version of the struct has no place for the reserved part and counts it as used.
        info.put(nvmlMemory_t { total: memory.total, free: memory.free, used: memory.used + memory.reserved })
    }

    #[mig]
    nvmlDeviceGetMemoryInfo_v2(gpu, info: Out<nvmlMemory_v2_t>) {
        if info.get()?.version != version_word::<nvmlMemory_v2_t>(2) {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        info.put(memory(gpu)?)
    }

    nvmlDeviceGetTemperature(gpu, sensor: u32, temperature: Out<u32>) {
        if sensor != abi::nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU {
            return Err(INVALID_ARGUMENT);
        }
        temperature.put(gpu.u32(&gpu.values.temperature_c)?)
    }

    nvmlDeviceGetTemperatureV(gpu, temperature: Out<nvmlTemperature_v1_t>) {
        let asked = temperature.get()?;
        if asked.version != version_word::<nvmlTemperature_v1_t>(1) {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        if asked.sensorType != abi::nvmlTemperatureSensors_enum_NVML_TEMPERATURE_GPU {
            return Err(INVALID_ARGUMENT);
        }
        temperature.put(nvmlTemperature_v1_t { temperature: gpu.i32(&gpu.values.temperature_c)?, ..asked })
    }

    nvmlDeviceGetMarginTemperature(gpu, margin: Out<nvmlMarginTemperature_v1_t>) {
        let asked = margin.get()?;
        if asked.version != version_word::<nvmlMarginTemperature_v1_t>(1) {
            return Err(ARGUMENT_VERSION_MISMATCH);
        }
        margin.put(nvmlMarginTemperature_v1_t { marginTemperature: gpu.i32(&gpu.values.temperature_margin_c)?, ..asked })
    }

    nvmlDeviceGetTemperatureThreshold(gpu, threshold: u32, temperature: Out<u32>) {
        let signal = match threshold {
            0 => &gpu.values.shutdown_threshold_c,
            1 => &gpu.values.slowdown_threshold_c,
            2 => &gpu.values.memory_max_threshold_c,
            3 => &gpu.values.gpu_max_threshold_c,
            4..=7 => return Err(NOT_SUPPORTED),
            _ => return Err(INVALID_ARGUMENT),
        };
        temperature.put(gpu.u32(signal)?)
    }

    nvmlDeviceGetPowerUsage(gpu, power: Out<u32>) {
        power.put(gpu.u32(&gpu.values.power_mw)?)
    }

    nvmlDeviceGetEnforcedPowerLimit(gpu, limit: Out<u32>) {
        limit.put(gpu.u32(&gpu.values.power_limit_mw)?)
    }

    nvmlDeviceGetPowerManagementLimit(gpu, limit: Out<u32>) {
        limit.put(gpu.u32(&gpu.values.power_limit_mw)?)
    }

    nvmlDeviceGetPowerManagementDefaultLimit(gpu, limit: Out<u32>) {
        limit.put(gpu.u32(&gpu.values.power_limit_default_mw)?)
    }

    nvmlDeviceGetPowerManagementLimitConstraints(gpu, min: Out<u32>, max: Out<u32>) {
        min.put(gpu.u32(&gpu.values.power_limit_min_mw)?)?;
        max.put(gpu.u32(&gpu.values.power_limit_max_mw)?)
    }

    nvmlDeviceGetTotalEnergyConsumption(gpu, energy: Out<u64>) {
        energy.put(energy_mj(gpu)?)
    }

    nvmlDeviceGetClockInfo(gpu, clock: u32, mhz: Out<u32>) {
        let values = gpu.values;
        let signals = [&values.graphics_clock_mhz, &values.sm_clock_mhz, &values.memory_clock_mhz, &values.video_clock_mhz];
        mhz.put(gpu.u32(signals.get(clock as usize).ok_or(INVALID_ARGUMENT)?)?)
    }

    nvmlDeviceGetMaxClockInfo(gpu, clock: u32, mhz: Out<u32>) {
        let values = gpu.values;
        let signals = [
            &values.graphics_clock_max_mhz,
            &values.sm_clock_max_mhz,
            &values.memory_clock_max_mhz,
            &values.video_clock_max_mhz,
        ];
        mhz.put(gpu.u32(signals.get(clock as usize).ok_or(INVALID_ARGUMENT)?)?)
    }

    nvmlDeviceGetCurrentClocksThrottleReasons(gpu, reasons: Out<u64>) {
        reasons.put(gpu.u64(&gpu.values.throttle_reasons)?)
    }

    nvmlDeviceGetCurrentClocksEventReasons(gpu, reasons: Out<u64>) {
        reasons.put(gpu.u64(&gpu.values.throttle_reasons)?)
    }

    nvmlDeviceGetSupportedClocksThrottleReasons(gpu, reasons: Out<u64>) {
        reasons.put(gpu.u64(&gpu.values.throttle_reasons_supported)?)
    }

    nvmlDeviceGetSupportedClocksEventReasons(gpu, reasons: Out<u64>) {
        reasons.put(gpu.u64(&gpu.values.throttle_reasons_supported)?)
    }

    nvmlDeviceGetViolationStatus(gpu, policy: u32, time: Out<nvmlViolationTime_t>) {
        let signal = violation(gpu, policy)?;
        time.put(nvmlViolationTime_t {
            referenceTime: (gpu.at * NANOSECONDS) as u64,
            violationTime: gpu.u64(signal)?,
        })
    }

    nvmlDeviceGetPerformanceState(gpu, state: Out<u32>) {
        state.put(gpu.u32(&gpu.values.performance_state)?)
    }

    nvmlDeviceGetPersistenceMode(gpu, mode: Out<u32>) {
        mode.put(gpu.flag(&gpu.values.persistence_mode)?)
    }

    nvmlDeviceGetComputeMode(gpu, mode: Out<u32>) {
        mode.put(gpu.u32(&gpu.values.compute_mode)?)
    }

    nvmlDeviceGetVirtualizationMode(gpu, mode: Out<u32>) {
        mode.put(gpu.u32(&gpu.values.virtualization_mode)?)
    }
}

/// Memory of the GPU, or of a MIG device.
fn memory(gpu: &Gpu<'_>) -> Result<nvmlMemory_v2_t, Code> {
    let (total, reserved, used) = match gpu.mig {
        Some(instance) => (instance.memory_total_bytes, 0, instance.memory_used_bytes),
        None => (
            gpu.u64(&gpu.values.memory_total_bytes)?,
            gpu.u64(&gpu.values.memory_reserved_bytes)?,
            gpu.u64(&gpu.values.memory_used_bytes)?,
        ),
    };
    let free = total.saturating_sub(reserved).saturating_sub(used);
    Ok(nvmlMemory_v2_t { version: version_word::<nvmlMemory_v2_t>(2), total, reserved, free, used })
}

/// What the scenario gives, or else power added up over real time.
pub(super) fn energy_mj(gpu: &Gpu<'_>) -> Result<u64, Code> {
    match &gpu.values.energy_mj {
        Some(signal) => gpu.u64(signal),
        None => Ok(library::lock().energy_mj(gpu.index)),
    }
}

/// The counter of a performance policy, by its number in `nvmlPerfPolicyType_t`.
pub(super) fn violation<'a>(gpu: &Gpu<'a>, policy: u32) -> Result<&'a Signal, Code> {
    match policy {
        0 => Ok(&gpu.values.power_violation_ns),
        1 => Ok(&gpu.values.thermal_violation_ns),
        2 => Ok(&gpu.values.sync_boost_violation_ns),
        3 => Ok(&gpu.values.board_limit_violation_ns),
        4 => Ok(&gpu.values.low_utilization_violation_ns),
        5 => Ok(&gpu.values.reliability_violation_ns),
        10 | 11 => Err(NOT_SUPPORTED),
        _ => Err(INVALID_ARGUMENT),
    }
}
