//! Configuration of one replica.
