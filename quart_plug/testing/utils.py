"""What a test's arguments become: headers, path, query string, body and ASGI scope.

The name and the functions are Quart's; `app.test_request_context` and the client build on them. Pure
functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlencode

from werkzeug.datastructures import Authorization, Headers, MultiDict
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartEncoder, Preamble

from ..typing import Scope

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

    from ..app import Quart

__all__ = [
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_scope",
    "no_op_push",
    "sentinel",
]

sentinel: Any = object()  # "not given", where None is a value: `json=None` sends null

_BOUNDARY = "----QuartBoundary"
_SAFE_IN_PATH = "/!$&'()*+,;=:@~%"
_SAFE_IN_QUERY = _SAFE_IN_PATH + "?[]"


def make_test_headers_path_and_query_string(
    app: Quart,
    path: str,
    headers: dict[str, Any] | Headers | None = None,
    query_string: Mapping[str, Any] | str | bytes | None = None,
    auth: Authorization | tuple[str, str] | None = None,
    subdomain: str | None = None,
) -> tuple[Headers, str, bytes]:
    """Make the headers, the unquoted path and the query string of a test's connection.

    query_string   a mapping, whose values may be lists, or the string itself; not both here and in the path.
    auth           (user, password) for Basic, or an Authorization.
    subdomain      put before SERVER_NAME in the header Host, unless `headers` has one.
    """
    made = Headers(headers)
    if auth is not None:
        if isinstance(auth, tuple):
            auth = Authorization("basic", {"username": auth[0], "password": auth[1]})
        made["Authorization"] = auth.to_header()
    made.setdefault("User-Agent", "Quart")
    host = app.config["SERVER_NAME"] or "localhost"
    made.setdefault("host", f"{subdomain}.{host}" if subdomain is not None else host)

    bare_path, has_query, query = path.partition("?")
    if query_string is not None:
        if has_query:
            raise ValueError("Query string is defined in the path and as an argument: give it in one place")
        query = _query_of(query_string)
    return made, unquote(bare_path), quote(query, safe=_SAFE_IN_QUERY).encode("ascii")


def _query_of(query_string: Mapping[str, Any] | str | bytes) -> str:
    if isinstance(query_string, bytes):
        return query_string.decode("ascii")
    return query_string if isinstance(query_string, str) else urlencode(list(_pairs(query_string)))


def _pairs(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each (name, value), a list or tuple of values taken apart."""
    items: Iterable[tuple[str, Any]] = (
        values.items(multi=True) if isinstance(values, MultiDict) else values.items()
    )
    for name, value in items:
        for one in value if isinstance(value, (list, tuple)) else (value,):
            yield name, one


def make_test_body_with_headers(
    *,
    data: str | bytes | None = None,
    form: Mapping[str, Any] | None = None,
    files: Mapping[str, FileStorage | list[FileStorage]] | None = None,
    json: Any = sentinel,
    app: Quart | None = None,
) -> tuple[bytes, Headers]:
    """Make a request's body, and the headers that say what it is.

    data   the body itself; `form` fields; `files` (alone or with `form`: multipart); `json` any value, None
           too.
    app    whose JSON provider is asked for what standard JSON has no form for.

    Raises ValueError for more than one of data, json, and form or files; TypeError for data that is no str
    or bytes.
    """
    given = [data is not None, json is not sentinel, form is not None or files is not None]
    if sum(given) > 1:
        raise ValueError("Quart test args 'json', 'form', and 'data' are mutually exclusive")
    if files is not None:
        return _multipart(form or {}, files)
    if form is not None:
        encoded = urlencode(list(_pairs(form))).encode("ascii")
        return encoded, Headers({"Content-Type": "application/x-www-form-urlencoded"})
    if json is not sentinel:
        return json_text(json, app).encode(), Headers({"Content-Type": "application/json"})
    if data is None:
        return b"", Headers()
    if isinstance(data, str):
        return data.encode(), Headers()
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data), Headers()
    raise TypeError(
        f"`data` is the body itself, str or bytes, not {type(data).__name__}: see `form=` and `json=`"
    )


def json_text(value: Any, app: Quart | None) -> str:
    """What a client sends, as with Quart: standard JSON, though the app's provider may write another kind.

    The current app's provider in an app context; `app`'s for what standard JSON has no form for.
    """
    from ..json import dumps

    try:
        return str(dumps(value))
    except TypeError:
        if app is None:
            raise
        return str(app.json.dumps(value))


def _multipart(
    form: Mapping[str, Any], files: Mapping[str, FileStorage | list[FileStorage]]
) -> tuple[bytes, Headers]:
    parts: list[tuple[File | Field, bytes]] = []
    for name, file in _pairs(files):
        headers = Headers(file.headers)
        headers.remove("Content-Disposition")
        filename = file.filename if file.filename is not None else name
        parts.append((File(_quotable(name), _quotable(filename), headers), _content(file)))
    for name, value in _pairs(form):
        parts.append(
            (Field(_quotable(name), Headers()), value if isinstance(value, bytes) else str(value).encode())
        )

    boundary = _BOUNDARY
    while any(boundary.encode() in content for _, content in parts):
        boundary += "-"
    encoder = MultipartEncoder(boundary.encode())
    body = encoder.send_event(Preamble(data=b""))
    for head, content in parts:
        body += encoder.send_event(head)
        body += encoder.send_event(Data(data=content, more_data=False))
    body += encoder.send_event(Epilogue(data=b""))
    return body, Headers({"Content-Type": f"multipart/form-data; boundary={boundary}"})


def _quotable(name: str) -> str:
    """Escape what would end the quoted name (HTML, "multipart/form-data encoding algorithm")."""
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _content(file: FileStorage) -> bytes:
    """Read a file, and leave it as it was where it can be: a redirect may send it again."""
    stream = file.stream
    if not stream.seekable():
        return stream.read()
    start = stream.tell()
    content = stream.read()
    stream.seek(start)
    return content


def make_test_scope(
    type_: str,
    path: str,
    method: str,
    headers: Headers,
    query_string: bytes,
    scheme: str,
    root_path: str,
    http_version: str,
    scope_base: dict[str, Any] | None,
    *,
    _preserve_context: bool = False,
) -> Scope:
    """Make an ASGI scope; what `scope_base` has wins."""
    scope: Scope = {
        "type": type_,
        "http_version": http_version,
        "asgi": {"spec_version": "2.1"},
        "method": method,
        "scheme": scheme,
        "path": path,
        "raw_path": quote(path, safe=_SAFE_IN_PATH).encode("ascii"),
        "query_string": query_string,
        "root_path": root_path,
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "extensions": {},
        "_quart._preserve_context": _preserve_context,
    }
    if type_ == "http" and http_version in {"2", "3"}:
        scope["extensions"] = {"http.response.push": {}}
    elif type_ == "websocket":
        scope["extensions"] = {"websocket.http.response": {}}
    scope.update(scope_base or {})
    return scope


async def no_op_push(path: str, headers: Headers) -> None:
    """Take a push promise and do nothing: what a server without push does."""
