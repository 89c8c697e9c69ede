"""The demo's calls: the excerpt again and again, each time the same for the same moment.

The traces tell when a request came, and its tokens. How busy an hour of the day is, models, people, agents,
latencies and errors are drawn from generators that are seeded by the number of the repetition.
"""

from dataclasses import dataclass, field

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.columns import CallColumns
from tui_monitor.model.demo import Plan
from tui_monitor.model.timerange import Span
from tui_monitor.recorder.identities import identities
from tui_monitor.sources.demo.cast import AGENTS, AILING, CAST, FAILURES, PEOPLE
from tui_monitor.sources.demo.excerpt import LOOP, excerpt
from tui_monitor.sources.demo.trouble import SEED, troubles

SOURCE = "demo"
_LONGEST = 10 * MINUTE
"""No call takes longer."""
_BUSY = (18, 14, 12, 11, 12, 16, 26, 42, 66, 88, 98, 100, 94, 96, 100, 98, 92, 80, 66, 54, 46, 38, 30, 23)
"""How much of the traffic there is in each hour of a working day, %."""
_WEEKEND = 0.5
_FAILING = 0.005
_KEPT = 3
"""Repetitions that are kept, for whoever asks second by second."""
_AGENTS = 2
"""The stream that agents make."""


@dataclass(slots=True)
class Calls:
    """Gives the calls of any stretch of time."""

    plan: Plan
    _kept: dict[int, CallColumns] = field(default_factory=dict)
    _models: list[Call] = field(default_factory=list)
    _numbers: dict[tuple[int, ...], int] = field(default_factory=dict)

    def between(self, span: Span) -> CallColumns | None:
        """Those booked in the span; None where there are none."""
        found: list[CallColumns] = []
        for number in range((span.start - _LONGEST) // LOOP, span.end // LOOP + 1):
            loop = self._kept.get(number)
            if loop is None:
                while len(self._kept) >= _KEPT:
                    del self._kept[next(iter(self._kept))]
                loop = self._kept[number] = self._loop(number)
            booked = loop.booked
            inside = (booked > span.start) & (booked <= span.end)
            if inside.any():
                found.append(loop.take(inside))
        return _together(found).used() if found else None

    def _loop(self, number: int) -> CallColumns:
        """All calls that begin in one repetition."""
        trace, rng = excerpt(), np.random.default_rng((SEED, 2, number))
        count = len(trace)
        start = number * LOOP + trace.at
        chosen = rng.random((6, count))
        spread = rng.standard_normal((2, count))
        here = np.flatnonzero(chosen[0] < self._busy(start))
        stream = trace.stream[here]
        model, speeds = _models_of(stream, chosen[1][here])
        people = _pick(_PEOPLE, chosen[2][here])
        agent = np.where(stream == _AGENTS, (chosen[3][here] * len(AGENTS)).astype(np.int64), -1)
        share, factor = self._trouble(number, start[here], stream, model)
        failure = np.where(
            chosen[4][here] < share,
            np.array(AILING, dtype=np.int64)[(chosen[5][here] * len(AILING)).astype(np.int64)],
            np.where(chosen[4][here] < share + _FAILING, _pick(_FAILURES, chosen[5][here]), -1),
        )
        # Who gets no answer pays nothing.
        tokens, output, cached = (
            np.where(failure < 0, column[here], 0) for column in (trace.input, trace.output, trace.cached)
        )
        first = (speeds[0] + speeds[1] * (tokens - cached) / 1000) * factor * np.exp(0.3 * spread[0][here])
        length = first + speeds[2] * output * factor * np.exp(0.12 * spread[1][here])
        length = np.minimum(length, _LONGEST / 1000 - 1)
        day = (start[here] + self.plan.offset) // DAY
        numbers = self._numbered(stream, model, people, agent, failure, np.where(agent < 0, -1, day))
        keys = [b"%d-%d" % (number, row) for row in here.tolist()]
        return CallColumns(
            self._models, numbers, np.array(keys), identities(SOURCE, keys),
            {
                "ts_start": start[here], "ts_end": start[here] + (length * 1000).astype(np.int64),
                "in_uncached": tokens - cached, "cache_read": cached, "out_total": output,
            },
            {"latency_ms": length, "ttft_ms": np.where(failure < 0, first, np.nan)},
        )  # fmt: skip

    def _busy(self, at: np.ndarray) -> np.ndarray:
        """The share of the traffic there is at these moments."""
        local = at + self.plan.offset
        hours = (local % DAY) / HOUR
        curve = np.interp(hours, np.arange(25), (*_BUSY, _BUSY[0])) / 100
        # The first day of the epoch was a Thursday.
        return curve * np.where((local // DAY + 3) % 7 >= 5, _WEEKEND, 1.0)

    def _trouble(
        self, number: int, at: np.ndarray, stream: np.ndarray, model: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of each call the share of its like that fails, and how much longer it takes."""
        failing, factor = np.zeros(len(at)), np.ones(len(at))
        for each in troubles(self.plan.anchor, number * LOOP, (number + 1) * LOOP):
            ill = _BELONGS[each.provider][stream, model] & (at >= each.start) & (at < each.end)
            failing[ill] = np.maximum(failing[ill], each.failing)
            factor[ill] = np.maximum(factor[ill], each.slower)
        return failing, factor

    def _numbered(self, *codes: np.ndarray) -> np.ndarray:
        """The number of each call's labels among the models, which grow."""
        different, which = np.unique(np.stack(codes), axis=1, return_inverse=True)
        numbers = []
        for column in different.T.tolist():
            key = tuple(column)
            if key not in self._numbers:
                self._numbers[key] = len(self._models)
                self._models.append(_labelled(*key))
            numbers.append(self._numbers[key])
        return np.array(numbers, dtype=np.int64)[which.reshape(-1)]


def _together(parts: list[CallColumns]) -> CallColumns:
    """All of them as one; their models are the same list."""
    first = parts[0]
    return CallColumns(
        first.models,
        np.concatenate([part.model for part in parts]),
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.identities for part in parts]),
        {name: np.concatenate([part.integers[name] for part in parts]) for name in first.integers},
        {name: np.concatenate([part.lengths[name] for part in parts]) for name in first.lengths},
    )


def _labelled(stream: int, model: int, person: int, agent: int, failure: int, day: int) -> Call:
    """A call without its numbers."""
    played, who = CAST[stream], PEOPLE[person]
    asked = played.models[model]
    call = Call(
        SOURCE, "", provider=asked.provider, model_requested=asked.name, model_served=asked.name,
        operation="chat" if stream else "completion", status="success", stream=True, user=who[0], team=who[1],
        app=played.app, project=played.project, environment="production", finish_reason="stop",
    )  # fmt: skip
    if agent >= 0:
        call.agent, call.session = AGENTS[agent], f"run-{day}-{person}"
    if failure >= 0:
        category, status, _ = FAILURES[failure]
        call.status, call.error_category, call.http_status, call.finish_reason = (
            "error", category, status, None,
        )  # fmt: skip
    return call


def _shares(weights: list[float]) -> np.ndarray:
    bounds = np.cumsum(weights)
    return bounds / bounds[-1]


def _pick(bounds: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.minimum(np.searchsorted(bounds, chosen, side="right"), len(bounds) - 1)


def _models_of(stream: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each call the model among those of its stream, and how quick that is: three rows of ms."""
    model = np.zeros(len(stream), dtype=np.int64)
    for number, played in enumerate(CAST):
        mine = stream == number
        model[mine] = _pick(_shares([each.weight for each in played.models]), chosen[mine])
    return model, _SPEEDS[:, stream, model]


_PEOPLE = _shares([1 / (n + 2) for n in range(len(PEOPLE))])
_FAILURES = _shares([share for _, _, share in FAILURES])
_MOST = max(len(played.models) for played in CAST)
_SPEEDS = np.zeros((3, len(CAST), _MOST))
_BELONGS = {
    each.provider: np.zeros((len(CAST), _MOST), dtype=bool) for played in CAST for each in played.models
}
for _s, _played in enumerate(CAST):
    for _m, _each in enumerate(_played.models):
        _SPEEDS[:, _s, _m] = (_each.first_ms, _each.input_ms, _each.output_ms)
        _BELONGS[_each.provider][_s, _m] = True
