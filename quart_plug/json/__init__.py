"""`dumps`, `loads`, `dump`, `load` and `jsonify`: the current app's provider, behind plain functions.

Without a current app they are those of the standard library, with the plugin's way of encoding what JSON does
not know. Knows the slot, not who fills it.
"""

from __future__ import annotations

import json as _json
from typing import IO, TYPE_CHECKING, Any

from ..globals import _cv, current_app

if TYPE_CHECKING:
    from ..wrappers import Response

__all__ = ["current_app", "dump", "dumps", "jsonify", "load", "loads"]


def dumps(object_: Any, **kwargs: Any) -> str:
    """Encode an object as JSON text; options as those of `json.dumps`."""
    ctx = _cv.get(None)
    if ctx is not None:
        text: str = ctx.app.json.dumps(object_, **kwargs)
        return text
    return _json.dumps(object_, **_with_default(kwargs))


def dump(object_: Any, fp: IO[str], **kwargs: Any) -> None:
    """Encode an object and write the text to a file."""
    ctx = _cv.get(None)
    if ctx is not None:
        ctx.app.json.dump(object_, fp, **kwargs)
    else:
        _json.dump(object_, fp, **_with_default(kwargs))


def loads(object_: str | bytes, **kwargs: Any) -> Any:
    """Decode JSON; options as those of `json.loads`. Raises ValueError for what is no JSON."""
    ctx = _cv.get(None)
    if ctx is not None:
        return ctx.app.json.loads(object_, **kwargs)
    return _json.loads(object_, **kwargs)


def load(fp: IO[Any], **kwargs: Any) -> Any:
    """Read a file and decode it as JSON."""
    ctx = _cv.get(None)
    if ctx is not None:
        return ctx.app.json.load(fp, **kwargs)
    return _json.load(fp, **kwargs)


def jsonify(*args: Any, **kwargs: Any) -> Response:
    """A JSON response with one argument, a list of several, or an object of the named ones.

    Raises RuntimeError outside of an application context, TypeError when given both kinds of arguments.
    """
    response: Response = current_app.json.response(*args, **kwargs)
    return response


def _with_default(options: dict[str, Any]) -> dict[str, Any]:
    if "default" not in options:
        from .encoding import encode_unknown

        options["default"] = encode_unknown
    return options
