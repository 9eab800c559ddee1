"""What a dataclass says about the data that it is made of: its fields, their types, defaults and documentation; and how
a value looks as plain data again.

Must not know: how data is converted.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, InitVar, fields, is_dataclass
from datetime import date, time, timedelta
from enum import Enum
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

from .faults import is_secret
from .masking import masked


class SchemaError(TypeError):
    """A type that no plain data can be converted to; the text says which part, and what to write instead."""


class Taken(NamedTuple):
    """A field that data may give: `hint` is its type, `make_default` None when it has to be given."""

    name: str
    hint: Any
    make_default: Callable[[], Any] | None
    secret: bool
    metadata: Mapping[Any, Any]

    @property
    def required(self) -> bool:
        return self.make_default is None


def is_typed_dict(hint: Any) -> bool:
    """Whether a type is a TypedDict, of `typing` or of `typing_extensions`."""
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def fields_of(schema: type) -> tuple[Taken, ...]:
    """The fields of a dataclass or TypedDict that data may give, in order. SchemaError when a type cannot be found."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except Exception as error:
        raise SchemaError(
            f"the types of {schema.__qualname__} cannot be found ({error}); define them, and it, at the top level of a"
            " module"
        ) from error
    if is_typed_dict(schema):
        return tuple(_key_of(schema, name, hint) for name, hint in hints.items())
    taken = [
        Taken(
            field.name,
            hints[field.name],
            _giving(field.default) if field.default_factory is MISSING else field.default_factory,
            is_secret(field.name, field.metadata),
            field.metadata,
        )
        for field in fields(schema)
        if field.init
    ]
    for name, hint in hints.items():
        if isinstance(hint, InitVar):
            taken.append(Taken(name, hint, _giving(getattr(schema, name, MISSING)), is_secret(name), {}))
    return tuple(taken)


def _key_of(schema: Any, name: str, hint: Any) -> Taken:
    """A key of a TypedDict. One that may be left out has no default: it is not there then."""
    required = name in schema.__required_keys__
    while (mark := getattr(get_origin(hint), "_name", None)) in ("Required", "NotRequired", "ReadOnly"):
        hint = get_args(hint)[0]
        required = {"Required": True, "NotRequired": False}.get(mark, required)
    return Taken(name, hint, None if required else _giving(None), is_secret(name), {})


def _giving(default: Any) -> Callable[[], Any] | None:
    return None if default is MISSING else lambda: default


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


# For people -----------------------------------------------------------------------------------------------------------

HIDDEN = "…"


def type_text(hint: Any) -> str:
    """A type as it would be written: "list[str]", "int | None"."""
    text = inspect.formatannotation(bare(hint))
    return re.sub(r"(?:\w+\.)+(?=\w)|(?:\w+\.)*<locals>\.", "", text).replace("NoneType", "None")


def plain(value: Any, mask: bool = True) -> Any:
    """A value as plain data (None, bool, numbers, texts, lists, tables), in the form that converts to it.

    mask  whether what is secret, and not empty, is replaced by "…".
    """
    if is_dataclass(value) and not isinstance(value, type):
        shown = {}
        for field in fields(value):
            each = getattr(value, field.name)
            hides = mask and each and each is not True and is_secret(field.name, field.metadata)
            shown[field.name] = HIDDEN if hides else plain(each, mask)
        return shown
    if isinstance(value, Enum):
        return value.value if isinstance(value.value, str | int | float) else value.name
    if isinstance(value, str):
        return masked(value) if mask else value
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {
            str(plain(key, mask)): HIDDEN if mask and each and is_secret(str(key)) else plain(each, mask)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(each, mask) for each in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(each, mask) for each in value), key=repr)
    return str(value)


def documentation_of(schema: type) -> dict[str, str]:
    """What is said about each field: `metadata={"doc": …}`, a text in Annotated, or, where the source can be read, the
    text below it, the comment behind it or the comments above it."""
    found: dict[str, str] = {}
    for class_ in reversed(schema.__mro__):
        if is_dataclass(class_):
            found |= _comments(class_)
    for field in fields_of(schema):
        remarks = field.hint.__metadata__ if get_origin(field.hint) is Annotated else ()
        texts = [getattr(remark, "documentation", remark) for remark in remarks]  # typing_extensions.Doc
        said = field.metadata.get("doc") or next((text for text in texts if isinstance(text, str)), None)
        if said:
            found[field.name] = str(said)
    return {field.name: found.get(field.name, "") for field in fields_of(schema)}


def _comments(class_: type) -> dict[str, str]:
    try:
        source = textwrap.dedent(inspect.getsource(class_))
        body = ast.parse(source).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        return {}
    if not isinstance(body, ast.ClassDef):
        return {}
    lines = source.splitlines()
    found: dict[str, str] = {}
    for node, following in zip(body.body, [*body.body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
            text = str(following.value.value)
        else:
            end = (node.end_lineno or node.lineno) - 1
            text = lines[end].encode()[node.end_col_offset or 0 :].decode().strip().lstrip(",;")
        if not text:
            above = node.lineno - 2
            while above >= 0 and lines[above].strip().startswith("#"):
                text = f"{lines[above].strip().lstrip('#').strip()} {text}"
                above -= 1
        found[node.target.id] = " ".join(text.lstrip("#").split())
    return found
