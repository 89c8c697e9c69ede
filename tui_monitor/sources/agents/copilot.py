"""GitHub Copilot CLI: what its OpenTelemetry exporter writes into a file.

One call may be there as a span, as a log of the inference, as a log of the agent's turn, and within the sum
of an agent's run. The nearest to the call counts.
"""

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.feed import Retract
from tui_monitor.sources.agents.api import Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.objects import Object
from tui_monitor.sources.agents.simple import NO_TIME, Agent, Environ, Lines, Made, flat, homes
from tui_monitor.sources.agents.values import (
    Table,
    count,
    digest,
    first_count,
    first_text,
    inner,
    items,
    provider_of,
    table,
    text,
    when,
)

NAME = "copilot"
GROUPS = 256
"""Traces and answers of which is known what was counted."""
_KEYS = 256
"""Keys of one of them."""
_CHAT, _INFERENCE, _TURN, _RUN = range(4)
"""What a record is; the least counts."""
_SESSION = (
    "gen_ai.conversation.id", "copilot_chat.session_id", "copilot_chat.chat_session_id", "session.id",
    "github.copilot.interaction_id",
)  # fmt: skip


class Export:
    """One export file. Its state is what was counted of the last traces and answers."""

    def __init__(self, state: Any) -> None:
        self._groups: OrderedDict[str, tuple[int, list[str]]] = OrderedDict()
        for name, entry in table(table(state).get("groups")).items():
            rank, keys = entry if isinstance(entry, list) and len(entry) == 2 else (None, None)
            if isinstance(rank, int) and isinstance(keys, list):
                self._groups[name] = rank, [str(key) for key in keys]

    def state(self) -> Any:
        """What to go on from."""
        return {"groups": dict(self._groups)}

    def take(self, record: Object) -> Iterator[Made]:
        """The call of a record, and what it shows to have been counted from further away."""
        attributes = table(record.get("attributes"))
        rank = _rank(record, attributes)
        if rank is None:
            return
        call = _call(record, attributes)
        if isinstance(call, Call) and rank != _CHAT:
            # The others last as long as the agent, or not at all.
            call.ts_start = None
        if call is None or isinstance(call, str):
            if call is not None:
                yield call
            return
        trace, answer = call.trace_id, text(attributes.get("gen_ai.response.id"))
        names = [f"{kind}:{name}" for kind, name in (("trace", trace), ("answer", answer)) if name]
        if any(self._groups.get(name, (rank, []))[0] < rank for name in names):
            return
        worse = {key for name in names for key in self._worse(name, rank)}
        for name in names:
            self._note(name, rank, call.source_key)
        yield call
        for key in sorted(worse - {call.source_key}):
            yield Retract(NAME, key)

    def _worse(self, name: str, rank: int) -> list[str]:
        known = self._groups.get(name)
        if known is None or known[0] <= rank:
            return []
        del self._groups[name]
        return known[1]

    def _note(self, name: str, rank: int, key: str) -> None:
        keys = self._groups.setdefault(name, (rank, []))[1]
        if rank != _CHAT and key not in keys and len(keys) < _KEYS:
            keys.append(key)
        self._groups.move_to_end(name)
        while len(self._groups) > GROUPS:
            self._groups.popitem(last=False)


def _rank(record: Object, attributes: Table) -> int | None:
    name, operation = text(record.get("name")) or "", attributes.get("gen_ai.operation.name")
    kind = record.get("type")
    if kind == "span" or (kind is None and name and ("spanId" in record or "startTime" in record)):
        if operation == "chat" or name.startswith("chat "):
            return _CHAT
        return _RUN if operation == "invoke_agent" or name.startswith("invoke_agent ") else None
    event = attributes.get("event.name")
    body = first_text(record.get("body"), record.get("_body")) or ""
    if event == "gen_ai.client.inference.operation.details" or body.startswith("GenAI inference:"):
        return _INFERENCE
    return _TURN if event == "copilot_chat.agent.turn" or body.startswith("copilot_chat.agent.turn") else None


def _call(record: Object, attributes: Table) -> Call | str | None:
    start, end = _moment(record.get("startTime")), _moment(record.get("endTime"))
    times = ("hrTime", "_hrTime", "time", "timestamp", "observedTimestamp", "timeUnixNano")
    end = end or next((found for name in times if (found := _moment(record.get(name)))), start)
    model = first_text(attributes.get("gen_ai.response.model"), attributes.get("gen_ai.request.model"))
    trace = first_text(record.get("traceId"), inner(record, "spanContext", "traceId"))
    span = first_text(record.get("spanId"), inner(record, "spanContext", "spanId"))
    answer = text(attributes.get("gen_ai.response.id"))
    call = Call(NAME, "", ts_start=start, ts_end=end, model_served=model, agent=NAME, status="success")
    call.model_requested = text(attributes.get("gen_ai.request.model"))
    said = first_text(attributes.get("gen_ai.provider.name"), attributes.get("gen_ai.system"))
    call.provider = provider_of(model, said) or "github-copilot"
    _fill(call, attributes)
    if not call.total_tokens:
        return None
    if end is None:
        return NO_TIME
    if start is not None and start > end:
        call.ts_start = None
    call.session = first_text(*(attributes.get(name) for name in _SESSION)) or trace
    call.trace_id, call.span_id = trace, span
    keys = (answer, f"{trace}:{span}" if trace and span else None)
    call.call_keys = tuple(key for key in keys if key)
    call.source_key = call.call_keys[-1] if span and trace else digest(end, model, attributes)
    if (error := text(attributes.get("error.type"))) is not None:
        call.status, call.error_code = "error", error
    call.finish_reason = first_text(*items(attributes.get("gen_ai.response.finish_reasons")))
    return call


def _fill(call: Call, attributes: Table) -> None:
    """Tokens; those read from a cache lie within the input, reasoning within the output."""
    usage = {name.removeprefix("gen_ai.usage."): value for name, value in attributes.items()}
    said, out = first_count(usage, "input_tokens"), first_count(usage, "output_tokens")
    read = first_count(usage, "cache_read.input_tokens")
    call.cache_write_5m = first_count(usage, "cache_write.input_tokens", "cache_creation.input_tokens")
    call.cache_read = read if said is None or read is None else min(read, said)
    call.in_uncached = None if said is None else said - (call.cache_read or 0)
    call.out_total = out
    thought = first_count(usage, "reasoning.output_tokens", "reasoning_tokens")
    call.reasoning = thought if out is None or thought is None else min(thought, out)


def _moment(value: Any) -> Micros | None:
    """A time as exporters write it: [s, ns], a number since the epoch, or a text."""
    if isinstance(value, list):
        seconds, nanos = map(count, [*value, None, None][:2])
        return None if seconds is None else seconds * SECOND + (nanos or 0) // 1000
    return when(value)


def _make(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    export = Export(state)
    return Lines(export.take, (b'"gen_ai.', b'"copilot_chat.'), export.state)


def _kind(place: str) -> Kind | None:
    return "lines" if place.endswith(".jsonl") else None


def _places(environ: Environ, home: Path) -> list[Path]:
    usual = home / ".copilot" / "otel"
    return [usual, *(path.parent for path in homes(environ, "COPILOT_OTEL_FILE_EXPORTER_PATH"))]


COPILOT = Agent(NAME, "GitHub Copilot CLI", _places, _kind, _make, flat)
