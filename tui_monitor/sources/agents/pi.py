"""pi, omp and OpenClaw: sessions as lines, one for each message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.sources.agents.api import Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.objects import Object
from tui_monitor.sources.agents.simple import NO_TIME, Agent, Environ, Lines, homes, named
from tui_monitor.sources.agents.values import (
    count,
    digest,
    first_text,
    inner,
    nano,
    provider_of,
    table,
    text,
    when,
)

_NEEDLES = (b'"usage"', b'"session"', b'"model_change"', b'"model-snapshot"')


class Session:
    """One session: whose it is and which model answers is told on lines of their own."""

    def __init__(self, source: str, file: LogFile, state: Any) -> None:
        known = table(state)
        self._source = source
        self._session = text(known.get("session")) or file.path.name.partition(".jsonl")[0]
        self._cwd = text(known.get("cwd"))
        self._model = text(known.get("model"))
        self._provider = text(known.get("provider"))

    def state(self) -> Any:
        """What the lines so far told."""
        return {
            "session": self._session,
            "cwd": self._cwd,
            "model": self._model,
            "provider": self._provider,
        }

    def take(self, record: Object) -> Iterator[Call | str]:
        """The call of a message."""
        kind = record.get("type")
        if kind == "session":
            self._session = text(record.get("id")) or self._session
            self._cwd = text(record.get("cwd")) or self._cwd
        elif kind == "model_change" or record.get("customType") == "model-snapshot":
            change = table(record.get("data")) or record
            self._model = first_text(change.get("modelId"), change.get("model")) or self._model
            self._provider = text(change.get("provider")) or self._provider
        elif kind in ("message", None):
            yield from self._message(record)

    def _message(self, record: Object) -> Iterator[Call | str]:
        said = table(record.get("message"))
        usage = table(said.get("usage"))
        if said.get("role") != "assistant" or not usage:
            return
        ts = when(said.get("timestamp"), record.get("timestamp"))
        if ts is None:
            yield NO_TIME
            return
        model = first_text(said.get("modelId"), said.get("model")) or self._model
        provider = text(said.get("provider")) or self._provider
        said_once = digest(ts, model, usage)
        key = text(record.get("id")) or said_once
        call = Call(
            # A session that goes on from another holds a copy of it.
            self._source, f"{self._session}:{key}", ts_end=ts, call_keys=(f"{self._source}:{said_once}",),
            model_served=model,
            provider=provider_of(model, provider), status="success", agent=self._source,
            session=self._session, project=self._cwd, finish_reason=text(said.get("stopReason")),
            in_uncached=count(usage.get("input")), out_total=count(usage.get("output")),
            cache_read=count(usage.get("cacheRead")), cache_write_5m=count(usage.get("cacheWrite")),
            cost_reported=nano(inner(usage, "cost", "total")),
        )  # fmt: skip
        if call.finish_reason in ("error", "aborted"):
            call.status = "error" if call.finish_reason == "error" else "cancelled"
        if call.total_tokens:
            yield call


def _agent(source: str, title: str, variable: str, *usual: str, below: str = "", old: bool = False) -> Agent:
    def places(environ: Environ, home: Path) -> list[Path]:
        found = homes(environ, variable, *(home / name for name in usual))
        return [each / below if below else each for each in found]

    def kind(place: str) -> Kind | None:
        name = named(place)
        put_aside = old and any(f".jsonl.{word}" in name for word in ("deleted", "reset"))
        return "lines" if name.endswith(".jsonl") or put_aside else None

    def make(file: LogFile, state: Any, shelf: Shelf) -> Reader:
        session = Session(source, file, state)
        return Lines(session.take, _NEEDLES, session.state)

    return Agent(source, title, places, kind, make)


PI = _agent("pi", "pi", "PI_AGENT_DIR", ".pi/agent/sessions")
OMP = _agent("omp", "omp", "OMP_AGENT_DIR", ".omp/agent/sessions")
OPENCLAW = _agent("openclaw", "OpenClaw", "OPENCLAW_DIR", ".openclaw", below="agents", old=True)
