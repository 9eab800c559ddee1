"""`app.test_request_context` and `app.test_websocket_context`: contexts without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ctx import Context, connection_context
from ..kinds import REQUEST, WEBSOCKET
from .utils import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from werkzeug.datastructures import Authorization, Headers

    from ..app import Quart


def request_context(
    app: Quart,
    path: str,
    *,
    method: str = "GET",
    headers: dict[str, Any] | Headers | None = None,
    query_string: dict[str, Any] | None = None,
    scheme: str = "http",
    send_push_promise: Callable[[str, Headers], Awaitable[None]] = no_op_push,
    data: str | bytes | None = None,
    form: dict[str, Any] | None = None,
    json: Any = sentinel,
    root_path: str = "",
    http_version: str = "1.1",
    scope_base: dict[str, Any] | None = None,
    auth: Authorization | tuple[str, str] | None = None,
    subdomain: str | None = None,
) -> Context:
    """The context of a request as the test client would send it, with its body complete."""
    made, path, query = make_test_headers_path_and_query_string(
        app, path, headers, query_string, auth, subdomain
    )
    body, body_headers = make_test_body_with_headers(data=data, form=form, json=json, app=app)
    made.update(body_headers)
    whole = root_path.rstrip("/") + path  # ASGI's path has the root path in it
    scope = make_test_scope(
        "http", whole, method, made, query, scheme, root_path, http_version, scope_base
    )
    ctx = connection_context(app, REQUEST, scope)
    request = app.request_class(
        method,
        scheme,
        path,
        query,
        made,
        root_path,
        http_version,
        scope=scope,
        max_content_length=app.config["MAX_CONTENT_LENGTH"],
        body_timeout=app.config["BODY_TIMEOUT"],
        send_push_promise=send_push_promise,
    )
    request.body.set_result(body)
    request._ctx = ctx
    context: Context = app.request_context(request)
    return context


def websocket_context(
    app: Quart,
    path: str,
    *,
    headers: dict[str, Any] | Headers | None = None,
    query_string: dict[str, Any] | None = None,
    scheme: str = "ws",
    subprotocols: list[str] | None = None,
    root_path: str = "",
    http_version: str = "1.1",
    scope_base: dict[str, Any] | None = None,
    auth: Authorization | tuple[str, str] | None = None,
    subdomain: str | None = None,
) -> Context:
    """The context of a websocket that is about to be accepted; nothing is sent anywhere."""
    made, path, query = make_test_headers_path_and_query_string(
        app, path, headers, query_string, auth, subdomain
    )
    whole = root_path.rstrip("/") + path
    scope = make_test_scope(
        "websocket", whole, "GET", made, query, scheme, root_path, http_version, scope_base
    )
    scope["subprotocols"] = subprotocols or []
    context: Context = app.websocket_context(connection_context(app, WEBSOCKET, scope).websocket)
    return context
