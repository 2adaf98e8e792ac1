//! What holds for every policy and any pool, hostile ones included.

mod hostile;
mod missing;
mod pools;
mod stable;
