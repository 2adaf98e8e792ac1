//! The detector looking around: at itself first, then at zones, then at all of them together.

use std::time::Duration;

use super::evidence::Evidence;
use super::local_health::{self, Doubt};
use super::step::{LOOK, SECOND};
use super::watch::Stream;
use super::{Action, Detector, Resignation, Subject, Verdict, ZoneReach, zone};
use crate::id::{NodeKey, ZoneId};
use crate::time::Time;

/// Probes of a second from which on their share that stays unanswered says something.
const PROBES_MIN: u32 = 8;

/// Streams lost within a second from which on their share says something.
const STREAMS_MIN: u32 = 3;

/// Share of all streams whose loss within a second says something: one in so many.
const STREAMS_SHARE: u32 = 20;

/// Zones that must fail together for a freeze.
const ZONES_FROZEN: usize = 2;

impl Detector {
    /// What is done once a second: doubts are counted, devices looked at again, and the lead is given away if others do
    /// better.
    pub(super) fn second(&mut self, actions: &mut Vec<Action>, now: Time) {
        self.tick = Some(now + SECOND);
        let probes = std::mem::take(&mut self.probes);
        if probes.asked >= PROBES_MIN && probes.missing * 2 >= probes.asked {
            self.report.local_health.doubt(Doubt::ProbesUnanswered);
        }
        if self.streams_lost(now) {
            self.report.local_health.doubt(Doubt::StreamsLost);
        }
        self.report.local_health.tick();
        self.look_at_devices(now);
        actions.extend(self.resignation(now).map(Action::Resign));
    }

    /// Judges ourselves in every step, and all the rest when it is time.
    pub(super) fn look_around(&mut self, now: Time) {
        self.judge_self(now);
        if self.look.is_none_or(|look| look > now) {
            return;
        }
        if self.observer.learning() {
            self.end_learning(now);
        }
        let trusted = self.verdict(&Subject::Observer) == Verdict::Healthy;
        if trusted {
            (0..self.roster.zones().len()).for_each(|at| self.judge_zone(at, now));
            self.judge_fleet(now);
        }
        let quiet = trusted && self.roster.zones().iter().all(zone::Zone::quiet);
        self.look = if quiet && !self.observer.learning() { None } else { Some(now + LOOK) };
    }

    /// A twentieth of all streams, in more than one zone: one zone's loss is the zone's.
    fn streams_lost(&self, now: Time) -> bool {
        let zones = self.roster.zones().iter().filter(|zone| zone.expected() > 0);
        let (mut nodes, mut lost, mut all, mut losing) = (0, 0, 0, 0);
        for zone in zones {
            let recent = zone.lost_since(now - SECOND);
            nodes += zone.expected();
            lost += recent;
            all += 1;
            losing += u32::from(recent > 0);
        }
        lost >= STREAMS_MIN && lost * STREAMS_SHARE >= nodes && (all == 1 || losing >= 2)
    }

    fn look_at_devices(&mut self, now: Time) {
        let mut moved = Vec::new();
        for (node, place) in (0u32..).zip(&mut self.devices) {
            if let Some(devices) = place {
                moved.extend(devices.tick(NodeKey(node), now));
            }
            if place.as_ref().is_some_and(|devices| devices.is_empty()) {
                *place = None;
            }
        }
        moved.into_iter().for_each(|moved| self.tell_moved(Some(moved), now));
    }

    fn resignation(&mut self, now: Time) -> Option<Resignation> {
        let own = self.roster.reach().map(|(_, it)| it).fold(ZoneReach::default(), ZoneReach::and);
        let outreached = self.observer.outreached(own, now);
        let score = self.report.local_health.score();
        let unwell = (score >= local_health::SCORE_RESIGN).then_some(Resignation::Unwell { score });
        outreached.or(unwell).filter(|_| self.observer.leading)
    }

    fn judge_self(&mut self, now: Time) {
        let isolation = self.observer.isolation(self.roster.zones(), now);
        let verdict = if isolation.is_some() { Verdict::ObserverIsolated } else { Verdict::Healthy };
        let was = self.verdict(&Subject::Observer);
        if verdict != was {
            let health = self.report.local_health.to_string().into_boxed_str();
            self.tell(Subject::Observer, was, verdict, Evidence::Observer(isolation, health), now);
            self.look.get_or_insert(now + LOOK);
            if verdict == Verdict::Healthy {
                self.start_over(now);
            }
        }
    }

    fn judge_zone(&mut self, at: usize, now: Time) {
        let zone = &self.roster.zones()[at];
        if zone.quiet() && zone.verdict == Verdict::Healthy {
            return;
        }
        let replicas = self.observer.others_reach(&zone.name, zone.reach(), now);
        let signs = zone.look(&self.roster, replicas, now);
        let was = zone.verdict;
        let partial = zone::partial(&signs, zone.partial);
        let verdict = if partial { zone::judge(&signs, was) } else { Verdict::Healthy };
        let zone = &mut self.roster.zones_mut()[at];
        (zone.partial, zone.verdict, zone.signs) = (partial, verdict, signs);
        if partial {
            zone.partial_at = Some(now);
        }
        if verdict != was {
            let subject = Subject::Zone(zone.name.clone());
            self.tell(subject, was, verdict, Evidence::Zone(signs), now);
        }
    }

    fn judge_fleet(&mut self, now: Time) {
        let failing = self.roster.zones().iter().filter(|zone| zone.partial && !zone.signs.explained());
        let zones: Vec<ZoneId> = failing.map(|zone| zone.name.clone()).collect();
        let frozen = zones.len() >= ZONES_FROZEN;
        let verdict = if frozen { Verdict::GlobalFreeze } else { Verdict::Healthy };
        let was = self.verdict(&Subject::Fleet);
        if verdict != was {
            self.tell(Subject::Fleet, was, verdict, Evidence::Fleet(zones), now);
            if verdict == Verdict::Healthy {
                self.start_over(now);
            }
        }
    }

    /// After we were led astray: every silence begins anew, and what was asked in the meantime counts for nothing.
    fn start_over(&mut self, now: Time) {
        self.observer.learn(now);
        self.look.get_or_insert(now + LOOK);
        let nodes: Vec<NodeKey> = self.roster.watches().map(|watch| watch.identity.node).collect();
        for node in nodes {
            if let Some(watch) = self.roster.get_mut(node) {
                if let Some(question) = watch.question.as_mut().filter(|question| !question.alive()) {
                    let closed = question.close(|_| true, |_| false);
                    self.report.rounds_in_flight -= closed.rounds;
                }
                watch.pardon(now);
                self.wake_soon(node, now);
            }
        }
    }

    /// Learning ends when nine tenths of the roster are connected, or its time is over; then who is silent is asked.
    fn end_learning(&mut self, now: Time) {
        let (mut nodes, mut connected) = (0u32, 0u32);
        for watch in self.roster.watches() {
            nodes += 1;
            connected += u32::from(matches!(watch.stream, Stream::Up | Stream::Left(_)));
        }
        let enough = connected * 10 >= nodes * 9;
        let over = self.observer.learning_until.is_some_and(|until| now >= until);
        if !enough && !over {
            return;
        }
        self.observer.learning_until = None;
        let expected = self.roster.watches().filter(|watch| watch.stream == Stream::Expected);
        let silent: Vec<NodeKey> = expected.map(|watch| watch.identity.node).collect();
        silent.into_iter().for_each(|node| self.wake_soon(node, now));
    }

    /// Has a node looked at in the step after this one.
    fn wake_soon(&mut self, node: NodeKey, now: Time) {
        if self.roster.get(node).is_some() {
            self.queue.set(node, Some(now + Duration::from_millis(1)), now);
        }
    }
}
