"""The body and the status of a `Response`, and the classes of bodies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, json
from quart_plug.exceptions import RequestedRangeNotSatisfiable
from quart_plug.wrappers import Response
from quart_plug.wrappers.response import DataBody, FileBody, IOBody, IterableBody, ResponseBody
from tests.support.surface import shows


def generator() -> Iterator[str | bytes]:
    yield "ä"
    yield b"b"


async def async_generator() -> AsyncGenerator[str | bytes, None]:
    yield "ä"
    yield b"b"


class Iterable:
    def __iter__(self) -> Iterator[str | bytes]:
        return generator()


class AsyncIterable:
    def __aiter__(self) -> AsyncIterator[str | bytes]:
        return async_generator()


async def read(body: ResponseBody) -> list[Any]:
    """What a body gives when it is entered and iterated over."""
    async with body as chunks:
        return [chunk async for chunk in chunks]


async def sent(response: Response) -> tuple[int, dict[str, str], bytes]:
    """What a client gets when a view returns `response`."""
    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: response)
    answer = await app.test_client().get("/")
    return answer.status_code, dict(answer.headers), await answer.get_data()


# Making one -------------------------------------------------------------------------------------------------


@shows("wrappers.response.Response")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (lambda: "ä", "ä"),
        (lambda: b"\xc3\xa4", "ä"),
        (lambda: None, ""),
        (lambda: ["ä", b"b"], "äb"),
        (generator, "äb"),
        (async_generator, "äb"),
        (Iterable, "äb"),
        (AsyncIterable, "äb"),
        (lambda: BytesIO(b"abc"), "abc"),
        (lambda: DataBody(b"abc"), "abc"),
        (lambda: IOBody(BytesIO(b"abc")), "abc"),
        (lambda: IterableBody(async_generator()), "äb"),
    ],
)
async def test_a_response_is_made_of_anything_that_gives_bytes(body: Any, expected: str) -> None:
    assert await Response(body()).get_data(as_text=True) == expected
    assert (await sent(Response(body())))[2] == expected.encode()


@shows("wrappers.response.Response", "wrappers.response.Response.status", "wrappers.response.Response.status_code")
@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        (None, 200, "200 OK"),
        (201, 201, "201 CREATED"),
        (HTTPStatus.GONE, 410, "410 GONE"),
        ("404 Not Here", 404, "404 Not Here"),
        ("503", 503, "503 SERVICE UNAVAILABLE"),
        (299, 299, "299 UNKNOWN"),
    ],
)
async def test_a_status_is_a_number_with_words(given: Any, code: int, text: str) -> None:
    made = Response("x", given)
    assert (made.status_code, made.status) == (code, text)

    changed = Response("x", 500)
    if given is not None:
        changed.status = given
        assert (changed.status_code, changed.status) == (code, text)
        changed.status_code = code
        assert changed.status_code == code
        assert (await sent(changed))[0] == code


@shows("wrappers.response.Response.default_mimetype", "wrappers.response.Response.default_status")
async def test_the_defaults_of_a_class_are_those_of_its_responses() -> None:
    class Feed(Response):
        default_mimetype = "application/xml"
        default_status = 203

    made = Feed("<x/>")

    assert (made.status_code, made.content_type) == (203, "application/xml; charset=utf-8")
    assert Feed("", 200, mimetype="text/plain").content_type == "text/plain; charset=utf-8"
    assert Feed("", headers={"Content-Type": "text/css"}).content_type == "text/css"
    app = Quart(__name__)
    app.response_class = Feed
    app.add_url_rule("/", view_func=lambda: "<x/>")
    assert (await app.test_client().get("/")).content_type == "application/xml; charset=utf-8"


async def test_a_response_of_another_class_keeps_its_own_type() -> None:
    class Feed(Response):
        default_mimetype = "application/xml"

    app = Quart(__name__)
    app.response_class = Feed
    app.add_url_rule("/", view_func=lambda: Response("<p>"))

    assert (await app.test_client().get("/")).content_type == "text/html; charset=utf-8"


@shows(
    "wrappers.response.Response.data_body_class",
    "wrappers.response.Response.iterable_body_class",
)
async def test_the_classes_of_bodies_can_be_chosen() -> None:
    class Data(DataBody):
        pass

    class Iterated(IterableBody):
        pass

    class Mine(Response):
        data_body_class = Data
        iterable_body_class = Iterated

    assert isinstance(Mine("text").response, Data)
    assert isinstance(Mine(generator()).response, Iterated)
    assert await Mine("text").get_data() == b"text"


@shows("wrappers.response.Response.file_body_class", "wrappers.response.Response.io_body_class")
async def test_send_file_uses_the_classes_for_files(tmp_path: Path) -> None:
    class File(FileBody):
        pass

    class Stream(IOBody):
        pass

    class Mine(Response):
        file_body_class = File
        io_body_class = Stream

    from quart_plug import send_file

    (tmp_path / "x.txt").write_bytes(b"x")
    app = Quart(__name__)
    app.response_class = Mine
    async with app.test_request_context("/"):
        assert isinstance((await send_file(tmp_path / "x.txt")).response, File)
        assert isinstance((await send_file(BytesIO(b"x"), mimetype="text/plain")).response, Stream)


# Data -------------------------------------------------------------------------------------------------------


@shows("wrappers.response.Response.data", "wrappers.response.Response.get_data", "wrappers.response.Response.set_data")
async def test_the_data_can_be_read_and_replaced() -> None:
    response = Response("old")
    response.set_data("nëw")
    assert (await response.get_data(), await response.get_data(as_text=True)) == ("nëw".encode(), "nëw")
    assert response.content_length == 4

    response.data = b"newer"
    assert await response.data == b"newer"
    assert response.content_length == 5
    assert (await sent(response))[1:] == ({"content-type": "text/html; charset=utf-8", "content-length": "5"}, b"newer")


@shows("wrappers.response.Response.automatically_set_content_length")
async def test_the_content_length_can_be_left_out() -> None:
    class Lengthless(Response):
        automatically_set_content_length = False

    assert Lengthless("x").content_length is None
    assert Response("x").content_length == 1
    assert "content-length" not in (await sent(Lengthless("x")))[1]


@shows("wrappers.response.Response.get_json", "wrappers.response.Response.json")
@pytest.mark.parametrize(
    ("mimetype", "options", "expected"),
    [
        ("application/json", {}, {"a": 1}),
        ("application/problem+json", {}, {"a": 1}),
        ("text/plain", {}, None),
        ("text/plain", {"force": True}, {"a": 1}),
    ],
)
async def test_the_body_can_be_read_as_json(mimetype: str, options: dict[str, bool], expected: Any) -> None:
    response = Response('{"a": 1}', mimetype=mimetype)

    assert await response.get_json(**options) == expected
    if not options:
        assert await response.json == expected


@shows("wrappers.response.Response.get_json")
async def test_what_is_no_json_is_an_error_unless_silent() -> None:
    response = Response("{", mimetype="application/json")

    assert await response.get_json(silent=True) is None
    with pytest.raises(ValueError):
        await response.get_json()


@shows("wrappers.response.Response.is_json", "wrappers.response.Response.json_module")
async def test_json_is_told_by_the_mimetype_and_loaded_by_the_json_module() -> None:
    class Loaded:
        @staticmethod
        def loads(text: str) -> list[str]:
            return ["mine", text]

    class Mine(Response):
        json_module = Loaded

    assert (Response("", mimetype="application/json").is_json, Response("").is_json) == (True, False)
    assert Response("").json_module is json
    assert await Mine("1", mimetype="application/json").get_json() == ["mine", "1"]


@shows("wrappers.response.Response.make_sequence", "wrappers.response.Response.implicit_sequence_conversion")
async def test_a_stream_becomes_data_when_its_data_is_asked_for() -> None:
    implicit = Response(async_generator())
    assert await implicit.get_data() == await implicit.get_data() == "äb".encode()

    explicit = Response(async_generator())
    explicit.implicit_sequence_conversion = False
    await explicit.make_sequence()
    assert isinstance(explicit.response, DataBody)
    assert await explicit.get_data() == "äb".encode()

    stream = Response(async_generator())
    stream.implicit_sequence_conversion = False
    assert await stream.get_data() == "äb".encode()
    assert isinstance(stream.response, IterableBody)  # it was used up, and stays a stream


@shows("wrappers.response.Response.freeze")
async def test_freezing_reads_the_stream_and_sets_its_length() -> None:
    response = Response(generator())
    assert response.content_length is None

    await response.freeze()

    assert response.content_length == 3
    assert await response.get_data() == "äb".encode()


@shows("wrappers.response.Response.iter_encode")
@pytest.mark.parametrize("body", ["äb", ["ä", b"b"], "generator", "async generator"])
async def test_the_chunks_can_be_iterated_over_as_bytes(body: Any) -> None:
    made = {"generator": generator, "async generator": async_generator}.get(str(body), lambda: body)()
    chunks = [chunk async for chunk in Response(made).iter_encode()]

    assert b"".join(chunks) == "äb".encode()
    assert all(isinstance(chunk, bytes) for chunk in chunks)


# Bodies -----------------------------------------------------------------------------------------------------


@shows("wrappers.response.ResponseBody")
async def test_a_body_of_ones_own_is_entered_iterated_over_and_left() -> None:
    happened = []

    class Body(ResponseBody):
        async def __aenter__(self) -> AsyncIterator[str | bytes]:
            happened.append("entered")
            return async_generator()

        async def __aexit__(self, *args: Any) -> None:
            happened.append("left")

    assert (await sent(Response(Body())))[2] == "äb".encode()
    assert happened == ["entered", "left"]
    with pytest.raises(TypeError):
        ResponseBody()  # type: ignore[abstract]


@shows("wrappers.response.IterableBody")
@pytest.mark.parametrize("iterable", [generator, async_generator, Iterable, AsyncIterable, lambda: ["ä", b"b"]])
async def test_an_iterable_gives_its_chunks_as_they_are(iterable: Any) -> None:
    assert await read(IterableBody(iterable())) == ["ä", b"b"]


@pytest.fixture(params=["data", "file", "io"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Makes a body of 0123456789."""
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    return {
        "data": lambda: DataBody(b"0123456789"),
        "file": lambda: FileBody(path, buffer_size=4),
        "io": lambda: IOBody(BytesIO(b"0123456789"), buffer_size=4),
    }[request.param]


@shows("wrappers.response.DataBody", "wrappers.response.FileBody", "wrappers.response.IOBody")
async def test_a_body_can_be_read_more_than_once(make: Any) -> None:
    body = make()

    assert b"".join(await read(body)) == b"".join(await read(body)) == b"0123456789"


@shows(
    "wrappers.response.DataBody.make_conditional",
    "wrappers.response.FileBody.make_conditional",
    "wrappers.response.IOBody.make_conditional",
)
@pytest.mark.parametrize(
    ("begin", "end", "part"),
    [(0, None, b"0123456789"), (2, 5, b"234"), (7, None, b"789"), (8, 100, b"89"), (0, 1, b"0")],
)
async def test_a_body_can_be_cut_down_to_a_part(make: Any, begin: int, end: int | None, part: bytes) -> None:
    """It says how large the whole is, and where the part lies."""
    body = make()

    assert await body.make_conditional(begin, end) == 10
    assert (body.begin, body.end) == (begin, begin + len(part))
    assert b"".join(await read(body)) == part


@pytest.mark.parametrize(("begin", "end"), [(10, None), (3, 3), (5, 2), (50, 60)])
async def test_an_empty_part_is_not_satisfiable(make: Any, begin: int, end: int | None) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable):
        await make().make_conditional(begin, end)


@shows("wrappers.response.FileBody.buffer_size", "wrappers.response.IOBody.buffer_size")
async def test_files_are_read_in_pieces_of_the_buffers_size(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"0123456789")

    for body in (FileBody(str(tmp_path / "data"), buffer_size=4), IOBody(BytesIO(b"0123456789"), buffer_size=4)):
        assert body.buffer_size == 4
        assert await read(body) == [b"0123", b"4567", b"89"]
    assert FileBody(tmp_path / "data").buffer_size == FileBody.buffer_size > 1000
    assert IOBody(BytesIO(b"")).buffer_size == IOBody.buffer_size > 1000


@shows("wrappers.response.FileBody")
def test_a_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        FileBody(tmp_path / "nope")
