"""A provider's state by calls, probes and status page together; it never gets better by a failure more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.evidence import silent_minutes
from tui_monitor.health.outside import Probed
from tui_monitor.health.state import Evidence, judge
from tui_monitor.health.views import PageLook
from tui_monitor.model.call import PROVIDER_ERRORS
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.states import Health

RULES = HealthSettings()
H, D, U, Q = Health.HEALTHY, Health.DEGRADED, Health.UNAVAILABLE, Health.UNKNOWN
ANSWERS = Probed("host", 0, True, ms=120.0)
SILENT = Probed("host", 1, False, "no answer in time")


def failing(times: int, target: str = "host") -> Probed:
    return Probed(target, times, False, "no answer in time")


def evidence(
    ok: int = 0, server: int = 0, probes=(), level: int | None = None, ours: bool = False
) -> Evidence:
    told = Evidence(probes=probes, our_network=ours)
    if level is not None:
        told.page = PageLook(level, "Elevated errors")
    if ok:
        told.add("success", "", ok)
    if server:
        told.add("error", "server", server)
    return told


@pytest.mark.parametrize(
    ("told", "state", "flag"),
    [
        # Three failed probes in a row are one thing that makes unavailable, whatever the calls say.
        # Before that, a probe that does not answer at this moment makes nothing healthy.
        (evidence(probes=[failing(2)]), Q, ""),
        (evidence(ok=10, probes=[failing(2)]), H, ""),
        (evidence(probes=[failing(3)]), U, "probe"),
        (evidence(ok=40, probes=[failing(3)]), U, "probe"),
        (evidence(ok=5, server=5, probes=[ANSWERS]), U, "success"),
        (evidence(ok=5, server=5, probes=[failing(9)]), U, "success"),
        # Fewer calls than can be judged, and a probe that answers, is healthy; without one it is unknown.
        (evidence(ok=3, probes=[ANSWERS]), H, ""),
        (evidence(ok=3), Q, ""),
        (evidence(probes=[SILENT]), Q, ""),
        (evidence(ok=10, probes=[SILENT]), H, ""),
        # Of several addresses, one that answers is enough to be no more than degraded.
        (evidence(probes=[ANSWERS, failing(5, target="other")]), D, "probe"),
        (evidence(probes=[failing(3), failing(5, target="other")]), U, "probe"),
        (evidence(probes=[failing(2), failing(5, target="other")]), D, "probe"),
        # A status page makes degraded, never worse; maintenance and fine weather make nothing.
        (evidence(level=1), D, "page"),
        (evidence(ok=40, level=3), D, "page"),
        (evidence(ok=40, level=0), H, ""),
        (evidence(ok=40, level=-1), H, ""),
        (evidence(level=0), Q, ""),
        (evidence(probes=[failing(3)], level=0), U, "probe"),
        (evidence(ok=96, server=4, level=2), D, "success"),
        # While nothing outside answers nobody is unavailable; what was measured before stays.
        (evidence(probes=[SILENT], ours=True), Q, ""),
        (evidence(ok=40, probes=[ANSWERS], ours=True), Q, ""),
        (evidence(ok=5, server=5, ours=True), U, "success"),
    ],
)
def test_state_table(told, state, flag):
    verdict = judge(told, RULES)
    assert (verdict.state, verdict.flag) == (state, flag)
    assert verdict.reason


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (evidence(probes=[failing(3)]), "3 probes in a row failed: no answer in time"),
        (
            evidence(ok=40, probes=[failing(4)]),
            "4 probes in a row failed: no answer in time; none of the last 40 calls failed",
        ),
        (evidence(probes=[ANSWERS]), "reachable in 120 ms"),
        (evidence(ok=2, probes=[ANSWERS]), "reachable in 120 ms; 2 calls in 5m to judge by, 10 needed"),
        (evidence(level=2), 'its status page says partial outage: "Elevated errors"'),
        (evidence(probes=[replace(ANSWERS, ms=None)]), "reachable"),
        (
            evidence(probes=[ANSWERS, failing(5, target="other")]),
            "1 of 2 addresses cannot be reached: other",
        ),
        (evidence(ours=True), "no provider answers at all: our own network is to blame, not they"),
        (evidence(), "no calls in 5m"),
    ],
)
def test_reasons(told, reason):
    assert judge(told, RULES).reason == reason


def test_how_many_probes_is_a_setting():
    told = evidence(probes=[failing(1)])
    assert judge(told, HealthSettings(probe_failures=1)).state is U
    assert judge(told, HealthSettings(probe_failures=1)).reason.startswith("1 probe in a row failed")
    assert judge(evidence(probes=[failing(4)]), HealthSettings(probe_failures=5)).state is Q


RANK = {H: 0, D: 1, U: 2}
PROBES = st.lists(
    st.builds(
        Probed,
        target=st.sampled_from(["a", "b"]),
        failures=st.integers(0, 6),
        reachable=st.booleans(),
    ),
    max_size=3,
)
OUTCOMES = st.dictionaries(
    st.sampled_from(["ok", "auth", "rate_limit", "cancelled", *sorted(PROVIDER_ERRORS)]), st.integers(0, 60)
)
SETTINGS = st.builds(
    HealthSettings,
    min_calls=st.integers(1, 20),
    probe_failures=st.integers(1, 5),
    degraded_error_rate=st.floats(0.01, 0.4),
    unavailable_error_rate=st.floats(0.4, 1.0),
)


def made(outcomes: dict[str, int], probes: list[Probed], level: int | None, ours: bool) -> Evidence:
    told = evidence(probes=probes, level=level, ours=ours)
    for outcome, calls in outcomes.items():
        status = {"ok": "success", "cancelled": "cancelled"}.get(outcome, "error")
        told.add(status, "" if status == "success" else outcome, calls)
    told.p95_ms, told.timed, told.baseline_ms = 2_500.0, float(sum(outcomes.values())), 1_000.0
    return told


@given(
    OUTCOMES, PROBES, st.none() | st.integers(-1, 3), st.booleans(), SETTINGS,
    st.sampled_from(sorted(PROVIDER_ERRORS)), st.integers(1, 30), st.integers(0, 2),
)  # fmt: skip
def test_a_failure_more_never_makes_it_better(outcomes, probes, level, ours, settings, category, more, probe):
    before = judge(made(outcomes, probes, level, ours), settings)
    outcomes = outcomes | {category: outcomes.get(category, 0) + more}
    calls = judge(made(outcomes, probes, level, ours), settings)
    if probe < len(probes):
        worse = replace(probes[probe], failures=probes[probe].failures + 1, reachable=False)
        probes = [*probes[:probe], worse, *probes[probe + 1 :]]
    both = judge(made(outcomes, probes, level, ours), settings)
    few = made(outcomes, probes, level, ours).judged < settings.min_calls
    for better, worse in ((before, calls), (calls, both)):
        if better.state is H and worse.state is Q:
            # With few calls a probe's answer was all that was known.
            assert worse is both
            assert few
        elif better.state in RANK:
            assert RANK[worse.state] >= RANK[better.state]


@pytest.mark.parametrize(
    ("minutes", "silent"),
    [
        # Everybody silent in minute 5.
        ({4: {"a": (1, 9), "b": (0, 9)}, 5: {"a": (9, 9), "b": (3, 9)}, 6: {"a": (0, 9)}}, {5}),
        # One that answers is enough to know that the network is there.
        ({5: {"a": (9, 9), "b": (9, 9), "c": (0, 9)}}, set()),
        ({5: {"a": (9, 9)}}, set()),
        # What runs on this host proves nothing, either way.
        ({5: {"a": (9, 9), "b": (9, 9), "ollama": (0, 50)}}, {5}),
        ({5: {"a": (9, 9), "ollama": (9, 9)}}, set()),
        # Below the share it is chance.
        ({5: {"a": (1, 9), "b": (9, 9)}}, set()),
        # Who was not called says nothing.
        ({5: {"a": (9, 9), "b": (9, 9), "c": (0, 0)}}, {5}),
        ({}, set()),
    ],
)
def test_minutes_in_which_our_own_network_was_down(minutes, silent):
    assert silent_minutes({at * MINUTE: told for at, told in minutes.items()}, 0.2) == {
        at * MINUTE for at in silent
    }
