"""The engine over a remote server: panes, rules and commands ask it as they ask the local one.

The short form and PromQL are asked in the server's own names (`spoken`, `mapping`); what this collector
measures itself is answered from here. Every number of the server is extrapolated from samples, so its
answers are approximate.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import SECOND, Clock, Micros
from tui_monitor.model.errors import StoreError, UnknownMetric
from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.query.engine import Engine
from tui_monitor.query.engines.prometheus import spoken
from tui_monitor.query.engines.prometheus.answers import Answered, answered
from tui_monitor.query.engines.prometheus.build import Build, Builds
from tui_monitor.query.engines.prometheus.client import Server
from tui_monitor.query.engines.prometheus.kept import Kept
from tui_monitor.query.engines.prometheus.trouble import Refused, query_error
from tui_monitor.query.language import quantile_of, quote
from tui_monitor.query.metrics import BY_NAME, LABEL_ALIASES
from tui_monitor.query.promql.ast import Call, Expr, Summary, bare, walk
from tui_monitor.query.promql.derived import TABLE
from tui_monitor.query.promql.lowering import labels_of, lowered
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.typecheck import is_ordered
from tui_monitor.query.promql.units import bounds_unit, metric_of, unit_of
from tui_monitor.query.result import After, CallList, Completion, Labels, Result, Series
from tui_monitor.query.timing import Timing
from tui_monitor.query.windows import Windows, check_instant, steps

_LATE: Micros = 300 * SECOND
"""How long samples may be on their way to the server."""
COARSE = "the server keeps no native histograms: quantiles are read from buckets that double in width"
"""Told with quantiles."""


class RemoteEngine:
    """Answers from a server. Any number of threads may ask at once.

    All but `complete` raise `QueryError` for what the server cannot know, with the reason, and `RemoteError`
    where it gives no answer. `local` answers for what this collector alone knows.
    """

    def __init__(
        self, server: Server, local: Engine, calendar: Calendar, clock: Clock, interval: Micros,
        timing: Timing | None = None,
    ) -> None:  # fmt: skip
        """`interval` is the time between two samples that collectors write."""
        self.local = local
        self._server = server
        self._calendar = calendar
        self._interval = interval
        self._clock = clock
        self._timing = timing or Timing(clock)
        self._builds = Builds(server, clock)
        self._kept = Kept(clock, interval / SECOND)

    def instant(
        self, text: str, at: Micros, *, cancel: threading.Event | None = None, tree: Expr | None = None
    ) -> Result:
        """The answer at one instant: windows end at `at`. `tree` as of `check`."""
        check_instant(at, text)
        node = read(text) if tree is None else tree
        if spoken.is_own(node):
            return self.local.instant(text, at, cancel=cancel, tree=tree)
        with self._timing.noting(text) as noted:
            result = self._instant(text, node, at, cancel)
            noted.series = len(result.series)
            return result

    def together(
        self, texts: Sequence[str], at: Micros, *, cancel: threading.Event | None = None
    ) -> list[Result]:
        """The answers at one instant, one after the other."""
        return [self.instant(text, at, cancel=cancel) for text in texts]

    def _instant(self, text: str, node: Expr, at: Micros, cancel: threading.Event | None) -> Result:
        build = self._builds.now(cancel)
        question = self._spoken(node, text, spoken.at_instant(at, self._calendar), build)
        answer = self._ask(text, node, question, (at,), 0, cancel)
        return self._result(text, node, (at,), _rows(node, answer), answer.warnings, build)

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The answer in windows of one step; the last one, where it is shorter, is asked on its own."""
        windows = steps(start, end, step, text)
        node = read(text)
        if spoken.is_own(node):
            return self.local.range(text, start, end, step, cancel=cancel)
        with self._timing.noting(text, steps=len(windows.edges) - 1) as noted:
            result = self._range(text, node, windows, step, cancel)
            noted.series = len(result.series)
            return result

    def _range(
        self, text: str, node: Expr, windows: Windows, step: Micros, cancel: threading.Event | None
    ) -> Result:
        build = self._builds.now(cancel)
        times: tuple[Micros, ...] = tuple(windows.edges[1:].tolist())
        last = times[-1] - int(windows.edges[-2])
        first = len(times) if last == step else len(times) - 1
        rows: dict[Labels, list[float | None]] = {}
        warnings: dict[str, None] = {}
        for place, part, length in ((0, times[:first], step), (first, times[first:], last)):
            if part:
                question = self._spoken(node, text, spoken.in_steps(length), build)
                answer = self._ask(text, node, question, part, step if len(part) > 1 else 0, cancel)
                _place(rows, _rows(node, answer), place, len(times))
                warnings.update(dict.fromkeys(answer.warnings))
        found = {labels: tuple(values) for labels, values in rows.items()}
        result = self._result(text, node, times, found, tuple(warnings), build)
        return replace(result, kind="matrix", span=Span(int(windows.edges[0]), times[-1]))

    def calls(
        self, text: str, span: Span, limit: int, *, after: After | None = None,
        cancel: threading.Event | None = None,
    ) -> CallList:  # fmt: skip
        """Single calls that pass a filter: only the database here knows them."""
        return self.local.calls(text, span, limit, after=after, cancel=cancel)

    def count_calls(self, text: str, span: Span, *, cancel: threading.Event | None = None) -> int:
        """How many calls in the database here pass a filter."""
        return self.local.count_calls(text, span, cancel=cancel)

    def check(self, text: str, tree: Expr | None = None) -> None:
        """Parse and type-check, and look whether the server can know it; the server itself is not asked."""
        try:
            self.local.check(text, tree)
        except UnknownMetric as error:
            if self.type_of(error.name) is None:
                raise
        node = read(text) if tree is None else tree
        if not spoken.is_own(node):
            self._spoken(node, text, spoken.in_steps(SECOND * 3600), Build(native=True))

    def type_of(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` for metrics of calls, and where nobody has sent any."""
        found = self.local.type_of(metric)
        if found is not None or metric in TABLE or metric in BY_NAME:
            return found
        try:
            there = self._server.ask("series", [("match[]", _selector(metric)), ("limit", "1")])["data"]
        except (Refused, StoreError):
            return None
        if not there:
            return None
        return "counter" if metric.endswith("_total") else "gauge"

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on, by what is known here."""
        return self.local.complete(text, cursor)

    def close(self) -> None:
        """Close the connection."""
        self._server.close()

    def _spoken(self, node: Expr, text: str, placing: spoken.Placing, build: Build) -> str:
        return spoken.of(node, text, placing, self._interval, native=build.native)

    def _ask(
        self, text: str, node: Expr, question: str, times: Sequence[Micros], step: Micros,
        cancel: threading.Event | None,
    ) -> Answered:  # fmt: skip
        key = question, times[0], times[-1], step
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        seconds = [_seconds(one) for one in (times[0], times[-1], step)]
        if step:
            params = zip(("start", "end", "step"), seconds, strict=True)
            path, asked = "query_range", [("query", question), *params]
        else:
            path, asked = "query", [("query", question), ("time", seconds[0])]
        try:
            found = self._server.ask(path, asked, cancel)
        except Refused as refused:
            raise query_error(refused, text) from None
        answer = answered(found, self._server.place, times)
        short = bare(node)
        if not answer.rows and isinstance(short, Summary) and self.type_of(short.metric) is None:
            # Of a name that nobody has sent the local engine tells which one was meant.
            self.local.check(text)
        self._kept.put(key, answer, closed=times[-1] < self._clock.now() - _LATE)
        return answer

    def _result(
        self, text: str, node: Expr, times: tuple[Micros, ...],
        rows: dict[Labels, tuple[float | None, ...]], warnings: tuple[str, ...], build: Build,
    ) -> Result:  # fmt: skip
        asked, metric = lowered(node, text), metric_of(node)
        if not build.native and _asks_quantile(node):
            warnings = (*warnings, COARSE)
        ordered = is_ordered(node) and len(times) == 1
        labels = list(rows) if ordered else sorted(rows)
        series = tuple(Series(of, rows[of]) for of in labels)
        return Result(
            text, "vector", times, series, unit_of(asked), metric, warnings,
            layers=(build.name,), approximate=True, bounds=bounds_unit(asked),
        )  # fmt: skip


def _asks_quantile(tree: Expr) -> bool:
    return any(
        quantile_of(node.how) is not None
        if isinstance(node, Summary)
        else isinstance(node, Call) and node.function == "histogram_quantile"
        for node in walk(tree)
    )


def _rows(node: Expr, answer: Answered) -> dict[Labels, tuple[float | None, ...]]:
    """The series under the labels that were asked for: the short form names all, unknown ones as empty."""
    by = labels_of(node)
    if by is None:
        return dict(answer.rows)
    found: dict[Labels, tuple[float | None, ...]] = {}
    whole = spoken.is_count(node)
    for labels, values in answer.rows.items():
        if whole:
            # Nobody makes a third of a call: what is extrapolated is the nearest number of them.
            values = tuple(value if value is None else float(round(value)) for value in values)
        known = dict(labels)
        of = {name: known.get(name, known.get(LABEL_ALIASES.get(name, name), "")) for name in by}
        found[tuple(sorted(of.items()))] = values
    return found


def _place(
    rows: dict[Labels, list[float | None]],
    found: dict[Labels, tuple[float | None, ...]],
    first: int,
    count: int,
) -> None:
    """Put the values of one part where they belong in the whole."""
    for labels, values in found.items():
        row = rows.setdefault(labels, [None] * count)
        row[first : first + len(values)] = values


def _seconds(micros: Micros) -> str:
    return f"{micros / SECOND:.3f}"


def _selector(metric: str) -> str:
    return f"{{__name__={quote(metric)}}}"
