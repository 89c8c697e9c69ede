"""Whatever is read for an answer is noted: the part and its whole span, or the question and its answer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.model.feed import Event, Sample
from tui_monitor.model.timerange import Span
from tui_monitor.query.noting import Asked, Noting
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.api import Layer, Part, WriteBatch
from tui_monitor.store.database import Store

LENGTH = 6 * HOUR
EVER = Span(-(1 << 62), 1 << 62)


@pytest.fixture
def noting(store: Store, clock: ManualClock) -> Noting:
    now = clock.now()
    store.write(
        WriteBatch(
            [Call("test", "a", ts_end=now, provider="openai", status="success")],
            samples=[Sample("load", now, 1.0, {"host": "x"})],
            events=[Event("score", now, "test", "e", "s", 1.0)],
        )
    )
    return Noting(store, RecentFacts(store))


def every(infos: list[Any], _known: object) -> np.ndarray:
    return np.arange(len(infos))


PARTS: dict[str, tuple[Callable[[Noting, Span], object], str]] = {
    "raw facts": (lambda n, s: n.facts(Layer.RAW, s, [], ["calls"]), "raw"),
    "cells": (lambda n, s: n.facts(Layer.HOUR, s, [], ["calls"]), "cells"),
    "recent raw facts": (lambda n, s: n.recent.facts(n.seen, Layer.RAW, s, [], ["calls"], [], {}), "raw"),
    "recent cells": (lambda n, s: n.recent.facts(n.seen, Layer.MINUTE, s, [], ["calls"], [], {}), "cells"),
    "calls": (lambda n, s: list(n.calls(s)), "raw"),
    "how many calls": (lambda n, s: n.count_calls(s), "raw"),
    "samples": (lambda n, s: n.samples([1], s), "samples"),
    "samples of a metric": (lambda n, s: n.sampled("load", s, every), "samples"),
    "which have samples": (lambda n, s: n.sampled_in([1], s), "samples"),
    "steps": (lambda n, s: n.sample_steps([1], s), "samples"),
    "histograms": (lambda n, s: n.histogram_samples([1], s), "samples"),
    "steps of histograms": (lambda n, s: n.histogram_steps([1], s), "samples"),
    "events": (lambda n, s: n.events("score", s), "events"),
}
ASKED: dict[str, tuple[Callable[[Noting], object], set[Asked]]] = {
    "extent": (lambda n: n.extent(), {Asked("first"), Asked("any")}),
    "values": (lambda n: n.label_values("provider"), {Asked("values", "provider")}),
    "names": (lambda n: n.label_names(), {Asked("labels")}),
    "series": (lambda n: n.series("load"), {Asked("series", "load")}),
    "all series": (lambda n: n.series(), {Asked("series")}),
    "names of samples": (lambda n: n.sample_names(), {Asked("series")}),
    "labels of samples": (lambda n: n.sample_labels("load"), {Asked("series", "load")}),
    "their values": (lambda n: n.sample_label_values("host", "load"), {Asked("series", "load")}),
    "their type": (lambda n: n.sample_type("load"), {Asked("series", "load")}),
    "samples of a metric": (lambda n: n.sampled("load", EVER, every), {Asked("series", "load")}),
}


@pytest.mark.parametrize("what", PARTS)
def test_what_is_read_is_noted_with_its_span(noting: Noting, clock: ManualClock, what: str) -> None:
    read, kind = PARTS[what]
    span = Span(clock.now() - LENGTH, clock.now())
    read(noting, span)
    assert noting.rests().parts == (Part(kind, span),)


@pytest.mark.parametrize("what", ASKED)
def test_what_is_asked_is_noted(noting: Noting, what: str) -> None:
    ask, questions = ASKED[what]
    ask(noting)
    assert {asked for asked, _ in noting.rests().asked} == questions


def test_of_one_kind_the_whole_span_is_noted(noting: Noting, clock: ManualClock) -> None:
    now = clock.now()
    for end in (now - DAY, now, now - 3 * DAY):
        noting.count_calls(Span(end - HOUR, end))
    noting.events("score", Span(now - HOUR, now))
    raw, events = Span(now - 3 * DAY - HOUR, now), Span(now - HOUR, now)
    assert noting.rests().parts == (Part("events", events), Part("raw", raw))
    assert noting.rests().end == now


def test_the_latest_of_a_kind_may_be_of_any_time(noting: Noting) -> None:
    noting.latest_event("progress", "a")
    assert noting.rests().parts == (Part("events", EVER),)


@pytest.mark.parametrize("what", ["starts", "imports"])
def test_what_is_under_way_holds_at_this_moment_only(noting: Noting, what: str) -> None:
    assert not noting.rests().momentary
    _ = noting.starts(0) if what == "starts" else noting.imports()
    assert noting.rests().momentary


def test_an_answer_rests_on_what_was_known_before_it_was_read(
    noting: Noting, store: Store, clock: ManualClock
) -> None:
    noting.series("load")
    before = dict(noting.rests().asked)[Asked("series", "load")]
    store.write(WriteBatch(samples=[Sample("load", clock.now(), 1.0, {"host": "y"})]))
    noting.series("load")
    rests = noting.rests()
    assert dict(rests.asked)[Asked("series", "load")] == before != store.series_stamp("load")
    assert rests.version < store.version()
