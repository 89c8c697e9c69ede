"""A remote Prometheus-compatible server behind the façade of the query engine."""
