//! The kernel's tables, line by line. A line that does not fit is left out and harms no other.

use std::{collections::BTreeMap, time::Duration};

/// Sectors of `/proc/diskstats` are 512 bytes whatever the disk's own are.
const SECTOR_BYTES: u64 = 512;

/// What a device has moved since it came up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// The kernel's name for it.
    pub name: String,
    /// Bytes received or read.
    pub bytes_in: u64,
    /// Bytes sent or written.
    pub bytes_out: u64,
}

/// `/proc/net/dev` without the loopback.
#[must_use]
pub fn network(text: &str) -> Vec<Throughput> {
    let line = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let mut counters = counters.split_ascii_whitespace();
        let bytes_in = counters.next()?.parse().ok()?;
        let bytes_out = counters.nth(7)?.parse().ok()?;
        Some(Throughput { name: name.trim().to_owned(), bytes_in, bytes_out })
    };
    text.lines().filter_map(line).filter(|device| device.name != "lo").collect()
}

/// `/proc/diskstats`; partitions are in it too, but have no folder in `/sys/block`.
#[must_use]
pub fn storage(text: &str) -> Vec<Throughput> {
    let line = |line: &str| {
        let mut fields = line.split_ascii_whitespace().skip(2);
        let name = fields.next()?.to_owned();
        let read: u64 = fields.nth(2)?.parse().ok()?;
        let written: u64 = fields.nth(3)?.parse().ok()?;
        let bytes = |sectors: u64| sectors.saturating_mul(SECTOR_BYTES);
        Some(Throughput { name, bytes_in: bytes(read), bytes_out: bytes(written) })
    };
    text.lines().filter_map(line).collect()
}

/// `avg10` of the "some" line of a pressure file, in millionths.
#[must_use]
pub fn pressure_some_ppm(text: &str) -> Option<i64> {
    let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let percent: f64 = line.split(' ').find_map(|field| field.strip_prefix("avg10="))?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some((percent * 10_000.0).round() as i64)
}

/// Bytes a second in and out between two readings. A device that appeared or started again counts from the next one.
#[must_use]
pub fn rate(
    old: &BTreeMap<String, (u64, u64)>,
    new: &BTreeMap<String, (u64, u64)>,
    elapsed: Duration,
) -> Option<(i64, i64)> {
    let micros = elapsed.as_micros();
    let growth = |name: &String, now: &(u64, u64)| {
        let then = old.get(name)?;
        Some((now.0.checked_sub(then.0)?, now.1.checked_sub(then.1)?))
    };
    let (received, sent) = new
        .iter()
        .filter_map(|(name, now)| growth(name, now))
        .fold((0_u128, 0_u128), |sum, grown| (sum.0 + u128::from(grown.0), sum.1 + u128::from(grown.1)));
    let per_second = |bytes: u128| i64::try_from((bytes * 1_000_000).checked_div(micros)?).ok();
    Some((per_second(received)?, per_second(sent)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEV: &str = "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 247591925 1797136    0  806    0     0          0         0 247591925 1797136    0    0    0     0       0          0
  eth0:1000 8 0 0 0 0 0 0 2000 9 0 0 0 0 0 0
broken: 12 x
";

    #[test]
    fn interfaces_are_read_and_the_loopback_and_broken_lines_left_out() {
        let eth0 = Throughput { name: "eth0".to_owned(), bytes_in: 1000, bytes_out: 2000 };
        assert_eq!(network(DEV), [eth0]);
    }

    #[test]
    fn disks_are_read_in_sectors_of_512_bytes() {
        let text = " 254 0 vda 10 0 8 5 20 0 16 7 0 9 12\n garbage\n";
        let vda = Throughput { name: "vda".to_owned(), bytes_in: 4096, bytes_out: 8192 };
        assert_eq!(storage(text), [vda]);
    }

    #[test]
    fn pressure_is_the_ten_second_share_of_the_some_line() {
        let text = "some avg10=8.55 avg60=14.56 avg300=24.84 total=604786031\nfull avg10=1.00 total=0\n";
        assert_eq!(pressure_some_ppm(text), Some(85_500));
        assert_eq!(pressure_some_ppm("full avg10=1.00"), None);
        assert_eq!(pressure_some_ppm("some avg10=NaN"), None);
        assert_eq!(pressure_some_ppm(""), None);
    }

    fn counters(devices: &[(&str, u64, u64)]) -> BTreeMap<String, (u64, u64)> {
        devices.iter().map(|(name, a, b)| ((*name).to_owned(), (*a, *b))).collect()
    }

    #[test]
    fn a_rate_is_the_growth_a_second_over_all_devices() {
        let old = counters(&[("a", 100, 0), ("b", 0, 0)]);
        let new = counters(&[("a", 300, 50), ("b", 100, 50)]);
        assert_eq!(rate(&old, &new, Duration::from_millis(500)), Some((600, 200)));
    }

    #[test]
    fn a_counter_that_went_back_and_a_new_device_do_not_count() {
        let old = counters(&[("a", 100, 100)]);
        let new = counters(&[("a", 5, 5), ("b", 1_000_000, 0)]);
        assert_eq!(rate(&old, &new, Duration::from_secs(1)), Some((0, 0)));
        assert_eq!(rate(&old, &new, Duration::ZERO), None);
    }
}
