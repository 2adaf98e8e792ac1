//! `nvmlDeviceGetFieldValues`: many numbers in one call, each with its own return code.

use super::{Gpu, device_calls, link, telemetry};
use crate::abi::{self, Code, INVALID_ARGUMENT, NOT_SUPPORTED, Out, nvmlFieldValue_t, nvmlValue_t};

/// Scope that asks for all links together.
const ALL_LINKS: u32 = u32::MAX;

/// Fields that the renumbering of driver 580.82 moved up to 269-273, by their old numbers.
const MOVED_UP: std::ops::RangeInclusive<u32> = 251..=255;

device_calls! {
    nvmlDeviceGetFieldValues(gpu, count: i32, requests: Out<nvmlFieldValue_t>) {
        let now_us = (gpu.at * 1e6) as i64;
        requests.answer_each(count, |request| {
            request.timestamp = now_us;
            request.latencyUsec = 1;
            match read(gpu, request.fieldId, request.scopeId) {
                Ok(value) => value.store(request),
                Err(code) => request.nvmlReturn = code,
            }
        })
    }

    nvmlDeviceClearFieldValues(gpu, count: i32, requests: Out<nvmlFieldValue_t>) {
        requests.answer_each(count, |request| {
            request.nvmlReturn = read(gpu, request.fieldId, request.scopeId).err().unwrap_or(abi::SUCCESS);
        })
    }
}

/// A field's value with the type that the driver gives it.
enum Value {
    U32(u32),
    U64(u64),
    I32(i32),
}

impl Value {
    fn store(self, request: &mut nvmlFieldValue_t) {
        request.nvmlReturn = abi::SUCCESS;
        // All eight bytes are written, so that a reader of the wrong member finds no left-overs.
        request.value = nvmlValue_t { ullVal: 0 };
        (request.valueType, request.value) = match self {
            Self::U32(value) => {
                (abi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT, nvmlValue_t { uiVal: value })
            }
            Self::U64(value) => {
                (abi::nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_LONG_LONG, nvmlValue_t { ullVal: value })
            }
            Self::I32(value) => {
                (abi::nvmlValueType_enum_NVML_VALUE_TYPE_SIGNED_INT, nvmlValue_t { siVal: value })
            }
        };
    }
}

fn read(gpu: &Gpu<'_>, field: u32, scope: u32) -> Result<Value, Code> {
    let field = match gpu.scenario.renumbered_fields() {
        true if (269..=273).contains(&field) => field - 18,
        // The numbers now belong to power smoothing, which no profile has.
        true if MOVED_UP.contains(&field) => return Err(NOT_SUPPORTED),
        _ => field,
    };
    match field {
        0 | 274.. => Err(INVALID_ARGUMENT),
        1..=31 | 92..=93 | 142..=145 => memory_errors(gpu, field),
        32..=59 | 84..=91 | 96..=119 | 132..=141 | 148..=168 | 201..=222 => nvlink(gpu, field, scope),
        74..=79 | 82..=83 | 185..=196 | 251..=253 => telemetry(gpu, field),
        94 => gpu.u32(&gpu.values.pcie_replays).map(Value::U32),
        95 => gpu.u32(&gpu.values.pcie_replay_rollovers).map(Value::U32),
        226 => gpu.u32(&gpu.values.recovery_action).map(|action| Value::U32(u32::from(action == 1))),
        227 => gpu.u32(&gpu.values.recovery_action).map(|action| Value::U32(u32::from(action == 4))),
        230 => gpu.u32(&gpu.values.recovery_action).map(Value::U32),
        _ => Err(NOT_SUPPORTED),
    }
}

/// Load, heat and power.
fn telemetry(gpu: &Gpu<'_>, field: u32) -> Result<Value, Code> {
    let values = gpu.values;
    match field {
        74..=79 => gpu.u64(telemetry::violation(gpu, field - 74)?).map(Value::U64),
        82 => gpu.u32(&values.memory_temperature_c).map(Value::U32),
        83 | 191 => telemetry::energy_mj(gpu).map(Value::U64),
        185 => gpu.u32(values.power_average_mw.as_ref().unwrap_or(&values.power_mw)).map(Value::U32),
        186 => gpu.u32(values.power_instant_mw.as_ref().unwrap_or(&values.power_mw)).map(Value::U32),
        187 => gpu.u32(&values.power_limit_min_mw).map(Value::U32),
        188 => gpu.u32(&values.power_limit_max_mw).map(Value::U32),
        189 => gpu.u32(&values.power_limit_default_mw).map(Value::U32),
        190 | 192 => gpu.u32(&values.power_limit_mw).map(Value::U32),
        193 => gpu.i32(&values.shutdown_tlimit_c).map(Value::I32),
        194 => gpu.i32(&values.slowdown_tlimit_c).map(Value::I32),
        195 => gpu.i32(&values.memory_max_tlimit_c).map(Value::I32),
        196 => gpu.i32(&values.gpu_max_tlimit_c).map(Value::I32),
        251 => gpu.u64(&values.thermal_violation_ns).map(Value::U64),
        252 => gpu.u64(&values.hw_thermal_violation_ns).map(Value::U64),
        253 => gpu.u64(&values.hw_power_brake_violation_ns).map(Value::U64),
        _ => Err(NOT_SUPPORTED),
    }
}

/// ECC, retired pages and remapped rows.
fn memory_errors(gpu: &Gpu<'_>, field: u32) -> Result<Value, Code> {
    let values = gpu.values;
    match field {
        1 => gpu.flag(&values.ecc_enabled).map(Value::U32),
        2 => gpu.flag(&values.ecc_pending).map(Value::U32),
        3 => gpu.u64(&values.ecc_volatile_corrected).map(Value::U64),
        4 => gpu.u64(&values.ecc_volatile_uncorrected).map(Value::U64),
        5 => gpu.u64(&values.ecc_aggregate_corrected).map(Value::U64),
        6 => gpu.u64(&values.ecc_aggregate_uncorrected).map(Value::U64),
        29 => gpu.u64(&values.retired_pages_single_bit).map(Value::U64),
        30 => gpu.u64(&values.retired_pages_double_bit).map(Value::U64),
        31 => gpu.flag(&values.retired_pages_pending).map(Value::U32),
        142 => gpu.u32(&values.remapped_rows_corrected).map(Value::U32),
        143 => gpu.u32(&values.remapped_rows_uncorrected).map(Value::U32),
        144 => gpu.flag(&values.remap_pending).map(Value::U32),
        145 => gpu.flag(&values.remap_failure).map(Value::U32),
        _ => Err(NOT_SUPPORTED),
    }
}

/// NVLink: counters of one link are scoped by its number where the field has no number of its own.
fn nvlink(gpu: &Gpu<'_>, field: u32, scope: u32) -> Result<Value, Code> {
    let values = gpu.values;
    link::check_link(gpu, 0)?;
    let links = u64::from(values.nvlink_count);
    // The sum over all links, where each link has the same count.
    let sum = |signal| gpu.u64(signal).map(|count| Value::U64(count * links));
    let scoped = |signal, generations: &[u32]| {
        if !generations.contains(&values.nvlink_generation) {
            return Err(NOT_SUPPORTED);
        }
        if scope == ALL_LINKS {
            return sum(signal);
        }
        link::check_link(gpu, scope)?;
        gpu.u64(signal).map(Value::U64)
    };
    match field {
        38 if values.nvlink_generation < 5 => sum(&values.nvlink_crc_flit_errors),
        45 if values.nvlink_generation < 5 => sum(&values.nvlink_crc_data_errors),
        52 if values.nvlink_generation < 5 => sum(&values.nvlink_replay_errors),
        59 if values.nvlink_generation < 5 => sum(&values.nvlink_recovery_errors),
        90 | 164 => gpu.u32(&values.nvlink_speed_mbps).map(Value::U32),
        91 => Ok(Value::U32(values.nvlink_count)),
        138 | 140 => gpu.u64(&values.nvlink_tx_kib).map(Value::U64),
        139 | 141 => gpu.u64(&values.nvlink_rx_kib).map(Value::U64),
        160 if values.nvlink_generation == 3 => sum(&values.nvlink_ecc_errors),
        161 => scoped(&values.nvlink_replay_errors, &[4]),
        162 => scoped(&values.nvlink_recovery_errors, &[4]),
        163 => scoped(&values.nvlink_crc_flit_errors, &[4]),
        165 => {
            link::check_link(gpu, scope)?;
            Ok(Value::U32(u32::from(!values.nvlink_inactive.contains(&scope))))
        }
        202 if values.nvlink_generation >= 5 => {
            gpu.u64(&values.nvlink_tx_kib).map(|kib| Value::U64(kib * 1024))
        }
        204 if values.nvlink_generation >= 5 => {
            gpu.u64(&values.nvlink_rx_kib).map(|kib| Value::U64(kib * 1024))
        }
        208 => scoped(&values.nvlink_crc_flit_errors, &[5]),
        211 => scoped(&values.nvlink_crc_data_errors, &[5]),
        213 | 215 => scoped(&values.nvlink_recovery_errors, &[5]),
        214 => scoped(&values.nvlink_ecc_errors, &[5]),
        219 | 221 => scoped(&values.nvlink_replay_errors, &[5]),
        _ => Err(NOT_SUPPORTED),
    }
}
