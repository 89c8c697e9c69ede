"""Lines of a Claude Code transcript as calls.

One answer is written as one line for each of its blocks, each with the same usage, partial while it is
streamed; and resumed or forked sessions hold copies. So a call is known by its message and its request,
whatever the file, and the largest usage counts: here within a block, in the store over blocks and files.
"""

import re
from pathlib import Path
from typing import Any

import orjson

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.feed import Event, Record
from tui_monitor.sources.agents.api import Block, Found, LogFile
from tui_monitor.sources.agents.claude_errors import limit_reset, understood
from tui_monitor.sources.agents.objects import Object, load, misshapen
from tui_monitor.sources.agents.values import count, first_text, nano, provider_of, table, text, when

_NEEDLE = b'"usage"'
_SYNTHETIC = "<synthetic>"
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9]")
_MAX_KNOWN = 256

_Candidate = tuple[Object, int]
"""A line, and where it begins."""


class Transcript:
    """One transcript, block by block."""

    def __init__(self, source: str, file: LogFile) -> None:
        self._source = source
        self._path = file.path
        self._paths: dict[str, str] = {}
        self._providers: dict[tuple[str | None, str], str | None] = {}
        self._subagent = _subagent(file.path)

    def state(self) -> None:
        """Each line stands for itself."""

    def feed(self, block: Block) -> Found:
        """The calls of some lines, each once and as large as it is there."""
        found = Found()
        largest: dict[tuple[str | None, str | None, int], _Candidate] = {}
        for offset, line in block.lines():
            problem = misshapen(line)
            if line.rfind(_NEEDLE) >= 0:
                entry, problem = load(line, _is_answer)
                if entry is not None and entry.get("type") == "assistant":
                    self._take(entry, offset, largest, found)
            if problem is not None:
                found.bad.append((offset, problem))
        for entry, offset in largest.values():
            call = self._call(self._key(entry, offset), entry)
            if call is None:
                found.bad.append((offset, "a call has no time"))
            else:
                found.records.append(call)
        return found

    def _take(
        self, entry: Object, offset: int, largest: dict[tuple[Any, Any, int], _Candidate], found: Found
    ) -> None:
        message = entry.get("message")
        if not isinstance(message, dict):
            return
        if entry.get("isApiErrorMessage") is True:
            found.records += self._failure(entry, offset)
            return
        usage = message.get("usage")
        if message.get("model") == _SYNTHETIC or not isinstance(usage, dict):
            return
        name, request = message.get("id"), entry.get("requestId")
        # Lines without a message id are told apart by their offset.
        key = (name, request, 0) if type(name) is str else (None, None, offset)
        before = largest.get(key)
        if before is None or size(entry) > size(before[0]):
            largest[key] = entry, offset

    def _key(self, entry: Object, offset: int) -> str:
        message, request = text(entry["message"].get("id")), text(entry.get("requestId"))
        if message is not None:
            return f"{message}:{request or ''}"
        # The same file has the same name wherever it was copied to.
        return text(entry.get("uuid")) or f"{'/'.join(self._path.parts[-2:])}@{offset}"

    def _call(self, key: str, entry: Object) -> Call | None:
        message = entry["message"]
        usage = message["usage"]
        call = self._said(key, entry)
        if call is None:
            return None
        model = text(message.get("model"))
        call.model_served = model
        call.provider = self._provider(model, text(message.get("id")) or "")
        call.status = "success"
        call.finish_reason = text(message.get("stop_reason"))
        call.in_uncached = count(usage.get("input_tokens"))
        call.cache_read = count(usage.get("cache_read_input_tokens"))
        call.cache_write_5m, call.cache_write_1h = cache_written(usage)
        call.out_total = count(usage.get("output_tokens"))
        thinking = count(table(usage.get("output_tokens_details")).get("thinking_tokens"))
        if thinking is not None and call.out_total is not None:
            call.reasoning = min(thinking, call.out_total)
        call.cost_reported = nano(entry.get("costUSD"))
        _billing_details(call, usage)
        return call

    def _said(self, key: str, entry: Object) -> Call | None:
        """What every line says: who, when, where. None without a time."""
        ts = when(entry.get("timestamp"))
        if ts is None:
            return None
        keys = (text(table(entry.get("message")).get("id")), text(entry.get("requestId")))
        call = Call(self._source, key, ts_end=ts, call_keys=tuple(k for k in keys if k))
        call.agent = self._source
        call.session = text(entry.get("sessionId"))
        call.project = self._project(text(entry.get("cwd")))
        attrs = {
            "git_branch": text(entry.get("gitBranch")),
            "version": text(entry.get("version")),
            "subagent": self._subagent,
            "sidechain": entry.get("isSidechain") is True or None,
        }
        call.attrs = {name: value for name, value in attrs.items() if value is not None}
        return call

    def _failure(self, entry: Object, offset: int) -> list[Record]:
        """A call that failed for good; what was tried before is not counted. Tokens are unknown."""
        if not isinstance(entry.get("message"), dict):
            return []
        call = self._said(self._key(entry, offset), entry)
        if call is None:
            return []
        call.provider = "anthropic"
        call.status = "error"
        call.error_category, call.http_status, call.error_code = understood(entry)
        if call.error_category == "cancelled":
            call.status = "cancelled"
        reset = limit_reset(entry)
        return [call] if reset is None else [call, self._limit(call, reset)]

    def _limit(self, call: Call, reset: Micros) -> Event:
        labels = {
            "key": self._source,
            "limit_type": "usage",
            "reset_s": f"{max(0, reset - call.booked) / SECOND:g}",
        }
        key = f"limit:{call.source_key}"
        return Event("rate_limit", call.booked, self._source, key, "denied", 0.0, labels)

    def _provider(self, model: str | None, message: str) -> str | None:
        kind = model, message[:9]
        if kind not in self._providers:
            if len(self._providers) >= _MAX_KNOWN:
                self._providers.clear()
            self._providers[kind] = _provider(*kind)
        return self._providers[kind]

    def _project(self, cwd: str | None) -> str | None:
        """The folder the session was started in: the agent may have gone into one below."""
        if cwd is None:
            return None
        known = self._paths.get(cwd)
        if known is None:
            if len(self._paths) >= _MAX_KNOWN:
                self._paths.clear()
            known = self._paths[cwd] = _project(cwd, self._path)
        return known


def size(entry: Object) -> tuple[int, bool, bool, bool]:
    """What tells which of a call's lines counts: tokens, a known speed, a known end, being no copy."""
    message = entry["message"]
    usage = message["usage"]
    tokens = 0
    for name in ("input_tokens", "cache_read_input_tokens", "output_tokens"):
        number = usage.get(name)
        tokens += number if type(number) is int else count(number) or 0
    short, long = cache_written(usage)
    tokens += (short or 0) + (long or 0)
    finished = message.get("stop_reason") is not None
    return tokens, "speed" in usage, finished, entry.get("isSidechain") is not True


def cache_written(usage: Object) -> tuple[int | None, int | None]:
    """Tokens written to the cache for 5 minutes and for an hour.

    The parts are listed for the first round only when tools of the server made several: what the sum has
    beyond them counts as written for 5 minutes.
    """
    written = usage.get("cache_creation_input_tokens")
    parts = usage.get("cache_creation")
    if type(written) is not int or written < 0:
        written = count(written)
    if not isinstance(parts, dict):
        return written, None
    short, long = parts.get("ephemeral_5m_input_tokens"), parts.get("ephemeral_1h_input_tokens")
    if type(short) is not int or type(long) is not int or short < 0 or long < 0:
        short, long = count(short), count(long)
        if short is None and long is None:
            return written, None
    listed = (short or 0) + (long or 0)
    return (short or 0) + max(0, (written or 0) - listed), long


def _billing_details(call: Call, usage: Object) -> None:
    speed = text(usage.get("speed"))
    geo = text(usage.get("inference_geo"))
    call.service_tier = text(usage.get("service_tier"))
    if speed == "fast" and call.service_tier in (None, "standard"):
        # Fast answers are priced higher, by a list that is not known: so the price is told as estimated.
        call.service_tier = speed
    call.batch = True if call.service_tier == "batch" else None
    tools = table(usage.get("server_tool_use"))
    searches, fetches = (count(tools.get(f"web_{name}_requests")) for name in ("search", "fetch"))
    if searches:
        call.media = {"web_searches": searches}
    if fetches:
        call.attrs["web_fetches"] = fetches
    if speed is not None:
        call.attrs["speed"] = speed
    if geo is not None and geo != "not_available":
        call.attrs["inference_geo"] = geo


def _provider(model: str | None, message: str) -> str | None:
    """Who was called: Bedrock and Vertex AI show in the id of the message or the name of the model."""
    name = (model or "").lower()
    if message.startswith("msg_bdrk_") or "anthropic." in name or name.startswith("arn:aws:"):
        return "aws"
    if message.startswith("msg_vrtx_") or "@" in name:
        return "google"
    return provider_of(model) if model else "anthropic"


def _is_answer(entry: Object) -> bool:
    return entry.get("type") == "assistant"


def _project(cwd: str, file: Path) -> str:
    """The nearest folder above `cwd`, or itself, that a folder above the file is named after."""
    names = set(file.parts[:-1])
    folder = cwd.rstrip("/") or "/"
    while folder:
        if _NOT_IN_NAMES.sub("-", folder) in names:
            return folder
        folder = folder.rpartition("/")[0]
    return cwd


def _subagent(file: Path) -> str | None:
    """The kind of subagent that a file is of, where a note beside it tells."""
    if not file.name.startswith("agent-"):
        return None
    try:
        note = orjson.loads(file.with_suffix(".meta.json").read_bytes())
    except (OSError, ValueError):
        return None
    return first_text(table(note).get("agentType"), table(note).get("name"))
