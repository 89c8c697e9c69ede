"""A store of its own for every test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_monitor.model.clock import ManualClock
from tui_monitor.store.database import Store

Opener = Callable[..., Store]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "data" / "monitor.db"


@pytest.fixture
def opener(path: Path, clock: ManualClock) -> Iterator[Opener]:
    """Opens the database; whatever is open at the end is closed."""
    opened: list[Store] = []

    def open_store(*, write: bool = True, zone: str = "UTC", **more: object) -> Store:
        store = Store.open(path, write=write, clock=clock, zone=zone, **more)  # type: ignore[arg-type]
        opened.append(store)
        return store

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener, empty_database: Path, path: Path) -> Store:
    """An empty database open for writing."""
    path.parent.mkdir()
    shutil.copy(empty_database, path)
    return opener()
