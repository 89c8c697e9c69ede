"""Agents that keep only the sum of each session: Goose, Hermes, Droid. A session is a call that grows."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.sources.agents.api import Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.simple import (
    NO_TIME,
    Agent,
    Environ,
    Rows,
    Whole,
    data_home,
    flat,
    homes,
    named,
    written,
)
from tui_monitor.sources.agents.values import (
    count,
    first_count,
    first_text,
    nano,
    parse,
    provider_of,
    table,
    text,
    total,
    when,
)

_BRACKETS = re.compile(r"\[[^\]]*\]")
_VERSION = re.compile(r"(?<=\d)\.(?=\d)")


def _session(source: str, name: str, ts: Micros, model: str | None, provider: str | None) -> Call:
    """A session as a call. It is booked when it began: there is no telling when which part was spent."""
    return Call(
        source, name, ts_start=ts, provider=provider_of(model, provider), model_served=model,
        status="success", agent=source, session=name, attrs={"session_total": True},
    )  # fmt: skip


def _goose_row(row: Mapping[str, Any]) -> Iterator[Call | str]:
    name = text(row.get("id"))
    config = row.get("model_config_json")
    model = text(table(parse(config)).get("model_name")) if isinstance(config, str | bytes) else None
    said, out, sum_ = (
        first_count(row, f"accumulated_{kind}_tokens", f"{kind}_tokens")
        for kind in ("input", "output", "total")
    )
    if name is None or not total(said, out, sum_):
        return
    ts = when(row.get("created_at"))
    if ts is None:
        yield NO_TIME
        return
    call = _session("goose", name, ts, model, text(row.get("provider_name")))
    call.project = text(row.get("working_dir"))
    call.in_uncached, call.out_total = said, out
    beside = (sum_ or 0) - (total(said, out) or 0)
    if beside > 0:
        # What models think is in the sum alone.
        call.out_total, call.reasoning = (out or 0) + beside, beside
    yield call


def _goose(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Rows("sessions", _goose_row)


def _goose_places(environ: Environ, home: Path) -> list[Path]:
    if root := environ.get("GOOSE_PATH_ROOT", "").strip():
        return [Path(root).expanduser() / "data" / "sessions"]
    data, library = data_home(environ, home), home / "Library" / "Application Support"
    return [
        data / "goose" / "sessions",
        data / "Block" / "goose" / "sessions",
        library / "Block" / "goose",
        library / "Block" / "goose" / "sessions",
        library / "goose" / "sessions",
    ]


def _is_database(name: str, place: str) -> Kind | None:
    return "database" if named(place) == name else None


GOOSE = Agent("goose", "Goose", _goose_places, lambda place: _is_database("sessions.db", place), _goose, flat)


def _hermes_row(row: Mapping[str, Any]) -> Iterator[Call | str]:
    name, model = text(row.get("id")), text(row.get("model"))
    said, out, read, wrote, thought = (
        count(row.get(f"{kind}_tokens"))
        for kind in ("input", "output", "cache_read", "cache_write", "reasoning")
    )
    cost = nano(row.get("actual_cost_usd")) or nano(row.get("estimated_cost_usd"))
    if name is None or not (total(said, out, read, wrote, thought) or cost):
        return
    ts = when(row.get("started_at"))
    if ts is None:
        yield NO_TIME
        return
    provider = (text(row.get("billing_provider")) or "").lower().replace("_", "-")
    call = _session("hermes", name, ts, model, "openai" if provider == "openai-codex" else provider or None)
    call.in_uncached, call.cache_read, call.cache_write_5m = said, read, wrote
    call.out_total, call.reasoning = total(out, thought), thought
    call.cost_reported = cost
    if (messages := count(row.get("message_count"))) is not None:
        call.attrs["messages"] = messages
    yield call


def _hermes(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Rows("sessions", _hermes_row)


def _hermes_places(environ: Environ, home: Path) -> list[Path]:
    return homes(environ, "HERMES_HOME", home / ".hermes")


HERMES = Agent(
    "hermes", "Hermes", _hermes_places, lambda place: _is_database("state.db", place), _hermes, flat
)


def _droid_session(file: LogFile, value: Any) -> Iterator[Call | str]:
    settings = table(value)
    usage = table(settings.get("tokenUsage"))
    name = file.path.name.removesuffix(".settings.json")
    ts = when(settings.get("providerLockTimestamp")) or written(file.path)
    if not usage or ts is None:
        return
    model = _droid_model(text(settings.get("model")))
    call = _session("droid", name, ts, model, text(settings.get("providerLock")))
    thought = count(usage.get("thinkingTokens"))
    call.in_uncached = count(usage.get("inputTokens"))
    call.cache_read = count(usage.get("cacheReadTokens"))
    call.cache_write_5m = count(usage.get("cacheCreationTokens"))
    call.out_total, call.reasoning = total(count(usage.get("outputTokens")), thought), thought
    call.project = first_text(settings.get("cwd"), settings.get("workingDirectory"))
    if call.total_tokens:
        yield call


def _droid_model(name: str | None) -> str | None:
    """Without what Droid adds: `custom:Claude-Sonnet-4.5-[Anthropic]-0` is `claude-sonnet-4-5-0`."""
    if name is None:
        return None
    name = _BRACKETS.sub("", name.removeprefix("custom:")).strip().lower().replace(" ", "-")
    name = re.sub("-{2,}", "-", name).strip("-")
    return (_VERSION.sub("-", name) if name.startswith("claude") else name) or None


def _droid(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Whole(lambda value: _droid_session(file, value))


def _droid_kind(place: str) -> Kind | None:
    return "whole" if place.endswith(".settings.json") else None


def _droid_places(environ: Environ, home: Path) -> list[Path]:
    return homes(environ, "DROID_SESSIONS_DIR", home / ".factory" / "sessions")


DROID = Agent("droid", "Droid", _droid_places, _droid_kind, _droid)
