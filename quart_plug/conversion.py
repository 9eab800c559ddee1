"""Plain data (of TOML, JSON, Python, the environment) to typed values, dataclasses above all.

    convert(Timing, {"header": "x-time", "digits": 3})  ->  Timing(header="x-time", digits=3)

Strict: a text is no number and a number no text. Only `Text`, which is what the environment gives, is parsed. What
is not plain has one plain form: a timedelta is seconds, an Enum its value or a member's name, a Path and a date a
text, tuples and sets lists, a dataclass a table.

Everything that does not fit is found at once, each with its path ("headers[2].name"), what was expected and what was
given; a secret's value is never shown. A type is compiled once into functions, which is fast enough for messages of a
websocket. Must not know: configuration, plugins, apps.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from .faults import NOTHING, ConversionError, Fault, Text, did_you_mean, is_secret, show
from .schemas import HIDDEN, SchemaError, bare, fields_of

__all__ = ["ConversionError", "Converter", "Fault", "SchemaError", "Text", "convert"]

T = TypeVar("T")

LIMIT = 100  # faults: nobody reads more, and a message of a websocket may hold a million
_KEPT = "__quart_plug_conversion__"  # the attribute of a dataclass that holds what it is compiled to
_BAD: Any = object()  # in place of a value that does not fit; no caller sees it


class Converter(Generic[T]):
    """A compiled type: `Converter(Timing)(data)` gives a Timing, or raises ConversionError with every fault.

    Raises SchemaError when it is made for a type that plain data cannot stand for.
    """

    def __init__(self, schema: type[T]) -> None:
        self.schema = schema
        self._compiled = _compile(schema, getattr(schema, "__name__", "the type"))

    def __call__(self, data: Any) -> T:
        faults: list[Fault] = []
        try:
            result: T = self._compiled.convert(data, faults)
        except RecursionError:
            faults = [Fault("is nested too deeply")]
        if faults:
            raise ConversionError(faults) from None
        return result


def convert(schema: type[T], data: Any) -> T:
    """Convert plain data to a type. ConversionError for the data, SchemaError for the type."""
    return Converter(schema)(data)


# From a type to functions -------------------------------------------------------------------------------------------


class _Compiled:
    """convert   (value, faults) -> the value converted; what does not fit is appended to `faults`.
    expected  what to give, for errors: "an integer".
    kinds     the Python types that are taken as they are.
    """

    __slots__ = ("convert", "expected", "kinds")

    def __init__(self, convert: Callable[[Any, list[Fault]], Any], expected: str, *kinds: type) -> None:
        self.convert = convert
        self.expected = expected
        self.kinds = kinds


def _compile(hint: Any, where: str) -> _Compiled:
    hint = bare(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return _Compiled(lambda value, faults: _guess(value), "anything")
    if hint is None or hint is types.NoneType:
        return _Compiled(_none, "None", types.NoneType)
    if origin in (Union, types.UnionType):
        return _union([_compile(member, where) for member in arguments])
    if origin is Literal:
        return _choice({(type(option), option): option for option in arguments}, {}, None)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = hint.__members__
        values = {(type(m.value), m.value): m for m in hint if m.value.__hash__ is not None}
        return _choice(values, members, hint)
    if isinstance(hint, type) and is_dataclass(hint) and origin is None:
        return _dataclass(hint)
    plain = _SCALARS.get(hint) if origin is None and isinstance(hint, type) else None
    if plain is None and isinstance(hint, type):
        plain = _late_scalar(hint)
    if plain is not None:
        return plain
    kind = origin or hint
    if kind in (dict, Mapping, MutableMapping):
        key, item = arguments or (str, Any)
        return _table(_compile(key, where), _compile(item, where))
    if kind is tuple and arguments and arguments[-1] is not ...:
        return _fixed([_compile(item, where) for item in arguments if item != ()])
    if kind in _MANY:
        return _many(_MANY[kind], _compile(arguments[0] if arguments else Any, where))
    raise SchemaError(
        f"{where} is of the type {getattr(hint, '__qualname__', hint)}, which plain data cannot stand for; use bool, "
        "int, float, str, Path, timedelta, an Enum, Literal, a dataclass, or list, tuple, set, dict and unions of these"
    )


def _wrong(expected: str, given: Any, faults: list[Fault]) -> Any:
    faults.append(Fault(f"has to be {expected}", given))
    return _BAD


def _scalar(kind: type, expected: str, parse: Callable[[Any], Any], takes: tuple[type, ...] = ()) -> _Compiled:
    """A type with one form: values of `kind` as they are, those of `takes`, and Text, through `parse`."""

    def convert(value: Any, faults: list[Fault]) -> Any:
        if type(value) is kind:
            return value
        try:
            if isinstance(value, (Text, *takes)) and type(value) is not bool:
                return parse(value)
        except (ValueError, ArithmeticError):
            return _wrong(expected, value, faults)
        if isinstance(value, kind) and not isinstance(value, (bool, datetime)):
            return value
        return _wrong(expected, value, faults)

    return _Compiled(convert, expected, kind)


_WORDS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def _truth(text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError:
        raise ValueError from None


def _duration(value: Any) -> timedelta:
    return timedelta(seconds=float(value))


_SCALARS: dict[type, _Compiled] = {
    bool: _scalar(bool, "true or false", _truth),
    int: _scalar(int, "an integer", int),
    float: _scalar(float, "a number", float, (int,)),
    str: _scalar(str, "a text", str.__str__),
    bytes: _scalar(bytes, "bytes", str.encode),
    Path: _scalar(Path, "a path", Path, (str,)),
    timedelta: _scalar(timedelta, "a number of seconds", _duration, (int, float)),
    datetime: _scalar(datetime, "a date with a time, such as 2030-12-31T23:59:00", datetime.fromisoformat, (str,)),
    date: _scalar(date, "a date, such as 2030-12-31", date.fromisoformat, (str,)),
    time: _scalar(time, "a time, such as 23:59:00", time.fromisoformat, (str,)),
}
_LATE = {("uuid", "UUID"): "a UUID", ("decimal", "Decimal"): "a decimal number"}
_MANY: dict[Any, Any] = {
    **{kind: kind for kind in (list, set, frozenset, tuple)},
    **dict.fromkeys((Sequence, Collection, Iterable), tuple),
    MutableSequence: list, AbstractSet: frozenset,
}


def _late_scalar(hint: type) -> _Compiled | None:
    """Types whose modules are not imported for those who do not use them."""
    expected = _LATE.get((hint.__module__, hint.__name__))
    return None if expected is None else _scalar(hint, expected, hint, (str,))


def _none(value: Any, faults: list[Fault]) -> Any:
    if value is None or (isinstance(value, Text) and value.strip().lower() in ("", "null", "none")):
        return None
    return _wrong("None", value, faults)


def _guess(value: Any) -> Any:
    """A text of the environment whose type nobody says: JSON when it is that, as `from_prefixed_env` reads it."""
    if not isinstance(value, Text):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return str(value)


def _choice(values: Mapping[tuple[type, Any], Any], names: Mapping[str, Any], kind: type | None) -> _Compiled:
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
            found = texts.get(value, names.get(value, _BAD))
        else:
            try:
                found = values.get((type(value), value), _BAD)
            except TypeError:  # not hashable
                found = _BAD
            if found is _BAD and isinstance(value, str):
                found = names.get(value, _BAD)
        if found is _BAD:
            hint = did_you_mean(value, {*texts, *names}) if isinstance(value, str) else ""
            faults.append(Fault(f"has to be {expected}{hint}", value))
        return found

    return _Compiled(convert, expected)


def _union(members: list[_Compiled]) -> _Compiled:
    """The member whose type the value has; else the first that it fits. Text is taken for a text last."""
    exact = {kind: member.convert for member in reversed(members) for kind in member.kinds}
    expected = " or ".join(dict.fromkeys(member.expected for member in members))
    for_text = sorted(members, key=lambda member: (str in member.kinds, types.NoneType not in member.kinds))
    has_text = str in exact

    def convert(value: Any, faults: list[Fault]) -> Any:
        direct = exact.get(type(value))
        if direct is not None:
            return direct(value, faults)
        is_text = isinstance(value, Text)
        inside: list[Fault] | None = None
        for member in for_text if is_text else members:
            if is_text and has_text and not value and types.NoneType in member.kinds:
                continue  # an empty text is a text, where one may be given
            tried: list[Fault] = []
            result = member.convert(value, tried)
            if not tried:
                return result
            if all(fault.path for fault in tried) and (inside is None or len(tried) < len(inside)):
                inside = tried
        if inside is None:
            return _wrong(expected, value, faults)
        faults += inside
        return _BAD

    return _Compiled(convert, expected)


def _prefix(faults: list[Fault], start: int, step: str | int, secret: bool = False) -> None:
    for fault in faults[start:]:
        fault.path = (step, *fault.path)
        fault.secret = fault.secret or secret


def _parsed(value: Any, opening: str) -> Any:
    """Text that is JSON of this form, as that; else the value as it is."""
    if isinstance(value, Text) and value.lstrip().startswith(opening):
        try:
            return json.loads(value)
        except ValueError:
            return _BROKEN  # and not the text, which may hold secrets
    return value


class _NoJSON:
    def __repr__(self) -> str:
        return "a text that is no JSON"


_BROKEN = _NoJSON()


def _items(value: Any, takes: tuple[type, ...]) -> Any:
    """The items of a list, or of a text with commas; None when it is neither."""
    if isinstance(value, Text):
        return [Text(part.strip()) for part in value.split(",")] if value.strip() else []
    return value if isinstance(value, takes) else None


def _many(make: Any, item: _Compiled) -> _Compiled:
    takes = (list, tuple, set, frozenset) if make in (set, frozenset) else (list, tuple)

    def convert(value: Any, faults: list[Fault]) -> Any:
        value = _parsed(value, "[")
        items = _items(value, takes)
        if items is None:
            return _wrong("a list", value, faults)
        start = size = len(faults)
        made = []
        convert_item = item.convert
        for index, each in enumerate(items):
            made.append(convert_item(each, faults))
            if len(faults) != size:
                _prefix(faults, size, index)
                size = len(faults)
                if size >= LIMIT:
                    break
        if size != start:
            return _BAD
        try:
            return made if make is list else make(made)
        except TypeError:
            return _wrong("a list of values that can be kept in a set", value, faults)

    return _Compiled(convert, "a list")


def _fixed(items: list[_Compiled]) -> _Compiled:
    expected = f"a list of {len(items)} values"

    def convert(value: Any, faults: list[Fault]) -> Any:
        value = _parsed(value, "[")
        given = _items(value, (list, tuple))
        if given is None or len(given) != len(items):
            return _wrong(expected, value, faults)
        start = size = len(faults)
        made = []
        for index, (item, each) in enumerate(zip(items, given, strict=True)):
            made.append(item.convert(each, faults))
            if len(faults) != size:
                _prefix(faults, size, index)
                size = len(faults)
        return tuple(made) if size == start else _BAD

    return _Compiled(convert, expected)


def _table(key: _Compiled, item: _Compiled) -> _Compiled:
    def convert(value: Any, faults: list[Fault]) -> Any:
        value = _parsed(value, "{")
        if not isinstance(value, Mapping):
            return _wrong("a table", value, faults)
        start = len(faults)
        made = {}
        for name, each in value.items():
            size = len(faults)
            # In TOML and JSON every key is a text, so one that is to be a number is read as the environment's are.
            word = Text(name) if isinstance(name, str) and str not in key.kinds else name
            known = key.convert(word, faults)
            made[known] = item.convert(each, faults)
            if len(faults) != size:
                _prefix(faults, size, name, isinstance(name, str) and is_secret(name))
                if len(faults) >= LIMIT:
                    break
        return made if len(faults) == start else _BAD

    return _Compiled(convert, "a table")


# Dataclasses --------------------------------------------------------------------------------------------------------

def _dataclass(schema: Any) -> _Compiled:
    known: _Compiled | None = vars(schema).get(_KEPT)
    if known is not None:
        return known
    compiled = _Compiled(_none, "a table")
    setattr(schema, _KEPT, compiled)  # before its fields are: one may be of this very type
    try:
        taken = fields_of(schema)
        rows = [
            (f.name, _compile(f.hint, f"{schema.__qualname__}.{f.name}"), f.required, f.secret) for f in taken
        ]
    except BaseException:
        delattr(schema, _KEPT)
        raise
    names = frozenset(f.name for f in taken)
    secrets = [f.name for f in taken if f.secret]
    make = schema

    def convert(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not dict:
            if isinstance(value, make):
                return value
            value = _parsed(value, "{")
            if not isinstance(value, Mapping):
                return _wrong("a table", value, faults)
        start = size = len(faults)
        arguments = {}
        for name, item, required, secret in rows:
            given = value.get(name, NOTHING)
            if given is NOTHING:
                if required:
                    faults.append(Fault(f"is missing, it has to be {item.expected}", path=(name,), missing=True))
                    size += 1
                continue
            arguments[name] = item.convert(given, faults)
            if len(faults) != size:
                _prefix(faults, size, name, secret)
                size = len(faults)
        if len(value) != len(arguments):
            for key in value:
                if key not in names and len(faults) < LIMIT:
                    hint = did_you_mean(str(key), names)
                    faults.append(Fault(f"is an unknown key{hint}", path=(key,)))
        if len(faults) != start:
            return _BAD
        try:
            return make(**arguments)
        except ValueError as error:  # of __post_init__
            text = str(error) or "does not fit"
            for name in secrets:
                if name in arguments and not isinstance(arguments[name], (bool, types.NoneType)):
                    text = text.replace(str(arguments[name]) or HIDDEN, HIDDEN)
            faults.append(Fault(f"is not accepted: {text}"))
            return _BAD

    compiled.convert = convert
    return compiled
