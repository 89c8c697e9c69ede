"""What one evaluation knows and notes down."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.plan import COARSE_FIRST, Planner
from tui_monitor.query.promql.ast import Place
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.reading import Recent
from tui_monitor.query.result import Labels
from tui_monitor.store.api import Holding, Layer, Reader


@dataclass(frozen=True, slots=True)
class Vector:
    """Values of many series over the windows: NaN is no data."""

    labels: list[Labels]
    values: np.ndarray
    """Series × windows, float64."""


@dataclass
class Context:
    """One evaluation of one query: where it reads, and what is to be told with the answer."""

    reader: Reader
    calendar: Calendar
    text: str
    recent: Recent
    version: int
    """Of the data, when the evaluation began."""
    budget: Budget = field(default_factory=Budget)
    """What may be spent."""
    warnings: dict[str, None] = field(default_factory=dict)
    layers: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)

    @cached_property
    def holdings(self) -> Mapping[Layer, Holding]:
        """What the layers hold, read once."""
        return self.reader.holdings()

    @cached_property
    def planner(self) -> Planner:
        """Chooses layers."""
        return Planner(self.holdings, self.calendar, self.reader.extent().last)

    def of(self, text: str) -> "Context":
        """The same evaluation for another text, which is told of by itself."""
        other = replace(self, text=text, warnings={}, layers=set(), spans=[])
        other.holdings, other.planner = self.holdings, self.planner
        return other

    def warn(self, text: str) -> None:
        """Tell something with the answer, once."""
        self.warnings[text] = None

    def error(self, message: str, place: Place, *, hint: str | None = None) -> QueryError:
        """An error that points into the query."""
        return QueryError(message, text=self.text, position=place.start, length=place.length, hint=hint)

    def span(self) -> Span | None:
        """Everything that was looked at."""
        if not self.spans:
            return None
        return Span(min(s.start for s in self.spans), max(s.end for s in self.spans))

    def layers_used(self) -> tuple[str, ...]:
        """Where the answer came from, the coarsest first."""
        order = [*COARSE_FIRST, "samples", "events"]
        return tuple(str(layer) for layer in order if layer in self.layers)

    def moment(self, instant: int) -> str:
        """An instant as a warning names it, in the user's zone."""
        return f"{self.calendar.local(instant):%Y-%m-%d %H:%M}"
