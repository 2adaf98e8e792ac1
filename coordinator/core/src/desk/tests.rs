//! Tests of the desk, over a store and an executor that are maps.

mod dry_run;
mod orders;
mod path;
mod properties;
mod table;
