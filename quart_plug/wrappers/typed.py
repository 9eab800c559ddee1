"""What `receive_json(type=…)` makes of a message that was read: a value of that type, or an InvalidMessage.

Knows no websocket. How data is converted is in conversion.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..conversion import ConversionError, Converter
from ..exceptions import InvalidMessage
from ..faults import path_text
from ..schemas import type_text

_TOLD = 5  # faults in the words of the error; `errors` has them all


def typed(wanted: Any, data: Any) -> Any:
    """`data` as a value of the type `wanted`. InvalidMessage, or SchemaError for a type that no data can stand for."""
    try:
        converter = _converter(wanted)
    except TypeError as error:
        if type(error) is not TypeError:
            raise
        converter = Converter(wanted)  # it cannot be hashed, such as Annotated[int, []]
    try:
        return converter(data)
    except ConversionError as error:
        faults = error.faults
    said = [str(fault) for fault in faults[:_TOLD]]
    if len(faults) > _TOLD:
        said.append(f"and {len(faults) - _TOLD} more")
    raise InvalidMessage(
        f"The message is no {_name(wanted)}: {'; '.join(said)}",
        [{"path": path_text(fault.path), "message": fault.text} for fault in faults],
    )


_converter = lru_cache(maxsize=512)(Converter)


def _name(wanted: Any) -> str:
    return type_text(wanted)
