//! The fake library's profiles against what real machines said of themselves.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::collections::BTreeMap;

use common::{data, fake::with_nvml};
use nvml_wrapper::{
    Device, Nvml,
    enum_wrappers::device::{Clock, TemperatureSensor, TemperatureThreshold},
    structs::device::FieldId,
};

const MIB: u64 = 1 << 20;

/// The first GPU of an `nvidia-smi -q -x` record: text of each leaf by its path below `<gpu>`.
struct Record(BTreeMap<String, String>);

impl Record {
    fn read(name: &str) -> Self {
        let xml = data::read(&format!("kernel_logs/nvidia_smi_q_xml/hw__qx-{name}.xml.gz"));
        let mut leaves = BTreeMap::new();
        let mut path: Vec<&str> = Vec::new();
        // The records have one element a line: a beginning, an end, or a leaf with its text.
        for line in
            xml.lines().map(str::trim).filter(|line| line.starts_with('<') && !line.starts_with(['?', '!']))
        {
            let Some((tag, rest)) = line[1..].split_once('>') else { continue };
            if tag == "/gpu" {
                break;
            }
            if tag.starts_with('/') {
                path.pop();
            } else if let Some((text, _)) = rest.split_once("</") {
                let below = path.iter().skip_while(|part| !part.starts_with("gpu id")).skip(1);
                let key = below.copied().chain([tag]).collect::<Vec<_>>().join("/");
                leaves.entry(key).or_insert_with(|| text.to_owned());
            } else if !line.ends_with("/>") && !tag.starts_with(['?', '!']) {
                path.push(tag);
            }
        }
        Self(leaves)
    }

    fn text(&self, path: &str) -> &str {
        self.0.get(path).unwrap_or_else(|| panic!("the record has no {path}"))
    }

    /// The number a value begins with, without its unit; `None` for "N/A" and where there is none.
    fn number(&self, path: &str) -> Option<f64> {
        self.0.get(path)?.split([' ', 'x']).next()?.parse().ok()
    }
}

fn round(value: u64, unit: f64) -> f64 {
    (value as f64 / unit).ceil()
}

fn field(gpu: &Device<'_>, id: u32) -> Option<f64> {
    use nvml_wrapper::enums::device::SampleValue::{F64, I64, U32, U64};
    match gpu.field_values_for(&[FieldId(id)]).unwrap().pop().unwrap().ok()?.value.ok()? {
        U32(value) => Some(value.into()),
        U64(value) => Some(value as f64),
        I64(value) => Some(value as f64),
        F64(value) => Some(value),
    }
}

fn compare(nvml: &Nvml, record: &Record) {
    let gpu = nvml.device_by_index(0).unwrap();
    compare_identity(nvml, &gpu, record);
    compare_memory_and_heat(&gpu, record);
    compare_power_and_clocks(&gpu, record);
    compare_link_and_counters(&gpu, record);
}

fn compare_identity(nvml: &Nvml, gpu: &Device<'_>, record: &Record) {
    let pci = gpu.pci_info().unwrap();
    assert_eq!(nvml.sys_driver_version().unwrap(), record.text("driver_version"));
    let cuda = nvml.sys_cuda_driver_version().unwrap();
    assert_eq!(format!("{}.{}", cuda / 1000, cuda % 1000 / 10), record.text("cuda_version"));
    assert_eq!(gpu.name().unwrap(), record.text("product_name"));
    assert_eq!(gpu.vbios_version().unwrap(), record.text("vbios_version"));
    assert_eq!(format!("{:08X}", pci.pci_device_id), record.text("pci/pci_device_id"));
    assert_eq!(format!("{:08X}", pci.pci_sub_system_id.unwrap()), record.text("pci/pci_sub_system_id"));
}

fn compare_memory_and_heat(gpu: &Device<'_>, record: &Record) {
    let memory = gpu.memory_info().unwrap();
    let mib = |bytes| Some(round(bytes, MIB as f64));
    assert_eq!(mib(memory.total), record.number("fb_memory_usage/total"));
    assert_eq!(mib(memory.reserved), record.number("fb_memory_usage/reserved"));
    assert_eq!(mib(memory.used), record.number("fb_memory_usage/used"));

    let celsius = |value: u32| Some(f64::from(value));
    assert_eq!(
        celsius(gpu.temperature(TemperatureSensor::Gpu).unwrap()),
        record.number("temperature/gpu_temp")
    );
    assert_eq!(field(gpu, 82), record.number("temperature/memory_temp"));
    for (threshold, path) in [
        (TemperatureThreshold::Shutdown, "temperature/gpu_temp_max_threshold"),
        (TemperatureThreshold::Slowdown, "temperature/gpu_temp_slow_threshold"),
        (TemperatureThreshold::GpuMax, "temperature/gpu_temp_max_gpu_threshold"),
        (TemperatureThreshold::MemoryMax, "temperature/gpu_temp_max_mem_threshold"),
    ] {
        // Newer parts give these as distances to the limit only.
        if let Some(recorded) = record.number(path) {
            assert_eq!(f64::from(gpu.temperature_threshold(threshold).unwrap()), recorded, "{path}");
        }
    }
}

fn compare_power_and_clocks(gpu: &Device<'_>, record: &Record) {
    let watts = |milliwatts: u32| Some(f64::from(milliwatts) / 1000.0);
    let limits = gpu.power_management_limit_constraints().unwrap();
    assert_eq!(
        watts(gpu.enforced_power_limit().unwrap()),
        record.number("gpu_power_readings/current_power_limit")
    );
    assert_eq!(watts(limits.min_limit), record.number("gpu_power_readings/min_power_limit"));
    assert_eq!(watts(limits.max_limit), record.number("gpu_power_readings/max_power_limit"));
    assert_eq!(field(gpu, 185).map(|mw| mw / 1000.0), record.number("gpu_power_readings/average_power_draw"));
    assert_eq!(field(gpu, 186).map(|mw| mw / 1000.0), record.number("gpu_power_readings/instant_power_draw"));

    for (clock, name) in
        [(Clock::Graphics, "graphics"), (Clock::SM, "sm"), (Clock::Memory, "mem"), (Clock::Video, "video")]
    {
        let (now, max) = (gpu.clock_info(clock).unwrap(), gpu.max_clock_info(clock).unwrap());
        assert_eq!(Some(f64::from(now)), record.number(&format!("clocks/{name}_clock")));
        assert_eq!(Some(f64::from(max)), record.number(&format!("max_clocks/{name}_clock")));
    }
}

fn compare_link_and_counters(gpu: &Device<'_>, record: &Record) {
    let count = |value: u32| Some(f64::from(value));
    let link = "pci/pci_gpu_link_info";
    assert_eq!(
        count(gpu.max_pcie_link_gen().unwrap()),
        record.number(&format!("{link}/pcie_gen/max_link_gen"))
    );
    assert_eq!(
        count(gpu.current_pcie_link_gen().unwrap()),
        record.number(&format!("{link}/pcie_gen/current_link_gen"))
    );
    assert_eq!(
        count(gpu.max_pcie_link_width().unwrap()),
        record.number(&format!("{link}/link_widths/max_link_width"))
    );
    assert_eq!(count(gpu.pcie_replay_counter().unwrap()), record.number("pci/replay_counter"));
    assert_eq!(field(gpu, 142), record.number("remapped_rows/remapped_row_corr"));
    let violation = record.number("clocks_event_reasons_counters/clocks_event_reasons_counters_sw_power_cap");
    if let Some(microseconds) = violation {
        assert_eq!(field(gpu, 74), Some(microseconds * 1000.0));
    }
    let persistent = record.text("persistence_mode") == "Enabled";
    assert_eq!(gpu.is_in_persistent_mode().unwrap(), persistent);
}

#[test]
fn the_h100_is_the_recorded_one() {
    with_nvml("the_h100_is_the_recorded_one", "profile = \"H100\"", |_| {
        compare(&Nvml::init().unwrap(), &Record::read("h100"));
    });
}

#[test]
fn the_a100_is_the_recorded_one() {
    with_nvml("the_a100_is_the_recorded_one", "profile = \"A100\"", |_| {
        compare(&Nvml::init().unwrap(), &Record::read("a100"));
    });
}

#[test]
fn the_b200_is_the_recorded_one() {
    with_nvml("the_b200_is_the_recorded_one", "profile = \"B200\"", |_| {
        compare(&Nvml::init().unwrap(), &Record::read("b200"));
    });
}

#[test]
fn the_h200_is_the_one_that_an_exporter_recorded() {
    with_nvml("the_h200_is_the_one_that_an_exporter_recorded", "profile = \"H200\"", |_| {
        let nvml = Nvml::init().unwrap();
        let gpu = nvml.device_by_index(0).unwrap();
        let text = data::read(
            "metrics_text/nvidia_gpu_exporter/linux-x86_64__nvidia-h200__590.48.01__idle.metrics.gz",
        );
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.starts_with(&format!("nvidia_smi_{name}{{"))).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let info = text.lines().find(|line| line.starts_with("nvidia_smi_gpu_info{")).unwrap();
        let vbios = gpu.vbios_version().unwrap();
        for label in [
            format!("name=\"{}\"", gpu.name().unwrap()),
            format!("driver_version=\"{}\"", nvml.sys_driver_version().unwrap()),
            format!("vbios_version=\"{vbios}\""),
            "compute_cap=\"9.0\"".to_owned(),
        ] {
            assert!(info.contains(&label), "{label} is not in {info}");
        }
        let memory = gpu.memory_info().unwrap();
        assert_eq!(memory.total as f64, value("memory_total_bytes"));
        assert_eq!(memory.reserved as f64, value("memory_reserved_bytes"));
        assert_eq!(memory.used as f64, value("memory_used_bytes"));
        assert_eq!(f64::from(gpu.temperature(TemperatureSensor::Gpu).unwrap()), value("temperature_gpu"));
        assert_eq!(field(&gpu, 82), Some(value("temperature_memory")));
        assert_eq!(
            f64::from(gpu.enforced_power_limit().unwrap()) / 1000.0,
            value("enforced_power_limit_watts")
        );
        assert_eq!(field(&gpu, 185).unwrap() / 1000.0, value("power_draw_average_watts"));
        assert_eq!(field(&gpu, 186).unwrap() / 1000.0, value("power_draw_instant_watts"));
        for (clock, name) in [(Clock::Graphics, "graphics"), (Clock::SM, "sm"), (Clock::Memory, "memory")] {
            let (now, max) = (gpu.clock_info(clock).unwrap(), gpu.max_clock_info(clock).unwrap());
            assert_eq!(f64::from(now) * 1e6, value(&format!("clocks_current_{name}_clock_hz")));
            assert_eq!(f64::from(max) * 1e6, value(&format!("clocks_max_{name}_clock_hz")));
        }
        assert_eq!(f64::from(gpu.max_pcie_link_gen().unwrap()), value("pcie_link_gen_max"));
        assert_eq!(f64::from(gpu.max_pcie_link_width().unwrap()), value("pcie_link_width_max"));
    });
}

#[test]
fn a_node_may_have_gpus_of_several_kinds() {
    let scenario = "count = 2\n[gpu.1]\nprofile = \"A100\"\ntemperature_c = 50";
    with_nvml("a_node_may_have_gpus_of_several_kinds", scenario, |_| {
        let nvml = Nvml::init().unwrap();
        let names: Vec<_> =
            (0..2).map(|index| nvml.device_by_index(index).unwrap().name().unwrap()).collect();
        assert_eq!(names, ["NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-40GB"]);
        assert_eq!(nvml.device_by_index(1).unwrap().temperature(TemperatureSensor::Gpu).unwrap(), 50);
    });
}
