"""Converters of values that have no parts: numbers, texts, dates, and one of several choices.

A converter is `(value, faults) -> the value converted`; what does not fit is appended to `faults`, and BAD is given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from .faults import Fault, Text, did_you_mean, show

BAD: Any = object()  # in place of a value that does not fit; no caller of `convert` sees it


class Compiled:
    """convert   (value, faults) -> the value converted; what does not fit is appended to `faults`.
    expected  what to give, for errors: "an integer".
    kinds     the Python types that are taken as they are.
    """

    __slots__ = ("convert", "expected", "kinds")

    def __init__(self, convert: Callable[[Any, list[Fault]], Any], expected: str, *kinds: type) -> None:
        self.convert = convert
        self.expected = expected
        self.kinds = kinds


def wrong(expected: str, given: Any, faults: list[Fault]) -> Any:
    faults.append(Fault(f"has to be {expected}", given))
    return BAD


def scalar(kind: type, expected: str, parse: Callable[[Any], Any], takes: tuple[type, ...] = ()) -> Compiled:
    """A type with one form: values of `kind` as they are, those of `takes`, and Text, through `parse`."""

    def convert(value: Any, faults: list[Fault]) -> Any:
        if type(value) is kind:
            return value
        try:
            if isinstance(value, (Text, *takes)) and type(value) is not bool:
                return parse(value)
        except (ValueError, ArithmeticError):
            return wrong(expected, value, faults)
        if isinstance(value, kind) and not isinstance(value, (bool, datetime)):
            return value
        return wrong(expected, value, faults)

    return Compiled(convert, expected, kind)


_WORDS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def truth(text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ValueError from None


def duration(value: Any) -> timedelta:
    return timedelta(seconds=float(value))


SCALARS: dict[type, Compiled] = {
    bool: scalar(bool, "true or false", truth),
    int: scalar(int, "an integer", int),
    float: scalar(float, "a number", float, (int,)),
    str: scalar(str, "a text", str.__str__),
    bytes: scalar(bytes, "bytes", str.encode),
    Path: scalar(Path, "a path", Path, (str,)),
    timedelta: scalar(timedelta, "a number of seconds", duration, (int, float)),
    datetime: scalar(datetime, "a date with a time, such as 2030-12-31T23:59:00", datetime.fromisoformat, (str,)),
    date: scalar(date, "a date, such as 2030-12-31", date.fromisoformat, (str,)),
    time: scalar(time, "a time, such as 23:59:00", time.fromisoformat, (str,)),
}
_LATE = {("uuid", "UUID"): "a UUID", ("decimal", "Decimal"): "a decimal number"}


def late_scalar(hint: type) -> Compiled | None:
    """Types whose modules are not imported for those who do not use them."""
    expected = _LATE.get((hint.__module__, hint.__name__))
    return None if expected is None else scalar(hint, expected, hint, (str,))


def none(value: Any, faults: list[Fault]) -> Any:
    if value is None or (isinstance(value, Text) and value.strip().lower() in ("", "null", "none")):
        return None
    return wrong("None", value, faults)


def guess(value: Any) -> Any:
    """A text of the environment whose type nobody says: JSON when it is that, as `from_prefixed_env` reads it."""
    if not isinstance(value, Text):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return str(value)


def choice(values: Mapping[tuple[type, Any], Any], names: Mapping[str, Any], kind: type | None) -> Compiled:
    """One of some values, told by value and type (True is not 1), or by name."""
    wordy = all(isinstance(value, str) for _, value in values)  # the names of such members need not be told
    shown = [show(value) for _, value in values] if kind is None or wordy else [show(name) for name in names]
    expected = f"one of {', '.join(shown)}" if len(shown) != 1 else shown[0]
    texts: dict[str, Any] = {}
    for (_, value), result in values.items():
        texts.setdefault(str(value).lower() if isinstance(value, bool) else str(value), result)

    def convert(value: Any, faults: list[Fault]) -> Any:
        if kind is not None and isinstance(value, kind):
            return value
        if isinstance(value, Text):
            found = texts.get(value, names.get(value, BAD))
        else:
            try:
                found = values.get((type(value), value), BAD)
            except TypeError:  # not hashable
                found = BAD
            if found is BAD and isinstance(value, str):
                found = names.get(value, BAD)
        if found is BAD:
            hint = did_you_mean(value, {*texts, *names}) if isinstance(value, str) else ""
            faults.append(Fault(f"has to be {expected}{hint}", value))
        return found

    return Compiled(convert, expected)


def parsed(value: Any, opening: str) -> Any:
    """Text that is JSON of this form, as that; else the value as it is."""
    if isinstance(value, Text) and value.lstrip().startswith(opening):
        try:
            return json.loads(value)
        except ValueError:
            return _BROKEN  # and not the text, which may hold secrets
    return value


class _NoJSON:
    """What errors show in place of the text."""

    def __repr__(self) -> str:
        return "a text that is no JSON"


_BROKEN = _NoJSON()
