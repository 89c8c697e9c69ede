"""The XDG rules, and that only the owner gets in."""

import os
import stat
from pathlib import Path

import pytest
from platformdirs.unix import Unix

from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A home without any XDG variable."""
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{name}_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    return Path.home()


def test_places_are_those_of_platformdirs(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = Unix("tui-monitor", appauthor=False)
    for _ in range(2):
        assert places.config_file().parent == theirs.user_config_path
        assert places.data_dir() == theirs.user_data_path
        assert places.state_dir() == theirs.user_state_path
        assert places.runtime_dir() == theirs.user_runtime_path
        for name in ("CONFIG", "DATA", "STATE"):
            monkeypatch.setenv(f"XDG_{name}_HOME", str(bare / "other" / name))


def test_a_relative_directory_is_ignored(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "here")
    assert places.data_dir() == bare / ".local" / "share" / "tui-monitor"


def test_folders_are_for_the_owner_alone() -> None:
    for folder in (places.data_dir(), places.state_dir(), places.runtime_dir()):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not places.config_file().parent.exists()


def test_a_database_has_one_socket_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The folders of tests are deeper than a socket's path may be.
    monkeypatch.setattr(places, "_LONGEST_SOCKET", 1000)
    database = tmp_path / "some.db"
    database.touch()
    link = tmp_path / "link.db"
    link.symlink_to(database)
    monkeypatch.chdir(tmp_path)
    path = places.socket_path(database)
    assert path == places.socket_path(link) == places.socket_path(Path("some.db"))
    assert path != places.socket_path(tmp_path / "other.db")
    assert path.parent == places.runtime_dir()
    assert path.name.startswith("some-")


def test_a_socket_path_is_never_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    path = places.socket_path(tmp_path / ("ü" * 100 + ".db"))
    assert len(os.fsencode(path)) <= 100
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_runtime_folder_that_somebody_else_prepared_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "absent"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    trap = tmp_path / f"tui-monitor-{os.getuid()}"
    trap.mkdir()
    trap.chmod(0o777)
    with pytest.raises(MonitorError, match="not a private folder"):
        places.runtime_dir()
    trap.chmod(0o700)
    assert places.runtime_dir() == trap


def test_a_home_that_cannot_be_written_to_is_no_reason_to_fall_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/proc/nowhere")
    assert places.database_file() == Path("/proc/nowhere/tui-monitor/monitor.db")


def test_folders_above_are_private_too(tmp_path: Path) -> None:
    """Or who removes a folder under a running program finds it made anew for everybody to enter."""
    before = os.umask(0o022)
    try:
        made = places.private(tmp_path / "one" / "two" / "three")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (made, made.parent, made.parent.parent)] == [0o700] * 3
    places.make(made)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        places.make(tmp_path / "file" / "below")
