"""The source over real servers: samples, runs of failures, our own network, and nothing without leave."""

import asyncio
from collections.abc import Callable

import pytest

from tests.sources.loopback import Context, answer, serving
from tui_monitor.model.clock import SECOND, SystemClock
from tui_monitor.sources.probes import source as probing
from tui_monitor.sources.probes.source import ProbeSource

GOOD = {"data": [{"id": "m"}]}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "_FIRST_WITHIN", 0.0)
    monkeypatch.setattr(probing, "_SHORTEST", 1)


def run(ctx: Context, until: Callable[[], bool], within: float = 4.0) -> None:
    async def main() -> None:
        task = asyncio.create_task(ProbeSource({}).run(ctx))  # type: ignore[arg-type]
        async with asyncio.timeout(within):
            while not until() and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def context(*urls: str, interval: str = "50ms", **fields) -> Context:
    targets = [{"provider": f"p{n}", "url": url} for n, url in enumerate(urls)]
    return Context(
        SystemClock(), probes={"interval": interval, "timeout": "1s", "targets": targets}, **fields
    )


def runs(ctx: Context, provider: str) -> list[float]:
    return [s.value for s in ctx.named("probe_failures_in_a_row") if s.labels["provider"] == provider]


def test_success_and_failure_as_samples():
    limits = {"x_ratelimit_limit_requests": "60", "x_ratelimit_remaining_requests": "59"}
    with serving(answer(GOOD, **limits)) as good, serving(answer({}, 503)) as bad:
        ctx = context(good.url, bad.url)
        # None is told of a probe that our own delays would be a part of.
        timed = "probe_duration_seconds"
        run(ctx, lambda: len(runs(ctx, "p1")) >= 3 and len(runs(ctx, "p0")) >= 2 and bool(ctx.named(timed)))
        target = f"127.0.0.1:{good.port}"
    success = [s for s in ctx.named("probe_success") if s.labels["provider"] == "p0"]
    assert {s.value for s in success} == {1.0}
    assert success[0].labels == {"provider": "p0", "target": target}
    durations = ctx.named(timed)
    assert {s.labels["provider"] for s in durations} == {"p0"}
    assert all(0 < s.value < 1 for s in durations)
    assert runs(ctx, "p0")[:2] == [0, 0]
    assert runs(ctx, "p1")[:3] == [1, 2, 3]
    (remaining,) = {s.value for s in ctx.named("llm_ratelimit_remaining")}
    assert remaining == 59
    # A failure is told once, not at every look.
    assert [p for p in ctx.problems if p.startswith("p1")] == [
        f"p1 (127.0.0.1:{bad.port}): it answered 503 Service Unavailable"
    ]
    assert "2 targets, 1 reachable" in ctx.details


def test_one_probe_for_each_interval():
    with serving(answer(GOOD)) as server:
        ctx = context(server.url, interval="10m")
        run(ctx, lambda: bool(ctx.samples))
        assert len(server.asked) == 1


def test_an_interval_of_nothing_floods_nobody(monkeypatch):
    monkeypatch.setattr(probing, "_SHORTEST", 5 * SECOND)
    with serving(answer(GOOD)) as one, serving(answer(GOOD)) as other:
        ctx = context(one.url, other.url, interval="1ms")
        until = ctx.clock.monotonic() + 0.3
        run(ctx, lambda: ctx.clock.monotonic() > until)
        assert (len(one.asked), len(other.asked)) == (1, 1)


def test_a_run_of_failures_goes_on_over_a_restart_for_a_while():
    with serving(answer({}, 500)) as server:
        for ago, first in ((1 * SECOND, 3), (600 * SECOND, 1)):
            ctx = context(server.url, interval="1m")
            at = ctx.clock.now() - ago
            ctx.kept[f"probes:p0|127.0.0.1:{server.port}"] = f"2 {at}"
            run(ctx, lambda ctx=ctx: bool(ctx.samples))
            assert runs(ctx, "p0") == [first]
            assert ctx.kept[f"probes:p0|127.0.0.1:{server.port}"].startswith(f"{first} ")
        ctx.kept[f"probes:p0|127.0.0.1:{server.port}"] = "nonsense"
        run(ctx, lambda: len(runs(ctx, "p0")) == 2)
        assert runs(ctx, "p0")[-1] == 1
    with serving(answer(GOOD)) as server:
        ctx = context(server.url)
        ctx.kept[f"probes:p0|127.0.0.1:{server.port}"] = f"2 {ctx.clock.now()}"
        run(ctx, lambda: bool(ctx.samples))
        assert ctx.kept[f"probes:p0|127.0.0.1:{server.port}"] == ""


def test_when_nothing_outside_answers_it_is_our_network():
    with serving(answer(GOOD)) as near, serving(answer({}, 500)) as ill:
        ctx = context("https://a.invalid/v1", "https://b.invalid/v1", near.url, ill.url)
        run(ctx, lambda: min(len(runs(ctx, f"p{n}")) for n in range(4)) >= 4)
    up = [s.value for s in ctx.named("probe_network_up")]
    assert up[-1] == 0
    # At most the failures before all were known count; what is near is judged on its own.
    assert runs(ctx, "p0")[2:] == [0] * len(runs(ctx, "p0")[2:])
    assert runs(ctx, "p1")[2:] == [0] * len(runs(ctx, "p1")[2:])
    assert runs(ctx, "p3")[-1] >= 4
    assert [p for p in ctx.problems if "our own network" in p] == [
        "no provider answers at all: our own network is to blame, not they"
    ]
    assert ctx.details[-1] == "no provider answers: our own network"


def test_one_provider_alone_says_nothing_about_the_network():
    ctx = context("https://a.invalid/v1")
    run(ctx, lambda: len(runs(ctx, "p0")) >= 3)
    assert ctx.named("probe_network_up") == []
    assert runs(ctx, "p0")[:3] == [1, 2, 3]
    assert ctx.problems == ["p0 (a.invalid): the name is not known (DNS)"]


def test_a_full_queue_is_told_and_probing_goes_on(monkeypatch):
    from tui_monitor.model.errors import Busy

    with serving(answer(GOOD)) as server:
        ctx = context(server.url)
        submit, times = ctx.submit, []

        async def full(*args, **kwargs):
            times.append(1)
            if len(times) == 1:
                raise Busy("the write queue is full")
            return await submit(*args, **kwargs)

        monkeypatch.setattr(ctx, "submit", full)
        run(ctx, lambda: bool(ctx.samples))
    assert ctx.problems == ["the write queue is full"]
