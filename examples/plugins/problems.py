"""Errors as `application/problem+json` (RFC 9457) for clients that want JSON; people get the pages as before.

Applies to what the application has no handler for: HTTP errors, and other errors, of which nothing but the number is
told. Handshakes of websockets are refused in the same way.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

from quart_plug import Response, hookimpl

if TYPE_CHECKING:
    from quart_plug.ctx import Context

TYPES = ("text/html", "application/json", "application/problem+json")
log = logging.getLogger(__name__)


@hookimpl
async def request_error(ctx: Context, error: Exception) -> Response | None:
    return problem(ctx, error)


@hookimpl
async def websocket_error(ctx: Context, error: Exception) -> Response | None:
    return problem(ctx, error)


def problem(ctx: Context, error: Exception) -> Response | None:
    """The response, or None for who did not ask for JSON."""
    accept = parse_accept_header(ctx.headers.get("accept", ""), MIMEAccept)
    if accept.best_match(TYPES, TYPES[0]) == TYPES[0] or ctx.app.debug:
        return None
    if isinstance(error, HTTPException):
        if error.response is not None:
            return None  # `abort(response)`: somebody has made it already
        body: dict[str, Any] = {"title": error.name, "status": error.code, "detail": error.description}
        headers = [(name, value) for name, value in error.get_headers() if name.lower() != "content-type"]
    else:
        incident = uuid4().hex  # tells the client nothing, and us everything
        log.error("Incident %s", incident, exc_info=error)
        body = {"title": "Internal Server Error", "status": 500, "instance": f"urn:uuid:{incident}"}
        headers = []
    response: Response = ctx.app.response_class(ctx.app.json.dumps(body), body["status"], headers)
    response.content_type = "application/problem+json"
    response.vary.add("Accept")
    return response
