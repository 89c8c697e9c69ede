"""What is known here, sent on to Prometheus-compatible servers: samples, a queue on disk, and the sending."""
