//! One script a fault, named by what it shows.

mod leaders;
mod messages;
mod nodes;
mod store;
mod waves;
mod zones;
