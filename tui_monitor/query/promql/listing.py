"""Which series, labels and values there are: of the calls and events, and of what is stored as samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import EventKind
from tui_monitor.model.timerange import Span
from tui_monitor.query.context import Context
from tui_monitor.query.known import KNOWN, unit_of_name
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES, Kind, Metric
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.calls import GRID, DerivedCalls
from tui_monitor.query.promql.derived import LISTED, TABLE, Derived, Form, bounds_of
from tui_monitor.query.promql.durations import GREATEST
from tui_monitor.query.promql.histograms import bounds_shown
from tui_monitor.query.promql.labels import Labels, labels, value, without
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.promql.matchers import Matching, test
from tui_monitor.query.promql.storage import Hints
from tui_monitor.query.promql.stored import StoredSamples

_LE = "le"
_EVER = (-GREATEST, GREATEST)
_MOST_VALUES = 1_000_000
_TYPES = {"native_histogram": "histogram"}


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a metric: Prometheus's name of its type, what it means, its unit."""

    type: str
    help: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Asks one store. Methods raise `StoreError` and the errors of `limits`."""

    context: Context
    calls: DerivedCalls
    stored: StoredSamples
    budget: Budget

    def series(self, selectors: Sequence[Sequence[Matcher]], start: Micros, end: Micros) -> list[Labels]:
        """The series that one of the selectors takes and that have a sample in [start, end], sorted."""
        found: set[Labels] = set()
        for matchers in selectors:
            found.update(self._derived(matchers, start, end))
            found.update(self._sampled(matchers, start, end))
            self.budget.spend(len(found), len(found))
        return sorted(found)

    def names(self, start: Micros = -GREATEST, end: Micros = GREATEST) -> list[str]:
        """Names of labels that series with a sample in [start, end] have, sorted."""
        alive, calls = self._alive(start, end), self._calls_before(end)
        reader = self.context.reader
        found = set(reader.sample_labels()) if alive is None else {name for of in alive for name, _ in of}
        if calls is None:
            found.update(label for label in DIMENSIONS if self._values(label, 1))
        else:
            found.update(name for of in calls for name, _ in of)
        if calls is None or calls:
            found.update(name for name, label in LABEL_ALIASES.items() if label in found)
            found.add(_LE)
        if self._metrics(alive, calls):
            found.add(NAME)
        return sorted(found)

    def values(self, label: str, start: Micros = -GREATEST, end: Micros = GREATEST) -> list[str]:
        """Values of one label of series with a sample in [start, end], sorted."""
        alive, calls = self._alive(start, end), self._calls_before(end)
        if label == NAME:
            return self._metrics(alive, calls)
        if alive is None:
            found = set(self.context.reader.sample_label_values(label))
        else:
            found = {value(of, label) for of in alive}
        known = LABEL_ALIASES.get(label, label)
        if calls is not None:
            found.update(value(of, known) for of in calls)
        elif known in DIMENSIONS:
            found.update(self._values(known, _MOST_VALUES))
        if label == _LE and (calls is None or calls):
            found.update(bound for one in LISTED if one.form is Form.BUCKET for bound in _bounds(one.metric))
        return sorted(found - {""})

    def _metrics(self, alive: list[Labels] | None, calls: list[Labels] | None) -> list[str]:
        """Names of series, sorted."""
        found = {one.name for one in LISTED if self._is_there(one.metric)} if calls != [] else set[str]()
        names = self.context.reader.sample_names() if alive is None else (value(of, NAME) for of in alive)
        return sorted(found.union(names))

    def _alive(self, start: Micros, end: Micros) -> list[Labels] | None:
        """What is stored as samples in [start, end]; `None` for all there is."""
        return None if (start, end) == _EVER else self._sampled((), start, end)

    def _calls_before(self, end: Micros) -> list[Labels] | None:
        """The label sets of calls up to a time, whose counters go on for ever; `None` for all there are."""
        extent = self.context.reader.extent()
        if extent.first is None or end < extent.first:
            return []
        if extent.last is None or end >= extent.last:
            return None
        return list(self._of_metric(BY_NAME["requests"], (), end, end))

    def about(self, name: str | None = None) -> dict[str, About]:
        """What is known of the metrics, or of one; of classic histograms under the name without suffix."""
        found: dict[str, About] = {}
        for each in self.context.reader.sample_names() if name is None else [name]:
            self.budget.check()
            kind = self.context.reader.sample_type(each)
            if kind not in (None, "histogram"):
                known = KNOWN.get(each)
                help_text, unit = (known.help, known.unit) if known else ("", unit_of_name(each))
                found[each] = About(_TYPES.get(kind, kind), help_text, unit)
        for derived in LISTED:
            if name in (None, derived.name) and self._is_there(derived.metric):
                about = about_of(derived)
                if about is not None:
                    found[derived.name] = about
        return found

    @property
    def _has_calls(self) -> bool:
        return self.context.reader.extent().calls > 0

    def _is_there(self, metric: Metric) -> bool:
        if metric.source in ("calls", "starts"):
            return self._has_calls
        kind: EventKind = metric.source
        return bool(self.context.reader.latest_event(kind))

    def _values(self, label: str, limit: int) -> list[str]:
        return self.context.reader.label_values(label, limit)

    def _sampled(self, matchers: Sequence[Matcher], start: Micros, end: Micros) -> list[Labels]:
        listed = self.stored.listed(matchers, self.budget)
        alive = self.context.reader.sampled_in([info.id for _, info in listed], Span(start - 1, end))
        return [of for of, info in listed if info.id in alive]

    def _derived(self, matchers: Sequence[Matcher], start: Micros, end: Micros) -> Iterator[Labels]:
        """Counters of calls go on for ever, so they are in a range as soon as they began before its end."""
        last = self.context.reader.extent().last
        if last is not None:
            end = min(end, last + GRID) if start <= last + GRID else end
        matching = Matching(matchers)
        rest = tuple(one for one in matchers if one.label not in (NAME, _LE))
        for metric, forms in _wanted(matchers).items():
            self.budget.check()
            for of in self._of_metric(metric, rest, start, end):
                for form in forms:
                    yield from (one for one in _shown(form, of) if matching.takes(dict(one)))

    def _of_metric(
        self, metric: Metric, rest: tuple[Matcher, ...], start: Micros, end: Micros
    ) -> Iterator[Labels]:
        """The label sets of one metric, without its name."""
        # All forms of a histogram have the same series; counting is the cheapest way to them.
        name = metric.name + Form.COUNT if metric.kind is Kind.LATENCY else metric.name
        hints = Hints(instants=np.array([end], dtype=np.int64), budget=self.budget)
        since = start if TABLE[name].form in (Form.ACTIVE, Form.DATED) else end - GRID
        found = self.calls.select((Matcher(NAME, "=", name), *rest), since, end, hints)
        self.budget.spend(len(found), len(found.times))
        return (without(of, (NAME,)) for of in found.labels)


def about_of(found: Derived) -> About | None:
    """What is known of a derived metric; `None` for the parts of a classic histogram."""
    if found.form in (Form.BUCKET, Form.SUM, Form.COUNT):
        return None
    kind = "counter" if found.form is Form.COUNTER else "gauge"
    return About("histogram" if found.form is Form.NATIVE else kind, found.metric.help, found.metric.unit)


def _wanted(matchers: Sequence[Matcher]) -> dict[Metric, list[Derived]]:
    """The derived series whose names pass, by metric; short names only where one is asked for by its name."""
    tests = [test(one) for one in matchers if one.label == NAME]
    exact = [one.value for one in matchers if one.label == NAME and one.op == "="]
    known = [TABLE[name] for name in exact if name in TABLE] if exact else LISTED
    found: dict[Metric, list[Derived]] = {}
    for one in known:
        if all(takes(one.name) for takes in tests):
            found.setdefault(one.metric, []).append(one)
    return found


def _shown(found: Derived, of: Labels) -> Iterator[Labels]:
    """The series that a form of a metric has for one label set."""
    if found.form is not Form.BUCKET:
        yield labels({**dict(of), NAME: found.name})
        return
    for bound in _bounds(found.metric):
        yield labels({**dict(of), NAME: found.name, _LE: bound})


def _bounds(metric: Metric) -> list[str]:
    return bounds_shown(metric, bounds_of(metric))
