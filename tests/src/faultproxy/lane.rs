//! One direction of one connection: bytes with the time at which they may go on.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Faults, Flow, Lane};
use crate::dice::Dice;

/// Bytes of one lane that are on their way at once: 64 parts of 4 KiB.
pub const HELD_BYTES_MAX: usize = PARTS_MAX * PART_BYTES;

/// Bytes read at once.
const PART_BYTES: usize = 4096;

/// Parts on their way.
const PARTS_MAX: usize = 64;

/// How often a slow lane lets something through.
const DRIP_EVERY: Duration = Duration::from_millis(50);

/// How fast a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// How much later everything arrives.
    pub latency: Duration,
    /// Up to how much later still, differently for each part; parts never overtake each other.
    pub jitter: Duration,
    /// What decides how much.
    pub seed: u64,
    /// Bytes a second that pass at most; none for no limit.
    pub bytes_per_s: Option<NonZeroU32>,
}

/// When parts may go on.
#[derive(Debug)]
pub(super) struct Delays {
    dice: Dice,
    seed: u64,
    last: Option<Instant>,
}

impl Delays {
    pub(super) fn new(seed: u64) -> Delays {
        Delays { dice: Dice::new(seed), seed, last: None }
    }

    /// When a part that came now may go on: never before the one before it.
    pub(super) fn due(&mut self, pace: &Pace, now: Instant) -> Instant {
        if pace.seed != self.seed {
            (self.dice, self.seed) = (Dice::new(pace.seed), pace.seed);
        }
        let jitter_us = u64::try_from(pace.jitter.as_micros()).unwrap_or(u64::MAX - 1);
        let late = pace.latency + Duration::from_micros(self.dice.below(jitter_us.saturating_add(1)));
        let due = self.last.map_or(now + late, |last| last.max(now + late));
        self.last = Some(due);
        due
    }
}

/// Bytes that pass in one drip of a lane so wide.
pub(super) fn drip_bytes(bytes_per_s: NonZeroU32) -> usize {
    let share = u64::from(bytes_per_s.get()) * u64::try_from(DRIP_EVERY.as_millis()).unwrap_or(1) / 1000;
    usize::try_from(share).unwrap_or(usize::MAX).max(1)
}

struct Part {
    due: Instant,
    bytes: Vec<u8>,
}

/// Carries bytes until the sender has sent all, and says so to the receiver.
pub(super) async fn carry(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut faults: watch::Receiver<Faults>,
    of: impl Fn(&Faults) -> Lane,
) -> io::Result<()> {
    let mut delays = Delays::new(0);
    let mut parts = VecDeque::<Part>::new();
    let (mut ended, mut lost) = (false, false);
    let mut buffer = vec![0; PART_BYTES];
    // When a drip may follow the one before.
    let mut open_at = Instant::now();
    loop {
        let lane = of(&faults.borrow_and_update());
        match lane.flow {
            Flow::Pass | Flow::Hold if lost => return Err(io::Error::other("bytes were swallowed")),
            Flow::Pass | Flow::Hold | Flow::Swallow => {}
        }
        if ended && parts.is_empty() {
            return to.shutdown().await;
        }
        let next = parts.front().filter(|_| lane.flow == Flow::Pass).map(|part| part.due.max(open_at));
        tokio::select! {
            changed = faults.changed() => changed.map_err(io::Error::other)?,
            read = from.read(&mut buffer), if !ended && parts.len() < PARTS_MAX => match (read?, lane.flow) {
                (0, _) => ended = true,
                (_, Flow::Swallow) => lost = true,
                (length, Flow::Pass | Flow::Hold) => {
                    let due = delays.due(&lane.pace, Instant::now());
                    parts.push_back(Part { due, bytes: buffer[..length].to_vec() });
                }
            },
            () = until(next) => {
                open_at = pass(&mut parts, &mut to, &lane.pace).await?;
            }
        }
    }
}

/// Waits until a moment, for ever if there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Passes the first part, or as much of it as the lane is wide; gives when the next may follow.
async fn pass(parts: &mut VecDeque<Part>, to: &mut WriteHalf<'_>, pace: &Pace) -> io::Result<Instant> {
    let Some(part) = parts.front_mut() else { return Ok(Instant::now()) };
    let width = pace.bytes_per_s.map_or(part.bytes.len(), drip_bytes).min(part.bytes.len());
    to.write_all(&part.bytes[..width]).await?;
    part.bytes.drain(..width);
    if part.bytes.is_empty() {
        parts.pop_front();
    }
    Ok(pace.bytes_per_s.map_or_else(Instant::now, |_| Instant::now() + DRIP_EVERY))
}

/// Takes what comes and answers nothing, until the other side or a cut ends it.
pub(super) async fn swallow(near: &mut TcpStream, cuts: &mut watch::Receiver<u64>) -> io::Result<()> {
    let mut buffer = vec![0; PART_BYTES];
    let reading = async {
        while near.read(&mut buffer).await? > 0 {}
        io::Result::Ok(())
    };
    let reading = pin!(reading);
    tokio::select! {
        ended = reading => ended,
        _ = cuts.changed() => Ok(()),
    }
}
