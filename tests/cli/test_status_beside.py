"""`status` with probes, status pages and limits, and where nobody has called anything yet."""

from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.model.clock import SECOND, ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store


@pytest.fixture
def probed(cli: Cli, clock: ManualClock, tmp_path: Path) -> Cli:
    path = tmp_path / "m.db"
    store = Store.open(path, write=True, clock=clock)
    now = clock.now() - 20 * SECOND
    up = {"provider": "groq", "target": "api.groq.com"}
    down = {"provider": "mistral", "target": "api.mistral.ai"}
    page = {"provider": "anthropic"}
    room = {"provider": "groq", "kind": "requests"}
    store.write(
        WriteBatch(
            samples=[
                Sample("probe_success", now, 1.0, up),
                Sample("probe_failures_in_a_row", now, 0.0, up),
                Sample("probe_duration_seconds", now, 0.12, up),
                Sample("probe_success", now, 0.0, down),
                Sample("probe_failures_in_a_row", now, 3.0, {**down, "why": "timeout"}),
                Sample("provider_status", now, 2.0, page),
                Sample("provider_incident", now, 2.0, {**page, "title": "Errors", "url": "https://s/1"}),
                Sample("llm_ratelimit_limit", now, 1000.0, room),
                Sample("llm_ratelimit_remaining", now, 870.0, room),
            ]
        )
    )
    store.close()
    return lambda *argv: cli("--db", str(path), *argv)


def test_status_shows_what_is_known_besides_calls(probed: Cli) -> None:
    ran = probed("--plain", "status")
    assert ran.code == 2
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert "rate limits: none reported" not in lines
    assert "groq answered in 120 ms, just now – 87.0 % of requests left" in lines
    assert "mistral failed 3 times in a row: no answer in time, just now – –" in lines
    assert 'anthropic – partial outage: "Errors" https://s/1 –' in lines
    assert any(
        line.startswith("mistral unavailable") and "3 probes in a row failed" in line for line in lines
    )


def test_status_shows_what_fails() -> None:
    from tui_monitor.cli.status import failing
    from tui_monitor.health.views import SourceRow
    from tui_monitor.model.states import SourceState

    rows = (
        SourceRow("forward", SourceState.FAILED, "peer: HTTP 401\x1b[2J, tries again in 9 s"),
        SourceRow("events", SourceState.RUNNING),
        SourceRow("database", SourceState.FAILED, "is told otherwise"),
    )
    assert failing(rows) == [("forward fails", ("peer: HTTP 401[2J, tries again in 9 s", "yellow"))]


def test_status_in_json_has_them_too(probed: Cli) -> None:
    rows = {row["provider"]: row for row in probed("--json", "status").json["data"]["providers"]["rows"]}
    assert rows["groq"]["probe"]["ms"] == 120.0
    assert rows["groq"]["headroom"] == {
        "kind": "requests",
        "share": 0.87,
        "remaining": 870.0,
        "limit": 1000.0,
    }
    assert (rows["mistral"]["state"], rows["mistral"]["flag"]) == ("unavailable", "probe")
    assert rows["mistral"]["probe"]["why"] == "no answer in time"
    assert (rows["anthropic"]["page"]["level"], rows["anthropic"]["page"]["url"]) == (2, "https://s/1")
    assert rows["anthropic"]["requests"] is None
