"""What is wrong with a board beyond its file: each query, read and checked as the engine would."""

from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.rulecheck import engine_of
from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.model.errors import MonitorError, QueryError, UnknownMetric
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.config.boards import Board
    from tui_monitor.query.engine import Engine

_LONGEST = 1_000


def wrong_with(context: Context, board: "Board") -> tuple[list[str], list[str]]:
    """What must be mended, each with file, line and place in the query; and what only has no data yet."""
    if board.problems:
        return list(board.problems), []
    problems: list[str] = []
    notes: list[str] = []
    with engine_of(context) as engine:
        for number, panel in enumerate(board.panels):
            for name, text in panel.asked.items():
                key = ("panels", number, "queries", name) if name else ("panels", number, "query")
                error = _wrong(engine, text)
                if isinstance(error, UnknownMetric) and not _misspelt(error):
                    notes.append(f"{board.where(key)}: {panel.title}: nobody has sent {error.name} yet")
                elif error is not None:
                    problems.append(f"{board.where(key)}: {panel.title}\n{_told(error)}")
    return problems, notes


def _wrong(engine: "Engine", text: str) -> MonitorError | None:
    from tui_monitor.query.filters.reading import is_filter
    from tui_monitor.query.variables import filled

    try:
        if is_filter(text):
            return QueryError(
                "this is a filter of calls, and a panel shows numbers", text=text, length=len(text),
                hint="write a query like requests{provider=\"openai\"}",
            )  # fmt: skip
        engine.check(filled(text, HOUR, MINUTE).text)
    except MonitorError as error:
        return error
    return None


def _misspelt(error: UnknownMetric) -> bool:
    from tui_monitor.alerts.rules import misspelt

    return misspelt(error)


def _told(error: MonitorError) -> str:
    said = error.pointed() if isinstance(error, QueryError) else error.message
    lines = [*said.splitlines(), *([error.hint] if error.hint else [])]
    # The spaces before the mark are what points at the place.
    return "\n".join(" " * (len(line) - len(line.lstrip(" "))) + clean(line, _LONGEST) for line in lines)
