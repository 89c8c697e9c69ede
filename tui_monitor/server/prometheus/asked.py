"""What a request to the Prometheus API asks: its parameters, in the URL or in a form. All raise `Refusal`."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from starlette.requests import Request

from tui_monitor.model.clock import MS, SECOND, Micros, from_datetime
from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql import durations
from tui_monitor.query.promql.ast import Expr, Matcher, Selector
from tui_monitor.query.promql.matchers import takes_empty
from tui_monitor.query.promql.parser import parsed
from tui_monitor.query.promql.quoting import quoted
from tui_monitor.server.refusal import Refusal

MOST_STEPS = 11_001
"""Instants of a range: 11,000 steps between them, as in Prometheus."""
_MOST_FIELDS = 10_000
_FORM = "application/x-www-form-urlencoded"
_TOO_FINE = (
    "exceeded maximum resolution of 11,000 points per timeseries. "
    "Try decreasing the query resolution (?step=XX)"
)


def bad(error: str) -> Refusal:
    """A request that cannot be understood."""
    return Refusal(400, "bad_data", error)


def bad_parameter(name: str, error: str) -> Refusal:
    """A parameter that cannot be understood, in Prometheus's words."""
    return bad(f"invalid parameter {quoted(name)}: {error}")


@dataclass(frozen=True, slots=True)
class Steps:
    """The instants of a range query, µs."""

    start: Micros
    end: Micros
    step: Micros


class Asked:
    """The parameters of one request. Of those that may come once the first counts."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = defaultdict(list)
        for name, value in fields:
            self._values[name].append(value)

    def text(self, name: str) -> str:
        """Its value; empty where it is not there."""
        return next(iter(self._values.get(name, ())), "")

    def all(self, name: str) -> list[str]:
        """All its values."""
        return self._values.get(name, [])

    def instant(self, name: str, default: Micros) -> Micros:
        """A time, or the default where none is given."""
        if not self.text(name):
            return default
        try:
            return _instant(self.text(name))
        except ValueError as error:
            raise bad_parameter(name, f"Invalid time value for '{name}': {error}") from None

    def duration(self, name: str) -> Micros | None:
        """A length of time; `None` where none is given."""
        if not self.text(name):
            return None
        return self._parsed_duration(name)

    def limit(self) -> int:
        """Most that are wanted; 0 for all."""
        text = self.text("limit")
        if not text:
            return 0
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise bad_parameter("limit", f"cannot parse {quoted(text)} to a number that is not negative")
        return int(text)

    def steps(self) -> Steps:
        """The range of a range query."""
        start, end = self._needed("start"), self._needed("end")
        if end < start:
            raise bad_parameter("end", "end timestamp must not be before start time")
        step = self._parsed_duration("step") // MS * MS
        if step <= 0:
            words = "zero or negative query resolution step widths are not accepted. Try a positive integer"
            raise bad_parameter("step", words)
        if (end - start) // step >= MOST_STEPS:
            raise bad(_TOO_FINE)
        return Steps(start, end, step)

    def expression(self) -> tuple[str, Expr]:
        """The query and its tree."""
        text = self.text("query")
        return text, tree_of(text, "query")

    def selectors(self) -> list[tuple[Matcher, ...]]:
        """The matchers of each `match[]`."""
        return [_matchers(text) for text in self.all("match[]")]

    def _needed(self, name: str) -> Micros:
        try:
            return _instant(self.text(name))
        except ValueError as error:
            raise bad_parameter(name, str(error)) from None

    def _parsed_duration(self, name: str) -> Micros:
        text = self.text(name)
        try:
            length = _number(text) * SECOND
        except ValueError:
            found = durations.parsed(text)
            if found is None:
                raise bad_parameter(name, f"cannot parse {quoted(text)} to a valid duration") from None
            return found
        if not abs(length) <= durations.GREATEST:
            raise bad_parameter(name, f"cannot parse {quoted(text)} to a valid duration. It overflows int64")
        return round(length)


async def asked(request: Request) -> Asked:
    """The parameters of a request; those of a form go before those of the URL."""
    fields: list[tuple[str, str]] = []
    if request.method == "POST" and _is_form(request):
        try:
            fields = _fields((await request.body()).decode("ascii"))
        except UnicodeDecodeError:
            raise bad("error parsing form values: it is not ASCII") from None
    return Asked(fields + _fields(request.url.query))


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def _fields(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise bad(f"error parsing form values: {error}") from None


def tree_of(text: str, name: str) -> Expr:
    """The tree of the expression in a parameter."""
    try:
        return parsed(text)
    except QueryError as error:
        raise bad_parameter(name, parse_error(error, text)) from None


def parse_error(error: QueryError, text: str) -> str:
    """Line and column, and what is wrong there."""
    before = text[: error.position]
    line, column = before.count("\n") + 1, error.position - (before.rfind("\n") + 1) + 1
    hint = f" ({error.hint})" if error.hint else ""
    return f"{line}:{column}: parse error: {error.message}{hint}"


def _matchers(text: str) -> tuple[Matcher, ...]:
    tree = tree_of(text, "match[]")
    if not isinstance(tree, Selector) or tree.offset or tree.at is not None or tree.edges:
        raise bad_parameter("match[]", "1:1: parse error: only a selector of series is taken")
    if all(takes_empty(one) for one in tree.tests()):
        raise bad_parameter("match[]", "match[] must contain at least one non-empty matcher")
    return tree.tests()


def _instant(text: str) -> Micros:
    """An instant in seconds or RFC 3339, to the ms. Raises `ValueError`."""
    try:
        moment = _number(text) * SECOND
    except ValueError:
        try:
            found = datetime.fromisoformat(text)
            moment = from_datetime(found if found.tzinfo else found.replace(tzinfo=UTC)) // MS * MS
        except (ValueError, OverflowError):
            raise ValueError(f"cannot parse {quoted(text)} to a valid timestamp") from None
    if not abs(moment) <= durations.GREATEST:
        if moment != moment:
            raise ValueError(f"cannot parse {quoted(text)} to a valid timestamp")
        # The ends of time, as some clients write them.
        return durations.GREATEST if moment > 0 else -durations.GREATEST
    return round(moment / MS) * MS


def _number(text: str) -> float:
    if "_" in text or text != text.strip():
        raise ValueError(text)
    return float(text)
