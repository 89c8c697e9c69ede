"""Files that grow, shrink, move, vanish and break while they are tailed."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from agent_run import AgentRun
from claude_lines_made import PROJECT, answer, dump

from tui_monitor.sources.agents import folders, lines, logs
from tui_monitor.sources.agents.folders import Folders
from tui_monitor.sources.agents.lines import pieces
from tui_monitor.sources.agents.place import Place
from tui_monitor.store.database import Store


def call(number: int, out: int = 1, size: int = 10) -> bytes:
    """A line of one call."""
    said = {"content": [{"type": "text", "text": "x" * size}]}
    return dump(answer(f"m{number}", f"r{number}", (0, 0, 0, out), message_more=said))


def append(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(data)


@pytest.fixture
def path(root: Path) -> Path:
    """A transcript."""
    return root / PROJECT / "s-1.jsonl"


def outputs(run: AgentRun) -> int:
    return run.sums()["output"]


def test_what_was_read_is_not_read_again_after_a_restart(path: Path, root: Path, store: Store) -> None:
    append(path, call(1, size=100_000))
    AgentRun(store, root).step()
    append(path, call(2, out=2))
    run = AgentRun(store, root)
    run.step()
    assert outputs(run) == 3
    assert run.read_bytes < 1_000


def test_half_a_line_waits_for_its_other_half(path: Path, root: Path, store: Store) -> None:
    run = AgentRun(store, root)
    line = call(1, out=5)
    for byte in range(0, len(line), 100):
        append(path, line[byte : byte + 100])
        run.step()
        run.restart()
    assert outputs(run) == 5
    assert run.problems == []


def test_a_last_line_without_end_is_taken_when_nothing_more_comes(
    path: Path, root: Path, store: Store
) -> None:
    run = AgentRun(store, root)
    append(path, call(1, out=5).rstrip())
    run.step()
    assert outputs(run) == 0
    run.settle()
    assert outputs(run) == 5
    append(path, b"\n" + call(2, out=7))
    run.step()
    assert outputs(run) == 12
    append(path, call(3)[:50])
    run.settle()
    assert run.problems == []


def test_a_file_that_shrank_is_read_from_its_start(path: Path, root: Path, store: Store) -> None:
    append(path, call(1) + call(2) + call(3))
    run = AgentRun(store, root)
    run.step()
    path.write_bytes(call(4, out=10))
    run.step()
    assert outputs(run) == 13
    assert len(run.problems) == 1
    assert "shrank" in run.problems[0]


def test_a_replaced_file_is_noticed_although_inode_and_size_tell_nothing(
    path: Path, root: Path, store: Store
) -> None:
    append(path, call(1))
    run = AgentRun(store, root)
    run.step()
    inode = path.stat().st_ino
    with path.open("r+b") as file:
        file.write(call(2, out=10) + call(3, out=100))
    assert path.stat().st_ino == inode
    run.restart()
    run.step()
    assert outputs(run) == 111
    assert "another file" in run.problems[0]


def test_a_rewritten_middle_is_noticed_by_what_stood_before_the_offset(
    path: Path, root: Path, store: Store
) -> None:
    same = call(1, size=3_000)
    append(path, same + call(2))
    run = AgentRun(store, root)
    run.step()
    path.write_bytes(same + call(3, out=10, size=500) + call(4, out=100))
    run.step()
    assert outputs(run) == 112


def test_rotation(path: Path, root: Path, store: Store) -> None:
    """The old file goes on under its new name, where it was left off."""
    append(path, call(1, size=50_000))
    run = AgentRun(store, root)
    run.step()
    path.rename(path.with_name("archived.jsonl"))
    append(path, call(2, out=10))
    append(path.with_name("archived.jsonl"), call(3, out=100))
    read = run.read_bytes
    run.settle()
    assert outputs(run) == 111
    path.rename(root / PROJECT / "moved-while-off.jsonl")
    run.restart()
    run.step()
    assert outputs(run) == 111
    assert run.read_bytes - read < 5_000


def test_a_vanished_file_is_forgotten_and_what_it_brought_stays(path: Path, root: Path, store: Store) -> None:
    other = path.with_name("s-2.jsonl")
    append(path, call(1))
    append(other, call(2))
    run = AgentRun(store, root)
    run.step()
    path.unlink()
    run.settle()
    other.unlink()
    run.restart()
    run.step()
    assert store.offsets("claude-code:") == {}
    assert outputs(run) == 2
    append(path, call(1) + call(3))
    run.settle()
    assert outputs(run) == 3


def test_a_folder_that_is_gone_for_a_while_is_not_forgotten(path: Path, root: Path, store: Store) -> None:
    """Such as a disk that is not mounted."""
    append(path, call(1, size=50_000))
    run = AgentRun(store, root)
    run.step()
    root.rename(root.with_name("away"))
    run.settle()
    run.restart()
    run.settle()
    root.with_name("away").rename(root)
    read = run.read_bytes
    append(path, call(2))
    run.settle()
    assert outputs(run) == 2
    assert run.read_bytes - read < 5_000


def test_a_line_without_end_in_bounded_memory(
    path: Path, root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is passed over piece by piece, and over restarts; what stands before and behind is read."""
    monkeypatch.setattr(lines, "MAX_LINE", 50_000)
    monkeypatch.setattr(lines, "BLOCK", 4_000)
    monkeypatch.setattr(lines.pieces, "__defaults__", (None, 50_000))
    run = AgentRun(store, root)
    append(path, call(1))
    for _ in range(20):
        append(path, b"z" * 40_000)
        run.step()
        run.restart()
    assert run.read_bytes < 1_000_000
    append(path, b"\n" + call(2, out=10))
    run.step()
    assert outputs(run) == 11
    assert [problem for problem in run.problems if "longer than" in problem] == run.problems
    assert len(run.problems) == 1


def test_a_long_line_is_passed_over_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a\n" + b"b" * (3 << 20) + b"\nc\n" + b"d" * 10)
    with path.open("rb", buffering=0) as file:
        found = list(pieces(file, 0, max_line=1 << 20))
    assert [piece.block.data for piece in found if piece.block] == [b"a\n", b"c\n"]
    assert [piece.bad[0] for piece in found if piece.bad] == [2]
    assert found[-1].end == path.stat().st_size - 10
    assert max(after.end - before.end for before, after in pairwise(found)) <= lines.BLOCK


def test_lines_of_some_megabytes_are_read(path: Path, root: Path, store: Store) -> None:
    append(path, call(1, size=5 << 20) + call(2, out=10))
    run = AgentRun(store, root)
    run.step()
    assert (outputs(run), run.problems) == (11, [])


def test_windows_ends_and_blank_lines(path: Path, root: Path, store: Store) -> None:
    append(path, call(1).replace(b"\n", b"\r\n") + b"\r\n\n  \n" + call(2))
    run = AgentRun(store, root)
    run.step()
    assert (outputs(run), run.problems) == (2, [])


def test_links_are_followed_once_and_loops_end(path: Path, root: Path, store: Store) -> None:
    append(path, call(1))
    (path.parent / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "dangling.jsonl").symlink_to(root / "nothing")
    (root / "again.jsonl").symlink_to(path)
    elsewhere = root.parent / "elsewhere"
    append(elsewhere / "deep" / "s.jsonl", call(2))
    (root / "linked").symlink_to(elsewhere)
    run = AgentRun(store, root)
    run.step()
    assert outputs(run) == 2
    assert len([tail for tail in run.logs._tails.values() if tail.place.offset]) == 2
    assert len(run.logs.files()) <= 5


def test_what_is_no_file_is_left_alone(path: Path, root: Path, store: Store) -> None:
    append(path, call(1))
    os.mkfifo(path.with_name("pipe.jsonl"))
    (path.parent / "folder.jsonl").mkdir()
    run = AgentRun(store, root)
    run.step()
    assert (outputs(run), run.problems) == (1, [])


def test_unreadable_folders_and_files_are_told_once_and_read_when_they_can_be(
    path: Path, root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(path, call(1))
    closed = root / "closed"
    append(closed / "s.jsonl", call(2))
    shut = root / PROJECT / "shut.jsonl"
    append(shut, call(3))
    scandir, opened = os.scandir, Path.open

    def refuse_folder(where: Path) -> object:
        if Path(where) == closed:
            raise PermissionError(13, "Permission denied")
        return scandir(where)

    def refuse_file(self: Path, *args: object, **more: object) -> object:
        if self == shut:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **more)  # type: ignore[call-overload]

    with monkeypatch.context() as patched:
        patched.setattr(folders.os, "scandir", refuse_folder)
        patched.setattr(Path, "open", refuse_file)
        run = AgentRun(store, root)
        run.settle()
        assert outputs(run) == 1
        assert sorted(run.problems) == [
            f"{shut}: Permission denied", f"{closed}: Permission denied"
        ]  # fmt: skip
        assert len(run.logs.broken) == 2
    run.settle()
    assert outputs(run) == 3
    assert run.logs.broken == {}


def test_a_new_file_is_found_beside_known_ones_within_one_look(path: Path, root: Path, store: Store) -> None:
    append(path, call(1))
    run = AgentRun(store, root)
    run.settle()
    for number in range(2, 30):
        append(root / f"project-{number % 3}" / f"s-{number}.jsonl", call(number))
        run.step()
        assert outputs(run) == number


def test_a_folder_that_became_another_is_listed_anew(tmp_path: Path) -> None:
    root = tmp_path / "logs"
    append(root / "a" / "x.jsonl", b"\n")
    found = Folders([root], lambda place: "lines", lambda place: True)
    found.look()
    (root / "a").rename(tmp_path / "a")
    append(root / "a" / "y.jsonl", b"\n")
    found.look()
    assert [file.place for file in found.files.values()] == ["a/y.jsonl"]
    (root / "a" / "y.jsonl").unlink()
    (root / "a").rmdir()
    found.look()
    assert not found.files


def test_no_more_folders_than_the_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MAX_FOLDERS", 3)
    monkeypatch.setattr(folders, "MAX_FILES", 4)
    for number in range(6):
        append(tmp_path / "logs" / f"f{number}" / "x.jsonl", b"\n")
        append(tmp_path / "logs" / f"y{number}.jsonl", b"\n")
    found = Folders([tmp_path / "logs"], lambda place: "lines", lambda place: True)
    found.look()
    assert found.full
    assert len(found.files) <= 4


def test_a_place_survives_as_text() -> None:
    place = Place(7, 12, "ab", "", 3, {"n": [1]})
    assert Place.load(place.dump()) == place
    assert Place.load(Place(7).dump()) == Place(7)
    for text in ("", "[]", "{}", "nonsense", '{"ino": "x", "at": 1}'):
        assert Place.load(text) is None


def test_a_damaged_place_is_no_place(path: Path, root: Path, store: Store) -> None:
    append(path, call(1))
    run = AgentRun(store, root)
    run.step()
    [key] = store.offsets("claude-code:")
    from tui_monitor.recorder.commit import commit

    commit(store, [], offsets={key: '{"at": 999999999999, "ino": 1}'})
    run.restart()
    run.step()
    assert outputs(run) == 1


class Slow:
    """A clock by which every look takes a minute."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> int:
        return 0

    def monotonic(self) -> float:
        self.seconds += 60
        return self.seconds


def test_a_file_that_rested_is_looked_at_soon_on_a_busy_machine(
    path: Path, root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "HOT", 0)
    append(path, call(1))
    run = AgentRun(store, root)
    run.logs = logs.Logs(run.adapter, [root], Slow())
    run.step()
    append(path, call(2, out=10))
    run.step()
    assert outputs(run) == 11
