"""Protocols of what `test_app_class` and `test_client_class` have to offer; testing/ has the shipped ones.

Quart has these names in its module `typing`, and so has ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime, timedelta
    from http.cookiejar import CookieJar
    from types import TracebackType

    from werkzeug.datastructures import Authorization, FileStorage, Headers

    from .app import Quart
    from .sessions import SessionMixin
    from .typing import Scope
    from .wrappers import Response



class TestHTTPConnectionProtocol(Protocol):
    """A request that a test sends piece by piece, and whose response it receives the same way."""

    @property
    def push_promises(self) -> list[tuple[str, Headers]]: ...

    def __init__(self, app: Quart, scope: Scope, _preserve_context: bool = False) -> None: ...
    async def send(self, data: bytes) -> None: ...
    async def send_complete(self) -> None: ...
    async def receive(self) -> bytes: ...
    async def disconnect(self) -> None: ...
    async def __aenter__(self) -> TestHTTPConnectionProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...
    async def as_response(self) -> Response: ...


class TestWebsocketConnectionProtocol(Protocol):
    """A websocket of a test's."""

    def __init__(self, app: Quart, scope: Scope) -> None: ...
    async def __aenter__(self) -> TestWebsocketConnectionProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...
    async def receive(self) -> str | bytes: ...
    async def send(self, data: str | bytes) -> None: ...
    async def receive_json(self) -> Any: ...
    async def send_json(self, data: Any) -> None: ...
    async def close(self, code: int) -> None: ...
    async def disconnect(self) -> None: ...


class TestClientProtocol(Protocol):
    """A client for tests; the arguments are those of `quart_plug.testing.QuartClient`."""

    app: Quart
    cookie_jar: CookieJar | None

    @property
    def http_connection_class(self) -> type[TestHTTPConnectionProtocol]: ...
    @property
    def push_promises(self) -> list[tuple[str, Headers]]: ...
    @property
    def websocket_connection_class(self) -> type[TestWebsocketConnectionProtocol]: ...

    def __init__(self, app: Quart, use_cookies: bool = True) -> None: ...
    async def open(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        data: str | bytes | None = None,
        form: dict[str, Any] | None = None,
        files: dict[str, FileStorage] | None = None,
        query_string: dict[str, Any] | None = None,
        json: Any = ...,
        scheme: str = "http",
        follow_redirects: bool = False,
        root_path: str = "",
        http_version: str = "1.1",
        scope_base: dict[str, Any] | None = None,
        auth: Authorization | tuple[str, str] | None = None,
        subdomain: str | None = None,
    ) -> Response: ...
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
    ) -> TestHTTPConnectionProtocol: ...
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
    ) -> TestWebsocketConnectionProtocol: ...
    async def delete(self, *args: Any, **kwargs: Any) -> Response: ...
    async def get(self, *args: Any, **kwargs: Any) -> Response: ...
    async def head(self, *args: Any, **kwargs: Any) -> Response: ...
    async def options(self, *args: Any, **kwargs: Any) -> Response: ...
    async def patch(self, *args: Any, **kwargs: Any) -> Response: ...
    async def post(self, *args: Any, **kwargs: Any) -> Response: ...
    async def put(self, *args: Any, **kwargs: Any) -> Response: ...
    async def trace(self, *args: Any, **kwargs: Any) -> Response: ...
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
    ) -> None: ...
    def delete_cookie(self, server_name: str, key: str, path: str = "/", domain: str | None = None) -> None: ...
    def session_transaction(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, Any] | Headers | None = None,
        query_string: dict[str, Any] | None = None,
        scheme: str = "http",
        data: str | bytes | None = None,
        form: dict[str, Any] | None = None,
        json: Any = None,
        root_path: str = "",
        http_version: str = "1.1",
    ) -> AbstractAsyncContextManager[SessionMixin]: ...


class TestAppProtocol(Protocol):
    """An app that has been started up, for tests."""

    def __init__(self, app: Quart) -> None: ...
    def test_client(self, *args: Any, **kwargs: Any) -> TestClientProtocol: ...
    async def startup(self) -> None: ...
    async def shutdown(self) -> None: ...
    async def __aenter__(self) -> TestAppProtocol: ...
    async def __aexit__(self, exc_type: type, exc_value: BaseException, tb: TracebackType) -> None: ...


for _protocol in (TestAppProtocol, TestClientProtocol, TestHTTPConnectionProtocol, TestWebsocketConnectionProtocol):
    _protocol.__test__ = False  # type: ignore[union-attr]  # pytest is not to collect them
