//! Between the wire and the core: the only place that names both.
