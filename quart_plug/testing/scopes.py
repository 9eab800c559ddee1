"""The ASGI scope of a client's connection: as a server would make it, cookies included."""

from __future__ import annotations

from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.datastructures import Authorization, Headers
from werkzeug.urls import iri_to_uri

from ..typing import Scope
from .cookies import add_cookies
from .utils import make_test_headers_path_and_query_string, make_test_scope

if TYPE_CHECKING:
    from ..app import Quart

_ASGI = {"version": "3.0", "spec_version": "2.3"}  # since 2.3 a close has a reason


def prepare_scope(
    app: Quart,
    jar: CookieJar | None,
    type_: str,
    path: str,
    method: str,
    headers: dict[str, Any] | Headers | None,
    query_string: dict[str, Any] | None,
    scheme: str,
    root_path: str,
    http_version: str,
    scope_base: dict[str, Any] | None,
    auth: Authorization | tuple[str, str] | None,
    subdomain: str | None,
    preserve_context: bool = False,
) -> Scope:
    """Make the scope. `path` may be a whole URL, whose scheme and host then count; `scope_base` wins."""
    url = urlsplit(path)
    if url.scheme in ("http", "https", "ws", "wss") and url.netloc:
        scheme = url.scheme
        headers = Headers(headers)
        headers.setdefault("host", url.netloc)
        path = path.partition(url.netloc)[2]
    if not path.startswith("/"):
        path = f"/{path}"
    made, bare_path, query = make_test_headers_path_and_query_string(
        app, path, headers, query_string, auth, subdomain
    )
    if jar is not None:
        add_cookies(jar, made)
    scope = make_test_scope(
        type_, bare_path, method, made, query, scheme, root_path, http_version, None,
        _preserve_context=preserve_context,
    )  # fmt: skip
    scope["asgi"] = dict(_ASGI)
    scope["raw_path"] = iri_to_uri(path.partition("?")[0]).encode("ascii")
    scope.update(scope_base or {})
    return scope


def host_of(scope: Scope) -> str:
    """The header Host of a scope."""
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1"))
    return "localhost"
