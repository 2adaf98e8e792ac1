//! Replicas that talk to the model of etcd without delay, and a script that decides which answers are lost.

use std::time::Duration;

use super::super::{
    Answer, Boot, Config, Election, Input, LeaderToken, Output, Reason, Request, RequestId, Role,
};
use super::serve::serve;
use super::sim_etcd::{SCAN_MS, SimEtcd};

pub(super) const TTL: Duration = Duration::from_secs(5);

pub(super) fn config(replica: &str) -> Config {
    Config::try_new(replica, "ostler/", TTL).unwrap()
}

pub(super) const fn at(millis: u64) -> Boot {
    Boot::from_millis(millis)
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Served,
    /// It happens and nobody is told.
    AnswerLost,
    /// It does not happen and nobody is told.
    Lost,
}

/// One replica and what its shell does for it.
pub(super) struct Replica {
    pub(super) election: Election,
    pub(super) token: Option<LeaderToken>,
    /// Requests sent, in order.
    pub(super) asked: Vec<Request>,
    /// Why it stepped down or left, in order.
    pub(super) reasons: Vec<Reason>,
    /// Other outputs, in order.
    pub(super) said: Vec<Output>,
    /// Keys it watches and after which revision.
    watch: Option<(super::super::WatchId, Vec<Box<str>>, u64)>,
    /// Decides by request.
    pub(super) fate: fn(&Request) -> Fate,
    /// Its watches tell nothing.
    pub(super) stalled: bool,
    /// It keeps a token that it should give back.
    pub(super) clings: bool,
}

impl Replica {
    pub(super) fn new(name: &str) -> Replica {
        Replica {
            election: Election::new(config(name), at(0)),
            token: None,
            asked: Vec::new(),
            reasons: Vec::new(),
            said: Vec::new(),
            watch: None,
            fate: |_| Fate::Served,
            stalled: false,
            clings: false,
        }
    }

    pub(super) fn role(&self) -> Role {
        self.election.role()
    }
}

/// Replicas and their etcd, at one time.
pub(super) struct Yard {
    pub(super) etcd: SimEtcd,
    pub(super) now_ms: u64,
    pub(super) replicas: Vec<Replica>,
}

impl Yard {
    pub(super) fn new(count: usize) -> Yard {
        let replicas = (0..count).map(|it| Replica::new(&format!("replica-{it}"))).collect();
        Yard { etcd: SimEtcd::new(), now_ms: 0, replicas }
    }

    /// Lets time pass in steps of 10 ms, all replicas running.
    pub(super) fn run_until(&mut self, end_ms: u64) {
        while self.now_ms < end_ms {
            self.now_ms += 10;
            if self.now_ms.is_multiple_of(SCAN_MS) {
                self.etcd.expire(self.now_ms);
            }
            for replica in 0..self.replicas.len() {
                self.tell_deletions(replica);
                self.wake(replica);
            }
        }
    }

    /// Lets time pass for etcd alone.
    pub(super) fn sleep_until(&mut self, end_ms: u64) {
        self.now_ms = end_ms;
        self.etcd.expire(end_ms);
    }

    pub(super) fn wake(&mut self, replica: usize) {
        let now = at(self.now_ms);
        let election = &mut self.replicas[replica].election;
        if election.poll_timeout().is_some_and(|due| due <= now) {
            let outputs = election.handle_timeout(now);
            assert!(election.poll_timeout().is_none_or(|due| due > now), "nothing is left to do at once");
            self.act(replica, outputs);
        }
    }

    pub(super) fn tell(&mut self, replica: usize, input: Input) {
        let outputs = self.replicas[replica].election.handle(input, at(self.now_ms));
        self.act(replica, outputs);
    }

    pub(super) fn lose_watch(&mut self, replica: usize) {
        let (watch, ..) = self.replicas[replica].watch.take().expect("a watch");
        self.tell(replica, Input::WatchLost { watch });
    }

    fn act(&mut self, replica: usize, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { id, request } => self.send(replica, id, request),
                Output::Watch { watch, keys, after_revision } => {
                    self.replicas[replica].watch = Some((watch, keys, after_revision));
                }
                Output::Unwatch => self.replicas[replica].watch = None,
                Output::Lead(token) => self.replicas[replica].token = Some(token),
                Output::Renew(renewal) => {
                    self.replicas[replica].token.as_mut().expect("a token").renew(renewal);
                }
                Output::StepDown { reason, .. } => self.step_down(replica, reason),
                Output::Left(reason) => self.replicas[replica].reasons.push(reason),
                Output::Abort | Output::Ended => self.replicas[replica].said.push(output),
            }
        }
    }

    fn step_down(&mut self, replica: usize, reason: Reason) {
        let it = &mut self.replicas[replica];
        it.reasons.push(reason);
        if !it.clings {
            let token = it.token.take().expect("a token");
            self.tell(replica, Input::Returned(token));
        }
    }

    fn send(&mut self, replica: usize, id: RequestId, request: Request) {
        let fate = (self.replicas[replica].fate)(&request);
        let answer = match fate {
            Fate::Served | Fate::AnswerLost => serve(&mut self.etcd, &request, self.now_ms),
            Fate::Lost => Answer::Unknown,
        };
        self.replicas[replica].asked.push(request);
        if fate == Fate::Served {
            self.tell(replica, Input::Answered { id, answer });
        }
    }

    fn tell_deletions(&mut self, replica: usize) {
        let Some((watch, keys, after)) = self.replicas[replica].watch.clone() else { return };
        if self.replicas[replica].stalled {
            return;
        }
        for key in keys {
            match self.etcd.deletions(&key, after) {
                Ok(true) => self.tell(replica, Input::Deleted { watch, key }),
                Ok(false) => {}
                Err(_) => {
                    self.replicas[replica].watch = None;
                    return self.tell(replica, Input::WatchLost { watch });
                }
            }
        }
    }
}
