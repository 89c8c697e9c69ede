"""A real store and an engine over it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import ManualClock
from tui_monitor.query.local import LocalEngine
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


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    """An empty store in UTC."""
    return make_store()


@pytest.fixture
def engine(store: Store) -> LocalEngine:
    """The engine over `store`, with UTC days."""
    return LocalEngine(store, Calendar())
