"""Which label values a matcher takes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.model.providers import canonical
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.regex import Pattern, PatternError
from tui_monitor.store.api import LabelColumn, LabelTest

Test = Callable[[str], bool]


class Matching:
    """The matchers of one selector, ready to be applied. Providers answer to their other names too."""

    def __init__(self, matchers: Sequence[Matcher], aliases: Mapping[str, str], text: str) -> None:
        """Raises `QueryError` for a regular expression that is none."""
        self._tests: dict[str, list[Test]] = {}
        self.equal: dict[str, str] = {}
        """Labels that must have one value."""
        for matcher in matchers:
            label = aliases.get(matcher.label, matcher.label)
            self._tests.setdefault(label, []).append(_test(matcher, label, text))
            if matcher.op == "=":
                self.equal.setdefault(label, _named(label, matcher.value))

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels that are looked at."""
        return tuple(self._tests)

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether one set of labels passes; a label that is not there is empty."""
        return all(self._passes(label, labels.get(label, "")) for label in self._tests)

    def tests(self) -> list[LabelTest]:
        """The same for the store, which looks at each value of a label once."""
        return [
            LabelTest(
                label,
                lambda value, label=label: self._passes(label, value),
                # A provider is stored under whatever name it came with; and one value may fail another test.
                self.equal.get(label, "") if label != "provider" and len(tests) == 1 else "",
            )
            for label, tests in self._tests.items()
        ]

    def rows(self, columns: Mapping[str, LabelColumn], count: int) -> np.ndarray:
        """Which of `count` rows pass."""
        kept = np.ones(count, dtype=bool)
        for label in self._tests:
            column = columns[label]
            values = [self._passes(label, value or "") for value in column.values]
            kept &= np.array(values, dtype=bool)[column.codes] if values else False
        return kept

    def _passes(self, label: str, value: str) -> bool:
        return all(test(value) for test in self._tests[label])


def _named(label: str, value: str) -> str:
    return canonical(value) if label == "provider" else value


def _test(matcher: Matcher, label: str, text: str) -> Test:
    if matcher.op in ("=", "!="):
        wanted = _named(label, matcher.value)
        if matcher.op == "=":
            return lambda value: _named(label, value) == wanted
        return lambda value: _named(label, value) != wanted
    try:
        pattern = Pattern(matcher.value)
    except PatternError as error:
        raise QueryError(
            f"not a regular expression: {error}",
            text=text,
            position=matcher.place.start,
            length=matcher.place.length,
        ) from None
    if matcher.op == "=~":
        return pattern.matches
    return lambda value: not pattern.matches(value)
