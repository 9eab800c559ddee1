"""Building and matching URLs for the app: adapters, `url_for`, defaults, build errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import quote

from werkzeug.exceptions import HTTPException
from werkzeug.routing import BuildError, RequestRedirect
from werkzeug.sansio.utils import get_host
from werkzeug.utils import redirect as make_redirect

from .globals import _cv, connection_around
from .overrides import default_step
from .scoping import blueprints_of

if TYPE_CHECKING:
    from werkzeug.routing import MapAdapter
    from werkzeug.wrappers import Response as WerkzeugResponse

    from .app import Quart
    from .wrappers.base import BaseRequestWebsocket


class URLBuilding:
    """Mixed into `Quart`."""

    url_build_error_handlers: list[Callable[[Exception, str, dict[str, Any]], str]]

    @default_step
    def create_url_adapter(
        self: Quart, request: BaseRequestWebsocket | None
    ) -> MapAdapter | None:
        """werkzeug's adapter for a request or websocket, or for the app alone (then SERVER_NAME has to be set)."""
        server_name = self.config["SERVER_NAME"]
        if request is None:
            if server_name is None:
                return None
            secure = self.config["PREFER_SECURE_URLS"]
            bound: MapAdapter = self.url_map.bind(
                server_name,
                script_name=self.config["APPLICATION_ROOT"],
                url_scheme="https" if secure else self.config["PREFERRED_URL_SCHEME"],
            )
            return bound
        trusted = self.config["TRUSTED_HOSTS"]
        if trusted is not None:
            request.trusted_hosts = trusted
            get_host(request.scheme, request.headers.get("host"), request.server, trusted)
        subdomain = None if self.subdomain_matching else (self.url_map.default_subdomain or None)
        adapter: MapAdapter = self.url_map.bind_to_request(request, subdomain, server_name)
        return adapter

    def routes_by_host(self: Quart) -> bool:  # type: ignore[misc]  # mixed into Quart
        """Whether the host decides about the rule or about refusing, so that werkzeug's Map is always asked."""
        config = self.config
        decides = config["SERVER_NAME"] is not None or config["TRUSTED_HOSTS"] is not None
        return bool(self.url_map.host_matching or self.subdomain_matching or decides)

    def raise_routing_exception(  # type: ignore[misc]  # mixed into Quart
        self: Quart, request: BaseRequestWebsocket
    ) -> NoReturn:
        """Raise the error of matching: a redirect, 404, 405."""
        error = request.routing_exception
        if error is None:
            raise RuntimeError("raise_routing_exception() was called for a connection that has a rule")
        loses_body = isinstance(error, RequestRedirect) and error.code not in (307, 308)
        if self.debug and loses_body and request.method not in ("GET", "HEAD", "OPTIONS"):
            raise RuntimeError(
                f"a {request.method} request was sent to {request.path!r}, which redirects elsewhere and would lose "
                "its body; send it there, or define the rule without the trailing slash"
            ) from None
        raise error

    def inject_url_defaults(self: Quart, endpoint: str, values: dict[str, Any]) -> None:  # type: ignore[misc]
        """Let the `url_defaults` functions of the app and of the endpoint's blueprints fill in values."""
        for name in (None, *reversed(blueprints_of(endpoint))):
            for function in self.url_default_functions.get(name, ()):
                function(endpoint, values)

    def handle_url_build_error(  # type: ignore[misc]  # mixed into Quart
        self: Quart, error: BuildError, endpoint: str, values: dict[str, Any]
    ) -> str:
        """Ask the `url_build_error_handlers` for a URL; raise the error when none has one."""
        for handler in self.url_build_error_handlers:
            try:
                url = handler(error, endpoint, values)
            except BuildError as raised:
                error = raised
            else:
                if url is not None:
                    return url
        raise error

    def url_for(  # type: ignore[misc]  # mixed into Quart
        self: Quart,
        endpoint: str,
        *,
        _anchor: str | None = None,
        _external: bool | None = None,
        _method: str | None = None,
        _scheme: str | None = None,
        **values: Any,
    ) -> str:
        """The URL of an endpoint.

        In a request or websocket ".name" means an endpoint of the same blueprint, and the URL is relative to the
        host unless `_external` is true or `_scheme` is given. Elsewhere it is external, for which SERVER_NAME has to
        be set. Raises werkzeug's BuildError, RuntimeError without SERVER_NAME, and ValueError for a `_scheme` with
        `_external=False`.
        """
        ctx = current = _cv.get(None)
        if ctx is not None and ctx.kind is None and ctx.app is self:
            ctx = connection_around(ctx) or ctx
        if ctx is not None and ctx.app is self and ctx.kind is not None:
            adapter = ctx.url_adapter
            external = _scheme is not None if _external is None else _external
            if endpoint.startswith("."):
                rule = ctx.url_rule
                blueprint = rule.endpoint.rpartition(".")[0] if rule is not None else ""
                endpoint = f"{blueprint}{endpoint}".lstrip(".") if blueprint else endpoint[1:]
        else:
            adapter = (
                current.url_adapter if current is not None and current.app is self else self.create_url_adapter(None)
            )
            external = True if _external is None else _external
        if adapter is None:
            raise RuntimeError(
                f"url_for({endpoint!r}) outside of a request needs to know the host: set SERVER_NAME in the "
                "configuration (and APPLICATION_ROOT and PREFERRED_URL_SCHEME where they differ), or use a "
                "request's context"
            )
        if _scheme is not None and not external:
            raise ValueError("with _scheme the URL is external; leave out _external=False")
        self.inject_url_defaults(endpoint, values)
        try:
            url = adapter.build(
                endpoint, values, method=_method, url_scheme=_scheme, force_external=bool(external)
            )
        except BuildError as error:
            return self.handle_url_build_error(error, endpoint, values)
        return url if _anchor is None else f"{url}#{quote(_anchor, safe='%!#$&()*+,/:;=?@')}"

    def redirect(self: Quart, location: str, code: int = 302) -> WerkzeugResponse:  # type: ignore[misc]
        """A response that redirects; `quart_plug.redirect` calls it in a context."""
        return make_redirect(location, code=code, Response=self.response_class)

    def trap_http_exception(self: Quart, e: Exception) -> bool:  # type: ignore[misc]  # mixed into Quart
        """Whether an HTTP error is treated like any other error (for debugging)."""
        if self.config["TRAP_HTTP_EXCEPTIONS"]:
            return True
        if isinstance(e, HTTPException) and e.code == 400:
            trap = self.config["TRAP_BAD_REQUEST_ERRORS"]
            if trap is None and self.debug:
                return isinstance(e, KeyError)
            return bool(trap)
        return False
