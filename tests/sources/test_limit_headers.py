"""Rate limits in the headers of every provider."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.clock import SECOND, from_datetime
from tui_monitor.sources.limits import headroom, quotas, reset_seconds, samples

NOW = from_datetime(datetime(2026, 3, 18, 12, tzinfo=UTC))
UNIX = NOW // SECOND


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012),
        ("1s", 1),
        ("6m0s", 360),
        ("1h2m3.5s", 3723.5),
        ("0s", 0),
        ("15", 15),
        ("2026-03-18T12:00:30Z", 30),
        ("2026-03-18T13:00:30+01:00", 30),
        ("2026-03-18T11:59:00Z", 0),
        (str(UNIX + 60), 60),
        (str((UNIX + 60) * 1000), 60),
        ("", None),
        ("soon", None),
        ("1s and more", None),
        ("nan", None),
        ("inf", None),
        ("-5", 0),
        ("9999-01-01T00:00:00Z", None),
        ("2026-03-18T12:00:30", None),
        ("9" * 400, None),
    ],
)
def test_moments_of_every_dialect(text, seconds):
    assert reset_seconds(text, NOW) == (None if seconds is None else pytest.approx(seconds))


def rooms(headers: dict[str, str]) -> dict[str, tuple]:
    return {room.kind: (room.limit, room.remaining, room.reset_s) for room in headroom(headers, NOW)}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (
            {
                "x-ratelimit-limit-requests": "5000",
                "x-ratelimit-remaining-requests": "4999",
                "x-ratelimit-reset-requests": "12ms",
                "x-ratelimit-limit-tokens": "160000",
                "x-ratelimit-remaining-tokens": "159976",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            {"requests": (5000, 4999, 0.012), "tokens": (160000, 159976, 360)},
        ),
        (
            {
                "anthropic-ratelimit-requests-limit": "50",
                "anthropic-ratelimit-requests-remaining": "49",
                "anthropic-ratelimit-requests-reset": "2026-03-18T12:00:10Z",
                "anthropic-ratelimit-input-tokens-limit": "30000",
                "anthropic-ratelimit-input-tokens-remaining": "27000",
                "anthropic-priority-input-tokens-limit": "10000",
                "anthropic-priority-input-tokens-remaining": "9618",
            },
            {
                "requests": (50, 49, 10),
                "input_tokens": (30000, 27000, None),
                "priority_input_tokens": (10000, 9618, None),
            },
        ),
        # OpenRouter names no kind and counts in milliseconds.
        (
            {
                "x-ratelimit-limit": "20",
                "x-ratelimit-remaining": "3",
                "x-ratelimit-reset": str((UNIX + 5) * 1000),
            },
            {"requests": (20, 3, 5)},
        ),
        # Azure: whole seconds, and -1 or 0 where there is no limit.
        (
            {
                "x-ratelimit-limit-requests": "10",
                "x-ratelimit-remaining-requests": "9",
                "x-ratelimit-reset-requests": "10",
            },
            {"requests": (10, 9, 10)},
        ),
        ({"x-ratelimit-limit-requests": "0", "x-ratelimit-remaining-requests": "0"}, {}),
        ({"x-ratelimit-limit-tokens": "-1", "x-ratelimit-remaining-tokens": "-1"}, {}),
        ({"x-ratelimit-remaining-tokens": "lots"}, {}),
        ({"anthropic-ratelimit-unified-status": "allowed", "content-type": "text/html"}, {}),
    ],
)
def test_what_is_left_by_provider(headers, found):
    assert rooms(headers) == found


def test_windows_of_subscriptions():
    headers = {
        "anthropic-ratelimit-unified-5h-utilization": "0.42",
        "anthropic-ratelimit-unified-5h-reset": str(UNIX),
        "anthropic-ratelimit-unified-7d_oi-utilization": "1.3",
        "x-codex-primary-used-percent": "12.5",
        "x-codex-primary-window-minutes": "300",
        "x-codex-secondary-used-percent": "90",
        "x-codex-secondary-window-minutes": "10080",
    }
    assert quotas({name: value for name, value in headers.items() if "codex" not in name}) == {
        "5h": 0.42,
        "7d_oi": 1.0,
    }
    assert quotas({name: value for name, value in headers.items() if "codex" in name}) == {
        "5h": 0.125,
        "7d": 0.9,
    }


def test_samples_carry_provider_and_kind():
    headers = {
        "x-ratelimit-limit-tokens": "100",
        "x-ratelimit-remaining-tokens": "40",
        "x-ratelimit-reset-tokens": "1m",
        "anthropic-ratelimit-unified-5h-utilization": "0.5",
    }
    made = [(s.name, s.value, s.labels) for s in samples("groq", headers, NOW)]
    labels = {"provider": "groq", "kind": "tokens"}
    assert made == [
        ("llm_ratelimit_remaining", 40.0, labels),
        ("llm_ratelimit_limit", 100.0, labels),
        ("llm_ratelimit_reset_seconds", 60.0, labels),
        ("llm_quota_used_ratio", 0.5, {"provider": "groq", "window": "5h"}),
    ]


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "x-ratelimit-limit-requests",
                "x-ratelimit-remaining-requests",
                "x-ratelimit-reset-requests",
                "anthropic-ratelimit-tokens-limit",
                "anthropic-ratelimit-tokens-remaining",
                "anthropic-ratelimit-unified-5h-utilization",
                "x-codex-primary-window-minutes",
            ]
        ),
        st.text(max_size=30) | st.floats().map(str) | st.integers().map(str),
    )
)
def test_no_header_makes_a_sample_that_cannot_be(headers):
    for sample in samples("p", headers, NOW):
        assert sample.value >= 0
        assert sample.value < float("inf")
        assert sample.name != "llm_quota_used_ratio" or sample.value <= 1


def test_an_answer_may_name_few_limits():
    headers = {f"anthropic-ratelimit-{chr(97 + n % 26)}{'x' * (n // 26)}-remaining": "1" for n in range(200)}
    assert len(headroom(headers, NOW)) == 16


def test_a_header_that_is_long_holds_nobody_up():
    began = time.process_time()
    assert reset_seconds("1" * 60_000, NOW) is None
    assert reset_seconds("1." * 30_000 + "s", NOW) is None
    assert time.process_time() - began < 5
