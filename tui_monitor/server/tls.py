"""The certificate of a door: checked, used, and loaded anew when its files are renewed."""

import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.clock import DAY, Micros, to_datetime
from tui_monitor.model.errors import MonitorError

_ROUNDS = 8
"""Flights of a handshake; TLS 1.2 takes four."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What clients are shown."""

    names: frozenset[str]
    """Host names and addresses it is made out to, in lower case, without those with a `*`."""
    until: Micros | None
    """When it ends; unknown where it does not hold now."""
    trouble: str
    """Why it does not hold now, like "certificate has expired"; empty where it does."""

    def words(self) -> str:
        """For whom and how long it holds."""
        if self.until is None:
            return f"bad certificate: {self.trouble}"
        # An address is the worse name: that of a host outlives it.
        whom = min(
            self.names,
            key=lambda name: (name == "localhost", name[-1:].isdigit() or ":" in name, name),
            default="",
        )
        return f"certificate{f' for {whom}' if whom else ''} until {to_datetime(self.until):%Y-%m-%d}"

    def warning(self, now: Micros) -> str:
        """What somebody has to do something about; empty where nobody has."""
        if self.until is None:
            return f"clients will refuse it: {self.trouble}"
        left = self.until - now
        return f"the certificate ends in {max(0, left // DAY)} d" if left < _SOON else ""


_SOON = 14 * DAY
"""A certificate that ends so soon should have been renewed by now."""


class Certificate:
    """A certificate and its key in PEM files; `context` serves whichever was loaded last."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._seen: tuple[object, ...] = ()
        self._current: ssl.SSLContext
        self.shown: Shown
        self.context: ssl.SSLContext

    def open(self) -> ssl.SSLContext:
        """Load it; blocks. Raises `MonitorError` for files that are missing, unfit or open to others."""
        self._seen = self._stamps()
        self._current, self.shown = self._load()
        self.context = self._current
        # Called in every handshake, with a name or without: one that has begun goes on with what is newest.
        self.context.sni_callback = self._newest
        return self.context

    def renew(self) -> bool:
        """Load it anew if the files have changed; whether they had. Blocks.

        Raises `MonitorError`, once for each change, and goes on with the old one where the new one is unfit.
        """
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        self._current, self.shown = self._load()
        return True

    def _newest(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _stamps(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in (self._certificate, self._key))

    def _load(self) -> tuple[ssl.SSLContext, Shown]:
        _check_key(self._key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_alpn_protocols(["http/1.1"])
        try:
            # Without a function of ours OpenSSL would ask for the passphrase on the terminal.
            context.load_cert_chain(self._certificate, self._key, password=_no_passphrase)
        except MonitorError:
            raise
        except ssl.SSLError as error:
            raise MonitorError(
                f"server.tls_cert and server.tls_key cannot be used: {_reason(error)}",
                hint="both are PEM files; the certificate comes first in its file, then what signed it",
            ) from error
        except OSError as error:
            raise MonitorError(f"cannot read {self._certificate}: {error.strerror}") from error
        return context, _look(context, self._certificate)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def _check_key(path: Path) -> None:
    """The rule is PostgreSQL's: yours and 0600, or root's and at most readable by its group."""
    try:
        stat = path.stat()
    except OSError as error:
        raise MonitorError(f"cannot read server.tls_key: {path}: {error.strerror}") from error
    forbidden = 0o027 if stat.st_uid == 0 and os.getuid() != 0 else 0o077
    if stat.st_mode & forbidden:
        raise MonitorError(
            f"server.tls_key can be read by others: {path} has mode {stat.st_mode & 0o777:04o}",
            hint=f"chmod 600 {path}",
        )
    if stat.st_uid not in (0, os.getuid()):
        raise MonitorError(f"server.tls_key belongs to another user: {path}", hint="use a key of your own")


def _no_passphrase() -> str:
    raise MonitorError(
        "server.tls_key is locked with a passphrase", hint="`openssl pkey -in KEY -out OPEN` unlocks it"
    )


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or "not PEM").lower().replace("_", " ")


def _look(context: ssl.SSLContext, certificate: Path) -> Shown:
    """What a client gets to see, and whether it holds: found by a handshake with ourselves, in memory."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server, from_client, from_server = (ssl.MemoryBIO() for _ in range(4))
    answers = context.wrap_bio(to_server, from_server, server_side=True)
    try:
        client.load_verify_locations(certificate)
        asks = client.wrap_bio(to_client, from_client)
        for _ in range(_ROUNDS):
            for side in (asks, answers):
                with suppress(ssl.SSLWantReadError):
                    side.do_handshake()
            to_server.write(from_client.read())
            to_client.write(from_server.read())
        found = asks.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        return Shown(frozenset(), None, error.verify_message)
    except OSError as error:
        words = _reason(error) if isinstance(error, ssl.SSLError) else str(error.strerror)
        return Shown(frozenset(), None, words)
    names = [str(value).lower() for kind, value in _names(found) if kind in ("DNS", "IP Address")]
    ends = found.get("notAfter")
    until = round(ssl.cert_time_to_seconds(str(ends))) * 1_000_000 if ends else None
    return Shown(frozenset(name for name in names if "*" not in name), until, "" if ends else "it has no end")


def _names(found: object) -> list[tuple[str, str]]:
    names = found.get("subjectAltName", ()) if isinstance(found, dict) else ()
    return [(str(kind), str(value)) for kind, value in names]
