"""Databases with days of several zones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_monitor.model.clock import ManualClock
from tui_monitor.store.database import Store

MakeStore = Callable[..., Store]


@pytest.fixture
def make_store(tmp_path: Path, clock: ManualClock) -> Iterator[MakeStore]:
    """Opens stores whose days are cut in a zone; all are closed at the end."""
    opened: list[Store] = []

    def make(zone: str = "UTC") -> Store:
        store = Store.open(tmp_path / f"{len(opened)}.db", write=True, clock=clock, zone=zone)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()
