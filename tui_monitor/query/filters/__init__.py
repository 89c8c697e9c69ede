"""Filters: what single calls must be, `provider=claude AND latency>1000`."""
