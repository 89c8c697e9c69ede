"""Which collector to attach to: its address, the token that lets us in, and whose certificates are taken.

The token is a secret: it stands in no argument, log or message.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    import ssl

VARIABLE = "TUI_MONITOR_TOKEN"
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})
_PORT = 4319
_LARGEST = 10_000
"""Bytes of a file that can be one of a token."""
_FORM = "write it like https://host:4319, or http://127.0.0.1:4319 for the near end of a tunnel"


@dataclass(frozen=True, slots=True)
class Target:
    """A collector elsewhere."""

    url: str
    """Scheme, host, port, and what stands before `/monitor`; without a slash at the end."""
    place: str
    """Host and port, to be shown."""
    token: str = field(default="", repr=False)
    ca_file: Path | None = None
    clear: bool = False
    """Whether the token travels in clear between hosts."""

    def context(self) -> "ssl.SSLContext | None":
        """The certificates that are taken; None for http. Blocks. Raises `UsageError`."""
        if not self.url.startswith("https:"):
            return None
        from tui_monitor.monitor.connection import trusted

        return trusted(self.ca_file)


def target(
    url: str,
    token_file: Path | None,
    ca_file: Path | None,
    *,
    insecure: bool = False,
    environ: Mapping[str, str] = os.environ,
) -> Target:
    """What was asked for on the command line. Reads the token. Raises `UsageError`.

    `insecure` allows http to another host.
    """
    parts = _parts(url)
    host = parts.hostname or ""
    clear = parts.scheme == "http" and host.lower() not in _HERE
    if clear and not insecure:
        raise UsageError(
            f"over http to {host} the token would travel in clear",
            hint="use https, or a tunnel: `ssh -L 4319:127.0.0.1:4319 HOST`, then --attach "
            "http://127.0.0.1:4319; --insecure does it all the same",
        )
    token = read_token(token_file) if token_file is not None else environ.get(VARIABLE, "").strip()
    if not token:
        raise UsageError(
            "no token for the collector over there",
            hint=f"--token-file FILE, or {VARIABLE}; `tui-monitor token add NAME --role operate` there makes "
            "one",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError("this is no token: it has characters that none has", hint="one line, no blanks")
    named = f"[{host}]" if ":" in host else host
    place = f"{named}:{parts.port or _default(parts)}"
    whole = f"{parts.scheme}://{place}{parts.path.rstrip('/')}"
    return Target(whole, clean(place, 80), token, ca_file and ca_file.expanduser(), clear)


def read_token(path: Path) -> str:
    """The token in a file that is nobody else's to read. Raises `UsageError`."""
    path = path.expanduser()
    try:
        # Without waiting for the other end of a pipe.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise UsageError(f"cannot read the token file {path}: {error.strerror}") from error
    try:
        _check_file(path, os.fstat(fd))
        data = os.read(fd, _LARGEST + 1)
    finally:
        os.close(fd)
    try:
        text = data.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(data) > _LARGEST or len(text.split()) != 1:
        raise UsageError(f"there is no token in {path}", hint="it holds one line: the token")
    return text


def _check_file(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(f"the token file {path} is no file")
    if found.st_uid not in (os.getuid(), 0):
        raise UsageError(f"the token file {path} is another user's", hint="make a copy of your own")
    if found.st_mode & 0o077:
        raise UsageError(
            f"others can read the token file {path}, or write it",
            hint=f"chmod 600 {path}; who read it may have the token: rotate it",
        )


def _parts(url: str) -> SplitResult:
    """Raises `UsageError`; its words never repeat what may be a password."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise UsageError("--attach: this is no address", hint=_FORM) from None
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "--attach: an address with a name or a password in it is not taken: other users see it",
            hint=f"--token-file FILE, or {VARIABLE}",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise UsageError(f"--attach: not an address: {clean(url, 80)!r}", hint=_FORM)
    if parts.query or parts.fragment:
        raise UsageError("--attach: an address has no ? and no #", hint=_FORM)
    return parts


def _default(parts: SplitResult) -> int:
    """Where a collector listens that was not told otherwise; https has a port of its own, as of a proxy."""
    return 443 if parts.scheme == "https" else _PORT
