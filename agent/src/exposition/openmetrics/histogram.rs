//! Rules for the lines of one histogram.

use super::super::Reason;

/// Which line of a histogram it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// With its upper bound.
    Bucket(f64),
    Count,
    Sum,
    GaugeSum,
    Other,
}

/// A histogram of which more lines may come.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// Whose lines they are, and when; `None` before the first.
    owner: Option<(String, Option<f64>)>,
    /// Upper bound and value of the last bucket.
    bucket: Option<(f64, f64)>,
    count: Option<f64>,
    has_negative_bounds: bool,
    has_sum: bool,
    has_gauge_sum: bool,
    has_negative_gauge_sum: bool,
}

impl Histogram {
    pub(super) fn add(
        &mut self,
        group: String,
        timestamp: Option<f64>,
        part: Part,
        value: f64,
    ) -> Result<(), Reason> {
        let owner = Some((group, timestamp));
        if self.owner != owner {
            self.finish()?;
            *self = Self { owner, ..Self::default() };
        }
        match part {
            Part::Bucket(bound) => {
                self.has_negative_bounds |= bound < 0.0;
                if self.bucket.is_some_and(|(last, _)| bound <= last) {
                    return Err(Reason::Rule("buckets out of order"));
                }
                if self.bucket.is_some_and(|(_, last)| value < last) {
                    return Err(Reason::Rule("a bucket below the one before"));
                }
                self.bucket = Some((bound, value));
            }
            Part::Count => self.count = Some(value),
            Part::Sum => self.has_sum = true,
            Part::GaugeSum => {
                self.has_gauge_sum = true;
                self.has_negative_gauge_sum |= value < 0.0;
            }
            Part::Other => {}
        }
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Reason> {
        if self.owner.is_none() {
            return Ok(());
        }
        let Some((f64::INFINITY, total)) = self.bucket else {
            return Err(Reason::Rule("a histogram without a bucket for +Inf"));
        };
        if self.count.is_some_and(|count| count != total) {
            return Err(Reason::Rule("a histogram's count is not that of its +Inf bucket"));
        }
        if (self.has_sum || self.has_gauge_sum) != self.count.is_some() {
            return Err(Reason::Rule("a histogram with only one of sum and count"));
        }
        if self.has_negative_bounds && self.has_sum {
            return Err(Reason::Rule("a sum of a histogram with negative buckets"));
        }
        if !self.has_negative_bounds && self.has_negative_gauge_sum {
            return Err(Reason::Rule("a negative sum of a histogram without negative buckets"));
        }
        Ok(())
    }
}
