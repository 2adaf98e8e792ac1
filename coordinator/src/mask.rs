//! Field masks: which fields of a message to fill.
