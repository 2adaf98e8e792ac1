//! The fake NVML library through its C interface, where nvml-wrapper cannot go: version words, buffers that are too small,
//! signed fields, instance ids of events, the fabric, use without init.
#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::{mem::zeroed, ptr};

use common::fake::with_nvml;
use nvml_wrapper_sys::bindings::*;

const SUCCESS: u32 = 0;
const UNINITIALIZED: u32 = 1;
const INVALID_ARGUMENT: u32 = 2;
const NOT_SUPPORTED: u32 = 3;
const INSUFFICIENT_SIZE: u32 = 7;
const VERSION_MISMATCH: u32 = 25;

fn load() -> NvmlLib {
    // SAFETY: loading the library runs no code of it but Rust's own start-up.
    unsafe { NvmlLib::new("libnvidia-ml.so.1") }.unwrap()
}

fn initialised() -> (NvmlLib, nvmlDevice_t) {
    let nvml = load();
    let mut device = ptr::null_mut();
    // SAFETY: the pointer is to a handle.
    unsafe {
        assert_eq!(nvml.nvmlInit_v2(), SUCCESS);
        assert_eq!(nvml.nvmlDeviceGetHandleByIndex_v2(0, &mut device), SUCCESS);
    }
    (nvml, device)
}

fn fields(nvml: &NvmlLib, device: nvmlDevice_t, wanted: &[(u32, u32)]) -> Vec<nvmlFieldValue_t> {
    let mut requests: Vec<nvmlFieldValue_t> = wanted
        .iter()
        .map(|&(field, scope)| {
            // SAFETY: all zeros is a value of every member.
            let mut request: nvmlFieldValue_t = unsafe { zeroed() };
            (request.fieldId, request.scopeId) = (field, scope);
            request
        })
        .collect();
    // SAFETY: the count is that of the vector.
    let code = unsafe { nvml.nvmlDeviceGetFieldValues(device, requests.len() as i32, requests.as_mut_ptr()) };
    assert_eq!(code, SUCCESS);
    requests
}

#[test]
fn without_init_every_call_is_refused() {
    with_nvml("without_init_every_call_is_refused", "", |_| {
        let nvml = load();
        let (mut count, mut version) = (0, 0);
        // SAFETY: pointers are to what the calls fill in.
        unsafe {
            assert_eq!(nvml.nvmlDeviceGetCount_v2(&mut count), UNINITIALIZED);
            assert_eq!(nvml.nvmlShutdown(), UNINITIALIZED);
            assert_eq!(nvml.nvmlSystemGetCudaDriverVersion(&mut version), SUCCESS);
            let text = std::ffi::CStr::from_ptr(nvml.nvmlErrorString(18));
            assert_eq!(text.to_str(), Ok("Driver/library version mismatch"));
            assert_eq!((nvml.nvmlInit_v2(), nvml.nvmlInit_v2(), nvml.nvmlShutdown()), (0, 0, 0));
            assert_eq!(nvml.nvmlDeviceGetCount_v2(&mut count), SUCCESS);
            assert_eq!(
                (nvml.nvmlShutdown(), nvml.nvmlDeviceGetCount_v2(&mut count)),
                (SUCCESS, UNINITIALIZED)
            );
        }
    });
}

#[test]
fn a_wrong_version_word_is_a_version_mismatch() {
    with_nvml("a_wrong_version_word_is_a_version_mismatch", "", |_| {
        let (nvml, device) = initialised();
        // SAFETY: pointers are to what the calls fill in, and all zeros is a value of each.
        unsafe {
            let mut memory: nvmlMemory_v2_t = zeroed();
            for (word, code) in
                [(0, VERSION_MISMATCH), (0x0100_0028, VERSION_MISMATCH), (0x0200_0028, SUCCESS)]
            {
                memory.version = word;
                assert_eq!(nvml.nvmlDeviceGetMemoryInfo_v2(device, &mut memory), code);
            }
            let mut margin: nvmlMarginTemperature_v1_t = zeroed();
            assert_eq!(nvml.nvmlDeviceGetMarginTemperature(device, &mut margin), VERSION_MISMATCH);
            margin.version = 0x0100_0008;
            assert_eq!(nvml.nvmlDeviceGetMarginTemperature(device, &mut margin), SUCCESS);
            assert_eq!(margin.marginTemperature, 58);
            let mut sram: nvmlEccSramErrorStatus_v1_t = zeroed();
            assert_eq!(nvml.nvmlDeviceGetSramEccErrorStatus(device, &mut sram), VERSION_MISMATCH);
            sram.version = size_of_val(&sram) as u32 | 1 << 24;
            assert_eq!(nvml.nvmlDeviceGetSramEccErrorStatus(device, &mut sram), SUCCESS);
            let mut fabric: nvmlGpuFabricInfoV_t = zeroed();
            assert_eq!(nvml.nvmlDeviceGetGpuFabricInfoV(device, &mut fabric), VERSION_MISMATCH);
            fabric.version = 0x0300_0028;
            assert_eq!(nvml.nvmlDeviceGetGpuFabricInfoV(device, &mut fabric), SUCCESS);
            assert_eq!(u32::from(fabric.state), NVML_GPU_FABRIC_STATE_COMPLETED);
            // The older struct is shorter: its last byte is the last that may be written.
            fabric.version = 0x0200_0024;
            fabric.healthSummary = 0xaa;
            assert_eq!(nvml.nvmlDeviceGetGpuFabricInfoV(device, &mut fabric), SUCCESS);
            assert_eq!(fabric.healthSummary, 0xaa);
        }
    });
}

#[test]
fn a_buffer_that_is_too_small_stays_untouched() {
    let scenario = "[all]\nprocesses = [{ pid = 1 }, { pid = 2 }, { pid = 3 }]";
    with_nvml("a_buffer_that_is_too_small_stays_untouched", scenario, |_| {
        let (nvml, device) = initialised();
        // SAFETY: lengths are at most those of the buffers.
        unsafe {
            let mut text = [0x7f_i8; 8];
            assert_eq!(nvml.nvmlDeviceGetName(device, text.as_mut_ptr().cast(), 8), INSUFFICIENT_SIZE);
            assert_eq!(nvml.nvmlDeviceGetName(device, text.as_mut_ptr().cast(), 0), INSUFFICIENT_SIZE);
            assert_eq!(text, [0x7f; 8]);
            assert_eq!(nvml.nvmlDeviceGetName(device, ptr::null_mut(), 8), INVALID_ARGUMENT);
            let mut list: [nvmlProcessInfo_t; 4] = zeroed();
            let mut count = 2;
            let call = |count: &mut u32, list: *mut nvmlProcessInfo_t| {
                nvml.nvmlDeviceGetComputeRunningProcesses_v3(device, count, list)
            };
            assert_eq!((call(&mut count, list.as_mut_ptr()), count), (INSUFFICIENT_SIZE, 3));
            assert_eq!(list[0].pid, 0);
            count = 0;
            assert_eq!((call(&mut count, ptr::null_mut()), count), (INSUFFICIENT_SIZE, 3));
            assert_eq!(call(&mut count, ptr::null_mut()), INVALID_ARGUMENT);
            count = 4;
            assert_eq!((call(&mut count, list.as_mut_ptr()), count), (SUCCESS, 3));
            assert_eq!(list.map(|process| process.pid), [1, 2, 3, 0]);
        }
    });
}

#[test]
fn handles_that_were_never_given_out_are_invalid_arguments() {
    with_nvml("handles_that_were_never_given_out_are_invalid_arguments", "count = 2", |_| {
        let (nvml, device) = initialised();
        let mut power = 0;
        // SAFETY: the library promises to follow no handle.
        unsafe {
            for wrong in [
                ptr::null_mut(),
                device.wrapping_byte_add(1),
                device.wrapping_byte_add(32),
                device.map_addr(|_| usize::MAX),
            ] {
                assert_eq!(nvml.nvmlDeviceGetPowerUsage(wrong, &mut power), INVALID_ARGUMENT);
            }
            assert_eq!(nvml.nvmlDeviceGetPowerUsage(device, ptr::null_mut()), INVALID_ARGUMENT);
            assert_eq!(nvml.nvmlDeviceGetFieldValues(device, -1, ptr::null_mut()), INVALID_ARGUMENT);
            assert_eq!(nvml.nvmlEventSetFree(ptr::null_mut()), INVALID_ARGUMENT);
            let mut data = zeroed();
            assert_eq!(
                nvml.nvmlEventSetWait_v2(ptr::without_provenance_mut(99), &mut data, 0),
                INVALID_ARGUMENT
            );
        }
    });
}

#[test]
fn each_field_has_its_own_type_and_return_code() {
    let scenario = r#"
        [all]
        shutdown_tlimit_c = -8
        recovery_action = 2
        remapped_rows_uncorrected = 3
        remap_pending = true
        memory_temperature_c = "NO_PERMISSION"
        nvlink_replay_errors = 4
        nvlink_tx_kib = 5_000_000_000
    "#;
    with_nvml("each_field_has_its_own_type_and_return_code", scenario, |_| {
        let (nvml, device) = initialised();
        let all_links = u32::MAX;
        let wanted = [
            (193, 0),
            (230, 0),
            (143, 0),
            (144, 0),
            (82, 0),
            (161, 2),
            (161, all_links),
            (161, 18),
            (138, 0),
            (208, 0),
            (4000, 0),
        ];
        let answers = fields(&nvml, device, &wanted);
        // SAFETY: each member is read as the type that the answer names.
        unsafe {
            assert_eq!((answers[0].valueType, answers[0].value.siVal), (5, -8));
            assert_eq!((answers[1].valueType, answers[1].value.uiVal), (1, 2));
            assert_eq!((answers[2].value.uiVal, answers[3].value.uiVal), (3, 1));
            assert_eq!(answers[4].nvmlReturn, 4);
            assert_eq!((answers[5].value.ullVal, answers[6].value.ullVal), (4, 72));
            assert_eq!(answers[7].nvmlReturn, INVALID_ARGUMENT);
            assert_eq!((answers[8].valueType, answers[8].value.ullVal), (3, 5_000_000_000));
            assert_eq!((answers[9].nvmlReturn, answers[10].nvmlReturn), (NOT_SUPPORTED, INVALID_ARGUMENT));
        }
    });
}

#[test]
fn fields_above_250_have_the_numbers_of_the_driver() {
    let scenario =
        |driver: &str| format!("driver_version = \"{driver}\"\n[all]\nhw_thermal_violation_ns = 66");
    with_nvml("fields_above_250_have_the_numbers_of_the_driver", &scenario("580.65.06"), |inside| {
        let (nvml, device) = initialised();
        let codes = || {
            fields(&nvml, device, &[(252, 0), (270, 0)])
                .into_iter()
                .map(|field| field.nvmlReturn)
                .collect::<Vec<_>>()
        };
        assert_eq!(codes(), [SUCCESS, NOT_SUPPORTED]);
        inside.set(&scenario("580.82.07"));
        assert_eq!(codes(), [NOT_SUPPORTED, SUCCESS]);
    });
}

#[test]
fn an_event_names_its_mig_instance_and_newer_kinds_are_accepted() {
    let scenario = r#"
        [[xid]]
        id = 1
        gpu = 0
        code = 94
        gpu_instance = 5
        compute_instance = 1
        [[xid]]
        id = 2
        gpu = 0
        code = 13
        [[event]]
        id = 3
        gpu = 0
        kind = 0x8000
        data = 2
        [[xid]]
        id = 4
        gpu = 0
        code = 31
        only_live = true
    "#;
    with_nvml("an_event_names_its_mig_instance_and_newer_kinds_are_accepted", scenario, |_| {
        let (nvml, device) = initialised();
        // SAFETY: pointers are to what the calls fill in.
        unsafe {
            let (mut set, mut kinds) = (ptr::null_mut(), 0);
            assert_eq!(nvml.nvmlEventSetCreate(&mut set), SUCCESS);
            assert_eq!(nvml.nvmlDeviceGetSupportedEventTypes(device, &mut kinds), SUCCESS);
            assert_eq!(nvml.nvmlDeviceRegisterEvents(device, 0xc008, set), SUCCESS);
            assert_eq!(nvml.nvmlDeviceRegisterEvents(device, 1 << 40, set), NOT_SUPPORTED);
            let next = || {
                let mut data: nvmlEventData_t = zeroed();
                let code = nvml.nvmlEventSetWait_v2(set, &mut data, 0);
                (code == SUCCESS).then_some((
                    data.eventType,
                    data.eventData,
                    data.gpuInstanceId,
                    data.computeInstanceId,
                ))
            };
            assert_eq!(next(), Some((8, 94, 5, 1)));
            assert_eq!(next(), Some((8, 13, u32::MAX, u32::MAX)));
            assert_eq!(next(), Some((0x8000, 2, u32::MAX, u32::MAX)));
            assert_eq!(next(), None, "the fourth happened before this process began");
            assert_eq!(nvml.nvmlEventSetFree(set), SUCCESS);
            assert_eq!(nvml.nvmlEventSetFree(set), INVALID_ARGUMENT);
        }
    });
}
