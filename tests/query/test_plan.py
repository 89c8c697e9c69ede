"""Which layer answers which part of a window, and what is told when none can."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from query_oracle import answer, random_calls

from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.plan import Plan, Planner
from tui_monitor.query.windows import MAX_STEPS, Windows, one, steps
from tui_monitor.store.api import CELL, Holding, Layer, WriteBatch
from tui_monitor.store.database import Store

NOW = 1_773_835_200_000_000
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]


def holdings(zone: str = "UTC", **gone: tuple[Span, ...]) -> dict[Layer, Holding]:
    return {
        layer: Holding(layer, gone.get(layer.value, ()), zone if layer is Layer.DAY else None)
        for layer in Layer
    }


def planned(windows: Windows, labels=("model",), zone: str = "UTC", raw_only: bool = False, **gone) -> Plan:
    return Planner(holdings(zone, **gone), Calendar(zone)).plan(windows, labels, raw_only=raw_only)


def whole_cells(layer: Layer, span: Span, zone: str) -> bool:
    if layer is Layer.RAW:
        return True
    if layer is Layer.DAY:
        days = Calendar(zone)
        return all(days.day(edge + 1)[0] == edge + 1 for edge in (span.start, span.end))
    return span.start % CELL[layer] == 0 and span.end % CELL[layer] == 0


spans = st.tuples(st.integers(0, 90 * DAY), st.integers(0, 40 * DAY)).map(
    lambda pair: Span(NOW - pair[0] - pair[1], NOW - pair[0])
)
holes = st.lists(spans, max_size=3).map(tuple)


@settings(max_examples=examples(100))
@given(spans, st.sampled_from(ZONES), holes, holes, holes, holes)
def test_pieces_and_gaps_are_the_span_each_part_once_and_kept(span, zone, raw, minute, hour, day):
    gone = {"raw": raw, "minute": minute, "hour": hour, "day": day}
    plan = planned(one(span), zone=zone, **gone)
    held = holdings(zone, **gone)
    parts = sorted([*(piece.span for piece in plan.pieces), *plan.missing])
    if span.length:
        assert (parts[0].start, parts[-1].end) == (span.start, span.end)
    assert all(a.end == b.start for a, b in pairwise(parts))
    for piece in plan.pieces:
        assert whole_cells(piece.layer, piece.span, zone)
        assert held[piece.layer].complete(piece.span)
    for missing in plan.missing:
        # A part is given up only where single calls of all of it are gone.
        assert any(hole.start <= missing.start and missing.end <= hole.end for hole in merged(raw))


def merged(spans: tuple[Span, ...]) -> list[Span]:
    out: list[Span] = []
    for span in sorted(spans):
        if out and span.start <= out[-1].end:
            out[-1] = Span(out[-1].start, max(out[-1].end, span.end))
        else:
            out.append(span)
    return out


def test_the_coarsest_layer_first_and_finer_ones_at_the_edges():
    start, end = NOW - 3 * DAY + 17 * SECOND, NOW + 90 * MINUTE + 5
    layers = [(p.layer, p.span.length) for p in planned(one(Span(start, end))).pieces]
    assert [layer.value for layer, _ in layers] == [
        "raw", "minute", "hour", "minute", "raw", "day", "raw", "hour", "minute", "raw",
    ]  # fmt: skip
    assert dict(layers)[Layer.DAY] == 2 * DAY
    # A day ends a microsecond before midnight, so single calls fill the minute before it.
    raw = [length for layer, length in layers if layer is Layer.RAW]
    assert raw == [MINUTE - 17 * SECOND, MINUTE - 1, 1, 5]


def test_hours_alone_answer_what_days_with_hours_could_not():
    span = Span(NOW - 200 * DAY, NOW - 100 * DAY)
    gone = (Span(0, NOW - 30 * DAY),)
    plan = planned(one(span), raw=gone, minute=gone)
    assert [(p.layer, p.span) for p in plan.pieces] == [(Layer.HOUR, span)]
    assert plan.missing == []


@pytest.mark.parametrize(
    ("labels", "layers"),
    [((), {"day"}), (("model", "user"), {"day"}), (("folder",), {"raw"}), (("cost_status",), {"raw"})],
)
def test_a_layer_answers_only_what_it_is_keyed_by(labels, layers):
    span = Span.half_open(NOW // DAY * DAY - 3 * DAY, NOW // DAY * DAY)
    assert {piece.layer.value for piece in planned(one(span), labels).pieces} == layers


def test_minutes_do_not_know_users():
    span = Span(NOW - 10 * MINUTE, NOW)
    assert [p.layer for p in planned(one(span), ("model",)).pieces] == [Layer.MINUTE]
    assert [p.layer for p in planned(one(span), ("user",)).pieces] == [Layer.RAW]


def test_days_of_another_zone_are_not_used():
    span = Span.half_open(NOW // DAY * DAY - 3 * DAY, NOW // DAY * DAY)
    other = Planner(holdings("Asia/Tokyo"), Calendar("UTC")).plan(one(span), ())
    assert Layer.DAY not in {piece.layer for piece in other.pieces}


@pytest.mark.parametrize(
    ("step", "layer"),
    [(HOUR, "hour"), (6 * HOUR, "hour"), (DAY, "hour"), (5 * MINUTE, "minute"), (90 * SECOND, "raw")],
)
def test_a_chart_is_one_piece_however_many_steps(step, layer):
    end = NOW // step * step
    plan = planned(steps(end - 100 * step, end, step, ""))
    assert [(p.layer.value, p.span) for p in plan.pieces] == [(layer, Span(end - 100 * step, end))]


def test_only_the_last_unfinished_step_of_a_chart_is_read_finely():
    windows = steps(NOW - DAY, NOW + 61 * SECOND, HOUR, "")
    assert [(p.layer.value, p.span.length) for p in planned(windows).pieces] == [
        ("hour", DAY), ("minute", MINUTE), ("raw", SECOND),
    ]  # fmt: skip


def test_where_a_coarse_layer_has_a_hole_a_finer_one_answers():
    hole = Span(NOW - 5 * HOUR + MINUTE, NOW - 4 * HOUR - MINUTE)
    plan = planned(one(Span(NOW - 10 * HOUR, NOW)), hour=(hole,))
    assert [(p.layer.value, p.span) for p in plan.pieces] == [
        ("hour", Span(NOW - 10 * HOUR, NOW - 5 * HOUR)),
        ("minute", Span(NOW - 5 * HOUR, NOW - 4 * HOUR)),
        ("hour", Span(NOW - 4 * HOUR, NOW)),
    ]
    assert plan.missing == []


@settings(max_examples=examples(100))
@given(st.integers(0, 10 * DAY), st.integers(1, 10 * DAY), st.integers(1, DAY))
def test_steps_end_on_the_grid_and_at_the_end(start, length, step):
    end = start + length
    if length // step > MAX_STEPS:
        with pytest.raises(QueryError, match="steps are too many"):
            steps(start, end, step, "x")
        return
    edges = steps(start, end, step, "x").edges
    ends = edges[1:].tolist()
    assert ends[-1] == end
    assert ends[0] > start
    assert all(t % step == 0 for t in edges[:-1].tolist())
    assert (np.diff(edges)[:-1] == step).all()
    assert 0 < ends[-1] - edges[-2] <= step
    assert edges[0] > start - step


@pytest.mark.parametrize(
    ("start", "end", "step"), [(5, 5, 1), (9, 5, 1), (0, 10, 0), (0, 10, -1), (-5, 10, 1)]
)
def test_spans_that_are_none(engine, start, end, step):
    with pytest.raises(QueryError):
        engine.range("requests", start, end, step)


@pytest.mark.parametrize("at", [-1, 10**18])
def test_instants_out_of_range(engine, at):
    with pytest.raises(QueryError, match="out of range"):
        engine.instant("requests [100y] offset 100y", at)


def test_the_longest_range_and_offset_are_answered(engine):
    assert engine.instant("requests [100y] offset 100y", 0).series == ()


# Over a real store whose older layers are gone


@pytest.fixture(scope="module")
def aged(tmp_path_factory):
    """Two months of calls of which single ones are kept for 7 days, minutes for 14."""
    clock = ManualClock(NOW)
    store = Store.open(tmp_path_factory.mktemp("aged") / "calls.db", write=True, clock=clock)
    calls = random_calls(3, 1_500, NOW - 60 * DAY, NOW)
    # Arrived when they happened: retention counts from the later of both.
    for call in sorted(calls, key=lambda call: call.booked):
        clock.advance(call.booked - clock.now())
        store.write(WriteBatch(calls=[call]))
    clock.advance(NOW - clock.now())
    store.retain(Retention.model_validate({"raw": "7d", "minute": "14d"}), NOW)
    yield store, calls
    store.close()


def test_what_the_layers_still_hold_is_exact_and_without_warning(aged):
    store, calls = aged
    engine = LocalEngine(store, Calendar())
    for text, length in (("50d", 50 * DAY), ("13d", 13 * DAY), ("5d", 5 * DAY)):
        result = engine.instant(f"requests [{text}] by(model)", NOW)
        found = {(s.label("model"),): s.value for s in result.series}
        assert found == answer(calls, "requests", "sum", ("model",), NOW - length, NOW)
        assert result.warnings == ()


def test_an_edge_that_is_gone_is_named_and_left_out(aged):
    store, calls = aged
    engine = LocalEngine(store, Calendar())
    at = NOW - 20 * MINUTE
    result = engine.instant("requests [40d]", at)
    # Hours from 12:00 on are kept, the 20 minutes before are in no layer.
    assert result.scalar == answer(calls, "requests", "sum", (), NOW - 40 * DAY, at)[()]
    assert result.warnings == (
        "calls of 2026-02-06 11:40 to 2026-02-06 12:00 are left out of requests: "
        "single calls and sums as fine as this needs are no longer kept",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("requests [30d] by(folder)", "single calls, which alone know folder, are no longer kept"),
        ("tokens [30d] p95", "single calls, which p95 needs, are no longer kept"),
        ("cost [30d] max", "single calls, which max needs, are no longer kept"),
        ("requests{source=\"test\"} [30d]", "single calls, which alone know source, are no longer kept"),
    ],
)  # fmt: skip
def test_what_only_single_calls_know_is_told_as_gone(aged, text, why):
    store, _ = aged
    result = LocalEngine(store, Calendar()).instant(text, NOW)
    assert any(warning.endswith(why) for warning in result.warnings)
    assert result.series, "what is kept is answered"


def test_a_chart_over_what_is_gone_has_gaps_and_says_so(aged):
    store, _ = aged
    engine = LocalEngine(store, Calendar())
    fine = engine.range("requests", NOW - 20 * DAY, NOW, 5 * MINUTE * 9)
    assert fine.warnings
    assert fine.layers == ("minute",)
    first = next(t for t, v in zip(fine.times, fine.series[0].values, strict=True) if v is not None)
    assert first > NOW - 15 * DAY
    assert engine.range("requests", NOW - 20 * DAY, NOW, HOUR).warnings == ()
