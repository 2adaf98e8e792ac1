//! ServeGen's clients: requests drawn from what its authors fitted to production.
//!
//! For each client and ten minutes the source gives a rate and the law of the time between requests (gamma or Weibull, by
//! shape; the stored scale is that of the fit, which need not agree with the rate, so the rate sets the scale). Within a
//! window each client is a stationary renewal process: its first request comes after a draw of the law's forward recurrence
//! time, and the expected number is exactly the rate times the window. Windows are independent of each other.
//!
//! A window in which no client has a rate is a hole in the collection and not silence: m-mid has 84 and m-small 37 of
//! them. Here the window before it holds on, and [`Plan::missing`] says which.
//!
//! The clients' table (some 10^5 rows) is held in memory; requests are drawn one window at a time.

mod draw;
mod lengths;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use self::draw::Drawn;
use self::lengths::Lengths;
use super::lines::{Line, Lines};
use super::{Error, Options, Request};
use crate::time::Span;

/// Length of a window in seconds.
pub const WINDOW_S: u64 = 600;

/// Most rows of a table: ten times the 220,000 of the largest (109 clients over 2,016 windows).
const ROWS_MAX: usize = 2_200_000;

/// Last window that can be named: 200 days.
const WINDOW_START_MAX_S: u64 = 200 * 86_400;

/// Shapes that can be drawn from: below, gaps are zero to the last digit and a burst has no end. Published ones begin at 0.01.
const GAMMA_SHAPES: RangeInclusive<f64> = 1e-3..=1e6;

/// Likewise; published ones begin at 0.2.
const WEIBULL_SHAPES: RangeInclusive<f64> = 0.1..=1e6;

/// The law of the time between two requests of a client, by its shape.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    Gamma(f64),
    Weibull(f64),
}

/// A client in a window.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Client {
    number: u32,
    /// Requests a second, over 0.
    rate: f64,
    law: Law,
}

/// What requests are drawn from.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients by window, counted from the start of the trace.
    windows: BTreeMap<u64, Vec<Client>>,
    lengths: Lengths,
}

impl Plan {
    /// Reads both tables.
    pub fn read(clients: &Path, tokens: &Path) -> Result<Plan, Error> {
        let columns = ["client", "window_start_s", "rate_rps", "cv", "dist", "p1"];
        let mut windows: BTreeMap<u64, Vec<Client>> = BTreeMap::new();
        for line in Lines::table(clients, &columns)?.at_most(ROWS_MAX) {
            let line = line?;
            if let Some((window, client)) = client(&line)? {
                windows.entry(window).or_default().push(client);
            }
        }
        if windows.is_empty() {
            return Err(Error::whole(clients, "has no client with a rate", "give a table with rows"));
        }
        Ok(Plan { windows, lengths: Lengths::read(tokens, ROWS_MAX)? })
    }

    /// Starts of the windows that the source does not have, in seconds.
    pub fn missing(&self) -> Vec<u64> {
        let last = self.windows.last_key_value().map_or(0, |(window, _)| *window);
        (0..=last).filter(|window| !self.windows.contains_key(window)).map(|it| it * WINDOW_S).collect()
    }

    /// Requests a second that are expected in the window that starts here; none when the source does not have it.
    pub fn rate(&self, window_start_s: u64) -> Option<f64> {
        let clients = self.windows.get(&(window_start_s / WINDOW_S))?;
        Some(clients.iter().map(|client| client.rate).sum())
    }

    /// Draws the requests of a cut.
    pub fn requests(self, options: &Options) -> impl Iterator<Item = Result<Request, Error>> + use<> {
        Drawn::new(self, *options).map(Ok)
    }

    /// The clients of a window, or of the last one before it that the source has.
    fn clients(&self, window: u64) -> &[Client] {
        let held = self.windows.range(..=window).next_back().or_else(|| self.windows.first_key_value());
        held.map_or(&[], |(_, clients)| clients)
    }

    /// One more than the last window.
    fn end(&self) -> u64 {
        self.windows.last_key_value().map_or(0, |(window, _)| window + 1)
    }
}

fn client(line: &Line) -> Result<Option<(u64, Client)>, Error> {
    let start = line.number(1, "window_start_s", 0..=WINDOW_START_MAX_S)?;
    if start % WINDOW_S != 0 {
        let problem = format!("{start} is not a multiple of {WINDOW_S}");
        return Err(line.wrong(1, "window_start_s", problem, "give the start of a ten-minute window"));
    }
    let rate = line.number(2, "rate_rps", 0.0..=1e6)?;
    if rate == 0.0 {
        return Ok(None);
    }
    let law = match line.field(4) {
        "G" => Law::Gamma(line.number(5, "p1", GAMMA_SHAPES)?),
        "W" => Law::Weibull(line.number(5, "p1", WEIBULL_SHAPES)?),
        other => {
            let problem = format!("`{other}` is no law");
            return Err(line.wrong(4, "dist", problem, "write G for gamma or W for Weibull"));
        }
    };
    Ok(Some((start / WINDOW_S, Client { number: line.number(0, "client", 0..=u32::MAX)?, rate, law })))
}

/// The time that a window begins at.
fn begins(window: u64) -> Span {
    Span::from_seconds(window * WINDOW_S)
}
