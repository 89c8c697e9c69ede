"""Where files live: the XDG directories, each with a folder of ours in it that only its owner enters.

The rules are platformdirs'; it is not imported because that costs more than all of this.
"""

import hashlib
import os
import re
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Literal

from tui_monitor.model.errors import MonitorError

APP = "tui-monitor"
_LONGEST_SOCKET = 100
"""Bytes of a socket's path; the kernel takes 107 on Linux and 103 on macOS."""


def config_file() -> Path:
    """config.toml; its folder is not made, for most people never need one."""
    return _place("CONFIG", ".config") / "config.toml"


def data_dir() -> Path:
    """What must be kept: the database."""
    return private(_place("DATA", ".local/share"))


def database_file() -> Path:
    """The database that is used unless another is named."""
    return data_dir() / "monitor.db"


def state_dir() -> Path:
    """What may be lost: the log, the token."""
    return private(_place("STATE", ".local/state"))


def log_file() -> Path:
    """The log that is written unless another is named."""
    return state_dir() / "monitor.log"


def token_file() -> Path:
    """The bearer token that opens the TCP door without being asked for."""
    return state_dir() / "token"


def named_tokens_file() -> Path:
    """Further tokens, by name; of each only a digest."""
    return state_dir() / "tokens.json"


def used_tokens_file() -> Path:
    """When each token was last used."""
    return state_dir() / "tokens-used.json"


def toured_file() -> Path:
    """There once somebody has seen the tour of the screen, or left it."""
    return state_dir() / "toured"


def asked_file() -> Path:
    """The queries that were asked on the screen."""
    return state_dir() / "queries-asked"


def pinned_file() -> Path:
    """The queries that are pinned on the screen."""
    return state_dir() / "queries-pinned"


def runtime_dir() -> Path:
    """What lives as long as a process: sockets. Raises `MonitorError` if the place is somebody else's."""
    chosen = _runtime()
    return private(chosen) if chosen else own_temporary(Path(tempfile.gettempdir()))


def socket_path(database: Path) -> Path:
    """The socket of the collector of a database: one for each file, however it is named or linked to.

    At most 100 bytes long. Raises `MonitorError` where no private place is short enough for it.
    """
    path = runtime_dir() / _socket_name(database)
    if _too_long(path):
        path = own_temporary(Path("/tmp")) / path.name
    return path


def url_path(database: Path) -> Path:
    """Where it is written at which address the collector of a database listens. Raises as `socket_path`."""
    return socket_path(database).with_suffix(".url")


def expected(kind: Literal["config", "data", "state", "runtime"]) -> Path:
    """Where a folder of ours is or would be. Makes nothing, and does not look whose it is."""
    match kind:
        case "config":
            return _place("CONFIG", ".config")
        case "data":
            return _place("DATA", ".local/share")
        case "state":
            return _place("STATE", ".local/state")
        case "runtime":
            return _runtime() or Path(tempfile.gettempdir()) / _own()


def expected_socket(database: Path) -> Path:
    """As `socket_path`, and makes nothing."""
    path = expected("runtime") / _socket_name(database)
    return Path("/tmp") / _own() / path.name if _too_long(path) else path


def private(folder: Path) -> Path:
    """The folder, made with its parents if it is not there, for the owner alone.

    One that cannot be made is left to whoever opens a file in it: that error names the file.
    """
    with suppress(OSError):
        make(folder)
    return folder


def make(folder: Path) -> None:
    """Make a folder and those above it that are missing, for the owner alone. Raises `OSError`."""
    missing = [folder]
    while not missing[-1].parent.exists():
        missing.append(missing[-1].parent)
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)


def _place(kind: str, below_home: str) -> Path:
    chosen = _absolute(f"XDG_{kind}_HOME")
    if chosen is None and sys.platform == "darwin":
        chosen = Path.home() / "Library" / "Application Support"
    return (chosen or Path.home() / below_home) / APP


def _runtime() -> Path | None:
    """Our folder in the runtime directory, where there is one that can be used."""
    chosen = _absolute("XDG_RUNTIME_DIR")
    if chosen is None and sys.platform != "darwin":
        chosen = Path(f"/run/user/{os.getuid()}")
    return chosen / APP if chosen is not None and os.access(chosen, os.W_OK) else None


def _own() -> str:
    return f"{APP}-{os.getuid()}"


def _socket_name(database: Path) -> str:
    real = os.path.realpath(database)
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
    stem = re.sub(r"[^A-Za-z0-9_-]", "_", Path(real).stem)[:16]
    return f"{stem}-{digest}.sock"


def _too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > _LONGEST_SOCKET


def _absolute(variable: str) -> Path | None:
    """An absolute path from the environment; a relative one is to be ignored, says XDG."""
    path = Path(os.environ.get(variable, "").strip())
    return path if path.is_absolute() else None


def own_temporary(folder: Path) -> Path:
    """Our folder in one that everybody writes to; raises `MonitorError` where somebody else put it there."""
    path = private(folder / _own())
    try:
        status = path.lstat()
    except OSError as error:
        raise MonitorError(f"cannot make {path}: {error.strerror}", hint="set XDG_RUNTIME_DIR") from error
    if not path.is_dir() or path.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise MonitorError(
            f"{path} is not a private folder of yours",
            hint="remove it, or set XDG_RUNTIME_DIR",
        )
    return path
