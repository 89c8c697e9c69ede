"""Files of what a person did: whole, private, bounded, and never in the way."""

import stat
import threading
from pathlib import Path

from tui_monitor.config import kept, places
from tui_monitor.tui.panes.querykept import asked_before, remember_asked
from tui_monitor.tui.widgets.recall import REMEMBERED


def test_what_was_asked_is_there_next_time() -> None:
    for text in ("latency", 'cost{model="日本"}\n[1h]', "latency"):
        remember_asked(text)
    assert asked_before() == ['cost{model="日本"}\n[1h]', "latency"]
    assert stat.S_IMODE(places.asked_file().stat().st_mode) == 0o600
    for number in range(REMEMBERED + 5):
        remember_asked(f"m{number}")
    remember_asked("x" * 5_000)
    assert len(asked_before()) == REMEMBERED
    assert asked_before()[-1] == f"m{REMEMBERED + 4}"
    assert [path.name for path in places.state_dir().iterdir()] == [places.asked_file().name]


def test_two_windows_lose_nothing_of_each_other() -> None:
    threads = [threading.Thread(target=remember_asked, args=(f"q{n}",)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(asked_before()) == sorted(f"q{n}" for n in range(20))


def test_what_cannot_be_read_is_left_out() -> None:
    places.asked_file().write_bytes(b'"a"\nnonsense\n\xff\xfe\n7\n{"x": 1}\n"b"\n""\n')
    assert asked_before() == ["a", "b"]
    remember_asked("c")
    assert asked_before() == ["a", "b", "c"]


def test_where_nothing_can_be_written_nothing_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("")
    kept.change(folder / "x", lambda known: [*known, 1])
    assert kept.read(folder / "x") == []
    assert kept.read(tmp_path) == []
