"""Ports where several people share one host: the usual one for whoever comes first, then one's own."""

import contextlib
import os
import pwd
from pathlib import Path

from tui_monitor.server.named import write_private

USUAL = 4319
_FIRST, _RANGE = 20_000, 12_000
"""Where own ports lie: below those that systems hand out to outgoing connections."""
_EACH = 8
"""Ports of one user: of one collector for each database."""
_LISTENS = "0A"
_HEAD, _LOCAL, _STATE, _UID = 1, 1, 3, 7


def own_ports(uid: int) -> range:
    """The ports of a user, the same on every day. Users whose ids lie less than 1,500 apart share none."""
    first = _FIRST + uid * _EACH % _RANGE
    return range(first, first + _EACH)


def holder(port: int) -> str:
    """Whose program listens on a TCP port of this host: `you`, a user's name, or `somebody`."""
    uid = _uid_of(port)
    if uid is None:
        return "somebody"
    if uid == os.getuid():
        return "you"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _uid_of(port: int) -> int | None:
    """As the kernel of Linux tells; other systems keep it to themselves."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            for line in Path(table).read_text().splitlines()[_HEAD:]:
                fields = line.split()
                if fields[_STATE] == _LISTENS and int(fields[_LOCAL].rpartition(":")[2], 16) == port:
                    return int(fields[_UID])
    return None


class UrlFile:
    """Where a door stands, in a file of the runtime directory, for programs that look for it."""

    def __init__(self, path: Path, url: str) -> None:
        self._path = path
        self._line = f"{url}\n".encode()

    def write(self) -> None:
        """Say it. Raises `MonitorError`."""
        write_private(self._path, self._line)

    def there(self) -> bool:
        """Whether it stands there, whoever wrote it."""
        return self._path.exists()

    def remove(self) -> None:
        """Take it back, unless somebody else has said something since."""
        with contextlib.suppress(OSError):
            if self._path.read_bytes() == self._line:
                self._path.unlink()
