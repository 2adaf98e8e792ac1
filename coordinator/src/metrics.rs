//! What this replica says of itself to Prometheus.
