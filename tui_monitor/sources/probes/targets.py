"""What is probed: what the settings name, and with consent what keys found in the environment stand for.

Bedrock is not among them: its requests must be signed with AWS credentials, which nobody gave for this.
"""

import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from tui_monitor.config.logs import redactor
from tui_monitor.config.probing import ProbeKind, ProbeTarget
from tui_monitor.model.providers import canonical, keys_in
from tui_monitor.model.text import clean
from tui_monitor.sources.api import SourceSettings

_HOST = re.compile(r"[^\s/?#@\\]+")
_LOCAL_NAMES = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Target:
    """One address to probe."""

    provider: str
    kind: ProbeKind
    base: str
    """Without a slash at its end."""
    label: str
    """Host, and what else tells it from others; never a secret."""
    key: SecretStr | None = field(default=None, repr=False)
    found: bool = False
    """Whether its key was found in the environment, not given for this."""


@dataclass(frozen=True, slots=True)
class _Known:
    """How a provider is asked by default."""

    provider: str
    kind: ProbeKind
    base: str
    keys: tuple[str, ...]
    """Variables with its key, the first that is set counts."""
    bases: tuple[str, ...] = ()
    """Variables with another address of it."""
    version: str = ""
    """What the address is followed by where a variable names it without."""
    port: int | None = None
    """What a host of a variable is followed by that has neither scheme nor port."""


KNOWN: tuple[_Known, ...] = (
    _Known(
        "openai", "openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",),
        ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    ),
    _Known(
        "anthropic", "anthropic", "https://api.anthropic.com", ("ANTHROPIC_API_KEY",), ("ANTHROPIC_BASE_URL",)
    ),
    _Known(
        "google", "gemini", "https://generativelanguage.googleapis.com",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"),
    ),
    _Known("groq", "openai", "https://api.groq.com/openai/v1", ("GROQ_API_KEY",), ("GROQ_BASE_URL",),
           "/openai/v1"),
    _Known("mistral", "openai", "https://api.mistral.ai/v1", ("MISTRAL_API_KEY",), ("MISTRAL_BASE_URL",)),
    _Known("deepseek", "openai", "https://api.deepseek.com", ("DEEPSEEK_API_KEY",), ("DEEPSEEK_BASE_URL",)),
    _Known("together", "openai", "https://api.together.xyz/v1", ("TOGETHER_API_KEY",),
           ("TOGETHER_BASE_URL",)),
    _Known("x-ai", "openai", "https://api.x.ai/v1", ("XAI_API_KEY",), ("XAI_BASE_URL",)),
    _Known("fireworks", "openai", "https://api.fireworks.ai/inference/v1", ("FIREWORKS_API_KEY",),
           ("FIREWORKS_BASE_URL",)),
    _Known("openrouter", "openai", "https://openrouter.ai/api/v1", ("OPENROUTER_API_KEY",),
           ("OPENROUTER_BASE_URL",)),
    _Known("cohere", "openai", "https://api.cohere.com/v1", ("COHERE_API_KEY", "CO_API_KEY"),
           ("COHERE_BASE_URL",)),
    _Known("azure", "azure", "", ("AZURE_OPENAI_API_KEY",), ("AZURE_OPENAI_ENDPOINT",)),
    _Known("ollama", "ollama", "http://127.0.0.1:11434", (), ("OLLAMA_HOST",), port=11434),
    _Known("vllm", "vllm", "http://127.0.0.1:8000", ()),
    _Known("tgi", "tgi", "http://127.0.0.1:8080", ()),
    _Known("litellm", "litellm", "http://127.0.0.1:4000", ("LITELLM_API_KEY", "LITELLM_MASTER_KEY"),
           ("LITELLM_BASE_URL",)),
)  # fmt: skip
_BY_PROVIDER = {known.provider: known for known in KNOWN}
_WITHOUT = frozenset({"litellm"})
"""Providers of which a key says nothing about where they run."""


@dataclass(slots=True)
class Targets:
    """What is probed, and what could not be, with the reason."""

    targets: list[Target] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def targets_of(settings: SourceSettings, environ: Mapping[str, str] | None = None) -> Targets:
    """Every address to probe under these settings.

    A provider that the settings name is probed there and nowhere else, whatever keys are found.
    """
    environ = os.environ if environ is None else environ
    found = Targets()
    for target in settings.probes.targets:
        _configured(target, environ, found)
    if settings.consent.provider_keys is True:
        named = {target.provider for target in found.targets}
        for known in KNOWN:
            if known.provider not in named:
                _of_key(known, environ, found)
        for provider in sorted({*keys_in(environ).values()} - _BY_PROVIDER.keys() - named):
            found.problems.append(f"{provider}: no free request is known, its key is not used")
    found.targets = _told_apart(found.targets)
    return found


def near(base: str) -> bool:
    """Whether an address lies on this host or beside it: reaching it proves nothing about the network."""
    try:
        host = (urlsplit(base).hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES)
    return address.is_private or address.is_loopback or address.is_link_local


def _configured(target: ProbeTarget, environ: Mapping[str, str], into: Targets) -> None:
    provider = canonical(clean(target.provider, 64))
    known = _BY_PROVIDER.get(provider)
    given = target.url or (known and (_with_port(_first(known.bases, environ), known.port) or known.base))
    kind = target.kind
    if known is not None and not target.url and "kind" not in target.model_fields_set:
        kind = known.kind
    key = target.key or _secret(environ.get(target.key_env or "", ""))
    if target.key_env and key is None:
        into.problems.append(f"{provider}: {clean(target.key_env, 64)} is not set; it is asked without a key")
    if not given:
        into.problems.append(f"{provider}: no address is known; give its url in [[probes.targets]]")
        return
    _add(provider, kind, given, key, False, into)


def _of_key(known: _Known, environ: Mapping[str, str], into: Targets) -> None:
    key = _secret(_first(known.keys, environ))
    if key is None:
        return
    other = _first(known.bases, environ)
    base = other or ("" if known.provider in _WITHOUT else known.base)
    if not base:
        if known.provider not in _WITHOUT:
            into.problems.append(f"{known.provider}: {known.bases[0]} is not set")
        return
    base = _whole(base)
    parts = _split(base)
    if parts is not None and parts.path in ("", "/") and other:
        base = base.rstrip("/") + known.version
    if parts is not None and parts.scheme == "http" and not near(base):
        into.problems.append(f"{known.provider}: its key found here is not sent over plain http")
        return
    _add(known.provider, known.kind, base, key, True, into)


def _add(
    provider: str, kind: ProbeKind, base: str, key: SecretStr | None, found: bool, into: Targets
) -> None:
    base = _whole(base)
    parts = _split(base)
    if parts is None:
        into.problems.append(f"{provider}: its address is not one; write it like https://host/v1")
        return
    if key is not None:
        secret = key.get_secret_value()
        redactor.learn(secret)
        if not (secret.isascii() and secret.isprintable()) or not secret:
            into.problems.append(f"{provider}: its key holds characters that no header can")
            key = None
    if parts.password:
        redactor.learn(parts.password)
    host = parts.netloc.rpartition("@")[2].lower()
    base = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
    into.targets.append(Target(provider, kind, base, clean(host, 100), key, found))


def _whole(base: str) -> str:
    """An address with its scheme; OLLAMA_HOST is written without."""
    base = base.strip()
    if "://" in base:
        return base
    return f"http://{base}" if near(f"http://{base}") else f"https://{base}"


def _with_port(base: str, port: int | None) -> str:
    parts = None if "://" in base or not base else _split(f"http://{base}")
    if port is None or parts is None or parts.port is not None:
        return base
    return f"{parts.netloc}:{port}{parts.path}"


def _split(base: str) -> SplitResult | None:
    """The parts of an address; `None` where it is none."""
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError:
        return None
    known = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or "")
    return parts if known else None


def _told_apart(targets: list[Target]) -> list[Target]:
    """Each address once; the label tells as much as is needed: the host, the path too, or a number."""
    once = list({(target.provider, target.base): target for target in targets}.values())
    paths = [clean(target.label + urlsplit(target.base).path, 90) for target in once]
    hosts = Counter((target.provider, target.label) for target in once)
    wholes = Counter((target.provider, path) for target, path in zip(once, paths, strict=True))
    told: list[Target] = []
    for number, (target, path) in enumerate(zip(once, paths, strict=True), start=1):
        if hosts[target.provider, target.label] == 1:
            told.append(target)
        elif wholes[target.provider, path] == 1:
            told.append(replace(target, label=path))
        else:
            told.append(replace(target, label=f"{path} ({number})"))
    return told


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _secret(value: str) -> SecretStr | None:
    value = value.strip()
    return SecretStr(value) if value else None
