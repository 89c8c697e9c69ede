"""What the screen needs of the thread behind it, and how it asks without ever breaking."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import Against, earlier
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.identity import actor
from tui_monitor.model.timerange import Span, TimeRange, step_for

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.health.views import CollectorStatus
    from tui_monitor.monitor.api import Fired, Monitor
    from tui_monitor.monitor.line import LineState
    from tui_monitor.monitor.thread import ThreadState

log = logging.getLogger(__name__)

T = TypeVar("T")


class Backend(Protocol):
    """The collector on its own thread, or what stands for it."""

    @property
    def state(self) -> "ThreadState":
        """How it is doing now."""
        ...

    @property
    def settings(self) -> "Settings | None":
        """The settings, once they are read."""
        ...

    @property
    def config_file(self) -> Path:
        """The configuration file, there or not."""
        ...

    def start(self) -> None:
        """Begin; returns at once."""
        ...

    def subscribe(self, callback: "Callable[[ThreadState], None]") -> Callable[[], None]:
        """Be told each change of state, on any thread."""
        ...

    async def call(self, ask: "Callable[[Monitor], Awaitable[T]]") -> T:
        """The answer of `ask(monitor)`, given on the collector's loop."""
        ...

    def take_over(self) -> None:
        """Collect here from now on, if nobody else does; returns at once."""
        ...

    def knock(self) -> None:
        """Somebody is waiting: try at once what is to be tried again. Returns at once."""
        ...

    def stop(self, timeout: float = 2.0) -> bool:
        """End in good order."""
        ...


def cut_off(state: "ThreadState | None") -> "LineState | None":
    """The line to a collector elsewhere where it does not stand; None where it does, or there is none."""
    line = state.line if state is not None else None
    return None if line is None or line.up else line


def who_acts(backend: Backend) -> str:
    """The name that stands in histories for what is done here."""
    settings = backend.settings
    return actor(settings.general.name if settings else None)


async def ask(backend: Backend, question: "Callable[[Monitor], Awaitable[T]]") -> T:
    """The answer. Raises `MonitorError` only: anything unexpected is logged and becomes one."""
    try:
        return await backend.call(question)
    except MonitorError:
        raise
    except Exception as error:
        log.exception("a question of the screen broke")
        words = f"unexpected error: {type(error).__name__}: {error}"
        raise MonitorError(words, hint="the log tells more") from error


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the data: when, at which range, and which version of it was there."""

    at: Micros
    version: int
    shown: TimeRange
    calendar: Calendar
    oldest: Micros | None = None
    """The first call there is."""
    newest: Micros | None = None
    """The newest call there is."""
    alerts: tuple[int, str | None] = (0, None)
    """How many alerts are open, and the worst severity."""
    firing: "tuple[Fired, ...]" = ()
    """Those that fire and that nobody took or silenced."""
    collector: "CollectorStatus | None" = None
    """What the collector tells about itself."""
    against: Against = "previous"
    """With which span the shown one is compared."""
    beside: bool = False
    """Whether charts draw that span too."""
    frozen: bool = False
    """The screen is paused: only what the person chooses anew is asked."""

    def earlier(self) -> Span:
        """The span that the shown one is compared with."""
        return earlier(self.shown.span(self.at), self.against, self.calendar)

    def step(self, points: int) -> Micros:
        """The step in which the range is drawn with so many points."""
        return step_for(self.shown.length, points)

    def moment(self, points: int) -> tuple[int, int, int]:
        """Differs when an answer over the range may: new data, a new step of the range, a new minute."""
        end = self.at if self.shown.end is None else self.shown.end
        return self.version, end // self.step(points), self.at // 60_000_000
