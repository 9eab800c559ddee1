"""Types of other libraries that plain data can stand for: msgspec's Structs, pydantic's models, and what they annotate.

Each validates its own data; what does not fit becomes Faults, as that of dataclasses does (see conversion.py), so they
may stand inside each other. A library is imported when a type of its is given, and so has been imported before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Annotated, Any, get_args, get_origin

from .faults import LIMIT, NOTHING, Fault
from .scalars import BAD, Compiled
from .schemas import SchemaError

_MSGSPEC_PLACE = re.compile(r"(?s)(.*) - at `(?:key in )?(?:key` in `)?\$(.*)`")
_MSGSPEC_MISSING = re.compile(r"Object missing required field `(.*)`")
_MSGSPEC_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[(\.\.\.)\]")


def foreign(hint: Any) -> Compiled | None:
    """What a type of one of these libraries is compiled to; None for any other type.

    SchemaError for one that the library cannot make anything of.
    """
    if _is_struct(hint) or _is_struct(get_origin(hint)):
        return _by_msgspec(hint)
    if _is_model(hint) or (type(hint).__name__ == "TypeAdapter" and _library(type(hint)) == "pydantic"):
        return _by_pydantic(hint)
    if get_origin(hint) is Annotated:
        for remark in get_args(hint)[1:]:
            library = _library(type(remark))
            if library == "msgspec":
                return _by_msgspec(hint)
            if library in ("pydantic", "annotated_types"):
                return _by_pydantic(hint)
    return None


def foreign_union(hint: Any, members: tuple[Any, ...]) -> Compiled | None:
    """What a union of nothing but Structs (and None) is compiled to: msgspec tells tagged ones by their tags."""
    structs = [member for member in members if member is not type(None)]
    if len(structs) < 2 or not all(map(_is_struct, structs)):
        return None
    if any(struct.__struct_config__.tag is None for struct in structs):
        return None
    return _by_msgspec(hint)


def _library(kind: type) -> str:
    return kind.__module__.partition(".")[0]


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and hasattr(hint, "__struct_fields__")


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and "__pydantic_validator__" in dir(hint)


def _by_msgspec(hint: Any) -> Compiled:
    import msgspec

    def convert(value: Any, faults: list[Fault]) -> Any:
        try:
            return msgspec.convert(value, hint, str_keys=True)
        except msgspec.ValidationError as error:
            faults.append(_msgspec_fault(str(error)))
        except (UnicodeError, OverflowError) as error:  # half a surrogate, which JSON can say
            faults.append(Fault(f"is not accepted: {error}"))
        return BAD

    return Compiled(convert, "a table")


def _msgspec_fault(text: str) -> Fault:
    """msgspec tells the first fault only, and its place in words: "Expected `int`, got `str` - at `$.sizes[0]`"."""
    found = _MSGSPEC_PLACE.fullmatch(text)
    path: list[str | int] = []
    if found is not None:
        text, place = found.groups()
        path = [name or (int(position) if position else some) for name, position, some in _MSGSPEC_STEP.findall(place)]
    missing = _MSGSPEC_MISSING.fullmatch(text)
    if missing is not None:
        return Fault("is missing", path=(*path, missing[1]), missing=True)
    return Fault(f"is not accepted: {text}", path=tuple(path))


def _by_pydantic(hint: Any) -> Compiled:
    from pydantic import PydanticUserError, TypeAdapter, ValidationError
    from pydantic_core import to_json

    try:
        adapter = hint if isinstance(hint, TypeAdapter) else TypeAdapter(hint)
    except PydanticUserError as error:
        raise SchemaError(f"pydantic cannot make anything of {hint!r}: {error}") from error
    validate = adapter.validate_python

    def convert(value: Any, faults: list[Fault]) -> Any:
        try:
            return validate(value)
        except ValidationError as failure:
            error = failure
        try:  # a strict model takes from JSON what it does not take from Python: "2026-11-23" for a date
            return adapter.validate_json(to_json(value))
        except ValidationError as failure:
            error = failure
        except ValueError:  # it is no JSON, but of another codec
            pass
        found = error.errors(include_url=False, include_context=False, include_input=False)
        for each in found[:LIMIT]:
            missing = each["type"] == "missing"
            problem = "is missing" if missing else f"is not accepted: {each['msg']}"
            faults.append(Fault(problem, path=each["loc"], missing=missing))
        return BAD

    return Compiled(convert, "a table")


# Back to plain data -------------------------------------------------------------------------------------------------


def plain_model(value: Any, default: Callable[[Any], Any] | None = None) -> Any:
    """A Struct or model as plain data that JSON knows; NOTHING for anything else.

    default  for parts of a Struct that msgspec does not know.
    """
    kind = type(value)
    if _is_struct(kind):
        import msgspec

        return msgspec.to_builtins(value, str_keys=True, enc_hook=default)
    if _is_model(kind):
        return value.model_dump(mode="json", by_alias=True)
    return NOTHING


def without_models(value: Any) -> Any:
    """Plain data in place of dataclasses, Structs and models, wherever they are in lists and dictionaries.

    Other values stay as they are: for who writes them in another form than JSON.
    """
    if isinstance(value, dict):
        return {key: without_models(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_models(each) for each in value]
    kind = type(value)
    if _is_struct(kind):
        import msgspec

        return without_models(msgspec.to_builtins(value, builtin_types=(bytes,)))
    if _is_model(kind) and hasattr(value, "model_dump"):
        return without_models(value.model_dump(by_alias=True))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: without_models(getattr(value, field.name)) for field in fields(value)}
    return value
