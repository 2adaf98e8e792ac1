//! The scenario file: what the whole library plays.
//!
//! ```toml
//! profile = "H100"              # or A100, H200, B200; [gpu.N] may name another one
//! count = 8
//!
//! [all]                         # every GPU
//! utilization_percent = { wave = { min = 20, max = 95, period_s = 30 } }
//!
//! [gpu.3]                       # one GPU
//! temperature_c = 91
//! recovery_action = 2
//!
//! [[fault]]
//! call = "nvmlDeviceGetTemperature"
//! gpu = 5
//! action = "hang"
//!
//! [[xid]]
//! id = 1
//! gpu = 3
//! code = 79
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, de};
use toml::{Table, Value};

use crate::{
    abi::{self, Code},
    fault::Fault,
    profile::Profile,
    values::Values,
};

/// GPUs a scenario may have: twice what the largest real node has, and few enough for a byte of bus number each.
const GPUS_MAX: usize = 32;

/// MIG devices a GPU may have; a real one has seven instances of one compute instance each. Bound to the handle layout.
const MIG_INSTANCES_MAX: usize = 15;

/// Bus numbers of the GPUs of an eight-GPU board; any more follow [`BUS_REST`].
const BUSES: [u32; 8] = [0x19, 0x3b, 0x4c, 0x5d, 0x9b, 0xbb, 0xcb, 0xdb];
/// First bus number after the board's.
const BUS_REST: u32 = 0xe0;

/// A scenario that has been checked, with every GPU's values complete.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) library: Library,
    pub(crate) driver_version: String,
    pub(crate) nvml_version: String,
    pub(crate) cuda_driver_version: i32,
    pub(crate) gpus: Vec<Values>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) events: Vec<Event>,
}

/// The `[library]` table: what concerns no single GPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Library {
    /// `nvmlInit` answers this: "DRIVER_NOT_LOADED", "LIB_RM_VERSION_MISMATCH", "NO_PERMISSION", "UNKNOWN" (as after the
    /// loss of a container's device cgroup) ...
    #[serde(deserialize_with = "optional_code")]
    pub(crate) init_error: Option<Code>,
    /// Every call after init answers this.
    #[serde(deserialize_with = "optional_code")]
    pub(crate) call_error: Option<Code>,
    /// How long `nvmlDeviceGetPcieThroughput` samples, as the real one does.
    pub(crate) pcie_throughput_ms: u64,
    /// How often a waiting `nvmlEventSetWait` looks for new events.
    pub(crate) event_poll_ms: u64,
    /// Goes into the UUIDs and serials that are made up, so that simulated nodes do not share GPUs.
    pub(crate) seed: u32,
}

impl Default for Library {
    fn default() -> Self {
        Self { init_error: None, call_error: None, pcie_throughput_ms: 20, event_poll_ms: 50, seed: 0 }
    }
}

/// Something that `nvmlEventSetWait` delivers, once to each set that is registered for it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Unique in the scenario; an id that was delivered is not delivered again.
    pub(crate) id: u64,
    pub(crate) gpu: usize,
    /// One bit of `nvmlEventType*`.
    pub(crate) kind: u64,
    /// The XID, for an XID.
    pub(crate) data: u64,
    pub(crate) gpu_instance: Option<u32>,
    pub(crate) compute_instance: Option<u32>,
    /// Not for processes that start when it is already in the file: the driver does not repeat old events either.
    pub(crate) only_live: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    profile: Profile,
    #[serde(default = "eight")]
    count: usize,
    driver_version: Option<String>,
    nvml_version: Option<String>,
    cuda_driver_version: Option<i32>,
    #[serde(default)]
    library: Library,
    #[serde(default)]
    all: Table,
    #[serde(default)]
    gpu: BTreeMap<String, Table>,
    #[serde(default)]
    fault: Vec<Fault>,
    #[serde(default)]
    xid: Vec<RawXid>,
    #[serde(default)]
    event: Vec<RawEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawXid {
    id: u64,
    gpu: usize,
    code: u64,
    gpu_instance: Option<u32>,
    compute_instance: Option<u32>,
    #[serde(default)]
    only_live: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvent {
    id: u64,
    gpu: usize,
    /// One bit of `nvmlEventType*`, for example 0x8000 for a changed recovery action.
    kind: u64,
    #[serde(default)]
    data: u64,
    #[serde(default)]
    only_live: bool,
}

impl Scenario {
    /// Reads a scenario; the error is one line for a person.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| error.to_string())?;
        if raw.count > GPUS_MAX {
            return Err(format!("count = {} is more than {GPUS_MAX}", raw.count));
        }
        for key in raw.gpu.keys() {
            if !key.parse().is_ok_and(|index: usize| index < raw.count) {
                return Err(format!("[gpu.{key}] is not one of the {} GPUs of this scenario", raw.count));
            }
        }
        let gpus = (0..raw.count).map(|index| raw.gpu(index)).collect::<Result<_, _>>()?;
        let driver_version =
            raw.driver_version.clone().unwrap_or_else(|| raw.profile.driver_version().to_owned());
        let mut scenario = Self {
            nvml_version: raw
                .nvml_version
                .clone()
                .unwrap_or_else(|| nvml_version(raw.profile, &driver_version)),
            cuda_driver_version: raw.cuda_driver_version.unwrap_or_else(|| raw.profile.cuda_driver_version()),
            driver_version,
            gpus,
            events: raw.events(),
            library: raw.library,
            faults: raw.fault,
        };
        for fault in &mut scenario.faults {
            fault.check(raw.count)?;
        }
        scenario.check_events()?;
        Ok(scenario)
    }

    fn check_events(&self) -> Result<(), String> {
        let mut ids: Vec<u64> = self.events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two events have the id {}", pair[0]));
        }
        match self.events.iter().find(|event| event.gpu >= self.gpus.len() || !event.kind.is_power_of_two()) {
            Some(event) => {
                Err(format!("event {} needs a gpu of this scenario and one bit of kind", event.id))
            }
            None => Ok(()),
        }
    }

    /// Whether fields 251-273 have the numbers of CUDA 13.0 Update 1 (driver 580.82).
    pub(crate) fn renumbered_fields(&self) -> bool {
        let mut parts = self.driver_version.split('.').map(|part| part.parse().unwrap_or(0_u32));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (580, 82)
    }
}

impl Raw {
    fn gpu(&self, index: usize) -> Result<Values, String> {
        let mut own = self.gpu.get(&index.to_string()).cloned().unwrap_or_default();
        let profile = match own.remove("profile") {
            Some(name) => name.try_into().map_err(|error| format!("[gpu.{index}] profile: {error}"))?,
            None => self.profile,
        };
        let mut table: Table =
            profile.text().parse().map_err(|error| format!("profile {profile:?}: {error}"))?;
        table.extend(self.all.clone());
        table.extend(own);
        let mut values: Values =
            Value::Table(table).try_into().map_err(|error| format!("[gpu.{index}] or [all]: {error}"))?;
        if values.mig_instances.len() > MIG_INSTANCES_MAX {
            return Err(format!("[gpu.{index}] has more than {MIG_INSTANCES_MAX} mig_instances"));
        }
        self.name_gpu(&mut values, index);
        Ok(values)
    }

    /// Fills in what identifies a GPU where the scenario does not.
    fn name_gpu(&self, values: &mut Values, index: usize) {
        let seed = self.library.seed;
        values.uuid.get_or_insert_with(|| format!("GPU-{seed:08x}-0571-4000-8000-{index:012x}"));
        values
            .serial
            .get_or_insert_with(|| format!("{}", 1_650_000_000_001 + u64::from(seed) * 100 + index as u64));
        values.pci_bus_id.get_or_insert_with(|| {
            let bus = BUSES.get(index).copied().unwrap_or(BUS_REST + index as u32 - BUSES.len() as u32);
            format!("00000000:{bus:02X}:00.0")
        });
        for (position, instance) in values.mig_instances.iter_mut().enumerate() {
            instance
                .uuid
                .get_or_insert_with(|| format!("MIG-{seed:08x}-0571-4000-{index:04x}-{position:012x}"));
        }
    }

    fn events(&self) -> Vec<Event> {
        let xids = self.xid.iter().map(|xid| Event {
            id: xid.id,
            gpu: xid.gpu,
            kind: abi::nvmlEventTypeXidCriticalError.into(),
            data: xid.code,
            gpu_instance: xid.gpu_instance,
            compute_instance: xid.compute_instance,
            only_live: xid.only_live,
        });
        let others = self.event.iter().map(|event| Event {
            id: event.id,
            gpu: event.gpu,
            kind: event.kind,
            data: event.data,
            gpu_instance: None,
            compute_instance: None,
            only_live: event.only_live,
        });
        xids.chain(others).collect()
    }
}

fn eight() -> usize {
    8
}

/// NVML's own version is the driver's with the major CUDA version in front, for example "13.580.105.08".
fn nvml_version(profile: Profile, driver_version: &str) -> String {
    format!("{}.{driver_version}", profile.cuda_driver_version() / 1000)
}

/// Reads the name or the number of a return code.
pub(crate) fn optional_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Code>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected the name or the number of an NVML return code")]
    enum Raw {
        Number(Code),
        Name(String),
    }
    match Raw::deserialize(deserializer)? {
        Raw::Number(abi::SUCCESS) => Ok(None),
        Raw::Number(code) => Ok(Some(code)),
        Raw::Name(name) => match abi::code_of(&name) {
            Some(abi::SUCCESS) => Ok(None),
            Some(code) => Ok(Some(code)),
            None => Err(de::Error::custom(format!("\"{name}\" is not an NVML return code"))),
        },
    }
}
