//! Which GPUs there are, and what identifies each.

use std::ffi::c_char;

use super::{Gpu, code, device_calls, system_calls};
use crate::{
    abi::{
        Code, GPU_IS_LOST, Handle, INVALID_ARGUMENT, NOT_FOUND, NOT_SUPPORTED, Out, Text, fixed,
        nvmlDevice_t, nvmlPciInfo_t,
    },
    library,
    scenario::Scenario,
};

/// Room that `nvmlDeviceGetGspFirmwareVersion` may take for granted.
const GSP_VERSION_LENGTH: u32 = 64;

system_calls! {
    nvmlDeviceGetCount_v2(scenario, count: Out<u32>) {
        count.put(scenario.gpus.len() as u32)
    }

    nvmlDeviceGetHandleByPciBusId_v2(scenario, bus_id: Text, device: Out<nvmlDevice_t>) {
        let wanted = bus_id.read()?;
        let index = scenario.gpus.iter().position(|gpu| gpu.pci_bus_id.as_ref().is_some_and(|own| same_bus(own, wanted)));
        device.put(found(scenario, index)?.0)
    }

    nvmlDeviceGetHandleBySerial(scenario, serial: Text, device: Out<nvmlDevice_t>) {
        let wanted = serial.read()?;
        device.put(found(scenario, scenario.gpus.iter().position(|gpu| gpu.serial.as_deref() == Some(wanted)))?.0)
    }

    nvmlDeviceGetHandleByUUID(scenario, uuid: Text, device: Out<nvmlDevice_t>) {
        let wanted = uuid.read()?;
        for (index, gpu) in scenario.gpus.iter().enumerate() {
            let instance = gpu.mig_instances.iter().position(|instance| instance.uuid.as_deref() == Some(wanted));
            if let Some(instance) = instance {
                return device.put(Handle::of_mig(index, instance).0);
            }
        }
        device.put(found(scenario, scenario.gpus.iter().position(|gpu| gpu.uuid.as_deref() == Some(wanted)))?.0)
    }
}

/// Part of NVML's C interface. Written out, because a fault on it may be for one GPU although it takes no handle.
///
/// # Safety
///
/// As `nvml.h` says: the pointer is null or points to a handle.
#[unsafe(no_mangle)]
unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: u32, device: Out<nvmlDevice_t>) -> Code {
    let index = index as usize;
    let view = library::enter("nvmlDeviceGetHandleByIndex_v2", Some(index));
    code(view.and_then(|view| {
        let known = view.scenario.gpus.get(index).ok_or(INVALID_ARGUMENT)?;
        if known.lost { Err(GPU_IS_LOST) } else { device.put(Handle::of_gpu(index).0) }
    }))
}

/// The handle of a GPU that was looked for; a lost one is found but cannot be had.
fn found(scenario: &Scenario, index: Option<usize>) -> Result<Handle, Code> {
    let index = index.ok_or(NOT_FOUND)?;
    if scenario.gpus[index].lost { Err(GPU_IS_LOST) } else { Ok(Handle::of_gpu(index)) }
}

/// Whether two bus ids are the same although one has a domain of four digits or other letters.
fn same_bus(one: &str, other: &str) -> bool {
    let short = |id: &str| id.trim_start_matches('0').to_ascii_lowercase();
    short(one) == short(other)
}

device_calls! {
    #[mig]
    nvmlDeviceGetUUID(gpu, text: Out<c_char>, length: u32) {
        let own = gpu.mig.map_or(&gpu.values.uuid, |instance| &instance.uuid);
        text.put_text(length, own.as_deref().ok_or(NOT_SUPPORTED)?)
    }

    #[mig]
    nvmlDeviceGetName(gpu, text: Out<c_char>, length: u32) {
        match gpu.mig {
            Some(instance) => text.put_text(length, &format!("{} MIG {}", gpu.values.name, instance.profile)),
            None => text.put_text(length, &gpu.values.name),
        }
    }

    nvmlDeviceGetIndex(gpu, index: Out<u32>) {
        index.put(gpu.index as u32)
    }

    nvmlDeviceGetSerial(gpu, text: Out<c_char>, length: u32) {
        text.put_text(length, gpu.values.serial.as_deref().ok_or(NOT_SUPPORTED)?)
    }

    nvmlDeviceGetVbiosVersion(gpu, text: Out<c_char>, length: u32) {
        text.put_text(length, &gpu.values.vbios_version)
    }

    nvmlDeviceGetGspFirmwareVersion(gpu, text: Out<c_char>) {
        let version = gpu.values.gsp_firmware_version.as_deref().unwrap_or(&gpu.scenario.driver_version);
        text.put_text(GSP_VERSION_LENGTH, version)
    }

    nvmlDeviceGetMinorNumber(gpu, number: Out<u32>) {
        number.put(gpu.values.minor_number.unwrap_or(gpu.index as u32))
    }

    #[mig]
    nvmlDeviceGetCudaComputeCapability(gpu, major: Out<i32>, minor: Out<i32>) {
        let [own_major, own_minor] = gpu.values.cuda_compute_capability;
        major.put(own_major)?;
        minor.put(own_minor)
    }

    nvmlDeviceGetArchitecture(gpu, architecture: Out<u32>) {
        architecture.put(gpu.values.architecture)
    }

    nvmlDeviceGetPciInfo_v3(gpu, info: Out<nvmlPciInfo_t>) {
        info.put(pci_info(gpu)?)
    }
}

/// The parts of "00000000:18:00.0", and the ids.
fn pci_info(gpu: &Gpu<'_>) -> Result<nvmlPciInfo_t, Code> {
    let id = gpu.values.pci_bus_id.as_deref().ok_or(NOT_SUPPORTED)?;
    let mut parts = id.split([':', '.']).map(|part| u32::from_str_radix(part, 16).unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    let (domain, bus, device) = (next(), next(), next());
    Ok(nvmlPciInfo_t {
        busIdLegacy: fixed(&format!("{domain:04X}:{bus:02X}:{device:02X}.0")),
        domain,
        bus,
        device,
        pciDeviceId: gpu.values.pci_device_id,
        pciSubSystemId: gpu.values.pci_subsystem_id,
        busId: fixed(id),
    })
}
