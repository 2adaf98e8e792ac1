//! One node as the detector sees it: its beats, the questions about it, the witnesses, and its verdict.

use std::time::Duration;

use super::arrival::{Arrival, gap_ms};
use super::clues::Clues;
use super::fact::{CanaryResult, Ending, Fact, Identity, Start};
use super::flap::Flaps;
use super::judge::{self, Sign, Signs};
use super::local_health::LocalHealth;
use super::probe::{self, Question};
use super::verdict::Verdict;
use crate::event::GoodbyeReason;
use crate::id::Incarnation;
use crate::time::Time;

/// How long a node that was unreachable must be heard without a gap before it is trusted.
const CLEAN: Duration = Duration::from_secs(5);

/// Intervals of silence after which a stream is broken although the node answers.
const BROKEN_INTERVALS: u32 = 3;

/// What the detector's own state says to a node.
#[derive(Clone, Copy)]
pub(super) struct Context {
    /// On the inner clock.
    pub(super) now: Time,
    pub(super) health: LocalHealth,
    /// Whether we may hold silence against anybody.
    pub(super) accuses: bool,
    /// Whether nodes that never connected are still given time to.
    pub(super) learning: bool,
}

/// The stream of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// It should be there and never was.
    Expected,
    Up,
    Ended(Ending),
    Left(GoodbyeReason),
}

/// Whether a node that is heard is believed to be well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    Whole,
    /// It was unreachable.
    Lost,
    /// It was, and is heard without a gap since.
    Regained(Time),
}

/// How a node counts in its zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// It should be there.
    pub(super) expected: bool,
    /// It is silent and nothing came back from its host.
    pub(super) unreached: bool,
    /// It is silent and does not answer our own probes, whoever else reaches it.
    pub(super) unheard: bool,
    /// Its silence is held against it.
    pub(super) lost: bool,
}

impl Standing {
    /// Expected and heard.
    const WELL: Standing = Standing { expected: true, unreached: false, unheard: false, lost: false };
}

/// One node. What a beat touches, and what a step looks at when it finds a node calm, comes first and shares a cache line:
/// ten thousand nodes are not in any cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Watch {
    /// When its newest beat came, or since when it is expected.
    pub(super) heard: Time,
    pub(super) question: Option<Box<Question>>,
    arrival: Arrival,
    pub(super) stream: Stream,
    pub(super) verdict: Verdict,
    pub(super) standing: Standing,
    trust: Trust,
    pub(super) identity: Identity,
    /// Index of its zone.
    pub(super) zone: usize,
    incarnation: Option<Incarnation>,
    /// Whether the snapshot of this stream was folded.
    snapshot: bool,
    /// Rounds ever asked; numbers are not used twice.
    pub(super) rounds: u32,
    pub(super) clues: Clues,
    /// Since when, on the inner clock.
    pub(super) since: Time,
    /// The incarnation that was declared dead; only a higher one may return.
    dead: Option<Incarnation>,
    pub(super) flaps: Flaps,
}

impl Watch {
    pub(super) fn new(identity: Identity, zone: usize, now: Time) -> Watch {
        Watch {
            heard: now,
            question: None,
            arrival: Arrival::new(),
            stream: Stream::Expected,
            verdict: Verdict::Healthy,
            standing: Standing::default(),
            trust: Trust::Whole,
            identity,
            zone,
            incarnation: None,
            snapshot: false,
            rounds: 0,
            clues: Clues::default(),
            since: now,
            dead: None,
            flaps: Flaps::default(),
        }
    }

    /// A stream began.
    pub(super) fn join(&mut self, identity: Identity, incarnation: Incarnation, start: Start, now: Time) {
        self.identity = identity;
        self.incarnation = Some(incarnation);
        self.stream = Stream::Up;
        self.snapshot = false;
        self.heard = now;
        if start == Start::Machine {
            self.clues = Clues::default();
        }
    }

    /// A message came; true when that may change the verdict.
    #[inline]
    pub(super) fn beat(&mut self, now: Time) -> bool {
        self.arrival.learn(gap_ms(self.heard, now));
        self.heard = now;
        self.question.is_some()
    }

    /// Folds a fact about it; true when that may change the verdict.
    pub(super) fn note(&mut self, fact: &Fact<'_>, now: Time) -> bool {
        match *fact {
            Fact::Probed(probed) => {
                return self.question.as_mut().is_some_and(|question| question.answer(&probed));
            }
            Fact::Snapshot(_) => self.snapshot = true,
            Fact::Ended(_, ending) if self.stream == Stream::Up => self.stream = Stream::Ended(ending),
            Fact::Goodbye(_, reason) => self.stream = Stream::Left(reason),
            Fact::Ended(..)
            | Fact::Lease { .. }
            | Fact::DataPlane { .. }
            | Fact::Cloud(..)
            | Fact::Fenced(..)
            | Fact::Canary(..)
            | Fact::Witness { .. }
            | Fact::Expected(_)
            | Fact::Joined { .. }
            | Fact::Beat(_)
            | Fact::Forgotten(_)
            | Fact::Replica(_)
            | Fact::Own(_)
            | Fact::Gpu { .. }
            | Fact::Xid { .. }
            | Fact::XidTable(..)
            | Fact::Engine { .. } => self.clues.note(fact, now),
        }
        // A witness of a node that is heard and trusted changes nothing.
        self.stream != Stream::Up || self.question.is_some() || self.verdict != Verdict::Healthy
    }

    /// Begins a silence that may be our own fault anew. A node that showed a sign of life, or was condemned before, is
    /// only asked about again.
    pub(super) fn pardon(&mut self, now: Time) {
        if self.question.as_ref().is_some_and(|question| question.alive()) {
            return;
        }
        self.question = None;
        if self.trust != Trust::Lost {
            self.heard = self.heard.max(now);
        }
    }

    /// The silence after which it is asked about.
    pub(super) fn threshold(&self, health: LocalHealth) -> Duration {
        health.stretch(self.arrival.threshold(self.identity.interval))
    }

    pub(super) fn silence(&self, now: Time) -> Duration {
        now.since(self.heard)
    }

    /// Whether its stream says nothing now.
    pub(super) fn lost(&self, context: Context) -> bool {
        match self.stream {
            Stream::Left(_) => false,
            Stream::Ended(_) => true,
            Stream::Expected => !context.learning,
            // Patience that grows in the meantime ends no question that is open.
            Stream::Up if self.question.as_ref().is_some_and(|question| question.opened > self.heard) => true,
            Stream::Up => self.silence(context.now) >= self.threshold(context.health),
        }
    }

    /// Until when it is heard, trusted and counted if no beat comes, so that there is nothing to ask and nothing to judge;
    /// none when it is not now.
    pub(super) fn calm_until(&self, context: Context) -> Option<Time> {
        let until = self.heard + self.threshold(context.health);
        let calm = self.fit() && self.trust == Trust::Whole && self.standing == Standing::WELL;
        (calm && until > context.now).then_some(until)
    }

    /// Whether it can be asked to make probes.
    pub(super) fn fit(&self) -> bool {
        self.stream == Stream::Up && self.question.is_none() && self.verdict == Verdict::Healthy
    }

    /// Moves the verdict to where the signs lead; the one before when it moved.
    pub(super) fn settle(&mut self, signs: &Signs, context: Context) -> Option<Verdict> {
        let next = self.next(signs, context);
        if next == self.verdict {
            return None;
        }
        let was = self.verdict;
        if falls(was, next, self.trust) {
            self.flaps.fall(context.now);
        }
        if next == Verdict::NodeDead {
            self.dead = self.incarnation;
        }
        if next == Verdict::NodeUnreachable || next == Verdict::NodeDead {
            self.trust = Trust::Lost;
        } else if well(next) {
            (self.trust, self.dead) = (Trust::Whole, None);
        }
        (self.verdict, self.since) = (next, context.now);
        Some(was)
    }

    fn next(&mut self, signs: &Signs, context: Context) -> Verdict {
        if let Stream::Left(_) = self.stream {
            return Verdict::Left;
        }
        if self.lost(context) {
            if self.trust != Trust::Whole {
                self.trust = Trust::Lost;
            }
            let next = judge::judge(signs, self.verdict).unwrap_or(self.verdict);
            let accused = matches!(next, Verdict::NodeSuspect | Verdict::NodeUnreachable | Verdict::NodeDead);
            return if accused && !context.accuses { self.verdict } else { next };
        }
        let barred = self.dead.is_some_and(|dead| self.incarnation.is_none_or(|it| it <= dead));
        if self.stream == Stream::Expected || barred {
            return self.verdict;
        }
        if self.trust == Trust::Lost {
            self.trust = Trust::Regained(context.now);
        }
        if let Trust::Regained(since) = self.trust
            && !self.trusted(since, context.now)
        {
            return Verdict::NodeSuspect;
        }
        if self.held_until(context.now).is_some() { Verdict::Flapping } else { Verdict::Healthy }
    }

    fn trusted(&self, since: Time, now: Time) -> bool {
        let canary = self.clues.canary != Some(CanaryResult::Failed);
        now.since(since) >= CLEAN && self.snapshot && canary
    }

    /// Whether it is held to be lost, and not only on its way back.
    pub(super) fn accused(&self) -> bool {
        let suspect = self.verdict == Verdict::NodeSuspect && !self.returning();
        suspect || self.verdict == Verdict::NodeUnreachable || self.verdict == Verdict::NodeDead
    }

    /// Whether it is on its way back.
    pub(super) fn returning(&self) -> bool {
        matches!(self.trust, Trust::Regained(_))
    }

    /// Until when it flaps, if it does.
    pub(super) fn held_until(&self, now: Time) -> Option<Time> {
        self.flaps.held_until().filter(|until| *until > now)
    }

    /// When to look at it again without a new fact.
    pub(super) fn next_due(&self, context: Context) -> Option<Time> {
        let now = context.now;
        let later = |at: Time| (at > now).then_some(at);
        let mut dues = [None; 5];
        match self.stream {
            Stream::Left(_) => return None,
            Stream::Up if self.question.is_none() => {
                dues[0] = Some(self.heard + self.threshold(context.health))
            }
            // Looked at again when learning ends.
            Stream::Expected | Stream::Up | Stream::Ended(_) => {}
        }
        if let Some(question) = &self.question {
            dues[0] = Some(question.next.max(now + Duration::from_millis(1)));
            let over = context.health.stretch(probe::ROUND_OVER);
            let open = question.rounds.iter().flatten().filter(|round| !round.closed);
            dues[1] = open.map(|round| round.asked + over).min().and_then(later);
            dues[4] = later(question.opened + context.health.stretch(probe::PATIENCE));
            dues[2] = later(self.heard + self.identity.interval * BROKEN_INTERVALS);
        } else {
            if let Trust::Regained(since) = self.trust {
                dues[3] = later(since + CLEAN);
            }
            dues[4] = self.held_until(now);
        }
        dues.into_iter().flatten().min()
    }

    /// The signs but for the answers of others.
    pub(super) fn signs(&self, context: Context) -> Signs {
        let now = context.now;
        let interval = self.identity.interval;
        let own = self.question.as_ref().map(|question| question.own()).unwrap_or_default();
        let patience = context.health.stretch(probe::PATIENCE);
        Signs {
            waited: self
                .question
                .as_ref()
                .is_some_and(|question| now.since(question.opened) >= patience && !question.alive()),
            long: self.silence(now) >= interval * BROKEN_INTERVALS,
            mute: self.question.as_ref().map_or(0, |question| question.mute),
            own,
            lease: self.clues.lease(self.outlived(), now),
            data_plane: self.data_plane(now),
            replicas: self.replicas(now),
            fence: self.clues.proof(self.heard),
            ..Signs::default()
        }
    }

    /// From when on a sign of life proves that it outlived its stream: its next beat was due then, and a quarter more.
    fn outlived(&self) -> Time {
        self.heard + self.identity.interval * 5 / 4
    }

    pub(super) fn data_plane(&self, now: Time) -> Sign {
        self.clues.data_plane(self.outlived(), now)
    }

    pub(super) fn replicas(&self, now: Time) -> Sign {
        self.clues.replicas(self.outlived(), now)
    }

    /// How it counts in its zone now.
    pub(super) fn stand(&self, context: Context) -> Standing {
        let gone = self.verdict == Verdict::NodeDead || self.verdict == Verdict::Left;
        let due = self.stream != Stream::Expected || !context.learning;
        let expected = due && !gone;
        // The end of a stream is news of the host; only then begins its silence.
        let late = expected && self.silence(context.now) >= self.identity.interval;
        let question = self.question.as_ref().filter(|_| late);
        Standing {
            expected,
            unreached: question.is_some_and(|question| !question.alive()),
            unheard: question.is_some_and(|question| !question.own().alive()),
            lost: expected && judge::fell(self.verdict) && !self.returning(),
        }
    }
}

/// Whether a verdict trusts the node with work, or expects nothing of it.
fn well(verdict: Verdict) -> bool {
    [Verdict::Healthy, Verdict::Flapping, Verdict::Left].contains(&verdict)
}

/// Whether a move of the verdict counts towards flapping: traffic was moved away.
fn falls(was: Verdict, next: Verdict, trust: Trust) -> bool {
    let accused = next == Verdict::NodeSuspect || next == Verdict::NodeUnreachable;
    let returned = next == Verdict::NodeUnreachable && was == Verdict::NodeSuspect && trust != Trust::Whole;
    accused && well(was) || returned
}
