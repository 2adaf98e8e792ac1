//! The election against a model of etcd: step by step, and three replicas under random faults.

mod model;
mod pair;
mod random;
mod serve;
mod sim_etcd;
mod steps;
mod trouble;
mod world;
