//! The form of a reading for a person.

use std::fmt::Write as _;

use ostler_proto::v1::Metric;

use crate::probe::report::{Gpu, Report, metric_name};

const MEBIBYTE: i64 = 1 << 20;
const GIBIBYTE: i64 = 1 << 30;

/// The reading as lines.
pub(crate) fn render(report: &Report) -> String {
    let mut text =
        format!("{} (agent {}, read in {} ms)\n\n", report.node, report.agent_version, report.took_ms);
    if report.gpus.is_empty() {
        text.push_str("no GPU\n");
    } else {
        let header = ["GPU", "MODEL", "UTIL", "MEMORY", "TEMP", "POWER", "SM/MEM CLOCK", "STATE"];
        let rows: Vec<_> = report.gpus.iter().map(gpu_row).collect();
        columns(&mut text, header, &rows);
        for gpu in report.gpus.iter().filter(|gpu| !gpu.detail.is_empty()) {
            let _ = writeln!(text, "  GPU {}: {}", gpu.index, gpu.detail);
        }
        for gpu in &report.gpus {
            for instance in &gpu.mig_instances {
                let _ = writeln!(text, "  GPU {}: MIG {} {}", gpu.index, instance.profile, instance.uuid);
            }
        }
    }
    engines(&mut text, report);
    host(&mut text, report);
    text.push('\n');
    let sources: Vec<_> = report
        .sources
        .iter()
        .map(|source| [source.name.clone(), source.state.clone(), source.detail.clone()])
        .collect();
    columns(&mut text, ["SOURCE", "STATE", "WHAT TO DO"], &sources);
    xids(&mut text, report);
    timings(&mut text, report);
    text
}

fn gpu_row(gpu: &Gpu) -> [String; 8] {
    let show = |metric, unit: &str| {
        gpu.value(metric).map_or_else(|| "-".to_owned(), |value| format!("{value}{unit}"))
    };
    let of = |first, second, per: i64, unit: &str| match (gpu.value(first), gpu.value(second)) {
        (None, None) => "-".to_owned(),
        (first, second) => format!("{}/{} {unit}", scaled(first, per), scaled(second, per)),
    };
    [
        gpu.index.to_string(),
        if gpu.model.is_empty() { gpu.uuid.clone() } else { gpu.model.clone() },
        show(Metric::GpuUtilizationPercent, " %"),
        of(Metric::GpuMemoryUsedBytes, Metric::GpuMemoryTotalBytes, MEBIBYTE, "MiB"),
        show(Metric::GpuTemperatureCelsius, " C"),
        of(Metric::GpuPowerMilliwatts, Metric::GpuPowerLimitMilliwatts, 1000, "W"),
        of(Metric::GpuSmClockMegahertz, Metric::GpuMemoryClockMegahertz, 1, "MHz"),
        gpu.state.clone(),
    ]
}

fn scaled(value: Option<i64>, per: i64) -> String {
    value.map_or_else(|| "-".to_owned(), |value| (value / per).to_string())
}

fn engines(text: &mut String, report: &Report) {
    if report.engines.is_empty() {
        return;
    }
    text.push('\n');
    let rows: Vec<_> = report
        .engines
        .iter()
        .map(|engine| {
            let show = |metric| {
                let value = engine.metrics.get(&metric_name(metric)).copied().flatten();
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            };
            [
                engine.name.clone(),
                engine.kind.clone(),
                engine.model.clone(),
                show(Metric::EngineRequestsRunning),
                show(Metric::EngineRequestsWaiting),
                engine.state.clone(),
                engine.detail.clone(),
            ]
        })
        .collect();
    columns(text, ["ENGINE", "KIND", "MODEL", "RUNNING", "WAITING", "STATE", ""], &rows);
}

fn host(text: &mut String, report: &Report) {
    let value = |metric| report.host.get(&metric_name(metric)).copied().flatten();
    if report.host.is_empty() {
        return;
    }
    let percent = |metric| {
        value(metric).map_or_else(|| "-".to_owned(), |ppm| format!("{}.{} %", ppm / 10_000, ppm / 1000 % 10))
    };
    let _ = writeln!(
        text,
        "\nHOST  CPU {}, memory {}/{} GiB, disk {}/{} GiB",
        percent(Metric::HostCpuUsedPpm),
        scaled(value(Metric::HostMemoryUsedBytes), GIBIBYTE),
        scaled(value(Metric::HostMemoryTotalBytes), GIBIBYTE),
        scaled(value(Metric::HostDiskUsedBytes), GIBIBYTE),
        scaled(value(Metric::HostDiskTotalBytes), GIBIBYTE),
    );
}

fn xids(text: &mut String, report: &Report) {
    const SHOWN_MAX: usize = 20;
    if report.xids.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nXIDS SINCE BOOT: {}", report.xids.len());
    for xid in report.xids.iter().rev().take(SHOWN_MAX).rev() {
        let _ = writeln!(text, "  {} {} {}", xid.xid, xid.pci_bus_id, printable(&xid.message));
    }
}

fn timings(text: &mut String, report: &Report) {
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut add = |gpu: &str, times: &std::collections::BTreeMap<&str, u64>| {
        rows.extend(times.iter().map(|(call, us)| [gpu.to_owned(), (*call).to_owned(), us.to_string()]));
    };
    add("-", &report.nvml_call_us);
    for gpu in &report.gpus {
        add(&gpu.index.to_string(), &gpu.nvml_call_us);
    }
    if !rows.is_empty() {
        text.push('\n');
        columns(text, ["GPU", "NVML CALL", "MICROSECONDS"], &rows);
    }
}

/// What a machine wrote, without what a terminal would act on.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// Rows under a header, each column as wide as its widest cell; the last is not padded.
fn columns<const COLUMNS: usize>(text: &mut String, header: [&str; COLUMNS], rows: &[[String; COLUMNS]]) {
    let mut widths = header.map(|cell| cell.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut line = |cells: [&str; COLUMNS]| {
        let mut whole = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            let _ = write!(whole, "{:width$}  ", printable(cell));
        }
        let _ = writeln!(text, "{}", whole.trim_end());
    };
    line(header);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ostler_proto::v1;

    use super::*;
    use crate::sample::{GpuSample, Group, NodeSample};

    fn report() -> Report {
        let mut gpu = GpuSample::default();
        gpu.info.model = "NVIDIA H200".into();
        gpu.info.set_state(v1::GpuState::Lost);
        gpu.info.detail = "it fell off the bus".into();
        let values = vec![
            (Metric::GpuUtilizationPercent, Some(97)),
            (Metric::GpuMemoryUsedBytes, Some(3 * MEBIBYTE)),
            (Metric::GpuMemoryTotalBytes, Some(9 * MEBIBYTE)),
            (Metric::GpuTemperatureCelsius, None),
        ];
        gpu.groups.push(Group { values, ..Group::default() });
        let source =
            v1::SourceStatus { name: "nvml".into(), detail: "reboot\x1b[2J".into(), ..Default::default() };
        let sample = NodeSample { gpus: vec![gpu], sources: vec![source], ..NodeSample::default() };
        Report::new("node-1".into(), &sample, &[], Duration::ZERO)
    }

    #[test]
    fn a_gpu_is_one_line_and_its_trouble_another() {
        let text = render(&report());
        let line = text.lines().find(|line| line.contains("H200")).unwrap();
        assert_eq!(line, "0    NVIDIA H200  97 %  3/9 MiB  -     -      -             lost");
        assert!(text.contains("  GPU 0: it fell off the bus\n"));
    }

    #[test]
    fn nothing_that_a_terminal_would_act_on_is_printed() {
        assert!(!render(&report()).contains('\x1b'));
    }
}
