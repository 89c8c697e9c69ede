"""OpenCode and Kilo: messages in a database, and in files of their own before that."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.sources.agents.api import Found, Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.simple import (
    NO_TIME,
    PORTION,
    Agent,
    Environ,
    Told,
    Whole,
    data_home,
    homes,
    named,
)
from tui_monitor.sources.agents.values import (
    Table,
    count,
    first_text,
    inner,
    nano,
    parse,
    provider_of,
    table,
    text,
    total,
    when,
)

_LOOK_BACK = 200
"""Rows that may still change, where the table does not tell when a row did."""
_PROVIDERS = {"amazon-bedrock": "aws", "google-vertex-anthropic": "google"}
_OTHERS = frozenset({"snapshot", "bin", "log", "worktree", "repos", "tool-output", "part", "session_diff"})
"""Folders without messages, some of them vast."""
_CANCELLED = "MessageAbortedError"
_ERRORS = {"ProviderAuthError": "auth", "MessageOutputLengthError": "context_length"}


def message(
    source: str, value: Any, name: str | None = None, session: str | None = None
) -> Iterator[Call | str]:
    """The call of a message; `name` and `session` are its columns, where the message leaves them out."""
    if not isinstance(value, dict) or value.get("role") != "assistant":
        return
    name = first_text(value.get("id"), name)
    session = first_text(value.get("sessionID"), value.get("session_id"), session)
    tokens, time = table(value.get("tokens")), table(value.get("time"))
    ts = when(time.get("completed"), time.get("created"))
    if name is None or ts is None:
        yield NO_TIME if name else "a message has no id"
        return
    model, provider = text(value.get("modelID")), text(value.get("providerID"))
    call = Call(
        source, name, ts_end=ts, model_served=model, agent=source, session=session, status="success",
        provider=_PROVIDERS.get(provider or "") or provider_of(model, provider),
        project=first_text(inner(value, "path", "root"), inner(value, "path", "cwd")),
        finish_reason=text(value.get("finish")), cost_reported=nano(value.get("cost")),
    )  # fmt: skip
    _fill(call, tokens)
    error = table(value.get("error"))
    if error:
        _failed(call, error)
    if call.total_tokens or error:
        yield call


def _fill(call: Call, tokens: Table) -> None:
    """Tokens; the cached ones lie beside the input. The total tells whether reasoning lies in the output."""
    call.in_uncached = count(tokens.get("input"))
    call.cache_read, call.cache_write_5m = (count(inner(tokens, "cache", name)) for name in ("read", "write"))
    out, thought, sum_ = (count(tokens.get(name)) for name in ("output", "reasoning", "total"))
    call.out_total, call.reasoning = out, thought
    if not thought:
        return
    plain = total(call.in_uncached, out) or 0
    # Some versions leave the cache out of the total.
    inside = (plain, plain + (total(call.cache_read, call.cache_write_5m) or 0))
    if sum_ is not None and sum_ in inside and thought <= (out or 0):
        return
    call.out_total = total(out, thought)


def _failed(call: Call, error: Table) -> None:
    name = text(error.get("name"))
    call.status = "cancelled" if name == _CANCELLED else "error"
    call.error_code = name
    http = count(inner(error, "data", "statusCode"))
    call.http_status = http if http is not None and 100 <= http <= 999 else None
    if not call.total_tokens:
        # Zeros that were never filled in.
        call.in_uncached = call.cache_read = call.cache_write_5m = call.out_total = call.reasoning = None
    if call.status == "cancelled":
        call.error_category = "cancelled"
    elif call.http_status is None:
        call.error_category = _ERRORS.get(name or "")


class Messages:
    """Reads the table of messages. Its state is how far the times of change, or the rows, were read."""

    def __init__(self, source: str, state: Any) -> None:
        self._source = source
        self._told = Told()
        at = table(state).get("at")
        self._at = at if isinstance(at, int) else -1

    def state(self) -> Any:
        """Where to go on."""
        return {"at": self._at}

    def poll(self, conn: sqlite3.Connection) -> Iterator[Found]:
        """What is new or changed. Raises `sqlite3.Error`."""
        conn.text_factory = lambda raw: raw.decode("utf-8", "replace")
        columns = {row[1] for row in conn.execute('PRAGMA table_info("message")')}
        clock = "time_updated" if "time_updated" in columns else "rowid"
        since = self._at if clock == "time_updated" else self._at - _LOOK_BACK
        rows = conn.execute(
            f"SELECT id, session_id, data, {clock} FROM message WHERE {clock} >= ? ORDER BY {clock}", (since,)
        )
        while portion := rows.fetchmany(PORTION):
            found = Found()
            for name, session, data, at in portion:
                value = parse(data) if isinstance(data, str | bytes) else None
                if value is None:
                    found.bad.append((0, "a message is no JSON"))
                else:
                    self._told.sort(message(self._source, value, text(name), text(session)), found)
                if isinstance(at, int):
                    self._at = max(self._at, at)
            yield found


def _reader(source: str, file: LogFile, state: Any) -> Reader:
    if file.kind == "database":
        return Messages(source, state)
    session = file.path.parent.name
    return Whole(lambda value: message(source, value, file.path.stem, session))


def _kind(program: str, place: str) -> Kind | None:
    name = named(place)
    if name.endswith(".db") and (name == f"{program}.db" or name.startswith(f"{program}-")):
        return "database"
    return "whole" if name.startswith("msg_") and name.endswith(".json") else None


def _inside(place: str) -> bool:
    """Of what is stored, the messages only: beside them lies a folder for every single one."""
    parts = place.split("/")
    if "storage" in parts[:-1]:
        return parts[parts.index("storage") + 1] == "message"
    return parts[-1] not in _OTHERS


def _agent(source: str, title: str) -> Agent:
    def places(environ: Environ, home: Path) -> list[Path]:
        return homes(environ, f"{source.upper()}_DATA_DIR", data_home(environ, home) / source)

    def make(file: LogFile, state: Any, shelf: Shelf) -> Reader:
        return _reader(source, file, state)

    return Agent(source, title, places, lambda place: _kind(source, place), make, _inside)


OPENCODE = _agent("opencode", "OpenCode")
KILO = _agent("kilo", "Kilo Code")
