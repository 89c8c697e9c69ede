"""`$__range`, `$__interval` and `$__rate_interval` in a query, by Grafana's names.

https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/#global-variables

They stand for what is looked at: the shared time range and the length of one step.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from tui_monitor.model.clock import MS, SECOND, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.query.language import nearest
from tui_monitor.query.promql import durations
from tui_monitor.query.result import Result

SAMPLED: Micros = 15 * SECOND
"""Between two samples of a counter of calls, and usually of what is scraped."""
NAMES: dict[str, str] = {
    "__range": "the time range that is shown",
    "__interval": "the length of one step of a chart",
    "__rate_interval": "a range in which a rate has samples enough, at least a step and one sample more",
}
"""Each also as a number: `$__range_s` in seconds, `$__range_ms` in milliseconds."""

_NAME = re.compile(r"\$(?:\{(__\w+)\}|(__\w+))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filled:
    """A query with its variables filled in."""

    text: str
    pieces: tuple[tuple[int, int, int], ...]
    """Of each variable: where it stands in the original, its length there, and that of what it became."""

    def place(self, position: int, length: int) -> tuple[int, int]:
        """A place of the text as position and length in the original."""
        start, end = self._at(position, end=False), self._at(position + length, end=True)
        return start, max(1, end - start)

    def _at(self, position: int, *, end: bool) -> int:
        moved = 0
        for start, before, after in self.pieces:
            at = start + moved
            if position <= at:
                break
            if position < at + after:
                # Within a variable the whole of it is meant.
                return start + before if end else start
            moved += after - before
        return position - moved


def filled(text: str, length: Micros, step: Micros) -> Filled:
    """The query with the variables of a range of `length` and its `step` (µs).

    Raises `QueryError` for a variable that there is not.
    """
    known = _values(length, step)
    out: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    reached = 0
    for match in _NAME.finditer(text):
        name = match[1] or match[2]
        if name not in known:
            meant = nearest(name, known)
            asked = f", did you mean ${meant}?" if meant else ""
            raise QueryError(
                f"unknown variable ${name}{asked}", text=text, position=match.start(), length=len(match[0]),
                hint="there are $__range, $__interval and $__rate_interval, each with _s and _ms too",
            )  # fmt: skip
        out += (text[reached : match.start()], known[name])
        pieces.append((match.start(), len(match[0]), len(known[name])))
        reached = match.end()
    return Filled("".join((*out, text[reached:])), tuple(pieces))


def _values(length: Micros, step: Micros) -> dict[str, str]:
    lengths = {
        "__range": length,
        "__interval": step,
        "__rate_interval": max(step + SAMPLED, 4 * SAMPLED),
    }
    found: dict[str, str] = {}
    for name, micros in lengths.items():
        whole = max(MS, round(micros / MS) * MS)
        found[name] = durations.written(whole)
        found[f"{name}_s"] = str(max(1, round(whole / SECOND)))
        found[f"{name}_ms"] = str(whole // MS)
    return found


def answered(text: str, length: Micros, step: Micros, ask: Callable[[str], Result]) -> Result:
    """What is answered to the query with its variables filled in; errors point into it as written.

    Raises what `ask` raises, and `QueryError` for a variable that there is not.
    """
    if "$" not in text:
        return ask(text)
    question = filled(text, length, step)
    try:
        return replace(ask(question.text), query=text)
    except QueryError as error:
        if error.text == question.text:
            error.text = text
            error.position, error.length = question.place(error.position, error.length)
        raise
