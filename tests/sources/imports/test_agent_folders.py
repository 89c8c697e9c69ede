"""Folders of agents' logs, copied from elsewhere: by the rules and identities of the live ones."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.imports.conftest import RunImport
from tui_monitor.config.settings import Agents
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.timerange import Span
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.commit import commit
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.sources.agents.billing import as_now_paid
from tui_monitor.sources.agents.logs import Logs
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.imports import ImportFailure, ImportOptions, Progress, StoreSink, agents, run_import
from tui_monitor.sources.imports import portions as reading
from tui_monitor.store.api import Layer, Measure
from tui_monitor.store.database import Store

EVER = Span(0, 4 * 10**15)
SUMS: tuple[Measure, ...] = ("calls", "output", "cost", "list_cost")


def line(number: int, out: int = 100, **more: Any) -> str:
    """A line of a call; the sum of `out` tells who is there."""
    fields = ", ".join(f'"{name}": {value}' for name, value in more.items())
    return (
        '{"type":"assistant","uuid":"u","sessionId":"s","timestamp":"2026-03-01T10:00:00.000Z","cwd":"/a",'
        f'"requestId":"r{number}","message":{{"id":"m{number}","model":"claude-sonnet-4-5","content":[],'
        f'"usage":{{"input_tokens":0,"output_tokens":{out}}}}}{", " + fields if fields else ""}}}\n'
    )


def sums(store: Store) -> dict[str, int]:
    facts = store.facts(Layer.RAW, EVER, (), SUMS)
    return {name: int(facts.numbers[name].total.sum()) for name in SUMS}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of `~/.claude` with three calls, one of them in two files."""
    projects = tmp_path / "copied" / "projects" / "-a"
    (projects / "s1" / "subagents").mkdir(parents=True)
    (projects / "s1.jsonl").write_text(line(1, 3) + line(1, 100) + line(2, 20))
    (projects / "s2.jsonl").write_text(line(1, 100) + line(3, 5)[:-1])
    (projects / "s1" / "subagents" / "agent-1.jsonl").write_text(line(4, 1000))
    return tmp_path / "copied"


def test_a_folder_counts_each_call_once_and_is_taken_back_whole(
    folder: Path, store: Store, load: RunImport
) -> None:
    summary = load(folder, format="claude-code")
    assert (summary.format, summary.stored, summary.known, summary.rejected) == ("claude-code", 4, 1, 0)
    assert (sums(store)["calls"], sums(store)["output"]) == (4, 1125)
    again = load(folder, format="claude-code")
    assert (again.stored, again.known) == (0, 5)
    assert store.undo_import(summary.batch_id) == 4
    assert sums(store)["calls"] == 0


def test_with_the_live_logs_they_count_once_and_undo_leaves_what_was_live(
    folder: Path, store: Store, load: RunImport
) -> None:
    logs = Logs(ADAPTERS["claude-code"], [folder / "projects" / "-a" / "s1.jsonl"], SystemClock())
    logs.look()
    for part in logs.read(logs.waiting()):
        commit(store, part.found.records, remember=True)
    summary = load(folder, format="claude-code")
    assert summary.stored == 2
    assert sums(store)["output"] == 1125
    store.undo_import(summary.batch_id)
    assert sums(store)["output"] == 120


def test_what_is_read_live_after_an_import_stays_when_that_is_taken_back(
    folder: Path, store: Store, load: RunImport
) -> None:
    summary = load(folder, format="claude-code")
    logs = Logs(ADAPTERS["claude-code"], [folder / "projects" / "-a" / "s1.jsonl"], SystemClock())
    logs.look()
    for part in logs.read(logs.waiting()):
        commit(store, part.found.records, remember=True)
    assert (store.imports()[0].stored, sums(store)["output"]) == (2, 1125)
    assert store.undo_import(summary.batch_id) == 2
    assert sums(store)["output"] == 120


def test_a_call_that_an_import_saw_larger_stays_when_that_is_taken_back(
    folder: Path, store: Store, load: RunImport, tmp_path: Path
) -> None:
    live = tmp_path / "live.jsonl"
    live.write_text(line(1, 3))
    logs = Logs(ADAPTERS["claude-code"], [live], SystemClock())
    logs.look()
    for part in logs.read(logs.waiting()):
        commit(store, part.found.records, remember=True)
    summary = load(folder, format="claude-code")
    assert (summary.stored, sums(store)["output"]) == (3, 1125)
    store.undo_import(summary.batch_id)
    assert (sums(store)["calls"], sums(store)["output"]) == (1, 100)


def test_single_files(folder: Path, store: Store, load: RunImport) -> None:
    files = sorted((folder / "projects" / "-a").glob("*.jsonl"))
    summary = load(*files, format="claude-code")
    assert (summary.stored, sums(store)["output"]) == (3, 125)


def test_bad_lines_are_named_by_number_and_what_is_cut_off_is_counted(
    folder: Path, store: Store, load: RunImport
) -> None:
    path = folder / "projects" / "-a" / "s3.jsonl"
    path.write_text(line(5, 1) + "nothing\n" + line(6, 1) + line(7).replace("2026-", "1999-") + line(8)[:-9])
    summary = load(folder, format="claude-code")
    [told] = [file for file in summary.files if file.path == path]
    assert [number for number, _ in told.rejections] == [2, 5, 0]
    assert (told.rejected, summary.rejected, summary.stored) == (3, 3, 6)


@pytest.mark.parametrize(
    ("billing", "cost", "listed"), [({}, 0, 16_875_000), ({"claude-code": "api"}, 16_875_000, 16_875_000)]
)
def test_a_subscription_costs_nothing_and_its_list_price_is_known(
    folder: Path, store: Store, load: RunImport, billing: Any, cost: int, listed: int
) -> None:
    load(folder, format="claude-code", billing=billing)
    assert (sums(store)["cost"], sums(store)["list_cost"]) == (cost, listed)


def test_repricing_follows_a_changed_billing(
    folder: Path, store: Store, load: RunImport, book: PriceBook
) -> None:
    load(folder, format="claude-code")
    store.reprice(0, as_now_paid(Agents(billing={"claude-code": "api"}), book.price))
    assert sums(store)["cost"] == 16_875_000
    store.reprice(0, as_now_paid(Agents(), book.price))
    assert sums(store)["cost"] == 16_875_000
    store.reprice(0, as_now_paid(Agents(billing={"claude-code": "subscription"}), book.price))
    assert (sums(store)["cost"], sums(store)["list_cost"]) == (0, 16_875_000)


def test_what_an_old_version_reported_is_the_cost(folder: Path, store: Store, load: RunImport) -> None:
    (folder / "projects" / "-a" / "s1.jsonl").write_text(line(1, 100, costUSD=0.5))
    load(folder / "projects" / "-a" / "s1.jsonl", format="claude-code", billing={"claude-code": "api"})
    assert sums(store)["cost"] == 500_000_000


def test_what_cannot_be_an_import_of_logs(folder: Path, tmp_path: Path, load: RunImport) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "x.csv").write_text("a,b\n")
    for paths, options, words in (
        ([tmp_path / "none"], {}, "no such file"),
        ([empty], {}, "no logs of Claude Code"),
        ([tmp_path / "x.csv"], {}, "no log of Claude Code"),
        ([folder], {"rebase": 5 * 10**15}, "dates"),
    ):
        with pytest.raises(ImportFailure, match=words):
            load(*paths, format="claude-code", **options)
    with pytest.raises(ImportFailure, match="is a folder") as caught:
        load(folder)
    assert "--format" in (caught.value.hint or "")
    with pytest.raises(ImportFailure) as caught:
        load(folder, format="claude")
    assert "claude-code" in (caught.value.hint or "")


def test_labels_and_progress(folder: Path, store: Store, preparer: Preparer) -> None:
    seen: list[Progress] = []
    options = ImportOptions(now=10**15, labels={"team": "red", "host": "laptop"})
    run_import([folder], "claude-code", options, StoreSink(store, preparer), seen.append)
    assert store.label_values("team") == ["red"]
    assert (seen[-1].done, seen[-1].rows) == (seen[-1].total, 5)
    assert os.path.getsize(folder / "projects" / "-a" / "s1.jsonl") < seen[-1].total


def test_large_folders_are_read_by_a_process_of_their_own_to_the_same_end(
    folder: Path, store: Store, load: RunImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agents, "OWN_PROCESS", 1)
    (folder / "projects" / "-a" / "s4.jsonl").write_text(line(5, 7) + "nothing\n")
    summary = load(folder, format="claude-code")
    assert (summary.stored, summary.known, summary.rejected) == (5, 1, 1)
    assert sums(store)["output"] == 1132


def test_a_reading_process_that_ends_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_PROGRAM", "import os; os._exit(1)")
    with pytest.raises(ImportFailure, match="ended"):
        list(reading.read_ahead("claude-code", [folder]))


def test_a_reader_ahead_ends_with_whom_it_reads_for(tmp_path: Path) -> None:
    for number in range(8):
        (tmp_path / f"s{number}.jsonl").write_text("".join(line(i) for i in range(3_000)))
    ahead = reading.read_ahead("claude-code", [tmp_path])
    assert len(next(ahead).records) >= 2_000
    ahead.close()


@pytest.mark.parametrize("name", sorted(ADAPTERS))
def test_every_agent_is_a_format(name: str, tmp_path: Path, load: RunImport) -> None:
    with pytest.raises(ImportFailure, match="no logs of"):
        load(tmp_path / "home", format=name)


def test_calls_of_an_import_are_of_the_live_source(folder: Path) -> None:
    logs = Logs(ADAPTERS["claude-code"], [folder], SystemClock())
    logs.look()
    found = [record for part in logs.read(logs.waiting(), final=True) for record in part.found.records]
    assert {call.source for call in found if isinstance(call, Call)} == {"claude-code"}
