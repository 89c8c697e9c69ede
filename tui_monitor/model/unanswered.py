"""Why a question to another server got no answer: one word to count by, and words to show.

What a library says of its error may hold an address with a key in it, so its words are never passed on.
"""

import errno
import socket
import ssl
from collections.abc import Iterator

from tui_monitor.model.text import clean

SILENT = frozenset({"dns", "connect", "tls", "timeout", "reset", "proxy"})
"""Reasons for which nothing was heard of the other side: our own network may be to blame."""
_ERRNO = {
    errno.ECONNREFUSED: "the connection was refused",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
    errno.ETIMEDOUT: "the connection timed out",
    errno.ECONNRESET: "the connection was reset",
}
_OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""


class Unanswered(Exception):
    """No answer, or none that can be used. `why` is one word of a short list, for labels."""

    def __init__(self, why: str, words: str) -> None:
        super().__init__(words)
        self.why = why
        self.words = words


class Misnamed(Unanswered):
    """Its certificate may be trusted, but is made out to another name than it was asked by."""


def told_by(error: BaseException) -> Unanswered:
    """What an error of the HTTP library means."""
    for cause in _causes(error):
        known = _known(cause)
        if known is not None:
            return known
    name = type(error).__name__
    if name in ("RemoteProtocolError", "ReadError", "WriteError", "CloseError"):
        return Unanswered("reset", "the connection broke off")
    if name == "ConnectError":
        return Unanswered("connect", "no connection")
    if name == "ProxyError":
        return Unanswered("proxy", "the proxy refused")
    return Unanswered("request", f"it could not be asked: {name}")


def _known(cause: BaseException) -> Unanswered | None:
    if isinstance(cause, socket.gaierror):
        return Unanswered("dns", "the name is not known (DNS)")
    if isinstance(cause, ssl.SSLCertVerificationError) and cause.verify_code in _OTHER_NAME:
        return Misnamed("tls", f"its certificate is for another name: {clean(cause.verify_message, 100)}")
    if isinstance(cause, ssl.SSLCertVerificationError):
        return Unanswered("tls", f"its certificate is not trusted: {clean(cause.verify_message, 100)}")
    if isinstance(cause, ssl.SSLError):
        return Unanswered("tls", "no secure connection (TLS)")
    if isinstance(cause, ConnectionResetError | BrokenPipeError):
        return Unanswered("reset", "the connection broke off")
    if isinstance(cause, OSError) and cause.errno in _ERRNO:
        return Unanswered("connect", _ERRNO[cause.errno])
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < 50:
        cause = waiting.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        if isinstance(cause, BaseExceptionGroup):
            waiting.extend(cause.exceptions)
        waiting.extend(e for e in (cause.__cause__, cause.__context__) if e is not None)
