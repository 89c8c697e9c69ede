"""From an answer over time to a chart."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tui_monitor.health.freshness import stopped
from tui_monitor.model.clock import Micros
from tui_monitor.model.states import Severity
from tui_monitor.model.timerange import Span
from tui_monitor.model.units import UNKNOWN
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.figure import SERIES, ChartData, ChartSeries, Mark, last_known, total
from tui_monitor.tui.words import moment_words

if TYPE_CHECKING:
    from tui_monitor.query.result import Labels, Result, Series

Band = tuple[tuple[float | None, ...], ...]
"""The lowest and the highest values; empty for what is in the band of another series."""

SEVERITY = {Severity.CRITICAL: "crit", Severity.WARNING: "warn", Severity.INFO: "accent"}
"""The style token of a severity."""
LATENCY_BUCKETS = "sum by (le) (increase(llm_request_duration_seconds_bucket[$__interval]))"
"""How many calls took at most so long, of every step."""
_NAMES, _KINDS = 200, 50
"""Names whose colour is known of one kind, and kinds."""
LINES = 8
"""Lines on one chart at most: more cannot be told apart."""
MARKS = 12
"""Marks on one chart at most."""


@dataclass(frozen=True, slots=True)
class Course:
    """An answer over the span that another one is compared with."""

    result: "Result"
    offset: Micros
    """How much earlier that span begins."""
    words: str


class Colours:
    """Which colour each name has, by what it is a name of: the same on every pane, shown or not.

    There are more names than colours, so two may have the same; on one chart they never have.
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = {}

    def give(self, names: Sequence[str], of: str = "") -> dict[str, int]:
        """The colour's number for each name; `of` is what they are names of: a label, or several."""
        known = self._known.setdefault(of, {})
        wanted, given = set(names), dict[str, int]()
        for name, number in known.items():
            if name in wanted and number not in given.values():
                given[name] = number
        for name in names:
            if name not in given:
                given[name] = _rarest(known, given, len(names))
                known.setdefault(name, given[name])
        _forget(known, _NAMES)
        _forget(self._known, _KINDS)
        return {name: given[name] for name in names}


def _rarest(known: Mapping[str, int], given: Mapping[str, int], count: int) -> int:
    """The first of the colours not given yet that the fewest names have."""
    free = [number for number in range(max(SERIES, count)) if number not in given.values()]
    had = Counter(known.values())
    return min(free, key=lambda number: (had[number], number))


def _forget(known: dict[str, Any], most: int) -> None:
    """Leave out what was there first until there are no more than so many."""
    for name in list(known)[: max(0, len(known) - most)]:
        del known[name]


def name_of(series: "Series", metric: str = "") -> str:
    """A series in words: the values of its labels, or their pairs where values alone do not tell."""
    values = [value or f"without {name}" for name, value in series.labels if name != "__name__"]
    if len(values) <= 2:
        return " ".join(values) or dict(series.labels).get("__name__") or metric or "all"
    return " ".join(f"{name}={value or UNKNOWN}" for name, value in series.labels if name != "__name__")


def chart_of(
    result: "Result",
    look: Look,
    colours: Colours,
    title: str = "",
    *,
    now: "Result | None" = None,
    about: str = "",
    note: str = "",
    empty: str = "no data in this time range",
    thresholds: Sequence[tuple[str, float]] = (),
    marks: Sequence[Mark] = (),
    before: "Course | None" = None,
) -> ChartData:
    """The largest series of an answer as lines, on a time axis that is cut to whole steps.

    The largest are those of `now`, the same question at the end of the time; by their mean without it.
    Buckets of a histogram become a heat map. `before` is the same question about another span.
    """
    plain = ChartData(
        times=result.times,
        unit=result.unit,
        calendar=look.calendar,
        thresholds=tuple(thresholds),
        title=title,
        about=" ".join(about.split()),
        note=note,
        empty=empty,
        span=_whole_steps(result, look),
        marks=tuple(marks),
        unfinished=_unfinished(result),
        fixed=not look.shown.live,
    )
    if is_histogram(result):
        return _heat(result, plain)
    ordered = sorted(result.series, key=lambda one: -one.mean) if now is None else result.ranked(now)
    known = [series for series in ordered if any(value is not None for value in series.values)]
    bands = _bands(known)
    known = [series for series in known if series.labels not in bands or bands[series.labels]]
    drawn, left = known[:LINES], known[LINES:]
    names = [name_of(series, result.metric) for series in drawn]
    numbers = colours_of(drawn, names, colours)
    lines = [
        _line(name, s, numbers[name], bands.get(s.labels, ()), look.shown.live and _step(result))
        for name, s in zip(names, drawn, strict=True)
    ]
    if lines and all(line.ended for line in lines):
        note = f"{note}  {_since(result, lines, look)}".strip()
    order = sorted(range(len(lines)), key=lambda n: lines[n].name if now is None else "")
    return replace(
        plain,
        series=tuple(lines[n] for n in order),
        before=() if before is None else _beside(result, before, [drawn[n].labels for n in order]),
        before_name="" if before is None else before.words,
        note=f"{note}  {LINES} largest of {len(known)}".strip() if left else note,
        rest=ChartSeries(f"{len(left)} more", _sum(left), -1) if left else None,
    )


def colours_of(drawn: "Sequence[Series]", names: Sequence[str], colours: Colours) -> dict[str, int]:
    """The colours of series with these names; one that no label tells apart from others has the first."""
    labels = {name for series in drawn for name, _ in series.labels if name != "__name__"}
    return (colours if labels else Colours()).give(names, ",".join(sorted(labels)))


def _step(result: "Result") -> Micros:
    return result.times[1] - result.times[0] if len(result.times) > 1 else 0


def _line(name: str, series: "Series", number: int, band: Band, step: Micros) -> ChartSeries:
    """A series as a line; with `step` its newest value is to be of now."""
    ended = bool(step) and stopped(series.values, step) is not None
    return ChartSeries(name, series.values, number, *band, ended=ended)


def _since(result: "Result", lines: Sequence[ChartSeries], look: Look) -> str:
    """From when on nothing came of all that is drawn."""
    newest = max(last_known(line.values) or 0 for line in lines)
    return f"◌ no data since {moment_words(result.times[newest], look.at, look.calendar)}"


def _beside(result: "Result", before: Course, labels: "Sequence[Labels]") -> Band:
    """The values of these series in the other span, at the times of this one."""
    from tui_monitor.query.beside import moved

    then = moved(before.result, before.offset, result.times)
    known = {series.labels: series.values for series in then.series}
    return tuple(known.get(one) or (None,) * len(result.times) for one in labels)


def _sum(series: "Sequence[Series]") -> tuple[float | None, ...]:
    return tuple(total(at) for at in zip(*(one.values for one in series), strict=True))


def _bands(series: "Sequence[Series]") -> "dict[Labels, Band]":
    """Quantiles of one thing as a band: by labels the lowest and highest for the middle one, none for others.

    They are told apart by the label `quantile`, as summaries of Prometheus are; three of them make a band.
    """
    fans: dict[Labels, list[tuple[float, Series]]] = {}
    for one in series:
        quantile = _bound(one.label("quantile", "none"))
        if quantile <= 1:
            rest = tuple(pair for pair in one.labels if pair[0] != "quantile")
            fans.setdefault(rest, []).append((quantile, one))
    found: dict[Labels, Band] = {}
    for fan in fans.values():
        if len(fan) < 3:
            continue
        ordered = [one for _, one in sorted(fan, key=lambda pair: pair[0])]
        middle = min(fan, key=lambda pair: (abs(pair[0] - 0.5), pair[0]))[1]
        found |= dict.fromkeys((one.labels for one in ordered), ())
        found[middle.labels] = (ordered[0].values, ordered[-1].values)
    return found


def _unfinished(result: "Result") -> bool:
    """Whether the last step is cut off by the end of the time: steps end on whole multiples."""
    times = result.times
    return len(times) > 2 and times[-1] - times[-2] < times[1] - times[0]


# Histograms.


def is_histogram(result: "Result") -> bool:
    """Whether all series are buckets of one histogram: told apart by their upper bound alone."""
    return len(result.series) > 1 and all(
        [name for name, _ in series.labels] == ["le"] for series in result.series
    )


def _heat(result: "Result", plain: ChartData) -> ChartData:
    """Buckets that hold what is below their bound, as what lies between one bound and the next."""
    told = sorted((_bound(series.label("le")), series.values) for series in result.series)
    bounds = tuple(bound for bound, _ in told)
    counts: list[tuple[float | None, ...]] = []
    below: tuple[float | None, ...] = (0.0,) * len(result.times)
    for _, values in told:
        counts.append(tuple(map(_more, values, below)))
        below = values
    series = tuple(
        ChartSeries(f"{bound:g}", values, n)
        for n, (bound, values) in enumerate(zip(bounds, counts, strict=True))
    )
    return replace(plain, series=series, unit=result.bounds, bounds=bounds, drawing="heat")


def _bound(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.inf


def _more(value: float | None, below: float | None) -> float | None:
    return None if value is None or value != value else max(0.0, value - (below or 0.0))


# What happened.


def firing_marks(look: Look) -> tuple[Mark, ...]:
    """When the alerts began that fire now, by their rules' names; the newest of them."""
    found = [Mark(one.fired, one.rule or one.summary, SEVERITY[one.severity]) for one in look.firing]
    return tuple(sorted(found, key=lambda mark: -mark.at)[:MARKS])


def _whole_steps(result: "Result", look: Look) -> Span | None:
    times = result.times
    if len(times) < 2:
        return None
    step = max(times[1] - times[0], 1)
    end = -(-times[-1] // step) * step
    return Span(min(end - look.shown.length, times[0]), end)
