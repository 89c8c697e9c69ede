"""Where the evaluator gets series from: sources that hand out samples, or answer a function themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from tui_monitor.model.clock import Micros
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.promql.limits import Budget

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.query.promql.values import SeriesSet, Vector


@dataclass(frozen=True, slots=True)
class Hints:
    """What a source may use to read less; ignoring it is right too."""

    step: Micros = 0
    """Between the instants; 0 for one."""
    length: Micros = 0
    """Of the range; 0 for an instant vector."""
    function: str = ""
    """The function that is applied to the range."""
    instants: "np.ndarray | None" = None
    """int64 µs: of an instant vector, where the newest sample is looked for."""
    budget: Budget | None = None
    """What may be spent: a source that reads much asks it before, and between parts."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The labels that a sum keeps, or with `without` those that it leaves out."""

    labels: tuple[str, ...]
    without: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A function of a range selector at many instants, `offset` and `@` worked in.

    Without a function it is the newest sample in each window, which is as long as the look-back.
    """

    function: str
    matchers: tuple[Matcher, ...]
    ends: "np.ndarray"
    """int64 µs: where each window ends, itself in it."""
    length: Micros
    """Of each window."""
    closed: bool
    """Whether the instant where a window begins is in it, as in Prometheus 2."""
    parameters: tuple["np.ndarray", ...] = ()
    """The function's numbers, one for each instant: float64."""
    texts: tuple[str, ...] = ()
    """The function's texts."""
    summed: Grouping | None = None
    """Of what becomes of the results where that is a sum: series that are in one group may be one already."""


class Source(Protocol):
    """One kind of series. Methods may raise `QueryError` and `StoreError`."""

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> "SeriesSet":
        """Every series that all matchers take, sorted by labels, with its samples in [start, end]."""
        ...

    def answer(self, asked: Asked) -> "Vector | None":
        """The function's results for the series of this source, computed exactly; names as they are.

        `None` where it is to be computed from samples.
        """
        ...


class Storage(Protocol):
    """Everything that one engine asks: its sources share no series."""

    @property
    def sources(self) -> Sequence[Source]:
        """The sources, in the order in which their series are listed."""
        ...


@dataclass(frozen=True, slots=True)
class Joined:
    """Several sources as one storage."""

    sources: tuple[Source, ...]


def bounded(vector: "Vector", budget: Budget) -> "Vector":
    """The vector; single histograms made of its table are taken from the budget."""
    if vector.table is not None:
        vector.given = replace(vector.table, spend=partial(budget.spend, 0))
    return vector
