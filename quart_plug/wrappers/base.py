"""What a request and a websocket share: the values of their scope, and the rule that matched.

A wrapper is made in one of two ways. `from_context` stores the context and the scope and nothing else: each
value is read from the scope when first touched, and stays. The constructor takes Quart's arguments, for tests
and subclasses. Either way an attribute can be assigned. Knows no body and no socket.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from werkzeug.exceptions import SecurityError
from werkzeug.http import parse_options_header
from werkzeug.sansio.request import Request as SansIORequest
from werkzeug.sansio.utils import get_host

from ..exceptions import ClientDisconnected
from ..globals import _cv
from .scope import ScopeHeaders, full_path, remote_address, server_address

if TYPE_CHECKING:
    from typing import Self

    from werkzeug.datastructures import Headers
    from werkzeug.exceptions import HTTPException
    from werkzeug.routing import Rule

    from ..app import Quart
    from ..ctx import Context
    from ..plan import Plan
    from ..typing import Scope

ClientDisconnectedError = ClientDisconnected  # Quart 0.23's name

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class _WhenTouched:
    """A value read when first touched, then stored on the wrapper, where an assignment puts it as well."""

    def __init__(self, read: Callable[[Any], Any]) -> None:
        self.read = read

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, wrapper: Any, owner: type) -> Any:
        if wrapper is None:
            return self
        value = self.read(wrapper)
        setattr(wrapper, self.name, value)  # not through __dict__, which CPython would have to make first
        return value


def when_touched(read: Callable[[Any], T]) -> T:
    """Declare an attribute as `read(wrapper)`, evaluated when first touched."""
    return cast("T", _WhenTouched(read))


def may_be_skipped(constructor: F) -> F:
    """Mark a constructor that `from_context` may go around. A subclass's own one is not marked, and runs."""
    constructor.may_be_skipped = True  # type: ignore[attr-defined]
    return constructor


class _ContentTypes(dict[bytes | None, tuple[str, dict[str, str], bool]]):
    """A content type as the client sent it -> media type in lower case, parameters, whether it is JSON.

    There are few in an application's life, unless a client makes them up; then the table stays as it is.
    """

    def __missing__(self, value: bytes | None) -> tuple[str, dict[str, str], bool]:
        mimetype, parameters = parse_options_header((value or b"").decode("latin-1"))
        mimetype = mimetype.lower()
        is_json = mimetype == "application/json" or (
            mimetype.startswith("application/") and mimetype.endswith("+json")
        )
        if len(self) < 256 and len(value or b"") < 128:
            self[value] = mimetype, parameters, is_json
        return mimetype, parameters, is_json


_CONTENT_TYPES = _ContentTypes()


class BaseRequestWebsocket(SansIORequest):
    """The base of `Request` and `Websocket`; what Werkzeug's sans-I/O request offers, it offers.

    method        "GET", "POST", …; a websocket's is "GET".
    scheme        "http", "https", "ws" or "wss".
    server        (host, port), (path, None) on a Unix socket, or None.
    root_path     where the application is mounted, without a trailing slash.
    path          the decoded path below `root_path`.
    query_string  the bytes after the question mark.
    host          with the port, unless it is the scheme's default; touching it answers 400 when the header is no host,
                  or none of TRUSTED_HOSTS.
    remote_addr   the peer's address as the server gives it, "<local>" if it gives none.
    http_version  "1.0", "1.1", "2" or "3".
    scope         the ASGI scope.
    """

    scope: Scope
    _ctx: Context | None = None
    _view_args: dict[str, Any] | None = None
    _url_rule: Rule | None = None
    _plan: Plan | None = None  # set, in place of the context, when the connection is over
    _routing_exception: HTTPException | None = None
    _headers: Headers | None = None

    method: str = when_touched(lambda self: self.scope.get("method", "GET"))
    scheme: str = when_touched(
        lambda self: self.scope.get("scheme") or ("ws" if self.scope["type"] == "websocket" else "http")
    )
    server: tuple[str, int | None] | None = when_touched(lambda self: server_address(self.scope))
    root_path: str = when_touched(lambda self: (self.scope.get("root_path") or "").rstrip("/"))
    path: str = when_touched(lambda self: full_path(self.scope))
    query_string: bytes = when_touched(lambda self: self.scope.get("query_string", b""))
    remote_addr: str | None = when_touched(lambda self: remote_address(self.scope))
    http_version: str = when_touched(lambda self: self.scope.get("http_version", "1.1"))

    @may_be_skipped
    def __init__(
        self,
        method: str,
        scheme: str,
        path: str,
        query_string: bytes,
        headers: Headers,
        root_path: str,
        http_version: str,
        scope: Scope,
    ) -> None:
        super().__init__(
            method,
            scheme,
            server_address(scope),
            root_path,
            path,
            query_string,
            headers,
            headers.get("Remote-Addr"),
        )
        self.http_version = http_version
        self.scope = scope

    @classmethod
    def from_context(cls, ctx: Context) -> Self:
        """The wrapper of a context's connection. A subclass's constructor is called, as Quart calls it."""
        wrapper = cls.__new__(cls)
        wrapper._ctx = ctx
        if getattr(cls.__init__, "may_be_skipped", False):
            wrapper.scope = ctx.scope
        else:
            wrapper._call_constructor(ctx)
        return wrapper

    def _call_constructor(self, ctx: Context) -> None:
        """Call `__init__` as Quart's ASGI classes do."""
        raise NotImplementedError("a class with a constructor of its own says how it is called")

    def _app(self) -> Quart | None:
        """The application: that of the context it was made from, or the current one."""
        ctx = self._ctx or _cv.get(None)
        return None if ctx is None else ctx.app

    def _host(self) -> str:
        given = self.headers.getlist("Host")
        host = get_host(self.scheme, given[0] if given else None, self.server, self.trusted_hosts)
        if len(given) > 1 or (given and given[0] and not host):
            # An address made of it would have another path than the one that was matched (RFC 9112, 3.2).
            raise SecurityError("The header Host has to be one host.")
        return host

    host: str = when_touched(_host)

    @property
    def headers(self) -> Headers:
        """The headers that came with the connection."""
        headers = self._headers
        if headers is None:
            headers = None if self._ctx is None else self._ctx._headers
            self._headers = headers = ScopeHeaders(self.scope) if headers is None else headers
        return headers

    @headers.setter
    def headers(self, headers: Headers) -> None:
        self._headers = headers
        if self._ctx is not None:
            self._ctx._headers = headers

    # What is assigned can be deleted again, as `mock.patch("quart.request.headers", …)` does.
    @headers.deleter
    def headers(self) -> None:
        self._headers = None
        if self._ctx is not None:
            self._ctx._headers = None

    def _json_module(self) -> Any:
        """What loads JSON: the application's provider, and without an application `quart_plug.json`."""
        ctx = self._ctx or _cv.get(None)
        if ctx is not None and ctx.app is not None:
            return ctx.app.json
        from .. import json

        return json

    json_module: Any = when_touched(_json_module)

    # What matched -------------------------------------------------------------------------------------------

    @property
    def view_args(self) -> dict[str, Any] | None:
        """The values of the rule's variables."""
        if self._ctx is not None:
            return self._ctx.view_args if self.url_rule is not None else None
        if self._plan is not None and not self._view_args:  # never touched: what it holds is shared
            self._view_args = {} if self._plan.rule is not None else None
        return self._view_args

    @view_args.setter
    def view_args(self, values: dict[str, Any] | None) -> None:
        if self._ctx is None:
            self._view_args = values
        else:
            self._ctx.view_args = values

    @view_args.deleter
    def view_args(self) -> None:
        self.view_args = None

    @property
    def url_rule(self) -> Rule | None:
        """The rule that matched, or None."""
        if self._url_rule is None:
            if self._ctx is not None:
                return self._ctx.url_rule
            if self._plan is not None:
                return self._plan.rule
        return self._url_rule

    @url_rule.setter
    def url_rule(self, rule: Rule | None) -> None:
        self._url_rule = rule

    @url_rule.deleter
    def url_rule(self) -> None:
        self._url_rule = None

    @property
    def routing_exception(self) -> HTTPException | None:
        """Why no rule matched: it is raised in place of the view, after the before functions."""
        return self._routing_exception if self._ctx is None else self._ctx.routing_exception

    @routing_exception.setter
    def routing_exception(self, error: HTTPException | None) -> None:
        if self._ctx is None:
            self._routing_exception = error
        else:
            self._ctx.routing_exception = error

    @routing_exception.deleter
    def routing_exception(self) -> None:
        self.routing_exception = None

    @property
    def endpoint(self) -> str | None:
        """The endpoint of the rule that matched, such as "blueprint.view", or None."""
        rule = self.url_rule
        return None if rule is None else rule.endpoint

    @property
    def blueprint(self) -> str | None:
        """The dotted name of the blueprint that the rule belongs to, or None."""
        endpoint = self.endpoint
        return endpoint.rpartition(".")[0] or None if endpoint is not None else None

    @property
    def blueprints(self) -> list[str]:
        """The rule's blueprint and those it is nested in, the innermost first."""
        names = []
        name = self.blueprint
        while name:
            names.append(name)
            name = name.rpartition(".")[0]
        return names

    @property
    def script_root(self) -> str:
        """`root_path` without a trailing slash (Werkzeug's older name)."""
        return self.root_path.rstrip("/")

    @property
    def url_root(self) -> str:
        """`root_url` (Werkzeug's older name)."""
        return self.root_url

    # Media type ---------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "mimetype" in cls.__dict__ and "is_json" not in cls.__dict__:
            cls.is_json = SansIORequest.is_json  # type: ignore[method-assign]  # it asks for the new mimetype

    def _content_type(self) -> tuple[str, dict[str, str], bool]:
        if self._headers is not None:  # somebody may have changed them
            value = self._headers.get("Content-Type")
            return _CONTENT_TYPES[None if value is None else value.encode("latin-1", "replace")]
        for name, value in self.scope["headers"]:
            if name == b"content-type":
                return _CONTENT_TYPES[value]
        return _CONTENT_TYPES[None]

    @property
    def mimetype(self) -> str:
        """The media type in lower case, without parameters: "text/html"; "" when there is none."""
        return self._content_type()[0]

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the media type, such as {"charset": "utf-8"}."""
        return {**self._content_type()[1]}

    @property
    def is_json(self) -> bool:
        """Whether the media type says JSON: `application/json` or `application/*+json`."""
        return self._content_type()[2]
