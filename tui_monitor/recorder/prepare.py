"""Clean, normalise, check and price: what every record goes through before it is stored."""

import dataclasses
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Protocol, get_args

from tui_monitor.config.settings import Collector
from tui_monitor.model.call import MAX_MONEY, Call
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.feed import Event, Record, Retract, Sample, SampleType, Start
from tui_monitor.model.providers import canonical
from tui_monitor.model.text import clean, clean_or_none
from tui_monitor.recorder.attributes import MAX_ATTRIBUTES, prepare_attributes
from tui_monitor.recorder.checks import (
    ENUMERATIONS,
    MAX_COUNT,
    MAX_LATENCY_MS,
    Invalid,
    Rejection,
    complete,
    count,
    enumerated,
    finite,
    instant,
    key,
    length_ms,
    sample_value,
    shown,
)
from tui_monitor.recorder.veil import Veil

__all__ = ["OTHER", "Preparer", "Pricer", "Rejection"]

OTHER = "(other)"
"""Stands for the values of a label beyond the most that are kept apart."""
_ENOUGH = 20_000
"""Sets of labels that a cache may hold before it starts anew."""
MAX_LABELS = 32
"""Labels of one sample or event."""

_CAPPED = (
    "provider", "model_served", "model_requested", "user", "project", "team", "key", "agent", "host", "app",
    "environment", "region", "api_base", "error_code", "finish_reason", "service_tier",
)  # fmt: skip
_FREE = ("session", "trace_id", "span_id", "parent_span_id", "batch_id")
_ENUMERATED = ("operation", "status", "error_category", "cost_status")
_DEFAULTS = {"operation": "chat", "status": "unknown", "error_category": None, "cost_status": "unpriced"}
_COUNTS = {
    "in_uncached": "input_tokens", "cache_read": "cache_read_tokens",
    "cache_write_5m": "cache_write_tokens", "cache_write_1h": "cache_write_1h_tokens",
    "out_total": "output_tokens", "reasoning": "reasoning_tokens",
}  # fmt: skip
"""Our fields, and what the sender calls them."""
_SMALL = {"http_status": 999, "attempts": 1_000_000, "cost_reported": MAX_MONEY}
_LENGTHS = ("latency_ms", "ttft_ms", "queue_wait_ms")
_FLAGS = ("stream", "batch")
_get_capped = attrgetter(*_CAPPED)
_get_repeated = attrgetter("source", *_CAPPED, *_ENUMERATED)
_get_free = attrgetter(*_FREE)
_get_enumerated = attrgetter(*_ENUMERATED)
_get_counts = attrgetter(*_COUNTS)
_get_lengths = attrgetter(*_LENGTHS)
_get_rare = attrgetter(*_SMALL, *_FLAGS)
# Most calls know none of these, and one comparison of tuples tells.
_NO_FREE = (None,) * len(_FREE)
_NO_RARE = (None,) * (len(_SMALL) + len(_FLAGS))

_EVENT_NAMES = {"cache": ("hit", "miss"), "rate_limit": ("allowed", "denied")}
_NOT_NAME = re.compile(r"[^a-zA-Z0-9_:]")
_SAMPLE_TYPES: tuple[SampleType, ...] = get_args(SampleType)


class Pricer(Protocol):
    """Sets the money fields of a call."""

    def price(self, call: Call) -> None:
        """Price one call in place."""
        ...


class LabelValues(Protocol):
    """Where values of labels that are stored already come from."""

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        """Known values of a label."""
        ...


class Preparer:
    """Makes records fit to be stored. Calls are changed in place. One thread at a time."""

    def __init__(self, settings: Collector, prices: Pricer, clock: Clock, veil: Veil | None = None) -> None:
        self.prices = prices
        self._veil = veil
        self.overflow: Counter[str] = Counter()
        """How often a value of each label was counted as `(other)`."""
        self._settings = settings
        self._clock = clock
        self._known: dict[str, set[str]] = {name: set() for name in _CAPPED}
        self._attributes: set[str] = set()
        self._sources: set[str] = set()
        self._passed: set[tuple[str | None, ...]] = set()
        """What calls have in common with many others, where nothing had to be changed in it."""

    def seed(self, reader: LabelValues) -> None:
        """Learn the values that are stored already, so that a restart keeps them apart as before."""
        limit = self._settings.max_label_values
        for name, known in self._known.items():
            label = "model" if name == "model_served" else name
            known.update(value for value in reader.label_values(label, limit) if value != OTHER)

    def has_room(self, calls: Iterable[Call], more: int) -> bool:
        """Whether no label gets full by these calls and `more` others, so that their order decides nothing.

        One that is full already takes no new value from anybody.
        """
        most = self._settings.max_label_values
        fresh: defaultdict[str, set[Any]] = defaultdict(set)
        attributes: set[str] = set()
        for call in calls:
            for name, value in zip(_CAPPED, _get_capped(call), strict=True):
                if value is not None:
                    fresh[name].add(value)
            attributes.update(call.attrs)
        # One that is an object becomes several.
        named = len(self._attributes) + MAX_ATTRIBUTES * len(attributes) + more
        room = len(self._attributes) >= most or named <= most
        return room and all(
            len(known) >= most or len(known | fresh[name]) + more <= most
            for name, known in self._known.items()
        )

    def prepare(self, record: Record) -> Record | Rejection:
        """The record as it is stored, or why it is not."""
        return self._prepare(record, self.latest())

    def prepare_all(self, records: Iterable[Record]) -> list[Record | Rejection]:
        """`prepare` of each of many that came together, in order."""
        latest = self.latest()
        return [self._prepare(record, latest) for record in records]

    def _prepare(self, record: Record, latest: Micros) -> Record | Rejection:
        try:
            if isinstance(record, Call):
                return self._call(record, latest)
            if isinstance(record, Sample):
                return self._sample(record)
            if isinstance(record, Event):
                return self._event(record)
            if isinstance(record, Start):
                return self._start(record)
            return Retract(key("source", record.source), key("source_key", record.source_key))
        except Invalid as error:
            return Rejection(str(error))
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            # A field of a type nobody foresaw spoils its own record, not the batch.
            return Rejection(f"malformed: {clean(str(error))}")

    def latest(self) -> Micros:
        """The last instant that is no error, µs."""
        return self._clock.now() + self._settings.max_future

    def _call(self, call: Call, latest: Micros) -> Call:
        call.source_key = key("source_key", call.source_key)
        if call.call_keys:
            call.call_keys = tuple(dict.fromkeys(key("call_key", k) for k in call.call_keys if k))
        _times(call, latest)
        self._labels_of(call)
        free = _get_free(call)
        if free != _NO_FREE:
            for name, value in zip(_FREE, free, strict=True):
                if value is not None:
                    setattr(call, name, _text(name, value))
        _numbers(call)
        if call.media:
            call.media = {clean(str(u), 64): count(f"media.{u}", n) for u, n in call.media.items()}
        if call.attrs:
            call.attrs = self._bounded(self._allowed(prepare_attributes(call.attrs)))
        complete(call)
        self.prices.price(call)
        return call

    def _labels_of(self, call: Call) -> None:
        """Source, bounded labels and enumerations: as most calls share theirs, looked up as a whole first."""
        repeated = _get_repeated(call)
        try:
            # What is no text is equal to none, and what cannot be looked up is no text.
            if repeated in self._passed:
                return
        except TypeError:
            pass
        if call.source not in self._sources:
            call.source = self._source(call.source)
        self._capped(call)
        for name, value in zip(_ENUMERATED, _get_enumerated(call), strict=True):
            if value is not None and value not in ENUMERATIONS[name][0]:
                setattr(call, name, _enumeration(name, value))
        # Where something is hidden every call is looked at: its free fields and keys may need it, too.
        if self._veil is None and _get_repeated(call) == repeated:
            if len(self._passed) >= _ENOUGH:
                self._passed.clear()
            self._passed.add(repeated)

    def _allowed(self, labels: dict[str, Any]) -> dict[str, Any]:
        """Only what may be known."""
        return labels if self._veil is None else self._veil.covered(labels)

    def _capped(self, call: Call) -> None:
        """The labels whose values are bounded in number; what may not be known is hidden before."""
        if self._veil is not None:
            self._veil.cover(call)
        for name, value, known in zip(_CAPPED, _get_capped(call), self._known.values(), strict=True):
            # Only cleaned values are known, so a known one needs no cleaning.
            if value is not None and (type(value) is not str or value not in known):
                setattr(call, name, self._label(name, value))

    def _source(self, source: str) -> str:
        checked = key("source", source)
        if len(self._sources) < self._settings.max_label_values:
            self._sources.add(checked)
        return checked

    def _label(self, name: str, value: Any) -> str | None:
        text = _text(name, value)
        if text is not None and name == "provider":
            text = canonical(text)
        if text is None:
            return None
        known = self._known[name]
        if text in known:
            return text
        if len(known) >= self._settings.max_label_values:
            self.overflow[name] += 1
            return OTHER
        known.add(text)
        return text

    def _bounded(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Without attributes whose names are too many over all calls."""
        if self._attributes.issuperset(attrs):
            return attrs
        for name in attrs:
            if name not in self._attributes and len(self._attributes) < self._settings.max_label_values:
                self._attributes.add(name)
        dropped = attrs.keys() - self._attributes
        if dropped:
            self.overflow["attributes"] += len(dropped)
            return {name: value for name, value in attrs.items() if name not in dropped}
        return attrs

    def _sample(self, sample: Sample) -> Sample:
        if sample.type not in _SAMPLE_TYPES:
            raise Invalid(f"type {shown(sample.type)} is none of {', '.join(_SAMPLE_TYPES)}")
        name = metric_name(sample.name)
        value = sample_value(name, sample)
        labels = self._allowed(_labels(sample.labels))
        labels = {_label_name(label): text for label, text in labels.items()}
        batch = None if sample.batch_id is None else _text("batch_id", sample.batch_id)
        return Sample(name, instant("ts", sample.ts, self.latest()), value, labels, sample.type, batch)

    def _event(self, event: Event) -> Event:
        name = clean(event.name) if isinstance(event.name, str) else ""
        allowed = _EVENT_NAMES.get(event.kind)
        if allowed is not None:
            name = name.lower()
            if name not in allowed:
                raise Invalid(
                    f"result {shown(event.name)} of {event.kind} is neither {' nor '.join(allowed)}"
                )
        if not name:
            raise Invalid(f"{'text' if event.kind == 'mark' else 'name'} of {event.kind} is missing")
        labels = self._allowed(_labels(event.labels))
        if "provider" in labels:
            labels["provider"] = canonical(labels["provider"])
        return dataclasses.replace(
            event,
            ts=instant("ts", event.ts, self.latest()),
            source=key("source", event.source),
            source_key=key("source_key", event.source_key),
            name=name,
            value=None if event.value is None else finite("value", event.value),
            labels=labels,
            batch_id=None if event.batch_id is None else _text("batch_id", event.batch_id),
        )

    def _start(self, start: Start) -> Start:
        return Start(
            key("source", start.source),
            key("source_key", start.source_key),
            instant("ts", start.ts, self.latest()),
            None if start.provider is None else self._label("provider", start.provider),
            None if start.model is None else self._label("model_served", start.model),
            enumerated("operation", start.operation),
            None if start.app is None else self._label("app", start.app),
        )


def metric_name(name: Any) -> str:
    """A metric's name by Prometheus's rules; other characters become `_`."""
    text = clean(name, 200) if isinstance(name, str) else ""
    if not text:
        raise Invalid("name of sample is missing")
    text = _NOT_NAME.sub("_", text)
    return f"_{text}" if text[0].isdigit() else text


def _label_name(name: str) -> str:
    text = _NOT_NAME.sub("_", name).replace(":", "_")
    return f"_{text}" if text[0].isdigit() else text


def _labels(labels: dict[str, str]) -> dict[str, str]:
    if len(labels) > MAX_LABELS:
        raise Invalid(f"{len(labels)} labels are more than {MAX_LABELS}")
    kept: dict[str, str] = {}
    for name, value in labels.items():
        text, cleaned = clean(str(value)), clean(str(name), 64)
        if text and cleaned and cleaned != "__name__":
            kept[cleaned] = text
    return kept


def _text(name: str, value: Any) -> str | None:
    if not isinstance(value, str):
        raise Invalid(f"{name} {shown(value)} is not a text")
    return clean_or_none(value)


def _enumeration(name: str, value: Any) -> str | None:
    return _DEFAULTS[name] if value == "" else enumerated(name, value)


def _times(call: Call, latest: Micros) -> None:
    start, end = call.ts_start, call.ts_end
    if start is None and end is None:
        raise Invalid("ts_end is missing")
    if start is not None:
        instant("ts_start", start, latest)
    if end is not None:
        instant("ts_end", end, latest)
        if start is not None:
            if end < start:
                raise Invalid(f"ts_end is {(start - end) / 1e6:g} s before ts_start")
            if call.latency_ms is None and end > start:
                call.latency_ms = (end - start) / 1000


def _numbers(call: Call) -> None:
    # A look at each is enough for most calls; only where one is not plain they are gone through by name.
    for value in _get_counts(call):
        if value is not None and (type(value) is not int or not 0 <= value <= MAX_COUNT):
            _set_counts(call)
            break
    if call.reasoning and call.out_total is not None and call.reasoning > call.out_total:
        raise Invalid(f"reasoning_tokens {call.reasoning} is more than output_tokens {call.out_total}")
    for value in _get_lengths(call):
        if value is not None and (type(value) is not float or not 0 <= value <= MAX_LATENCY_MS):
            _set_lengths(call)
            break
    if _get_rare(call) != _NO_RARE:
        _rarer_numbers(call)


def _set_counts(call: Call) -> None:
    for name, value in zip(_COUNTS, _get_counts(call), strict=True):
        if value is not None:
            setattr(call, name, count(_COUNTS[name], value))


def _set_lengths(call: Call) -> None:
    for name, value in zip(_LENGTHS, _get_lengths(call), strict=True):
        if value is not None:
            setattr(call, name, length_ms(name, value))


def _rarer_numbers(call: Call) -> None:
    for name, highest in _SMALL.items():
        value = getattr(call, name)
        if value is not None:
            setattr(call, name, count(name, value, highest))
    for name in _FLAGS:
        value = getattr(call, name)
        if value is not None and not isinstance(value, bool):
            raise Invalid(f"{name} {shown(value)} is neither true nor false")
