"""`db`: what a person sees of the database's upkeep."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits


def test_sizes_are_told_by_layer(fed: Any) -> None:
    ran = fed("db", "--json")
    data = ran.json["data"]
    assert ran.code == 0
    assert {layer["name"]: layer["rows"] for layer in data["layers"]}["raw"] == 61
    assert data["used_bytes"] <= data["file_bytes"] + data["wal_bytes"]
    words = fed("db", "stats").out
    assert "raw" in words
    assert "cap reached" in words


def test_a_copy_and_the_way_back(fed: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    assert "61 calls" in fed("db", "backup", str(copy)).out
    assert fed("import", "undo", "first").code == 0
    ran = fed("db", "restore", str(copy))
    assert ran.code == 0
    assert "before-restore-1" in ran.out
    assert fed("query", "requests{} [30d] sum", "--json").json["data"]["result"][0]["value"][1] == "61"


def test_a_sound_database_and_a_damaged_one(fed: Any, tmp_path: Path) -> None:
    assert fed("db", "check").out.strip() == "the database is sound"
    copy = tmp_path / "copy.db"
    fed("db", "backup", str(copy))
    data = bytearray(copy.read_bytes())
    for page in range(9, len(data) // 4096, 2):
        data[page * 4096 : page * 4096 + 64] = b"\x07" * 64
    copy.write_bytes(data)
    ran = fed("--db", str(copy), "db", "check")
    assert ran.code == 1
    assert "restore" in ran.err


def test_a_damaged_page_is_named_and_not_copied(fed: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    fed("db", "backup", str(copy))
    with closing(sqlite3.connect(copy)) as conn:
        (page,) = conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'terms'").fetchone()
    data = bytearray(copy.read_bytes())
    # Its cells are said to lie where none can be.
    data[(page - 1) * 4096 + 8 : (page - 1) * 4096 + 16] = b"\x0f\xf0" * 4
    copy.write_bytes(data)
    ran = fed("--db", str(copy), "db", "check")
    assert ran.code == 1
    *named, count = ran.out.splitlines()
    assert "***" not in ran.out
    assert count.split()[0] == str(len(named))
    ran = fed("--db", str(copy), "db", "backup", str(tmp_path / "second.db"))
    assert ran.code == 1
    assert f"the database {copy} is damaged" in ran.err
    assert "no copy was kept" in ran.err
    assert "another copy" not in ran.err
    assert not (tmp_path / "second.db").exists()
    assert "use another copy" in fed("db", "restore", str(copy)).err


def test_a_dry_run_beside_damage_fails_and_changes_nothing(fed: Any, clock: ManualClock) -> None:
    path = Path(fed("db", "--json").json["data"]["path"])
    store = Store.open(path, write=True, clock=clock)
    store.seal(clock.now() + DAY, Limits(rows=100, head=0, age=0, identities=0))
    store.close()
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("UPDATE segment_columns SET data = x'00112233' WHERE name = 'booked'")
    ran = fed("db", "rebuild-rollups", "--dry-run")
    assert ran.code == 1
    assert "is damaged" in ran.err
    assert "was not compared" in ran.err
    assert "all the same" not in ran.out
    raw = {layer["name"]: layer["rows"] for layer in fed("db", "--json").json["data"]["layers"]}["raw"]
    assert raw == 61


def test_roll_ups_are_compared(fed: Any) -> None:
    ran = fed("db", "rebuild-rollups", "--dry-run")
    assert ran.code == 0
    assert "all the same" in ran.out
    assert fed("db", "rebuild-rollups", "--json").json["data"]["calls"] == 61


def test_space_is_given_back(fed: Any) -> None:
    data = fed("db", "compact", "--json").json["data"]
    assert data["after"] <= data["before"]


def test_calls_that_wait_are_packed_first(fed: Any, clock: ManualClock) -> None:
    path = Path(fed("db", "--json").json["data"]["path"])
    store = Store.open(path, write=True, clock=clock)
    try:
        calls = [Call("events:app", f"c{n}", clock.now() - DAY) for n in range(1 << 14)]
        store._writing.write(WriteBatch(calls=calls))
    finally:
        store.close()
    clock.advance(2 * HOUR)
    data = fed("db", "compact", "--json").json["data"]
    assert data["after"] < data["before"] / 2


def test_what_the_cap_took_is_told_apart_from_what_was_too_old(fed: Any, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TUI_MONITOR_RETENTION__SIZE", "1 kB")
    ran = fed("db", "compact")
    assert "; 0 rows were too old, " in ran.out
    assert "raw calls had to go for the cap of 1000 B" in ran.out
    assert "no raw calls are left to drop" in ran.err
    assert "cannot be met" in fed("db", "stats").out


def test_what_needs_the_database_alone_says_who_has_it(fed: Any, clock: ManualClock, tmp_path: Path) -> None:
    path = Path(fed("db", "--json").json["data"]["path"])
    copy = tmp_path / "copy.db"
    fed("db", "backup", str(copy))
    holder = Store.open(path, write=True, clock=clock)
    try:
        for words in (("compact",), ("rebuild-rollups",), ("restore", str(copy))):
            ran = fed("db", *words)
            assert ran.code == 1
            assert "stop the collector" in ran.err
        assert fed("db", "check").code == 0
        assert fed("db", "backup", str(tmp_path / "second.db")).code == 0
    finally:
        holder.close()


def test_without_a_database_nothing_is_made(cli: Any, tmp_path: Path) -> None:
    for words in (("stats",), ("check",), ("compact",), ("backup", str(tmp_path / "x.db"))):
        ran = cli("db", *words)
        assert ran.code == 1
        assert "no database yet" in ran.err
    assert not (tmp_path / "x.db").exists()


def test_a_person_is_forgotten_after_a_yes(fed: Any) -> None:
    ran = fed("db", "forget", "--user", "bob")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert fed("db", "audit").out.strip() == "nothing was done to the stored data"
    ran = fed("db", "forget", "--user", "bob", "--yes")
    assert ran.code == 0
    assert "20 calls" in ran.out
    assert "copies" in ran.err
    (entry,) = fed("db", "audit", "--json").json["data"]
    assert entry["detail"]["calls"] == 20
    assert "bob" not in fed("query", "requests{} [30d] sum by(user)").out
    assert "nothing is known" in fed("db", "forget", "--user", "bob", "--yes").out
