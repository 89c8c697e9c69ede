"""What tests and conformance tools of others drive the program with."""

from tui_monitor.testing.promql import promql_engine, promql_engine_v2

__all__ = ["promql_engine", "promql_engine_v2"]
