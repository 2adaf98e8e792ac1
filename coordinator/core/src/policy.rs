//! How many replicas a pool should have: several policies, each a pure function of (pool, config, memory, now).
//!
//! A policy reads one [`observation::Pool`] and answers with a [`proposal::Proposal`]: a count or none, and why. What it
//! has to remember between two looks is a value that the caller keeps and passes in, bounded and without a clock of
//! its own, so that a stored observation decides the same again. [`merge::merge`] makes one decision of several
//! proposals. [`decider::Decider`] is any of them with its memory, and [`record::Record`] what a decision used and became.
//!
//! - [`target`]: Kubernetes' HorizontalPodAutoscaler v2, decision for decision.
//! - [`mod@panic`]: Knative's KPA, with its stable and its panic window.
//! - [`weighted`]: a weighted score over several metrics.
//! - [`threshold`]: above a limit for a time.
//! - [`schedule`]: by the hour of the week.
//!
//! One rule holds for all of them and once more where they are merged: **missing data never scales in**. A value of the
//! pool that is absent stops shrinking, and a replica without a value counts for as much as its target allows. None of
//! them acts, waits or knows what a replica runs on.

pub mod decider;
pub mod limits;
pub mod merge;
pub mod observation;
pub mod panic;
pub mod proposal;
pub mod record;
pub mod schedule;
pub mod sustained;
pub mod target;
pub mod threshold;
pub mod weighted;
