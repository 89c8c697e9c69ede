"""Gemini CLI: chats as one JSON file (old) or as lines that correct each other; and Qwen Code, its kin."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.sources.agents.api import Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.simple import NO_TIME, Agent, Lines, Whole, homes, named
from tui_monitor.sources.agents.values import (
    Table,
    count,
    digest,
    first_text,
    items,
    provider_of,
    table,
    text,
    total,
    when,
)

_NAMES = (
    ("input", "promptTokenCount"),
    ("cached", "cachedContentTokenCount"),
    ("output", "candidatesTokenCount"),
    ("thoughts", "thoughtsTokenCount"),
    ("tool", "toolUsePromptTokenCount"),
    ("total", "totalTokenCount"),
)
"""What Gemini CLI and its kin call the same number."""


def fill_tokens(call: Call, usage: Table) -> bool:
    """Tokens as Google counts: what is cached within the input, thoughts and tools beside. Whether any."""
    said, cached, out, thoughts, tool, sum_ = (
        next((found for name in names if (found := count(usage.get(name))) is not None), None)
        for names in _NAMES
    )
    beside = total(said, cached, out, thoughts, tool)
    if said is not None and not (cached and sum_ is not None and sum_ == beside):
        # The total tells it where a version counts the cached ones beside.
        cached = None if cached is None else min(cached, said)
        said -= cached or 0
    call.in_uncached = total(said, tool)
    call.cache_read = cached
    call.out_total = total(out, thoughts)
    call.reasoning = thoughts
    return bool(call.total_tokens)


class Chat:
    """One chat. Messages come again and again under their id, and the last word counts.

    What a person takes back (`$rewindTo`) was spent all the same, so nothing is taken back here.
    """

    def __init__(self, file: LogFile, state: Any) -> None:
        known = table(state)
        self._session = text(known.get("session")) or file.path.name.partition(".")[0]
        self._project = text(known.get("project")) or _folder(file)
        self._subagent = known.get("subagent") is True

    def state(self) -> Any:
        """What the first line told."""
        return {"session": self._session, "project": self._project, "subagent": self._subagent}

    def take(self, record: Mapping[str, Any]) -> Iterator[Call | str]:
        """The calls of a record, whole chat, message or update."""
        changed = record.get("$set")
        if isinstance(changed, dict):
            yield from self.take(changed)
            return
        if record.get("type") != "gemini":
            self._session = text(record.get("sessionId")) or self._session
            self._project = text(record.get("projectHash")) or self._project
            self._subagent |= record.get("kind") == "subagent"
            for message in items(record.get("messages")):
                if isinstance(message, dict):
                    yield from self._message(message)
            return
        yield from self._message(record)

    def _message(self, message: Table) -> Iterator[Call | str]:
        tokens = message.get("tokens")
        if message.get("type") != "gemini" or not isinstance(tokens, dict):
            return
        ts = when(message.get("timestamp"))
        if ts is None:
            yield NO_TIME
            return
        name = text(message.get("id")) or digest(message.get("timestamp"), tokens)
        model = text(message.get("model"))
        call = Call(
            "gemini-cli", f"{self._session}:{name}", ts_end=ts, provider="google", model_served=model,
            status="success", agent="gemini-cli", session=self._session, project=self._project,
        )  # fmt: skip
        if self._subagent:
            call.attrs["subagent"] = True
        if fill_tokens(call, tokens):
            yield call


def _whole(chat: Chat, value: Any) -> Iterable[Call | str]:
    return chat.take(value) if isinstance(value, dict) else ()


def _folder(file: LogFile) -> str | None:
    """The project's name among Gemini's folders: a hash of where it lies."""
    parts = file.path.parts
    return parts[-3] if len(parts) > 2 and parts[-2] == "chats" else None


def _chat(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    chat = Chat(file, state)
    if file.kind == "whole":
        return Whole(lambda value: _whole(chat, value))
    return Lines(chat.take, (b'"tokens"', b'"sessionId"', b'"$set"'), chat.state)


def _kind(place: str) -> Kind | None:
    name = named(place)
    if not name.startswith("session-"):
        return None
    return "lines" if name.endswith(".jsonl") else "whole" if name.endswith(".json") else None


def _places(environ: Mapping[str, str], home: Path) -> list[Path]:
    return homes(environ, "GEMINI_DATA_DIR", home / ".gemini" / "tmp")


GEMINI = Agent("gemini-cli", "Gemini CLI", _places, _kind, _chat)


def _qwen_line(file: LogFile, record: Table) -> Iterator[Call | str]:
    usage = record.get("usageMetadata")
    if record.get("type") != "assistant" or not isinstance(usage, dict):
        return
    ts = when(record.get("timestamp"))
    if ts is None:
        yield NO_TIME
        return
    session = text(record.get("sessionId")) or file.path.name.partition(".")[0]
    name = first_text(record.get("uuid"), record.get("id")) or digest(record.get("timestamp"), usage)
    model = text(record.get("model"))
    parts = file.path.parts
    project = parts[-3] if len(parts) > 2 and parts[-2] == "chats" else None
    call = Call(
        "qwen", f"{session}:{name}", ts_end=ts, provider=provider_of(model) or "alibaba", model_served=model,
        status="success", agent="qwen", session=session, project=text(record.get("cwd")) or project,
    )  # fmt: skip
    if fill_tokens(call, usage):
        yield call


def _qwen(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Lines(lambda record: _qwen_line(file, record), (b'"usageMetadata"',))


def _qwen_kind(place: str) -> Kind | None:
    folder = place.rpartition("/")[0]
    within = not folder or named(folder) == "chats"
    return "lines" if place.endswith(".jsonl") and within else None


def _qwen_places(environ: Mapping[str, str], home: Path) -> list[Path]:
    return [each / "projects" for each in homes(environ, "QWEN_DATA_DIR", home / ".qwen")]


QWEN = Agent("qwen", "Qwen Code", _qwen_places, _qwen_kind, _qwen)
