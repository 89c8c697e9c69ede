"""How each kind of server is asked for free, and what its answer is worth."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from tui_monitor.config.probing import ProbeKind
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.probes.targets import Target, near
from tui_monitor.sources.web import Answer, Request

_ANSWERED = frozenset({401, 402, 403, 429})
"""The other side is there and does not like our key, our balance or how often we come."""
_CLOSED = frozenset({400, 404, 405, 409, 410, 422})
"""Somebody is there; whether it is the one we mean, the body tells."""
_OURS = {407: ("proxy", "the proxy wants to know who we are"), 511: ("proxy", "the network wants a login")}

Shape = Callable[[Answer], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: what stands behind the base address, how a key is sent, and what a good answer looks like."""

    path: str
    header: str = "authorization"
    prefix: str = "Bearer "
    headers: Mapping[str, str] | None = None
    version: str = ""
    """What the path follows in an address; put there where it is missing."""
    strip: str = ""
    """What the base may end in that the path does not follow."""
    good: Shape = lambda _: True
    any_status: bool = False
    """Whether each answer below 500 will do."""


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _listed(*names: str) -> Shape:
    """JSON with a list of objects under one of these names, or a bare list of objects."""

    def good(answer: Answer) -> bool:
        found = _json(answer)
        if isinstance(found, dict):
            found = next((found[name] for name in names if name in found), None)
        return isinstance(found, list) and all(isinstance(item, dict) for item in found)

    return good


def _holds(name: str, kind: type) -> Shape:
    def good(answer: Answer) -> bool:
        found = _json(answer)
        return isinstance(found, dict) and isinstance(found.get(name), kind)

    return good


def _no_page(answer: Answer) -> bool:
    """Empty or a few words; a page for people comes from somebody else."""
    start = answer.body[:200].lstrip().lower()
    html = "html" in answer.headers.get("content-type", "").lower()
    return not html and not start.startswith((b"<!doctype", b"<html"))


KINDS: Mapping[ProbeKind, Kind] = {
    "openai": Kind("/models", good=_listed("data", "models")),
    "anthropic": Kind(
        "/v1/models?limit=1", "x-api-key", "", {"anthropic-version": "2023-06-01"}, strip="/v1",
        good=_listed("data"),
    ),
    "gemini": Kind(
        "/v1beta/models?pageSize=1", "x-goog-api-key", "", strip="/v1beta", good=_listed("models")
    ),
    "azure": Kind("/openai/v1/models", "api-key", "", strip="/openai/v1", good=_listed("data")),
    "ollama": Kind("/api/version", strip="/v1", good=_holds("version", str)),
    "vllm": Kind("/health", strip="/v1", good=_no_page),
    "tgi": Kind("/health", strip="/v1", good=_no_page),
    "litellm": Kind("/health/liveliness", strip="/v1", good=_no_page),
    "http": Kind("", any_status=True),
}  # fmt: skip
_OPENROUTER_KEY = Kind("/key", good=_holds("data", dict))
"""OpenRouter's list of models is long; what is left of a key is short, and worth knowing. Without a key
its 401 is an answer too."""


def request_for(target: Target, timeout: float) -> Request:
    """What to send; `timeout` in seconds."""
    kind = kind_of(target)
    headers = dict(kind.headers or {}) | {
        "accept": "*/*" if kind.any_status else "application/json, */*;q=0.5"
    }
    if target.key is not None:
        headers[kind.header] = kind.prefix + target.key.get_secret_value()
    base = target.base.removesuffix(kind.strip) if kind.strip else target.base
    # In clear a key goes to a server nearby, and not over a proxy that may be anywhere.
    direct = near(base) and not base.startswith("https:")
    return Request(base + kind.path, headers, timeout, body=not kind.any_status, direct=direct)


def kind_of(target: Target) -> Kind:
    """How a target is asked."""
    if target.provider == "openrouter" and target.kind == "openai":
        return _OPENROUTER_KEY
    return KINDS[target.kind]


def judge(kind: Kind, answer: Answer) -> str:
    """A word on an answer that proves that the other side is there; empty where there is nothing to add.

    Raises `Unanswered` for one that proves nothing, and for a failure.
    """
    status = answer.status
    if status in _OURS:
        raise Unanswered(*_OURS[status])
    if status >= 500:
        raise Unanswered(f"http {status}", f"it answered {_named(status)}")
    if kind.any_status:
        return ""
    if status in _ANSWERED:
        return _named(status)
    if status == 408:
        raise Unanswered("http 408", f"it answered {_named(status)}")
    if status in _CLOSED and isinstance(_json(answer), dict):
        return f"{_named(status)}: is the address right?"
    if 300 <= status < 400:
        raise Unanswered("redirect", f"it answered {_named(status)}, and a key is not sent elsewhere")
    if not 200 <= status < 300:
        raise Unanswered(f"http {status}", f"it answered {_named(status)}: is the address right?")
    if not kind.good(answer):
        raise Unanswered("garbage", f"it answered {status} with something else than was asked for")
    return ""


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
