"""What the parts of the screen tell each other: things that happened, named as such."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.timerange import Span

if TYPE_CHECKING:
    from tui_monitor.monitor.api import Snapshot
    from tui_monitor.monitor.thread import ThreadState
    from tui_monitor.tui.panes.base import Question


class Newest(Message):
    """A message that makes older ones of its kind worthless: a slow screen never queues history."""

    def can_replace(self, message: Message) -> bool:
        return type(message) is type(self)


class BackendChanged(Newest):
    """The collector's thread is in another state."""

    def __init__(self, state: "ThreadState") -> None:
        super().__init__()
        self.state = state


class SnapshotTaken(Newest):
    """The frame was read."""

    def __init__(self, snapshot: "Snapshot") -> None:
        super().__init__()
        self.snapshot = snapshot


class SnapshotFailed(Newest):
    """The frame could not be read."""

    def __init__(self, error: MonitorError) -> None:
        super().__init__()
        self.error = error


class Answered(Newest):
    """A pane's question was answered."""

    def __init__(self, question: "Question", answer: object) -> None:
        super().__init__()
        self.question = question
        self.answer = answer


class AskingFailed(Newest):
    """A pane's question could not be answered."""

    def __init__(self, question: "Question", error: MonitorError) -> None:
        super().__init__()
        self.question = question
        self.error = error


class RangeZoomed(Message):
    """Somebody wants to see `factor` times as long a range, with the instant `at` (µs) where it is.

    Without one the end stays.
    """

    def __init__(self, factor: float, at: Micros | None = None) -> None:
        super().__init__()
        self.factor = factor
        self.at = at


class RangeMoved(Message):
    """Somebody wants to see what is that share of the range later, or earlier where it is below 0."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share


class RangeChosen(Message):
    """Somebody wants to see a span of time."""

    def __init__(self, span: Span) -> None:
        super().__init__()
        self.span = span


class QueryWanted(Message):
    """Somebody wants to see the query behind a figure."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PaneWanted(Message):
    """Somebody wants to see a row of another pane; an empty `row` is the pane as it is."""

    def __init__(self, pane: str, row: str = "") -> None:
        super().__init__()
        self.pane = pane
        self.row = row


class GivenBack(Message):
    """Alerts fire again because somebody here took back what kept them quiet."""

    def __init__(self, alerts: Sequence[str]) -> None:
        super().__init__()
        self.alerts = alerts


class HintsChanged(Newest):
    """Other keys matter now."""
