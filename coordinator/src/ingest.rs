//! Report streams: from agents into the engine.
