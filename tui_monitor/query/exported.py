"""What a collector writes to a Prometheus-compatible server, and what is asked of that server later.

Who writes and who asks both read this page: the names, the forms, the labels, and what marks the series.
Counters of calls run from the first stored call, and a series that appears begins with 0 one `INTERVAL`
before its first value: else a server does not see its first calls.
"""

from dataclasses import dataclass

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.query.metrics import Kind
from tui_monitor.query.promql.derived import IN_SECONDS, LISTED, TABLE, Derived, Form

JOB = "tui-monitor"
"""The label `job` of all that a collector writes: there it stands for having none here."""
INSTANCE_LABEL = "instance"
"""The label that tells which collector it was."""
INTERVAL: Micros = 15 * SECOND
"""Between two samples that are written of one series."""

_MS = 1_000.0
"""In a second."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One metric of calls as a remote server knows it; `derived` tells how its series are read here."""

    derived: Derived
    labels: tuple[str, ...]
    """Besides `job` and `instance`; a label that a call lacks is left out."""

    @property
    def name(self) -> str:
        """As on the server."""
        return self.derived.name

    @property
    def form(self) -> Form:
        """A counter, a native histogram, or a part of a classic one."""
        return self.derived.form

    @property
    def unit(self) -> str:
        """Of its values: `s`, `usd`, `tokens`, `requests`; empty for counts of calls that know something."""
        return "" if self.form in (Form.COUNT, Form.BUCKET) else self.derived.metric.unit

    @property
    def help(self) -> str:
        """What it is, in one line."""
        text = self.derived.metric.help
        return f"calls of which is known: {text}" if self.form is Form.COUNT else text


def _labels(found: Derived) -> tuple[str, ...]:
    if found.metric.name == "errors":
        return tuple(
            "error_type" if name == "error_category" else name for name in DIMENSIONS if name != "status"
        )
    return (*DIMENSIONS, "le") if found.form is Form.BUCKET else DIMENSIONS


def _counts() -> list[Derived]:
    """In how many calls an amount is known: without it a server could not tell nothing from unknown."""
    return [TABLE[f"{found.name}{Form.COUNT}"] for found in LISTED if found.metric.kind is Kind.AMOUNT]


EXPORTED: dict[str, Exported] = {
    found.name: Exported(found, _labels(found))
    for found in (*LISTED, *_counts())
    if found.metric.source == "calls"
}
"""All by name: what calls say of themselves. Events, and calls that are under way, stay here."""


def exported(name: str) -> tuple[Exported, float] | None:
    """The exported metric behind a name of ours, and the factor that brings its values into our unit."""
    found = TABLE.get(name)
    if found is None or found.metric.source != "calls":
        return None
    suffix = found.form.value if found.form in (Form.BUCKET, Form.SUM, Form.COUNT) else ""
    in_seconds = IN_SECONDS.get(found.metric.name)
    if in_seconds is not None:
        factor = 1.0 if found.form is Form.COUNT else _MS
        return EXPORTED[f"{in_seconds}{suffix}"], factor
    return EXPORTED[f"{found.metric.long or found.metric.name}{suffix}"], 1.0
