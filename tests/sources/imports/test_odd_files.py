"""Files that are nearly right: every whole row counts once, and none is read as another."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sources.imports.conftest import RunImport, totals
from tui_monitor.model.clock import DAY, ManualClock
from tui_monitor.model.timerange import Span
from tui_monitor.sources.imports import ImportFailure
from tui_monitor.store.database import Store

Write = Callable[[str, str], Path]
TIME = "2026-03-18T10:00:00Z"
EVER = Span(0, 1 << 60)


def test_numbers_since_1970_are_never_read_as_dates(write: Write, store: Store, load: RunImport) -> None:
    # Each week of some years, in ms: many of these begin like 17001231, a day of 1700.
    times = [1_700_000_000_000 + week * 7 * 86_400_000 + minute for week in range(120) for minute in range(9)]
    path = write("a.csv", "ts,input_tokens\n" + "".join(f"{t},1\n{t}.25,1\n" for t in times))
    summary = load(path)
    assert (summary.stored, summary.rejected) == (2 * len(times), 0)
    assert (summary.first, summary.last) == (times[0] * 1000, times[-1] * 1000 + 250)
    assert load(write("b.csv", "ts,input_tokens\n20260301,1\n")).first == 1_772_323_200_000_000


def test_a_quote_inside_a_cell_joins_no_lines(write: Write, store: Store, load: RunImport) -> None:
    path = write(
        "a.csv",
        f'ts,model,input_tokens\n{TIME},5" disk,1\n{TIME},6" disk,2\n{TIME},"a, b",4\n{TIME},"two\nlines",8\n'
        f'{TIME},"x ""y""",16\n{TIME},7" disk,32\n',
    )
    summary = load(path)
    assert (summary.rows, summary.stored, summary.rejected) == (6, 6, 0)
    assert totals(store)["input"] == 63
    assert set(store.label_values("model")) == {'5" disk', '6" disk', "a, b", "two lines", 'x "y"', '7" disk'}


def test_an_open_quote_spoils_its_own_line(write: Write, store: Store, load: RunImport) -> None:
    summary = load(write("a.csv", f'ts,model,input_tokens\n{TIME},"5 disk,1\n{TIME},b,2\n{TIME},"c",4\n'))
    assert summary.files[0].rejections == [(2, "a quote that is never closed")]
    assert totals(store)["input"] == 6


def test_only_line_ends_end_lines(tmp_path: Path, store: Store, load: RunImport) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f'ts,input_tokens,model\n{TIME},1,"q"\n{TIME},2,a\x0bb\u2028c\x1cd\n'.encode())
    assert (load(path).stored, totals(store)["input"]) == (2, 3)
    assert store.label_values("model") == ["a b cd", "q"]


def test_a_row_that_was_cut_off_is_not_taken(tmp_path: Path, store: Store, load: RunImport) -> None:
    rows = "".join(f"{TIME},{100_000 + i}\n" for i in range(2000))
    stream = gzip.compress(b"ts,input_tokens\n" + rows.encode() + f"{TIME},123".encode(), mtime=0)
    cut = tmp_path / "cut.csv.gz"
    # Without the checksum at its end; the last row may have gone on.
    cut.write_bytes(stream[:-8])
    summary = load(cut)
    assert (summary.stored, summary.rejected) == (2000, 1)
    assert summary.files[0].rejections == [(2002, "cut off")]
    assert totals(store)["input"] == sum(range(100_000, 102_000))


def test_archives_filled_up_with_zeros(tmp_path: Path, load: RunImport) -> None:
    path = tmp_path / "a.csv.gz"
    parts = [gzip.compress(text.encode()) for text in ("ts,input_tokens\n", f"{TIME},1\n", f"{TIME},2\n")]
    path.write_bytes(b"".join(parts) + b"\0" * 70_000)
    summary = load(path)
    assert (summary.stored, summary.files[0].error) == (2, "")


def test_a_pipe_is_no_file(tmp_path: Path, load: RunImport) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ImportFailure, match="no regular file"):
        load(tmp_path / "pipe")


def test_a_header_that_is_none(write: Write, load: RunImport) -> None:
    with pytest.raises(ImportFailure, match="begins with no header"):
        load(write("a.csv", f'"{"x" * 200_000}",b\n{TIME},1\n'))


def test_relative_times_and_dates_are_two_imports(write: Write, store: Store, load: RunImport) -> None:
    relative = write("a.csv", "timestamp,input_length,output_length,hash_ids\n5000,1,2,3\n")
    dates = write("b.csv", f"ts,input_tokens\n{TIME},1\n")
    with pytest.raises(
        ImportFailure, match="mooncake count from the start of the trace, those of csv are dates"
    ):
        load(relative, dates, rebase=1_773_000_000_000_000)
    assert store.imports() == []
    assert load(relative, rebase=1_773_000_000_000_000).began == 1_772_999_995_000_000
    assert load(dates, rebase=1_773_000_000_000_000).began is None


def test_tokens_that_no_row_knows_are_unknown(write: Write, load: RunImport) -> None:
    summary = load(write("a.csv", f"ts,output_tokens,model\n{TIME},0,m\n{TIME},,m\n"))
    assert (summary.input_tokens, summary.output_tokens) == (None, 0)


def test_undo_takes_events_and_samples_too(
    write: Write, store: Store, load: RunImport, clock: ManualClock
) -> None:
    lines = (
        f'{{"kind":"mark","ts":"{TIME}","text":"deploy"}}\n'
        f'{{"kind":"sample","ts":"{TIME}","name":"depth","value":3}}\n'
    )
    kept = load(write("kept.jsonl", lines.replace("deploy", "kept").replace("depth", "kept")))
    clock.advance(1_000_000)
    summary = load(write("a.jsonl", lines), rebase=clock.now())
    assert [event.name for event in store.events("mark", EVER)] == ["kept", "deploy"]
    store.undo_import(summary.batch_id)
    assert [event.name for event in store.events("mark", EVER)] == ["kept"]
    assert [series.name for series in store.series()] == ["kept"]
    store.undo_import(kept.batch_id)
    assert (store.events("mark", EVER), store.series()) == ([], [])
    assert load(write("a.jsonl", lines)).stored == 2
    (series,) = store.series()
    assert store.samples([series.id], EVER)[series.id][1].tolist() == [3.0]


def test_a_correction_moves_calls_to_the_later_import(
    shared: Path, store: Store, load: RunImport, clock: ManualClock
) -> None:
    file = shared / "data" / "azure-llm-2023" / "code.csv.gz"
    first = load(file, model="gpt-4o", provider="azure")
    before = totals(store)
    clock.advance(1_000_000)
    second = load(file, model="gpt-4", provider="azure")
    assert [(i.batch_id, i.stored) for i in store.imports()] == [(second.batch_id, 7717), (first.batch_id, 0)]
    assert store.undo_import(first.batch_id) == 0
    assert totals(store)["calls"] == 7717
    assert store.undo_import(second.batch_id) == 7717
    assert totals(store)["calls"] == 0
    clock.advance(DAY)
    assert load(file, model="gpt-4o", provider="azure").stored == 7717
    assert totals(store) == before
