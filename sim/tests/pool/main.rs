//! Whole runs: what must hold in every one, queueing theory, faults, scaling, and the cliff of slow starts.

mod cliff;
mod faults;
mod invariants;
mod load;
mod queueing;
mod recorded;
mod scaling;
