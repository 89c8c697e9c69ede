"""What the panels of a board ask and what came of it, for every face that shows one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tui_monitor.config.boards import Board, PanelSettings, Threshold
from tui_monitor.model.alert import Alert
from tui_monitor.model.states import AlertState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Monitor
from tui_monitor.query.panels import PanelAnswer, PanelQuery, PanelTrouble
from tui_monitor.query.result import Labels, Result, Series

NAMED = "series"
"""The label that says which of a panel's queries a series is of."""
_SEVERITY = {"warning": 1, "critical": 2}
_OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED, AlertState.PENDING)


@dataclass(frozen=True, slots=True)
class PanelView:
    """One panel with its answer: `now` is of the end of its time, `over` of the time up to it."""

    panel: PanelSettings
    now: Result | None = None
    over: Result | None = None
    trouble: PanelTrouble | None = None
    """Why a query of it has no answer."""
    alerts: tuple[Alert, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        told = [result for result in (self.now, self.over) if result is not None]
        values = (value for result in told for one in result.series for value in one.values)
        # Of a heat map buckets are counted: nothing in any of them is nothing to draw.
        heat = self.panel.widget == "heat"
        return not any(value if heat else value is not None for value in values) and not self.alerts

    @property
    def broken(self) -> bool:
        """Whether a query of it is wrong; one about a metric that nobody has sent yet only has no data."""
        return self.trouble is not None and not (self.trouble.unknown and self.panel.needs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its answers warn of."""
        told = [result for result in (self.now, self.over) if result is not None]
        return tuple(dict.fromkeys(text for result in told for text in result.warnings))

    @property
    def rows(self) -> list[Series]:
        """The series of its instant answer, the largest first, unknown ones last."""
        found = self.now.series if self.now is not None else ()
        return sorted(found, key=lambda one: (one.value is None, -(one.value or 0.0), one.labels))

    @property
    def unit(self) -> str:
        """Of its values."""
        told = self.now or self.over
        return "" if told is None else told.unit

    def data(self) -> dict[str, Any]:
        """For programs: its queries, and what came of them in Prometheus's form."""
        told = self.over if self.panel.over_time else self.now
        form: dict[str, Any] = {
            "title": self.panel.title,
            "widget": self.panel.widget,
            "queries": self.panel.asked,
        }
        if self.panel.widget == "alerts":
            form["alerts"] = list(self.alerts)
        elif told is not None:
            form |= {**told.prometheus(), "unit": told.unit}
            form |= {"approximate": True} if told.approximate else {}
        if self.trouble is not None:
            form["error"] = self.trouble
        if self.empty and self.panel.needs and self.panel.widget != "alerts":
            form["needs"] = self.panel.needs
        return form


@dataclass(frozen=True, slots=True)
class BoardView:
    """A board with all its answers, which are from one moment."""

    board: Board
    panels: tuple[PanelView, ...]

    def data(self) -> dict[str, Any]:
        """For programs: what each panel shows, values in Prometheus's form."""
        panels = [panel.data() for panel in self.panels]
        return {"name": self.board.name, "title": self.board.title, "panels": panels}


async def ask_board(monitor: Monitor, board: Board, shown: TimeRange, points: Sequence[int]) -> BoardView:
    """The answers of a board's panels. `points` says in how many steps each shows time, 0 in none.

    Raises as `Monitor.panels`; what is wrong with one panel is in its view.
    """
    asked = [_queries(panel, count) for panel, count in zip(board.panels, points, strict=True)]
    wants_alerts = any(panel.widget == "alerts" for panel in board.panels)
    alerts = await _alerts(monitor) if wants_alerts else ()
    answers = await monitor.panels([query for queries in asked for query in queries], shown)
    views: list[PanelView] = []
    at = 0
    for panel, queries in zip(board.panels, asked, strict=True):
        mine, at = answers[at : at + len(queries)], at + len(queries)
        views.append(PanelView(panel, alerts=alerts) if panel.widget == "alerts" else _view(panel, mine))
    return BoardView(board, tuple(views))


def passed(panel: PanelSettings, value: float | None) -> Threshold | None:
    """The worst threshold on whose bad side a value is."""
    if value is None:
        return None
    bad = [threshold for threshold in panel.thresholds if threshold.passed(value)]
    return max(bad, key=lambda threshold: _SEVERITY[threshold.level], default=None)


def full(view: PanelView) -> float | None:
    """Where the bars of a gauge or table end: as the panel says, 1 for shares, else the largest value."""
    if view.panel.max is not None:
        return view.panel.max
    known = [one.value for one in view.rows if one.value is not None]
    if view.unit == "ratio" and all(value <= 1 for value in known):
        return 1.0
    return max(known, default=None)


def called(labels: Labels) -> str:
    """A series in words: the values of its labels, or their pairs where values alone do not tell."""
    kept = [(name, value or f"without {name}") for name, value in labels if name != "__name__"]
    if len(kept) <= 2:
        # What the panel itself calls it comes first.
        kept.sort(key=lambda pair: pair[0] != NAMED)
        return " ".join(value for _, value in kept) or dict(labels).get("__name__", "")
    return " ".join(f"{name}={value}" for name, value in kept)


def _queries(panel: PanelSettings, points: int) -> list[PanelQuery]:
    """At the end of its time, over it, or both: a chart needs one, a figure with a small curve both."""
    length = panel.range or 0
    found: list[PanelQuery] = []
    for text in panel.asked.values():
        if not panel.over_time:
            found.append(PanelQuery(text, length))
        if points and (panel.over_time or panel.widget == "stat"):
            found.append(PanelQuery(text, length, points))
    return found


def _view(panel: PanelSettings, answers: Sequence[PanelAnswer]) -> PanelView:
    trouble = next((answer.trouble for answer in answers if answer.trouble is not None), None)
    names = [name for name in panel.asked for _ in range(len(answers) // len(panel.asked))]
    told = [
        (name, answer.result)
        for name, answer in zip(names, answers, strict=True)
        if answer.result is not None
    ]
    now = [(name, result) for name, result in told if result.kind == "vector"]
    over = [(name, result) for name, result in told if result.kind == "matrix"]
    return PanelView(panel, _together(panel, now), _together(panel, over), trouble)


def _together(panel: PanelSettings, told: Sequence[tuple[str, Result]]) -> Result | None:
    """The answers of a panel's queries as one, each series by the name of its query."""
    if not told:
        return None
    first = told[0][1]
    series = tuple(
        replace(one, labels=_named(one.labels, name)) for name, result in told for one in result.series
    )
    warnings = tuple(dict.fromkeys(text for _, result in told for text in result.warnings))
    approximate = any(result.approximate for _, result in told)
    # Of a histogram the bounds have a unit, and the values are counts.
    unit, bounds = (
        (first.unit, panel.unit or first.bounds) if first.bounds else (panel.unit or first.unit, "")
    )
    return replace(first, series=series, unit=unit, bounds=bounds, warnings=warnings, approximate=approximate)


def _named(labels: Labels, name: str) -> Labels:
    return tuple(sorted((*labels, (NAMED, name)))) if name else labels


async def _alerts(monitor: Monitor) -> tuple[Alert, ...]:
    """The open alerts: what fires and nobody took first, then the most severe, then the newest."""
    found = [alert for alert in (await monitor.alerts()).alerts if alert.state in _OPEN]
    found.sort(key=lambda alert: (_OPEN.index(alert.state), -alert.severity.rank, -alert.since))
    return tuple(found)
