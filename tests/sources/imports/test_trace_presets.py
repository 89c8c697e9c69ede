"""The public traces: what is stored equals what the file says, reckoned here by other means."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sources.imports.conftest import RunImport, all_facts, totals
from tui_monitor.config.settings import Collector
from tui_monitor.model.clock import ManualClock, from_datetime, to_datetime
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.sources.imports import ImportFailure, ImportOptions, ImportSummary, StoreSink, run_import
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store

LAYERS = (Layer.RAW, Layer.MINUTE, Layer.HOUR, Layer.DAY)


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as file:
        return list(csv.DictReader(file))


def test_azure(shared: Path, store: Store, load: RunImport) -> None:
    files = [shared / "data" / "azure-llm-2023" / name for name in ("code.csv.gz", "conv.csv.gz")]
    rows = [row for file in files for row in read(file)]
    summary = load(*files, provider="openai", model="gpt-4o-mini")

    assert summary.format == "azure-llm-2023"
    assert (summary.rows, summary.stored, summary.rejected, summary.unpriced) == (len(rows), len(rows), 0, 0)
    tokens_in = sum(int(row["ContextTokens"]) for row in rows)
    tokens_out = sum(int(row["GeneratedTokens"]) for row in rows)
    assert (summary.input_tokens, summary.output_tokens) == (tokens_in, tokens_out)
    times = sorted(row["TIMESTAMP"][:26] for row in rows)
    first, last = (datetime.fromisoformat(t).replace(tzinfo=UTC) for t in (times[0], times[-1]))
    assert (to_datetime(summary.first or 0), to_datetime(summary.last or 0)) == (first, last)
    for layer in LAYERS:
        got = totals(store, layer)
        assert (got["calls"], got["input"], got["output"]) == (len(rows), tokens_in, tokens_out), layer
        # $0.15 and $0.60 a million tokens: 150 and 600 nano-dollars each.
        assert got["cost"] == tokens_in * 150 + tokens_out * 600
    facts = all_facts(store)
    assert int(facts.numbers["latency"].known.sum()) == 0
    assert {facts.labels["status"].values[code] for code in set(facts.labels["status"].codes.tolist())} == {
        "unknown"
    }


def test_azure_without_a_model_is_unpriced_and_a_second_import_puts_it_right(
    shared: Path, store: Store, load: RunImport
) -> None:
    file = shared / "data" / "azure-llm-2023" / "code.csv.gz"
    count = len(read(file))
    bare = load(file)
    assert (bare.stored, bare.unpriced) == (count, count)
    assert totals(store)["unpriced"] == count
    named = load(file, provider="azure", model="gpt-4o")
    assert (named.stored, named.known, named.corrected, named.unpriced) == (0, 0, count, 0)
    got = totals(store)
    assert (got["calls"], got["unpriced"]) == (count, 0)


def test_mooncake(shared: Path, store: Store, load: RunImport, clock: ManualClock) -> None:
    file = shared / "data" / "mooncake" / "conversation.csv.gz"
    rows = read(file)
    start = clock.now() - 7 * 86_400_000_000
    summary = load(file, provider="moonshotai", start=start)
    assert (summary.format, summary.stored, summary.rejected) == ("mooncake", len(rows), 0)
    assert summary.input_tokens == sum(int(row["input_length"]) for row in rows)
    assert summary.output_tokens == sum(int(row["output_length"]) for row in rows)
    assert summary.first == start + min(int(row["timestamp"]) for row in rows) * 1000
    assert summary.last == start + max(int(row["timestamp"]) for row in rows) * 1000
    blocks = Counter(str(len(row["hash_ids"].split())) for row in rows)
    known = store.label_values("prefix_blocks", 10_000)
    assert set(known) == set(blocks)


def test_relative_times_need_a_start(shared: Path, load: RunImport, store: Store) -> None:
    with pytest.raises(ImportFailure) as caught:
        load(shared / "data" / "mooncake" / "conversation.csv.gz")
    assert "--rebase" in (caught.value.hint or "")
    with pytest.raises(ImportFailure, match="dates already"):
        load(shared / "data" / "azure-llm-2023" / "code.csv.gz", start=5)
    assert store.imports() == []


def test_gentd26(shared: Path, store: Store, load: RunImport) -> None:
    file = shared / "data" / "gentd26" / "requests.csv.gz"
    rows = read(file)
    summary = load(file, model="sdxl")
    assert (summary.format, summary.stored, summary.rejected) == ("gentd26", len(rows), 0)
    facts = all_facts(store)
    got = Counter(facts.labels["status"].values[code] for code in facts.labels["status"].codes.tolist())
    said = Counter(row["predict_status"] for row in rows)
    assert got == {"success": said["SUCCEED"], "error": said["FAILED"], "unknown": said["PENDING"]}
    seconds = sum(float(row["exec_time_seconds"]) for row in rows)
    assert totals(store)["latency"] == round(seconds * 1_000_000)
    assert int(facts.numbers["latency"].known.sum()) == len(rows) - said["PENDING"]
    assert (summary.input_tokens, summary.output_tokens) == (None, None)
    assert set(store.label_values("user", 10_000)) == {row["groupId"] for row in rows}
    assert summary.overflow == {}
    assert store.label_values("operation") == ["image"]
    assert store.label_values("checkpoint_model_version_id", 3)[0].startswith("M")
    first = min(datetime.fromisoformat(row["gmt_create"]).replace(tzinfo=UTC) for row in rows)
    assert to_datetime(summary.first or 0) == first


def test_more_groups_than_labels_are_kept_apart(
    shared: Path, store: Store, book: PriceBook, clock: ManualClock
) -> None:
    file = shared / "data" / "gentd26" / "requests.csv.gz"
    rows = read(file)
    preparer = Preparer(Collector(max_label_values=2000), book, clock)
    summary = run_import([file], None, ImportOptions(now=clock.now()), StoreSink(store, preparer))
    # The first ones are, and the summary counts the rest.
    groups = list(dict.fromkeys(row["groupId"] for row in rows))
    assert set(store.label_values("user", 10_000)) == {*groups[:2000], "(other)"}
    assert summary.overflow == {"user": sum(row["groupId"] in groups[2000:] for row in rows)}


def test_gentd26_in_another_zone(shared: Path, load: RunImport) -> None:
    file = shared / "data" / "gentd26" / "requests.csv.gz"
    first = min(datetime.fromisoformat(row["gmt_create"]) for row in read(file))
    summary = load(file, timezone="Asia/Shanghai")
    assert summary.first == from_datetime(first.replace(tzinfo=UTC)) - 8 * 3600 * 1_000_000


def test_twice_adds_nothing_under_any_name_and_undo_takes_all_back(
    shared: Path, store: Store, load: RunImport, tmp_path: Path
) -> None:
    kept = shared / "data" / "azure-llm-2023" / "code.csv.gz"
    load(kept, provider="openai", model="gpt-4o")
    before = {layer: totals(store, layer) for layer in LAYERS}
    other = shared / "data" / "azure-llm-2023" / "conv.csv.gz"
    first = load(other, provider="openai", model="gpt-4o")
    assert first.stored == len(read(other))
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(gzip.decompress(other.read_bytes()))
    again = load(renamed, provider="openai", model="gpt-4o")
    assert (again.stored, again.known, again.corrected) == (0, first.stored, 0)
    assert store.undo_import(first.batch_id) == first.stored
    assert {layer: totals(store, layer) for layer in LAYERS} == before


def test_rebase_ends_now_and_later_again_moves_the_same_calls(
    shared: Path, store: Store, load: RunImport, clock: ManualClock
) -> None:
    file = shared / "data" / "mooncake" / "conversation.csv.gz"
    rows = read(file)
    first = load(file, rebase=clock.now())
    assert first.last == clock.now()
    length = max(int(row["timestamp"]) for row in rows) - min(int(row["timestamp"]) for row in rows)
    assert first.first == clock.now() - length * 1000
    assert store.imports()[0].shift_us == first.shift_us
    clock.advance(3_600_000_000)
    second = load(file, rebase=clock.now())
    assert (second.stored, second.corrected) == (0, len(rows))
    extent = store.extent()
    assert (totals(store)["calls"], extent.last) == (len(rows), clock.now())


def test_a_grown_file_adds_only_what_is_new(
    shared: Path, store: Store, load: RunImport, tmp_path: Path
) -> None:
    lines = gzip.decompress((shared / "data" / "azure-llm-2023" / "code.csv.gz").read_bytes()).splitlines(
        True
    )
    grown = tmp_path / "grown.csv"
    grown.write_bytes(b"".join(lines[:1001]))
    assert load(grown).stored == 1000
    grown.write_bytes(b"".join(lines[:1501]) + lines[3])
    summary = load(grown)
    assert (summary.known, summary.stored) == (1000, 501)


def test_a_damaged_archive_keeps_what_can_be_read(shared: Path, load: RunImport, tmp_path: Path) -> None:
    whole = (shared / "data" / "azure-llm-2023" / "conv.csv.gz").read_bytes()
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) * 3 // 4])
    summary: ImportSummary = load(cut)
    assert summary.stored > 1000
    assert "ends before" in summary.files[0].error
