"""What `QuartClient` sends, and what it makes of the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from werkzeug.datastructures import Authorization, FileStorage, Headers

from quart_plug.globals import _cv
from quart_plug.testing import QuartClient, TestHTTPConnection, WaitTimeoutError
from quart_plug.typing import Message, Receive, Scope, Send


class Recorder:
    """An app that keeps what it gets, and answers with what it is told to."""

    def __init__(self, *headers: tuple[str, str], status: int = 200) -> None:
        self.scope: Scope = {}
        self.messages: list[Message] = []
        self.answers = [(status, headers)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.messages = []
        more = True
        while more:
            message = await receive()
            self.messages.append(message)
            more = message.get("more_body", False)
        status, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        pairs = [(name.encode(), value.encode()) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": json.dumps({"path": scope["path"]}).encode()})

    @property
    def body(self) -> bytes:
        return b"".join(message["body"] for message in self.messages)

    def header(self, name: str) -> str | None:
        values = [v.decode() for n, v in self.scope["headers"] if n == name.encode()]
        assert len(values) < 2, "each header once"
        return values[0] if values else None


@pytest.fixture
def app() -> Recorder:
    return Recorder()


@pytest.fixture
def client(bare_app: Any, app: Recorder) -> QuartClient:
    return QuartClient(bare_app(app), timeout=1)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "trace"])
async def test_each_method(client: QuartClient, app: Recorder, method: str) -> None:
    response = await getattr(client, method)("/a")
    assert app.scope["method"] == method.upper()
    assert await response.get_data() == b'{"path": "/a"}'


async def test_a_response_to_head_has_no_body(client: QuartClient, app: Recorder) -> None:
    response = await client.head("/a")
    assert (app.scope["method"], response.status_code, await response.get_data()) == ("HEAD", 200, b"")


async def test_the_scope_is_a_servers(client: QuartClient, app: Recorder) -> None:
    await client.get("/a b/é%2F?x=1", scheme="https", http_version="2", root_path="/r")
    assert {name: value for name, value in app.scope.items() if not name.startswith("_")} == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2",
        "method": "GET",
        "scheme": "https",
        "path": "/a b/é/",
        "raw_path": b"/a%20b/%C3%A9%2F",
        "query_string": b"x=1",
        "root_path": "/r",
        "headers": [(b"user-agent", b"Quart"), (b"host", b"localhost")],
        "extensions": {"http.response.push": {}},
    }


async def test_scope_base_wins(client: QuartClient, app: Recorder) -> None:
    await client.get("/", scope_base={"client": ("10.0.0.1", 80), "http_version": "3"})
    assert (app.scope["client"], app.scope["http_version"]) == (("10.0.0.1", 80), "3")


async def test_a_whole_url_gives_scheme_and_host(client: QuartClient, app: Recorder) -> None:
    await client.get("https://example.com/a?x=1")
    assert (app.scope["scheme"], app.header("host"), app.scope["path"]) == ("https", "example.com", "/a")


@pytest.mark.parametrize("path", ["a", "?x=1", ""])
async def test_a_path_begins_with_a_slash(client: QuartClient, app: Recorder, path: str) -> None:
    await client.get(path)
    assert app.scope["path"] == ("/a" if path == "a" else "/")


@pytest.mark.parametrize(
    ("given", "body", "content_type"),
    [
        ({"data": "é"}, "é".encode(), None),
        ({"data": b"x"}, b"x", None),
        ({"form": {"a": "1", "b": ["2", "3"]}}, b"a=1&b=2&b=3", "application/x-www-form-urlencoded"),
        ({"json": {"a": 1}}, b'{"a": 1}', "application/json"),
        ({"json": None}, b"null", "application/json"),
        ({"json": 1, "headers": {"Content-Type": "a/b"}}, b"1", "a/b"),
    ],
)
async def test_a_body_is_one_message_with_its_length(
    client: QuartClient, app: Recorder, given: dict[str, Any], body: bytes, content_type: str | None
) -> None:
    await client.post("/", **given)
    assert app.messages == [{"type": "http.request", "body": body, "more_body": False}]
    assert (app.header("content-type"), app.header("content-length")) == (content_type, str(len(body)))


async def test_no_body_is_an_empty_message(client: QuartClient, app: Recorder) -> None:
    await client.get("/")
    assert app.messages == [{"type": "http.request", "body": b"", "more_body": False}]
    assert app.header("content-length") is None


async def test_a_length_that_the_test_gives_stays(client: QuartClient, app: Recorder) -> None:
    await client.post("/", data=b"abc", headers={"Content-Length": "7"})
    assert app.header("content-length") == "7"


async def parts() -> AsyncIterator[bytes]:
    for part in (b"a", b"b"):
        yield part


@pytest.mark.parametrize("data", [[b"a", b"b"], (b"a", b"b"), iter([b"a", b"b"]), parts()])
async def test_a_body_in_parts_is_sent_part_by_part(client: QuartClient, app: Recorder, data: Any) -> None:
    await client.post("/", data=data)
    assert [(m["body"], m["more_body"]) for m in app.messages] == [(b"a", True), (b"b", True), (b"", False)]
    assert app.header("content-length") is None


async def test_files_can_be_sent_again(client: QuartClient, app: Recorder) -> None:
    file = FileStorage(BytesIO(b"content"), filename="n.txt")
    for _ in range(2):
        await client.post("/", files={"f": file}, form={"a": "1"})
        assert b'name="f"; filename="n.txt"' in app.body
        assert b"content" in app.body


@pytest.mark.parametrize(
    ("auth", "sent"), [(("u", "p"), "Basic dTpw"), (Authorization("bearer", token="t"), "Bearer t")]
)
async def test_auth(client: QuartClient, app: Recorder, auth: Any, sent: str) -> None:
    await client.get("/", auth=auth)
    assert app.header("authorization") == sent


async def test_a_subdomain_is_of_the_server_name(client: QuartClient, app: Recorder) -> None:
    client.app.config["SERVER_NAME"] = "example.com:81"
    await client.get("/", subdomain="api")
    assert app.header("host") == "api.example.com:81"


async def test_headers_are_not_changed_for_the_caller(client: QuartClient) -> None:
    headers = Headers({"a": "1"})
    await client.post("/", headers=headers, json=1)
    assert list(headers) == [("a", "1")]


async def test_make_request_is_called_with_quarts_positional_parameters(bare_app: Any, app: Recorder) -> None:
    seen: list[tuple[Any, ...]] = []

    class Own(QuartClient):
        async def _make_request(self, *args: Any) -> Any:
            seen.append(args)
            return await super()._make_request(*args)

    await Own(bare_app(app)).post("/a", form={"a": "1"}, subdomain="s")
    (call,) = seen
    assert len(call) == 14
    assert (call[0], call[1], call[4], call[8], call[10], call[13]) == (
        "/a",
        "POST",
        {"a": "1"},
        "http",
        "1.1",
        "s",
    )


async def test_a_connection_class_of_its_own(bare_app: Any, app: Recorder) -> None:
    class Own(TestHTTPConnection):
        pass

    client = QuartClient(bare_app(app))
    client.http_connection_class = Own
    assert isinstance(client.request("/"), Own)


async def test_what_the_app_raises_is_raised(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        await QuartClient(bare_app(fails)).get("/")


async def test_the_limit_is_the_clients(bare_app: Any) -> None:
    async def never(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            await receive()

    client = QuartClient(bare_app(never), timeout=0.02)
    with pytest.raises(WaitTimeoutError, match="the whole response of /slow; the app has not started"):
        await client.get("/slow")
    assert client.websocket("/").timeout == 0.02


async def test_a_push_promise_is_kept(bare_app: Any) -> None:
    async def pushes(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.push", "path": "/a.css", "headers": [(b"x", b"y")]})
        await send({"type": "http.response.body"})

    client = QuartClient(bare_app(pushes))
    await client.get("/", http_version="2")
    assert client.push_promises == [("/a.css", Headers({"x": "y"}))]


async def test_the_body_can_be_streamed(client: QuartClient, app: Recorder) -> None:
    async with client.request("/up", method="POST", headers={"x": "1"}, query_string={"q": "é"}) as connection:
        await connection.send(b"a")
        await connection.send_complete()
        assert await connection.receive() == b'{"path": "/up"}'
    assert (app.scope["method"], app.scope["query_string"], app.body) == ("POST", b"q=%C3%A9", b"a")


async def test_a_websockets_scope_is_a_servers(bare_app: Any) -> None:
    scopes: list[Scope] = []

    async def keeps(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await send({"type": "websocket.accept", "subprotocol": "b"})
        await receive()
        await receive()

    async with QuartClient(bare_app(keeps)).websocket("/ws?a=1", subprotocols=["a", "b"]) as websocket:
        await websocket.accept()
        assert websocket.subprotocol == "b"
    (scope,) = scopes
    assert (scope["type"], scope["scheme"], scope["path"], scope["query_string"]) == (
        "websocket",
        "ws",
        "/ws",
        b"a=1",
    )
    assert scope["subprotocols"] == ["a", "b"]
    assert (b"sec-websocket-protocol", b"a, b") in scope["headers"]
    assert "websocket.http.response" in scope["extensions"]


# Redirects ---------------------------------------------------------------------


def redirects(app: Recorder, *steps: tuple[int, str]) -> None:
    app.answers = [(status, (("location", location),)) for status, location in steps] + [(200, ())]


async def test_a_redirect_is_followed_only_when_wanted(client: QuartClient, app: Recorder) -> None:
    redirects(app, (302, "/b"))
    assert (await client.get("/a")).status_code == 302


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "POST", b"1"), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"1"), (308, "POST", b"1")],
)
async def test_a_redirect_keeps_or_drops_the_body(
    client: QuartClient, app: Recorder, status: int, method: str, body: bytes
) -> None:
    redirects(app, (status, "/b?x=1"))
    response = await client.post("/a?y=2", json=1, headers={"X-A": "1"}, follow_redirects=True)
    assert (response.status_code, app.scope["path"], app.scope["query_string"]) == (200, "/b", b"x=1")
    assert (app.scope["method"], app.body, app.header("x-a")) == (method, body, "1")
    assert (app.header("content-type") is not None) == bool(body)


async def test_head_stays_head(client: QuartClient, app: Recorder) -> None:
    redirects(app, (302, "/b"))
    await client.head("/a", follow_redirects=True)
    assert app.scope["method"] == "HEAD"


@pytest.mark.parametrize(
    ("location", "path", "host", "scheme"),
    [
        ("b", "/d/b", "localhost", "http"),
        ("../b", "/b", "localhost", "http"),
        ("?x=1", "/d/a", "localhost", "http"),
        ("//sub.localhost/b", "/b", "sub.localhost", "http"),
        ("https://localhost/b", "/b", "localhost", "https"),
        ("http://localhost", "/", "localhost", "http"),
    ],
)
async def test_where_a_redirect_leads(
    client: QuartClient, app: Recorder, location: str, path: str, host: str, scheme: str
) -> None:
    redirects(app, (302, location))
    await client.get("/d/a", follow_redirects=True)
    assert (app.scope["path"], app.header("host"), app.scope["scheme"]) == (path, host, scheme)


@pytest.mark.parametrize("location", ["http://example.com/", "//evillocalhost/", "mailto:a@localhost"])
async def test_a_redirect_out_of_the_app_is_an_error(client: QuartClient, app: Recorder, location: str) -> None:
    redirects(app, (302, location))
    with pytest.raises(RuntimeError, match="leads out of the app"):
        await client.get("/", follow_redirects=True)


async def test_redirects_without_end_are_an_error(client: QuartClient, app: Recorder) -> None:
    app.answers = [(302, (("location", "/loop"),))]
    with pytest.raises(RuntimeError, match=r"more than 20 redirects: .*/loop"):
        await client.get("/loop", follow_redirects=True)


# Kept contexts ---------------------------------------------------------------------


async def test_the_last_context_is_kept_until_the_block_ends(bare_app: Any) -> None:
    async def keeps(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["_quart._preserve_context"]
        bare.preserved_context = f"context of {scope['path']}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    bare = bare_app(keeps)
    before = _cv.get(None)
    async with QuartClient(bare) as client:
        assert bare.preserves_context
        for path in ("/a", "/b"):
            await client.get(path)
            assert str(_cv.get()) == f"context of {path}"
        with pytest.raises(RuntimeError, match="Cannot nest"):
            async with client:
                pass
    assert (_cv.get(None), bare.preserves_context, client.preserve_context) == (before, False, False)
