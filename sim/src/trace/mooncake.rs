//! Mooncake's JSON lines.
//!
//! Its timestamps are those of a collector that wrote every 3 s: in the published conversation trace 71 % are multiples of
//! 3,000 ms and 29 % one millisecond less. Both are spread evenly over the 3 s that follow, or all requests of a tick would
//! arrive at once; others stay as they are.

use std::path::Path;

use rand::RngExt;
use serde::Deserialize;

use super::lines::{Line, Lines};
use super::reorder::Raw;
use super::rows::Order;
use super::{Error, Request, TOKENS_MAX};
use crate::random;
use crate::time::{SimTime, Span};

const TICK_MS: u64 = 3_000;

#[derive(Deserialize)]
struct Row {
    timestamp: u64,
    input_length: u32,
    output_length: u32,
    #[serde(default)]
    hash_ids: Vec<u64>,
}

/// Its requests, spread within their ticks.
pub(super) fn read(
    file: &Path,
    seed: u64,
) -> Result<impl Iterator<Item = Result<Raw, Error>> + use<>, Error> {
    let mut order = Order::default();
    let mut stream = random::stream(seed, "mooncake ticks", [0, 0]);
    Ok(Lines::open(file)?.map(move |line| {
        let line = line?;
        let row = parse(&line)?;
        let recorded = SimTime::after(Span::from_millis(row.timestamp));
        order.check(&line, 0, "timestamp", recorded)?;
        let on_tick = (row.timestamp + 1) % TICK_MS <= 1;
        let late_ms = if on_tick { stream.random::<f64>() * TICK_MS as f64 } else { 0.0 };
        let request = Request {
            arrival: recorded + Span::clamped_from_seconds(late_ms / 1e3),
            input_tokens: row.input_length,
            output_tokens: row.output_length,
            class: 0,
            // The first block is the system prompt, which all share; the second tells conversations apart.
            prefix: row.hash_ids.get(1).or(row.hash_ids.first()).copied(),
        };
        Ok(Raw { request, recorded })
    }))
}

fn parse(line: &Line) -> Result<Row, Error> {
    let row: Row = serde_json::from_str(&line.text).map_err(|error| {
        let column = error.column().saturating_sub(1);
        line.wrong(column, "character", error.to_string(), "give one JSON object a line as Mooncake does")
    })?;
    let limits = [
        ("timestamp", row.timestamp, 0, Span::MAX.as_micros() / 1000),
        ("input_length", row.input_length.into(), 1, TOKENS_MAX.into()),
        ("output_length", row.output_length.into(), 1, TOKENS_MAX.into()),
    ];
    for (at, (name, value, min, max)) in limits.into_iter().enumerate() {
        if value < min || value > max {
            let problem = format!("{value} is not within {min} to {max}");
            return Err(line.wrong(at, name, problem, "correct the value or remove the line"));
        }
    }
    Ok(row)
}
