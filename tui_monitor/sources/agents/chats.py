"""Amp and Codebuff: a conversation is one JSON file that is written anew."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tui_monitor.model.call import Call
from tui_monitor.sources.agents.api import Kind, LogFile, Reader, Shelf
from tui_monitor.sources.agents.simple import (
    NO_TIME,
    Agent,
    Environ,
    Whole,
    data_home,
    homes,
    named,
    written,
)
from tui_monitor.sources.agents.values import (
    Table,
    count,
    digest,
    first_count,
    first_text,
    inner,
    items,
    number,
    provider_of,
    table,
    text,
    when,
)

# Amp


def _amp_thread(file: LogFile, value: Any) -> Iterator[Call | str]:
    thread = table(value)
    session = text(thread.get("id")) or file.path.stem
    messages = [table(message) for message in items(thread.get("messages"))]
    events = inner(thread, "usageLedger", "events")
    if isinstance(events, list):
        caches = {text(m.get("messageId")): table(m.get("usage")) for m in messages if m.get("usage")}
        for event in map(table, events):
            yield from _amp_event(session, event, caches.get(text(event.get("toMessageId")), {}))
        return
    for message in messages:
        usage = table(message.get("usage"))
        if message.get("role") == "assistant" and usage:
            key = text(message.get("messageId")) or digest(session, usage)
            yield from _amp_call(session, f"{session}:{key}", usage, message)


def _amp_event(session: str, event: Table, cache: Table) -> Iterator[Call | str]:
    tokens = table(event.get("tokens"))
    usage = {
        "inputTokens": tokens.get("input"),
        "outputTokens": tokens.get("output"),
        "cacheReadInputTokens": cache.get("cacheReadInputTokens"),
        "cacheCreationInputTokens": cache.get("cacheCreationInputTokens"),
        "credits": event.get("credits"),
    }
    key = text(event.get("id")) or digest(session, event)
    yield from _amp_call(session, key, usage, event)


def _amp_call(session: str, key: str, usage: Table, holder: Table) -> Iterator[Call | str]:
    ts = when(usage.get("timestamp"), holder.get("timestamp"))
    if ts is None:
        yield NO_TIME
        return
    model = first_text(usage.get("model"), holder.get("model"))
    call = Call(
        "amp", key, ts_end=ts, provider=provider_of(model), model_served=model, status="success",
        agent="amp", session=session,
        in_uncached=count(usage.get("inputTokens")), out_total=count(usage.get("outputTokens")),
        cache_read=count(usage.get("cacheReadInputTokens")),
        cache_write_5m=count(usage.get("cacheCreationInputTokens")),
    )  # fmt: skip
    _credits(call, usage.get("credits"))
    if call.total_tokens:
        yield call


def _credits(call: Call, value: Any) -> None:
    """What the agent charges in a money of its own."""
    credits = number(value)
    if credits:
        call.attrs["credits"] = credits


def _amp(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Whole(lambda value: _amp_thread(file, value))


def _amp_kind(place: str) -> Kind | None:
    name = named(place)
    return "whole" if name.startswith("T-") and name.endswith(".json") else None


def _amp_places(environ: Environ, home: Path) -> list[Path]:
    return [each / "threads" for each in homes(environ, "AMP_DATA_DIR", data_home(environ, home) / "amp")]


AMP = Agent("amp", "Amp", _amp_places, _amp_kind, _amp)

# Codebuff

_CHANNELS = ("manicode", "manicode-dev", "manicode-staging")


def _codebuff_chat(file: LogFile, value: Any) -> Iterator[Call | str]:
    chat, project = file.path.parent.name, _codebuff_project(file)
    for position, message in enumerate(map(table, items(value))):
        if first_text(message.get("variant"), message.get("role")) not in ("ai", "agent", "assistant"):
            continue
        metadata = table(message.get("metadata"))
        usage, model = _codebuff_usage(metadata)
        credits = number(message.get("credits")) or number(usage.get("credits"))
        if not usage and not credits:
            continue
        ts = when(message.get("timestamp"), message.get("createdAt"), metadata.get("timestamp"))
        ts = ts or _codebuff_time(chat) or written(file.path)
        if ts is None:
            yield NO_TIME
            continue
        key = text(message.get("id")) or str(position)
        call = Call(
            "codebuff", f"{chat}:{key}", ts_end=ts, provider=provider_of(model), model_served=model,
            status="success", agent="codebuff", session=chat, project=project,
        )  # fmt: skip
        _codebuff_tokens(call, usage)
        _credits(call, credits)
        if call.total_tokens or credits:
            yield call


def _codebuff_usage(metadata: Table) -> tuple[Table, str | None]:
    """Usage and model of a message: they have moved from place to place."""
    history = inner(metadata, "runState", "sessionState", "mainAgentState", "messageHistory")
    options = [
        table(message.get("providerOptions"))
        for message in map(table, reversed(items(history)))
        if message.get("role") == "assistant"
    ]
    usages = (
        metadata.get("usage"),
        inner(metadata, "codebuff", "usage"),
        *(option.get("usage") for option in options),
        *(inner(option, "codebuff", "usage") for option in options),
    )
    usage = next((found for each in usages if (found := table(each))), {})
    model = first_text(
        metadata.get("model"), usage.get("model"), *(inner(option, "codebuff", "model") for option in options)
    )
    return usage, model


def _codebuff_tokens(call: Call, usage: Table) -> None:
    said = first_count(usage, "inputTokens", "input_tokens", "promptTokens", "prompt_tokens")
    call.out_total = first_count(
        usage, "outputTokens", "output_tokens", "completionTokens", "completion_tokens"
    )
    call.cache_read = first_count(usage, "cacheReadInputTokens", "cache_read_input_tokens")
    call.cache_write_5m = first_count(
        usage, "cacheCreationInputTokens", "cache_creation_input_tokens", "cacheCreationTokens"
    )
    within = count(inner(usage, "promptTokensDetails", "cachedTokens"))
    if within is None:
        within = count(inner(usage, "prompt_tokens_details", "cached_tokens"))
    if call.cache_read is None and within is not None and said is not None:
        # As OpenAI counts: cached ones are part of the prompt.
        call.cache_read = min(within, said)
        said -= call.cache_read
    call.in_uncached = said


def _codebuff_time(chat: str) -> int | None:
    """A chat is named by when it began: `2026-03-02T11-00-00.000Z`."""
    day, _, time = chat.partition("T")
    return when(f"{day}T{time.replace('-', ':', 2)}") if time else None


def _codebuff_project(file: LogFile) -> str | None:
    parts = file.path.parts
    return parts[-4] if len(parts) > 3 and parts[-3] == "chats" else None


def _codebuff(file: LogFile, state: Any, shelf: Shelf) -> Reader:
    return Whole(lambda value: _codebuff_chat(file, value))


def _codebuff_kind(place: str) -> Kind | None:
    return "whole" if named(place) == "chat-messages.json" else None


def _codebuff_places(environ: Mapping[str, str], home: Path) -> list[Path]:
    found = homes(environ, "CODEBUFF_DATA_DIR", *(home / ".config" / channel for channel in _CHANNELS))
    return [each if each.name == "projects" else each / "projects" for each in found]


CODEBUFF = Agent("codebuff", "Codebuff", _codebuff_places, _codebuff_kind, _codebuff)
