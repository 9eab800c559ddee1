"""A request: the values of its scope, its body as bytes, JSON and form, and its limits."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.routing import Rule

from quart_plug.exceptions import (
    BadRequest,
    ClientDisconnected,
    NotFound,
    RequestEntityTooLarge,
    RequestTimeout,
)
from quart_plug.wrappers.body import Body
from quart_plug.wrappers.request import Request

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=B"
UPLOAD = (
    b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\ndata\r\n--B--\r\n'
)

SETTINGS = {
    "MAX_CONTENT_LENGTH": 1000,
    "MAX_FORM_MEMORY_SIZE": 500,
    "MAX_FORM_PARTS": 10,
    "BODY_TIMEOUT": 60,
}


class Inbox:
    def __init__(self, chunks: tuple[bytes, ...]) -> None:
        self.chunks = list(chunks)

    async def next(self) -> dict[str, Any]:
        if not self.chunks:
            raise ClientDisconnected
        chunk = self.chunks.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(self.chunks)}


class Context:
    """What a request needs of a context."""

    url_rule: Any = None
    routing_exception: Any = None
    to_close: Any = None

    def __init__(self, scope: dict[str, Any], chunks: tuple[bytes, ...], **app: Any) -> None:
        self.scope = scope
        self.view_args: dict[str, Any] = {}
        self._headers: Any = None
        self.inbox = Inbox(chunks)
        self.sent: list[dict[str, Any]] = []
        given = {"config": dict(SETTINGS), "debug": False, "json": json, "_filled": {"content_types": None}, **app}
        self.app = SimpleNamespace(**given)
        self.plan = None

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


def context(
    *chunks: bytes, content_type: str | None = None, app: dict[str, Any] | None = None, **scope: Any
) -> Any:
    headers = [(b"host", b"example.com"), *scope.pop("headers", [])]
    if content_type is not None:
        headers.append((b"content-type", content_type.encode()))
    whole = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/app/a",
        "root_path": "/app",
        "query_string": b"q=1",
        "headers": headers,
        "client": ("1.2.3.4", 5),
        "server": ("127.0.0.1", 8000),
        **scope,
    }
    return Context(whole, chunks or (b"",), **(app or {}))


def request(*chunks: bytes, **kwargs: Any) -> Request:
    return Request.from_context(context(*chunks, **kwargs))


async def no_push(path: str, headers: Headers) -> None: ...


def built(body: bytes = b"", content_type: str | None = None, **kwargs: Any) -> Request:
    """By the constructor that Quart 0.22 has, with a body that is pushed to."""
    headers = Headers({"Host": "example.com", "Remote-Addr": "1.2.3.4"})
    if content_type is not None:
        headers["Content-Type"] = content_type
    scope = {"type": "http", "headers": [], "server": ("127.0.0.1", 8000)}
    made = Request(
        "post", "https", "/a", b"q=1", headers, "/app", "1.1", scope, send_push_promise=no_push, **kwargs
    )
    made.body.append(body)
    made.body.set_complete()
    return made


MAKES = pytest.mark.parametrize("make", [request, built])


# What the scope says ----------------------------------------------------------------------------------------


@MAKES
def test_the_values_of_the_scope(make: Any) -> None:
    made = make(content_type="text/HTML; charset=utf-8")
    assert (made.method, made.scheme, made.path, made.root_path) == ("POST", "https", "/a", "/app")
    assert (made.query_string, made.args.to_dict()) == (b"q=1", {"q": "1"})
    assert (made.server, made.remote_addr, made.http_version) == (("127.0.0.1", 8000), "1.2.3.4", "1.1")
    assert (made.url, made.full_path) == ("https://example.com/app/a?q=1", "/a?q=1")
    assert (made.url_root, made.script_root) == ("https://example.com/app/", "/app")
    assert (made.mimetype, made.mimetype_params) == ("text/html", {"charset": "utf-8"})
    assert made.content_type == "text/HTML; charset=utf-8"
    assert made.access_route == ["1.2.3.4"]
    assert repr(made) == "<Request 'https://example.com/app/a?q=1' [POST]>"


@MAKES
def test_each_value_can_be_assigned(make: Any) -> None:
    made = make()
    for name in ("method", "scheme", "path", "root_path", "query_string", "remote_addr", "http_version"):
        setattr(made, name, "assigned")
        assert getattr(made, name) == "assigned"
    made.headers = Headers({"X-A": "1", "Content-Type": "application/json"})
    assert made.headers["x-a"] == "1"
    assert made.is_json


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("application/problem+json", True),
        ("text/json", False),
        ("text/x+json", False),
        ("", False),
        (None, False),
    ],
)
@MAKES
def test_is_json(make: Any, content_type: str | None, expected: bool) -> None:
    assert make(content_type=content_type).is_json is expected


def test_is_json_asks_for_the_mimetype_that_a_subclass_gives() -> None:
    class Mine(Request):
        @property
        def mimetype(self) -> str:
            return "application/json"

    assert Mine.from_context(context()).is_json


def test_a_header_that_is_changed_before_the_media_type_is_asked_for() -> None:
    made = request(content_type="text/plain")
    made.headers["Content-Type"] = "application/json"
    assert made.is_json


def test_content_types_that_a_client_made_up_do_not_fill_memory() -> None:
    from quart_plug.wrappers.base import _CONTENT_TYPES

    for number in range(600):
        assert request(content_type=f"text/x{number}").mimetype == f"text/x{number}"
    assert len(_CONTENT_TYPES) <= 257


@MAKES
def test_what_matched(make: Any) -> None:
    made = make()
    assert (made.url_rule, made.endpoint, made.blueprint, made.blueprints) == (None, None, None, [])
    made.url_rule = Rule("/a", endpoint="outer.inner.view")
    assert (made.endpoint, made.blueprint) == ("outer.inner.view", "outer.inner")
    assert made.blueprints == ["outer.inner", "outer"]
    made.url_rule = Rule("/a", endpoint="view")
    assert (made.endpoint, made.blueprint, made.blueprints) == ("view", None, [])
    made.view_args = {"a": 1}
    made.routing_exception = error = NotFound()
    assert (made.view_args, made.routing_exception) == ({"a": 1}, error)


def test_what_matched_is_the_contexts() -> None:
    ctx = context()
    made = Request.from_context(ctx)
    ctx.url_rule, ctx.view_args = Rule("/a", endpoint="view"), {"a": 1}
    ctx.routing_exception = error = NotFound()
    assert (made.endpoint, made.view_args, made.routing_exception) == ("view", {"a": 1}, error)
    made.view_args = {"b": 2}
    made.routing_exception = None
    assert (ctx.view_args, ctx.routing_exception) == ({"b": 2}, None)


async def test_a_subclass_with_a_constructor_is_called_as_quart_calls_it() -> None:
    class Mine(Request):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.positional, self.named = args, sorted(kwargs)

    class Plain(Request):
        pass

    made = Mine.from_context(context(b"data"))
    assert made.positional[:4] == ("POST", "https", "/a", b"q=1")
    assert made.named == ["body_timeout", "max_content_length", "scope", "send_push_promise"]
    assert await made.get_data() == b"data"
    assert await Plain.from_context(context(b"data")).get_data() == b"data"


# Bytes ------------------------------------------------------------------------------------------------------


@MAKES
async def test_the_body_as_bytes(make: Any) -> None:
    made = make(b"ab\xff")
    assert await made.get_data() == await made.data == await made.body == b"ab\xff"
    assert await made.get_data(as_text=True) == "ab\ufffd"
    assert await made.get_data(cache=False) == b"ab\xff"
    assert await made.get_data() == b""


async def test_there_is_no_stream() -> None:
    with pytest.raises(NotImplementedError, match=r"request\.body"):
        await request().stream


async def test_a_malformed_content_length_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        await request(b"a", headers=[(b"content-length", b"x")]).get_data()


async def test_the_client_leaves_amid_the_body() -> None:
    ctx = context(b"a", b"b", b"c")
    body = Request.from_context(ctx).body
    assert await body.get() == b"a"
    ctx.inbox.chunks.clear()
    with pytest.raises(ClientDisconnected):
        await body


# JSON -------------------------------------------------------------------------------------------------------


@MAKES
async def test_json(make: Any) -> None:
    made = make(b'{"a": [1]}', content_type="application/json")
    assert await made.json == {"a": [1]}
    assert await made.get_json() is await made.get_json(silent=True)


@MAKES
async def test_another_media_type_gives_none_unless_forced(make: Any) -> None:
    made = make(b"[1]", content_type="text/plain")
    assert await made.json is None
    assert await made.get_json(force=True) == [1]


BAD = {
    "no JSON": b"{",
    "empty": b"",
    "not UTF-8": b'"\xff"',
    "nested too deeply": b"[" * 200_000,
    "too long an integer": b"1" * 100_000,
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_bad_json_is_a_bad_request(body: bytes) -> None:
    """Denial: deeply nested JSON and huge integers included."""
    made = request(body, content_type="application/json")
    made.max_content_length = None
    assert await made.get_json(silent=True) is None
    with pytest.raises(BadRequest) as caught:
        await made.get_json()
    assert caught.value.description == BadRequest.description


async def test_debug_mode_says_why() -> None:
    with pytest.raises(BadRequest, match="Failed to decode JSON: Expecting"):
        await request(b"{", content_type="application/json", app={"debug": True}).json


async def test_what_is_returned_for_bad_json_can_be_chosen() -> None:
    class Mine(Request):
        def on_json_loading_failed(self, error: Exception) -> Any:
            return {"error": type(error).__name__}

    made = Mine.from_context(context(b"{", content_type="application/json"))
    assert await made.get_json() == await made.get_json() == {"error": "JSONDecodeError"}
    assert await made.get_json(silent=True) is None


async def test_the_applications_provider_loads() -> None:
    loaded: list[Any] = []

    class Provider:
        def loads(self, text: str) -> str:
            loaded.append(text)
            return "result"

    made = request(b"{}", content_type="application/json", app={"json": Provider()})
    assert await made.get_json() == await made.get_json() == "result"
    assert loaded == ["{}"]


async def test_without_cache_nothing_is_kept() -> None:
    made = request(b"[1]", content_type="application/json")
    assert await made.get_json(cache=False) == [1]
    with pytest.raises(BadRequest):
        await made.get_json()


# Forms ------------------------------------------------------------------------------------------------------


@MAKES
async def test_an_urlencoded_form(make: Any) -> None:
    made = make(b"a=1&a=2", content_type=URLENCODED)
    assert (await made.form).getlist("a") == ["1", "2"]
    assert not await made.files
    assert await made.data == b"a=1&a=2"


@MAKES
async def test_an_upload(make: Any) -> None:
    made = make(UPLOAD, content_type=MULTIPART)
    assert (await made.form).to_dict() == {"a": "1"}
    storage = (await made.files)["f"]
    assert storage.read() == b"data"
    assert await made.data == b""  # it was streamed into the form
    await made.close()
    assert storage.stream.closed


async def test_the_context_closes_the_files() -> None:
    ctx = context(UPLOAD, content_type=MULTIPART)
    ctx.to_close = before = [print]
    files = await Request.from_context(ctx).files
    assert ctx.to_close[:-1] == before
    await ctx.to_close[-1]()
    assert files["f"].stream.closed
    plain = context(b"a=1", content_type=URLENCODED)
    await Request.from_context(plain).form
    assert plain.to_close is None


async def test_data_that_was_read_first_can_still_be_parsed() -> None:
    made = request(UPLOAD, content_type=MULTIPART)
    assert await made.get_data() == UPLOAD
    assert (await made.form)["a"] == "1"
    await made.close()
    made = request(b"a=1", content_type=URLENCODED)
    assert await made.get_data(parse_form_data=True) == b"a=1"
    assert (await made.form)["a"] == "1"


async def test_tasks_that_ask_for_the_form_together_get_the_same() -> None:
    made = request(*(UPLOAD[place : place + 1] for place in range(len(UPLOAD))), content_type=MULTIPART)

    async def form() -> Any:
        return await made.form

    first, second = await asyncio.gather(form(), form())
    assert first is second
    assert first["a"] == "1"
    await made.close()


@pytest.mark.parametrize(
    ("method", "expected"), [("GET", ["1"]), ("POST", ["1", "2"]), ("DELETE", ["1", "2"])]
)
async def test_values_are_arguments_and_fields(method: str, expected: list[str]) -> None:
    made = request(b"q=2", content_type=URLENCODED, method=method)
    assert (await made.values).getlist("q") == expected


async def test_a_form_that_is_refused_is_refused_again() -> None:
    made = request(UPLOAD, content_type=MULTIPART)
    made.max_form_parts = 1
    for _ in range(2):
        with pytest.raises(RequestEntityTooLarge):
            await made.form


async def test_close_without_files() -> None:
    await request().close()


# Limits -----------------------------------------------------------------------------------------------------


@MAKES
async def test_a_limit_can_be_set_for_one_request(make: Any) -> None:
    made = make(b"abc")
    made.max_content_length = 2
    with pytest.raises(RequestEntityTooLarge):
        await made.get_data()
    made = make(b"abc")
    made.max_content_length = 3
    assert await made.get_data() == b"abc"


async def test_the_applications_limits_hold() -> None:
    made = request(b"x" * 1001)
    limits = (made.max_content_length, made.max_form_memory_size, made.max_form_parts, made.body_timeout)
    assert limits == (1000, 500, 10, 60)
    with pytest.raises(RequestEntityTooLarge):
        await made.get_data()
    parser = made.make_form_data_parser()
    assert (parser.max_content_length, parser.max_form_memory_size, parser.max_form_parts) == (1000, 500, 10)


async def test_without_an_application_there_are_no_limits() -> None:
    made = built(b"x" * 1001)
    assert (made.max_content_length, made.max_form_parts, made.body_timeout) == (None, None, None)
    assert len(await made.get_data()) == 1001
    made = built(b"abc", max_content_length=2, body_timeout=3)
    assert (made.max_content_length, made.body_timeout, made.body.timeout) == (2, 3, 3)
    with pytest.raises(RequestEntityTooLarge):
        await made.get_data()


async def test_more_announced_than_allowed_is_refused_before_reading() -> None:
    made = request(b"abc", headers=[(b"content-length", b"1001")])
    with pytest.raises(RequestEntityTooLarge):
        await made.get_data()
    assert made._ctx.inbox.chunks == [b"abc"]  # type: ignore[union-attr]
    made.max_content_length = 1001  # a view may allow more
    assert await made.get_data() == b"abc"


@pytest.mark.parametrize("ask", ["data", "json", "form"])
async def test_a_slow_body_is_a_timeout(ask: str) -> None:
    """Denial: BODY_TIMEOUT, however the body is asked for."""
    ctx = context(content_type={"json": "application/json"}.get(ask, MULTIPART))
    ctx.app.config["BODY_TIMEOUT"] = 0.001
    ctx.inbox = SimpleNamespace(next=asyncio.get_running_loop().create_future)
    with pytest.raises(RequestTimeout):
        await getattr(Request.from_context(ctx), ask)


# The rest ---------------------------------------------------------------------------------------------------


async def test_a_push_promise_takes_over_some_headers() -> None:
    headers = [(b"accept", b"a/b"), (b"cookie", b"c=1"), (b"user-agent", b"u")]
    ctx = context(headers=headers, extensions={"http.response.push": {}})
    await Request.from_context(ctx).send_push_promise("/style.css")
    (message,) = ctx.sent
    assert (message["type"], message["path"]) == ("http.response.push", "/style.css")
    assert sorted(message["headers"]) == [(b"accept", b"a/b"), (b"user-agent", b"u")]


async def test_a_push_promise_to_a_server_that_cannot_push() -> None:
    ctx = context()
    await Request.from_context(ctx).send_push_promise("/style.css")
    assert ctx.sent == []


async def test_classes_can_be_exchanged() -> None:
    class MyBody(Body):
        pass

    class Mine(Request):
        body_class = MyBody

    assert type(Mine.from_context(context()).body) is MyBody
