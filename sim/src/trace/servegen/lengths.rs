//! How long prompts and answers are: drawn through the published quantiles, brought to the published mean.
//!
//! Between the quantiles the logarithm of the length is linear in the normal deviate, below the median it goes on with the
//! slope to p90, and above p99 with the slope from there to p99.9, where it ends. All draws of a client are then multiplied
//! so that the mean is the published one: capacity hangs on it, while single quantiles move a little.
//!
//! Files over 4 MiB are missing in the data, so some clients have no lengths; they get those of one that has, picked by its rate
//! in the same window.

use std::collections::BTreeMap;
use std::path::Path;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::super::lines::{Line, Lines};
use super::super::{Error, TOKENS_MAX};
use super::{Client, WINDOW_START_MAX_S};
use crate::random::Stream;

/// Normal deviates of p50, p90, p99 and p99.9.
const DEVIATES: [f64; 4] = [0.0, 1.281_552, 2.326_348, 3.090_232];

/// Points of the quantile curve that its mean is taken over.
const MEAN_POINTS: u32 = 2_000;

/// One law of lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Curve {
    /// Logarithm of the length at each of [`DEVIATES`].
    logs: [f64; 4],
    /// What draws are multiplied by.
    scale: f64,
}

/// A drawn prompt and answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) input: u32,
    pub(super) output: u32,
}

/// By client and start of the window in seconds, those that have lengths.
#[derive(Clone, Debug)]
pub(super) struct Lengths(BTreeMap<u32, BTreeMap<u64, (Curve, Curve)>>);

impl Lengths {
    /// Reads a table of at most so many rows.
    pub(super) fn read(file: &Path, rows_max: usize) -> Result<Lengths, Error> {
        let columns = ["client", "window_start_s", "in_mean", "in_p50", "in_p90", "in_p99", "out_mean"];
        let mut all: BTreeMap<u32, BTreeMap<u64, (Curve, Curve)>> = BTreeMap::new();
        for line in Lines::table(file, &columns)?.at_most(rows_max) {
            let line = line?;
            if line.field(2).is_empty() || line.field(6).is_empty() {
                continue;
            }
            let client = line.number(0, "client", 0..=u32::MAX)?;
            let start = line.number(1, "window_start_s", 0..=WINDOW_START_MAX_S)?;
            let curves = (curve(&line, 2, "in")?, curve(&line, 6, "out")?);
            all.entry(client).or_default().insert(start, curves);
        }
        if all.is_empty() {
            return Err(Error::whole(
                file,
                "has no row with lengths",
                "give one that has in_ and out_ columns",
            ));
        }
        Ok(Lengths(all))
    }

    /// Draws for a client at a time in seconds.
    pub(super) fn of(&self, client: u32, at_s: u64, all: &[Client], stream: &mut Stream) -> Pair {
        let (input, output) = match self.0.get(&client) {
            Some(windows) => latest(windows, at_s),
            None => latest(self.stand_in(all, stream), at_s),
        };
        Pair { input: input.draw(stream), output: output.draw(stream) }
    }

    /// The lengths of a client that has them, picked by rate; the first one's when none of the window has.
    fn stand_in(&self, all: &[Client], stream: &mut Stream) -> &BTreeMap<u64, (Curve, Curve)> {
        let known = || all.iter().filter_map(|it| Some((it.rate, self.0.get(&it.number)?)));
        let total: f64 = known().map(|(rate, _)| rate).sum();
        let mut left = stream.random::<f64>() * total;
        let picked = known().find(|(rate, _)| {
            left -= rate;
            left <= 0.0
        });
        picked.map(|(_, windows)| windows).unwrap_or_else(|| self.0.values().next().expect("not empty"))
    }
}

/// What holds at a time: the latest window up to it, else the first.
fn latest(windows: &BTreeMap<u64, (Curve, Curve)>, at_s: u64) -> (Curve, Curve) {
    let known = windows.range(..=at_s).next_back().or_else(|| windows.first_key_value());
    known.map(|(_, curves)| *curves).expect("a client is kept with its first window")
}

fn curve(line: &Line, at: usize, what: &str) -> Result<Curve, Error> {
    let mut values = [0.0; 4];
    for (offset, value) in values.iter_mut().enumerate() {
        let name = format!("{what}_{}", ["mean", "p50", "p90", "p99"][offset]);
        *value = line.number(at + offset, &name, 0.0..=f64::from(TOKENS_MAX))?.max(1.0);
    }
    let [mean, p50, p90, p99] = values;
    if p50 > p90 || p90 > p99 {
        let problem = format!("quantiles {p50}, {p90}, {p99} go down");
        return Err(line.wrong(at + 1, what, problem, "correct the row or remove it"));
    }
    Ok(Curve::new(mean, [p50, p90, p99]))
}

impl Curve {
    fn new(mean: f64, quantiles: [f64; 3]) -> Curve {
        let [p50, p90, p99] = quantiles.map(f64::ln);
        let slope = (p99 - p90) / (DEVIATES[2] - DEVIATES[1]);
        let curve = Curve { logs: [p50, p90, p99, p99 + slope * (DEVIATES[3] - DEVIATES[2])], scale: 1.0 };
        // The mean over a grid of normal deviates from -4 to 4, weighted by their density.
        let (mut sum, mut weights) = (0.0, 0.0);
        for point in 0..=MEAN_POINTS {
            let deviate = f64::from(point) / f64::from(MEAN_POINTS) * 8.0 - 4.0;
            let weight = (-deviate * deviate / 2.0).exp();
            sum += weight * curve.at(deviate);
            weights += weight;
        }
        Curve { scale: mean * weights / sum, ..curve }
    }

    /// The length at a normal deviate.
    fn at(&self, deviate: f64) -> f64 {
        let deviate = deviate.min(DEVIATES[3]);
        let part = if deviate < DEVIATES[1] {
            0
        } else if deviate < DEVIATES[2] {
            1
        } else {
            2
        };
        let (from, to) = (DEVIATES[part], DEVIATES[part + 1]);
        let share = (deviate - from) / (to - from);
        (self.logs[part] + share * (self.logs[part + 1] - self.logs[part])).exp() * self.scale
    }

    fn draw(&self, stream: &mut Stream) -> u32 {
        let deviate: f64 = StandardNormal.sample(stream);
        (self.at(deviate).round() as u32).clamp(1, TOKENS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    #[test]
    fn draws_have_the_mean_and_nearly_the_quantiles() {
        let curve = Curve::new(427.5, [275.0, 380.0, 4826.0]);
        let mut stream = random::stream(5, "lengths", [0, 0]);
        let mut draws: Vec<u32> = (0..100_000).map(|_| curve.draw(&mut stream)).collect();
        draws.sort_unstable();
        let mean = draws.iter().map(|it| f64::from(*it)).sum::<f64>() / draws.len() as f64;
        assert!((mean / 427.5 - 1.0).abs() < 0.03, "{mean}");
        let median = f64::from(draws[50_000]);
        assert!((median / 275.0 - 1.0).abs() < 0.25, "{median}");
    }

    #[test]
    fn a_table_with_more_rows_than_are_held_is_refused_and_not_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let header = "client,window_start_s,in_mean,in_p50,in_p90,in_p99,out_mean,out_p50,out_p90,out_p99";
        let rows: String = (0..3).map(|client| format!("{client},0,5,5,5,5,5,5,5,5\n")).collect();
        std::fs::write(file.path(), format!("{header}\n{rows}")).unwrap();
        assert_eq!(Lengths::read(file.path(), 3).unwrap().0.len(), 3);
        let error = Lengths::read(file.path(), 2).unwrap_err().to_string();
        assert!(error.ends_with(":4: column 1 (row): is one row too many; give fewer rows"), "{error}");
    }

    #[test]
    fn equal_quantiles_draw_one_length() {
        let curve = Curve::new(12.0, [12.0; 3]);
        let mut stream = random::stream(5, "lengths", [0, 0]);
        assert!((0..100).all(|_| curve.draw(&mut stream) == 12));
    }
}
