"""The collector: everything that runs behind the screen, and what keeps it running."""

from tui_monitor.runtime.collector import Collector
from tui_monitor.runtime.running import run_until_signal
from tui_monitor.runtime.supervisor import Backoff, Handle, Worker

__all__ = ["Backoff", "Collector", "Handle", "Worker", "run_until_signal"]
