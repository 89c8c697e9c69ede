"""What a transcript of Claude Code says, line by line."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from agent_run import EVER, AgentRun, calls, labels
from claude_lines_made import PROJECT, answer, dump, stamp, usage, user

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, from_datetime
from tui_monitor.sources.agents.claude import ClaudeCode
from tui_monitor.sources.agents.claude_lines import cache_written
from tui_monitor.store.database import Store

SESSION = f"{PROJECT}/11111111-2222-4333-8444-555555555555.jsonl"


def put(root: Path, *lines: dict[str, Any], place: str = SESSION) -> Path:
    """A transcript."""
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(dump(*lines))
    return path


def one(root: Path, *lines: dict[str, Any], **more: Any) -> Call:
    """The only call of a transcript."""
    put(root, *lines, **more)
    [call] = calls(ClaudeCode(), root)
    return call


def test_the_sample_of_the_format_page(shared: Path, root: Path, store: Store) -> None:
    page = (shared / "formats" / "claude-code.md").read_text()
    sample = re.findall(r"```jsonl\n(.*?)```", page, re.DOTALL)[-1]
    path = root / PROJECT / "s-demo.jsonl"
    path.parent.mkdir()
    path.write_text(sample)
    run = AgentRun(store, root)
    run.step()
    assert run.sums() == {
        "calls": 1, "input": 9512, "cache_read": 9000, "cache_write": 500, "output": 210
    }  # fmt: skip
    assert run.problems == []


def test_everything_a_line_tells(root: Path) -> None:
    call = one(
        root,
        answer(
            "msg_1", "req_1", (12, 500, 9000, 210), at=4.0, gitBranch="main", costUSD=0.0123,
            message_more={"stop_reason": "tool_use"},
            usage_more={
                "speed": "fast", "inference_geo": "us", "output_tokens_details": {"thinking_tokens": 150},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
            },
        ),
    )  # fmt: skip
    assert (call.source, call.source_key, call.call_keys) == (
        "claude-code", "msg_1:req_1", ("msg_1", "req_1")
    )  # fmt: skip
    assert (call.provider, call.model_served, call.status) == ("anthropic", "claude-sonnet-4-5", "success")
    assert (call.in_uncached, call.cache_write_5m, call.cache_write_1h, call.cache_read) == (12, 500, 0, 9000)
    assert (call.out_total, call.reasoning, call.finish_reason) == (210, 150, "tool_use")
    assert (call.agent, call.session, call.project) == ("claude-code", "s-1", "/srv/demo")
    assert call.ts_end is not None
    assert call.ts_end - from_start() == 4 * SECOND
    assert (call.cost_reported, call.media, call.service_tier) == (12_300_000, {"web_searches": 2}, "fast")
    assert call.attrs == {
        "git_branch": "main", "version": "2.1.0", "speed": "fast", "inference_geo": "us", "web_fetches": 1
    }  # fmt: skip


def from_start() -> int:
    """The start of every made session."""
    from claude_lines_made import START

    return from_datetime(START)


def test_no_word_of_what_was_said_is_kept(root: Path, store: Store) -> None:
    secret = "the launch code is 0000"
    line = answer(
        "msg_1", "req_1", (1, 2, 3, 4), message_more={"content": [{"type": "text", "text": secret}]}
    )
    failed = failure(f"API Error: 500 {secret}")
    put(root, user("s-1", 0, secret), line, failed)
    (root / PROJECT / "broken.jsonl").write_bytes(b'{"type":"assistant","usage": "' + secret.encode() + b"\n")
    run = AgentRun(store, root)
    run.step()
    assert run.sums()["calls"] == 2
    assert run.problems
    assert "launch" not in " ".join(run.problems)
    # The write-ahead log has everything since the start.
    kept = b"".join(path.read_bytes() for path in store.path.parent.glob("monitor.db*"))
    assert b"launch" not in kept


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"cache_creation_input_tokens": 700, "cache_creation": None}, (700, None)),
        ({"cache_creation_input_tokens": 700}, (700, None)),
        ({"cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 50}}, (200, 50)),
        # The parts cover the first round only: the rest counts as the cheaper kind.
        ({"cache_creation_input_tokens": 700,
          "cache_creation": {"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 50}}, (650, 50)),
        # The parts are more than the sum: they hold.
        ({"cache_creation_input_tokens": 0,
          "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 50}}, (0, 50)),
        ({"cache_creation": {}}, (None, None)),
        ({"cache_creation_input_tokens": "many", "cache_creation": {"ephemeral_5m_input_tokens": -1}},
         (None, None)),
    ],
)  # fmt: skip
def test_tokens_written_to_the_cache(fields: dict[str, Any], expected: tuple[int | None, int | None]) -> None:
    assert cache_written(fields) == expected


@pytest.mark.parametrize(
    ("model", "message", "provider"),
    [
        ("claude-opus-4-6", "msg_01", "anthropic"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "msg_bdrk_01", "aws"),
        ("claude-sonnet-4-5", "msg_bdrk_01", "aws"),
        ("arn:aws:bedrock:eu-west-1:1:inference-profile/x", "m", "aws"),
        ("claude-sonnet-4-5@20250929", "msg_01", "google"),
        ("claude-sonnet-4-5", "msg_vrtx_01", "google"),
        ("gpt-5", "m", "openai"),
        ("kimi-k2-turbo", "m", "moonshotai"),
        ("a-model-of-my-own", "m", None),
    ],
)
def test_who_was_called(root: Path, model: str, message: str, provider: str | None) -> None:
    assert one(root, answer(message, None, (1, 1, 1, 1), model=model)).provider == provider


def test_lines_without_ids_are_known_by_uuid_then_by_their_place(root: Path, store: Store) -> None:
    with_uuid = answer(None, None, (1, 0, 0, 1), uuid="u-77")
    without = {name: value for name, value in with_uuid.items() if name != "uuid"}
    path = put(root, with_uuid, with_uuid, without, without)
    run = AgentRun(store, root)
    run.step()
    assert run.sums()["calls"] == 3
    # A copy elsewhere has the same names.
    put(root, with_uuid, with_uuid, without, without, place=f"elsewhere/{PROJECT}/{path.name}")
    run.step()
    assert run.sums()["calls"] == 3


def test_of_equal_lines_the_one_that_is_no_copy_counts(root: Path) -> None:
    copy = answer("msg_1", "req_1", (1, 2, 3, 4), isSidechain=True)
    assert "sidechain" not in one(root, copy, answer("msg_1", "req_1", (1, 2, 3, 4))).attrs


def test_what_bills_nothing(root: Path) -> None:
    put(
        root,
        user("s-1", 0),
        answer("m", "r", (1, 1, 1, 1), model="<synthetic>"),
        {"type": "system", "message": {"usage": usage((1, 1, 1, 1))}},
        {"type": "assistant", "message": "usage"},
        {"type": "assistant", "message": {"id": "m", "usage": "none"}, "timestamp": stamp(1)},
        {"type": "summary", "summary": '"usage"'},
    )
    assert calls(ClaudeCode(), root) == []


def failure(text: str, **more: Any) -> dict[str, Any]:
    """A line that tells of a failed call."""
    said = {"content": [{"type": "text", "text": text}], "stop_reason": "stop_sequence"}
    line = answer("e-1", None, (0, 0, 0, 0), model="<synthetic>", message_more=said)
    return {**line, "isApiErrorMessage": True, **more}


@pytest.mark.parametrize(
    ("text", "more", "expected"),
    [
        ('API Error: 529 {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', {},
         ("overloaded", 529, "overloaded_error")),
        ("API Error: 500 Internal server error", {}, ("server", 500, None)),
        ("API Error (429 {…})", {"error": "rate_limit"}, ("rate_limit", 429, "rate_limit")),
        ("Prompt is too long", {"error": "invalid_request"}, ("context_length", None, "invalid_request")),
        ("Invalid API key · Please run /login", {}, ("auth", None, None)),
        ("Credit balance is too low", {"error": "billing_error"}, ("billing", None, "billing_error")),
        ("API Error: Connection error.", {}, ("network", None, None)),
        ("API Error: Request timed out.", {}, ("timeout", None, None)),
        ("Something new", {}, ("other", None, None)),
        ("API Error: 999", {"error": ["x"]}, ("other", None, None)),
    ],
)  # fmt: skip
def test_failed_calls(root: Path, text: str, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    call = one(root, failure(text, **more))
    assert (call.status, call.error_category, call.http_status, call.error_code) == ("error", *expected)
    assert (call.provider, call.model, call.total_tokens, call.session) == ("anthropic", None, None, "s-1")


def test_a_usage_limit_tells_when_it_ends(root: Path, store: Store) -> None:
    ends = from_start() // SECOND + 3600
    put(root, failure(f"Claude AI usage limit reached|{ends}"))
    run = AgentRun(store, root)
    run.step()
    run.restart()
    run.step()
    [event] = store.events("rate_limit", EVER)
    assert (event.name, event.labels["key"], event.labels["reset_s"]) == ("denied", "claude-code", "3600")
    assert labels(store, "status", "error_category") == [("error", "rate_limit")]


def test_subagents_and_the_folder_a_session_began_in(root: Path) -> None:
    agent = f"{PROJECT}/s-1/subagents/workflows/w/agent-7.jsonl"
    line = answer("m", "r", (1, 1, 1, 1), cwd="/srv/demo/src/deep", isSidechain=True)
    path = put(root, line, place=agent)
    path.with_suffix(".meta.json").write_text('{"agentType": "Explore"}')
    [call] = calls(ClaudeCode(), root)
    assert (call.project, call.attrs["subagent"], call.attrs["sidechain"]) == ("/srv/demo", "Explore", True)


def test_a_folder_that_is_named_after_nothing_is_the_project(root: Path) -> None:
    assert one(root, answer("m", "r", (1, 1, 1, 1), cwd="/elsewhere")).project == "/elsewhere"


def test_roots(tmp_path: Path) -> None:
    usual = ClaudeCode().roots({}, tmp_path)
    assert usual[:2] == [tmp_path / ".config/claude/projects", tmp_path / ".claude/projects"]
    assert tmp_path / "Library/Application Support/Claude/claude-code-sessions" in usual
    moved = ClaudeCode().roots({"XDG_CONFIG_HOME": "/etc/x"}, tmp_path)
    assert moved[0] == Path("/etc/x/claude/projects")
    chosen = ClaudeCode().roots({"CLAUDE_CONFIG_DIR": "/a, ~/b/projects,"}, tmp_path)
    assert chosen == [Path("/a/projects"), tmp_path / "b/projects"]


def test_numbers_that_are_none_are_unknown(root: Path) -> None:
    line = answer("m", "r", (1, 1, 1, 1), sessionId=7, cwd=["x"], gitBranch=None)
    line["message"]["usage"] = {"input_tokens": "12", "output_tokens": -5, "cache_read_input_tokens": 1.5}
    call = one(root, line)
    assert (call.in_uncached, call.out_total, call.cache_read, call.project) == (12, None, None, None)


def test_half_a_character_and_bytes_that_are_no_text_spoil_nothing(root: Path, store: Store) -> None:
    good = dump(answer("m", "r", (1, 1, 1, 7)))
    lines = [
        good.replace(b"it says", b"\\ud83d"),
        good.replace(b"it says", b"\xff\xfe").replace(b'"m"', b'"m2"'),
    ]
    path = root / SESSION
    path.parent.mkdir()
    path.write_bytes(b"".join(lines))
    run = AgentRun(store, root)
    run.step()
    assert (run.sums()["calls"], run.sums()["output"], run.problems) == (2, 14, [])


def test_a_line_glued_to_one_that_was_cut_off_is_read(root: Path, store: Store) -> None:
    first, second = dump(answer("m1", "r1", (1, 1, 1, 5))), dump(answer("m2", "r2", (1, 1, 1, 6)))
    path = root / SESSION
    path.parent.mkdir()
    path.write_bytes(first[:-70] + second + b"not JSON at all\n\n" + orjson.dumps([1]) + b"\n" + first)
    run = AgentRun(store, root)
    run.step()
    assert run.sums()["output"] == 11
    assert len(run.problems) == 3
