"""What comes beside the demo's calls, all made up: cache results, limits, scores, progress, marks."""

from collections.abc import Iterator
from math import cos

from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros
from tui_monitor.model.demo import Plan
from tui_monitor.model.feed import Event, EventKind
from tui_monitor.model.timerange import Span
from tui_monitor.sources.demo.plan import SOURCE

_RUNS = (
    ("answer quality", "evaluation", 400, 25 * MINUTE),
    ("long contexts", "benchmark", 120, 40 * MINUTE),
)
"""What is run over and over: name, kind, items, time."""
_STEP = 15 * SECOND
_REST = 3 * MINUTE
"""Between one run and the next."""
_LIMITS = (("anthropic", "team-search", "rpm", 400), ("openai", "team-support", "tpm", 200_000))


def beside(plan: Plan, span: Span) -> Iterator[Event]:
    """Everything of a stretch of time, each the same for the same moment."""
    for ts in _every(_STEP, span):
        yield from _progress(ts)
    for ts in _every(MINUTE, span):
        hit = ts // MINUTE * 37 % 100 < 34
        labels = {"saved_tokens": "1400"} if hit else {}
        yield _event("cache", ts, "hit" if hit else "miss", 0.006 if hit else 0.0, labels)
    for ts in _every(5 * MINUTE, span):
        yield from _limits(ts)
    for ts in _every(10 * MINUTE, span):
        score = 0.82 + 0.05 * cos(ts / (7 * HOUR))
        yield _event("score", ts, "answer quality", round(score, 3), {"model": "claude-sonnet-4-5"})
    for ts in _every(DAY, Span(span.start - 10 * HOUR + plan.offset, span.end - 10 * HOUR + plan.offset)):
        day = ts // DAY
        if day % 3 == 0:
            yield _event(
                "mark", ts + 10 * HOUR - plan.offset, f"deploy 2.{day % 50}", None, {"app": "support"}
            )


def _every(step: Micros, span: Span) -> range:
    """The multiples of a step in the span."""
    return range(span.start // step * step + step, span.end + 1, step)


def _progress(ts: Micros) -> Iterator[Event]:
    for name, kind, items, length in _RUNS:
        run, into = divmod(ts, length)
        if into > length - _REST:
            continue
        done = items * into // (length - _REST)
        labels = {
            "total": str(items), "unit": "items", "kind": kind, "run": str(run),
            "state": "completed" if done == items else "running",
        }  # fmt: skip
        yield _event("progress", ts, name, float(done), labels)


def _limits(ts: Micros) -> Iterator[Event]:
    for number, (provider, key, kind, limit) in enumerate(_LIMITS):
        left = round(limit * (0.55 + 0.4 * cos(ts / (3 * HOUR) + number)))
        labels = {"key": key, "limit_type": kind, "limit": str(limit), "reset_s": "30", "provider": provider}
        yield _event("rate_limit", ts + number, "allowed", float(max(0, left)), labels)


def _event(kind: EventKind, ts: Micros, name: str, value: float | None, labels: dict[str, str]) -> Event:
    return Event(kind, ts, SOURCE, f"{kind}-{name}-{ts}", name, value, labels)
