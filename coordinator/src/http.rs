//! HTTP: the JSON mirror of the API, metrics, health and the dashboard.
