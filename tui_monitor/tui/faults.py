"""What is wrong with keys and themes and was left out: told in one toast, and whole on a page of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from textual.app import App

_LATEST_S = 2.0
"""Seconds after which what is known is told, whatever else may come."""
_LENGTH = 160
"""Characters of a fault in a toast."""
_SHOWN_S = 12.0


class Faults:
    """The faults there are, each with the file that it stands in."""

    def __init__(self, app: "App[Any]") -> None:
        self._app = app
        self._found: dict[Path, tuple[str, ...]] = {}
        self._told: frozenset[str] = frozenset()
        """What nobody needs to be told again."""

    @property
    def found(self) -> dict[Path, tuple[str, ...]]:
        """The faults by their file, or the folder of such files."""
        return {where: faults for where, faults in self._found.items() if faults}

    def know(self, where: Path, faults: Sequence[str]) -> None:
        """These are all that are in this place; `tell` is called when others are known, too."""
        if self._found.get(where, ()) != tuple(faults):
            self._found[where] = tuple(faults)
            self._app.set_timer(_LATEST_S, self.tell)

    def tell(self) -> None:
        """Tell those that nobody was told of: the first, how many there are, and where all of them stand."""
        every = [fault for faults in self._found.values() for fault in faults]
        new = [fault for fault in every if fault not in self._told]
        self._told = frozenset(every)
        if not new:
            return
        where = next(place for place, faults in self._found.items() if new[0] in faults)
        words = [clean(f"{where.name}: {new[0].replace(f'{where}/', '')}", _LENGTH)]
        if len(every) > 1:
            others = f"and {len(every) - 1} more" if len(new) > 1 else f"one of {len(every)} faults"
            words.append(f"{others} – :faults tells all")
        self._app.notify("\n".join(words), severity="warning", timeout=_SHOWN_S)
