"""Plain data (of TOML, JSON, Python, the environment) to typed values, dataclasses above all.

    convert(Timing, {"header": "x-time", "digits": 3})  ->  Timing(header="x-time", digits=3)

Strict: a text is no number and a number no text. Only `Text`, which is what the environment gives, is parsed. What
is not plain has one plain form: a timedelta is seconds, an Enum its value or a member's name, a Path and a date a
text, tuples and sets lists, a dataclass and a TypedDict a table. msgspec's Structs and pydantic's models convert
themselves (see models.py).

Everything that does not fit is found at once, each with its path ("headers[2].name"), what was expected and what was
given; a secret's value is never shown. A type is compiled once into functions, which is fast enough for messages of a
websocket. Must not know: configuration, plugins, apps.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import is_dataclass
from enum import Enum
from threading import RLock
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from .faults import LIMIT, NOTHING, ConversionError, Fault, Text, did_you_mean, is_secret
from .models import foreign, foreign_union
from .scalars import BAD, SCALARS, Compiled, choice, guess, late_scalar, none, parsed, wrong
from .schemas import HIDDEN, SchemaError, bare, fields_of, is_typed_dict

__all__ = ["ConversionError", "Converter", "Fault", "SchemaError", "Text", "convert"]

T = TypeVar("T")

_pending: dict[Any, Compiled] = {}
_lock = RLock()
_KEPT = "__quart_plug_conversion__"  # the attribute of a dataclass that holds what it is compiled to


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


def _compile(hint: Any, where: str) -> Compiled:
    others = foreign(hint)
    if others is not None:
        return others
    hint = bare(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in (Any, object):
        return Compiled(lambda value, faults: guess(value), "anything")
    if hint is None or hint is types.NoneType:
        return Compiled(none, "None", types.NoneType)
    if origin in (Union, types.UnionType):
        return foreign_union(hint, arguments) or _union([_compile(member, where) for member in arguments])
    if origin is Literal:
        return choice({(type(option), option): option for option in arguments}, {}, None)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = hint.__members__
        values = {(type(m.value), m.value): m for m in hint if m.value.__hash__ is not None}
        return choice(values, members, hint)
    if isinstance(hint, type) and origin is None and (is_dataclass(hint) or is_typed_dict(hint)):
        return _table_of_fields(hint)
    plain = SCALARS.get(hint) if origin is None and isinstance(hint, type) else None
    if plain is None and isinstance(hint, type):
        plain = late_scalar(hint)
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
        "int, float, str, Path, timedelta, an Enum, Literal, a dataclass, a TypedDict, or list, tuple, set, dict and "
        "unions of these"
    )


_MANY: dict[Any, Any] = {
    **{kind: kind for kind in (list, set, frozenset, tuple)},
    **dict.fromkeys((Sequence, Collection, Iterable), tuple),
    MutableSequence: list, AbstractSet: frozenset,
}  # fmt: skip


def _union(members: list[Compiled]) -> Compiled:
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
            return wrong(expected, value, faults)
        faults += inside
        return BAD

    return Compiled(convert, expected)


def _prefix(faults: list[Fault], start: int, step: str | int, secret: bool = False) -> None:
    for fault in faults[start:]:
        fault.path = (step, *fault.path)
        fault.secret = fault.secret or secret


def _items(value: Any, takes: tuple[type, ...]) -> Any:
    """The items of a list, or of a text with commas; None when it is neither."""
    if isinstance(value, Text):
        return [Text(part.strip()) for part in value.split(",")] if value.strip() else []
    return value if isinstance(value, takes) else None


def _many(make: Any, item: Compiled) -> Compiled:
    takes = (list, tuple, set, frozenset) if make in (set, frozenset) else (list, tuple)

    def convert(value: Any, faults: list[Fault]) -> Any:
        value = parsed(value, "[")
        items = _items(value, takes)
        if items is None:
            return wrong("a list", value, faults)
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
            return BAD
        try:
            return made if make is list else make(made)
        except TypeError:
            return wrong("a list of values that can be kept in a set", value, faults)

    return Compiled(convert, "a list")


def _fixed(items: list[Compiled]) -> Compiled:
    expected = f"a list of {len(items)} values"

    def convert(value: Any, faults: list[Fault]) -> Any:
        value = parsed(value, "[")
        given = _items(value, (list, tuple))
        if given is None or len(given) != len(items):
            return wrong(expected, value, faults)
        start = size = len(faults)
        made = []
        for index, (item, each) in enumerate(zip(items, given, strict=True)):
            made.append(item.convert(each, faults))
            if len(faults) != size:
                _prefix(faults, size, index)
                size = len(faults)
        return tuple(made) if size == start else BAD

    return Compiled(convert, expected)


def _table(key: Compiled, item: Compiled) -> Compiled:
    def convert(value: Any, faults: list[Fault]) -> Any:
        value = parsed(value, "{")
        if not isinstance(value, Mapping):
            return wrong("a table", value, faults)
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
        return made if len(faults) == start else BAD

    return Compiled(convert, "a table")


# Dataclasses and TypedDicts -----------------------------------------------------------------------------------------


def _table_of_fields(schema: Any) -> Compiled:
    """What a dataclass or TypedDict is compiled to, which is kept with it.

    One that is being compiled has no function yet, and is known to those below it, for it may be one of its own fields.
    Nobody else gets to see it, nor those below it, until the outermost one is done.
    """
    known: Compiled | None = vars(schema).get(_KEPT)
    if known is not None:
        return known
    with _lock:
        if schema in _pending:
            return _pending[schema]
        is_outermost = not _pending
        compiled = _pending[schema] = Compiled(none, "a table")
        try:
            compiled.convert = _fields_converter(schema)
            if is_outermost:
                for class_, made in _pending.items():
                    setattr(class_, _KEPT, made)
        finally:
            if is_outermost:
                _pending.clear()
    return compiled


def _never(value: Any, kind: Any) -> bool:
    return False


def _fields_converter(schema: Any) -> Callable[[Any, list[Fault]], Any]:
    taken = fields_of(schema)
    rows = [(f.name, _compile(f.hint, f"{schema.__qualname__}.{f.name}"), f.required, f.secret) for f in taken]
    names = frozenset(f.name for f in taken)
    secrets = [f.name for f in taken if f.secret]
    make = schema
    is_instance = isinstance if is_dataclass(schema) else _never  # a TypedDict has none

    def convert(value: Any, faults: list[Fault]) -> Any:
        if type(value) is not dict:
            if is_instance(value, make):
                return value
            value = parsed(value, "{")
            if not isinstance(value, Mapping):
                return wrong("a table", value, faults)
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
            return BAD
        try:
            return make(**arguments)
        except ValueError as error:  # of __post_init__
            text = str(error) or "does not fit"
            for name in secrets:
                if name in arguments and not isinstance(arguments[name], (bool, types.NoneType)):
                    text = text.replace(str(arguments[name]) or HIDDEN, HIDDEN)
            faults.append(Fault(f"is not accepted: {text}"))
            return BAD

    return convert
