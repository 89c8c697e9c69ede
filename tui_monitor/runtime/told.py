"""Scores and progress as `/metrics` serves them: what was said last, by few labels.

These are dated facts: of each set of labels the newest of the last day is the value of now.
"""

from collections.abc import Sequence

from tui_monitor.health.exposed import Family, Reading
from tui_monitor.model.clock import DAY, Micros
from tui_monitor.model.feed import Event, EventKind
from tui_monitor.model.timerange import Span
from tui_monitor.query.events import labels_of_event, values_of
from tui_monitor.query.metrics import BY_NAME
from tui_monitor.store.api import Reader

KEPT: Micros = DAY
"""How long something is served after it was said."""
MOST_READ = 10_000
"""Events of a kind that are looked through, the newest."""
MOST = 1_000
"""Series of one metric; those that were said longest ago are left out."""

_SAID: tuple[tuple[EventKind, tuple[str, ...], tuple[str, ...]], ...] = (
    ("score", ("name", "model", "prompt_type", "user_category"), ("llm_evaluation_score",)),
    ("progress", ("name", "source"), ("llm_benchmark_progress", "llm_benchmark_duration_seconds")),
)
"""Kinds of events, the labels that are served, and the metrics that they make."""

FAMILIES: tuple[Family, ...] = tuple(
    Family(name, "gauge", BY_NAME[name].help) for _, _, names in _SAID for name in names
)
LABELS: dict[str, tuple[str, ...]] = {name: labels for _, labels, names in _SAID for name in names}
"""Metric → its labels."""


def told(reader: Reader, at: Micros) -> tuple[list[Reading], int]:
    """What holds at an instant, and how many series there was no room for. Raises `StoreError`."""
    readings: list[Reading] = []
    left_out = 0
    for kind, labels, names in _SAID:
        found = reader.events(kind, Span(at - KEPT, at), MOST_READ)
        for name in names if found else ():
            newest = _newest(name, labels, found)
            readings += newest[:MOST]
            left_out += max(0, len(newest) - MOST)
    return readings, left_out


def _newest(name: str, labels: Sequence[str], found: Sequence[Event]) -> list[Reading]:
    """The last word of each set of labels, the latest first."""
    last: dict[tuple[str, ...], float] = {}
    values = values_of(BY_NAME[name], found)
    for event, value in zip(reversed(found), reversed(values), strict=True):
        if value == value:
            of = labels_of_event(event)
            last.setdefault(tuple(of.get(label, "") for label in labels), value)
    return [
        Reading(name, value, {label: text for label, text in zip(labels, of, strict=True) if text})
        for of, value in last.items()
    ]
