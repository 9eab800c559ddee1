"""The response for a view's dictionary or list where there is more than JSON to choose from.

Of the types that plugins speak (hook `content_types`) and JSON the client gets the one that it prefers. Apps without
such a plugin do not come here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Headers

from .reply import make_response

if TYPE_CHECKING:
    from ..content_types import Codecs
    from ..ctx import Context
    from .response import Response


def negotiated(ctx: Context, codecs: Codecs, result: Any, endpoint: str | None, view: Any) -> Response:
    """As `make_response`; with `Vary: Accept` where it depends on the client (RFC 9110, 12.5.5).

    A view that gives a Content-Type of its own with its value has decided, and gets JSON under that name.
    """
    app = ctx.app
    value, *rest = result if isinstance(result, tuple) and result else (result,)
    if not isinstance(value, (dict, list)) or _names_its_type(rest):
        return make_response(app, result, endpoint, view)
    media_type = codecs.preferred(", ".join(ctx.headers.getlist("accept")))
    codec = None if media_type is None else codecs.for_media_type(media_type)
    if codec is not None:
        made = app.response_class(codec.dumps(value), content_type=media_type)
        result = (made, *rest) if rest else made
    response = make_response(app, result, endpoint, view)
    response.vary.add("Accept")
    return response


def _names_its_type(rest: list[Any]) -> bool:
    headers = rest[-1] if rest else None
    if headers is None or isinstance(headers, (int, str, bytes, float)):
        return False
    try:
        return "content-type" in Headers(headers)
    except (TypeError, ValueError, AttributeError):
        return False  # no headers: `make_response` says so
