"""Remarks on an answer: warnings and infos, each once, with the place that caused it."""

from dataclasses import dataclass, field

from tui_monitor.query.promql.ast import Place

MAX_REMARKS = 10
"""Of each kind; how many more there were is said."""


@dataclass(slots=True)
class Annotations:
    """What an evaluation remarked."""

    text: str = ""
    """The expression, to tell lines."""
    _warnings: dict[str, None] = field(default_factory=dict)
    _infos: dict[str, None] = field(default_factory=dict)

    def warn(self, message: str, place: Place) -> None:
        """The answer may not be what was meant."""
        self._warnings.setdefault(f"{message} ({self._spot(place)})")

    def inform(self, message: str, place: Place) -> None:
        """Something was left out, or assumed."""
        self._infos.setdefault(f"{message} ({self._spot(place)})")

    @property
    def warnings(self) -> list[str]:
        """Warnings, in the order in which they came."""
        return _few(list(self._warnings))

    @property
    def infos(self) -> list[str]:
        """Infos, in the order in which they came."""
        return _few(list(self._infos))

    def _spot(self, place: Place) -> str:
        before = self.text[: place.start]
        return f"{before.count(chr(10)) + 1}:{place.start - (before.rfind(chr(10)) + 1) + 1}"


def _few(remarks: list[str]) -> list[str]:
    more = len(remarks) - MAX_REMARKS
    return remarks if more <= 0 else [*remarks[:MAX_REMARKS], f"and {more} more"]
