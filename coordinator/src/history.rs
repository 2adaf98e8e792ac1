//! Recent history of every value, compressed, in memory.
