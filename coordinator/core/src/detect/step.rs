//! The detector at work on single nodes: asking, judging, telling.

use std::time::Duration;

use super::attention::LATE_DOUBT;
use super::evidence::{NodeEvidence, ProberAnswer, StreamEvidence};
use super::local_health::Doubt;
use super::probe::{self, Closed};
use super::watch::{Context, Stream};
use super::{
    Action, Ask, CORROBORATED_MAX, Detector, Evidence, Finding, HELD_NOTHING, Moved, PEER_TIMEOUT,
    PROBE_TIMEOUT, Signs, Subject, Transition, Verdict,
};
use crate::id::NodeKey;
use crate::time::Time;

/// Rounds of probes whose answers are awaited at once. With six probes of 650 ms each that is 9,500 probes a second at
/// most, of which a fleet of 10,000 that loses 5 % of its beats needs a third.
const ROUNDS_MAX: u32 = 1024;

/// How often zones are looked at while one is not quiet, or while we learn.
pub(super) const LOOK: Duration = Duration::from_millis(100);

pub(super) const SECOND: Duration = Duration::from_secs(1);

impl Detector {
    /// Asks and judges. Level-triggered: it goes by what is so and not by what happened since the last one, and a step that
    /// comes twice asks nothing twice.
    pub fn step(&mut self, now: Time) -> Vec<Action> {
        let now = self.attend(now);
        let mut actions = Vec::new();
        if self.tick.is_some_and(|tick| tick <= now) {
            self.second(&mut actions, now);
        }
        // All questions first, so that the observer judges itself by all of them before it judges anybody else.
        let due = self.due(now);
        for &node in &due {
            self.ask(node, &mut actions, now);
        }
        self.look_around(now);
        let mut doubtful = Vec::new();
        for &node in &due {
            self.settle(node, &mut doubtful, now);
        }
        for nodes in doubtful.chunks(CORROBORATED_MAX) {
            actions.push(Action::Corroborate(nodes.to_vec()));
        }
        self.finish(now);
        actions
    }

    fn finish(&mut self, now: Time) {
        self.report.steps += 1;
        self.report.transitions = std::mem::take(&mut self.moved);
        self.report.learning = self.observer.learning();
        let next = self.next_step();
        assert!(next.is_none_or(|next| next > now), "a step leaves nothing to do at once");
        self.clock.promise(next);
    }

    /// Notes a call of the driver; the moment on the inner clock.
    #[inline]
    pub(super) fn attend(&mut self, now: Time) -> Time {
        let away = self.clock.call(now);
        if away > Duration::ZERO {
            self.report.away += away;
            if away >= LATE_DOUBT {
                self.report.local_health.doubt(Doubt::Lagged);
            }
        }
        self.clock.inner(now)
    }

    pub(super) fn report_time(&self) -> Time {
        self.clock.called()
    }

    pub(super) fn next_step(&self) -> Option<Time> {
        [self.queue.first(), self.tick, self.look].into_iter().flatten().min()
    }

    fn context(&self, now: Time) -> Context {
        Context {
            now,
            health: self.report.local_health,
            accuses: self.verdict(&Subject::Observer) == Verdict::Healthy,
            learning: self.observer.learning(),
        }
    }

    /// The nodes of which something is to be asked or judged. Of nearly all whose moment has come there is nothing, because
    /// beats that came since moved it away: a beat leaves the queue alone.
    fn due(&mut self, now: Time) -> Vec<NodeKey> {
        let context = self.context(now);
        let mut due: Vec<NodeKey> = std::iter::from_fn(|| self.queue.pop(now)).collect();
        self.roster.read_ahead(&due);
        due.retain(|node| {
            let Some(watch) = self.roster.get(*node) else { return false };
            let until = watch.calm_until(context);
            self.queue.set(*node, until, now);
            until.is_none()
        });
        due
    }

    /// Opens, continues or closes the questions about a node.
    fn ask(&mut self, node: NodeKey, actions: &mut Vec<Action>, now: Time) {
        let context = self.context(now);
        let Some(watch) = self.roster.get(node) else { return };
        let lost = watch.lost(context);
        let patience = context.health.stretch(probe::ROUND_OVER);
        let mut question = self.roster.get_mut(node).and_then(|watch| watch.question.take());
        if let Some(question) = &mut question {
            let over = |round: &probe::Round| !lost || now.since(round.asked) >= patience;
            let closed = question.close(over, |by| lost && self.roster.fit(by));
            self.close(closed, lost);
        }
        let mut question =
            if lost { question.or_else(|| Some(Box::new(probe::Question::new(now)))) } else { None };
        if let Some(question) = &mut question
            && let Some(ask) = self.next_round(node, question, now)
        {
            actions.push(Action::Probe(ask));
        }
        if let Some(watch) = self.roster.get_mut(node) {
            watch.question = question;
        }
        self.recount(node, now);
    }

    fn close(&mut self, closed: Closed, counts: bool) {
        self.report.rounds_in_flight -= closed.rounds;
        if counts {
            self.probes.asked += closed.asked;
            self.probes.missing += closed.missing;
        }
    }

    fn next_round(&mut self, node: NodeKey, question: &mut probe::Question, now: Time) -> Option<Ask> {
        let newest = question.rounds[1].as_ref().map(|round| round.asked);
        let alive = question.alive();
        if let Some(asked) = newest {
            // A sign of life takes the haste out of it, and so does that nobody can be asked.
            let pause = if question.unasked() {
                probe::LATER_ROUND
            } else if alive {
                probe::NEXT_ROUND
            } else {
                Duration::ZERO
            };
            question.next = question.next.max(asked + pause);
        }
        if question.next > now {
            return None;
        }
        // A zone that falls as a whole leaves half of the places to nodes that fall alone.
        let shaken = self.roster.get(node).is_some_and(|watch| self.roster.zones()[watch.zone].shaken());
        if self.report.rounds_in_flight >= if shaken { ROUNDS_MAX / 2 } else { ROUNDS_MAX } {
            question.next = now + probe::RETRY;
            return None;
        }
        let health = self.report.local_health;
        let watch = self.roster.get_mut(node)?;
        watch.rounds = watch.rounds.wrapping_add(1);
        let number = watch.rounds;
        // A host whose stream ended is expected to answer or to refuse at once.
        let host_first = newest.is_none() && matches!(watch.stream, Stream::Ended(_));
        let settled = watch.verdict == Verdict::NodeUnreachable || watch.verdict == Verdict::NodeDead;
        let peers = if host_first { Vec::new() } else { self.roster.probers(node, number) };
        let wait = if settled || now.since(question.opened) >= probe::EAGER {
            probe::LATER_ROUND
        } else if newest.is_none() {
            health.stretch(probe::SECOND_ROUND)
        } else {
            health.stretch(probe::NEXT_ROUND)
        };
        let ask = Ask {
            node,
            round: number,
            timeout: health.stretch(PROBE_TIMEOUT),
            peers: peers.iter().map(|peer| peer.by).collect(),
            peer_timeout: health.stretch(PEER_TIMEOUT),
        };
        let dropped = question.rounds[0].as_ref().is_some_and(|round| !round.closed);
        question.begin(number, peers, now);
        question.next = now + wait;
        self.report.rounds_in_flight += u32::from(!dropped);
        self.report.rounds += 1;
        Some(ask)
    }

    fn recount(&mut self, node: NodeKey, now: Time) {
        let context = self.context(now);
        self.roster.recount(node, context);
    }

    /// Moves the verdict on a node to where the signs lead, and says when to look again.
    fn settle(&mut self, node: NodeKey, doubtful: &mut Vec<NodeKey>, now: Time) {
        let context = self.context(now);
        let signs = self.roster.signs(node, context);
        let accompanied = self.observer.accompanied(now);
        let Some(watch) = self.roster.get_mut(node) else { return };
        let was = watch.settle(&signs, context);
        let accused = watch.accused();
        let asked = watch.question.as_ref().and_then(|it| it.rounds[1].as_ref()).map(|round| round.asked);
        if accused && accompanied && (was.is_some() || asked == Some(now)) {
            doubtful.push(node);
        }
        let (verdict, due) = (watch.verdict, watch.next_due(context));
        self.queue.set(node, due.map(|due| due.max(now + Duration::from_millis(1))), now);
        if let Some(was) = was {
            let evidence = Evidence::Node(Box::new(self.node_evidence(node, signs, context)));
            self.tell(Subject::Node(node), was, verdict, evidence, now);
            self.look.get_or_insert(now + LOOK);
        }
        self.roster.recount(node, context);
    }

    fn node_evidence(&self, node: NodeKey, signs: Signs, context: Context) -> NodeEvidence {
        let watch = self.roster.get(node).expect("it was just settled");
        let answers = |question: &probe::Question| -> Vec<ProberAnswer> {
            let peers = question.rounds.iter().flatten().flat_map(|round| &round.peers);
            let of = |peer: &probe::Peer| {
                let by = &self.roster.get(peer.by)?.identity;
                let (by, zone) = (by.name.clone(), by.zone.clone());
                Some(ProberAnswer { by, zone, answer: peer.answer, round_trip: peer.round_trip })
            };
            peers.filter_map(of).collect()
        };
        NodeEvidence {
            verdict: watch.verdict,
            stream: match watch.stream {
                Stream::Expected => StreamEvidence::Never,
                Stream::Up => StreamEvidence::Up,
                Stream::Ended(ending) => StreamEvidence::Ended(ending),
                Stream::Left(reason) => StreamEvidence::Left(reason),
            },
            silence: watch.silence(context.now),
            interval: watch.identity.interval,
            threshold: match &watch.question {
                Some(question) => question.opened.since(watch.heard),
                None => watch.threshold(context.health),
            },
            signs,
            probers: watch.question.as_deref().map(answers).unwrap_or_default(),
            hold: watch.held_until(context.now).and(watch.flaps.hold()),
        }
    }

    pub(super) fn tell_moved(&mut self, moved: Option<Moved>, now: Time) {
        let Some(Moved { subject, was, verdict, evidence }) = moved else { return };
        if was == verdict {
            // Another reason for the same.
            self.findings.entry(subject).and_modify(|finding| finding.evidence = evidence);
        } else {
            self.tell(subject, was, verdict, evidence, now);
        }
    }

    pub(super) fn tell(
        &mut self,
        subject: Subject,
        was: Verdict,
        verdict: Verdict,
        evidence: Evidence,
        now: Time,
    ) {
        let finding = Finding { verdict, since: self.clock.outer(now), evidence };
        if verdict == Verdict::Healthy {
            self.findings.remove(&subject);
        } else {
            self.findings.insert(subject.clone(), finding.clone());
        }
        self.hold(&subject, was, verdict);
        self.moved.push(Transition { subject, was, finding });
    }
    /// Keeps in short what was found of a node.
    fn hold(&mut self, subject: &Subject, was: Verdict, verdict: Verdict) {
        let node = match subject {
            Subject::Observer | Subject::Fleet | Subject::Zone(_) => return,
            Subject::Node(node) | Subject::Gpu(node, _) | Subject::Engine(node, _) => node.0 as usize,
        };
        if node >= self.held.len() {
            self.held.resize(node + 1, HELD_NOTHING);
        }
        let held = &mut self.held[node];
        if let Subject::Node(_) = subject {
            held.verdict = verdict;
        } else {
            let (before, after) = (was != Verdict::Healthy, verdict != Verdict::Healthy);
            held.devices = held.devices - u8::from(before) + u8::from(after);
        }
    }
}
