"""Fixtures for every test: a frozen clock, a private home, a database, and the shared data if it is there."""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from ssl import SSLContext
from typing import Any

import httpx
import pytest
from hypothesis import settings

from tests.examples import examples
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock, Micros, from_datetime
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

Put = Callable[..., None]
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
NOON = "2026-03-18T12:00:00+00:00"
"""The frozen moment: a Wednesday, away from any change of summer time."""

# The tests start hundreds of processes; without this each of them would compile the whole program.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# No deadline: how long an example takes depends on who else is at work.
settings.register_profile("examples", max_examples=examples(60), deadline=None)
settings.load_profile("examples")


def pytest_sessionstart(session: pytest.Session) -> None:
    """
    Processes that run side by side share the reading of the tests in a fresh clone.

    Each would compile every file, all at the same time. Each begins with its own part, and finds the
    rest compiled by the others.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        return
    given = (Path(argument.partition("::")[0]) for argument in session.config.args)
    files = sorted({file for path in given for file in (path, *path.rglob("test_*.py")) if file.is_file()})
    for file in files[int(worker.removeprefix("gw")) :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])]:
        if str(file.parent) not in sys.path:
            sys.path.insert(0, str(file.parent))
        # What is wrong with a file is told when it is its turn.
        with suppress(Exception):
            import_module(file.stem)


def pytest_collection_finish() -> None:
    """Thousands of test items live to the end: collecting garbage need not look at them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def fresh_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One after the other. Pytest's own would be looked for among those of all tests before."""
    base = tmp_path_factory.mktemp("each")
    return (base / str(number) for number in count())


@pytest.fixture
def tmp_path(fresh_folders: Iterator[Path]) -> Path:
    """A folder of the test's own."""
    path = next(fresh_folders)
    path.mkdir(mode=0o700)
    return path


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


@cache
def trusted(verify: Any, cert: Any, trust_env: bool, _said: tuple[str | None, ...]) -> SSLContext:
    """What a client trusts, read once: hundreds of clients would read all certificates of the world."""
    return httpx.create_ssl_context(verify, cert, trust_env)


@pytest.fixture(scope="session", autouse=True)
def certificates_read_once() -> Iterator[None]:
    """As long as the environment names the same ones."""

    def context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> SSLContext:
        said = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return trusted(verify, cert, trust_env, said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", context)
        yield


@pytest.fixture
def toured(private_home: Path) -> None:
    """Whoever opens the dashboard has seen the tour."""
    folder = private_home / "state" / "tui-monitor"
    folder.mkdir(mode=0o700, parents=True)
    (folder / "toured").touch()


@pytest.fixture
def clock() -> ManualClock:
    """A clock that stands at `NOON`."""
    return ManualClock(from_datetime(datetime.fromisoformat(NOON)))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the newest form, to be copied: making one takes several times as long."""
    path = tmp_path_factory.mktemp("empty") / "monitor.db"
    Store.open(path, write=True, clock=ManualClock(from_datetime(datetime.fromisoformat(NOON)))).close()
    return path


@pytest.fixture
def store(empty_database: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Store]:
    """An empty database, open for writing."""
    path = tmp_path / "monitor.db"
    shutil.copy(empty_database, path)
    store = Store.open(path, write=True, clock=clock)
    yield store
    store.close()


@pytest.fixture
def engine(store: Store) -> LocalEngine:
    """The query engine over it, with UTC days."""
    return LocalEngine(store, Calendar())


@pytest.fixture
def put(store: Store) -> Put:
    """Store so many calls of one provider and outcome, all booked at one instant."""
    keys = count()

    def put(at: Micros, provider: str, calls: int = 1, category: str | None = None, **fields: object) -> None:
        status = "error" if category else "success"
        known = {"status": status, "error_category": category, "latency_ms": 900.0, **fields}
        store.write(
            WriteBatch(
                [Call("test", str(next(keys)), ts_end=at, provider=provider, **known) for _ in range(calls)]
            )
        )

    return put


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the repository."""
    if not (SHARED / "data").is_dir():
        pytest.skip("the shared data folder is not beside this repository")
    return SHARED
