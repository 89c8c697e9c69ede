"""Fixtures for every test: a frozen clock, a private home, and the shared data where it is present."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_monitor.model.clock import ManualClock, from_datetime

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NOON = "2026-03-18T12:00:00+00:00"
"""The frozen moment: a Wednesday, away from any change of summer time."""


@pytest.fixture(autouse=True)
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test reads or writes the developer's own configuration, data or keys."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    for name in list(os.environ):
        if name.startswith("TUI_MONITOR_") or name in ("DAILY_BUDGET", "NO_COLOR"):
            monkeypatch.delenv(name)
    return home


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at `NOON`."""
    from datetime import datetime

    return ManualClock(from_datetime(datetime.fromisoformat(NOON)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder is not beside this repository")
    return SHARED
