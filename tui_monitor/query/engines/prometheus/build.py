"""Which server it is, and what it keeps: found out at the first question, and again after a while."""

import re
import threading
from dataclasses import dataclass

from tui_monitor.model.clock import SECOND, Clock
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.query.engines.prometheus.client import Server
from tui_monitor.query.engines.prometheus.trouble import Refused
from tui_monitor.query.exported import EXPORTED, INSTANCE_LABEL, JOB
from tui_monitor.query.promql.derived import Form

_AGAIN = 300.0
"""Seconds after which it is looked at anew: servers are updated, and begin to keep histograms."""
_HISTOGRAMS = "|".join(name for name, one in EXPORTED.items() if one.form is Form.NATIVE)
_COUNTS = "|".join(f"{name}{Form.COUNT}" for name, one in EXPORTED.items() if one.form is Form.NATIVE)


@dataclass(frozen=True, slots=True)
class Build:
    """A server as far as it matters for answers."""

    name: str = "remote"
    """`prometheus 2.42.0`, `victoria-metrics`, or what it calls itself."""
    native: bool = False
    """Whether it keeps native histograms of our metrics, of all collectors."""


def _collectors(names: str) -> str:
    """How many collectors send some of the metrics."""
    return f'count(count by ({INSTANCE_LABEL}) ({{__name__=~"{names}",job="{JOB}"}}))'


class Builds:
    """What is known of one server. Any thread may ask."""

    def __init__(self, server: Server, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Build] | None = None

    def now(self, cancel: threading.Event | None = None) -> Build:
        """The build. Raises `RemoteError` where the server gives no answer."""
        with self._lock:
            known = self._known
            if known is None or self._clock.monotonic() - known[0] > _AGAIN:
                known = self._known = (self._clock.monotonic(), self._look(cancel))
            return known[1]

    def _look(self, cancel: threading.Event | None) -> Build:
        # Where only some of the collectors send them, answers from them would leave the others out.
        question = f"{_collectors(_HISTOGRAMS)} >= {_collectors(_COUNTS)}"
        try:
            now = f"{self._clock.now() / SECOND:.3f}"
            found = self._server.ask("query", [("query", question), ("time", now)], cancel)
            native = bool(found["data"]["result"])
        except (Refused, KeyError, TypeError):
            native = False
        return Build(self._name(cancel), native)

    def _name(self, cancel: threading.Event | None) -> str:
        try:
            found = self._server.ask("status/buildinfo", [], cancel)
        except (Refused, MonitorError):
            # Some have no such page; what they answer queries with is all that matters.
            return "remote"
        data = found.get("data")
        data = data if isinstance(data, dict) else {}
        version = re.match(r"[0-9.]+", str(data.get("version", "")))
        if version is None:
            return "victoria-metrics" if found["server"] else "remote"
        name = clean(str(data.get("application", "prometheus")), 40).lower()
        return f"{name} {version[0].rstrip('.')}"
