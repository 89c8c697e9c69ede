"""Each kind of server: what it is asked, and what its answer is worth."""

import asyncio
import json

import pytest
from pydantic import SecretStr

from tests.sources.loopback import answer, endless, hang, serving
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.probes.kinds import KINDS, judge
from tui_monitor.sources.probes.source import probe
from tui_monitor.sources.probes.targets import Target
from tui_monitor.sources.web import Answer, Web

KEY = "sk-" + "topsecret0123456789"
HTML = answer(b"<!DOCTYPE html><title>Login</title>", content_type="text/html")
LIST = {"object": "list", "data": [{"id": "gpt-5"}]}


@pytest.fixture
def ask(web: Web):
    def ask(handler, kind: str = "openai", path: str = "", provider: str = "p", key: str | None = KEY):
        with serving(handler) as server:
            secret = SecretStr(key) if key else None
            target = Target(provider, kind, server.url + path, "host", secret)  # type: ignore[arg-type]
            outcome = asyncio.run(probe(web, target, 0.5))
        assert KEY not in repr((outcome, target))
        return outcome, server.asked

    return ask


def why(kind: str, body: object, status: int = 200, **headers: str) -> tuple[str, str]:
    """Reason and words of a judgement on an answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return "", judge(KINDS[kind], Answer(status, headers, data, 0.1, 0.0, "http://x"))  # type: ignore[index]
    except Unanswered as error:
        return error.why, error.words


@pytest.mark.parametrize(
    ("kind", "path", "asked", "header", "body"),
    [
        ("openai", "/v1", "/v1/models", ("authorization", f"Bearer {KEY}"), LIST),
        ("openai", "/v1", "/v1/models", ("authorization", f"Bearer {KEY}"), [{"id": "a"}]),
        ("anthropic", "", "/v1/models?limit=1", ("x-api-key", KEY), {"data": [], "has_more": False}),
        ("anthropic", "/v1", "/v1/models?limit=1", ("anthropic-version", "2023-06-01"), {"data": []}),
        ("gemini", "", "/v1beta/models?pageSize=1", ("x-goog-api-key", KEY), {"models": [{"name": "m"}]}),
        ("azure", "", "/openai/v1/models", ("api-key", KEY), LIST),
        ("ollama", "", "/api/version", ("authorization", f"Bearer {KEY}"), {"version": "0.9.1"}),
        ("vllm", "/v1", "/health", ("authorization", f"Bearer {KEY}"), b""),
        ("tgi", "", "/health", ("authorization", f"Bearer {KEY}"), b""),
        ("litellm", "", "/health/liveliness", ("authorization", f"Bearer {KEY}"), "I'm alive!"),
        ("http", "/any", "/any", ("authorization", f"Bearer {KEY}"), b"whatever"),
    ],
)
def test_what_each_kind_is_asked_and_answers(ask, kind, path, asked, header, body):
    outcome, seen = ask(answer(body), kind, path)
    assert (outcome.why, outcome.words) == ("", "")
    assert [one.path for one in seen] == [asked]
    assert seen[0].headers[header[0]] == header[1]


@pytest.mark.parametrize(
    "kind", ["openai", "anthropic", "gemini", "azure", "ollama", "vllm", "tgi", "litellm"]
)
def test_a_page_for_people_is_no_answer(ask, kind):
    assert ask(HTML, kind)[0].why == "garbage"


@pytest.mark.parametrize("kind", ["openai", "anthropic", "gemini", "azure", "ollama"])
@pytest.mark.parametrize(
    "body", [b"", b"OK", b"{", {"data": {}}, {"models": "many"}, [1, 2], None, b"[" * 5_000]
)
def test_200_with_garbage_failed(kind, body):
    assert why(kind, body)[0] == "garbage"


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (401, {"error": {}}, "", "401 Unauthorized"),
        (402, {}, "", "402 Payment Required"),
        (403, b"<html>", "", "403 Forbidden"),
        (429, {"error": {}}, "", "429 Too Many Requests"),
        (404, {"error": "model"}, "", "404 Not Found: is the address right?"),
        (404, b"<html>not here", "http 404", None),
        (418, b"", "http 418", None),
        (408, b"", "http 408", None),
        (407, b"", "proxy", None),
        (511, b"", "proxy", None),
        (500, {}, "http 500", None),
        (503, LIST, "http 503", None),
        (529, {"error": {"type": "overloaded_error"}}, "http 529", "it answered 529"),
        (302, b"", "redirect", None),
        (204, b"", "garbage", None),
    ],
)
def test_what_a_status_is_worth(status, body, reason, words):
    found = why("openai", body, status)
    assert found == (reason, found[1] if words is None else words)


@pytest.mark.parametrize(
    ("status", "reason"), [(200, ""), (302, ""), (404, ""), (499, ""), (500, "http 500")]
)
def test_plain_http_wants_any_answer_below_500(status, reason):
    assert why("http", b"", status)[0] == reason


def test_a_server_that_hangs_or_never_ends(ask):
    assert ask(hang)[0].why == "timeout"
    assert ask(endless)[0].why == "too large"
    # Of what is not read nothing can be too long.
    assert ask(endless, "http")[0].why == ""


def test_openrouter_is_asked_what_is_left_of_the_key(ask):
    body = {"data": {"usage": 1.5, "limit": None}}
    outcome, seen = ask(answer(body), path="/api/v1", provider="openrouter")
    assert (outcome.why, seen[0].path) == ("", "/api/v1/key")
    # Without one too: its list of models is longer than what is read of an answer.
    outcome, seen = ask(answer({}, 401), path="/api/v1", provider="openrouter", key=None)
    assert (outcome.why, seen[0].path) == ("", "/api/v1/key")


def test_without_a_key_none_is_sent(ask):
    _, seen = ask(answer({}, 401), key=None)
    assert "authorization" not in seen[0].headers
