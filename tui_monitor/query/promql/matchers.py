"""What the matchers of a selector take."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.regex import Pattern

Test = Callable[[str], bool]


@lru_cache(maxsize=64)
def pattern(text: str) -> Pattern:
    """The compiled pattern. Raises `PatternError`."""
    return Pattern(text)


def test(matcher: Matcher) -> Test:
    """Whether the matcher takes a value. Raises `PatternError` for a regular expression that is none."""
    wanted = matcher.value
    match matcher.op:
        case "=":
            return lambda value: value == wanted
        case "!=":
            return lambda value: value != wanted
    found = pattern(wanted)
    if matcher.op == "=~":
        return found.matches
    return lambda value: not found.matches(value)


def takes_empty(matcher: Matcher) -> bool:
    """Whether the matcher takes series that have no such label. Raises `PatternError`."""
    return test(matcher)("")


class Matching:
    """All matchers of one selector, each value of a label looked at once."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        self._tests = [(matcher.label, test(matcher)) for matcher in matchers]
        self._known: dict[tuple[int, str], bool] = {}

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels pass; a label that is not there is empty."""
        return all(
            self._passes(number, labels.get(label, "")) for number, (label, _) in enumerate(self._tests)
        )

    def _passes(self, number: int, value: str) -> bool:
        known = self._known.get((number, value))
        if known is None:
            known = self._known[number, value] = self._tests[number][1](value)
        return known
