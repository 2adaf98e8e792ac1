//! Runs the engine: the only caller of [`Engine`], and the only reader of the clock that reaches it.
//!
//! Facts are folded where they arrive: [`Driver::handle`] takes a lock for the microsecond that folding takes, which costs
//! less than handing the fact to another thread. Readers hold the same lock, so they copy out little at a time. Whoever
//! waits for changes waits on [`Driver::changes`], which costs a fact nothing: a timer looks at the revision, and only
//! while someone waits.
//!
//! What the engine asks for goes to whoever took [`Driver::take_actions`]. A fact that makes a step due sooner wakes the
//! stepping task, so that a connection that breaks is looked into at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ostler_core::detect::{Detector, Fact};
use ostler_core::engine::{Action, Engine, Policy, Report};
use ostler_core::event::{Event, Reply, RowFact};
use ostler_core::fleet::Fleet;
use ostler_core::id::{NodeId, NodeKey, Session};
use ostler_core::time::Time;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::history::{self, NodeHistory};

mod clock;

use clock::Clock;

/// Longest time between two steps: what a step finds without a new fact is at most this late.
const STEP_INTERVAL_MAX: Duration = Duration::from_millis(250);

/// Shortest time between two steps. Each of ten thousand nodes has a moment of its own at which it would be stale, and one
/// step for all that fall due within this time costs less than one for each.
const STEP_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// How often waiting readers are told of changes. Half of it is the mean delay that it adds to a change, which is allowed
/// 50 ms to reach a hundred watchers.
const CHANGES_INTERVAL: Duration = Duration::from_millis(10);

/// Actions that wait to be taken: as many rounds of probes as the engine ever awaits at once. One more is dropped, and the
/// engine asks again when no answer comes.
const ACTIONS_MAX: usize = 1024;

/// The engine with its clock and the history of every node. Clones are the same driver.
#[derive(Clone)]
pub struct Driver {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    epoch: String,
    replica: String,
    started: Instant,
    /// The fleet's newest revision, to be looked at without the lock.
    revision: AtomicU64,
    /// Nanoseconds that steps took, and the longest of them.
    step_nanos: AtomicU64,
    step_nanos_max: AtomicU64,
    changes: watch::Sender<u64>,
    /// Woken when someone begins to wait for changes.
    waiting: tokio::sync::Notify,
    /// Woken when a step is due sooner than planned.
    sooner: tokio::sync::Notify,
    actions: mpsc::Sender<Action>,
    /// Until someone takes it.
    asked: Mutex<Option<mpsc::Receiver<Action>>>,
    /// Actions that nobody took in time.
    actions_dropped: AtomicU64,
    state: Mutex<State>,
}

struct State {
    engine: Engine,
    /// The newest time that the engine was told.
    now: Time,
    /// When the next step is planned.
    planned: Time,
    /// By [`NodeKey`]; each with the name of the node that it belongs to, because places are used again.
    histories: Vec<Option<(NodeId, NodeHistory)>>,
}

/// The engine at one moment, for reading.
pub struct View<'a> {
    /// What is known of the fleet.
    pub fleet: &'a Fleet,
    /// What the engine did.
    pub report: &'a Report,
    /// What is true of it, as far as the detection can tell.
    pub detector: &'a Detector,
    /// The moment.
    pub now: Time,
    histories: &'a [Option<(NodeId, NodeHistory)>],
}

impl View<'_> {
    /// What a node's values were.
    pub fn history(&self, node: NodeKey) -> Option<&NodeHistory> {
        self.histories.get(node.0 as usize)?.as_ref().map(|(_, history)| history)
    }

    /// Bytes that all histories take.
    pub fn history_bytes(&self) -> usize {
        self.histories.iter().flatten().map(|(_, history)| history.memory_bytes()).sum()
    }
}

impl Driver {
    /// A driver of an engine that knows no node. `replica` is this replica's name.
    pub fn new(policy: Policy, replica: &str) -> Driver {
        let state = State {
            engine: Engine::new(policy, replica),
            now: Time::ZERO,
            planned: Time::ZERO,
            histories: Vec::new(),
        };
        let (actions, asked) = mpsc::channel(ACTIONS_MAX);
        Driver {
            inner: Arc::new(Inner {
                clock: Clock::start(),
                epoch: format!("{:016x}", rand::random::<u64>()),
                replica: replica.to_owned(),
                started: Instant::now(),
                revision: AtomicU64::new(0),
                step_nanos: AtomicU64::new(0),
                step_nanos_max: AtomicU64::new(0),
                changes: watch::Sender::new(0),
                waiting: tokio::sync::Notify::new(),
                sooner: tokio::sync::Notify::new(),
                actions,
                asked: Mutex::new(Some(asked)),
                actions_dropped: AtomicU64::new(0),
                state: Mutex::new(state),
            }),
        }
    }

    /// Folds one fact, now, and keeps its values.
    pub fn handle(&self, event: Event<'_>) -> Reply {
        if let Event::Row { session, row } = event {
            return self.handle_row(session, row, &history::pack(row.change));
        }
        let mut state = self.lock();
        let now = state.now;
        let snapshot = match &event {
            Event::Snapshot { session, snapshot } => {
                Some((*session, now - snapshot.age, snapshot.values, snapshot.absent))
            }
            Event::Row { .. }
            | Event::Joined(_)
            | Event::RowsDropped { .. }
            | Event::Happened { .. }
            | Event::Goodbye { .. }
            | Event::Disconnected { .. }
            | Event::Leader { .. } => None,
        };
        let reply = state.engine.handle(event, now);
        match (&reply, snapshot) {
            (Reply::Folded, Some((session, at, values, absent))) => {
                state.keep_snapshot(session, at, values, absent)
            }
            (Reply::Joined(session), _) => state.make_room(*session),
            _ => {}
        }
        self.inner.revision.store(state.engine.fleet().revision(), Ordering::Release);
        self.hasten(&state);
        reply
    }

    /// Takes a fact that only the detection goes by.
    pub fn learn(&self, fact: Fact<'_>) {
        self.learn_all([fact]);
    }

    /// Takes some of them.
    pub fn learn_all<'a>(&self, facts: impl IntoIterator<Item = Fact<'a>>) {
        let mut state = self.lock();
        let now = state.now;
        facts.into_iter().for_each(|fact| state.engine.learn(fact, now));
        self.hasten(&state);
    }

    /// What the engine asks for from now on; none when someone else has taken it.
    pub fn take_actions(&self) -> Option<mpsc::Receiver<Action>> {
        self.inner.asked.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Actions that nobody took in time.
    pub fn actions_dropped(&self) -> u64 {
        self.inner.actions_dropped.load(Ordering::Relaxed)
    }

    /// Folds a row; `packed` is what [`history::pack`] makes of its `change`, which is how it came.
    pub fn handle_row(&self, session: Session, row: RowFact<'_>, packed: &[u8]) -> Reply {
        let mut state = self.lock();
        let now = state.now;
        let reply = state.engine.handle(Event::Row { session, row }, now);
        if reply == Reply::Folded
            && let Some(history) = state.history(session)
        {
            history.row(now - row.age, row.changed, packed, row.absent);
        }
        self.inner.revision.store(state.engine.fleet().revision(), Ordering::Release);
        reply
    }

    /// Looks at the engine. No fact is folded meanwhile, so copy out and convert elsewhere what takes long.
    pub fn view<R>(&self, read: impl FnOnce(&View<'_>) -> R) -> R {
        let state = self.lock();
        read(&View {
            fleet: state.engine.fleet(),
            report: state.engine.report(),
            detector: state.engine.detector(),
            now: state.now,
            histories: &state.histories,
        })
    }

    /// The fleet's newest revision.
    pub fn revision(&self) -> u64 {
        self.inner.revision.load(Ordering::Acquire)
    }

    /// Which start of which replica revisions belong to.
    pub fn epoch(&self) -> &str {
        &self.inner.epoch
    }

    /// This replica's name.
    pub fn replica(&self) -> &str {
        &self.inner.replica
    }

    /// Time since the driver was made.
    pub fn uptime(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// Time that all steps took, and the longest.
    pub fn step_times(&self) -> (Duration, Duration) {
        let nanos = |of: &AtomicU64| Duration::from_nanos(of.load(Ordering::Relaxed));
        (nanos(&self.inner.step_nanos), nanos(&self.inner.step_nanos_max))
    }

    /// Gives the newest revision, at most [`CHANGES_INTERVAL`] after it was made.
    pub fn changes(&self) -> watch::Receiver<u64> {
        let receiver = self.inner.changes.subscribe();
        self.inner.waiting.notify_one();
        receiver
    }

    /// Lets the engine decide; gives the time until it must be asked again.
    pub fn step(&self) -> Duration {
        let began = Instant::now();
        let mut state = self.lock();
        let now = state.now;
        let actions = state.engine.step(now);
        state.drop_forgotten();
        let due = state.engine.poll_timeout().map_or(STEP_INTERVAL_MAX, |due| due.since(now));
        let due = due.clamp(STEP_INTERVAL_MIN, STEP_INTERVAL_MAX);
        state.planned = now + due;
        self.inner.revision.store(state.engine.fleet().revision(), Ordering::Release);
        drop(state);
        let refused = actions.into_iter().filter_map(|action| self.inner.actions.try_send(action).err());
        self.inner.actions_dropped.fetch_add(refused.count() as u64, Ordering::Relaxed);
        let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.inner.step_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.inner.step_nanos_max.fetch_max(nanos, Ordering::Relaxed);
        due
    }

    /// Steps the engine and tells of changes until shut down.
    pub async fn run(self, shutdown: CancellationToken) {
        let _ = shutdown
            .run_until_cancelled(async { tokio::join!(self.keep_stepping(), self.tell_changes()) })
            .await;
    }

    async fn keep_stepping(&self) {
        loop {
            let stepped = tokio::time::Instant::now();
            let wait = self.step();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.inner.sooner.notified() => {
                    tokio::time::sleep_until(stepped + STEP_INTERVAL_MIN).await;
                }
            }
        }
    }

    /// Wakes the stepping task when a step is due sooner than it plans. Rows do without: what they change can wait for the
    /// planned one.
    fn hasten(&self, state: &State) {
        if state.engine.poll_timeout().is_some_and(|due| due < state.planned) {
            self.inner.sooner.notify_one();
        }
    }

    async fn tell_changes(&self) {
        loop {
            if self.inner.changes.receiver_count() == 0 {
                self.inner.waiting.notified().await;
            }
            let revision = self.revision();
            self.inner.changes.send_if_modified(|told| std::mem::replace(told, revision) != revision);
            tokio::time::sleep(CHANGES_INTERVAL).await;
        }
    }

    /// Takes the lock and brings the time up to date. A panic while folding is a bug that the engine's own asserts
    /// found; the other nodes are still served.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.max(self.inner.clock.now());
        state
    }
}

impl State {
    fn history(&mut self, session: Session) -> Option<&mut NodeHistory> {
        let place = self.histories.get_mut(session.node.0 as usize)?;
        place.as_mut().map(|(_, history)| history)
    }

    fn keep_snapshot(&mut self, session: Session, at: Time, values: &[i64], absent: &[u8]) {
        let layout = self.engine.fleet().node_by_key(session.node).map(|node| Arc::clone(node.layout()));
        if let (Some(layout), Some(history)) = (layout, self.history(session)) {
            history.snapshot(at, layout, values, absent);
        }
    }

    /// Sees to it that a node that joined has a history: its own from before, or an empty one.
    fn make_room(&mut self, session: Session) {
        let Some(node) = self.engine.fleet().node_by_key(session.node) else { return };
        let at = session.node.0 as usize;
        if at >= self.histories.len() {
            self.histories.resize_with(at + 1, || None);
        }
        let place = &mut self.histories[at];
        if place.as_ref().is_none_or(|(name, _)| name != node.id()) {
            *place = Some((node.id().clone(), NodeHistory::new()));
        }
    }

    fn drop_forgotten(&mut self) {
        for transition in self.engine.report().transitions.iter().filter(|it| it.state.is_none()) {
            if let Some(place) = self.histories.get_mut(transition.node.0 as usize) {
                *place = None;
            }
        }
    }
}
