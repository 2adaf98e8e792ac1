//! The election in a replica, and etcd's side of it: what the coordinator's runner does.

use ostler_core::lead::{Input, Output};

use crate::desk::Seat;
use crate::etcd::SCAN_MS;
use crate::replica::{self, Watched};
use crate::world::{Ask, Happens, Letter, WATCH_MS, World};

/// How long the end of a term is held up at most by who acts under the token.
const RETURN_MS_MAX: u64 = 300;

/// How long a new process takes to start.
const RESTART_MS: u64 = 500;

impl World {
    /// A process begins.
    pub(crate) fn start(&mut self, replica: usize) {
        self.elect(replica);
        self.plan_step(replica, self.now_ms);
    }

    pub(crate) fn elect(&mut self, replica: usize) {
        let it = &mut self.replicas[replica];
        let now = it.boot(self.now_ms);
        let outputs = it.election.handle_timeout(now);
        self.act(replica, outputs);
    }

    pub(crate) fn tell_election(&mut self, replica: usize, input: Input) {
        let it = &mut self.replicas[replica];
        let now = it.boot(self.now_ms);
        let outputs = it.election.handle(input, now);
        self.act(replica, outputs);
    }

    fn act(&mut self, replica: usize, outputs: Vec<Output>) {
        let life = self.replicas[replica].life;
        for output in outputs {
            let it = &mut self.replicas[replica];
            match output {
                Output::Send { id, request } => self.send_etcd(replica, life, Ask::Election(id, request)),
                Output::Watch { watch, keys, after_revision } => {
                    it.watch = Some(Watched { watch, keys, after_revision });
                }
                Output::Unwatch => it.watch = None,
                Output::Lead(token) => {
                    let term = token.term();
                    it.last_term = term;
                    it.token = Some(token);
                    it.seat = Some(Seat::new(term, &replica::name(replica)));
                    self.record.lead(replica, term, self.now_ms);
                    self.hear_standing_of(replica, Some(replica::name(replica)), term);
                }
                Output::Renew(renewal) => it.token.as_mut().expect("a token").renew(renewal),
                Output::StepDown { term, .. } => {
                    let after_ms = self.dice.below(RETURN_MS_MAX);
                    self.replicas[replica].returns_ms = Some(self.now_ms + after_ms);
                    self.after(after_ms, Happens::Returns { replica, life });
                    self.hear_standing_of(replica, None, term);
                }
                Output::Left(_) => {}
                Output::Abort | Output::Ended => return self.crash_replica(replica, RESTART_MS),
            }
        }
        self.plan_election(replica);
    }

    fn plan_election(&mut self, replica: usize) {
        let it = &self.replicas[replica];
        let Some(due) = it.election.poll_timeout() else { return };
        let (due_ms, life) = (it.true_ms(due).max(self.now_ms + 1), it.life);
        self.replicas[replica].elect_ms = due_ms;
        self.after(due_ms - self.now_ms, Happens::Elects { replica, life });
    }

    pub(crate) fn give_token_back(&mut self, replica: usize) {
        self.replicas[replica].returns_ms = None;
        self.replicas[replica].seat = None;
        let token = self.replicas[replica].token.take().expect("a token is given back once");
        self.tell_election(replica, Input::Returned(token));
    }

    /// The process ends; another one starts later.
    pub(crate) fn crash_replica(&mut self, replica: usize, for_ms: u64) {
        let now_ms = self.now_ms;
        let it = &mut self.replicas[replica];
        if it.is_down(now_ms) {
            return;
        }
        it.down_until_ms = now_ms + for_ms;
        it.restart(now_ms);
        self.after(for_ms, Happens::Starts { replica });
    }

    /// The process stands still.
    pub(crate) fn pause_replica(&mut self, replica: usize, for_ms: u64) {
        let it = &mut self.replicas[replica];
        it.paused_until_ms = it.paused_until_ms.max(self.now_ms + for_ms);
        self.after(for_ms, Happens::Wakes { replica });
    }

    /// All that came while it stood still comes at once, its own overdue work among it.
    pub(crate) fn wake(&mut self, replica: usize) {
        let it = &mut self.replicas[replica];
        if !it.runs(self.now_ms) {
            return;
        }
        let mut held = std::mem::take(&mut it.held);
        if self.dice.percent(50) {
            held.sort_by_key(|it| matches!(it, Happens::Comes { .. }));
        }
        held.into_iter().for_each(|what| self.happen(what));
    }

    pub(crate) fn send_etcd(&mut self, replica: usize, life: u64, ask: Ask) {
        let from = self.replicas[replica].spot();
        let open = self.net.open(from, World::ETCD, self.now_ms);
        let way_ms = self.net.packet(&mut self.dice).filter(|_| open);
        if let Some(way_ms) = way_ms {
            // Under loss some requests take seconds.
            let slow_ms = if self.dice.percent(self.net.loss_percent) { self.dice.below(6_000) } else { 0 };
            self.after(way_ms + slow_ms, Happens::Etcd { replica, life, ask });
        }
    }

    pub(crate) fn ask_etcd(&mut self, replica: usize, life: u64, ask: Ask) {
        if self.etcd.down_until_ms > self.now_ms {
            return;
        }
        let letter = match ask {
            Ask::Election(id, request) => {
                Letter::Elected { id, answer: self.etcd.serve(&request, self.now_ms) }
            }
            Ask::Desk(term, question) => match question.carry_out(&mut self.etcd) {
                Some(answer) => Letter::Desk { term, answer },
                None => return,
            },
            Ask::Standing => {
                let config = replica::config(replica);
                let (leader, term) = self.etcd.standing(&config.candidates(), &config.epoch());
                Letter::Standing { leader, term }
            }
        };
        self.post(World::ETCD, replica, life, letter);
    }

    pub(crate) fn scan(&mut self) {
        self.after(SCAN_MS, Happens::Scans);
        if self.etcd.down_until_ms <= self.now_ms {
            self.etcd.scan(self.now_ms);
        }
    }

    /// What a watch tells, unless it stalls.
    pub(crate) fn look_at_watch(&mut self, replica: usize) {
        self.after(WATCH_MS, Happens::Watches { replica });
        let (now_ms, it) = (self.now_ms, &self.replicas[replica]);
        let stalls = it.watch_stalled_until_ms > now_ms
            || self.etcd.down_until_ms > now_ms
            || !it.runs(now_ms)
            || !self.net.open_both(World::ETCD, it.spot(), now_ms);
        let Some(Watched { watch, keys, after_revision }) = it.watch.clone().filter(|_| !stalls) else {
            return;
        };
        for key in keys {
            match self.etcd.deleted(&key, after_revision) {
                Some(true) => self.tell_election(replica, Input::Deleted { watch, key }),
                Some(false) => {}
                None => {
                    self.replicas[replica].watch = None;
                    return self.tell_election(replica, Input::WatchLost { watch });
                }
            }
        }
    }

    /// etcd is without a leader for a while, and then has another one, which prolongs all leases.
    pub(crate) fn etcd_fails(&mut self, for_ms: u64) {
        self.etcd.down_until_ms = self.now_ms + for_ms;
        self.etcd.change_leader(self.etcd.down_until_ms);
    }
}
