"""Kinds of values that settings are made of. Only plain types, so that reading them imports little."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import parse_duration

_SIZES = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def read_duration(value: object) -> object:
    """A length of time as people write it → µs. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not a length of time")
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except UsageError as error:
            raise ValueError(f"{error.message}; {error.hint}") from error
    if isinstance(value, timedelta):
        return round(value.total_seconds() * SECOND)
    if isinstance(value, int | float):
        raise ValueError("a length of time needs its unit, like '30s', '5m' or '7d'")
    return value


def read_bytes(value: object) -> object:
    """A size as people write it → bytes. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError("not a size")
    if isinstance(value, str):
        text = value.strip().lower().replace(" ", "").replace("ib", "b")
        if text.isdecimal() and len(text) < 20:
            return int(text)
        for unit in sorted(_SIZES, key=len, reverse=True):
            number = text.removesuffix(unit)
            if number != text and number.replace(".", "", 1).isdecimal() and len(number) < 20:
                return round(float(number) * _SIZES[unit])
        raise ValueError("not a size; write it like '500 MB' or '2 GB'")
    return value


def read_name(value: str) -> str:
    """A name that people and silences can write again. Raises ValueError."""
    if clean(value) != value:
        raise ValueError("a name has no control characters and no spaces at its ends")
    return value


Duration = Annotated[Micros, BeforeValidator(read_duration), Field(gt=0)]
"""A length of time, written `30s`, `5m`, `7d`; held in µs."""
Bytes = Annotated[int, BeforeValidator(read_bytes), Field(ge=0)]
"""A size, written `500 MB`, `2 GB`; held in bytes."""
Name = Annotated[str, AfterValidator(read_name)]
"""What people call something."""


class Section(BaseModel):
    """A table of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
