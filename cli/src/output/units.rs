//! Numbers as a person reads them. Unknown is `-`, never zero.

use ostler_proto::v1;

/// What is shown for an unknown value.
pub(crate) const UNKNOWN: &str = "-";

/// Longest text from elsewhere that is shown in one place.
const TEXT_CHARS_MAX: usize = 400;

/// Text from elsewhere made harmless for a terminal: no control characters, no direction marks, not endless.
pub(crate) fn clean(text: &str) -> String {
    let mut clean: String = harmless(text).chars().take(TEXT_CHARS_MAX).collect();
    if text.chars().nth(TEXT_CHARS_MAX).is_some() {
        clean.push('…');
    }
    clean
}

/// The text on one line, with nothing that could move the cursor or hide a part of it.
pub(crate) fn harmless(text: &str) -> String {
    let harmless = |letter: char| {
        let hidden = letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden { '\u{fffd}' } else { letter }
    };
    text.chars().map(harmless).collect()
}

/// Text, or `-` when there is none.
pub(crate) fn text(text: &str) -> String {
    if text.is_empty() { UNKNOWN.to_owned() } else { clean(text) }
}

/// A time span: `0.4s`, `12s`, `5m`, `3h`, `2d`.
pub(crate) fn age(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..10 => format!("{}.{}s", seconds, millis % 1_000 / 100),
        10..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A number without needless digits: `0.42`, `7.5`, `1234`.
pub(crate) fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return UNKNOWN.to_owned() };
    let digits = match value.abs() {
        size if size >= 100.0 || value.fract() == 0.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

/// A count, rounded.
pub(crate) fn count(value: Option<f64>) -> String {
    value.map_or(UNKNOWN.to_owned(), |value| format!("{value:.0}"))
}

/// Percent of a value that is already one.
pub(crate) fn percent(value: Option<f64>) -> String {
    value.map_or(UNKNOWN.to_owned(), |value| format!("{value:.0}%"))
}

/// Percent of a share from 0 to 1.
pub(crate) fn share(value: Option<f64>) -> String {
    percent(value.map(|value| value * 100.0))
}

/// Bytes, as GiB with at most one digit after the point.
pub(crate) fn gibibytes(value: Option<f64>) -> String {
    value.map_or(UNKNOWN.to_owned(), |bytes| format!("{} GiB", bare_gibibytes(bytes)))
}

/// Used of total bytes, as GiB.
pub(crate) fn memory(used: Option<f64>, total: Option<f64>) -> String {
    match (used, total) {
        (None, None) => UNKNOWN.to_owned(),
        (used, total) => {
            let part = |bytes: Option<f64>| bytes.map_or(UNKNOWN.to_owned(), bare_gibibytes);
            format!("{}/{} GiB", part(used), part(total))
        }
    }
}

fn bare_gibibytes(bytes: f64) -> String {
    let gibibytes = bytes / f64::from(1 << 30);
    if gibibytes < 10.0 { format!("{gibibytes:.1}") } else { format!("{gibibytes:.0}") }
}

/// Seconds as `240ms` or `1.2s`.
pub(crate) fn seconds(value: Option<f64>) -> String {
    match value {
        None => UNKNOWN.to_owned(),
        Some(seconds) if seconds < 1.0 => format!("{:.0}ms", seconds * 1e3),
        Some(seconds) => format!("{seconds:.1}s"),
    }
}

/// `part` of `whole`.
pub(crate) fn of(part: u32, whole: u32) -> String {
    format!("{part}/{whole}")
}

/// The last words of an enum's name: `NODE_STATE_FRESH` is `fresh`.
pub(crate) fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase().replace("unspecified", UNKNOWN)
}

/// A metric's name as it is written in queries: `gpu_power_milliwatts`.
pub(crate) fn metric_name(metric: v1::Metric) -> String {
    short(metric.as_str_name(), "METRIC_")
}

/// A metric's value in a unit for a person, by the unit that its name ends with.
pub(crate) fn metric_value(metric: v1::Metric, value: f64) -> String {
    let name = metric_name(metric);
    let ends = |suffix: &str| name.ends_with(suffix);
    match () {
        () if ends("_bytes_per_second") => format!("{} MB/s", number(Some(value / 1e6))),
        () if ends("_kibibytes_per_second") => format!("{} MiB/s", number(Some(value / 1024.0))),
        () if ends("_milli_per_second") => format!("{}/s", number(Some(value / 1e3))),
        () if ends("_bytes") => gibibytes(Some(value)),
        () if ends("_percent") => percent(Some(value)),
        () if ends("_ppm") => percent(Some(value / 1e4)),
        () if ends("_celsius") => format!("{value:.0} °C"),
        () if ends("_milliwatts") => format!("{:.0} W", value / 1e3),
        () if ends("_megahertz") => format!("{value:.0} MHz"),
        () if ends("_microseconds") || ends("_microseconds_max") => seconds(Some(value / 1e6)),
        () if ends("_millijoules_total") => format!("{:.2} kWh", value / 3.6e9),
        () if ends("_1m_milli") => number(Some(value / 1e3)),
        () => number(Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_get_coarser_as_they_grow() {
        let ages = [0, 449, 9_999, 12_300, 119_999, 120_000, 7_200_000, 200_000_000].map(age);
        assert_eq!(ages, ["0.0s", "0.4s", "9.9s", "12s", "119s", "2m", "2h", "2d"]);
    }

    #[test]
    fn unknown_is_a_dash_and_zero_is_zero() {
        assert_eq!([percent(None), percent(Some(0.0))], ["-", "0%"]);
        assert_eq!([gibibytes(None), gibibytes(Some(0.0))], ["-", "0.0 GiB"]);
        assert_eq!([memory(None, Some(85_899_345_920.0)), memory(None, None)], ["-/80 GiB", "-"]);
        assert_eq!([seconds(Some(0.0421)), seconds(Some(1.25)), seconds(None)], ["42ms", "1.2s", "-"]);
        assert_eq!([text(""), short("NODE_STATE_UNSPECIFIED", "NODE_STATE_")], ["-", "-"]);
    }

    #[test]
    fn metrics_are_shown_in_a_unit_a_person_uses() {
        let show = |metric, value| metric_value(metric, value);
        assert_eq!(show(v1::Metric::GpuPowerMilliwatts, 412_345.0), "412 W");
        assert_eq!(show(v1::Metric::EngineKvCacheUsagePpm, 431_000.0), "43%");
        assert_eq!(show(v1::Metric::EngineTtftP95Microseconds, 312_000.0), "312ms");
        assert_eq!(show(v1::Metric::EngineGenerationTokensMilliPerSecond, 2_300_500.0), "2300/s");
        assert_eq!(show(v1::Metric::HostNetworkRxBytesPerSecond, 1_240_000.0), "1.2 MB/s");
        assert_eq!(show(v1::Metric::GpuRecoveryAction, 0.0), "0");
    }

    #[test]
    fn text_from_elsewhere_cannot_command_the_terminal() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\r\n"), "\u{fffd}[31mred\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(clean("a\u{202e}b"), "a\u{fffd}b");
        assert_eq!(clean(&"x".repeat(1_000)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
