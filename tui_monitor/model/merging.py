"""Which events may become one, and what that one says: the latest state wins, counts are added up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tui_monitor.model.bus import BusEvent
from tui_monitor.model.clock import Micros

_CALL = ("provider", "model", "operation", "app")
_SUBJECTS: Mapping[str, tuple[str, ...]] = {
    "request_started": _CALL,
    "request_completed": (*_CALL, "status"),
    "request_failed": (*_CALL, "status", "error_category"),
    "benchmark_started": ("task",),
    "benchmark_progress": ("task",),
    "benchmark_completed": ("task",),
    "evaluation_started": ("task",),
    "evaluation_completed": ("task",),
    "provider_status": ("provider",),
    "metric_recorded": ("metric", "labels"),
    "system_alert": ("subject",),
    "alert_update": ("id",),
    "budget_update": ("budget",),
    "source_update": ("source",),
}
"""Event → the fields that tell what it is about; one of no field is about the whole."""
_ADDED: Mapping[str, tuple[str, ...]] = {
    "request_started": ("calls",),
    "request_completed": ("calls", "cost_usd"),
    "request_failed": ("calls", "cost_usd"),
    "data_changed": ("records",),
}
"""Event → the fields that are added up; of all others the latest counts."""
_AVERAGED = "latency_ms"
"""The mean over `calls`."""
_MOST_SUBJECTS = 32
"""Of events that are added up, so many subjects are told apart; what else there is is told in one."""

Subject = tuple[object, ...]


@dataclass(slots=True)
class Item:
    """One event, or several that became one: `merged` says how many, `id` is the newest one's."""

    event: str
    ts: Micros
    data: dict[str, Any]
    merged: int = 1
    id: int = 0

    @classmethod
    def of(cls, event: BusEvent) -> "Item":
        """An event as the bus gave it."""
        return cls(event.event, event.ts, event.data)


def subject(event: str, data: Mapping[str, Any]) -> Subject:
    """What an event is about; events of the same subject may become one."""
    found = tuple(_plain(data.get(name)) for name in _SUBJECTS.get(event, ()))
    if event in _ADDED:
        # What is known of all of them can be added up; of one more it would be a sum of some.
        found += tuple(name in data for name in (*_ADDED[event], _AVERAGED, "others"))
    return (event, *found)


def merge(items: Iterable[Item]) -> list[Item]:
    """Events, the oldest first, with those of one subject made one, at the place of its newest."""
    found: dict[Subject, Item] = {}
    kinds: dict[str, int] = {}
    for item in items:
        key = subject(item.event, item.data)
        older = found.pop(key, None)
        if older is None and item.event in _ADDED:
            kinds[item.event] = kinds.get(item.event, 0) + 1
            if kinds[item.event] > _MOST_SUBJECTS:
                item = _of_others(item)
                key = subject(item.event, item.data)
                older = found.pop(key, None)
        found[key] = item if older is None else joined(older, item)
    return list(found.values())


def joined(older: Item, newer: Item) -> Item:
    """Two events of one subject as one."""
    data = dict(newer.data)
    for name in _ADDED.get(newer.event, ()):
        if name in data:
            data[name] = older.data[name] + data[name]
    if newer.event in _ADDED and _AVERAGED in data:
        calls = older.data["calls"], newer.data["calls"]
        times = older.data[_AVERAGED], newer.data[_AVERAGED]
        data[_AVERAGED] = (calls[0] * times[0] + calls[1] * times[1]) / (calls[0] + calls[1])
    if "before" in data:
        data["before"] = older.data.get("before", data["before"])
    return Item(newer.event, max(older.ts, newer.ts), data, older.merged + newer.merged, newer.id)


def _of_others(item: Item) -> Item:
    kept = (*_ADDED[item.event], _AVERAGED)
    data = {name: item.data[name] for name in kept if name in item.data} | {"others": True}
    return Item(item.event, item.ts, data, item.merged, item.id)


def _plain(value: object) -> object:
    return tuple(sorted(value.items())) if isinstance(value, dict) else value
