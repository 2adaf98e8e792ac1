//! The engine from outside: facts in, answers and reports out, under a clock that the test turns.

mod fold;
mod harness;
mod properties;
mod session;
mod signals;
mod step;
mod verdicts;
mod watch;
