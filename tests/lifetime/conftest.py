"""Dashboards in terminals, on one database; whatever is left at the end is ended."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lifetime.terminal import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "m.db"


@pytest.fixture
def terminal(database: Path) -> Iterator[Open]:
    """Opens terminals; the program in them uses `database`, and no port."""
    opened: list[Terminal] = []

    def start(*arguments: str, **options: Any) -> Terminal:
        quiet = {"TUI_MONITOR_SERVER__LISTEN": "", "TUI_MONITOR_COLLECTOR__FLUSH_INTERVAL": "20ms"}
        opened.append(Terminal("--db", str(database), *arguments, **{**quiet, **options}))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture(autouse=True)
def seen_the_tour(toured: None) -> None:
    """The dashboard opens without it."""
