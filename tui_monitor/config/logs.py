"""The log file: rotated, for its owner alone, without secrets, and never the screen."""

import json
import logging
import os
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.config.redact import Redactor
from tui_monitor.config.settings import Log
from tui_monitor.model.clock import MS, iso

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_LIBRARIES = ("asyncio", "httpx", "httpcore", "uvicorn", "aiosqlite", "genai_prices")
"""Talkative at `info`: they are heard from `warning` up unless the level is `debug`."""


def _neutral(text: str) -> str:
    """One line without control characters: those are written out, so that a log can be looked at safely."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _NAMED.get(c) or _escaped(c) for c in text)


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


class _Formatter(logging.Formatter):
    """Redacts and neutralises everything that a record says, its traceback too."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def said(self, record: logging.LogRecord) -> str:
        """The message on one line."""
        return _neutral(self._redactor.clean(record.getMessage()))

    def trace(self, record: logging.LogRecord) -> list[str]:
        """The lines of the traceback, if there is one."""
        text = self.formatException(record.exc_info) if record.exc_info else ""
        if record.stack_info:
            text = f"{text}\n{record.stack_info}" if text else record.stack_info
        return [_neutral(line) for line in self._redactor.clean(text).splitlines()]

    @staticmethod
    def when(record: logging.LogRecord) -> str:
        """RFC 3339, UTC, to the millisecond."""
        instant = round(record.created * 1000) * MS
        text = iso(instant)
        return text if "." in text else text.replace("Z", ".000000Z")


class TextFormatter(_Formatter):
    """Lines for people."""

    def format(self, record: logging.LogRecord) -> str:
        """`time level logger: message`, a traceback indented below."""
        when = self.when(record)[:23] + "Z"
        head = f"{when} {record.levelname.lower():<7} {record.name}: {self.said(record)}"
        return "\n".join([head, *(f"    {line}" for line in self.trace(record))])


class JsonFormatter(_Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """`ts`, `level`, `logger`, `message` and, with a traceback, `trace`."""
        fields = {
            "ts": self.when(record)[:23] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self.said(record),
        }
        if trace := self.trace(record):
            fields["trace"] = "\n".join(trace)
        return json.dumps(fields, ensure_ascii=False)


class LogFile(RotatingFileHandler):
    """A rotating file that several processes may share: who finds it rotated goes on in the new one."""

    def __init__(self, path: Path, max_size: int, keep: int) -> None:
        super().__init__(path, maxBytes=max_size, backupCount=keep, encoding="utf-8", errors="replace")

    def _open(self) -> TextIOWrapper:
        places.private(Path(self.baseFilename).parent)
        return open(self.baseFilename, "a", encoding="utf-8", errors="replace", opener=_private_opener)

    def doRollover(self) -> None:
        """Begin a new file; where none is to be kept, the old one's place is used again."""
        if self.backupCount == 0 and self.stream is not None:
            self.stream.truncate(0)
        else:
            super().doRollover()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a full disk costs the record, never the program."""
        self._follow()
        super().emit(record)

    def _follow(self) -> None:
        with suppress(OSError):
            if self.stream is None:
                return
            here, there = os.fstat(self.stream.fileno()), None
            with suppress(FileNotFoundError):
                there = os.stat(self.baseFilename)
            if there is None or (here.st_ino, here.st_dev) != (there.st_ino, there.st_dev):
                gone, self.stream = self.stream, None
                gone.close()
                self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: the standard handler would print onto the screen."""


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


redactor = Redactor()
"""What every record passes; `set_up` teaches it the environment's secrets, whoever reads one the others."""


def set_up(settings: Log) -> str | None:
    """Send every log record to the file, and none anywhere else.

    Returns None, or why there is no file; the program goes on without one. May be called again.
    """
    redactor.learn_variables(os.environ)
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    logging.lastResort = None
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    level = settings.level.upper()
    root.setLevel(level)
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(level if level in ("DEBUG", "ERROR") else "WARNING")
    path = log_path(settings)
    try:
        places.private(path.parent)
        handler = LogFile(path, settings.max_size, settings.keep)
    except OSError as error:
        root.addHandler(logging.NullHandler())
        return f"no log is written: {path}: {error.strerror}"
    handler.setFormatter((JsonFormatter if settings.format == "json" else TextFormatter)(redactor))
    root.addHandler(handler)
    return None


def log_path(settings: Log) -> Path:
    """Where the log is written."""
    return settings.file.expanduser() if settings.file else places.log_file()
