"""What a request asks for: its path in one form, whichever way it was written."""

import re
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

from tui_monitor.server.refusal import Refusal

_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?#]*)(/.*)?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def settle_target(scope: MutableMapping[str, Any], headers: MutableMapping[str, str]) -> None:
    """Bring the target into the form `/path`. Raises `Refusal` for what is no path of a server.

    A target with its host in it is taken, and that host counts instead of the header's: RFC 9112, 3.2.2.
    """
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Refusal(505, "bad_data", "only HTTP/1.1 and 1.0 are spoken here", reason="malformed")
    if scope["method"] == "CONNECT":
        raise Refusal(405, "bad_data", "this is no proxy", reason="path")
    if found := _ABSOLUTE.fullmatch(scope["raw_path"]):
        headers["host"] = found[1].decode("ascii").rpartition("@")[2]
        scope["raw_path"] = found[2] or b"/"
        scope["path"] = unquote(scope["raw_path"].decode("ascii"))
    path = scope["path"]
    if not path.startswith("/"):
        raise Refusal(400, "bad_data", "the target of the request is no path", reason="path")
    if _CONTROL.search(path):
        raise Refusal(400, "bad_data", "there are control characters in the path", reason="path")
