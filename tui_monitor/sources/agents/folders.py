"""Finding log files below their roots, again and again, at the cost of a stat for each folder."""

import os
import stat
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tui_monitor.sources.agents.api import Kind, LogFile

MAX_DEPTH = 32
MAX_FOLDERS = 20_000
MAX_FILES = 200_000
"""More than any agent keeps; a link into a whole file system ends here."""

_Identity = tuple[int, int]


@dataclass(slots=True)
class _Folder:
    root: Path
    depth: int
    identity: _Identity
    changed: int
    """Its time of change when it was listed, ns."""
    settled: bool = False
    """Whether it was listed once more after that: within one tick of the clock a change hides another."""
    folders: list[Path] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


class Folders:
    """The log files below some roots. Links are followed, each folder and each file is taken once."""

    def __init__(
        self, roots: Sequence[Path], kind: Callable[[str], Kind | None], enters: Callable[[str], bool]
    ) -> None:
        self.files: dict[Path, LogFile] = {}
        self.unreadable: dict[Path, str] = {}
        """Folders and links that cannot be looked into, and why."""
        self.full = False
        """Whether there is more than the most that is kept."""
        self._roots = list(dict.fromkeys(roots))
        self._kind = kind
        self._enters = enters
        self._folders: dict[Path, _Folder] = {}
        self._taken: dict[_Identity, Path] = {}

    def look(self) -> None:
        """See what came and went."""
        for root in self._roots:
            if root not in self._folders and root not in self.files:
                self._begin(root)
        for path, folder in list(self._folders.items()):
            if self._folders.get(path) is folder:
                self._look_again(path, folder)

    def _begin(self, root: Path) -> None:
        if root.is_file() and (kind := self._kind(root.name)) is not None:
            self.files[root] = LogFile(root, root.parent, kind)
        else:
            self._enter(root, root, 0)

    def standing(self, path: Path) -> bool:
        """Whether the folder that a vanished file was in is still there, so that the file was deleted."""
        return path.parent in self._folders

    def _look_again(self, path: Path, folder: _Folder) -> None:
        try:
            found = os.stat(path)
        except OSError:
            self._leave(path)
            return
        if (found.st_dev, found.st_ino) != folder.identity:
            self._leave(path)
            self._enter(path, folder.root, folder.depth)
        elif found.st_mtime_ns != folder.changed or not folder.settled or path in self.unreadable:
            folder.settled = found.st_mtime_ns == folder.changed
            folder.changed = found.st_mtime_ns
            self._list(path, folder)

    def _enter(self, path: Path, root: Path, depth: int) -> None:
        try:
            found = os.stat(path)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                self.unreadable[path] = error.strerror or str(error)
            return
        identity = (found.st_dev, found.st_ino)
        if not stat.S_ISDIR(found.st_mode) or identity in self._taken:
            return
        if len(self._folders) >= MAX_FOLDERS or depth > MAX_DEPTH:
            self.full = True
            return
        self._taken[identity] = path
        folder = _Folder(root, depth, identity, found.st_mtime_ns)
        self._folders[path] = folder
        self._list(path, folder)

    def _leave(self, path: Path) -> None:
        folder = self._folders.pop(path, None)
        self.unreadable.pop(path, None)
        if folder is None:
            return
        self._taken.pop(folder.identity, None)
        self._drop(folder.files)
        for child in folder.folders:
            self._leave(child)

    def _list(self, path: Path, folder: _Folder) -> None:
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.unreadable[path] = error.strerror or str(error)
            return
        self.unreadable.pop(path, None)
        folders: list[Path] = []
        files: list[Path] = []
        for entry in found:
            child = path / entry.name
            place = child.relative_to(folder.root).as_posix()
            if _is_folder(entry):
                if self._enters(place):
                    folders.append(child)
            elif (kind := self._kind(place)) is not None:
                files.append(child)
                self._take(child, folder.root, kind)
        self._drop(set(folder.files).difference(files))
        gone = set(folder.folders).difference(folders)
        folder.folders, folder.files = folders, files
        for child in gone:
            self._leave(child)
        for child in folders:
            if child not in self._folders:
                self._enter(child, folder.root, folder.depth + 1)

    def _take(self, path: Path, root: Path, kind: Kind) -> None:
        if path in self.files:
            return
        if len(self.files) >= MAX_FILES:
            self.full = True
        else:
            self.files[path] = LogFile(path, root, kind)

    def _drop(self, files: Iterable[Path]) -> None:
        for file in files:
            self.files.pop(file, None)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
