"""Many questions for one view: what their answers warn of is gathered, each truth once."""

from collections.abc import Collection, Sequence

from tui_monitor.model.clock import Micros
from tui_monitor.query.engine import Engine
from tui_monitor.query.result import Result

_PRICES = " calls have no price and are not in "
"""In warnings of what every view counts in a field of its own: unpriced calls."""
_GONE = " are left out of "
"""In warnings of what is no longer kept: the same calls for every metric over the same span."""


class Asking:
    """Passes questions on to an engine and remembers what it warned of; raises what the engine raises."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._warnings: dict[str, str] = {}
        self._ahead: dict[tuple[str, Micros], Result] = {}
        self.approximate = ""
        """The server that extrapolated answers from samples; empty where all are exact."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the answers so far warned of, in the order first heard."""
        return tuple(self._warnings.values())

    def warn(self, text: str) -> None:
        """Add a warning of one's own."""
        self._warnings.setdefault(text.partition(_GONE)[0], text)

    def instant(self, text: str, at: Micros) -> Result:
        """The engine's answer at one instant."""
        known = self._ahead.get((text, at))
        return self._heard(self.engine.instant(text, at) if known is None else known)

    def ahead(self, texts: Collection[str], at: Micros) -> None:
        """Ask together what will be asked one by one: it is read once."""
        found = self.engine.together(list(texts), at)
        self._ahead |= {(text, at): result for text, result in zip(texts, found, strict=True)}

    def together(self, texts: Sequence[str], at: Micros) -> list[Result]:
        """The engine's answers at one instant, in the order of the texts."""
        return [self._heard(result) for result in self.engine.together(texts, at)]

    def range(self, text: str, start: Micros, end: Micros, step: Micros) -> Result:
        """The engine's answer over time."""
        return self._heard(self.engine.range(text, start, end, step))

    def _heard(self, result: Result) -> Result:
        if result.approximate:
            self.approximate = ", ".join(result.layers)
        for text in result.warnings:
            if _PRICES not in text:
                self.warn(text)
        return result
