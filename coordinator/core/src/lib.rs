//! The pure middle of Ostler: a function of (facts, policy, now), with no clock, no IO, no randomness and no async.
//!
//! ```text
//! Event -> fleet -> signals, verdicts -> policy -> brake -> Action
//! ```
//!
//! The shell feeds an [`engine::Engine`] with [`event::Event`]s and asks it to [`engine::Engine::step`]; the same code
//! runs in the service, in replay and in tests. Modules in reading order, arrows pointing one way only:
//! `time < id < class < metric < layout < inventory < event < window < journal < fleet < signals < detect < policy < lead <
//! action < brake < desk < engine`.
//!
//! Nothing here fails: a fact that cannot be folded is answered with a [`event::Reply`] that says what to do.

pub mod action;
pub mod brake;
pub mod class;
pub mod desk;
pub mod detect;
pub mod engine;
pub mod event;
pub mod fleet;
pub mod id;
pub mod inventory;
pub mod journal;
pub mod layout;
pub mod lead;
pub mod metric;
pub mod policy;
pub mod signals;
pub mod time;
pub mod window;
