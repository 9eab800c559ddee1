"""`quart.testing.client` and `quart.testing.utils`: whole requests, cookies, sessions, redirects."""

from __future__ import annotations

import io
from typing import Any

import pytest
from werkzeug.datastructures import Authorization, FileStorage, Headers

from quart_plug import Quart, Response, has_request_context, make_push_promise, redirect, request, session, websocket
from quart_plug.testing import QuartClient
from quart_plug.testing.client import U2Request
from quart_plug.testing.connections import TestHTTPConnection, TestWebsocketConnection
from quart_plug.testing.utils import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)
from tests.support.surface import shows

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.secret_key = "secret"
    app.testing = True

    @app.route("/echo", methods=METHODS)
    async def echo() -> Response:
        """What arrived, as a header, since HEAD has no body."""
        arrived = {
            "method": request.method,
            "url": request.url,
            "body": (await request.get_data()).decode(),
            "form": (await request.form).to_dict(),
            "files": {name: (file.filename, file.read().decode()) for name, file in (await request.files).items()},
            "type": request.mimetype,
            "auth": None if request.authorization is None else request.authorization.to_header(),
            "x": request.headers.get("X"),
            "version": request.http_version,
            "client": request.remote_addr,
            "root": request.root_path,
            "cookies": dict(request.cookies),
        }
        return Response("body", headers={"X-Arrived": ascii(arrived)})

    return app


async def arrived(response: Response) -> dict[str, Any]:
    return eval(response.headers["X-Arrived"])  # type: ignore[no-any-return]  # what `echo` wrote


@shows(
    "testing.client.QuartClient",
    "testing.client.QuartClient.open",
    "testing.client.QuartClient.get",
    "testing.client.QuartClient.post",
    "testing.client.QuartClient.put",
    "testing.client.QuartClient.patch",
    "testing.client.QuartClient.delete",
    "testing.client.QuartClient.head",
    "testing.client.QuartClient.options",
    "testing.client.QuartClient.trace",
)
@pytest.mark.parametrize("method", METHODS)
async def test_methods(app: Quart, method: str) -> None:
    client = app.test_client()
    for response in (
        await getattr(client, method.lower())("/echo", headers={"X": "1"}),
        await client.open("/echo", method=method, headers={"X": "1"}),
    ):
        assert isinstance(response, Response)
        assert response.status_code == 200
        seen = await arrived(response)
        assert (seen["method"], seen["x"]) == (method, "1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"data": "text"}, {"body": "text"}),
        ({"data": b"bytes"}, {"body": "bytes"}),
        ({"json": {"a": [1]}}, {"body": '{"a": [1]}', "type": "application/json"}),
        ({"json": None}, {"body": "null"}),
        ({"form": {"a": "1", "b": "é&"}}, {"form": {"a": "1", "b": "é&"}, "type": "application/x-www-form-urlencoded"}),
        ({"query_string": {"a": "b c"}}, {"url": "http://localhost/echo?a=b+c"}),
        ({"headers": Headers({"X": "2", "Host": "example.com"})}, {"x": "2", "url": "http://example.com/echo"}),
        ({"auth": ("user", "pass")}, {"auth": "Basic dXNlcjpwYXNz"}),
        ({"auth": Authorization("bearer", token="t")}, {"auth": "Bearer t"}),
        ({"scheme": "https"}, {"url": "https://localhost/echo"}),
        ({"http_version": "2"}, {"version": "2"}),
        ({"subdomain": "sub"}, {"url": "http://sub.localhost/echo"}),
        ({"scope_base": {"client": ("1.2.3.4", 5)}}, {"client": "1.2.3.4"}),
        ({"path": "/app/echo", "root_path": "/app"}, {"root": "/app", "url": "http://localhost/app/echo"}),
    ],
)
async def test_options_of_a_request(app: Quart, options: dict[str, Any], expected: dict[str, Any]) -> None:
    path = options.pop("path", "/echo")
    response = await app.test_client().post(path, **options)
    seen = await arrived(response)
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.parametrize("form", [None, {"field": "value"}])
async def test_files(app: Quart, form: Any) -> None:
    file = FileStorage(io.BytesIO(b"content"), filename="name.txt", content_type="text/plain")
    seen = await arrived(await app.test_client().post("/echo", files={"file": file}, form=form))
    assert (seen["files"], seen["form"]) == ({"file": ("name.txt", "content")}, form or {})
    assert seen["type"] == "multipart/form-data"


@shows("testing.client.QuartClient.set_cookie", "testing.client.QuartClient.delete_cookie")
async def test_cookies(app: Quart) -> None:
    """They are kept from responses, set and deleted by hand, and sent with requests and websockets."""

    @app.route("/set")
    async def set_cookie() -> Response:
        response = Response("")
        response.set_cookie("from_app", "1", path="/elsewhere", secure=True)
        return response

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json(sorted(websocket.cookies))

    client = app.test_client()
    await client.get("/set")
    client.set_cookie("localhost", "by_hand", "2", path="/", httponly=True, samesite="Lax", max_age=60)
    client.set_cookie("localhost", "gone", "3", max_age=0)
    assert (await arrived(await client.get("/echo")))["cookies"] == {"from_app": "1", "by_hand": "2"}
    async with client.websocket("/ws") as connection:
        assert await connection.receive_json() == ["by_hand", "from_app"]
    seen = await arrived(await client.get("/echo", headers={"Cookie": "by_hand=9; own=4"}))
    assert seen["cookies"] == {"from_app": "1", "by_hand": "9", "own": "4"}
    client.delete_cookie("localhost", "by_hand")
    client.delete_cookie("localhost", "never there")
    assert (await arrived(await client.get("/echo")))["cookies"] == {"from_app": "1"}

    without = app.test_client(use_cookies=False)
    await without.get("/set")
    assert (await arrived(await without.get("/echo")))["cookies"] == {}


@shows("testing.client.U2Request")
def test_a_request_for_the_cookie_jar() -> None:
    """What the standard library's cookie jar needs of a request; for a jar that is looked at by hand."""
    client = QuartClient(Quart(__name__))
    client.set_cookie("localhost", "a", "1")
    jar_request = U2Request("http://localhost/")
    assert client.cookie_jar is not None
    client.cookie_jar.add_cookie_header(jar_request)
    assert jar_request.get_header("Cookie") == "a=1"


@shows("testing.client.QuartClient.session_transaction")
async def test_session_transaction(app: Quart) -> None:
    """The next request finds what was put there; not what was put there by a block that failed."""
    app.add_url_rule("/name", "name", lambda: str(session.get("name")))
    client = app.test_client()

    async def name() -> str:
        return await (await client.get("/name")).get_data(as_text=True)  # type: ignore[no-any-return]

    async with client.session_transaction() as changed:
        changed["name"] = "me"
    assert await name() == "me"
    async with client.session_transaction("/any", method="POST", headers={"X": "1"}, json={}) as changed:
        assert dict(changed) == {"name": "me"}
        changed["name"] = "you"
    with pytest.raises(LookupError):
        async with client.session_transaction() as changed:
            changed["name"] = "nobody"
            raise LookupError
    assert await name() == "you"
    with pytest.raises(RuntimeError, match="cookies enabled"):
        async with app.test_client(use_cookies=False).session_transaction():
            pass
    app.secret_key = None
    with pytest.raises(RuntimeError, match="secret_key"):
        async with app.test_client().session_transaction():
            pass


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "GET", ("GET", "")),
        (302, "POST", ("GET", "")),
        (303, "PUT", ("GET", "")),
        (307, "POST", ("POST", "body")),
        (308, "PUT", ("PUT", "body")),
    ],
)
async def test_redirects(app: Quart, status: int, method: str, then: tuple[str, str]) -> None:
    """Followed when asked for; cookies that are set on the way count."""

    @app.route("/first", methods=METHODS)
    async def first() -> Any:
        response = redirect("second", status)
        response.set_cookie("on_the_way", "1")
        return response

    @app.route("/second", methods=METHODS)
    async def second() -> Any:
        return redirect("http://localhost/echo?a=1", 307)

    client = app.test_client()
    body = {"data": "body"} if method != "GET" else {}
    response = await client.open("/first", method=method, **body)
    assert (response.status_code, response.location) == (status, "second")
    seen = await arrived(await client.open("/first", method=method, headers={"X": "1"}, follow_redirects=True, **body))
    assert (seen["method"], seen["body"], seen["x"], seen["url"]) == (*then, "1", "http://localhost/echo?a=1")
    assert seen["cookies"] == {"on_the_way": "1"}


async def test_push_promises(app: Quart) -> None:
    """Of HTTP/2 and 3 only; each with the headers that the server would take."""

    @app.route("/push")
    async def push() -> str:
        await make_push_promise("/style.css")
        return ""

    client = app.test_client()
    await client.get("/push")
    assert client.push_promises == []
    await client.get("/push", http_version="2", headers={"Accept-Encoding": "gzip"})
    (path, headers) = client.push_promises[0]
    assert (path, headers["Accept-Encoding"]) == ("/style.css", "gzip")


async def test_the_context_is_kept_for_a_look(app: Quart) -> None:
    app.add_url_rule("/set", "set", lambda: session.update(a=1) or "")
    async with app.test_client() as client:
        await client.get("/echo?a=1")
        assert (request.path, request.args["a"]) == ("/echo", "1")
        await client.get("/set")
        assert (request.path, session["a"]) == ("/set", 1)
        with pytest.raises(RuntimeError, match="nest"):
            async with client:
                pass
    assert not has_request_context()


@shows(
    "testing.client.QuartClient.http_connection_class",
    "testing.client.QuartClient.websocket_connection_class",
)
async def test_connections_of_ones_own(app: Quart) -> None:
    """And a subclass may change what is sent in `_make_request`, with Quart's parameters."""

    class OwnHTTP(TestHTTPConnection):
        pass

    class OwnWebsocket(TestWebsocketConnection):
        pass

    class Own(QuartClient):
        http_connection_class = OwnHTTP
        websocket_connection_class = OwnWebsocket

        async def _make_request(self, path: str, method: str, headers: Any, data: Any, *rest: Any) -> Response:
            return await super()._make_request(path, method, {**(headers or {}), "X": "own"}, data, *rest)

    app.test_client_class = Own
    client = app.test_client()
    assert isinstance(client, Own)
    assert type(client.request("/")) is OwnHTTP and type(client.websocket("/")) is OwnWebsocket
    assert (await arrived(await client.get("/echo")))["x"] == "own"


# Utilities -----------------------------------------------------------------------------------------------------------


@shows("testing.utils.make_test_body_with_headers", "testing.utils.sentinel")
@pytest.mark.parametrize(
    ("given", "body", "content_type"),
    [
        ({}, b"", None),
        ({"data": "é"}, "é".encode(), None),
        ({"data": b"x"}, b"x", None),
        ({"form": {"a": "1 2"}}, b"a=1+2", "application/x-www-form-urlencoded"),
        ({"json": None}, b"null", "application/json"),
        ({"json": sentinel}, b"", None),
    ],
)
def test_a_body_and_its_headers(given: dict[str, Any], body: bytes, content_type: str | None) -> None:
    made, headers = make_test_body_with_headers(**given)
    assert (made, headers.get("Content-Type")) == (body, content_type)
    for conflict in ({"data": "x", "json": 1}, {"form": {}, "json": 1}, {"data": "x", "form": {}}):
        with pytest.raises(ValueError, match="mutually exclusive"):
            make_test_body_with_headers(**conflict)


@shows("testing.utils.make_test_headers_path_and_query_string")
@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("/a", {}, ("localhost", "/a", b"")),
        ("/a%20b?c=d&e", {}, ("localhost", "/a b", b"c=d&e")),
        ("/a", {"query_string": {"c": "é", "d": 1}}, ("localhost", "/a", b"c=%C3%A9&d=1")),
        ("/a", {"subdomain": "sub"}, ("sub.localhost", "/a", b"")),
        ("/a", {"headers": {"host": "other"}}, ("other", "/a", b"")),
    ],
)
def test_headers_path_and_query_string(path: str, options: dict[str, Any], expected: Any) -> None:
    app = Quart(__name__)
    headers, bare_path, query = make_test_headers_path_and_query_string(app, path, **options)
    assert (headers["host"], bare_path, query) == expected
    assert headers["User-Agent"] == "Quart"
    headers = make_test_headers_path_and_query_string(app, "/", {"User-Agent": "me"}, auth=("u", "p"))[0]
    assert (headers["User-Agent"], headers["Authorization"]) == ("me", "Basic dTpw")
    with pytest.raises(ValueError, match="path and as an argument"):
        make_test_headers_path_and_query_string(app, "/?a=1", query_string={"b": 2})
    app.config["SERVER_NAME"] = "example.com"
    assert make_test_headers_path_and_query_string(app, "/", subdomain="s")[0]["host"] == "s.example.com"


@shows("testing.utils.make_test_scope", "testing.utils.no_op_push")
async def test_a_scope(app: Quart) -> None:
    """An app can be called with it, and `no_op_push` takes the place of a server that pushes."""
    headers = Headers({"Host": "localhost", "X": "1"})
    scope = make_test_scope("http", "/a b", "GET", headers, b"c=d", "https", "/root", "2", {"client": ("h", 1)})
    assert (scope["type"], scope["path"], scope["raw_path"]) == ("http", "/a b", b"/a%20b")
    assert scope["query_string"] == b"c=d"
    assert (scope["scheme"], scope["root_path"], scope["http_version"]) == ("https", "/root", "2")
    assert (b"x", b"1") in scope["headers"]
    assert (scope["client"], scope["extensions"]) == (("h", 1), {"http.response.push": {}})
    socket = make_test_scope("websocket", "/", "GET", headers, b"", "ws", "", "1.1", None)
    assert socket["extensions"] == {"websocket.http.response": {}}

    scope = make_test_scope("http", "/echo", "GET", headers, b"", "http", "", "1.1", None)
    made = app.request_class("GET", "http", "/echo", b"", headers, "", "1.1", scope, send_push_promise=no_op_push)
    assert await made.send_push_promise("/style.css") is None
    async with TestHTTPConnection(app, scope) as connection:
        await connection.send_complete()
        assert (await arrived(await connection.as_response()))["x"] == "1"
