"""A database and a folder of transcripts for every test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tui_monitor.model.clock import ManualClock
from tui_monitor.store.database import Store


@pytest.fixture
def opener(empty_database: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Callable[[], Store]]:
    """Opens the database; what is open at the end is closed."""
    shutil.copy(empty_database, tmp_path / "monitor.db")
    opened: list[Store] = []

    def open_store() -> Store:
        opened.append(Store.open(tmp_path / "monitor.db", write=True, clock=clock))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Callable[[], Store]) -> Store:
    """An empty database open for writing."""
    return opener()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where transcripts lie."""
    folder = tmp_path / "projects"
    folder.mkdir()
    return folder
