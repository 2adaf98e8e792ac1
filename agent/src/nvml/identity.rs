//! Who a GPU is: read when its handle is obtained, and for MIG instances again with every slow reading.

use nvml_wrapper::{Device, Nvml};
use ostler_proto::v1;

use crate::nvml::{call::Call, caller::Caller, error, fault::code, raw};

/// MIG devices one GPU can have; NVIDIA's largest split is 7.
const MIG_INSTANCES_MAX: u32 = 8;

/// Fills in what the driver tells about the device; what it does not tell stays empty.
pub(crate) fn read(caller: &mut Caller<'_>, device: &Device<'_>, info: &mut v1::GpuInfo) {
    if let Some(uuid) = caller.wrapped(Call::Uuid, || device.uuid()) {
        info.uuid = uuid;
    }
    if let Some(name) = caller.wrapped(Call::Name, || device.name()) {
        info.model = name;
    }
    if let Some(pci) = caller.wrapped(Call::PciInfo, || device.pci_info()) {
        info.pci_bus_id = pci.bus_id;
    }
    if let Some(serial) = caller.wrapped(Call::Serial, || device.serial()) {
        info.serial = serial;
    }
    if let Some(version) = caller.wrapped(Call::VbiosVersion, || device.vbios_version()) {
        info.vbios_version = version;
    }
    if let Some(capability) = caller.wrapped(Call::ComputeCapability, || device.cuda_compute_capability()) {
        info.cuda_compute_capability = format!("{}.{}", capability.major, capability.minor);
    }
}

/// The MIG devices that exist now; `None` when the driver would not say.
pub(crate) fn mig_instances(
    caller: &mut Caller<'_>,
    nvml: &Nvml,
    device: &Device<'_>,
) -> Option<Vec<v1::MigInstance>> {
    let number = |error| error::number(&error);
    let count = caller.wrapped(Call::MigInstances, || device.mig_device_count())?;
    let mut instances = Vec::new();
    for index in 0..count.min(MIG_INSTANCES_MAX) {
        let instance = caller.call(Call::MigInstances, || {
            let instance = match device.mig_device_by_index(index).map_err(number) {
                Ok(instance) => instance,
                // A gap in the numbering is not an error.
                Err(code::NOT_FOUND | code::NOT_SUPPORTED | 2) => return Ok(None),
                Err(number) => return Err(number),
            };
            let (gpu_instance_id, compute_instance_id) =
                raw::instance_ids(nvml, &instance).unwrap_or((u32::MAX, u32::MAX));
            Ok(Some(v1::MigInstance {
                uuid: instance.uuid().map_err(number)?,
                gpu_instance_id,
                compute_instance_id,
                profile: profile(&instance.name().unwrap_or_default()).to_owned(),
                memory_total_bytes: instance.memory_info().ok().map(|memory| memory.total),
            }))
        })?;
        instances.extend(instance);
    }
    Some(instances)
}

/// The profile at the end of a MIG device's name, as in "NVIDIA H100 80GB HBM3 MIG 1g.10gb".
fn profile(name: &str) -> &str {
    name.rsplit_once("MIG ").map_or("", |(_, profile)| profile.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_what_follows_mig_in_the_name() {
        assert_eq!(profile("NVIDIA H100 80GB HBM3 MIG 1g.10gb"), "1g.10gb");
        assert_eq!(profile("NVIDIA A100-SXM4-40GB MIG 1c.3g.20gb"), "1c.3g.20gb");
        assert_eq!(profile("NVIDIA H200"), "");
    }
}
