//! Leaders that come and go over one store, and executors whose calls and answers are lost, late and doubled: an action
//! has one effect at most, and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{ActionId, Event, Failure, Intent, Journal, Observed, Planned, Record, State, Todo};
use super::drain;
use crate::id::Term;
use crate::time::Time;

/// Actions in a world.
const ACTIONS: usize = 3;

/// One thing that happens in a world; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Deed {
    /// A leader, the newest or one that has not noticed that it is none, plans an action.
    Plan {
        leader: usize,
        action: usize,
    },
    /// It writes down that it calls, and calls if that was stored.
    Issue {
        leader: usize,
        action: usize,
    },
    /// It wrote down that it calls, and stands still until [`Deed::Wake`].
    IssueAndStall {
        leader: usize,
        action: usize,
    },
    Wake {
        number: usize,
    },
    /// A call arrives.
    Arrive {
        number: usize,
        twice: bool,
    },
    Lose {
        number: usize,
    },
    /// An answer arrives at the newest leader.
    Answer {
        number: usize,
    },
    Observe {
        action: usize,
    },
    /// Another replica leads and reads the store.
    Elect,
    Pass {
        seconds: u64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Call {
    id: ActionId,
    term: Term,
    attempt: u32,
    expires: Time,
}

#[derive(Clone, Debug)]
struct Leader {
    term: Term,
    journal: Journal,
}

struct World {
    /// Whether the executor knows the numbers of what it has done. One that does not is only called by leaders that check
    /// their deadline, so that none of them calls late.
    executor_knows: bool,
    now: Time,
    intents: Vec<Intent>,
    /// Every replica that ever led, the newest last.
    leaders: Vec<Leader>,
    store: BTreeMap<ActionId, Record>,
    stalled: Vec<Call>,
    calls: Vec<Call>,
    answers: Vec<(ActionId, Event)>,
    effects: BTreeMap<ActionId, u32>,
    term_seen: Term,
}

impl World {
    fn new(executor_knows: bool) -> World {
        World {
            executor_knows,
            now: super::at(100),
            intents: (0..ACTIONS).map(|it| drain(&format!("n{it}"), 1, 100)).collect(),
            leaders: vec![Leader { term: Term(1), journal: Journal::default() }],
            store: BTreeMap::new(),
            stalled: Vec::new(),
            calls: Vec::new(),
            answers: Vec::new(),
            effects: BTreeMap::new(),
            term_seen: Term(0),
        }
    }

    fn newest(&self) -> usize {
        self.leaders.len() - 1
    }

    fn act(&mut self, deed: &Deed) {
        match *deed {
            Deed::Plan { leader, action } => self.plan(leader % self.leaders.len(), action),
            Deed::Issue { leader, action } => {
                if let Some(call) = self.issue(leader % self.leaders.len(), action) {
                    self.calls.push(call);
                }
            }
            Deed::IssueAndStall { leader, action } if self.executor_knows => {
                let call = self.issue(leader % self.leaders.len(), action);
                self.stalled.extend(call);
            }
            Deed::IssueAndStall { .. } => {}
            Deed::Wake { number } => {
                let call = take(&mut self.stalled, number);
                self.calls.extend(call);
            }
            Deed::Arrive { number, twice } => self.arrive(number, twice && self.executor_knows),
            Deed::Lose { number } => {
                take(&mut self.calls, number);
            }
            Deed::Answer { number } => {
                if let Some((id, event)) = take(&mut self.answers, number) {
                    self.tell(self.newest(), id, event);
                }
            }
            Deed::Observe { action } => self.observe(self.intents[action].id()),
            Deed::Elect => self.elect(),
            Deed::Pass { seconds } => self.now = self.now + Duration::from_secs(seconds),
        }
    }

    fn elect(&mut self) {
        let term = Term(self.leaders[self.newest()].term.0 + 1);
        let journal = Journal::restore(self.store.values().cloned(), Time::ZERO);
        self.leaders.push(Leader { term, journal });
    }

    fn plan(&mut self, leader: usize, action: usize) {
        let (now, intent) = (self.now, self.intents[action].clone());
        let it = &mut self.leaders[leader];
        if let Planned::New(id) = it.journal.plan(intent, it.term, now) {
            let record = it.journal.get(id).expect("it was just planned").clone();
            self.put(leader, None, record);
        }
    }

    fn issue(&mut self, leader: usize, action: usize) -> Option<Call> {
        let id = self.intents[action].id();
        let term = self.leaders[leader].term;
        let record = self.tell(leader, id, Event::Issue { evidence_revision: 40 })?;
        let (attempt, expires) = (record.attempts, record.intent.valid_until);
        (record.state == State::Issued).then_some(Call { id, term, attempt, expires })
    }

    /// Folds an event and stores what comes of it; the record, if both held.
    fn tell(&mut self, leader: usize, id: ActionId, event: Event) -> Option<Record> {
        let now = self.now;
        let it = &mut self.leaders[leader];
        let before = it.journal.get(id)?.clone();
        let record = it.journal.apply(id, event, it.term, now).ok()?.clone();
        self.put(leader, Some(&before), record.clone()).then_some(record)
    }

    /// A transaction: it holds if the term is the newest and the record is as it was read. Else the leader takes the
    /// record that is there.
    fn put(&mut self, leader: usize, before: Option<&Record>, record: Record) -> bool {
        let id = record.id();
        let holds = leader == self.newest() && self.store.get(&id) == before;
        if holds {
            self.store.insert(id, record);
        } else if let Some(stored) = self.store.get(&id) {
            self.leaders[leader].journal.replace(stored.clone());
        }
        holds
    }

    fn arrive(&mut self, number: usize, twice: bool) {
        let Some(call) = take(&mut self.calls, number) else { return };
        for _ in 0..=u8::from(twice) {
            if call.term < self.term_seen || self.now >= call.expires {
                continue;
            }
            self.term_seen = call.term;
            let done = self.executor_knows && self.effects.contains_key(&call.id);
            if !done {
                *self.effects.entry(call.id).or_default() += 1;
            }
            self.answers.push((call.id, Event::Ack { attempt: call.attempt }));
            self.answers.push((call.id, Event::Succeed));
        }
    }

    fn observe(&mut self, id: ActionId) {
        let on_its_way = self.calls.iter().any(|call| call.id == id);
        let observed = if self.effects.contains_key(&id) {
            Observed::There
        } else if on_its_way {
            Observed::Unclear
        } else {
            Observed::NotThere
        };
        self.tell(self.newest(), id, Event::Observe(observed));
    }

    /// The newest leader does what is to be done, calls arrive, and nothing else happens.
    fn finish(&mut self) {
        self.elect();
        for _ in 0..40 {
            while !self.calls.is_empty() {
                self.arrive(0, false);
            }
            for (id, todo) in self.leaders[self.newest()].journal.unfinished(self.now) {
                match todo {
                    Todo::Observe => self.observe(id),
                    Todo::Issue => {
                        let action = self.intents.iter().position(|it| it.id() == id).expect("one of ours");
                        let call = self.issue(self.newest(), action);
                        self.calls.extend(call);
                    }
                }
            }
            self.now = self.now + Duration::from_secs(5);
        }
    }

    fn check_effects(&self) {
        for (id, count) in &self.effects {
            assert_eq!(*count, 1, "effects of {id}");
        }
    }

    fn check_end(&self) {
        for (id, record) in &self.store {
            assert!(record.state.is_final(), "{id} is {}", record.state);
            let effects = self.effects.get(id).copied().unwrap_or(0);
            match record.state {
                State::Done => assert_eq!(effects, 1),
                State::Aborted(_) | State::Superseded { .. } | State::Failed(Failure::NoEffect) => {
                    assert_eq!(effects, 0, "{}", record.state);
                }
                State::Planned | State::Issued | State::Acked | State::Failed(_) => {}
            }
        }
        let known: BTreeSet<_> = self.store.keys().collect();
        assert!(self.effects.keys().all(|id| known.contains(id)), "no effect without an order");
    }
}

fn take<T>(list: &mut Vec<T>, number: usize) -> Option<T> {
    if list.is_empty() { None } else { Some(list.remove(number % list.len())) }
}

fn deed() -> impl Strategy<Value = Deed> {
    let (leader, action, number) = (0..4_usize, 0..ACTIONS, 0..8_usize);
    prop_oneof![
        3 => (leader.clone(), action.clone()).prop_map(|(leader, action)| Deed::Plan { leader, action }),
        6 => (leader.clone(), action.clone()).prop_map(|(leader, action)| Deed::Issue { leader, action }),
        2 => (leader, action.clone()).prop_map(|(leader, action)| Deed::IssueAndStall { leader, action }),
        2 => number.clone().prop_map(|number| Deed::Wake { number }),
        5 => (number.clone(), any::<bool>()).prop_map(|(number, twice)| Deed::Arrive { number, twice }),
        2 => number.clone().prop_map(|number| Deed::Lose { number }),
        4 => number.prop_map(|number| Deed::Answer { number }),
        4 => action.prop_map(|action| Deed::Observe { action }),
        1 => Just(Deed::Elect),
        1 => (1..40_u64).prop_map(|seconds| Deed::Pass { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn an_action_has_one_effect_at_most_whoever_leads_and_whatever_is_lost_late_or_doubled(
        executor_knows in any::<bool>(),
        deeds in proptest::collection::vec(deed(), 1..120),
    ) {
        let mut world = World::new(executor_knows);
        for deed in &deeds {
            world.act(deed);
            world.check_effects();
        }
        world.stalled.clear();
        world.finish();
        world.check_effects();
        world.check_end();
    }

    #[test]
    fn terms_and_attempts_of_a_stored_record_never_go_down_and_what_has_ended_stays(
        deeds in proptest::collection::vec(deed(), 1..120),
    ) {
        let mut world = World::new(true);
        for deed in &deeds {
            let before = world.store.clone();
            world.act(deed);
            for (id, old) in &before {
                let new = &world.store[id];
                prop_assert!(new.term >= old.term && new.attempts >= old.attempts);
                if old.state.is_final() {
                    prop_assert_eq!(new, old);
                }
            }
        }
    }
}
