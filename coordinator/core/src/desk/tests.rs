//! Tests of the desk, over a store and an executor that are maps.

mod bounds;
mod braked;
mod dry_run;
mod ledger;
mod orders;
mod path;
mod properties;
mod shared;
mod table;
mod undo;
