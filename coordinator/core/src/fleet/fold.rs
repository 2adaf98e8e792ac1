//! Folding: one method a kind of fact. Each checks first and changes afterwards.

use std::sync::Arc;

use super::change::Removed;
use super::ledger::{Ledger, Note};
use super::node::{Following, Node, State};
use super::seen::Seen;
use super::snapshot::{self, merge_sources, name_gpus, replace_engines, replace_gpus, replace_sources};
use super::{Fleet, NODES_MAX, check, happening};
use crate::event::{GoodbyeReason, Happening, Hello, Refusal, Reply, RowFact, SnapshotFact};
use crate::id::{NodeKey, Session, Term};
use crate::journal::{Kind, Place, Severity};
use crate::layout::{Layout, Owner};
use crate::time::Time;

/// Bytes kept of why a stream ended.
const ENDED_MAX: usize = 1024;

impl Fleet {
    /// A node opened a stream.
    pub(crate) fn join(&mut self, mut hello: Hello, now: Time) -> Reply {
        if let Err(refusal) = check::hello(&hello) {
            return Reply::Refused(refusal);
        }
        let known = self.names.get(&hello.node).copied();
        let sources = std::mem::take(&mut hello.sources);
        let key = match known {
            Some(key) => {
                let node = self.nodes[key.0 as usize].as_mut().expect("a name leads to a node");
                if hello.incarnation < node.hello.incarnation {
                    return Reply::Refused(older(&hello, node));
                }
                rejoin(node, hello, &mut self.ledger, now);
                key
            }
            None if self.names.len() == NODES_MAX => {
                return Reply::Refused(Refusal::Full { limit: NODES_MAX });
            }
            None => self.insert(hello, now),
        };
        self.sessions += 1;
        let node = self.nodes[key.0 as usize].as_mut().expect("it was just found or inserted");
        node.session = Some(self.sessions);
        replace_sources(node, &sources, &mut self.ledger, now);
        node.revision = self.ledger.changes.touch(key);
        Reply::Joined(Session { node: key, number: self.sessions })
    }

    /// The whole node.
    pub(crate) fn fold_snapshot(&mut self, session: Session, mut fact: SnapshotFact<'_>, now: Time) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Refused(Refusal::Ended) };
        name_gpus(node, &mut fact.gpus);
        if let Err(refusal) = check::snapshot(&fact) {
            return Reply::Refused(refusal);
        }
        fact.layout = snapshot::share(&mut self.layouts, fact.layout);
        node.heard = now;
        let gone = replace_gpus(node, std::mem::take(&mut fact.gpus), &mut self.ledger, now);
        replace_engines(node, std::mem::take(&mut fact.engines), &mut self.ledger, now);
        replace_sources(node, &fact.sources, &mut self.ledger, now);
        for gpu in gone {
            if self.gpus.get(&gpu.id) == Some(&session.node) {
                self.gpus.remove(&gpu.id);
                self.ledger.changes.remove(Removed::Gpu(gpu.id));
            }
        }
        self.gpus.extend(node.gpus.iter().map(|gpu| (gpu.id.clone(), session.node)));
        node.revision = self.ledger.changes.touch(session.node);
        node.apply_snapshot(&fact, now, node.revision);
        settle(node, &mut self.ledger, now);
        Reply::Folded
    }

    /// What changed since the message before.
    pub(crate) fn fold_row(&mut self, session: Session, row: &RowFact<'_>, now: Time) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Refused(Refusal::Ended) };
        if let Err(reply) = node.check_row(row) {
            if matches!(reply, Reply::Resync(_) | Reply::Skipped) {
                node.following = Following::Asked;
                hear(node, &mut self.ledger, now);
            }
            return reply;
        }
        if !row.sources.is_empty()
            && let Err(refusal) = check::sources(row.sources)
        {
            return Reply::Refused(refusal);
        }
        hear(node, &mut self.ledger, now);
        if node.apply_row(row, now, self.ledger.changes.revision() + 1) {
            node.revision = self.ledger.changes.touch(session.node);
        }
        if !row.sources.is_empty() && merge_sources(node, row.sources, &mut self.ledger, now - row.age) {
            node.revision = self.ledger.changes.touch(session.node);
        }
        Reply::Folded
    }

    /// The agent had to drop rows.
    pub(crate) fn fold_rows_dropped(&mut self, session: Session, rows: u64, now: Time) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Refused(Refusal::Ended) };
        hear(node, &mut self.ledger, now);
        if rows > 0 {
            node.rows_dropped = node.rows_dropped.saturating_add(rows);
            let message = format!("agent dropped {rows} rows while it was cut off");
            let note = Note::of(node, now, Kind::RowsDropped, Severity::Warning, message);
            self.ledger.tell(note.with("rows", &rows.to_string()));
            node.revision = self.ledger.changes.touch(session.node);
        }
        Reply::Folded
    }

    /// Something happened on a node.
    pub(crate) fn fold_happening(&mut self, session: Session, happening: Happening, now: Time) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Refused(Refusal::Ended) };
        if let Err(refusal) = check::happening(&happening) {
            return Reply::Refused(refusal);
        }
        hear(node, &mut self.ledger, now);
        if !node.seen.note(happening.id) {
            return Reply::Skipped;
        }
        if happening::fold(node, happening.what, &mut self.ledger, now - happening.age) {
            node.revision = self.ledger.changes.touch(session.node);
        }
        Reply::Folded
    }

    /// The agent ends its stream on purpose.
    pub(crate) fn fold_goodbye(
        &mut self,
        session: Session,
        reason: GoodbyeReason,
        detail: &str,
        now: Time,
    ) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Refused(Refusal::Ended) };
        node.heard = now;
        node.left = true;
        let separator = if detail.is_empty() { "" } else { ": " };
        end_stream(node, &format!("{}{separator}{detail}", reason.name()));
        settle(node, &mut self.ledger, now);
        node.revision = self.ledger.changes.touch(session.node);
        Reply::Folded
    }

    /// A stream ended without a goodbye.
    pub(crate) fn fold_disconnected(&mut self, session: Session, reason: &str) -> Reply {
        let Some(node) = reporting(&mut self.nodes, session) else { return Reply::Skipped };
        end_stream(node, reason);
        node.revision = self.ledger.changes.touch(session.node);
        Reply::Folded
    }

    /// Tells of a node whose state is not the one told last; returns the state if so.
    pub(crate) fn settle(&mut self, key: NodeKey, now: Time) -> Option<State> {
        let node = self.nodes.get_mut(key.0 as usize)?.as_mut()?;
        settle(node, &mut self.ledger, now).then_some(node.told)
    }

    /// Drops a node and all that is known of it.
    pub(crate) fn forget(&mut self, key: NodeKey, now: Time) {
        let Some(node) = self.nodes.get_mut(key.0 as usize).and_then(Option::take) else { return };
        let message = format!("forgotten after {} s without a message", now.since(node.heard).as_secs());
        self.ledger.tell(Note::of(&node, now, Kind::NodeForgotten, Severity::Info, message));
        *self.ledger.states.of(node.told) -= 1;
        self.names.remove(node.id());
        self.free.push(key);
        let changes = &mut self.ledger.changes;
        changes.forget(key);
        changes.remove(Removed::Node(node.id().clone()));
        for gpu in &node.gpus {
            if self.gpus.get(&gpu.id) == Some(&key) {
                self.gpus.remove(&gpu.id);
                changes.remove(Removed::Gpu(gpu.id.clone()));
            }
        }
        for engine in &node.engines {
            changes.remove(Removed::Engine(node.id().clone(), engine.id.clone()));
        }
    }

    /// Another replica leads, or none.
    pub(crate) fn tell_leader(&mut self, leader: Option<&str>, term: Term, now: Time) {
        let (severity, message) = match leader {
            Some(leader) => (Severity::Info, format!("{leader} leads under term {}", term.0)),
            None => (Severity::Warning, String::from("no replica leads")),
        };
        let attributes =
            vec![("leader", leader.unwrap_or_default().to_owned()), ("term", term.0.to_string())];
        let (kind, place) = (Kind::LeaderChanged, Place::default());
        self.ledger.tell(Note { at: now, kind, severity, place, message, attributes });
    }

    /// Writes down what was found out.
    pub(crate) fn tell(&mut self, note: Note) {
        self.ledger.tell(note);
    }

    /// Writes down what was found out about a part of a node, which is different now for whoever reads it.
    pub(crate) fn tell_of(&mut self, key: NodeKey, owner: Owner, note: Note) {
        self.ledger.tell(note);
        let Some(node) = self.nodes.get_mut(key.0 as usize).and_then(|node| node.as_deref_mut()) else {
            return;
        };
        node.revision = self.ledger.changes.touch(key);
        if let Some(revision) = node.owner_revisions.get_mut(node.layout.owner_position(owner)) {
            *revision = node.revision;
        }
    }

    fn insert(&mut self, hello: Hello, now: Time) -> NodeKey {
        let key = self.free.pop().unwrap_or_else(|| {
            self.nodes.push(None);
            NodeKey(u32::try_from(self.nodes.len() - 1).expect("at most 65,536 nodes"))
        });
        self.names.insert(hello.node.clone(), key);
        let node =
            Node::new(key, hello, snapshot::share(&mut self.layouts, Arc::new(Layout::default())), now);
        *self.ledger.states.of(node.told) += 1;
        let message = format!("node joined with agent {}", node.hello.agent_version);
        self.ledger.tell(Note::of(&node, now, Kind::NodeJoined, Severity::Info, message));
        self.nodes[key.0 as usize] = Some(Box::new(node));
        key
    }
}

/// The node that reports under this session, if it still may.
fn reporting(nodes: &mut [Option<Box<Node>>], session: Session) -> Option<&mut Node> {
    let node = nodes.get_mut(session.node.0 as usize)?.as_deref_mut()?;
    (node.session == Some(session.number)).then_some(node)
}

/// Takes over a new stream's hello and tells what is different about the node.
fn rejoin(node: &mut Node, hello: Hello, ledger: &mut Ledger, now: Time) {
    let rebooted = hello.boot_id != node.hello.boot_id;
    let restarted = hello.incarnation > node.hello.incarnation;
    node.begin(hello, now);
    if restarted {
        node.seen = Seen::default();
        node.rows_dropped = 0;
    }
    let (kind, severity, message) = match (rebooted, restarted) {
        (true, _) => (Kind::NodeRebooted, Severity::Warning, "machine started again"),
        (false, true) => (Kind::NodeRestarted, Severity::Info, "agent started again"),
        (false, false) => {
            settle(node, ledger, now);
            return;
        }
    };
    ledger.tell(Note::of(node, now, kind, severity, message.to_owned()));
    ledger.count(node, node.state(now));
}

fn older(hello: &Hello, node: &Node) -> Refusal {
    let (told, known) = (hello.incarnation.0, node.hello.incarnation.0);
    Refusal::OlderIncarnation { node: hello.node.clone(), told, known }
}

fn end_stream(node: &mut Node, why: &str) {
    node.session = None;
    node.following = Following::Nothing;
    let mut end = why.len().min(ENDED_MAX);
    while !why.is_char_boundary(end) {
        end -= 1;
    }
    node.ended = Box::from(&why[..end]);
}

/// A message came: a silent node is so no longer.
fn hear(node: &mut Node, ledger: &mut Ledger, now: Time) {
    node.heard = now;
    if node.told == State::Stale {
        settle(node, ledger, now);
    }
}

/// Tells of a node whose state is not the one told last; false when it is.
fn settle(node: &mut Node, ledger: &mut Ledger, now: Time) -> bool {
    let state = node.state(now);
    let (kind, severity) = match (node.told, state) {
        (State::Joining, State::Joining)
        | (State::Fresh, State::Fresh)
        | (State::Stale, State::Stale)
        | (State::Left, State::Left) => return false,
        // Its joining was told.
        (State::Joining, State::Fresh) | (State::Fresh, State::Joining) => {
            ledger.count(node, state);
            node.revision = ledger.changes.touch(node.key);
            return true;
        }
        (State::Stale | State::Left, State::Joining | State::Fresh) => (Kind::NodeReturned, Severity::Info),
        (State::Joining | State::Fresh | State::Left, State::Stale) => (Kind::NodeStale, Severity::Warning),
        (State::Joining | State::Fresh | State::Stale, State::Left) => (Kind::NodeLeft, Severity::Info),
    };
    let message = match state {
        State::Joining | State::Fresh => String::from("node reports again"),
        State::Stale | State::Left => node.state_reason(now),
    };
    ledger.tell(Note::of(node, now, kind, severity, message));
    ledger.count(node, state);
    node.revision = ledger.changes.touch(node.key);
    true
}
