//! The detection from outside: facts in, questions and verdicts out, in worlds that the tests make.

mod devices;
mod harness;
mod node;
mod observer;
mod properties;
mod world;
mod zone;
