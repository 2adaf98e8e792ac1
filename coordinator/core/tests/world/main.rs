//! Worlds: replicas, agents, etcd, an executor, a network and clocks in one process, driven by one queue of events from one
//! seed, with what must hold looked at after each of them.
//!
//! Real are the engine, the election and the desk with its journal of actions and its brake. The shell around them is a model: streams are
//! those of the ingest (a hello, a snapshot, rows in order, a reset when the process at the other end is another), steps come
//! as the driver takes them, the election is run as its runner does, writes are fenced as `store/fenced.rs` does, and who
//! leads is seen as its observer sees it, replicas tell one another what they reach and answer for single nodes, a leader reads
//! its own key each second, and health and reach go to the election. A leader drains nodes that nobody reaches.
//!
//! After every event: one live token at most; terms rise; no effect under a term after a higher one spoke to the executor;
//! one effect an action; no verdict NODE_UNREACHABLE or NODE_DEAD on, and no permit against, a node that was well for ten
//! seconds and is reached from its own zone and from another; a machine that is off is called so in time by every replica
//! that is undisturbed; permits are taken only by who runs, leads and sees.
//!
//! | Fault of the test plan | Here |
//! |---|---|
//! | F1 agent killed, F2 agent stands still, F3 power loss, F4 one-way loss | scripts and random worlds |
//! | F5 half-open streams | scripts: one on which nothing comes, one that a machine left behind |
//! | F6 loss and jitter | a script of four minutes; the million node-seconds are in `tests/detect` |
//! | F7 reconnect storm | a script of 300 nodes, without the cost of handling |
//! | F8 replica cut off, F9 leader killed, F10 leader stands still, F11 node and leader die together | scripts, random worlds |
//! | F12 etcd | another leader, none, compaction; not slow disks, no space or lost data |
//! | F13 unknown outcome, F14 lease expires in the queue, F15 late keepalives | scripts, random worlds |
//! | F16 watches | stalls and compaction; not events twice or out of order |
//! | F17 clocks | a step of the wall clock, boot clocks of other rates; not a suspend |
//! | F18 zone cut off, F19 zone dark | verdicts and permits; traffic is not moved yet |
//! | F20 zone flaps, F21 a second zone fails | scripts: verdicts, hold-down, freeze and permits; there are no shifts yet |
//! | F23 part of a zone lost, F24 swizzle | scripts: 5 to 100 % of a zone that rolls away; zones in turn, random nodes |
//! | F28 GPU lost | a script; the other faults of a GPU and F29 are in `tests/detect` |
//! | F32 messages twice, late, missing, replayed | scripts; two of one stream never change places, as in TCP |
//! | F36 latch for a day, F37 holds and orders given twice | golden scripts in `tests/orders.rs` |
//! | F31 disk full or torn at the agent | not here: `agent/src/state.rs` |
//! | F33 lying agents, hostile streams | not here: `coordinator/tests/ingest.rs`, `coordinator/src/ingest/http2/tests.rs` |
//! | F38 values of etcd that cannot be read | not here: `coordinator/src/desk/load.rs`: nothing is done until they can |
//! | F22 too little to spare, F25 leaders change in a drain | not yet: there is no failover and no drain |
//! | F30 files run out at the agent | not here: `tests/tests/agent_fake.rs`; not memory and processes |
//! | F34 certificates | not here: `tests/tests/tls.rs` |
//! | F35 versions side by side | not tested |

mod agent;
mod check;
mod desk;
mod dice;
mod elect;
mod etcd;
mod faults;
mod net;
mod random;
mod replica;
mod scenario;
mod script;
mod sense;
mod sink;
mod stream;
mod world;
