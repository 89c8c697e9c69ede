"""Any table, and our own lines: mapping, odd files, and every row that cannot be taken."""

import gc
import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.sources.imports.conftest import RunImport, totals
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Record
from tui_monitor.model.timerange import Span
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.sources.imports import (
    DrySink,
    ImportFailure,
    ImportOptions,
    Progress,
    StoreSink,
    Written,
    chunks,
    run_import,
)
from tui_monitor.sources.imports.identity import Occurrences, digest
from tui_monitor.store.database import Store

Write = Callable[[str, str], Path]
TIME = "2026-03-18T10:00:00Z"


def test_columns_by_our_names(write: Write, store: Store, load: RunImport) -> None:
    path = write("a.csv", (
        "ts,provider,model,user,input_tokens,cache_read_tokens,output_tokens,latency_ms,status,cost_usd,team_id\n"
        f"{TIME},openai,gpt-5,ann,1000,400,50,812.5,ok,0.5,007\n"
        f"{TIME},openai,gpt-5,,10,,,,error,,8\n"
    ))  # fmt: skip
    summary = load(path)
    assert (summary.format, summary.stored) == ("csv", 2)
    got = totals(store)
    assert (got["input"], got["output"], got["latency"]) == (1010, 50, 812_500)
    assert got["cost"] == 500_000_000 + 10 * 1250
    assert store.label_values("user") == ["ann"]
    assert store.label_values("team_id") == ["007", "8"]


def test_mapped_columns_defaults_and_labels(write: Write, store: Store, load: RunImport) -> None:
    path = write("a.csv", f"when;in;out;secs;who\n{TIME};1000;50;1.5;ann\n1773828000;1;1;;\n")
    summary = load(
        path, provider="claude", model="claude-sonnet-4-5", labels={"project": "search", "tier": "gold"},
        columns={"ts_end": "when", "input_tokens": "in", "output_tokens": "out", "latency_s": "secs",
                 "user": "who"},
    )  # fmt: skip
    assert (summary.stored, summary.unpriced) == (2, 0)
    assert store.label_values("provider") == ["anthropic"]
    assert (store.label_values("project"), store.label_values("tier")) == (["search"], ["gold"])
    assert totals(store)["latency"] == 1_500_000


def test_an_id_column_is_the_identity(write: Write, store: Store, load: RunImport) -> None:
    load(write("a.csv", f"id,ts,input_tokens\nr1,{TIME},5\nr2,{TIME},5\n"))
    summary = load(write("b.csv", f"id,ts,input_tokens\nr2,{TIME},7\nr3,{TIME},5\n"))
    assert (summary.stored, summary.corrected) == (1, 1)
    assert totals(store)["input"] == 17


def test_equal_rows_count(write: Write, store: Store, load: RunImport) -> None:
    row = f"{TIME},5\n"
    assert load(write("a.csv", "ts,input_tokens\n" + row * 3)).stored == 3
    summary = load(write("b.csv", "ts,input_tokens\n" + row * 5))
    assert (summary.known, summary.stored) == (3, 2)
    assert totals(store)["input"] == 25


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"input_tokenz": "in"}, ["input_tokenz", "'input_tokens'"]),
        ({"ts": "wehn"}, ["'wehn'", "'when'"]),
        ({}, ["time", "when"]),
    ],
)
def test_a_mapping_that_fits_nothing(
    write: Write, load: RunImport, store: Store, columns: dict[str, str], words: list[str]
) -> None:
    path = write("a.csv", f"when,in\n{TIME},5\n")
    with pytest.raises(ImportFailure) as caught:
        load(path, format="csv", columns=columns)
    told = f"{caught.value.message} {caught.value.hint}"
    for word in [str(path), *words]:
        assert word in told
    assert store.imports() == []


def test_bad_rows_are_named_by_line_and_the_rest_is_kept(write: Write, store: Store, load: RunImport) -> None:
    path = write("a.csv", (
        "ts,input_tokens,model\n"
        f"{TIME},1,a\n"
        "\n"
        f"{TIME},-2,b\n"
        f"{TIME},many,c\n"
        f"{TIME},3\n"
        "2026-03-19T00:00:00Z,4,d\n"
        f"{TIME},5," + "x" * 1_500_000 + "\n"
        f"{TIME},6,\"one\ntwo\"\n"
        f"{TIME},7,e"
    ))  # fmt: skip
    summary = load(path)
    assert (summary.stored, summary.rejected, summary.rows) == (3, 5, 8)
    told = dict(summary.files[0].rejections)
    assert sorted(told) == [4, 5, 6, 7, 8]
    assert "negative" in told[4]
    assert "'many'" in told[5]
    assert "2 cells where the header has 3" in told[6]
    assert "future" in told[7]
    assert "longer than" in told[8]
    assert totals(store)["input"] == 14


def test_a_ten_megabyte_line_in_an_archive(tmp_path: Path, store: Store, load: RunImport) -> None:
    path = tmp_path / "big.jsonl.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(json.dumps({"ts": TIME, "input_tokens": 1}).encode() + b"\n")
        file.write(b'{"ts": "' + b"x" * 10_000_000 + b'"}\n')
        file.write(json.dumps({"ts": TIME, "input_tokens": 2}).encode() + b"\n")
    summary = load(path)
    assert (summary.stored, summary.rejected) == (2, 1)
    ((line, reason),) = summary.files[0].rejections
    assert (line, "longer than 1,048,576 bytes" in reason) == (2, True)
    assert totals(store)["input"] == 3


def test_a_stray_quote_spoils_one_line(write: Write, load: RunImport, store: Store) -> None:
    lines = [f"{TIME},{i},m{i}" for i in range(3000)]
    lines[10] = f'{TIME},10,"5 disk'
    summary = load(write("a.csv", "ts,input_tokens,model\n" + "\n".join(lines) + "\n"))
    assert (summary.stored, summary.rejected) == (2999, 1)
    assert summary.files[0].rejections[0][0] == 12


def test_windows_ends_and_byte_order_mark(tmp_path: Path, load: RunImport, store: Store) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"\ufeffts,input_tokens\r\n{TIME},5\r\n".encode())
    assert load(path).stored == 1
    unix = tmp_path / "b.csv"
    unix.write_text(f"ts,input_tokens\n{TIME},5\n")
    assert load(unix).known == 1


@pytest.mark.parametrize(
    ("name", "content", "word"),
    [
        ("binary.csv", bytes(range(256)) * 40, "binary"),
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n\n  \n", "empty"),
        ("bad.csv.gz", b"\x1f\x8b\x08\x00rubbish", "gzip"),
    ],
)
def test_files_that_are_no_tables(
    tmp_path: Path, load: RunImport, store: Store, name: str, content: bytes, word: str
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / name
    good.write_text(f"ts,input_tokens\n{TIME},5\n")
    bad.write_bytes(content)
    with pytest.raises(ImportFailure, match=word) as caught:
        load(good, bad)
    assert str(bad) in caught.value.message
    assert (store.imports(), store.extent().calls) == ([], 0)


def test_missing_files_folders_and_unknown_formats(tmp_path: Path, load: RunImport) -> None:
    with pytest.raises(ImportFailure, match=r"nowhere\.csv"):
        load(tmp_path / "nowhere.csv")
    with pytest.raises(ImportFailure, match="folder"):
        load(tmp_path)
    with pytest.raises(ImportFailure) as caught:
        load(tmp_path / "x", format="parquet")
    assert "azure-llm-2023" in (caught.value.hint or "")


def test_a_preset_on_another_file_says_what_is_missing(write: Write, load: RunImport) -> None:
    path = write("a.csv", f"ts,input_tokens\n{TIME},5\n")
    with pytest.raises(ImportFailure, match="no column 'TIMESTAMP'"):
        load(path, format="azure-llm-2023")


def test_our_own_lines_of_every_kind(write: Write, store: Store, load: RunImport, clock: ManualClock) -> None:
    objects = [
        {"id": "a", "ts_end": TIME, "provider": "openai", "model": "gpt-5", "input_tokens": 100, "x": "y"},
        {"ts_end": TIME, "input_tokens": 5},
        {"ts_end": TIME, "input_tokens": 5},
        {"kind": "sample", "ts": TIME, "name": "depth", "value": 3},
        {"kind": "mark", "ts": TIME, "text": "deploy"},
        {"kind": "mark", "ts": TIME, "text": "deploy"},
        {"input_tokens": 5},
        {"kind": "call", "ts_end": TIME, "input_tokens": "5"},
    ]
    text = "\n".join(json.dumps(item) for item in objects) + "\nnot json\n"
    path = write("a.jsonl", text)
    summary = load(path, provider="google")
    assert (summary.format, summary.stored, summary.rejected) == ("jsonl", 6, 3)
    told = dict(summary.files[0].rejections)
    assert sorted(told) == [7, 8, 9]
    assert "ts_end is missing" in told[7]
    assert totals(store)["input"] == 110
    assert store.label_values("provider") == ["google", "openai"]
    assert len(store.events("mark", Span(0, clock.now()))) == 2
    again = load(path, provider="google")
    assert again.known == 5
    assert totals(store)["calls"] == 3
    assert len(store.events("mark", Span(0, clock.now()))) == 2


def test_an_import_may_be_named(write: Write, store: Store, preparer: Preparer, clock: ManualClock) -> None:
    path = write("a.csv", f"ts,input_tokens\n{TIME},5\n")
    options = ImportOptions(now=clock.now())
    assert run_import([path], None, options, StoreSink(store, preparer), None, "mine").batch_id == "mine"
    assert [info.batch_id for info in store.imports()] == ["mine"]


def test_a_dry_run_stores_nothing(write: Write, store: Store, preparer: Preparer, clock: ManualClock) -> None:
    path = write("a.csv", f"ts,input_tokens,provider,model\n{TIME},5,openai,gpt-5\n{TIME},-5,openai,gpt-5\n")
    summary = run_import([path], None, ImportOptions(now=clock.now()), DrySink(preparer))
    assert (summary.stored, summary.rejected, summary.dry_run, summary.unpriced) == (1, 1, True, 0)
    assert store.imports() == []


def test_progress_reaches_the_end(write: Write, store: Store, preparer: Preparer, clock: ManualClock) -> None:
    path = write("a.csv", "ts,input_tokens\n" + "".join(f"{TIME},{i}\n" for i in range(25_000)))
    seen: list[Progress] = []
    options = ImportOptions(now=clock.now(), rebase=clock.now())
    run_import([path], None, options, StoreSink(store, preparer), seen.append)
    assert [p.measuring for p in seen][:1] == [True]
    assert seen[-1].done == seen[-1].total == 2 * path.stat().st_size
    assert seen[-1].rows == 25_000
    assert [p.done for p in seen] == sorted(p.done for p in seen)


def test_a_full_disk_ends_the_import_and_it_can_go_on(
    write: Write, store: Store, preparer: Preparer, clock: ManualClock, load: RunImport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Full(StoreSink):
        writes = 0

        def write_columns(self, calls, others):  # type: ignore[no-untyped-def]
            self.writes += 1
            if self.writes == 2:
                raise StoreError("the disk is full")
            return super().write_columns(calls, others)

    monkeypatch.setattr(chunks, "BLOCK", 1 << 18)
    path = write("a.csv", "ts,input_tokens\n" + "".join(f"{TIME},{i}\n" for i in range(15_000)))
    with pytest.raises(StoreError):
        run_import([path], None, ImportOptions(now=clock.now()), Full(store, preparer))
    stored = store.extent().calls
    assert 0 < stored < 15_000
    summary = load(path)
    assert (summary.known, summary.stored) == (stored, 15_000 - stored)


def test_only_a_few_rows_are_in_memory_at_a_time(
    tmp_path: Path, preparer: Preparer, clock: ManualClock
) -> None:
    class Counting(DrySink):
        alive = 0

        def write(self, records: Sequence[Record]) -> Written:
            self.alive = max(self.alive, sum(type(o) is Call for o in gc.get_objects()))
            return super().write(records)

    path = tmp_path / "a.csv"
    path.write_text("ts,input_tokens,user\n" + "".join(f"{TIME},{i},u{i % 90}\n" for i in range(80_000)))
    sink = Counting(preparer)
    assert run_import([path], None, ImportOptions(now=clock.now()), sink).stored == 80_000
    assert 10_000 <= sink.alive < 30_000


def test_occurrences_agree_with_a_plain_count() -> None:
    rows = [b"a", b"b", b"a", b"c", b"a", b"b"] + [bytes([i % 7]) for i in range(50)]
    counted: dict[bytes, int] = {}
    expected = []
    for row in rows:
        counted[row] = counted.get(row, 0) + 1
        n = counted[row]
        expected.append(digest(row).hex() + (f"#{n}" if n > 1 else ""))
    for size in (1, 2, 3, 7, 56):
        occurrences = Occurrences()
        got: list[str] = []
        for start in range(0, len(rows), size):
            got += occurrences.keys([digest(row) for row in rows[start : start + size]])
        assert got == expected, size
