"""Values that identify people, replaced by codes or left out, before anything is stored."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

from tui_monitor.config import places
from tui_monitor.config.settings import Privacy
from tui_monitor.model.call import Call
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

_KEY_BYTES = 32
_CODE_BYTES = 8
_KEPT = 10_000
"""Codes that are remembered; making one takes a microsecond."""
LABELS = (
    "user", "team", "project", "key", "host", "session", "environment", "region", "api_base", "trace_id",
    "span_id", "parent_span_id",
)  # fmt: skip
"""Fields of a call that can be hidden; any other name is that of a free attribute."""
_IN_KEYS = ("trace_id", "span_id")
"""Fields that sources make keys of a call from, too."""


class Veil:
    """Codes are keyed hashes: a plain hash of an e-mail address is found out by trying addresses."""

    def __init__(self, settings: Privacy, key: bytes) -> None:
        self._hashed = frozenset(settings.hash) - frozenset(settings.drop)
        self._dropped = frozenset(settings.drop)
        self._fields = [name for name in LABELS if name in self._hashed | self._dropped]
        self._key = key
        self._codes: dict[tuple[str, str], str] = {}
        self._rules: dict[str, str | None] = {}

    @classmethod
    def load(cls, settings: Privacy) -> "Veil | None":
        """`None` where nothing is to be hidden. Makes the key if there is none.

        Raises `UsageError` where the key can be neither read nor made: nothing may be stored in clear then.
        """
        if not settings.hash:
            return cls(settings, b"") if settings.drop else None
        return cls(settings, _key(settings.key_file or places.data_dir() / "privacy.key"))

    def code(self, name: str, value: str) -> str:
        """What stands for a value of this label."""
        known = self._codes.get((name, value))
        if known is None:
            digest = blake2b(
                value.encode("utf-8", "surrogatepass"), key=self._key, digest_size=_CODE_BYTES
            ).hexdigest()
            known = f"{name}-{digest}"
            if len(self._codes) >= _KEPT:
                self._codes.clear()
            self._codes[name, value] = known
        return known

    def cover(self, call: Call) -> None:
        """Hide the fields of a call; its attributes go through `covered`."""
        for name in self._fields:
            value = getattr(call, name)
            if value is not None:
                if name in _IN_KEYS and call.call_keys:
                    self._cover_keys(call, name, clean(str(value)))
                setattr(call, name, self._shown(name, value))

    def _cover_keys(self, call: Call, name: str, value: str) -> None:
        """Equal keys stay equal, so that calls of different sources are merged as before."""
        if value:
            code = self.code(name, value)
            call.call_keys = tuple(
                f":{key}:".replace(f":{value}:", f":{code}:")[1:-1] for key in call.call_keys
            )

    def covered(self, labels: Mapping[str, Any]) -> dict[str, Any]:
        """Labels or attributes without what is not to be known."""
        return {
            name: shown for name, value in labels.items() if (shown := self._shown(name, value)) is not None
        }

    def _shown(self, name: str, value: Any) -> Any:
        rule = self._rule(name)
        if rule is None:
            return value
        return None if rule in self._dropped else self.code(rule, clean(str(value)))

    def _rule(self, name: str) -> str | None:
        """The setting that a name falls under: its own, or that of what it is a part of."""
        if name in self._rules:
            return self._rules[name]
        part, found = name, None
        while part and found is None:
            found = part if part in self._dropped or part in self._hashed else None
            part = part.rpartition(".")[0]
        if len(self._rules) >= _KEPT:
            self._rules.clear()
        self._rules[name] = found
        return found


def _key(path: Path) -> bytes:
    try:
        with suppress(FileNotFoundError):
            return _read(path)
        places.make(path.parent)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        try:
            # A link fails where another process was faster, and then that one's key is the key.
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink()
        return _read(path)
    except OSError as error:
        raise UsageError(
            f"privacy.key_file: cannot use {path}: {error.strerror}",
            hint="nothing is stored without it; allow reading and writing it, or empty privacy.hash",
        ) from error


def _read(path: Path) -> bytes:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise UsageError(
            f"privacy.key_file: {path} holds no key of {_KEY_BYTES} bytes in hexadecimal",
            hint="put the right file there; with another key the same people get other codes",
        )
    return key
