//! Runs the engine: the only caller of it, and the only reader of the clock that reaches it.
