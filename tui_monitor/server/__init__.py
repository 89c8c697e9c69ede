"""The HTTP application and its doors. Nothing heavy is imported until a collector opens them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.runtime.supervisor import Worker


def serve(collector: "Collector") -> "Sequence[Worker]":
    """The doors of a collector as workers for its supervisor; hand this function to `Collector`."""
    from tui_monitor.server.doors import doors

    return doors(collector)
