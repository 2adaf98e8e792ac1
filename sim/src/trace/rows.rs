//! The two formats that have one request a line: our own table and Azure's.

use std::path::Path;

use super::lines::{Line, Lines};
use super::reorder::Raw;
use super::{Error, Request, TOKENS_MAX};
use crate::time::{SimTime, Span};

/// What a line has to be to follow the one before.
const SORT: &str = "sort the file by time";

/// Remembers the time of the line before, since traces have to be in order.
#[derive(Debug, Default)]
pub(super) struct Order(SimTime);

impl Order {
    pub(super) fn check(&mut self, line: &Line, at: usize, name: &str, time: SimTime) -> Result<(), Error> {
        if time < self.0 {
            let problem = format!("{} s is before the line above", time.as_seconds());
            return Err(line.wrong(at, name, problem, SORT));
        }
        self.0 = time;
        Ok(())
    }
}

/// Our own table.
pub(super) fn table(file: &Path) -> Result<impl Iterator<Item = Result<Raw, Error>> + use<>, Error> {
    let mut order = Order::default();
    let lines = Lines::table(file, &["arrival_s", "input_tokens", "output_tokens"])?;
    Ok(lines.map(move |line| {
        let line = line?;
        let request = table_row(&line)?;
        order.check(&line, 0, "arrival_s", request.arrival)?;
        Ok(Raw::settled(request))
    }))
}

fn table_row(line: &Line) -> Result<Request, Error> {
    let seconds = line.number(0, "arrival_s", 0.0..=Span::MAX.as_seconds())?;
    let class = if line.field(3).is_empty() { 0 } else { line.number(3, "class", 0..=u32::MAX)? };
    let prefix =
        if line.field(4).is_empty() { None } else { Some(line.number(4, "prefix", 0..=u64::MAX)?) };
    if line.text.split(',').count() > 5 {
        return Err(line.wrong(5, "none", "there is no such column", "remove what is after `prefix`"));
    }
    Ok(Request {
        arrival: SimTime::after(Span::clamped_from_seconds(seconds)),
        input_tokens: line.number(1, "input_tokens", 1..=TOKENS_MAX)?,
        output_tokens: line.number(2, "output_tokens", 1..=TOKENS_MAX)?,
        class,
        prefix,
    })
}

/// Azure's trace. Its first request is at zero.
pub(super) fn azure(file: &Path) -> Result<impl Iterator<Item = Result<Raw, Error>> + use<>, Error> {
    let mut order = Order::default();
    let mut first = None;
    let lines = Lines::table(file, &["TIMESTAMP", "ContextTokens", "GeneratedTokens"])?;
    Ok(lines.map(move |line| {
        let line = line?;
        let Some(stamp) = timestamp(line.field(0)) else {
            let problem = format!("`{}` is not a time like 2023-11-16 18:17:03.9799600", line.field(0));
            return Err(line.wrong(0, "TIMESTAMP", problem, "write times as the published trace does"));
        };
        let begin = *first.get_or_insert(stamp);
        let Some(offset) =
            stamp.checked_sub(begin).and_then(|ticks| Span::try_from_seconds(ticks as f64 / 1e7))
        else {
            return Err(line.wrong(0, "TIMESTAMP", "is before the first line or 200 days after", SORT));
        };
        let arrival = SimTime::after(offset);
        order.check(&line, 0, "TIMESTAMP", arrival)?;
        Ok(Raw::settled(Request {
            arrival,
            input_tokens: line.number(1, "ContextTokens", 1..=TOKENS_MAX)?,
            output_tokens: line.number(2, "GeneratedTokens", 1..=TOKENS_MAX)?,
            class: 0,
            prefix: None,
        }))
    }))
}

/// `YYYY-MM-DD hh:mm:ss` with up to seven decimals, in ticks of 100 ns since 1970.
fn timestamp(text: &str) -> Option<u64> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (clock, decimals) = time.split_once('.').unwrap_or((time, ""));
    let mut clock = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let valid = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !valid || decimals.len() > 7 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let ticks: u64 = format!("{decimals:0<7}").parse().ok()?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 10_000_000 + ticks)
}

/// Howard Hinnant's `days_from_civil`, for years from 1970.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year / 400;
    let of_era = year % 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_count_over_months_and_leap_days() {
        assert_eq!(timestamp("1970-01-01 00:00:01"), Some(10_000_000));
        assert_eq!(timestamp("2000-03-01 00:00:00"), Some(951_868_800 * 10_000_000));
        assert_eq!(timestamp("2023-11-16 18:17:03.9799600"), Some(17_001_586_239_799_600));
        for wrong in ["", "2023-11-16", "2023-13-01 00:00:00", "2023-11-16 24:00:00", "2023-11-16 1:2:x"] {
            assert_eq!(timestamp(wrong), None, "{wrong}");
        }
    }
}
