//! Which values are read together: the order in which the child sends them and the parent reports them.

use std::time::Duration;

use ostler_proto::v1::Metric;

/// Values of one GPU that are read at the same moment, and so share one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Section {
    /// Read in every interval: cheap calls, and those that a verdict waits for.
    Fast = 0,
    /// Read every [`Periods::slow`]: what changes rarely or is dear to ask.
    Slow = 1,
    /// Read every [`Periods::bandwidth`]: the driver samples PCIe traffic for 20 ms a call.
    Bandwidth = 2,
}

/// All sections, in the order of their numbers.
pub(crate) const SECTIONS: [Section; 3] = [Section::Fast, Section::Slow, Section::Bandwidth];

/// A section has at most this many values, one bit each in the word that says which are there.
pub(crate) const VALUES_MAX: usize = 64;

const FAST: &[Metric] = &[
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuMemoryTotalBytes,
    Metric::GpuMemoryReservedBytes,
    Metric::GpuTemperatureCelsius,
    Metric::GpuMemoryTemperatureCelsius,
    Metric::GpuPowerMilliwatts,
    Metric::GpuEnergyMillijoulesTotal,
    Metric::GpuSmClockMegahertz,
    Metric::GpuMemoryClockMegahertz,
    Metric::GpuThrottleReasons,
    Metric::GpuRecoveryAction,
    Metric::GpuXidErrorsTotal,
    Metric::GpuNvmlCallMicrosecondsMax,
];

const SLOW: &[Metric] = &[
    Metric::GpuTemperatureMarginCelsius,
    Metric::GpuTemperatureSlowdownCelsius,
    Metric::GpuTemperatureShutdownCelsius,
    Metric::GpuPowerLimitMilliwatts,
    Metric::GpuSmClockMaxMegahertz,
    Metric::GpuMemoryClockMaxMegahertz,
    Metric::GpuEccCorrectedVolatileTotal,
    Metric::GpuEccUncorrectedVolatileTotal,
    Metric::GpuEccCorrectedAggregateTotal,
    Metric::GpuEccUncorrectedAggregateTotal,
    Metric::GpuRowsRemappedCorrectable,
    Metric::GpuRowsRemappedUncorrectable,
    Metric::GpuRowRemapPending,
    Metric::GpuRowRemapFailed,
    Metric::GpuPagesRetiredSingleBit,
    Metric::GpuPagesRetiredDoubleBit,
    Metric::GpuPagesRetiredPending,
    Metric::GpuPcieLinkGeneration,
    Metric::GpuPcieLinkWidth,
    Metric::GpuPcieLinkGenerationMax,
    Metric::GpuPcieLinkWidthMax,
    Metric::GpuPcieReplayTotal,
    Metric::GpuNvlinkActiveLinks,
    Metric::GpuNvlinkErrorsTotal,
    Metric::GpuNvlinkTxKibibytesTotal,
    Metric::GpuNvlinkRxKibibytesTotal,
    Metric::GpuMigEnabled,
    Metric::GpuMigInstances,
    Metric::GpuProcesses,
    Metric::GpuProcessMemoryUsedBytes,
    Metric::GpuFabricState,
    Metric::GpuSramEccThresholdExceeded,
];

const BANDWIDTH: &[Metric] = &[Metric::GpuPcieTxKibibytesPerSecond, Metric::GpuPcieRxKibibytesPerSecond];

const _: () = assert!(SLOW.len() <= VALUES_MAX && FAST.len() <= VALUES_MAX);

/// How often each section is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Periods {
    pub(crate) fast: Duration,
    pub(crate) slow: Duration,
    /// `None`: PCIe traffic is not read.
    pub(crate) bandwidth: Option<Duration>,
}

impl Section {
    /// Its metrics, always in this order.
    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            Section::Fast => FAST,
            Section::Slow => SLOW,
            Section::Bandwidth => BANDWIDTH,
        }
    }

    /// The section of that number, if there is one.
    pub(crate) fn from_number(number: u8) -> Option<Section> {
        SECTIONS.get(usize::from(number)).copied()
    }

    /// How often it is read; `None`: never.
    pub(crate) fn period(self, periods: &Periods) -> Option<Duration> {
        match self {
            Section::Fast => Some(periods.fast),
            Section::Slow => Some(periods.slow.max(periods.fast)),
            Section::Bandwidth => periods.bandwidth.map(|period| period.max(periods.fast)),
        }
    }
}

/// The values of one section while they are being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Values(Vec<(Metric, Option<i64>)>);

impl Values {
    /// All of the section's metrics, none with a value.
    pub(crate) fn none(section: Section) -> Values {
        Values(section.metrics().iter().map(|metric| (*metric, None)).collect())
    }

    /// Forgets the values and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.0.iter_mut().for_each(|(_, value)| *value = None);
    }

    /// Sets a value; a number too large for the wire is as good as none.
    pub(crate) fn set(&mut self, metric: Metric, value: Option<impl TryInto<i64>>) {
        if let Some(slot) = self.0.iter_mut().find(|(known, _)| *known == metric) {
            slot.1 = value.and_then(|value| value.try_into().ok());
        }
    }

    /// In the section's order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        self.0.iter().map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_metric_belongs_to_two_sections() {
        let all: Vec<_> = SECTIONS.iter().flat_map(|section| section.metrics()).collect();
        let mut unique = all.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(all.len(), unique.len());
        assert_eq!(all.len(), 49, "every GPU metric of the wire is read");
    }

    #[test]
    fn a_number_too_large_for_the_wire_is_no_value() {
        let mut values = Values::none(Section::Fast);
        values.set(Metric::GpuEnergyMillijoulesTotal, Some(u64::MAX));
        assert!(values.iter().all(|value| value.is_none()));
    }
}
