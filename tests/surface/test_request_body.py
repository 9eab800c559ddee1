"""The body of a request: bytes, streams, JSON, limits, and `Body` by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart, make_push_promise, request
from quart_plug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout
from quart_plug.json.provider import DefaultJSONProvider
from quart_plug.wrappers import Request
from quart_plug.wrappers.request import SERVER_PUSH_HEADERS_TO_COPY, Body
from tests.support.surface import shows

Read = Callable[[], Awaitable[Any]]
JSON = {"Content-Type": "application/json"}


async def read_in_view(
    read: Read, data: bytes | list[bytes] = b"", app: Quart | None = None, **headers: Any
) -> tuple[int, Any]:
    """The answer's status, and what `read` gives in the view of a POST with `data`."""
    app = Quart(__name__) if app is None else app
    found: list[Any] = [None]

    @app.post("/")
    async def view() -> str:
        found.append(await read())
        return ""

    response = await app.test_client().post("/", data=data, headers=headers.get("headers"))
    return response.status_code, found[-1]


# Bytes ------------------------------------------------------------------------------------------------------


@shows("wrappers.request.Request.data", "wrappers.request.Request.get_data")
async def test_the_body_is_bytes_that_can_be_read_again() -> None:
    async def read() -> Any:
        return await request.data, await request.get_data(), await request.get_data(as_text=False), await request.body

    assert await read_in_view(read, [b"one, ", b"two"]) == (200, (b"one, two",) * 4)


@shows("wrappers.request.Request.get_data")
async def test_the_body_as_text_is_utf_8() -> None:
    assert await read_in_view(lambda: request.get_data(as_text=True), "ü".encode()) == (200, "ü")


@shows("wrappers.request.Request.get_data")
async def test_a_body_that_is_not_cached_is_gone_afterwards() -> None:
    async def read() -> Any:
        return await request.get_data(cache=False), await request.get_data()

    assert await read_in_view(read, b"once") == (200, (b"once", b""))


@shows("wrappers.request.Request.get_data")
async def test_the_form_can_be_parsed_on_the_way() -> None:
    async def read() -> Any:
        return await request.get_data(parse_form_data=True), (await request.form)["a"]

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert await read_in_view(read, b"a=1", headers=form) == (200, (b"a=1", "1"))


async def test_the_body_can_be_iterated_over_while_it_arrives() -> None:
    app = Quart(__name__)
    arrived: list[bytes] = []
    more = asyncio.Event()

    @app.post("/")
    async def view() -> str:
        async for chunk in request.body:
            arrived.append(chunk)
            more.set()
        return f"{len(arrived)} chunks"

    async with app.test_client().request("/", method="POST") as connection:
        await connection.send(b"first")
        await asyncio.wait_for(more.wait(), 5)
        assert arrived == [b"first"]
        await connection.send(b"second")
        await connection.send_complete()
        response = await connection.as_response()

    assert await response.get_data() == b"2 chunks"
    assert b"".join(arrived) == b"firstsecond"


@shows("wrappers.request.Request.stream")
async def test_there_is_no_blocking_stream_and_the_error_says_what_to_use() -> None:
    async def read() -> Any:
        with pytest.raises(NotImplementedError, match=r"request\.body"):
            await request.stream

    assert (await read_in_view(read))[0] == 200


# JSON -------------------------------------------------------------------------------------------------------


@shows("wrappers.request.Request.get_json", "wrappers.request.Request.json")
@pytest.mark.parametrize(
    ("content_type", "options", "body", "expected"),
    [
        ("application/json", {}, b'{"a": null}', (200, {"a": None})),
        ("application/problem+json", {}, b"[1]", (200, [1])),
        ("application/json", {}, b"null", (200, None)),
        ("text/plain", {}, b"[1]", (200, None)),
        ("text/plain", {"force": True}, b"[1]", (200, [1])),
        ("application/json", {}, b"{bad", (400, None)),
        ("application/json", {}, b"", (400, None)),
        ("application/json", {"silent": True}, b"{bad", (200, None)),
        ("text/plain", {"force": True, "silent": True}, b"{bad", (200, None)),
    ],
)
async def test_json_is_loaded_when_the_body_says_it_is_json(
    content_type: str, options: dict[str, bool], body: bytes, expected: Any
) -> None:
    async def read() -> Any:
        loaded = await request.get_json(**options)
        if not options:
            assert loaded == await request.json
        return loaded

    assert await read_in_view(read, body, headers={"Content-Type": content_type}) == expected


@shows("wrappers.request.Request.get_json")
async def test_json_is_loaded_once_unless_it_is_not_to_be_cached() -> None:
    async def read() -> Any:
        first = await request.get_json()
        return first is await request.json, first is await request.get_json(cache=False)

    assert await read_in_view(read, b"{}", headers=JSON) == (200, (True, False))


@shows("wrappers.request.Request.on_json_loading_failed")
async def test_the_request_decides_what_happens_with_bad_json() -> None:
    class Lenient(Request):
        def on_json_loading_failed(self, error: Exception) -> Any:
            return {"bad": type(error).__name__}

    app = Quart(__name__)
    app.request_class = Lenient

    async def read() -> Any:
        return await request.get_json(), await request.get_json(silent=True)

    assert await read_in_view(read, b"{", app, headers=JSON) == (200, ({"bad": "JSONDecodeError"}, None))


@shows("wrappers.request.Request.on_json_loading_failed")
@pytest.mark.parametrize(("debug", "told"), [(True, "Failed to decode JSON"), (False, "")])
async def test_bad_json_is_a_bad_request_that_says_why_in_debug_mode(debug: bool, told: str) -> None:
    app = Quart(__name__)
    app.debug = debug

    async def read() -> Any:
        with pytest.raises(BadRequest) as caught:
            request.on_json_loading_failed(ValueError("column 7"))
        return told in str(caught.value), "column 7" in str(caught.value)

    assert await read_in_view(read, app=app) == (200, (True, debug))


async def test_json_is_loaded_by_the_applications_provider() -> None:
    class Provider(DefaultJSONProvider):
        def loads(self, s: str | bytes, **kwargs: Any) -> Any:
            return ["mine", s]

    class Mine(Quart):
        json_provider_class = Provider

    assert await read_in_view(lambda: request.get_json(), b"{}", Mine(__name__), headers=JSON) == (200, ["mine", "{}"])


@shows("wrappers.request.Request.data", "wrappers.request.Request.json")
async def test_the_properties_call_the_methods_of_a_subclass() -> None:
    class Spying(Request):
        async def get_data(self, *args: Any, **kwargs: Any) -> Any:
            return b"[0]"

    app = Quart(__name__)
    app.request_class = Spying

    async def read() -> Any:
        return await request.data, await request.json

    assert await read_in_view(read, b"[1]", app, headers=JSON) == (200, (b"[0]", [0]))


# Limits -----------------------------------------------------------------------------------------------------


@shows("wrappers.request.Request.max_content_length")
@pytest.mark.parametrize("read", ["get_data", "stream", "form"])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_beyond_its_limit_is_refused_however_it_is_read(read: str, announced: bool) -> None:
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 10
    taken: list[bytes] = []

    async def reading() -> Any:
        assert request.max_content_length == 10
        if read == "get_data":
            taken.append(await request.get_data())
        elif read == "form":
            await request.form
        else:
            async for chunk in request.body:
                taken.append(chunk)

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    data = b"a=123456789" if announced else [b"a=123", b"456789"]

    assert (await read_in_view(reading, data, app, headers=headers))[0] == 413
    assert len(b"".join(taken)) <= 10


@shows("wrappers.request.Request.max_content_length")
@pytest.mark.parametrize(("limit", "status"), [(3, 413), (4, 200), (None, 200)])
async def test_a_view_can_set_the_limit_of_its_request(limit: int | None, status: int) -> None:
    app = Quart(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1

    async def read() -> Any:
        request.max_content_length = limit
        return await request.get_data()

    assert (await read_in_view(read, [b"12", b"34"], app))[0] == status


@shows("wrappers.request.Request.max_form_memory_size", "wrappers.request.Request.max_form_parts")
@pytest.mark.parametrize(
    ("setting", "attribute", "enough"),
    [("MAX_FORM_MEMORY_SIZE", "max_form_memory_size", 5), ("MAX_FORM_PARTS", "max_form_parts", 1)],
)
async def test_a_form_has_limits_by_setting_by_class_and_by_request(setting: str, attribute: str, enough: int) -> None:
    part = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n12345\r\n--B--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=B"}

    async def reading(limit: Any = ...) -> Any:
        if limit is not ...:
            setattr(request, attribute, limit)
        return getattr(request, attribute), (await request.form)["a"]

    for limit, status in ((enough, 200), (enough - 1, 413)):
        app = Quart(__name__)
        app.config[setting] = limit
        answer = await read_in_view(reading, part, app, headers=headers)
        assert answer == (status, (limit, "12345") if status == 200 else None)

        app = Quart(__name__)
        app.request_class = type("Limited", (Request,), {attribute: limit})
        assert (await read_in_view(reading, part, app, headers=headers))[0] == status

        answer = await read_in_view(lambda limit=limit: reading(limit), part, headers=headers)  # type: ignore[misc]
        assert answer[0] == status


async def test_a_body_that_does_not_come_in_time_is_a_408() -> None:
    app = Quart(__name__)
    app.config["BODY_TIMEOUT"] = 0.01
    app.add_url_rule("/", view_func=lambda: request.get_data(), methods=["POST"])

    async with app.test_client().request("/", method="POST") as connection:
        await connection.send(b"some of it")
        response = await connection.as_response()

    assert response.status_code == 408


# By hand ----------------------------------------------------------------------------------------------------


def made(headers: dict[str, str] | None = None, class_: type[Request] = Request, **options: Any) -> Request:
    """A request as tests of extensions make them."""
    options.setdefault("send_push_promise", None)
    scope: Any = {"type": "http", "headers": []}
    return class_("POST", "http", "/", b"", Headers(headers), "", "1.1", scope, **options)


@shows("wrappers.request.Request")
async def test_a_request_can_be_made_by_hand() -> None:
    one = made({"Host": "example.org", **JSON}, max_content_length=5, body_timeout=7)
    one.body.set_result(b"[1]")

    assert (one.url, one.max_content_length, one.body_timeout) == ("http://example.org/", 5, 7)
    assert (await one.get_json(), await one.get_data()) == ([1], b"[1]")
    assert (one.view_args, one.url_rule, one.endpoint) == (None, None, None)


async def test_the_limits_of_a_request_made_by_hand_hold() -> None:
    large = made(max_content_length=5)
    large.body.append(b"123456")
    with pytest.raises(RequestEntityTooLarge):
        await large.get_data()
    with pytest.raises(RequestTimeout):
        await made(body_timeout=0.001).get_data()


@shows("wrappers.request.Request.body_class")
async def test_the_class_of_the_body_can_be_chosen() -> None:
    class Counting(Body):
        read = 0

        async def __anext__(self) -> bytes:
            chunk = await super().__anext__()
            type(self).read += len(chunk)
            return chunk

    app = Quart(__name__)
    app.request_class = type("Counted", (Request,), {"body_class": Counting})

    async def read() -> Any:
        return [chunk async for chunk in request.body]

    assert await read_in_view(read, b"12345", app) == (200, [b"12345"])
    assert Counting.read == 5


@shows("wrappers.request.Body", "wrappers.request.Body.append", "wrappers.request.Body.set_complete")
async def test_a_body_is_filled_from_outside_while_it_is_read() -> None:
    body = Body(None, None)
    reading = asyncio.ensure_future(first(body))
    await asyncio.sleep(0)
    assert not reading.done()

    body.append(b"first")
    assert await reading == b"first"
    body.append(b"se")
    body.append(b"cond")
    body.set_complete()

    assert await body == b"second"  # what was iterated over is gone
    assert [chunk async for chunk in body] == [b"second"]


async def first(body: Body) -> bytes:
    return await anext(aiter(body))


async def whole(body: Body) -> bytes:
    return await body


@shows("wrappers.request.Body.set_complete")
async def test_awaiting_a_body_waits_for_all_of_it() -> None:
    body = Body(None, None)
    reading = asyncio.ensure_future(whole(body))
    body.append(b"a")
    await asyncio.sleep(0)
    assert not reading.done()
    body.set_complete()

    assert await reading == b"a"


@shows("wrappers.request.Body.set_result", "wrappers.request.Body.clear")
async def test_a_body_can_be_set_and_cleared() -> None:
    body = Body(None, None)
    body.set_result(b"all of it")
    assert await body == b"all of it"
    assert await body == b"all of it"

    body.clear()
    assert await body == b""


@shows("wrappers.request.Body")
@pytest.mark.parametrize(("announced", "limit"), [(10, 5), (None, 5), (6, 5)])
async def test_a_body_refuses_what_is_too_long(announced: int | None, limit: int) -> None:
    body = Body(announced, limit)
    body.append(b"123456")
    body.set_complete()

    with pytest.raises(RequestEntityTooLarge):
        await body


# Push promises ----------------------------------------------------------------------------------------------


@shows("wrappers.request.Request.send_push_promise", "wrappers.request.SERVER_PUSH_HEADERS_TO_COPY")
async def test_a_promise_takes_the_headers_that_choose_a_representation() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        await request.send_push_promise("/style.css")
        await make_push_promise("/script.js")
        return ""

    headers = {"Accept-Language": "de", "Cookie": "secret=1", "User-Agent": "browser"}
    client = app.test_client()
    await client.get("/", headers=headers, http_version="2")
    promises = client.push_promises

    assert [path for path, _ in promises] == ["/style.css", "/script.js"]
    assert {name.lower(): value for name, value in promises[0][1]} == {"accept-language": "de", "user-agent": "browser"}
    assert {name.lower() for name in SERVER_PUSH_HEADERS_TO_COPY} == {
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "user-agent",
    }
