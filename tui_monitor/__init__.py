"""tui-monitor: provider health, spend, alerts and queries for LLM workloads, in a terminal."""

__version__ = "0.1.0"
