"""Variables of a query: what they stand for, and errors that still point into the text as written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import QueryError, UnknownMetric
from tui_monitor.query.variables import answered, filled

NOW = 1_773_835_200_000_000


@pytest.mark.parametrize(
    ("text", "length", "step", "expected"),
    [
        ("rate(x[$__range])", DAY, HOUR, "rate(x[1d])"),
        ("rate(x[${__interval}]) * $__interval_ms", DAY, 90 * SECOND, "rate(x[1m30s]) * 90000"),
        ("x / $__range_s", HOUR, MINUTE, "x / 3600"), ("x[$__rate_interval]", HOUR, MINUTE, "x[1m15s]"),
        ("x[$__rate_interval]", HOUR, 5 * SECOND, "x[1m]"), ("x > $5", HOUR, MINUTE, "x > $5"),
        ("x[$__range:$__interval]", 2 * HOUR, 10 * MINUTE, "x[2h:10m]"),
        ("$__range_ms + $__rate_interval_s", HOUR, HOUR, "3600000 + 3615"),
    ],
)  # fmt: skip
def test_what_they_stand_for(text, length, step, expected):
    assert filled(text, length, step).text == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("rate(requests[$__rang])", (14, 7), "unknown variable $__rang, did you mean $__range?"),
        ("rat(requests[$__range])", (0, 3), "unknown function rat"),
        ("sum(rate(requests[$__range])) / zzz(x[$__interval])", (32, 3), "unknown function zzz"),
        ("latancy [$__range] p95", (0, 7), "did you mean latency?"),
        ("requests [$__range] + latancy", (22, 7), "did you mean latency?"),
        ("requests @ [$__range]", (11, 1), "expected an instant"),
        ("requests [$__range_s x]", (21, 1), "expected ]"),
    ],
)
def test_errors_point_into_the_text_as_written(engine, text, place, message):
    with pytest.raises(QueryError) as caught:
        answered(text, 30 * DAY, HOUR, lambda asked: engine.instant(asked, NOW))
    error = caught.value
    assert message in error.message
    assert (error.position, error.length, error.text) == (*place, text)
    assert not isinstance(error, UnknownMetric) or error.meant == "latency"


def test_an_answer_is_to_the_query_as_written(engine):
    text = "vector($__range_s)"
    found = answered(text, HOUR, MINUTE, lambda asked: engine.instant(asked, NOW))
    assert (found.query, found.scalar) == (text, 3600)


def test_where_nothing_is_shown_they_are_refused(engine):
    with pytest.raises(QueryError, match="nothing is known here") as caught:
        engine.instant("rate(x[$__range])", NOW)
    assert caught.value.position == 7


@given(
    st.lists(st.sampled_from(["$__range", "${__interval}", "x", "é ", "$__rate_interval_ms", "$5", "\n"])),
    st.data(),
)
def test_places_outside_of_variables_come_back(parts, data):
    text = "".join(parts)
    try:
        found = filled(text, 30 * DAY, HOUR)
    except QueryError:
        return
    at = data.draw(st.integers(0, len(found.text)))
    start, length = found.place(at, 1)
    assert 0 <= start <= len(text)
    assert start + length <= len(text) + 1
    if at < len(found.text) and found.text[at] in "xé\n":
        assert text[start : start + length] == found.text[at]
