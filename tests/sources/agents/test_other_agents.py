"""Every other agent on logs written by hand: what is counted, what is not, and how it is called."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from agent_run import AgentRun, calls, labels
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.call import NANO, Call
from tui_monitor.sources.agents.api import Block, LogFile
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.agents.values import provider_of
from tui_monitor.store.database import Store

MORNING = 1_772_449_200_000_000
"""2026-03-02 11:00 UTC, µs."""


def write(root: Path, place: str, *lines: Any) -> Path:
    """JSON values, one a line."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(each if isinstance(each, str) else json.dumps(each) + "\n" for each in lines))
    return path


def database(path: Path, *statements: str) -> Path:
    """A database of theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()
    return path


def tokens(call: Call) -> tuple[int | None, ...]:
    """Input, read from cache, written to it, output, reasoning."""
    return call.in_uncached, call.cache_read, call.cache_write_5m, call.out_total, call.reasoning


def only(agent: str, root: Path) -> Call:
    """The one call that there is."""
    (call,) = calls(ADAPTERS[agent], root)
    assert (call.source, call.agent) == (agent, agent)
    return call


# Gemini CLI

GEMINI = """\
{"sessionId":"s-1","projectHash":"ab12","startTime":"2026-03-02T11:00:00.000Z","lastUpdated":"2026-03-02T11:00:00.000Z"}
{"id":"m1","timestamp":"2026-03-02T11:00:02.000Z","type":"user","content":"x"}
{"id":"m2","timestamp":"2026-03-02T11:00:05.000Z","type":"gemini","model":"gemini-2.5-pro","tokens":{"input":900,"output":40,"cached":512,"thoughts":60,"tool":0,"total":1000}}
{"$rewindTo":"m1"}
"""
THOUGHT = {"input": 900, "output": 40, "cached": 512, "thoughts": 60, "tool": 0, "total": 1000}


def gemini(name: str, **more: Any) -> dict[str, Any]:
    """A message of Gemini's."""
    return {
        "id": name,
        "timestamp": "2026-03-02T11:00:05Z",
        "type": "gemini",
        "model": "gemini-2.5-pro",
        **more,
    }


def test_gemini_lines_and_what_was_taken_back_is_spent(root: Path) -> None:
    write(root, "ab12/chats/session-1.jsonl", GEMINI)
    call = only("gemini-cli", root)
    assert tokens(call) == (388, 512, None, 100, 60)
    assert (call.source_key, call.session, call.project) == ("s-1:m2", "s-1", "ab12")
    assert (call.provider, call.model, call.ts_end) == ("google", "gemini-2.5-pro", MORNING + 5_000_000)


def test_gemini_messages_come_again_and_the_last_word_counts(root: Path, store: Store) -> None:
    head = {"sessionId": "s-1", "projectHash": "ab12"}
    first = {**THOUGHT, "output": 1, "total": 961}
    more = {"$set": {"lastUpdated": "2026-03-02T12:00:00Z", "messages": [gemini("m3", tokens=THOUGHT)]}}
    lines = [head, gemini("m2", tokens=first), gemini("m2", tokens=THOUGHT), more]
    path = write(root, "ab12/chats/session-1.jsonl", *lines[:2])
    run = AgentRun(store, root, adapter=ADAPTERS["gemini-cli"])
    run.step()
    run.restart()
    with path.open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in lines[2:])
    run.step()
    assert run.sums() == {"calls": 2, "input": 1_800, "cache_read": 1_024, "cache_write": 0, "output": 200}


def test_gemini_of_old_in_one_file(root: Path) -> None:
    chat = {
        "sessionId": "s-1",
        "projectHash": "ab12",
        "messages": [{"type": "user"}, gemini("m2", tokens=THOUGHT)],
    }
    write(root, "ab12/chats/session-1.json", chat)
    assert tokens(only("gemini-cli", root)) == (388, 512, None, 100, 60)


def test_gemini_total_tells_that_cached_ones_lie_beside_and_tools_are_input(root: Path) -> None:
    beside = {"input": 900, "output": 40, "cached": 512, "thoughts": 60, "tool": 8, "total": 1520}
    write(root, "ab12/chats/session-1.jsonl", gemini("m2", tokens=beside))
    assert tokens(only("gemini-cli", root)) == (908, 512, None, 100, 60)


# Qwen Code


def test_qwen(root: Path) -> None:
    usage = {"promptTokenCount": 900, "candidatesTokenCount": 40, "thoughtsTokenCount": 60,
             "cachedContentTokenCount": 512, "totalTokenCount": 1000}  # fmt: skip
    record = {"uuid": "u-1", "sessionId": "q-1", "timestamp": "2026-03-02T11:00:00Z", "cwd": "/srv/demo",
              "type": "assistant", "model": "qwen3-coder-plus", "usageMetadata": usage}  # fmt: skip
    write(root, "p/chats/q-1.jsonl", record, {**record, "type": "user"})
    call = only("qwen", root)
    assert tokens(call) == (388, 512, None, 100, 60)
    assert (call.source_key, call.provider, call.project) == ("q-1:u-1", "alibaba", "/srv/demo")


# OpenCode and Kilo

MESSAGE = {
    "id": "msg_01", "sessionID": "ses_01", "role": "assistant", "providerID": "anthropic",
    "modelID": "claude-sonnet-4-5", "time": {"created": 1772449200000, "completed": 1772449206000},
    "tokens": {"input": 12, "output": 210, "reasoning": 0, "cache": {"read": 14000, "write": 800}},
    "cost": 0.0103,
}  # fmt: skip
TABLE = "CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT)"


def row(name: str, **more: Any) -> str:
    """A statement that stores a message whose id stands in its columns only."""
    data = {key: value for key, value in {**MESSAGE, **more}.items() if key not in ("id", "sessionID")}
    return f"INSERT OR REPLACE INTO message VALUES ('{name}', 'ses_01', '{json.dumps(data)}')"


def test_opencode_message_file(root: Path) -> None:
    write(root, "storage/message/ses_01/msg_01.json", MESSAGE)
    call = only("opencode", root)
    assert tokens(call) == (12, 14_000, 800, 210, 0)
    assert (call.source_key, call.session, call.provider) == ("msg_01", "ses_01", "anthropic")
    assert (call.cost_reported, call.ts_end) == (round(0.0103 * NANO), MORNING + 6_000_000)


@pytest.mark.parametrize("agent", ["opencode", "kilo"])
def test_opencode_database_and_older_files_beside_it(agent: str, root: Path, store: Store) -> None:
    database(root / f"{agent}.db", TABLE, row("msg_01"), row("msg_02", cost=0), row("msg_03", role="user"))
    write(root, "storage/message/ses_01/msg_01.json", MESSAGE)
    write(root, "storage/message/ses_00/msg_00.json", {**MESSAGE, "id": "msg_00", "sessionID": "ses_00"})
    run = AgentRun(store, root, adapter=ADAPTERS[agent])
    run.step()
    assert run.sums()["calls"] == 3
    assert labels(store, "session") == [("ses_00",), ("ses_01",), ("ses_01",)]
    assert run.problems == []


@pytest.mark.parametrize("column", ["", ", time_updated INTEGER"])
def test_opencode_database_while_it_is_written(column: str, root: Path, store: Store) -> None:
    path = root / "opencode-beta.db"
    begun = {**MESSAGE, "tokens": {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}}
    database(path, f"CREATE TABLE message (id TEXT PRIMARY KEY, session_id TEXT, data TEXT{column})")
    run = AgentRun(store, root, adapter=ADAPTERS["opencode"])
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")

        def put(name: str, data: Any, at: int) -> None:
            values = [name, "ses_01", json.dumps(data), *([at] if column else [])]
            conn.execute(f"INSERT OR REPLACE INTO message VALUES ({', '.join('?' * len(values))})", values)
            conn.commit()
            run.step()

        put("msg_01", begun, 1)
        assert run.sums()["calls"] == 0
        put("msg_01", MESSAGE, 2)
        assert run.sums()["calls"] == 1
        run.restart()
        put("msg_02", {**MESSAGE, "id": "msg_02"}, 3)
        assert run.sums()["output"] == 420
        assert run.step() == 0
    assert run.problems == []


def test_reading_a_database_leaves_nothing_beside_it(root: Path) -> None:
    path = database(root / "opencode.db", "PRAGMA journal_mode = WAL", TABLE, row("msg_01"))
    assert [each.name for each in root.iterdir()] == ["opencode.db"]
    before = path.read_bytes()
    only("opencode", root)
    assert [each.name for each in root.iterdir()] == ["opencode.db"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("usage", "out"),
    [
        ({"input": 10, "output": 50, "reasoning": 30}, 80),
        ({"input": 10, "output": 50, "reasoning": 30, "total": 60}, 50),
        ({"input": 10, "output": 50, "reasoning": 30, "total": 67}, 50),
        ({"input": 10, "output": 50, "reasoning": 30, "total": 97}, 80),
        ({"input": 10, "output": 20, "reasoning": 30, "total": 30}, 50),
    ],
)
def test_opencode_reasoning_is_counted_once(usage: dict[str, Any], out: int, root: Path) -> None:
    usage = {**usage, "cache": {"read": 5, "write": 2}}
    write(root, "storage/message/ses_01/msg_01.json", {**MESSAGE, "tokens": usage})
    call = only("opencode", root)
    assert (call.out_total, call.reasoning) == (out, 30)


def test_opencode_failures(root: Path) -> None:
    nothing = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}}
    broken = {"name": "APIError", "data": {"message": "secret words", "statusCode": 529}}
    left = {"name": "MessageAbortedError", "data": {}}
    write(root, "storage/message/ses_01/msg_01.json", {**MESSAGE, "tokens": nothing, "error": broken})
    write(root, "storage/message/ses_01/msg_02.json", {**MESSAGE, "id": "msg_02", "error": left})
    found = sorted(calls(ADAPTERS["opencode"], root), key=lambda call: call.source_key)
    assert [(c.status, c.http_status, c.total_tokens) for c in found] == [
        ("error", 529, None),
        ("cancelled", None, 15_022),
    ]
    assert "secret" not in repr(found)


def test_opencode_looks_into_messages_only(tmp_path: Path) -> None:
    enters = ADAPTERS["opencode"].enters
    assert all(enters(place) for place in ("storage", "storage/message", "storage/message/ses_01"))
    assert not any(enters(place) for place in ("storage/part", "storage/part/msg_01", "snapshot", "log"))


# Copilot


def span(name: str, span_id: str, trace: str = "t-1", **usage: int) -> dict[str, Any]:
    """A span of the exporter."""
    attributes = {f"gen_ai.usage.{key}": value for key, value in usage.items()}
    attributes["gen_ai.usage.cache_read.input_tokens"] = attributes.pop("gen_ai.usage.cached", 0)
    operation = name.partition(" ")[0]
    return {
        "type": "span", "name": name, "traceId": trace, "spanId": span_id, "startTime": [1772449200, 0],
        "endTime": [1772449202, 500_000_000],
        "attributes": {
            **attributes, "gen_ai.operation.name": operation, "gen_ai.response.model": "gpt-5",
            "gen_ai.conversation.id": "c-1", "gen_ai.response.id": f"r-{span_id}",
        },
    }  # fmt: skip


def turn(trace: str, **usage: int) -> dict[str, Any]:
    """The log of an agent's turn."""
    attributes = {f"gen_ai.usage.{key}": value for key, value in usage.items()}
    return {"hrTime": [1772449203, 0], "spanContext": {"traceId": trace, "spanId": "s-9"},
            "attributes": {**attributes, "event.name": "copilot_chat.agent.turn"}}  # fmt: skip


def test_copilot_chat_span(root: Path) -> None:
    write(root, "otel.jsonl", span("chat gpt-5", "s-1", input_tokens=900, cached=512, output_tokens=40))
    call = only("copilot", root)
    assert tokens(call) == (388, 512, None, 40, None)
    assert call.call_keys == ("r-s-1", "t-1:s-1")
    assert (call.session, call.model, call.provider) == ("c-1", "gpt-5", "openai")
    assert (call.ts_start, call.ts_end) == (MORNING, MORNING + 2_500_000)


@pytest.mark.parametrize("first", ["near", "far"])
def test_copilot_counts_what_is_nearest_to_the_call(first: str, root: Path, store: Store) -> None:
    near = [
        span("chat gpt-5", "s-1", input_tokens=900, output_tokens=40),
        span("chat gpt-5", "s-2", input_tokens=100, output_tokens=4),
    ]
    far = [
        turn("t-1", input_tokens=1000, output_tokens=44),
        span("invoke_agent default", "s-0", input_tokens=1000, output_tokens=44),
        # Of this trace there is nothing nearer.
        span("invoke_agent default", "s-7", "t-2", input_tokens=7, output_tokens=1),
    ]
    path = write(root, "otel.jsonl", *(near if first == "near" else far))
    run = AgentRun(store, root, adapter=ADAPTERS["copilot"])
    run.step()
    run.restart()
    with path.open("a") as file:
        file.writelines(json.dumps(each) + "\n" for each in (far if first == "near" else near))
    run.step()
    assert run.sums() == {"calls": 3, "input": 1_007, "cache_read": 0, "cache_write": 0, "output": 45}


# Sums of sessions

GOOSE = """CREATE TABLE sessions (id TEXT, model_config_json TEXT, provider_name TEXT, created_at TEXT,
    working_dir TEXT, total_tokens INTEGER, input_tokens INTEGER, output_tokens INTEGER,
    accumulated_total_tokens INTEGER, accumulated_input_tokens INTEGER, accumulated_output_tokens INTEGER)"""


def goose(total: int, said: int, out: int) -> str:
    """A statement that stores a session."""
    return f"""INSERT INTO sessions VALUES ('g-1', '{{"model_name": "claude-sonnet-4-5"}}', 'anthropic',
        '2026-03-02 11:00:00', '/srv/demo', 9, 8, 1, {total}, {said}, {out})"""


def test_goose_session_grows(root: Path, store: Store) -> None:
    path = database(
        root / "sessions.db", GOOSE, goose(1_000, 900, 100), "INSERT INTO sessions (id) VALUES ('g-2')"
    )
    call = only("goose", root)
    assert tokens(call) == (900, None, None, 100, None)
    assert (call.session, call.provider, call.project, call.booked) == (
        "g-1",
        "anthropic",
        "/srv/demo",
        MORNING,
    )
    run = AgentRun(store, root, adapter=ADAPTERS["goose"])
    run.step()
    database(path, "DELETE FROM sessions WHERE id = 'g-1'", goose(1_700, 1_500, 150))
    run.step()
    run.restart()
    # A session that was made smaller had been spent all the same.
    database(path, "DELETE FROM sessions WHERE id = 'g-1'", goose(10, 9, 1))
    run.step()
    assert run.sums() == {"calls": 1, "input": 1_500, "cache_read": 0, "cache_write": 0, "output": 200}
    assert run.problems == []


def test_hermes(root: Path) -> None:
    database(
        root / "state.db",
        """CREATE TABLE sessions (id TEXT, model TEXT, billing_provider TEXT, started_at REAL,
            message_count INTEGER, input_tokens INTEGER, output_tokens INTEGER, cache_read_tokens INTEGER,
            cache_write_tokens INTEGER, reasoning_tokens INTEGER, estimated_cost_usd REAL,
            actual_cost_usd REAL)""",
        """INSERT INTO sessions VALUES
            ('h-1', 'gpt-5', 'openai_codex', 1772449200.5, 4, 10, 20, 30, 40, 5, 0.9, 0.25)""",
        "INSERT INTO sessions VALUES ('h-2', 'gpt-5', NULL, 1772449200.5, 0, 0, 0, 0, 0, 0, 0, NULL)",
    )
    call = only("hermes", root)
    assert tokens(call) == (10, 30, 40, 25, 5)
    assert (call.cost_reported, call.provider, call.booked) == (NANO // 4, "openai", MORNING + 500_000)


def test_droid(root: Path) -> None:
    usage = {
        "inputTokens": 10,
        "outputTokens": 20,
        "cacheCreationTokens": 30,
        "cacheReadTokens": 40,
        "thinkingTokens": 5,
    }
    session = {
        "tokenUsage": usage,
        "model": "custom:Claude-Sonnet-4.5-[Anthropic]",
        "providerLock": "anthropic",
        "providerLockTimestamp": "2026-03-02T11:00:00Z",
    }
    write(root, "p/d-1.settings.json", session)
    call = only("droid", root)
    assert tokens(call) == (10, 40, 30, 25, 5)
    assert (call.source_key, call.model, call.booked) == ("d-1", "claude-sonnet-4-5", MORNING)


# Conversations in one file


def test_amp(root: Path) -> None:
    events = [
        {"id": "e-1", "timestamp": "2026-03-02T11:00:00Z", "model": "claude-sonnet-4-5", "credits": 1.5,
         "tokens": {"input": 10, "output": 20, "total": 30}, "toMessageId": 1},
        {"id": "e-2", "timestamp": "2026-03-02T11:00:00Z", "tokens": {"input": 0, "output": 0}},
    ]  # fmt: skip
    usage = {"cacheCreationInputTokens": 300, "cacheReadInputTokens": 4_000}
    messages = [{"role": "assistant", "messageId": 1, "usage": usage}]
    write(root, "T-1.json", {"id": "T-1", "usageLedger": {"events": events}, "messages": messages})
    call = only("amp", root)
    assert tokens(call) == (10, 4_000, 300, 20, None)
    assert (call.source_key, call.session, call.attrs) == ("e-1", "T-1", {"credits": 1.5})


def test_codebuff(root: Path) -> None:
    usage = {"promptTokens": 900, "completionTokens": 40, "promptTokensDetails": {"cachedTokens": 512}}
    place = "projects/demo/chats/2026-03-02T11-00-00.000Z/chat-messages.json"
    message = {
        "id": "m-1",
        "variant": "ai",
        "credits": 3,
        "metadata": {"model": "openai/gpt-5", "usage": usage},
    }
    write(root, place, [{"variant": "user"}, message])
    call = only("codebuff", root)
    assert tokens(call) == (388, 512, None, 40, None)
    assert (call.provider, call.project, call.ts_end) == ("openai", "demo", MORNING)
    assert call.attrs == {"credits": 3}


# pi and its kin


def pi(name: str, **more: Any) -> dict[str, Any]:
    """A message of pi's."""
    usage = {"input": 10, "output": 20, "cacheRead": 30, "cacheWrite": 40, "cost": {"total": 0.5}}
    message = {"role": "assistant", "usage": usage, "timestamp": MORNING // 1000, **more}
    return {"type": "message", "id": name, "timestamp": "2026-03-02T11:00:09Z", "message": message}


@pytest.mark.parametrize("agent", ["pi", "omp", "openclaw"])
def test_pi_and_its_kin(agent: str, root: Path) -> None:
    head = {"type": "session", "id": "p-1", "cwd": "/srv/demo"}
    change = {"type": "model_change", "provider": "openai", "modelId": "gpt-5"}
    write(
        root,
        "main/sessions/p-1.jsonl",
        head,
        change,
        pi("a"),
        {"type": "message", "message": {"role": "user"}},
    )
    call = only(agent, root)
    assert tokens(call) == (10, 30, 40, 20, None)
    assert (call.session, call.project, call.model, call.provider) == ("p-1", "/srv/demo", "gpt-5", "openai")
    assert (call.cost_reported, call.ts_end) == (NANO // 2, MORNING)


def test_a_session_of_pi_that_goes_on_from_another_counts_once(root: Path, store: Store) -> None:
    write(root, "one.jsonl", {"type": "session", "id": "p-1"}, pi("a"))
    later = pi("b", timestamp=MORNING // 1000 + 1)
    write(root, "two.jsonl", {"type": "session", "id": "p-2"}, pi("a"), later)
    run = AgentRun(store, root, adapter=ADAPTERS["pi"])
    run.step()
    assert run.sums()["calls"] == 2


def test_openclaw_reads_what_was_put_aside() -> None:
    kind = ADAPTERS["openclaw"].kind
    assert kind("main/sessions/a.jsonl.deleted.2026-03-02") == "lines"
    assert kind("main/sessions/a.jsonl.lock") is None


# All


def test_every_agent_has_its_line_and_its_places(tmp_path: Path) -> None:
    assert {"codex", "gemini-cli", "opencode", "kilo", "copilot", "goose", "hermes", "amp"} < ADAPTERS.keys()
    for name, adapter in ADAPTERS.items():
        assert adapter.name == name
        assert adapter.title
        assert all(root.is_absolute() for root in adapter.roots({}, tmp_path))


@pytest.mark.parametrize(
    ("model", "named", "provider"),
    [
        ("claude-opus-4-5", None, "anthropic"),
        ("openai/gpt-5", None, "openai"),
        ("gpt-5", "azure_openai", "azure"),
        ("gemini-3-pro", "unknown", "google"),
        ("something", None, None),
    ],
)
def test_whose_model_it_is(model: str, named: str | None, provider: str | None) -> None:
    assert provider_of(model, named) == provider


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
SEEDS: dict[str, tuple[str, Any]] = {
    "codex": ("sessions/a.jsonl", {"timestamp": "2026-03-02T11:00:00Z", "type": "event_msg", "payload": {
        "type": "token_count", "rate_limits": {"primary": {"used_percent": 1, "window_minutes": 300}},
        "info": {"last_token_usage": {"input_tokens": 1}, "total_token_usage": {"input_tokens": 1}}}}),
    "gemini-cli": ("p/chats/session-1.jsonl", gemini("m", tokens=THOUGHT)),
    "qwen": ("p/chats/a.jsonl", {
        "type": "assistant", "timestamp": 1, "usageMetadata": {"promptTokenCount": 1}}),
    "opencode": ("storage/message/ses_1/msg_1.json", {
        **MESSAGE, "error": {"name": "x", "data": {"statusCode": 5}}}),
    "copilot": ("a.jsonl", span("chat x", "s", input_tokens=1)),
    "droid": ("a.settings.json", {"tokenUsage": {"inputTokens": 1}, "model": "x", "providerLock": "y"}),
    "amp": ("T-1.json", {
        "id": "T", "messages": [{"role": "assistant", "usage": {"inputTokens": 1, "timestamp": 1}}]}),
    "codebuff": ("chat-messages.json", [{"role": "ai", "metadata": {"usage": {"inputTokens": 1}}}]),
    "pi": ("a.jsonl", pi("a")),
}  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A record with something else somewhere in it, or cut off."""
    agent = draw(st.sampled_from(sorted(SEEDS)))
    value = json.loads(json.dumps(SEEDS[agent][1]))
    here = value
    while isinstance(here, dict | list) and here:
        key = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        if not isinstance(here[key], dict | list) or draw(st.booleans()):
            here[key] = draw(JSON)
            break
        here = here[key]
    line = json.dumps(value).encode("utf-8", "surrogatepass")
    return agent, line[: draw(st.none() | st.integers(0, len(line)))]


@settings(max_examples=examples(120), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=mutated())
def test_no_record_is_too_strange(case: tuple[str, bytes], tmp_path: Path) -> None:
    agent, line = case
    adapter = ADAPTERS[agent]
    place = SEEDS[agent][0]
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    kind = adapter.kind(place)
    assert kind is not None
    file = LogFile(path, tmp_path, kind)
    reader: Any = adapter.reader(file, None, _Shelf(file))
    found = reader.feed(Block(line + b"\n", 0)) if kind == "lines" else reader.read(line)
    for record in found.records:
        if isinstance(record, Call):
            assert record.source_key
            counts = (*tokens(record), record.cost_reported)
            assert all(value is None or (type(value) is int and value >= 0) for value in counts)
            assert (record.reasoning or 0) <= (record.out_total or 0)
    # Its state is JSON, and is taken up again.
    adapter.reader(file, json.loads(json.dumps(reader.state())), _Shelf(file))


class _Shelf:
    """One file and no others."""

    def __init__(self, file: LogFile) -> None:
        self._file = file

    def files(self) -> list[LogFile]:
        return [self._file]

    def blocks(self, path: Path) -> Any:
        return iter(())
