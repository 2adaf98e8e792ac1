//! Orders in words, for a proxy that runs in a process of its own.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::{Door, Faults, Flow, Lane, Pace};

/// What a proxy is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From now on this befalls connections.
    Set(Faults),
    /// Those that are open are reset.
    Reset,
}

/// Why words are no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no order; orders are: pass, hold up|down|both, swallow up|down|both, delay MS JITTER_MS SEED, \
     drip BYTES_PER_S, silent, refuse, reset"
)]
pub struct OrderError(String);

impl FromStr for Order {
    type Err = OrderError;

    fn from_str(text: &str) -> Result<Order, OrderError> {
        parse(text).ok_or_else(|| OrderError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Order> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let well = Faults::default();
    let faults = match words.as_slice() {
        ["pass"] => well,
        ["silent"] => Faults { door: Door::Silent, up: flow(Flow::Swallow), down: flow(Flow::Swallow) },
        ["refuse"] => Faults { door: Door::Refuse, ..well },
        ["reset"] => return Some(Order::Reset),
        ["hold", lanes] => on(lanes, flow(Flow::Hold))?,
        ["swallow", lanes] => on(lanes, flow(Flow::Swallow))?,
        ["delay", latency, jitter, seed] => {
            let time = |text: &str| text.parse().ok().map(Duration::from_millis);
            let seed = seed.parse().ok()?;
            on(
                "both",
                paced(Pace { latency: time(latency)?, jitter: time(jitter)?, seed, bytes_per_s: None }),
            )?
        }
        ["drip", width] => {
            let width: NonZeroU32 = width.parse().ok()?;
            on("both", paced(Pace { bytes_per_s: Some(width), ..Pace::default() }))?
        }
        _ => return None,
    };
    Some(Order::Set(faults))
}

fn flow(flow: Flow) -> Lane {
    Lane { flow, pace: Pace::default() }
}

fn paced(pace: Pace) -> Lane {
    Lane { flow: Flow::Pass, pace }
}

fn on(lanes: &str, lane: Lane) -> Option<Faults> {
    let well = Faults::default();
    match lanes {
        "up" => Some(Faults { up: lane, ..well }),
        "down" => Some(Faults { down: lane, ..well }),
        "both" => Some(Faults { up: lane, down: lane, ..well }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_befalls_a_connection() {
        let hold = Faults { down: flow(Flow::Hold), ..Faults::default() };
        assert_eq!("hold down".parse(), Ok(Order::Set(hold)));
        assert_eq!("reset".parse(), Ok(Order::Reset));
        let Ok(Order::Set(slow)) = "delay 200 50 7".parse() else { panic!("an order") };
        assert_eq!(
            (slow.up.pace.latency, slow.down.pace.jitter),
            (Duration::from_millis(200), Duration::from_millis(50))
        );
    }

    #[test]
    fn what_is_no_order_is_answered_with_the_orders_there_are() {
        for text in ["", "hold", "hold left", "drip 0", "delay 1 2", "delay -1 2 3", "pass now"] {
            let error = text.parse::<Order>().unwrap_err();
            assert!(error.to_string().contains("drip BYTES_PER_S"), "{text}");
        }
    }
}
