"""What an evaluation knows besides the tree: instants, semantics, where series are, what it may cost."""

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.query.promql.annotations import Annotations
from tui_monitor.query.promql.ast import At, Bound
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.promql.storage import Storage
from tui_monitor.query.windows import Windows

if TYPE_CHECKING:
    from tui_monitor.query.summaries import Summaries


@dataclass(frozen=True, slots=True)
class Semantics:
    """How ranges are cut and names are kept."""

    version: Literal[2, 3] = 3
    """3: ranges and look-back leave out the instant where they begin; 2: they take it."""
    lookback: Micros = 5 * MINUTE
    """For how long a sample stands."""
    default_step: Micros = MINUTE
    """Of subqueries that name none."""

    @property
    def closed(self) -> bool:
        """Whether a range has the instant where it begins."""
        return self.version == 2

    @property
    def keeps_names(self) -> bool:
        """Whether a name that goes away stays until the end, for functions of labels to read."""
        return self.version == 3


@dataclass(frozen=True, slots=True)
class Context:
    """One evaluation, or that of a subquery within it."""

    storage: Storage
    instants: np.ndarray
    """int64 µs, ascending."""
    first: Micros
    """Where the query's own range begins: `start()`."""
    last: Micros
    """Where it ends: `end()`."""
    instant: bool = False
    """Whether the query is for one instant: only then is there an order."""
    semantics: Semantics = field(default_factory=Semantics)
    budget: Budget = field(default_factory=Budget)
    annotations: Annotations = field(default_factory=Annotations)
    summaries: "Summaries | None" = None
    """What answers short forms; none where only PromQL is asked."""
    chart: Windows | None = None
    """Of a chart: the steps that end at the instants, over which short forms are taken."""

    @property
    def steps(self) -> int:
        """How many instants there are."""
        return len(self.instants)

    def over(self, instants: np.ndarray) -> "Context":
        """The same at other instants, for a subquery."""
        return dataclasses.replace(self, instants=instants, chart=None)

    def earlier(self, ago: Micros) -> "Context":
        """The same so long ago."""
        chart = self.chart and self.chart.earlier(ago)
        return dataclasses.replace(self, instants=self.instants - ago, chart=chart)

    def moved(self, offset: Micros, at: At | None) -> np.ndarray:
        """The instants that a selector looks at: int64 µs."""
        if at is None:
            return self.instants - offset
        fixed = (self.last if at.end else self.first) if isinstance(at, Bound) else at
        return np.full(self.steps, fixed - offset, dtype=np.int64)
