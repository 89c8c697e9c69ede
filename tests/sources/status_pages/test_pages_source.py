"""The source over real servers: who is asked, how often, and what becomes of what they say."""

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.sources.loopback import Context, answer, serving
from tui_monitor.config.probing import StatusPage
from tui_monitor.model.clock import SystemClock
from tui_monitor.sources.status_pages import source as pages
from tui_monitor.sources.status_pages.source import StatusPagesSource

FINE = {"page": {}, "status": {"indicator": "none"}, "components": [{"name": "API", "status": "operational"}]}
ILL = {
    "page": {},
    "status": {"indicator": "major"},
    "components": [{"name": "API", "status": "major_outage"}],
    "incidents": [
        {"name": "API\x1b[2J down", "status": "identified", "impact": "critical", "shortlink": "https://s/1"}
    ],
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_FIRST_WITHIN", 0.0)


def run(ctx: Context, until: Callable[[], bool], known=None, environ=None) -> None:
    async def main() -> None:
        source = StatusPagesSource(known or {}, environ or {})
        assert source.off(ctx.settings) == ""
        task = asyncio.create_task(source.run(ctx))  # type: ignore[arg-type]
        async with asyncio.timeout(4):
            while not until() and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def context(url: str = "", kind: str = "statuspage", components=("api",), **fields) -> Context:
    page = {"provider": "openai", "url": url, "kind": kind, "components": list(components)}
    named = {"pages": [page]} if url else {}
    return Context(SystemClock(), pages=named, consent={"status_pages": True}, **fields)


def level(ctx: Context) -> list[tuple[dict[str, str], float]]:
    return [(sample.labels, sample.value) for sample in ctx.named("provider_status")]


def test_nothing_is_asked_without_consent():
    assert "consent.status_pages" in StatusPagesSource().off(Context(SystemClock()).settings)
    refused = Context(SystemClock(), consent={"status_pages": False}).settings
    assert StatusPagesSource().off(refused)


def test_a_page_becomes_samples():
    with serving(answer(ILL)) as server:
        ctx = context(server.url)
        run(ctx, lambda: len(ctx.samples) >= 4)
        assert [asked.path for asked in server.asked] == ["/api/v2/summary.json"]
        assert server.asked[0].headers["user-agent"].startswith("tui-monitor/")
    assert level(ctx) == [({"provider": "openai"}, 3.0), ({"provider": "openai", "component": "API"}, 3.0)]
    (incident,) = ctx.named("provider_incident")
    assert incident.labels == {"provider": "openai", "title": "API[2J down", "url": "https://s/1"}


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (
            answer(b"<!DOCTYPE html><title>x</title>", content_type="text/html"),
            "it is a page for people, no JSON",
        ),
        (answer(b"{"), "it is no JSON"),
        (answer(b"[" * 100_000), "it is no JSON"),
        (answer({"status": "up"}), "no status in it"),
        (answer(FINE, 503), "it answered 503"),
        (answer(FINE, 404), "it answered 404"),
        (answer(b"", 304), "it answered 304"),
        (answer(b" " * 5_000_000), "the answer is longer than 4,000,000 bytes"),
        (answer(b"", 302, location="http://127.0.0.1:1/x"), "it redirects to an address that is not https"),
    ],
)
def test_a_failure_is_unknown_neither_up_nor_down(handler, words):
    with serving(handler) as server:
        ctx = context(server.url)
        run(ctx, lambda: bool(ctx.problems))
    assert ctx.samples == []
    assert ctx.problems == [f"openai: its status page is unknown: {words}"]


def test_component_drift_is_told_and_the_whole_page_counts():
    def handle(asked, conn):
        answer(FINE if "summary" in asked.path else {"components": []})(asked, conn)

    with serving(handle) as server:
        ctx = context(server.url, components=["embeddings"])
        run(ctx, lambda: bool(ctx.samples))
        assert [asked.path for asked in server.asked] == ["/api/v2/summary.json", "/api/v2/components.json"]
    assert [sample.value for sample in ctx.named("provider_status_drift")] == [1.0]
    assert ctx.problems == ["openai: component drift, its page has no embeddings"]


def test_an_unchanged_answer_is_not_sent_again(monkeypatch):
    monkeypatch.setattr(pages, "_SHORTEST", 20_000)

    def handle(asked, conn):
        if asked.headers.get("if-none-match") == '"v1"':
            answer(b"", 304)(asked, conn)
        else:
            answer(ILL, etag='"v1"', last_modified="Wed, 18 Mar 2026 11:00:00 GMT")(asked, conn)

    with serving(handle) as server:
        ctx = context(server.url)
        ctx.settings.status_pages.interval = 20_000
        run(ctx, lambda: len(server.asked) >= 3 and len(ctx.named("provider_incident")) >= 3)
        assert "if-none-match" not in server.asked[0].headers
        assert server.asked[1].headers["if-modified-since"] == "Wed, 18 Mar 2026 11:00:00 GMT"
    assert {value for labels, value in level(ctx)} == {3.0}


def test_a_tag_that_no_header_can_hold_is_not_sent_back(monkeypatch):
    monkeypatch.setattr(pages, "_SHORTEST", 20_000)
    with serving(answer(FINE, etag='"vé"')) as server:
        ctx = context(server.url)
        ctx.settings.status_pages.interval = 20_000
        run(ctx, lambda: len(ctx.named("provider_status_drift")) >= 3)
        assert all("if-none-match" not in asked.headers for asked in server.asked)
    assert ctx.problems == []


def test_a_page_is_asked_once_a_minute_at_most():
    with serving(answer(FINE)) as server:
        ctx = context(server.url)
        ctx.settings.status_pages.interval = 1
        run(ctx, lambda: bool(ctx.samples))
        assert len(server.asked) == 1


def test_only_providers_in_use_are_asked_about():
    with serving(answer(FINE)) as used, serving(answer(FINE)) as probed, serving(answer(FINE)) as other:
        known = {
            name: StatusPage(provider=name, url=server.url)
            for name, server in (("anthropic", used), ("groq", probed), ("mistral", other))
        }
        ctx = context(used=["anthropic", "my-own"], probes={"targets": [{"provider": "groq"}]})
        run(ctx, lambda: len(level(ctx)) >= 2, known)
        assert (len(used.asked), len(probed.asked), len(other.asked)) == (1, 1, 0)
    ctx = context()
    run(ctx, lambda: bool(ctx.details), known)
    assert ctx.details == ["no provider in use has a page that is known"]


def test_a_page_of_the_settings_takes_the_place_of_the_known_one():
    with serving(answer(FINE)) as mine, serving(answer(FINE)) as theirs:
        ctx = context(mine.url, used=["openai"])
        run(ctx, lambda: bool(ctx.samples), {"openai": StatusPage(provider="openai", url=theirs.url)})
        assert (len(mine.asked), len(theirs.asked)) == (1, 0)


def test_every_kind_finds_its_address():
    feed = b"<rss><channel></channel></rss>"
    bodies = {
        "/summary.json": json.dumps({"page": {"status": "UP"}}).encode(),
        "/index.json": b"<html>",
        "/feed": feed,
        "/incidents.json": b"[]",
        "/rss.xml": feed,
    }
    with serving(lambda asked, conn: answer(bodies.get(asked.path, b""))(asked, conn)) as server:
        for kind, path, asked in (
            ("instatus", "", ["/summary.json"]),
            ("betterstack", "", ["/index.json", "/feed"]),
            ("google", "", ["/incidents.json"]),
            ("google", "/incidents.json", ["/incidents.json"]),
            ("rss", "/rss.xml", ["/rss.xml"]),
        ):
            server.asked.clear()
            ctx = context(server.url + path, kind, ())
            run(ctx, lambda ctx=ctx: bool(ctx.samples))
            assert [one.path for one in server.asked] == asked
            assert level(ctx) == [({"provider": "openai"}, 0.0)]
