//! Whether anything that must never be happens while things break: three members of etcd, three replicas and a dozen agents
//! as processes, in zones of their own where there may be network namespaces, and one trouble after the other.
//!
//! Everything that is seen is written into one history, which is checked at the end by rules that know nothing of the
//! replicas ([`ostler_tests::history`]). A seed decides the order of the troubles, whom they befall and how long they last.
//! Clocks cannot be put forward or back for one process of several: the kernel has no namespace for the wall clock.

mod disk;
mod ground;
mod process;
mod proxies;
mod watch;
mod wound;
mod yard;
mod zones;

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::bail;
use ostler_tests::dice::Dice;
use ostler_tests::history::{Entry, Fact, Heard, Recorder, Response, Rules, violations};
use ostler_tests::sink::{Fence, Sink};
use tokio::signal::unix::{SignalKind, signal};

use self::ground::{Ground, Port};
use self::watch::{Seen, Watchers};
use self::wound::{Trouble, Wound, replica_name};
use self::yard::{LEASE_S, SINK_KEY, Yard};
use self::zones::{ZONES, Zones};
use crate::outcome::Outcome;
use crate::{etcd, runtime, say};

/// Nodes of a zone: enough for three probers in the zone of one that fails.
const NODES: usize = 4;

/// Longest wait until all replicas agree on a leader and hear every node again.
const CONVERGED_MAX: Duration = Duration::from_secs(60);

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long etcd may take to say who leads it.
const ETCD_ANSWER_MAX: Duration = Duration::from_secs(2);

/// Rest between two troubles, so that verdicts on the one before are told.
const REST: Duration = Duration::from_secs(1);

/// Least time of a trouble: the lease is over then, and someone else leads.
const HOLD: Duration = Duration::from_secs(LEASE_S + 2);

/// Most that a trouble lasts longer, in milliseconds, in a short run and in a long one.
const HOLD_MORE_MS: [u64; 2] = [1_000, 4_000];

/// Most that a trouble begins later, in milliseconds: the time between two beats and between two keepalives.
const BEGIN_MORE_MS: u64 = 1_000;

/// Measures.
pub(crate) fn measure(quick: bool, seed: u64, fence: Fence) -> anyhow::Result<Outcome> {
    let hindrance = Zones::hindrance();
    let ground = match &hindrance {
        None => Ground::Zones(Zones::build(NODES)?),
        Some(hindrance) => {
            say(format_args!(
                "{hindrance}: all runs on loopback; zones are not cut, nodes not darkened, disks not filled"
            ));
            Ground::loopback()
        }
    };
    let mut dice = Dice::new(seed);
    let troubles = match (fence, ground.zones()) {
        (Fence::On, zones) => wound::schedule(quick, zones.is_some(), &mut dice),
        (Fence::Off, Some(_)) => vec![Trouble::LateCall],
        (Fence::Off, None) => bail!("--unfenced needs zones, where a node can be dark"),
    };
    let runtime = runtime()?;
    let _inside = runtime.enter();
    let recorder = Recorder::default();
    runtime.block_on(async {
        let anywhere = (Ipv4Addr::LOCALHOST, 0).into();
        let sink = Sink::start(anywhere, SINK_KEY.as_bytes(), fence, recorder.clone()).await?;
        let yard = Yard::start(ground, NODES, sink.address(), recorder.clone())?;
        let mut chaos = Chaos::new(yard, recorder, dice, quick)?;
        let mut terminated = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = chaos.run(&troubles) => outcome?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted; everything that was started is being ended"),
            _ = terminated.recv() => bail!("told to end; everything that was started is being ended"),
        }
        Ok(chaos.outcome(seed, fence, &troubles))
    })
}

/// A run.
struct Chaos {
    yard: Yard,
    watchers: Watchers,
    recorder: Recorder,
    dice: Dice,
    nodes: u32,
    /// Most that a trouble lasts longer, in milliseconds.
    hold_more_ms: u64,
    /// Seconds that it took after each trouble until all was well again.
    converged_s: Vec<f64>,
    /// Replicas that ended by themselves.
    revived: usize,
}

impl Chaos {
    fn new(yard: Yard, recorder: Recorder, dice: Dice, quick: bool) -> anyhow::Result<Chaos> {
        let replica = |zone| (replica_name(zone), yard.ground.outside(zone, Port::Grpc));
        let replicas: Vec<_> = (0..ZONES).map(replica).collect();
        let members: Vec<SocketAddr> = (0..ZONES).map(|zone| yard.ground.outside(zone, Port::Etcd)).collect();
        let watchers = Watchers::start(&recorder, &replicas, &members)?;
        let nodes = u32::try_from(ZONES * NODES)?;
        let [short, long] = HOLD_MORE_MS;
        let hold_more_ms = if quick { short } else { long };
        Ok(Chaos { yard, watchers, recorder, dice, nodes, hold_more_ms, converged_s: Vec::new(), revived: 0 })
    }

    /// One trouble after the other.
    async fn run(&mut self, troubles: &[Trouble]) -> anyhow::Result<()> {
        self.converge().await?;
        for (number, trouble) in troubles.iter().enumerate() {
            let leader = self.converge().await?;
            let wait = Duration::from_millis(self.dice.below(BEGIN_MORE_MS));
            tokio::time::sleep(REST + wait).await;
            let wounds = self.wounds(*trouble, &leader).await?;
            let held = HOLD + Duration::from_millis(self.dice.below(self.hold_more_ms));
            say(format_args!(
                "{:>8} {}/{} {trouble:?} for {:.1} s, {} leads in term {}",
                self.recorder.now().to_string(),
                number + 1,
                troubles.len(),
                held.as_secs_f64(),
                leader.leader,
                leader.term,
            ));
            for wound in &wounds {
                self.yard.hurt(wound)?;
                if let Wound::Wait(time) = wound {
                    tokio::time::sleep(*time).await;
                }
            }
            tokio::time::sleep(held).await;
            wounds.iter().rev().try_for_each(|wound| self.yard.heal(wound))?;
            let began = Instant::now();
            self.converge().await?;
            self.converged_s.push(began.elapsed().as_secs_f64());
        }
        tokio::time::sleep(Rules::default().evidence).await;
        Ok(())
    }

    /// What the trouble breaks now.
    async fn wounds(&mut self, trouble: Trouble, leader: &Seen) -> anyhow::Result<Vec<Wound>> {
        let zone = (0..ZONES).find(|zone| replica_name(*zone) == leader.leader).unwrap_or_default();
        let mut etcd_leader = 0;
        for member in 0..ZONES {
            // One that has just been started may not answer yet.
            let asked = etcd::leads(self.yard.ground.outside(member, Port::Etcd));
            if let Ok(Ok(true)) = tokio::time::timeout(ETCD_ANSWER_MAX, asked).await {
                etcd_leader = member;
            }
        }
        Ok(trouble.wounds(zone, etcd_leader, NODES, &mut self.dice))
    }

    /// Waits until all is well.
    async fn converge(&mut self) -> anyhow::Result<Seen> {
        let began = Instant::now();
        loop {
            self.revived += self.yard.revive()?;
            if let Some(leader) = self.watchers.agreed(self.nodes) {
                return Ok(leader);
            }
            if began.elapsed() > CONVERGED_MAX {
                let (told, logs) = (self.watchers.told(), self.yard.logs());
                bail!("not well again within {CONVERGED_MAX:?}; replicas said {told}\n{logs}");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn outcome(&self, seed: u64, fence: Fence, troubles: &[Trouble]) -> Outcome {
        let entries = self.recorder.entries();
        let (places, rules) = (self.yard.places(), Rules::default());
        let found = violations(&entries, &places, &rules);
        found.iter().for_each(|violation| say(format_args!("VIOLATION {violation}")));
        for entry in &entries {
            if let Fact::Heard(Heard { id, term, attempt, response }) = &entry.fact {
                say(format_args!(
                    "{} at the sink: {id:.8} term {term} attempt {attempt} {response:?}",
                    entry.at
                ));
            }
        }
        let counts = Counts::of(&entries);
        let mut outcome = Outcome::new("chaos");
        outcome.figure("seed", seed as f64);
        outcome.figure("in_zones", f64::from(u8::from(self.yard.ground.zones().is_some())));
        outcome.figure("nodes", f64::from(self.nodes));
        outcome.figure("troubles", troubles.len() as f64);
        outcome.figure("seconds", self.recorder.now().0.as_secs_f64());
        outcome.figure("verdicts_heard", self.watchers.verdicts().values().sum::<usize>() as f64);
        outcome.figure("replicas_revived", self.revived as f64);
        outcome.figure("converged_s_max", self.converged_s.iter().copied().fold(0.0, f64::max));
        counts.tell(&mut outcome);
        match fence {
            Fence::On => {
                // A check that hears nothing finds nothing.
                let due = troubles.iter().filter(|trouble| trouble.darkens()).count();
                outcome.at_least("chaos.terms_heard", counts.terms.len() as f64, 2.0);
                outcome.at_least("chaos.accusals_heard", counts.accusals as f64, due as f64);
                let late = troubles.contains(&Trouble::LateCall);
                outcome.at_least("chaos.late_calls_refused", counts.fenced as f64, f64::from(u8::from(late)));
                outcome.at_most("chaos.violations", found.len() as f64, 0.0);
            }
            Fence::Off => outcome.at_least("chaos.violations_unfenced", found.len() as f64, 1.0),
        }
        if !outcome.ok() {
            say(self.yard.logs());
        }
        outcome
    }
}

/// How much of each kind a history holds.
#[derive(Debug, Default)]
struct Counts {
    terms: BTreeSet<u64>,
    claims: usize,
    reads: usize,
    accusals: usize,
    applied: usize,
    fenced: usize,
    others: usize,
}

impl Counts {
    fn of(entries: &[Entry]) -> Counts {
        let mut counts = Counts::default();
        for entry in entries {
            match &entry.fact {
                Fact::Claimed { term, .. } => {
                    counts.claims += 1;
                    counts.terms.insert(*term);
                }
                Fact::Stored { .. } => counts.reads += 1,
                Fact::Accused { .. } => counts.accusals += 1,
                Fact::Heard(heard) => match heard.response {
                    Response::Applied => counts.applied += 1,
                    Response::Fenced => counts.fenced += 1,
                    Response::Repeated | Response::Looked | Response::Expired => counts.others += 1,
                },
                Fact::Hurt(_) | Fact::Healed(_) => {}
            }
        }
        counts
    }

    fn tell(&self, outcome: &mut Outcome) {
        outcome.figure("claims_heard", self.claims as f64);
        outcome.figure("terms_read", self.reads as f64);
        outcome.figure("effects", self.applied as f64);
        outcome.figure("calls_otherwise_answered", self.others as f64);
    }
}
