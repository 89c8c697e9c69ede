"""Alerts that begin to fire are told at once: by the bell, a desktop notification, and a toast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui_monitor.model.states import Severity
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Fired

_REMEMBERED = 2_000
_NAMED = 3
"""Alerts that are named where several fire at once."""
_LENGTH = 160
"""Characters of a notification."""
_TOASTS: Mapping[Severity, Literal["information", "warning", "error"]] = {
    Severity.INFO: "information", Severity.WARNING: "warning", Severity.CRITICAL: "error",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """What to tell: once for all that began to fire since the last look."""

    text: str
    severity: Severity
    first: bool
    """Whether they were firing when the screen was opened: nothing to ring for."""

    @property
    def toast(self) -> Literal["information", "warning", "error"]:
        """How it looks inside."""
        return _TOASTS[self.severity]


class Herald:
    """Knows which alerts have been told."""

    def __init__(self) -> None:
        self._told: dict[str, None] | None = None

    def know(self, alerts: Sequence[str]) -> None:
        """Nothing is to be told of these any more."""
        if self._told is not None:
            self._told |= dict.fromkeys(alerts)

    def look(self, firing: "Sequence[Fired]") -> Call | None:
        """What is to be told of those that fire now; nothing where all of it has been told."""
        first = self._told is None
        told = self._told or {}
        new = [alert for alert in firing if alert.id not in told]
        # Those that fire come last, so that they are remembered longest.
        ids = [*(id for id in told if id not in {a.id for a in firing}), *(alert.id for alert in firing)]
        self._told = dict.fromkeys(ids[-_REMEMBERED:])
        if not new:
            return None
        worst = max((alert.severity for alert in new), key=lambda severity: severity.rank)
        return Call(_words(sorted(new, key=lambda a: -a.severity.rank), first), worst, first)


def _words(new: "Sequence[Fired]", first: bool) -> str:
    if len(new) == 1:
        return f"{new[0].severity.value}: {new[0].summary}"
    named = "; ".join(alert.summary for alert in new[:_NAMED])
    more = f"; and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
    return f"{len(new)} alerts {'are firing' if first else 'began to fire'}: {named}{more}"


def notification(text: str, environ: Mapping[str, str]) -> str:
    """The sequence that asks a terminal for a desktop notification (OSC 9), handed through by tmux.

    The text begins with our name: some terminals read a leading number as another command.
    """
    sequence = f"\x1b]9;tui-monitor: {clean(text, _LENGTH)}\x07"
    if environ.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return sequence
