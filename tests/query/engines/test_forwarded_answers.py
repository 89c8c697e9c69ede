"""The whole way: calls come in, a collector forwards them look by look, and the server is asked for them."""

import random
from pathlib import Path

import pytest

from tests import peers
from tui_monitor.config.forwarding import Forward
from tui_monitor.config.querying import Query
from tui_monitor.forward.amounts import shown
from tui_monitor.forward.counters import Counters
from tui_monitor.forward.gather import taker
from tui_monitor.forward.wire import Line, plain_labels
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.query.engines.choose import close, engine_for
from tui_monitor.query.exported import INTERVAL, JOB
from tui_monitor.store.api import WriteBatch

LOOKS = 48
"""Twelve minutes."""
NAMES = ["llm_requests_total", "llm_cost_usd_total.*", "llm_request_duration_seconds(_sum|_count)?"]


@pytest.mark.parametrize("starting", [peers.prometheus, peers.victoria], ids=["prometheus", "victoria"])
def test_what_a_collector_forwards_is_what_it_would_answer(
    starting, store, engine, clock, tmp_path: Path
) -> None:
    draw = random.Random(4)
    natives = starting is peers.prometheus
    counters = Counters(engine, taker(Forward(keep=NAMES)), 1_000, {}, None, natives=natives)
    lines: list[Line] = []
    for number in range(LOOKS):
        before = clock.now()
        clock.advance(INTERVAL)
        calls = [
            Call(
                "test", f"{number}.{n}", ts_end=before + draw.randrange(1, INTERVAL), status="success",
                provider=draw.choice(("openai", "ollama")), latency_ms=draw.uniform(10, 900),
                cost=10**7, cost_status="computed",
            )
            for n in range(draw.randrange(1, 4))
        ]  # fmt: skip
        store.write(WriteBatch(calls))
        sent = counters.look(clock.now())
        counters.keep(sent)
        for (name, of), points in sent.points.items():
            labels = plain_labels((("__name__", name), *of, ("job", JOB), ("instance", "here")))
            lines.append(Line(labels, [(at, shown(amount)) for at, amount in points]))
    with starting(tmp_path / "peer") as peer:
        for line in lines:
            peer.write([line])
        if starting is peers.victoria:
            peer.opener.open(f"{peer.url}/internal/force_flush", timeout=30).read()
        settings = Query.model_validate({"engine": "prometheus", "prometheus": {"url": peer.url}})
        remote = engine_for(settings, engine, Calendar(), clock)
        for text in (
            "requests{} [5m] sum by(provider)",
            "cost{} [10m] sum by(provider)",
            "latency{} [5m] avg by(provider)",
        ):
            here, there = engine.instant(text, clock.now()), remote.instant(text, clock.now())
            assert there.approximate
            assert there.by("provider") == pytest.approx(here.by("provider"), rel=0.01), text
        span = clock.now() - 5 * MINUTE, clock.now()
        here, there = (one.range("requests{}", *span, 60 * SECOND) for one in (engine, remote))
        assert there.series[0].values == here.series[0].values
        if natives:
            # The server extrapolates growth at the edges, and by that a quantile may be of a neighbour.
            here, there = (
                one.instant("latency{} [10m] p50 by(provider)", clock.now()) for one in (engine, remote)
            )
            assert there.warnings == ()
            assert there.by("provider") == pytest.approx(here.by("provider"), rel=0.05)
        close(remote)
