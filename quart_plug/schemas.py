"""What a dataclass says about the data that it is made of: its fields, their types, defaults and documentation.

Must not know: how data is converted.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, InitVar, fields, is_dataclass
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from .faults import is_secret


class SchemaError(TypeError):
    """A type that no plain data can be converted to; the text says which part, and what to write instead."""


class Taken(NamedTuple):
    """A field that data may give: `hint` is its type, `default` MISSING when it has to be given."""

    name: str
    hint: Any
    required: bool
    default: Any
    secret: bool
    metadata: Mapping[Any, Any]


def fields_of(schema: type) -> tuple[Taken, ...]:
    """The fields of a dataclass that data may give, in order. SchemaError when a type cannot be found."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except Exception as error:
        raise SchemaError(
            f"the types of {schema.__qualname__} cannot be found ({error}); define them, and it, at the top level of a"
            " module"
        ) from error
    taken = [
        Taken(
            field.name,
            hints[field.name],
            field.default is MISSING and field.default_factory is MISSING,
            field.default if field.default_factory is MISSING else field.default_factory(),
            is_secret(field.name, field.metadata),
            field.metadata,
        )
        for field in fields(schema)
        if field.init
    ]
    for name, hint in hints.items():
        if isinstance(hint, InitVar):
            default = getattr(schema, name, MISSING)
            taken.append(Taken(name, hint, default is MISSING, default, is_secret(name), {}))
    return tuple(taken)


def bare(hint: Any) -> Any:
    """A type without what adds nothing but a name or a remark: NewType, `type X = …`, Annotated, Final, InitVar."""
    while True:
        if hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif isinstance(hint, InitVar):
            hint = hint.type
        elif get_origin(hint) in (Annotated, Final):
            hint = get_args(hint)[0]
        else:
            return hint


def nested_schema(hint: Any) -> type | None:
    """The dataclass that a type is, or that a union has among its members."""
    hint = bare(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return next((found for member in get_args(hint) if (found := nested_schema(member)) is not None), None)
    return hint if isinstance(hint, type) and is_dataclass(hint) else None
