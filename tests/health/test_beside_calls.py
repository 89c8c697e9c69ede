"""Probes, status pages and limits in a real database: what the pane makes of their samples, now and then."""

import pytest

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.limits import rate_limits
from tui_monitor.health.providers import providers_view
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import HOUR, MINUTE, SECOND
from tui_monitor.model.feed import Event, Sample
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import TimeRange
from tui_monitor.store.api import WriteBatch


@pytest.fixture
def rows(engine, store, clock):
    def rows(shown: TimeRange | None = None, **fields):
        view = providers_view(
            engine, store, HealthSettings(), Calendar(), shown or TimeRange(), 12, clock.now(), **fields
        )
        return {row.provider: row for row in view.rows}

    return rows


@pytest.fixture
def probed(store):
    def probed(
        at: int, provider: str, run: int, why: str = "", ms: float | None = None, target: str = "api.x.org"
    ):
        labels = {"provider": provider, "target": target}
        samples = [
            Sample("probe_success", at, 0.0 if why else 1.0, labels),
            Sample("probe_failures_in_a_row", at, float(run), {**labels, "why": why} if why else labels),
        ]
        if ms is not None:
            samples.append(Sample("probe_duration_seconds", at, ms / 1000, labels))
        store.write(WriteBatch(samples=samples))

    return probed


@pytest.fixture
def said(store):
    def said(at: int, provider: str, level: int, title: str = "", drift: bool = False) -> None:
        labels = {"provider": provider}
        samples = [
            Sample("provider_status", at, float(level), labels),
            Sample("provider_status", at, 3.0, {**labels, "component": "Web"}),
            Sample("provider_status_drift", at, float(drift), labels),
        ]
        if title:
            about = {**labels, "title": title, "url": "https://s/1"}
            samples.append(Sample("provider_incident", at, float(level), about))
        store.write(WriteBatch(samples=samples))

    return said


def test_a_provider_that_is_only_probed_has_a_row(rows, probed, clock):
    now = clock.now()
    probed(now - 2 * MINUTE, "openai", 0, ms=340)
    probed(now - MINUTE, "openai", 0, ms=120)
    row = rows()["openai"]
    assert (row.state, row.reason, row.requests) == (Health.HEALTHY, "reachable in 120 ms", None)
    assert (row.probe.reachable, row.probe.ms, row.probe.targets) == (True, 120, ("api.x.org",))
    assert now - 2 * MINUTE <= row.probe.at <= now


def test_a_run_of_failures_ends_in_unavailable_and_back(rows, probed, clock):
    states = []
    for minute, (run, why) in enumerate(
        [(0, ""), (1, "timeout"), (2, "timeout"), (3, "dns"), (4, "http 503"), (0, "")], start=1
    ):
        probed(clock.now() - SECOND, "openai", run, why, None if why else 90)
        row = rows()["openai"]
        states.append((row.state.value, row.probe.why))
        clock.advance(MINUTE)
        assert minute
    assert states == [
        ("healthy", ""),
        ("unknown", "no answer in time"),
        ("unknown", "no answer in time"),
        ("unavailable", "its name is not known (DNS)"),
        ("unavailable", "it answers 503"),
        ("healthy", ""),
    ]


def test_a_new_run_of_failures_has_its_own_reason(rows, probed, clock):
    now = clock.now()
    for minutes, run, why in ((6, 1, "timeout"), (5, 2, "timeout"), (4, 0, ""), (2, 1, "http 503")):
        probed(now - minutes * MINUTE, "openai", run, why)
    probe = rows()["openai"].probe
    assert (probe.failures, probe.why) == (1, "it answers 503")
    # Two within one minute.
    probed(now - 90 * SECOND, "openai", 2, "dns")
    assert rows()["openai"].probe.why == "its name is not known (DNS)"


def test_travelling_shows_probes_and_pages_of_then(rows, probed, said, clock):
    then = clock.now()
    probed(then - MINUTE, "openai", 3, "timeout")
    said(then - MINUTE, "anthropic", 2, "Elevated errors")
    clock.advance(HOUR)
    probed(clock.now() - MINUTE, "openai", 0, ms=80)
    said(clock.now() - MINUTE, "anthropic", 0)
    before = rows(TimeRange(HOUR, end=then))
    assert (before["openai"].state, before["anthropic"].state) == (Health.UNAVAILABLE, Health.DEGRADED)
    assert before["anthropic"].page.title == "Elevated errors"
    now = rows()
    assert (now["openai"].state, now["anthropic"].state) == (Health.HEALTHY, Health.UNKNOWN)
    assert now["anthropic"].page.title == ""


def test_what_is_too_old_is_not_believed(rows, probed, said, clock):
    probed(clock.now(), "openai", 3, "timeout")
    said(clock.now(), "anthropic", 3, "Down")
    clock.advance(11 * MINUTE)
    assert rows() == {}
    assert rows(believed=HOUR)["openai"].state is Health.UNAVAILABLE


def test_the_page_stands_beside_and_its_components_are_not_mixed_in(rows, said, put, clock):
    now = clock.now()
    put(now - MINUTE, "anthropic", 20)
    said(now - 5 * MINUTE, "anthropic", 3, "Old name of it")
    said(now - MINUTE, "anthropic", 1, "Elevated errors", drift=True)
    row = rows()["anthropic"]
    assert (row.page.level, row.page.word, row.page.title) == (1, "degraded", "Elevated errors")
    assert (row.page.url, row.page.drift) == ("https://s/1", True)
    assert (row.success_rate, row.state, row.flag) == (1.0, Health.DEGRADED, "page")
    assert row.reason.endswith("none of the last 20 calls failed")


def test_an_incident_that_the_page_no_longer_names_is_over(rows, said, clock):
    now = clock.now()
    said(now - 5 * MINUTE, "anthropic", 1, "Elevated errors")
    said(now - MINUTE, "anthropic", 1)
    assert rows()["anthropic"].page.title == ""


def test_our_own_network(rows, probed, store, put, clock):
    now = clock.now()
    put(now - MINUTE, "openai", 10)
    for provider in ("openai", "anthropic"):
        probed(now - 30 * SECOND, provider, 0, "dns")
    store.write(WriteBatch(samples=[Sample("probe_network_up", now - 30 * SECOND, 0.0)]))
    found = rows()
    assert {row.state for row in found.values()} == {Health.UNKNOWN}
    assert "our own network" in found["openai"].reason
    store.write(WriteBatch(samples=[Sample("probe_network_up", now - SECOND, 1.0)]))
    assert rows()["openai"].state is Health.HEALTHY


def test_calls_that_failed_through_our_network_are_not_theirs(rows, put, clock):
    now = clock.now() // MINUTE * MINUTE
    for provider in ("openai", "anthropic"):
        put(now - 4 * MINUTE - SECOND, provider, 10)
        put(now - 2 * MINUTE - SECOND, provider, 20, "network")
        put(now - 30 * SECOND, provider, 10)
    row = rows()["openai"]
    assert (row.state, row.flag) == (Health.HEALTHY, "")
    assert row.reason == "none of the last 20 calls failed through the provider; on our side: network 20"
    # A third one that was reached in that minute: it was not our network.
    put(now - 2 * MINUTE - SECOND, "google", 5)
    assert rows()["openai"].state is Health.UNAVAILABLE


def test_while_no_call_gets_through_the_state_is_unknown(rows, put, clock):
    for provider in ("openai", "anthropic"):
        put(clock.now() - 20 * SECOND, provider, 20, "network")
    put(clock.now() - 20 * SECOND, "ollama", 20)
    found = rows()
    assert found["openai"].state is Health.UNKNOWN
    assert "our own network" in found["openai"].reason
    assert found["ollama"].state is Health.HEALTHY


def limit(at: int, key: str, kind: str, provider: str, remaining: float, of: float = 100) -> Event:
    labels = {"key": key, "limit_type": kind, "provider": provider, "limit": str(of)}
    labels = {name: value for name, value in labels.items() if value}
    return Event("rate_limit", at, "t", f"{at}{key}{kind}{provider}", "allowed", remaining, labels)


def test_a_key_has_a_limit_of_each_type_at_each_provider(store, clock):
    now = clock.now()
    events = [
        limit(now - MINUTE, "k", "requests", "openai", 50),
        limit(now - 2 * MINUTE, "k", "requests", "openai", 1),
        limit(now - MINUTE, "k", "tokens", "openai", 20),
        limit(now - MINUTE, "k", "requests", "groq", 90),
        limit(now - MINUTE, "k", "", "", 70),
    ]
    store.write(WriteBatch(events=events))
    found = [(one.limit_type, one.provider, one.remaining) for one in rate_limits(store, now)]
    assert found == [
        ("tokens", "openai", 20),
        ("requests", "openai", 50),
        ("", "", 70),
        ("requests", "groq", 90),
    ]


def test_headroom_is_that_of_the_tightest_limit(rows, store, put, clock):
    now = clock.now()
    for provider in ("openai", "groq", "anthropic"):
        put(now - MINUTE, provider, 1)

    def sample(name: str, value: float, kind: str, at: int = now - MINUTE) -> Sample:
        return Sample(name, at, value, {"provider": "openai", "kind": kind})

    store.write(
        WriteBatch(
            samples=[
                sample("llm_ratelimit_limit", 1000, "requests"),
                sample("llm_ratelimit_remaining", 900, "requests"),
                sample("llm_ratelimit_limit", 1000, "input_tokens"),
                sample("llm_ratelimit_remaining", 250, "input_tokens"),
                # Without its limit nobody knows how much that is; what is old says nothing any more.
                sample("llm_ratelimit_remaining", 0, "tokens"),
                sample("llm_ratelimit_remaining", 1, "requests", now - HOUR),
                Sample("llm_quota_used_ratio", now - MINUTE, 0.93, {"provider": "anthropic", "window": "5h"}),
            ],
            events=[limit(now - MINUTE, "k", "requests", "groq", 5), limit(now, "k", "requests", "", 1)],
        )
    )
    found = {name: row.headroom for name, row in rows().items()}
    assert (found["openai"].kind, found["openai"].share, found["openai"].limit) == (
        "input tokens",
        0.25,
        1000,
    )
    assert (found["groq"].kind, found["groq"].share) == ("requests", 0.05)
    assert (found["anthropic"].kind, found["anthropic"].share) == ("5h window", pytest.approx(0.07))


def test_without_probes_pages_or_limits_there_is_nothing_beside(rows, put, clock):
    put(clock.now() - MINUTE, "openai", 1)
    row = rows()["openai"]
    assert (row.probe, row.page, row.headroom) == (None, None, None)
