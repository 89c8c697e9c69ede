"""Quoted texts, names and numbers as PromQL writes them."""

import math
import re

_ESCAPE = re.compile(
    r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3})|(.)|$)", re.DOTALL
)
_SIMPLE = {
    "n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "a": "\a", "v": "\v",
    "\\": "\\", '"': '"', "'": "'",
}  # fmt: skip
_WRITTEN = {char: "\\" + name for name, char in _SIMPLE.items() if name != "'"}
# Quotes and backslashes, and whatever a terminal would obey or not show.
_UNSAFE = re.compile(
    '[\\\\"\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]'
)
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class UnknownEscape(ValueError):
    """A backslash that begins nothing; `position` within the text, and what is `written` there."""

    def __init__(self, position: int, written: str) -> None:
        super().__init__(written)
        self.position = position
        self.written = written


def unescaped(text: str) -> str:
    """What a text between quotes says. Raises `UnknownEscape`.

    `\\xNN` and octal escapes are bytes of UTF-8; bytes that are none become lone surrogates.
    """
    if "\\" not in text:
        return text
    out = bytearray()
    at = 0
    for match in _ESCAPE.finditer(text):
        out += text[at : match.start()].encode("utf-8", "surrogatepass")
        out += _bytes(match)
        at = match.end()
    out += text[at:].encode("utf-8", "surrogatepass")
    return out.decode("utf-8", "surrogateescape")


def _bytes(match: re.Match[str]) -> bytes:
    point = match[1] or match[2]
    if point and int(point, 16) <= 0x10FFFF and not 0xD800 <= int(point, 16) <= 0xDFFF:
        return chr(int(point, 16)).encode()
    if match[3]:
        return bytes([int(match[3], 16)])
    if match[4] and int(match[4], 8) < 256:
        return bytes([int(match[4], 8)])
    if match[5] not in _SIMPLE:
        raise UnknownEscape(match.start(), match[0])
    return _SIMPLE[match[5]].encode()


def quoted(text: str) -> str:
    """The text in double quotes; reading it gives the same text again."""
    return '"' + _UNSAFE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char in _WRITTEN:
        return _WRITTEN[char]
    code = ord(char)
    if code > 0x7F and not 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    # Bytes that are not UTF-8 are kept as lone surrogates.
    return f"\\x{code - 0xDC00 if 0xDC80 <= code <= 0xDCFF else code & 0xFF:02x}"


def is_metric(name: str) -> bool:
    """Whether a metric's name may stand without quotes."""
    return bool(_METRIC.fullmatch(name))


def is_label(name: str) -> bool:
    """Whether a label's name may stand without quotes."""
    return bool(_LABEL.fullmatch(name))


def is_utf8(text: str) -> bool:
    """Whether the text is valid UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def label(name: str) -> str:
    """A label's name as it is written."""
    return name if is_label(name) else quoted(name)


def number(value: float) -> str:
    """A number as an expression writes it; no sign before Inf, which would bind after a ^."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e15:
        return "-0" if value == 0 and math.copysign(1.0, value) < 0 else str(int(value))
    return repr(value)
