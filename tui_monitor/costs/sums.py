"""Sums over calendar parts, each asked once: what one question told is not asked again for another field."""

from collections.abc import Iterable, Mapping
from math import fsum

from tui_monitor.costs.periods import Part, days_of
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.query.asking import Asking
from tui_monitor.query.language import spelled

Split = Mapping[str, float]
"""Label value → sum; without the values for which nothing is known."""
Asked = tuple[str, Part]
"""A metric and the part that it is asked of."""


class Sums:
    """Sums of one view, split by the label that its rows are for.

    `by_day` is the part that is drawn by day: its cost is asked day by day, and added up from there.
    Methods block on the store and raise what the engine raises.
    """

    def __init__(self, asking: Asking, calendar: Calendar, by: str, by_day: Part) -> None:
        self._asking = asking
        self._by = by
        self._days = days_of(by_day, calendar)
        self._by_day = by_day
        # Roll-ups know these labels. Any other is read call by call, which totals need not be.
        self._coarse = by in DIMENSIONS
        self._splits: dict[tuple[str, Part], Split] = {}
        self._totals: dict[tuple[str, Part], float | None] = {}

    def ahead(self, splits: Iterable[Asked], totals: Iterable[Asked], ratios: Iterable[Asked]) -> None:
        """Say what will be asked, by metric and part: what lies in the same part is read once."""
        by = f" by({spelled(self._by)})"
        asked = [(_sum_of(*one) + by, one[1]) for one in splits if not self._is_drawn(*one)]
        asked += [(f"{_ratio_of(*one)}{by}", one[1]) for one in ratios]
        known = {text for text, _ in asked}
        for metric, part in totals:
            split = _sum_of(metric, part)
            if not self._coarse or not (self._is_drawn(metric, part) or split + by in known):
                asked.append((split, part))
        for at in {part.at for _, part in asked}:
            self._asking.ahead({text: None for text, part in asked if part.at == at}, at)

    def split(self, metric: str, part: Part) -> Split:
        """The metric's sum over the part for each value of the label."""
        key = metric, part
        if key not in self._splits:
            self._splits[key] = self._split(metric, part)
        return self._splits[key]

    def total(self, metric: str, part: Part) -> float | None:
        """The metric's sum over the part; unknown where no call tells it."""
        key = metric, part
        if key not in self._totals:
            self._totals[key] = self._total(metric, part)
        return self._totals[key]

    def ratio(self, metric: str, part: Part) -> Split:
        """A ratio over the part for each value of the label, numerator and denominator pooled."""
        return self._ask(_ratio_of(metric, part), part)

    def daily(self) -> list[tuple[Part, float | None]]:
        """The cost of each day."""
        return [(day, self.total("cost", day)) for day in self._days]

    def daily_split(self) -> list[tuple[str, tuple[float | None, ...]]]:
        """The cost of each day by label value, the largest first; nothing where days are but totals."""
        if not self._coarse:
            return []
        splits = [self.split("cost", day) for day in self._days]
        whole = _added(splits)
        names = sorted(whole, key=lambda name: (-whole[name], name))
        return [(name, tuple(split.get(name) for split in splits)) for name in names]

    def _split(self, metric: str, part: Part) -> Split:
        if metric == "cost" and self._coarse and part == self._by_day:
            return _added(self.split(metric, day) for day in self._days)
        return self._ask(_sum_of(metric, part), part)

    def _total(self, metric: str, part: Part) -> float | None:
        if self._coarse and (self._is_drawn(metric, part) or (metric, part) in self._splits):
            return _sum(self.split(metric, part).values())
        return self._asking.instant(_sum_of(metric, part), part.at).scalar

    def _is_drawn(self, metric: str, part: Part) -> bool:
        """Whether it is made of the days that are drawn, or one of them."""
        return metric == "cost" and (part == self._by_day or part in self._days)

    def _ask(self, question: str, part: Part) -> Split:
        return self._asking.instant(f"{question} by({spelled(self._by)})", part.at).by(self._by)


def _sum_of(metric: str, part: Part) -> str:
    return f"{metric}{{}} [{part.range}] sum"


def _ratio_of(metric: str, part: Part) -> str:
    return f"{metric}{{}} [{part.range}] avg"


def _added(splits: Iterable[Split]) -> Split:
    known: dict[str, list[float]] = {}
    for split in splits:
        for name, value in split.items():
            known.setdefault(name, []).append(value)
    return {name: round(fsum(values), 9) for name, values in known.items()}


def _sum(values: Iterable[float]) -> float | None:
    """The sum as exact as its nano-dollars; unknown of nothing."""
    values = list(values)
    return round(fsum(values), 9) if values else None
