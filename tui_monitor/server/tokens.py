"""The token that opens the TCP door: made at first use, in a file only its owner reads."""

import base64
import binascii
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError

_BYTES = 32


def read_or_make(path: Path) -> str:
    """The token in the file, made there if there is none yet. Raises `MonitorError`."""
    with suppress(FileNotFoundError):
        if token := _read(path):
            return token
    try:
        places.make(path.parent)
        fresh = _write_beside(path)
        try:
            # A link fails where another process was faster, and then that one's token is the token.
            with suppress(FileExistsError):
                os.link(fresh, path)
        finally:
            fresh.unlink()
        return _read(path) or replace(path)
    except OSError as error:
        raise MonitorError(f"cannot write the token file {path}: {error.strerror}") from error


def replace(path: Path) -> str:
    """A new token in place of the old one, which opens nothing from now on. Raises `MonitorError`."""
    try:
        places.make(path.parent)
        _write_beside(path).replace(path)
        return _read(path)
    except OSError as error:
        raise MonitorError(f"cannot write the token file {path}: {error.strerror}") from error


def _write_beside(path: Path) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(_BYTES) + "\n")
    return fresh


def _read(path: Path) -> str:
    """The file's token, empty where it holds none. A file that others can read is closed to them first."""
    try:
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise MonitorError(f"cannot read the token file {path}: {error}") from error


class TokenFile:
    """The token as the file says at this moment, so that a replaced one counts at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self._token = ""

    def value(self) -> str:
        """The token; made if there is none. Raises `MonitorError`."""
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        except OSError:
            seen = None
        if seen is None or seen != self._seen:
            self._token = read_or_make(self._path)
            self._seen = seen
        return self._token

    def is_it(self, offered: str) -> bool:
        """Whether this is the token. Raises `MonitorError`."""
        return hmac.compare_digest(offered.encode("utf-8", "surrogatepass"), self.value().encode())


def offered_token(authorization: str) -> str | None:
    """The secret in an Authorization header, as bearer or as the password of Basic; None without one."""
    scheme, _, rest = authorization.strip().partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip() or None
        case "basic":
            try:
                text = base64.b64decode(rest.strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError, ValueError):
                return None
            return text.partition(":")[2] or None
        case _:
            return None
