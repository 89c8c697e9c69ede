"""The forms in which samples are written for a scrape: Prometheus's text of old, or OpenMetrics."""

from dataclasses import dataclass

_OPEN = "application/openmetrics-text"
_ESCAPES = {"\\": "\\\\", "\n": "\\n", '"': '\\"'}


@dataclass(frozen=True, slots=True)
class Form:
    """How the samples are written."""

    openmetrics: bool = False
    utf8: bool = False
    """Whether who asks understands names that stand in quotes; else what is foreign becomes `_`."""

    @property
    def media_type(self) -> str:
        """The Content-Type."""
        escaping = "allow-utf-8" if self.utf8 else "underscores"
        kind = f"{_OPEN}; version=1.0.0" if self.openmetrics else "text/plain; version=0.0.4"
        return f"{kind}; charset=utf-8; escaping={escaping}"


def form_of(accept: str) -> Form:
    """The form that an Accept header likes best; the text of old where it does not say."""
    best, liked = Form(), 0.0
    for part in accept.split(","):
        kind, *parameters = (text.strip() for text in part.split(";"))
        given = {name: text for name, _, text in (each.partition("=") for each in parameters)}
        try:
            quality = float(given.get("q", "1"))
        except ValueError:
            continue
        utf8 = given.get("escaping", "").strip() == "allow-utf-8"
        if kind == _OPEN and given.get("version", "1.0.0") == "1.0.0":
            found = Form(openmetrics=True, utf8=utf8)
        elif kind in ("text/plain", "text/*", "*/*"):
            found = Form(utf8=utf8)
        else:
            continue
        if quality > liked:
            best, liked = found, quality
    return best


def escaped(text: str, quotes: bool = True) -> str:
    """A text as it stands between quotes, or with `quotes` false as it stands behind HELP in text 0.0.4."""
    return "".join(_ESCAPES[c] if c in _ESCAPES and (quotes or c != '"') else c for c in text)
