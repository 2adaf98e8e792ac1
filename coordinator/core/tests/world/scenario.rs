//! One script a fault, named by what it shows.

mod leaders;
mod nodes;
mod store;
mod zones;
