"""Questions to the engine: `/api/v1/query`, `/api/v1/query_range`, and expressions that are only read."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import MonitorError, QueryError, StoreError
from tui_monitor.query.keeping import LARGEST, Keeping
from tui_monitor.query.noting import Noting, Rests
from tui_monitor.query.plain import Plain
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import ValueType
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import Budget, QueryCancelled, QueryTimeout
from tui_monitor.query.promql.printer import pretty
from tui_monitor.query.promql.typecheck import type_of
from tui_monitor.server.declare import theirs
from tui_monitor.server.needs import Need
from tui_monitor.server.prometheus.asked import Asked, asked, bad
from tui_monitor.server.prometheus.running import CLIENT_GONE, Parts, Running
from tui_monitor.server.prometheus.writing import json_of, written
from tui_monitor.server.refusal import Refusal

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

_NAMES = {ValueType.MATRIX: "range vector", ValueType.STRING: "string"}
T = TypeVar("T")
Evaluate = Callable[[Budget, Noting], Answer]


class Asking:
    """Routes that evaluate or read expressions."""

    def __init__(self, collector: "Collector", running: Running) -> None:
        self._collector = collector
        self._running = running

    @property
    def plain(self) -> Plain:
        """Who answers."""
        return self._collector.engine.plain

    @theirs("/api/v1/query", Need.READ, "GET", "POST")
    async def query(self, request: Request) -> Response:
        """At one instant."""
        given = await asked(request)
        at = given.instant("time", self._collector.clock.now())

        def work(cancel: threading.Event) -> Parts:
            text, _ = given.expression()
            semantics = _semantics(given)
            return self._answered(
                given, cancel, (text, semantics, at),
                lambda budget, noting: self.plain.instant(text, at, budget, semantics, noting),
            )  # fmt: skip

        return await self._running.run(request, work)

    @theirs("/api/v1/query_range", Need.READ, "GET", "POST")
    async def query_range(self, request: Request) -> Response:
        """At instants of one step."""
        given = await asked(request)
        steps = given.steps()

        def work(cancel: threading.Event) -> Parts:
            text, tree = given.expression()
            semantics = _semantics(given)
            kind = type_of(tree)
            if kind in _NAMES:
                words = "for range query, must be Scalar or instant Vector"
                raise bad(f'invalid expression type "{_NAMES[kind]}" {words}')
            return self._answered(
                given, cancel, (text, semantics, steps),
                lambda budget, noting: self.plain.range(
                    text, steps.start, steps.end, steps.step, budget, semantics, noting
                ),
            )  # fmt: skip

        return await self._running.run(request, work)

    @theirs("/api/v1/format_query", Need.READ, "GET", "POST")
    async def format_query(self, request: Request) -> Response:
        """The expression, neatly set."""
        given = await asked(request)

        def work(_cancel: threading.Event) -> Response:
            _, tree = given.expression()
            return success(pretty(tree))

        return await self._running.run(request, work)

    @theirs("/api/v1/query_exemplars", Need.READ, "GET", "POST")
    async def exemplars(self, request: Request) -> Response:
        """There are none."""
        given = await asked(request)
        given.instant("start", 0)
        given.instant("end", 0)

        def work(_cancel: threading.Event) -> Response:
            given.expression()
            return success([])

        return await self._running.run(request, work)

    def _answered(
        self, given: Asked, cancel: threading.Event, question: tuple[Hashable, ...], evaluate: Evaluate
    ) -> Parts:
        """The answer, written: as it was kept, if it still holds, unless it is asked for anew."""
        limit, budget = given.limit(), self.plain.budget(cancel, _timeout(given))
        key = None if given.text("stats") or given.text("nocache") else ("http", *question, limit)
        keeping = self.plain.keeping
        kept = None if key is None else evaluated(lambda: keeping.get(key))
        if kept is not None:
            return self._sent(iter(kept))
        noting = keeping.noting()
        began = time.perf_counter()
        answer = evaluated(lambda: evaluate(budget, noting))
        stats = _stats(time.perf_counter() - began, budget) if given.text("stats") else None
        parts = written(answer, stats, limit)
        return self._sent(parts if key is None else _kept(parts, keeping, key, noting.rests()))

    def _sent(self, parts: Iterator[bytes]) -> Parts:
        return Parts(next(parts), next(parts, None), parts, self._running)


def _kept(parts: Iterator[bytes], keeping: Keeping, key: Hashable, rests: Rests) -> Iterator[bytes]:
    """The parts, which are kept when all of them are there."""
    held: list[bytes] = []
    size = 0
    for part in parts:
        size += len(part)
        if size <= LARGEST:
            held.append(part)
        else:
            held.clear()
        yield part
    if size <= LARGEST:
        # What cannot be kept is asked anew; it has been answered.
        with suppress(StoreError):
            keeping.keep(key, tuple(held), rests, size)


def evaluated(work: Callable[[], T]) -> T:
    """What the work gives; what it raises becomes a `Refusal` of Prometheus's kind."""
    try:
        return work()
    except QueryTimeout as error:
        raise Refusal(503, "timeout", _words(error), reason="slow") from error
    except QueryCancelled as error:
        raise Refusal(CLIENT_GONE, "canceled", _words(error), reason="gone") from error
    except StoreError as error:
        raise Refusal(500, "internal", _words(error), reason="store") from error
    except MonitorError as error:
        raise Refusal(422, "execution", _words(error)) from error
    except MemoryError as error:
        raise Refusal(422, "execution", "the query needs more memory than there is") from error


def success(data: Any, warnings: tuple[str, ...] = ()) -> Response:
    """An answer that is small enough to be written at once."""
    body: dict[str, Any] = {"status": "success", "data": data}
    if warnings:
        body["warnings"] = list(warnings)
    return Response(json_of(body), media_type="application/json")


def _words(error: MonitorError) -> str:
    words = f"{error.message} ({error.hint})" if error.hint else error.message
    return f"{words} at character {error.position + 1}" if isinstance(error, QueryError) else words


def _timeout(given: Asked) -> float | None:
    length = given.duration("timeout")
    return None if length is None else length / SECOND


def _semantics(given: Asked) -> Semantics:
    lookback: Micros | None = given.duration("lookback_delta")
    return Semantics() if lookback is None or lookback <= 0 else Semantics(lookback=lookback)


def _stats(seconds: float, budget: Budget) -> dict[str, Any]:
    """What it took. Peak and sum of samples are one figure here: nothing is let go before the end."""
    return {
        "timings": {
            "evalTotalTime": seconds,
            "resultSortTime": 0,
            "queryPreparationTime": 0,
            "innerEvalTime": seconds,
            "execQueueTime": 0,
            "execTotalTime": seconds,
        },
        "samples": {"totalQueryableSamples": budget.samples, "peakSamples": budget.samples},
    }
