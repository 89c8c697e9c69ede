"""Tokens with names and roles, kept as digests: a token is shown once, when it is made."""

import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from tui_monitor.config import places
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.model.text import clean
from tui_monitor.server.roles import Role

DEFAULT = "default"
"""The name of the token that is there without being asked for."""
MOST = 1_000
"""Tokens that can be kept."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PREFIX = "tuim_"
"""By this a token that got into a file or a log is found."""
_BYTES = 32


@dataclass(frozen=True, slots=True)
class NamedToken:
    """A token as it is kept. It is drawn from 256 bits, so its SHA-256 tells nobody what it is."""

    name: str
    role: Role
    sha256: str
    created: Micros


def digest_of(secret: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class NamedTokens:
    """The tokens of a file, as it is at this moment. All methods raise `MonitorError`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, NamedToken] = {}
        self._by_digest: dict[str, NamedToken] = {}

    def all(self) -> tuple[NamedToken, ...]:
        """Every token, by name."""
        self._look()
        return tuple(self._tokens[name] for name in sorted(self._tokens))

    def find(self, secret: str) -> NamedToken | None:
        """The token that this is."""
        self._look()
        return self._by_digest.get(digest_of(secret))

    def add(self, name: str, role: Role, now: Micros) -> str:
        """Make one; the secret is told here and never again. Raises `UsageError` for names that cannot be."""
        if name == DEFAULT or not _NAME.fullmatch(name):
            raise UsageError(
                f"a token cannot be called {clean(name, 70)!r}",
                hint=f"take letters, digits, `.`, `_` and `-`, and not `{DEFAULT}`",
            )
        with self._changing() as tokens:
            if name in tokens:
                raise UsageError(
                    f"there is a token {name} already", hint=f"`tui-monitor token rotate {name}` replaces it"
                )
            if len(tokens) >= MOST:
                raise UsageError(f"there are {MOST} tokens, and no more can be", hint="remove some")
            return _make(tokens, name, role, now)

    def rotate(self, name: str, now: Micros) -> str:
        """A new secret in place of the old one, which opens nothing from now on."""
        with self._changing() as tokens:
            return _make(tokens, name, _known(tokens, name).role, now)

    def remove(self, name: str) -> None:
        """Take a token away; it opens nothing from now on."""
        if name == DEFAULT:
            raise UsageError(
                "the default token cannot be taken away", hint="`tui-monitor token rotate` replaces it"
            )
        with self._changing() as tokens:
            del tokens[_known(tokens, name).name]

    def _look(self) -> None:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            self._seen, self._tokens, self._by_digest = None, {}, {}
            return
        except OSError as error:
            raise MonitorError(f"cannot read the tokens in {self._path}: {error.strerror}") from error
        seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if seen != self._seen:
            self._tokens = _read(self._path)
            self._by_digest = {token.sha256: token for token in self._tokens.values()}
            self._seen = seen

    @contextmanager
    def _changing(self) -> Iterator[dict[str, NamedToken]]:
        """The tokens, to be changed; written in one step, one process after another."""
        places.make(self._path.parent)
        with _locked(self._path):
            tokens = _read(self._path) if self._path.exists() else {}
            yield tokens
            form = {"version": 1, "tokens": [asdict(tokens[name]) for name in sorted(tokens)]}
            write_private(self._path, orjson.dumps(form, option=orjson.OPT_INDENT_2))


class Used:
    """When each token was last used: noted in memory, written now and then beside the tokens."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fresh: dict[str, Micros] = {}

    def note(self, name: str, now: Micros) -> None:
        """It was used at this moment."""
        self._fresh[name] = now

    def write(self) -> None:
        """Add what is new to the file, where other collectors write too. Raises `MonitorError`."""
        fresh, self._fresh = self._fresh, {}
        if not fresh:
            return
        with _locked(self._path):
            known = dict(self.read())
            for name, at in fresh.items():
                known[name] = max(at, known.get(name, at))
            latest = sorted(known.items(), key=lambda item: -item[1])[: MOST + 1]
            write_private(self._path, orjson.dumps(dict(latest)))

    def read(self) -> Mapping[str, Micros]:
        """Token → last use, as far as it is written; what cannot be read is as good as never written."""
        try:
            found = orjson.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {name: at for name, at in pairs if isinstance(at, int) and not isinstance(at, bool)}


def _make(tokens: dict[str, NamedToken], name: str, role: Role, now: Micros) -> str:
    secret = _PREFIX + secrets.token_urlsafe(_BYTES)
    tokens[name] = NamedToken(name, role, digest_of(secret), now)
    return secret


def _known(tokens: Mapping[str, NamedToken], name: str) -> NamedToken:
    if name not in tokens:
        raise NotFound(f"there is no token {clean(name, 70)!r}", hint="`tui-monitor token list` names them")
    return tokens[name]


def _read(path: Path) -> dict[str, NamedToken]:
    """Raises `MonitorError`: of a damaged file nobody can say whom it lets in."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        found = orjson.loads(path.read_bytes())
        tokens = [_token(fields) for fields in found["tokens"]]
    except OSError as error:
        raise MonitorError(f"cannot read the tokens in {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise MonitorError(
            f"the file of tokens {path} is damaged", hint="remove it, and make the tokens again"
        ) from error
    return {token.name: token for token in tokens}


def _token(fields: Any) -> NamedToken:
    name, digest, created = fields["name"], fields["sha256"], fields["created"]
    if not (isinstance(name, str) and isinstance(digest, str) and isinstance(created, int)):
        raise TypeError("not a token")
    return NamedToken(name, Role(fields["role"]), digest, created)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that has it. Raises `MonitorError`."""
    try:
        fd = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MonitorError(f"cannot write beside {path}: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def write_private(path: Path, data: bytes) -> None:
    """Write a file in one step, for its owner alone. Raises `MonitorError`."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
    except OSError as error:
        raise MonitorError(f"cannot write {path}: {error.strerror}") from error


def made_at(path: Path) -> Micros | None:
    """When the file of the default token was written; None where there is none yet."""
    try:
        return path.stat().st_mtime_ns // 1_000
    except OSError:
        return None
