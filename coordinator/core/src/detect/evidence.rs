//! What a verdict went by, kept with it: structured for records, and as sentences that an operator can check.

use std::fmt;
use std::time::Duration;

use super::fact::{Answer, Ending, Wear, ZoneReach};
use super::gpu::{Cause, GpuEvidence};
use super::judge::{Sign, Signs};
use super::observer::Isolation;
use super::probe::Tally;
use super::progress::EngineEvidence;
use super::verdict::Verdict;
use super::zone::ZoneSigns;
use crate::event::GoodbyeReason;
use crate::id::{NodeId, ZoneId};

/// What a verdict went by.
#[derive(Clone, Debug, PartialEq)]
pub enum Evidence {
    /// About this replica: why it does not trust itself, and its local health in words.
    Observer(Option<Isolation>, Box<str>),
    /// About the fleet: zones that fail together and are not explained.
    Fleet(Vec<ZoneId>),
    /// About a zone.
    Zone(ZoneSigns),
    /// About a node.
    Node(Box<NodeEvidence>),
    /// About a GPU; none once it is well.
    Gpu(Option<GpuEvidence>),
    /// About an engine.
    Engine(EngineEvidence),
}

/// What the verdict on a node went by.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeEvidence {
    /// The verdict.
    pub verdict: Verdict,
    /// How its stream is.
    pub stream: StreamEvidence,
    /// Time since its last message.
    pub silence: Duration,
    /// How often one is due.
    pub interval: Duration,
    /// The silence after which questions began.
    pub threshold: Duration,
    /// Everything that speaks for or against it.
    pub signs: Signs,
    /// Each prober's answer in the last two rounds.
    pub probers: Vec<ProberAnswer>,
    /// How long it is held down because it flaps.
    pub hold: Option<Duration>,
}

/// How a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEvidence {
    /// It never connected.
    Never,
    /// Connected and silent, or heard.
    Up,
    /// It ended.
    Ended(Ending),
    /// The agent said goodbye.
    Left(GoodbyeReason),
}

/// What one prober saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProberAnswer {
    /// The node that probed.
    pub by: NodeId,
    /// Its zone.
    pub zone: ZoneId,
    /// What it saw; none when it did not say.
    pub answer: Option<Answer>,
    /// Until the answer came.
    pub round_trip: Duration,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Evidence::Observer(isolation, health) => match isolation {
                None => write!(f, "we reach the fleet; {health}"),
                Some(Isolation::KeyMissing) => {
                    write!(f, "our election key is not ours, or cannot be read; {health}")
                }
                Some(Isolation::Reach { nodes, zones_reached, zones }) => write!(
                    f,
                    "we reach {} of {} nodes and {zones_reached} of {zones} zones, and nobody confirms that the \
                     others are gone; {health}",
                    nodes.reached, nodes.nodes
                ),
            },
            Evidence::Fleet(zones) if zones.is_empty() => f.write_str("no zones fail together"),
            Evidence::Fleet(zones) => {
                f.write_str("zones fail together, and neither gateways nor the cloud explain it: ")?;
                list(f, zones.iter())
            }
            Evidence::Zone(signs) => signs.fmt(f),
            Evidence::Node(node) => node.fmt(f),
            Evidence::Gpu(Some(gpu)) => gpu.fmt(f),
            Evidence::Gpu(None) => f.write_str("nothing is wrong with it any more"),
            Evidence::Engine(engine) => engine.fmt(f),
        }
    }
}

impl fmt::Display for NodeEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stream(f)?;
        let signs = &self.signs;
        tally(f, "our own probes", signs.own)?;
        tally(f, "probes from its zone", signs.in_zone)?;
        tally(f, "probes from other zones", signs.out_of_zone)?;
        if !self.probers.is_empty() {
            f.write_str(" (")?;
            list(f, self.probers.iter())?;
            f.write_str(")")?;
        }
        for (sign, good, bad) in [
            (signs.lease, "its Kubernetes lease was renewed since", "its Kubernetes lease is stale"),
            (signs.data_plane, "gateways see it answer requests", "gateways see its requests fail"),
            (signs.replicas, "another replica reaches it", "other replicas do not reach it either"),
        ] {
            match sign {
                Sign::Good => write!(f, "; {good}")?,
                Sign::Bad => write!(f, "; {bad}")?,
                Sign::Unknown => {}
            }
        }
        if let Some(fence) = signs.fence {
            write!(f, "; {}", fence.name())?;
        }
        match self.hold {
            Some(hold) => write!(f, "; it fell again and again, and is held down for {} s", hold.as_secs()),
            None => Ok(()),
        }
    }
}

impl NodeEvidence {
    fn stream(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [silence, interval, threshold] =
            [self.silence, self.interval, self.threshold].map(|time| time.as_secs_f64());
        match self.stream {
            StreamEvidence::Never => write!(f, "it is expected and has not connected for {silence:.1} s"),
            StreamEvidence::Up if self.silence < self.threshold => {
                write!(f, "heard {silence:.1} s ago, and one message is due every {interval:.1} s")
            }
            StreamEvidence::Up => write!(
                f,
                "connected and silent for {silence:.1} s: a message is due every {interval:.1} s, and we asked \
                 after {threshold:.1} s"
            ),
            StreamEvidence::Ended(Ending::Closed) => {
                write!(f, "its stream was closed without a goodbye, and it is silent for {silence:.1} s")
            }
            StreamEvidence::Ended(Ending::Reset) => {
                write!(f, "its stream was reset, and it is silent for {silence:.1} s")
            }
            StreamEvidence::Left(reason) => write!(f, "it said goodbye: {}", reason.name()),
        }
    }
}

impl fmt::Display for ProberAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProberAnswer { by, zone, answer, round_trip } = self;
        match answer {
            None => write!(f, "{by} in {zone}: no report yet"),
            Some(Answer::Ok | Answer::Refused) => {
                let answer = answer.expect("it was just matched");
                write!(f, "{by} in {zone}: {answer} after {} ms", round_trip.as_millis())
            }
            Some(answer @ (Answer::LetIn | Answer::TimedOut | Answer::NoRoute | Answer::Unasked)) => {
                write!(f, "{by} in {zone}: {answer}")
            }
        }
    }
}

impl fmt::Display for ZoneSigns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ZoneSigns { nodes, lost, lost_together, answered, timed_out, probing_zones, .. } = self;
        write!(f, "{lost} of {nodes} nodes are silent, {lost_together} of them since 15 s or less")?;
        write!(f, "; {answered} of them answer somebody, and {timed_out} do not answer probes from ")?;
        match probing_zones {
            0 | 1 => f.write_str("another zone")?,
            _ => f.write_str("two other zones")?,
        }
        for (sign, good, bad) in [
            (self.data_plane, "gateways see it serve", "gateways see its requests fail"),
            (self.replicas, "another replica reaches it", "other replicas do not reach it either"),
        ] {
            match sign {
                Sign::Good => write!(f, "; {good}")?,
                Sign::Bad => write!(f, "; {bad}")?,
                Sign::Unknown => {}
            }
        }
        match self.stopped {
            0 => Ok(()),
            stopped => write!(f, "; the cloud says that {stopped} of the machines are off"),
        }
    }
}

impl fmt::Display for GpuEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause {
            Cause::State(state) => write!(f, "the agent finds it {}", state.name())?,
            Cause::Driver => f.write_str("the driver asks for it")?,
            Cause::Worn(Wear::SramThreshold) => {
                f.write_str("it had more SRAM errors than the vendor allows")?
            }
            Cause::Worn(Wear::RemapFailed | Wear::None) => {
                f.write_str("a failed row of its memory could not be remapped")?;
            }
            Cause::Xid { number, action } => write!(f, "XID {number} ({})", action.name())?,
            Cause::Repeated { number, count } => {
                write!(
                    f,
                    "XID {number} came {count} times within an hour on this GPU, which is not the application's doing"
                )?;
            }
        }
        let who = if self.driver_says { "the driver says" } else { "to do" };
        write!(f, "; {who}: {}", self.remedy.name())
    }
}

impl fmt::Display for EngineEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EngineEvidence { without_progress, running, waiting, gpu_percent, state } = self;
        let seconds = without_progress.as_secs();
        write!(f, "{running} requests run and {waiting} wait, and nothing was done for {seconds} s")?;
        match gpu_percent {
            Some(percent) => write!(f, "; its busiest GPU is at {percent} %")?,
            None => f.write_str("; nobody knows how busy its GPUs are")?,
        }
        write!(f, "; the agent finds it {}", state.name())
    }
}

impl fmt::Display for ZoneReach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.reached, self.nodes)
    }
}

fn tally(f: &mut fmt::Formatter<'_>, who: &str, tally: Tally) -> fmt::Result {
    let Tally { asked, ok, refused, timed_out } = tally;
    if asked == 0 {
        return Ok(());
    }
    write!(f, "; {who}: ")?;
    let mut separator = "";
    for (count, what) in [(ok, "answered"), (refused, "refused"), (timed_out, "timed out")] {
        if count > 0 {
            write!(f, "{separator}{count} of {asked} {what}")?;
            separator = ", ";
        }
    }
    if separator.is_empty() { write!(f, "{asked} asked, none back yet") } else { Ok(()) }
}

fn list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    for (at, item) in items.enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}
