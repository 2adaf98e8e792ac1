//! One case: a policy and those asked beside it, shown one snapshot after the other.

use jiff::Timestamp;
use ostler_core::policy::decider::{Kind, Policy};
use ostler_core::policy::record::{Panel, Record, asked};
use ostler_core::time::Time;

use super::format::snapshot::{Expect, Snapshot};
use super::format::{Header, Wrong};

/// When `t_s` is 0 and no header says when that is: far enough from the epoch for every window and age.
const START: Time = Time::from_millis(1_700_000_000_000);

/// A panel, and where it stands.
pub(super) struct Case {
    panel: Panel,
    start: Time,
    /// The start is a moment of the wall clock.
    is_dated: bool,
    /// Time of the snapshot before; none before the first.
    last: Option<Time>,
    /// The count that was shown or decided last; none before the first.
    count: Option<u32>,
}

/// What became of a snapshot.
pub(super) enum Step {
    /// A look without a decision.
    Looked,
    /// A decision.
    Decided(Box<Outcome>),
}

/// A decision, and what is to be said of it.
pub(super) struct Outcome {
    pub(super) record: Record,
    /// Its time is a moment of the wall clock.
    pub(super) dated: bool,
    /// How it compares with what was expected; none where nothing was.
    pub(super) comparison: Option<Comparison>,
}

/// What was expected, and what came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) expected: Expect,
    pub(super) got: Expect,
}

impl Comparison {
    /// Whether all that was expected came out.
    pub(super) fn agrees(&self) -> bool {
        let Comparison { expected, got } = self;
        expected.asked.is_none_or(|it| got.asked == Some(it))
            && expected.replicas.is_none_or(|it| got.replicas == Some(it))
            && expected.opinion.is_none_or(|it| got.opinion == Some(it))
    }
}

impl Case {
    /// With the settings of a header; those of other policies than the one that decides are asked beside it.
    pub(super) fn new(header: &Header, decides: Kind) -> Result<Case, Wrong> {
        let policy = header.policy(decides)?;
        let others = header.kinds().filter(|kind| *kind != decides).map(|kind| header.policy(kind));
        let beside = others.collect::<Result<Vec<Policy>, Wrong>>()?;
        let start = header.start.map(|start| moment("start", start)).transpose()?;
        Ok(Case {
            panel: Panel::new(policy, beside, header.limits()?),
            start: start.unwrap_or(START),
            is_dated: start.is_some(),
            last: None,
            count: None,
        })
    }

    /// The policy that decides, and then those that are asked beside it.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        [self.panel.policy()].into_iter().chain(self.panel.beside()).map(Policy::kind).collect()
    }

    /// Shows a snapshot. One that is wrong is not shown and changes nothing.
    pub(super) fn step(&mut self, snapshot: &Snapshot) -> Result<Step, Wrong> {
        let now = self.time(snapshot)?;
        if self.last.is_some_and(|last| now < last) {
            return Err(Wrong::new("", "is earlier than the snapshot before; put them in order"));
        }
        let count = snapshot.replicas_wanted.or(self.count).ok_or_else(|| {
            Wrong::new("replicas_wanted", "the first snapshot must say how many replicas were asked for")
        })?;
        let pool = snapshot.pool(count, now)?;
        self.last = Some(now);
        if !snapshot.decide {
            self.panel.look(&pool, now);
            self.count = Some(count);
            return Ok(Step::Looked);
        }
        let record = self.panel.decide(&pool, now);
        self.count = Some(record.decision.replicas);
        let comparison = snapshot.expect.map(|expected| Comparison { expected, got: came_out(&record) });
        let dated = self.is_dated || snapshot.time.is_some();
        Ok(Step::Decided(Box::new(Outcome { record, dated, comparison })))
    }

    fn time(&self, snapshot: &Snapshot) -> Result<Time, Wrong> {
        match (snapshot.t_s, snapshot.time) {
            (Some(_), None) if self.is_weekly() && !self.is_dated => {
                let problem = "a schedule goes by the wall clock: write time, or start in the header";
                Err(Wrong::new("t_s", problem))
            }
            (Some(since), None) => Ok(self.start + since.0),
            (None, Some(time)) => moment("time", time),
            (None, None) => Err(Wrong::new("", "must have t_s, in seconds, or time")),
            (Some(_), Some(_)) => Err(Wrong::new("time", "t_s is there too; leave one off")),
        }
    }

    /// Whether it matters which day it is.
    fn is_weekly(&self) -> bool {
        self.kinds().contains(&Kind::Schedule)
    }
}

/// The count where nothing was asked for, as recorded decisions of Kubernetes have it.
fn came_out(record: &Record) -> Expect {
    let proposal = &record.opinion.proposal;
    let asked = asked(proposal).map_or(i64::from(record.replicas_wanted), i64::from);
    Expect {
        asked: Some(asked),
        replicas: Some(record.decision.replicas),
        opinion: Some(proposal.replicas.is_some()),
    }
}

fn moment(key: &str, moment: Timestamp) -> Result<Time, Wrong> {
    let millis = u64::try_from(moment.as_millisecond());
    millis.map(Time::from_millis).map_err(|_| Wrong::new(key, "must be after 1970"))
}
