"""The test client: Quart's `QuartClient`, over the connections of `connections`.

It makes scopes and bodies of arguments, keeps cookies and contexts, and follows redirects. What subclasses
may override: `_make_request`, with Quart 0.22's positional parameters (quart-schema does), and the
connection classes.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from http.cookiejar import CookieJar
from types import TracebackType
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import Authorization, FileStorage, Headers
from werkzeug.http import dump_cookie

from ..globals import _cv
from ..hooks.names import lazy_names
from ..reexports import TESTING_CLIENT
from ..typing import Scope
from .clock import Clock
from .connections import TestHTTPConnection, TestWebsocketConnection
from .cookies import U2Request as U2Request
from .cookies import add_cookies, keep_cookies, keep_set_cookie, make_jar
from .exchange import SendAfterClose, default_timeout
from .redirects import MAX_REDIRECTS, is_redirect, next_request
from .scopes import host_of, prepare_scope
from .utils import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    sentinel,
)

if TYPE_CHECKING:
    from contextvars import Token
    from typing import Self

    from ..app import Quart
    from ..ctx import Context
    from ..sessions import SessionMixin
    from ..wrappers import Response

__getattr__, __dir__ = lazy_names(__name__, TESTING_CLIENT)  # what Quart offers here as well


def _chunks_of(data: Any) -> Iterable[bytes] | AsyncIterable[bytes] | None:
    """The parts when a body is given in parts; None when it is given whole."""
    if isinstance(data, (list, tuple, Iterator, AsyncIterable)):
        return data
    return None


class QuartClient:
    """A client for tests.

    timeout            the limit of every wait in seconds, None for none; default QUART_PLUG_TEST_TIMEOUT,
                       or 5.
    send_after_close   for an app that sends when the client has left: "ignore", or "raise" (an OSError).
    cookie_jar         the cookies (None with use_cookies=False).
    push_promises      (path, headers) of every push promise seen.
    """

    http_connection_class: type[TestHTTPConnection] = TestHTTPConnection
    websocket_connection_class: type[TestWebsocketConnection] = TestWebsocketConnection

    def __init__(
        self,
        app: Quart,
        use_cookies: bool = True,
        *,
        timeout: float | None = sentinel,
        send_after_close: SendAfterClose = "ignore",
    ) -> None:
        self.app = app
        self.cookie_jar: CookieJar | None = make_jar() if use_cookies else None
        self.preserve_context = False
        self.push_promises: list[tuple[str, Headers]] = []
        self.timeout = default_timeout() if timeout is sentinel else timeout
        self.send_after_close: SendAfterClose = send_after_close
        self._context_token: Token[Context] | None = None
        self._clock: Clock | None = None

    @property
    def clock(self) -> Clock:
        """The event loop's clock: `await client.clock.advance(30)` makes 30 seconds pass at once."""
        if self._clock is None:
            self._clock = Clock()
        return self._clock

    async def open(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        data: Any = None,
        form: dict[str, Any] | None = None,
        files: dict[str, FileStorage] | None = None,
        query_string: dict[str, Any] | None = None,
        json: Any = sentinel,
        scheme: str = "http",
        follow_redirects: bool = False,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response:
        """Send a request and give the whole response.

        data   the body, str or bytes; or its parts (a list, an iterator, an async iterator), sent one by one.

        What the app raises and does not handle is raised here. RuntimeError for redirects that lead out of
        the app, or do not end; WaitTimeoutError when the response does not come in time.
        """
        response = await self._make_request(
            path, method, headers, data, form, files, query_string, json,
            scheme, root_path, http_version, scope_base, auth, subdomain,
        )  # fmt: skip
        visited: list[str] = []
        while follow_redirects and is_redirect(response):
            base = make_test_headers_path_and_query_string(self.app, path, headers, None, None, subdomain)[0]
            step = next_request(response, path, method, scheme, base["host"])
            visited.append(step.path)
            if len(visited) > MAX_REDIRECTS:
                raise RuntimeError(f"more than {MAX_REDIRECTS} redirects: {' -> '.join(visited[-4:])} ...")
            path, method, scheme, query_string = step.path, step.method, step.scheme, None
            headers = Headers(headers)
            headers["host"] = step.host
            if step.drops_body:
                data, form, files, json = None, None, None, sentinel
                for name in ("content-type", "content-length"):
                    headers.remove(name)
            response = await self._make_request(
                path, method, headers, data, form, files, query_string, json,
                scheme, root_path, http_version, scope_base, auth, subdomain,
            )  # fmt: skip
        return response

    async def get(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method GET."""
        return await self.open(*args, method="GET", **kwargs)

    async def post(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method POST."""
        return await self.open(*args, method="POST", **kwargs)

    async def put(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method PUT."""
        return await self.open(*args, method="PUT", **kwargs)

    async def patch(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method PATCH."""
        return await self.open(*args, method="PATCH", **kwargs)

    async def delete(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method DELETE."""
        return await self.open(*args, method="DELETE", **kwargs)

    async def head(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method HEAD: the response has no body, as on the wire."""
        return await self.open(*args, method="HEAD", **kwargs)

    async def options(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method OPTIONS."""
        return await self.open(*args, method="OPTIONS", **kwargs)

    async def trace(self, *args: Any, **kwargs: Any) -> Response:
        """`open` with the method TRACE."""
        return await self.open(*args, method="TRACE", **kwargs)

    def request(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "http",
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> TestHTTPConnection:
        """A request to send and receive part by part: `async with client.request(...) as connection:`."""
        scope = prepare_scope(
            self.app, self.cookie_jar, "http", path, method, headers, query_string, scheme, root_path,
            http_version, scope_base, auth, subdomain, self.preserve_context,
        )  # fmt: skip
        return self._http(scope)

    def websocket(
        self,
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
        can_deny: bool = True,
    ) -> TestWebsocketConnection:
        """A websocket: `async with client.websocket("/ws") as websocket:`.

        can_deny  whether the server can answer the handshake with any response (the ASGI extension
                  websocket.http.response); one that cannot makes a bare 403 of each.
        """
        offered = list(subprotocols or ())
        headers = Headers(headers)
        if offered:
            headers.setdefault("sec-websocket-protocol", ", ".join(offered))
        scope = prepare_scope(
            self.app, self.cookie_jar, "websocket", path, "GET", headers, query_string, scheme, root_path,
            http_version, {"subprotocols": offered, **(scope_base or {})}, auth, subdomain,
        )  # fmt: skip
        if not can_deny:
            extensions = scope.get("extensions") or {}
            scope["extensions"] = {name: extensions[name] for name in extensions if name != "websocket.http.response"}
        connection = self.websocket_connection_class(self.app, scope)
        self._set_up(connection)
        return connection

    def set_cookie(
        self,
        server_name: str,
        key: str,
        value: str = "",
        max_age: int | timedelta | None = None,
        expires: int | float | datetime | None = None,
        path: str = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        samesite: str | None = None,
    ) -> None:
        """Keep a cookie as if the host `server_name` had set it. RuntimeError with use_cookies=False."""
        cookie = dump_cookie(key, value, max_age, expires, path, domain, secure, httponly, samesite=samesite)
        keep_set_cookie(self._jar("set_cookie"), server_name, path, [cookie])

    def delete_cookie(self, server_name: str, key: str, path: str = "/", domain: str | None = None) -> None:
        """Drop a cookie; nothing happens when it is not there. RuntimeError with use_cookies=False."""
        self._jar("delete_cookie")
        self.set_cookie(server_name, key, expires=0, max_age=0, path=path, domain=domain)

    @asynccontextmanager
    async def session_transaction(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "http",
        data: str | bytes | None = None,
        form: dict[str, Any] | None = None,
        json: Any = sentinel,
        root_path: str = "",
        http_version: str = "1.1",
        auth: Authorization | tuple[str, str] | None = None,
    ) -> AsyncGenerator[SessionMixin, None]:
        """The session that the next request will find, to read and to change; saved unless the block raises.

        RuntimeError with use_cookies=False, or when the session cannot be opened (no secret key).
        """
        if self.cookie_jar is None:
            raise RuntimeError("Session transactions only make sense with cookies enabled.")
        made, bare_path, _ = make_test_headers_path_and_query_string(self.app, path, headers, query_string, auth)
        add_cookies(self.cookie_jar, made)
        app = self.app
        async with app.test_request_context(
            path, method=method, headers=made, query_string=query_string, scheme=scheme, data=data, form=form,
            json=json, root_path=root_path, http_version=http_version,
        ) as ctx:  # fmt: skip
            interface = app.session_interface
            session = await _done(interface.open_session(app, ctx.request))
            if session is None:
                raise RuntimeError("Error opening the session. Check the secret_key?")
            yield session
            if not await _done(interface.is_null_session(session)):
                response = app.response_class(b"")
                await _done(interface.save_session(app, session, response))
                keep_cookies(self.cookie_jar, made["host"], bare_path, response.headers)

    async def __aenter__(self) -> Self:
        """Keep the last request's context until the block ends, to look at `request`, `g` and `session`."""
        if self.preserve_context:
            raise RuntimeError("Cannot nest client invocations")
        self.preserve_context = True
        self.app.preserves_context = True
        self.app.plans_changed()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.preserve_context = False
        self.app.preserves_context = False
        self.app.plans_changed()
        token, self._context_token = self._context_token, None
        if token is not None:
            try:
                _cv.reset(token)
            except ValueError:  # left in another task than the request was made in: nothing to undo here
                pass

    async def _make_request(
        self,
        path: str,
        method: str,
        headers: dict[str, Any] | Headers | None,
        data: Any,
        form: dict[str, Any] | None,
        files: dict[str, FileStorage] | None,
        query_string: dict[str, Any] | None,
        json: Any,
        scheme: str,
        root_path: str,
        http_version: str,
        scope_base: dict[str, Any] | None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response:
        chunks = _chunks_of(data)
        body, body_headers = make_test_body_with_headers(
            data=b"" if chunks is not None else data, form=form, files=files, json=json, app=self.app
        )
        headers = Headers(headers)
        for name, value in body_headers.items():
            headers.setdefault(name, value)
        if body and "transfer-encoding" not in headers:
            headers.setdefault("content-length", str(len(body)))
        scope = prepare_scope(
            self.app, self.cookie_jar, "http", path, method, headers, query_string, scheme, root_path,
            http_version, scope_base, auth, subdomain, self.preserve_context,
        )  # fmt: skip
        async with self._http(scope) as connection:
            if chunks is None:
                await connection.send_body(body)
            elif isinstance(chunks, AsyncIterable):
                async for chunk in chunks:
                    await connection.send(chunk)
            else:
                for chunk in chunks:
                    await connection.send(chunk)
            if chunks is not None:
                await connection.send_complete()
            response = await connection.as_response()
        self.push_promises.extend(connection.push_promises)
        if self.preserve_context:
            self._enter_kept_context()
        return response

    def _http(self, scope: Scope) -> TestHTTPConnection:
        connection = self.http_connection_class(self.app, scope, _preserve_context=self.preserve_context)
        self._set_up(connection)
        return connection

    def _set_up(self, connection: TestHTTPConnection | TestWebsocketConnection) -> None:
        connection.timeout = self.timeout
        connection.send_after_close = self.send_after_close
        jar = self.cookie_jar
        if jar is not None:
            host, path = host_of(connection.scope), connection.scope["path"]
            connection.on_answer = lambda headers: keep_cookies(jar, host, path, headers)

    def _jar(self, call: str) -> CookieJar:
        if self.cookie_jar is None:
            raise RuntimeError(f"{call}() needs cookies: this client was made with use_cookies=False")
        return self.cookie_jar

    def _enter_kept_context(self) -> None:
        kept = getattr(self.app, "preserved_context", None)
        if kept is not None:
            token = _cv.set(kept)
            self._context_token = self._context_token or token


async def _done(value: Any) -> Any:
    """Session interfaces may be plain or asynchronous."""
    return await value if inspect.isawaitable(value) else value
