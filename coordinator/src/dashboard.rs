//! The dashboard page, embedded.
