"""Many questions for one view: every answer's warnings are gathered, once each."""

from tui_monitor.model.clock import Micros
from tui_monitor.query.engine import Engine
from tui_monitor.query.result import Result


class Asking:
    """Passes questions on to an engine and remembers what it warned of; raises what the engine raises."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._warnings: dict[str, None] = {}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the answers so far warned of, in the order first heard."""
        return tuple(self._warnings)

    def warn(self, text: str) -> None:
        """Add a warning of one's own."""
        self._warnings[text] = None

    def instant(self, text: str, at: Micros) -> Result:
        """The engine's answer at one instant."""
        return self._heard(self.engine.instant(text, at))

    def range(self, text: str, start: Micros, end: Micros, step: Micros) -> Result:
        """The engine's answer over time."""
        return self._heard(self.engine.range(text, start, end, step))

    def _heard(self, result: Result) -> Result:
        self._warnings.update(dict.fromkeys(result.warnings))
        return result
