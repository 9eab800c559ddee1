"""From objects to JSON text, as fast as the standard library can.

`json.dumps` with any option makes a new encoder for each call; here the C encoder is made once for its
options. It is made without the search for circular references, which costs a dictionary entry for each list
and object; the interpreter's recursion limit stops on them as well, and the careful encoder then says what is
wrong.

Knows no app and no provider.
"""

from __future__ import annotations

import json.encoder
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import date
from typing import Any
from uuid import UUID

from werkzeug.http import http_date

from ..faults import NOTHING
from ..models import plain_model

Default = Callable[[Any], Any]

# None on interpreters without the C accelerator
_make_c_encoder: Any = getattr(json.encoder, "c_make_encoder", None)


def encode_unknown(o: Any) -> Any:
    """What a DefaultJSONProvider makes of an object that JSON does not know.

    Dates become HTTP dates (RFC 9110, 5.6.7; a naive datetime is taken as UTC), Decimal and UUID strings,
    dataclasses, pydantic's models and msgspec's Structs objects, and what has `__html__` (as Markup has) its HTML.
    TypeError for anything else.
    """
    if isinstance(o, date):
        return http_date(o)
    if isinstance(o, UUID):
        return str(o)
    if is_dataclass(o) and not isinstance(o, type):
        return asdict(o)
    if hasattr(o, "__html__"):
        return str(o.__html__())
    from decimal import Decimal  # late: who has a Decimal has imported it, everybody else need not

    if isinstance(o, Decimal):
        return str(o)
    plain = plain_model(o, encode_unknown)
    if plain is not NOTHING:
        return plain
    raise TypeError(f"Object of type {type(o).__name__} is not JSON serializable")


def text_encoder(
    default: Default,
    *,
    ensure_ascii: bool = True,
    sort_keys: bool = False,
    separators: tuple[str, str] = (", ", ": "),
    indent: int | None = None,
) -> Callable[[Any], str]:
    """A function from an object to JSON text; the options are those of `json.JSONEncoder`.

    It raises what `json.dumps` raises: TypeError for what cannot be encoded, ValueError for a circular
    reference.
    """
    careful = json.JSONEncoder(
        default=default, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=separators, indent=indent
    ).encode
    if indent is not None or _make_c_encoder is None:
        return careful
    encode_text = json.encoder.encode_basestring_ascii if ensure_ascii else json.encoder.encode_basestring
    item_separator, key_separator = separators
    chunks = _make_c_encoder(
        None, default, encode_text, None, key_separator, item_separator, bool(sort_keys), False, True
    )
    join = "".join

    def encode(obj: Any) -> str:
        try:
            return join(chunks(obj, 0))
        except RecursionError:
            return careful(obj)

    return encode
