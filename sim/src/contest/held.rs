//! The requests of all seeds, read once and held in memory for every run over them.

use std::sync::Arc;

use super::Error;
use crate::trace::{Options, Request, Source};

/// Most requests of a seed: 40 bytes each make 200 MB.
pub(super) const REQUESTS_MAX: usize = 5_000_000;

/// Most requests of all seeds together, those that seeds share counted once: 2 GB.
pub(super) const HELD_MAX: usize = 50_000_000;

/// The requests by each of these options, which differ in their seed. Seeds without a part in the trace share it, and at
/// most `held_max` requests are held.
pub(super) fn read_each(
    source: &Source,
    options: &[Options],
    held_max: usize,
) -> Result<Vec<Arc<[Request]>>, Error> {
    let mut traces: Vec<Arc<[Request]>> = Vec::new();
    let mut left = held_max;
    for options in options {
        let trace = match traces.first() {
            Some(first) if !source.depends_on_seed(options) => Arc::clone(first),
            Some(_) | None => {
                let trace = read(source, options, left)?;
                left -= trace.len();
                trace
            }
        };
        traces.push(trace);
    }
    Ok(traces)
}

/// Reads requests, of which at most `left` may be held.
fn read(source: &Source, options: &Options, left: usize) -> Result<Arc<[Request]>, Error> {
    let mut requests = Vec::new();
    for request in source.requests(options)? {
        if requests.len() == REQUESTS_MAX {
            return Err(Error::TooLong);
        }
        if requests.len() == left {
            return Err(Error::TooMany);
        }
        requests.push(request?);
    }
    Ok(requests.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_share_a_trace_in_which_chance_has_no_part_and_the_sum_of_others_is_bounded() {
        let file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a temporary file");
        std::fs::write(file.path(), "arrival_s,input_tokens,output_tokens\n0,9,9\n1,9,9\n2,9,9\n")
            .expect("it is written");
        let source = Source::Table(file.path().into());
        let whole: Vec<Options> = (1..=3).map(Options::all).collect();
        let traces = read_each(&source, &whole, 3).expect("three requests are held");
        assert_eq!(traces.len(), 3);
        assert!(traces.iter().all(|it| Arc::ptr_eq(it, &traces[0])));
        assert!(matches!(read_each(&source, &whole, 2), Err(Error::TooMany)));
        let twice: Vec<Options> =
            (1..=3).map(|seed| Options::all(seed).scaled(2.0).expect("a scale")).collect();
        let traces = read_each(&source, &twice, 18).expect("three times six are held");
        assert_ne!(traces[0], traces[1], "repeats come at other moments");
        assert!(matches!(read_each(&source, &twice, 17), Err(Error::TooMany)));
    }
}
