"""A provider's state at and around every limit."""

import pytest

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.state import Evidence, judge
from tui_monitor.model.call import OUR_ERRORS, PROVIDER_ERRORS
from tui_monitor.model.states import Health

RULES = HealthSettings()
H, D, U, Q = Health.HEALTHY, Health.DEGRADED, Health.UNAVAILABLE, Health.UNKNOWN


def evidence(**outcomes: int) -> Evidence:
    """`ok`, an error category, `cancelled` or `unknown` → how many calls ended so."""
    told = Evidence()
    for outcome, calls in outcomes.items():
        if outcome == "ok":
            told.add("success", "", calls)
        elif outcome in ("cancelled", "unknown"):
            told.add(outcome, "", calls)
        else:
            told.add("error", outcome, calls)
    return told


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ({"ok": 10}, H),
        ({"ok": 9}, Q),
        ({}, Q),
        # 3 % exactly is still healthy, the least above is not.
        ({"ok": 97, "server": 3}, H),
        ({"ok": 96, "server": 4}, D),
        ({"ok": 194, "timeout": 6}, H),
        ({"ok": 193, "timeout": 7}, D),
        # 50 % exactly is unavailable, the least below is not.
        ({"ok": 5, "server": 5}, U),
        ({"ok": 6, "server": 5}, D),
        ({"ok": 51, "overloaded": 30, "network": 20}, D),
        ({"ok": 50, "overloaded": 30, "network": 20}, U),
        # Nine calls are too few however bad they are.
        ({"server": 9}, Q),
        ({"server": 10}, U),
        # What we did wrong is not their illness, and does not make up the number either.
        ({"ok": 10, "auth": 90}, H),
        ({"ok": 10, "billing": 5, "rate_limit": 5, "not_found": 5, "bad_request": 5}, H),
        ({"auth": 100}, Q),
        ({"auth": 9, "server": 1}, Q),
        ({"ok": 5, "server": 5, "auth": 100}, U),
        # An answer that displeases is an answer.
        ({"ok": 1, "context_length": 5, "content_filter": 4}, H),
        ({"server": 5, "content_filter": 5}, U),
        # What was cancelled or has no outcome tells nothing.
        ({"ok": 9, "cancelled": 50, "unknown": 50}, Q),
        ({"ok": 5, "server": 5, "cancelled": 50, "unknown": 50}, U),
    ],
)
def test_state_by_outcomes(outcomes, state):
    assert judge(evidence(**outcomes), RULES).state is state


@pytest.mark.parametrize(
    ("p95", "baseline", "timed", "state"),
    [
        (2000.0, 1000.0, 10, H),
        (2000.1, 1000.0, 10, D),
        (2000.1, 1000.0, 9, H),
        (9000.0, None, 10, H),
        (None, 1000.0, 0, H),
        (5.0, 0.0, 10, H),
    ],
)
def test_state_by_latency(p95, baseline, timed, state):
    told = evidence(ok=10)
    told.p95_ms, told.baseline_ms, told.timed = p95, baseline, timed
    assert judge(told, RULES).state is state


def test_latency_counts_where_no_outcome_is_known():
    told = evidence(unknown=20)
    told.p95_ms, told.baseline_ms, told.timed = 4100.0, 1800.0, 20
    verdict = judge(told, RULES)
    assert verdict == (D, "p95 4.10 s is 2.3 × the usual 1.80 s", "p95")


def test_reasons_say_what_happened_and_which_figure_shows_it():
    assert judge(evidence(ok=8, timeout=4, server=8), RULES) == (
        U,
        "12 of the last 20 calls failed: server 8, timeout 4",
        "success",
    )
    assert judge(evidence(ok=39, overloaded=2, rate_limit=7), RULES) == (
        D,
        "2 of the last 41 calls failed: overloaded 2; on our side: rate limit 7",
        "success",
    )
    assert judge(evidence(ok=40), RULES) == (H, "none of the last 40 calls failed", "")
    assert judge(Evidence(), RULES) == (Q, "no calls in 5m", "")
    assert judge(evidence(ok=1, cancelled=2, auth=3), RULES) == (
        Q,
        "1 call in 5m to judge by, 10 needed; 2 of unknown outcome or cancelled; on our side: auth 3",
        "",
    )


def test_that_no_call_failed_is_said_only_where_none_did():
    none = "none of the last 10 calls failed"
    assert judge(evidence(ok=10), RULES).reason == none
    assert judge(evidence(ok=10, auth=3), RULES).reason == f"{none} through the provider; on our side: auth 3"
    unnamed = evidence(ok=8)
    unnamed.add("error", "", 2)
    assert judge(unnamed, RULES) == (
        H,
        f"{none} through the provider; failed otherwise: no cause told 2",
        "",
    )


def test_every_limit_is_a_setting():
    strict = HealthSettings(
        window="1m", min_calls=2, degraded_error_rate=0.1, unavailable_error_rate=0.2, degraded_latency=1.5
    )
    assert judge(evidence(ok=2), strict).state is H
    assert judge(evidence(ok=17, server=3), strict).state is D
    assert judge(evidence(ok=8, server=2), strict).state is U
    slow = evidence(ok=2)
    slow.p95_ms, slow.baseline_ms, slow.timed = 151.0, 100.0, 2
    assert judge(slow, strict).state is D
    assert judge(evidence(ok=1), strict).reason == "1 call in 1m to judge by, 2 needed"


@pytest.mark.parametrize("category", sorted(PROVIDER_ERRORS))
def test_provider_errors_are_theirs(category):
    assert judge(evidence(**{category: 10}), RULES).state is U


@pytest.mark.parametrize("category", sorted(OUR_ERRORS))
def test_our_errors_are_ours(category):
    assert judge(evidence(ok=10, **{category: 30}), RULES).state is H
