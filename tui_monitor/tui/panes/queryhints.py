"""Which commands of the Query pane do nothing at a moment, so that the footer leaves them out."""

from tui_monitor.tui.panes.queryasking import CallsAnswer, QueryAnswer

_OF_ONE = ("query.older", "query.newer")
_OF_THE_ANSWER = (
    "query.ask", "query.detail", "query.view", "query.chart", "query.drawing", "query.explain", "query.pin",
)  # fmt: skip
_OF_NUMBERS = ("query.view", "query.chart", "query.drawing", "query.pin")


def on_call() -> tuple[str, ...]:
    """While one call is shown whole."""
    return (*_OF_THE_ANSWER, "query.pin_again")


def on_pinned() -> tuple[str, ...]:
    """While the pinned queries are to be seen."""
    return ("query.ask", "query.detail", "query.explain", *_OF_ONE)


def while_typing() -> tuple[str, ...]:
    """Besides all keys that are letters."""
    return ("query.detail", *_OF_ONE)


def on_answer(answer: QueryAnswer | CallsAnswer | None, *, table: bool) -> tuple[str, ...]:
    """With an answer, or with none yet."""
    nothing = ("query.leave", "query.ask", "query.pin_again", *_OF_ONE)
    if answer is None:
        return (*nothing, "query.detail", "query.explain", "query.save", *_OF_NUMBERS)
    if isinstance(answer, CallsAnswer):
        return (*nothing, *_OF_NUMBERS)
    return (*nothing, "query.detail", *(("query.chart", "query.drawing") if table else ()))
