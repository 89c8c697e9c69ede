"""One rollout of Codex at a time: what its lines are worth."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from agent_run import AgentRun, calls
from codex_lines_made import START, dump, limits, line, meta, tokens

from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import Record, Retract, Sample
from tui_monitor.sources.agents.codex import Codex
from tui_monitor.sources.agents.codex_packed import HINT
from tui_monitor.sources.agents.logs import Logs
from tui_monitor.store.database import Store

SAMPLE = b"""
{"timestamp":"2026-03-02T10:00:00.000Z","type":"session_meta","payload":{"id":"0199aaaa-0000-7000-8000-000000000001","timestamp":"2026-03-02T10:00:00Z","cwd":"/home/ex/demo"}}
{"timestamp":"2026-03-02T10:00:01.000Z","type":"turn_context","payload":{"model":"gpt-5","cwd":"/home/ex/demo"}}
{"timestamp":"2026-03-02T10:00:07.500Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":5000,"cached_input_tokens":4096,"output_tokens":310,"reasoning_output_tokens":128,"total_tokens":5310},"last_token_usage":{"input_tokens":5000,"cached_input_tokens":4096,"output_tokens":310,"reasoning_output_tokens":128,"total_tokens":5310},"model_context_window":272000},"rate_limits":{"primary":{"used_percent":12.5,"window_minutes":300,"resets_at":1772460000},"secondary":{"used_percent":3.0,"window_minutes":10080,"resets_at":1773000000},"plan_type":"plus"}}}
{"timestamp":"2026-03-02T10:00:30.000Z","type":"event_msg","payload":{"type":"token_count","info":{"total_token_usage":{"input_tokens":11200,"cached_input_tokens":9728,"output_tokens":500,"reasoning_output_tokens":128,"total_tokens":11700},"last_token_usage":{"input_tokens":6200,"cached_input_tokens":5632,"output_tokens":190,"reasoning_output_tokens":0,"total_tokens":6390},"model_context_window":272000},"rate_limits":null}}
""".lstrip()
A = (5_000, 4_096, 310, 128, 5_310)
B = (6_200, 5_632, 190, 0, 6_390)
SUM = (11_200, 9_728, 500, 128, 11_700)


def read(home: Path, **files: bytes) -> tuple[list[Record], list[str]]:
    """What comes of these files below `sessions`, and what could not be read."""
    for name, content in files.items():
        path = home / "sessions" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    adapter = Codex()
    logs = Logs(adapter, adapter.roots({"CODEX_HOME": str(home)}, home), ManualClock(0))
    logs.look()
    records: list[Record] = []
    reasons: list[str] = []
    for part in logs.read(logs.waiting(), final=True):
        records += part.found.records
        reasons += [reason for _, reason in part.found.bad]
    return records, reasons


def calls_of(root: Path, *lines: dict[str, Any]) -> list[Call]:
    """The calls of one session with these lines."""
    records, _ = read(root, one=dump([meta("s-1", START), *lines]))
    return [record for record in records if isinstance(record, Call)]


def at(seconds: float) -> Any:
    """A time in the session."""
    return START + timedelta(seconds=seconds)


def test_the_sample(root: Path) -> None:
    records, reasons = read(root, sample=SAMPLE)
    one, two = (record for record in records if isinstance(record, Call))
    assert (one.in_uncached, two.in_uncached) == (904, 568)
    assert (one.cache_read, two.cache_read) == (4_096, 5_632)
    assert (one.out_total, two.out_total, one.reasoning) == (310, 190, 128)
    assert one.ts_end == 1_772_445_607_500_000
    assert (one.provider, one.model, one.project) == ("openai", "gpt-5", "/home/ex/demo")
    assert one.session == "0199aaaa-0000-7000-8000-000000000001"
    assert (one.cost_status, two.cost_status) == ("subscription", "subscription")
    assert reasons == []


def test_limits_become_quotas(root: Path) -> None:
    records, _ = read(root, sample=SAMPLE)
    samples = [record for record in records if isinstance(record, Sample)]
    five, week = ({"provider": "openai", "window": window, "plan": "plus"} for window in ("5h", "7d"))
    assert [(s.name, s.value, s.labels) for s in samples] == [
        ("llm_quota_used_ratio", 0.125, five),
        ("llm_quota_reset_timestamp_seconds", 1_772_460_000, five),
        ("llm_quota_used_ratio", 0.03, week),
        ("llm_quota_reset_timestamp_seconds", 1_773_000_000, week),
    ]


def test_old_limits_tell_the_seconds_that_are_left(root: Path) -> None:
    told = {"primary": {"used_percent": 150, "window_minutes": 299, "resets_in_seconds": 60}}
    records, _ = read(root, one=dump([meta("s-1", START), tokens(at(1), None, None, told)]))
    used, reset = records
    assert isinstance(used, Sample)
    assert isinstance(reset, Sample)
    assert (used.value, used.labels) == (1.0, {"provider": "openai", "window": "5h"})
    assert reset.value == at(61).timestamp()


def test_limits_are_told_when_they_change_and_once_a_minute(root: Path) -> None:
    lines = [tokens(at(second), None, None, limits(40 + second / 100)) for second in range(0, 121, 10)]
    records, _ = read(root, one=dump([meta("s-1", START), *lines]))
    five = [r for r in records if isinstance(r, Sample) and r.labels["window"] == "5h"]
    assert [r.ts for r in five if r.name.endswith("ratio")] == [
        round(at(second).timestamp() * 1e6) for second in (0, 60, 120)
    ]


def test_the_same_counters_again_are_no_call(root: Path) -> None:
    found = calls_of(root, tokens(at(1), A, A), tokens(at(2), A, A, limits(5)), tokens(at(3), B, SUM))
    assert [call.total_tokens for call in found] == [5_310, 6_390]


def test_a_line_without_parts_is_no_call(root: Path) -> None:
    found = calls_of(
        root,
        tokens(at(1), A, A),
        tokens(at(2), (0, 0, 0, 0, 17_000), (5_000, 4_096, 310, 128, 22_310)),
        tokens(at(3), B, SUM),
    )
    assert [call.total_tokens for call in found] == [5_310, 6_390]


def test_without_the_last_usage_the_counters_tell(root: Path) -> None:
    found = calls_of(root, tokens(at(1), None, A), tokens(at(2), None, SUM))
    assert [call.total_tokens for call in found] == [5_310, 6_390]


def test_counters_of_another_lineage_count_nothing_twice(root: Path) -> None:
    small = (500, 100, 20, 0, 520)
    found = calls_of(
        root,
        tokens(at(1), A, A),
        tokens(at(2), small, small),
        tokens(at(3), B, SUM),
        tokens(at(4), None, (700, 100, 20, 0, 720)),
        tokens(at(5), None, (11_300, 9_728, 510, 128, 11_810)),
    )
    assert [call.total_tokens for call in found] == [5_310, 6_390, 110]


def test_cached_and_reasoning_are_parts(root: Path) -> None:
    (call,) = calls_of(root, tokens(at(1), (100, 900, 20, 50, 120), None))
    assert (call.in_uncached, call.cache_read, call.out_total, call.reasoning) == (0, 100, 20, 20)


def test_models(root: Path) -> None:
    found = calls_of(
        root,
        tokens(at(1), A, A),
        line("turn_context", at(2), model="codex-auto-review"),
        tokens(at(3), B, SUM),
    )
    assert [(c.model_served, c.model_requested, c.model_guessed) for c in found] == [
        ("gpt-5", None, True),
        ("gpt-5.3-codex", "codex-auto-review", True),
    ]


def test_who_pays(root: Path) -> None:
    (root / "config.toml").write_text('service_tier = "fast"\n')
    found = calls_of(
        root,
        tokens(at(1), A, A),
        tokens(at(2), B, SUM, limits(1, "pro")),
        tokens(at(3), A, (16_200, 13_824, 810, 256, 17_010), limits(1, "api_key")),
    )
    assert [(call.cost_status, call.service_tier) for call in found] == [
        ("unpriced", "priority"),
        ("subscription", None),
        ("computed", "priority"),
    ]


def test_what_exec_prints(root: Path) -> None:
    started = {"type": "thread.started", "thread_id": "t-1"}
    usage = {"prompt_tokens": 90, "cached_tokens": 40, "completion_tokens": 7}
    done = {
        "type": "turn.completed", "created_at": "2026-03-02T10:00:00Z",
        "response": {"model": "gpt-5-codex", "usage": usage},
    }  # fmt: skip
    records, _ = read(root, printed=dump([started, done]))
    (call,) = records
    assert isinstance(call, Call)
    assert (call.in_uncached, call.cache_read, call.out_total) == (50, 40, 7)
    assert (call.session, call.model) == ("t-1", "gpt-5-codex")


def test_the_one_in_use_counts_and_not_its_twin_in_the_archive(root: Path) -> None:
    archive = root / "archived_sessions"
    archive.mkdir()
    other = dump([meta("s-9", START), tokens(at(1), A, A), tokens(at(9), B, SUM)])
    (archive / "one.jsonl").write_bytes(other)
    (archive / "two.jsonl").write_bytes(other)
    found = calls_of(root, tokens(at(1), B, B))
    # `one` is in use, `two` is in the archive only.
    assert sorted((call.session, call.total_tokens) for call in found) == [
        ("s-1", 6_390),
        ("s-9", 5_310),
        ("s-9", 6_390),
    ]


def test_a_sub_agent_repeats_its_parent_in_one_burst(root: Path) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "p"}}}
    own = (100, 0, 10, 0, 110)
    lines = [
        meta("s-2", START, source=source),
        tokens(at(0.1), A, A),
        tokens(at(0.2), B, SUM),
        tokens(at(5), own, (11_300, 9_728, 510, 128, 11_810)),
    ]
    records, _ = read(root, spawned=dump(lines))
    assert [r.total_tokens for r in records if isinstance(r, Call)] == [110]


def test_a_sub_agents_first_event_is_taken_back_once_the_second_tells(root: Path, store: Store) -> None:
    path = root / "sessions" / "spawned.jsonl"
    path.parent.mkdir()
    head = meta("s-2", START, source={"subagent": {"thread_spawn": {}}})
    path.write_bytes(dump([head, tokens(at(0.1), A, A)]))
    run = AgentRun(store, path.parent, adapter=Codex())
    run.step()
    assert run.sums()["calls"] == 1
    run.restart()
    with path.open("ab") as file:
        file.write(dump([tokens(at(0.2), B, SUM)]))
    run.step()
    assert run.sums()["calls"] == 0


def test_a_parent_that_turns_up_takes_its_events_back(root: Path, store: Store) -> None:
    folder = root / "sessions"
    folder.mkdir()
    child = [meta("kid", at(60), forked_from_id="mum"), tokens(at(61), A, A), tokens(at(90), B, SUM)]
    (folder / "kid.jsonl").write_bytes(dump(child))
    run = AgentRun(store, folder, adapter=Codex())
    run.step()
    assert run.sums()["calls"] == 2
    run.adapter = Codex()
    run.restart()
    (folder / "mum.jsonl").write_bytes(dump([meta("mum", START), tokens(at(1), A, A)]))
    parts = list(run.parts()) if run.logs.look() is None else []
    taken = [r for part in parts for r in part.found.records if isinstance(r, Retract)]
    assert [record.source_key.split(":")[0] for record in taken] == ["kid"]
    for part in parts:
        run.put(part)
    assert run.sums() == {"calls": 2, "input": 11_200, "cache_read": 9_728, "cache_write": 0, "output": 500}


def test_homes_and_places(tmp_path: Path) -> None:
    adapter = Codex()
    assert adapter.roots({}, tmp_path)[0] == tmp_path / ".codex" / "sessions"
    several = adapter.roots({"CODEX_HOME": "/a, /b"}, tmp_path)
    assert several == [
        Path(p) for p in ("/a/sessions", "/a/archived_sessions", "/b/sessions", "/b/archived_sessions")
    ]
    assert adapter.kind("2026/03/02/rollout-x.jsonl") == "lines"
    assert adapter.kind("history.jsonl") is None
    assert adapter.kind("auth.json") is None


def test_a_compressed_rollout_without_a_library_is_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui_monitor.sources.agents.codex_packed._decompressor", lambda: None)
    (root / "archived_sessions").mkdir()
    (root / "archived_sessions" / "old.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    assert read(root) == ([], [HINT])


def test_a_compressed_rollout(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "tui_monitor.sources.agents.codex_packed._decompressor",
        lambda: lambda data: data.removeprefix(b"zst"),
    )
    (root / "archived_sessions").mkdir()
    (root / "archived_sessions" / "old.jsonl.zst").write_bytes(b"zst" + SAMPLE)
    assert len(calls(Codex(), root / "archived_sessions")) == 2


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b'{"type":"event_msg","payload":{"type":"token_count","info"', "cut off"),
        (dump([tokens(START, (-1, 0, 0, 0, 0), A)]), "input_tokens is no number of tokens"),
        (dump([{**tokens(START, A, A), "timestamp": "yesterday"}]), "timestamp is no time"),
    ],
)
def test_a_line_that_cannot_be_read_costs_only_itself(root: Path, broken: bytes, reason: str) -> None:
    content = dump([meta("s-1", START)]) + broken.rstrip() + b"\n" + dump([tokens(at(1), A, A)])
    records, reasons = read(root, one=content)
    assert len(records) == 1
    (told,) = reasons
    assert reason in told
