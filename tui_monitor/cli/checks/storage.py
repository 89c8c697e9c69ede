"""The database, the disk below it, and the folders that must be writable."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.config import places
from tui_monitor.model.clock import HOUR, iso
from tui_monitor.model.errors import StoreError
from tui_monitor.model.text import clean
from tui_monitor.model.units import size

SECONDS = 5.0
"""How long a database is looked at for damage."""
_FREE = 200_000_000
_LOG = 500_000_000
_REMOTE = (
    "nfs", "cifs", "smb", "9p", "afs", "ceph", "lustre", "gpfs", "glusterfs", "drvfs", "vboxsf", "fuse.sshfs",
    "fuse.rclone", "fuse.s3fs", "fuse.gcsfuse",
)  # fmt: skip
_DOUBTFUL = ("fuse", "virtiofs", "prl_fs", "vmhgfs")
_LOST = ("tmpfs", "ramfs")


def database(scene: Scene) -> Iterator[Check]:
    """Whether it is there, sound, free, and has room."""
    path = scene.database
    if not os.path.exists(path):
        yield Check("database", "file", "ok", f"none yet at {path}: the first collector makes it")
    else:
        yield from _file(path, scene)
    folder = _nearest(path.parent)
    yield _room(folder)
    yield _file_system(folder)


def _file(path: Path, scene: Scene) -> Iterator[Check]:
    from tui_monitor.store.checkup import check_up

    try:
        found = check_up(path, SECONDS)
    except StoreError as error:
        yield Check("database", "file", "fail", clean(error.message, 400), error.hint or "")
        return
    yield Check("database", "file", "ok", f"{path}, {size(path.stat().st_size)}")
    if found.faults:
        hint = "put a copy back with `tui-monitor db restore FILE`, or move it aside"
        yield Check("database", "soundness", "fail", clean(found.faults[0], 200), hint)
    elif not found.whole:
        hint = "`tui-monitor db check` looks at all of it"
        yield Check("database", "soundness", "ok", f"no damage seen in {SECONDS:g} s of looking", hint)
    else:
        yield Check("database", "soundness", "ok", "no damage")
    for words in found.set_aside[:3]:
        hint = (
            "sums go on; to have the single calls again, put a copy back with `tui-monitor db restore FILE`"
        )
        yield Check("database", "set aside", "warn", clean(words, 300), hint)
    if found.outdated:
        words = "an older version wrote it; the next collector brings it up to date"
        yield Check("database", "version", "warn", words, "start tui-monitor or tui-monitor collect once")
    if found.newest is not None and found.newest > scene.clock.now() + HOUR:
        words = f"the newest call is of {iso(found.newest)}, ahead of this clock"
        yield Check("database", "newest", "warn", words, "check the clock here and of who sent it")
    yield from _beside(path)


def _beside(path: Path) -> Iterator[Check]:
    from tui_monitor.store.lock import holder

    log = path.with_name(path.name + "-wal")
    if log.exists():
        waiting = log.stat().st_size
        if waiting > _LOG:
            words = f"{size(waiting)} wait in its log: somebody reads and never ends, or the disk is slow"
            yield Check("database", "log", "warn", words, "close other programs that have it open")
        else:
            yield Check("database", "log", "ok", size(waiting))
    held = holder(path)
    if held is not None:
        yield Check("database", "written by", "ok", f"process {held}")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest above it that is there and can be seen."""
    return next((above for above in (folder, *folder.parents) if os.path.exists(above)), Path("/"))


def _room(folder: Path) -> Check:
    usage = shutil.disk_usage(folder)
    words = f"{size(usage.free)} free of {size(usage.total)}"
    if usage.free < _FREE:
        return Check("database", "disk", "warn", words, "free some space, or lower retention.size")
    return Check("database", "disk", "ok", words)


def _file_system(folder: Path) -> Check:
    where, kind = mount_of(folder)
    if not kind:
        return Check("database", "file system", "ok", "cannot be told here")
    hint = "put the database on a local disk with database.path or --db"
    words = f"{kind} at {where}"
    if kind.startswith(_REMOTE):
        told = f"{words}: SQLite's log does not work over a network, and data may be lost"
        return Check("database", "file system", "fail", told, hint)
    if kind.startswith(_DOUBTFUL):
        return Check("database", "file system", "warn", f"{words}: locks may not hold there", hint)
    if kind in _LOST:
        return Check("database", "file system", "warn", f"{words}: gone at the next boot", hint)
    return Check("database", "file system", "ok", words)


def mount_of(folder: Path) -> tuple[str, str]:
    """Mount point and kind of the file system a folder is on; empty where the system does not tell."""
    import psutil

    real = os.path.realpath(folder)
    try:
        mounts = psutil.disk_partitions(all=True)
    except (OSError, psutil.Error):
        return "", ""
    # A later mount on the same point hides the earlier.
    found = [m for m in mounts if os.path.commonpath((real, m.mountpoint)) == m.mountpoint]
    best = max(enumerate(found), key=lambda each: (len(each[1].mountpoint), each[0]), default=None)
    return (clean(best[1].mountpoint, 200), best[1].fstype.lower()) if best else ("", "")


def writable(scene: Scene) -> Iterator[Check]:
    """Our four folders; each is made when it is first needed."""
    kinds: tuple[Literal["config", "data", "state", "runtime"], ...] = ("config", "data", "state", "runtime")
    for kind in kinds:
        folder = scene.config_file.parent if kind == "config" else places.expected(kind)
        yield _folder(kind, folder)


def _folder(kind: str, folder: Path) -> Check:
    try:
        found = folder.stat()
    except OSError:
        above = _nearest(folder)
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return Check("places", kind, "ok", f"{folder}, made when needed")
        hint = f"allow writing to {above}" if above.is_dir() else f"{above} is in the way: move it aside"
        return Check("places", kind, _worst(kind), f"{folder} cannot be made", hint)
    mode = stat.S_IMODE(found.st_mode)
    words = f"{folder} ({mode:04o})"
    if not stat.S_ISDIR(found.st_mode):
        return Check("places", kind, _worst(kind), f"{folder} is no folder", "move it aside")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check("places", kind, _worst(kind), f"{words} cannot be written", f"chmod u+rwx {folder}")
    if kind != "config" and mode & 0o077:
        return Check("places", kind, "warn", f"{words}: others may look into it", f"chmod 700 {folder}")
    return Check("places", kind, "ok", words)


def _worst(kind: str) -> Literal["warn", "fail"]:
    """A configuration that cannot be written is a choice; nothing works without the others."""
    return "warn" if kind == "config" else "fail"
