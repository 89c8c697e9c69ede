"""Pilots that do not sleep for nothing."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet

PARSE = Stylesheet._parse_rules


@lru_cache(4096)
def rules_of(variables: frozenset[tuple[str, str]], *given: Any, **named: Any) -> list[RuleSet]:
    """The rules of a style sheet, which depend on nothing but its text and the theme's colours."""
    return PARSE(Stylesheet(variables=dict(variables)), *given, **named)


def parsed_before(sheet: Stylesheet, *given: Any, **named: Any) -> list[RuleSet]:
    """The same rules for every application."""
    return rules_of(frozenset(sheet._variables.items()), *given, **named)


@pytest.fixture(scope="session", autouse=True)
def style_sheets_parsed_once() -> Iterator[None]:
    """Each application parses every style sheet of the toolkit and ours, twice where a theme is set."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", parsed_before)
        yield


@pytest.fixture
def quick_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The toolkit waits 20 ms and more after every key; plain data comes at once."""
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.002)
