"""Tells the event bus what a commit brought; with nobody listening nothing is built."""

from collections.abc import Sequence
from typing import Any

from tui_monitor.model.bus import EventBus, EventName
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.feed import Event, Record, Sample, Start, is_stale
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.recorder.commit import Result
from tui_monitor.store.api import Outcome

_NEWS = (Outcome.STORED, Outcome.CORRECTED, Outcome.MERGED)
LIVE: Micros = 10 * MINUTE
"""Calls older than this are history that was loaded, not something that just happened."""
SINGLY = 8
"""Of more calls in one commit those that are alike are told in one event, with how many they are."""
_DONE = ("completed", "complete", "done", "finished", "failed")
_BEGUN = ("started", "start", "begun")


def announce(bus: EventBus, now: Micros, records: Sequence[Record], results: Sequence[Result]) -> None:
    """Publish the events of one commit."""
    news = [record for record, result in zip(records, results, strict=True) if result in _NEWS]
    changed = news or Outcome.RETRACTED in results
    if not changed:
        return
    if bus.wanted("request_completed") or bus.wanted("request_failed"):
        # A call that is corrected, or that another source tells of too, ended only once.
        stored = (r for r, result in zip(records, results, strict=True) if result is Outcome.STORED)
        _requests(bus, now, [record for record in stored if isinstance(record, Call)])
    if bus.wanted("request_started"):
        for start in (r for r in news if isinstance(r, Start)):
            known = _known(start, "provider", "model", "operation", "app")
            bus.publish("request_started", start.ts, calls=1, **known)
    if bus.wanted("metric_recorded"):
        for sample in (r for r in news if isinstance(r, Sample)):
            bus.publish(
                "metric_recorded", sample.ts, metric=sample.name, labels=sample.labels, **_measured(sample)
            )
    for event in news:
        if isinstance(event, Event) and event.kind == "progress":
            _progress(bus, event)
    if bus.wanted("data_changed"):
        bus.publish("data_changed", now, records=len(news))


def _measured(sample: Sample) -> dict[str, Any]:
    if isinstance(sample.value, NativeHistogram):
        return {"count": sample.value.count, "sum": sample.value.sum}
    return {"value": None if is_stale(sample.value) else sample.value}


def _known(record: object, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(record, name)) is not None}


def _requests(bus: EventBus, now: Micros, ended: Sequence[Call]) -> None:
    calls = [call for call in ended if call.booked >= now - LIVE]
    alike: dict[tuple[object, ...], list[Call]] = {}
    for number, call in enumerate(calls):
        key = (
            call.provider, call.model, call.operation, call.status, call.error_category, call.app,
            call.cost is None, call.latency_ms is None,
        )  # fmt: skip
        alike.setdefault(key if len(calls) > SINGLY else (number,), []).append(call)
    for found in alike.values():
        last = found[-1]
        name: EventName = "request_failed" if last.status == "error" else "request_completed"
        data = _known(last, "provider", "model", "operation", "status", "error_category", "app")
        data["calls"] = len(found)
        if last.latency_ms is not None:
            data["latency_ms"] = sum(call.latency_ms or 0.0 for call in found) / len(found)
        if last.cost is not None:
            data["cost_usd"] = sum(call.cost or 0 for call in found) / NANO
        bus.publish(name, max(call.booked for call in found), **data)


def _progress(bus: EventBus, event: Event) -> None:
    state = event.labels.get("state", "").lower()
    evaluation = event.labels.get("type", event.name).lower().startswith("eval")
    name: EventName
    if state in _DONE:
        name = "evaluation_completed" if evaluation else "benchmark_completed"
    elif state in _BEGUN:
        name = "evaluation_started" if evaluation else "benchmark_started"
    else:
        name = "benchmark_progress"
    if bus.wanted(name):
        known = {label: event.labels[label] for label in ("total", "unit", "state") if label in event.labels}
        bus.publish(name, event.ts, task=event.name, done=event.value, **known)
