"""Replies on their way out: which messages are sent, and that every stream is left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.wrappers import Response as WSGIResponse

from quart_plug.wrappers.bodies import FileBody, IterableBody, ResponseBody
from quart_plug.wrappers.reply import deliver
from quart_plug.wrappers.response import Response

READY: Any = (200, [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"1")], b"x")


async def sent(reply: Any, method: str = "GET") -> list[dict[str, Any]]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    await deliver(reply, send, method)
    return messages


def whole(messages: list[dict[str, Any]]) -> bytes:
    """The body, after a check of the messages' order."""
    assert [message["type"] for message in messages] == [
        "http.response.start", *["http.response.body"] * (len(messages) - 1)
    ]  # fmt: skip
    assert [message.get("more_body", False) for message in messages[1:]] == [True] * (len(messages) - 2) + [
        False
    ]
    return b"".join(message["body"] for message in messages[1:])


class Stream:
    """An asynchronous source of chunks that knows whether it was closed."""

    def __init__(self, *chunks: Any, error: BaseException | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.closed = False
        self.started = False

    async def generate(self) -> AsyncIterator[Any]:
        self.started = True
        try:
            for chunk in self.chunks:
                yield chunk
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


@pytest.mark.parametrize(
    "reply", [READY, Response("x"), WSGIResponse("x", content_type=READY[1][0][1].decode())]
)
async def test_data_is_two_messages(reply: Any) -> None:
    messages = await sent(reply)

    assert messages[0] == {"type": "http.response.start", "status": 200, "headers": READY[1]}
    assert messages[1] == {"type": "http.response.body", "body": b"x"}
    assert len(messages) == 2


@pytest.mark.parametrize("make", [lambda: READY, lambda: Response("x"), lambda: Response(["x"])])
async def test_head_has_the_headers_and_no_body(make: Any) -> None:
    messages = await sent(make(), "HEAD")

    assert whole(messages) == b""
    assert messages[0]["headers"] == (await sent(make()))[0]["headers"]


@pytest.mark.parametrize("status", [100, 103, 199, 204, 304])
@pytest.mark.parametrize("body", ["x", ["x"]])
async def test_what_has_no_content_says_nothing_about_it(status: int, body: Any) -> None:
    """RFC 9110, 8.6 and 15.4.5."""
    messages = await sent(Response(body, status, {"etag": '"a"', "content-length": "1"}))

    assert whole(messages) == b""
    assert messages[0] == {"type": "http.response.start", "status": status, "headers": [(b"etag", b'"a"')]}


async def test_reset_content_is_empty() -> None:
    """RFC 9110, 15.3.6: no content, and that is said."""
    messages = await sent(Response("x", 205))

    assert whole(messages) == b""
    assert messages[0]["headers"] == [(b"content-length", b"0")]


async def test_a_stream_is_sent_chunk_by_chunk_and_closed() -> None:
    stream = Stream("a", b"b", "", bytearray(b"c"))
    messages = await sent(Response(stream.generate()))

    assert [message["body"] for message in messages[1:]] == [b"a", b"b", b"c", b""]
    assert whole(messages) == b"abc"
    assert stream.closed


async def test_the_headers_leave_before_the_first_chunk_is_ready() -> None:
    """A stream of events may be silent for long."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def generate() -> AsyncIterator[str]:
        await go_on.wait()
        yield "a"

    async def send(message: Any) -> None:
        started.set()

    task = asyncio.ensure_future(deliver(Response(generate()), send, "GET"))
    await started.wait()
    go_on.set()
    await task


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 304)])
async def test_a_stream_that_is_not_sent_is_closed_and_not_started(method: str, status: int) -> None:
    closed = []

    class Source:
        def __aiter__(self) -> Any:
            raise AssertionError("nobody asked for it")

        async def aclose(self) -> None:
            closed.append(True)

    await sent(Response(Source(), status), method)
    assert closed == [True]


async def test_an_error_in_a_stream_passes_and_the_stream_is_closed() -> None:
    stream = Stream("a", error=LookupError("broken"))

    with pytest.raises(LookupError, match="broken"):
        await sent(Response(stream.generate()))
    assert stream.closed


@pytest.mark.parametrize("failing", [0, 1, 2])
async def test_a_client_that_left_ends_the_stream(failing: int) -> None:
    """`send` raises OSError (ASGI 2.4) at the start, at a chunk, or at the end."""
    stream, closed, count = Stream("a"), [], 0

    async def send(message: Any) -> None:
        nonlocal count
        if count == failing:
            raise OSError("the client left")
        count += 1

    response = Response(stream.generate())
    response.call_on_close(lambda: closed.append(True))
    with pytest.raises(OSError, match="the client left"):
        await deliver(response, send, "GET")
    assert stream.closed == stream.started
    assert closed == [True]


@pytest.mark.parametrize("where", ["send", "source"])
async def test_a_cancelled_delivery_closes_the_stream(where: str) -> None:
    waiting, cleaned = asyncio.Event(), []

    async def generate() -> AsyncIterator[str]:
        try:
            yield "a"
            waiting.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # cleaning up may take its time
            cleaned.append(True)

    async def send(message: Any) -> None:
        if where == "send" and message.get("body"):
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.ensure_future(deliver(Response(generate()), send, "GET"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [True]


async def test_a_plain_generator_runs_beside_the_loop_and_is_closed() -> None:
    threads: list[int] = []

    def generate() -> Iterator[str]:
        try:
            threads.append(threading.get_ident())
            yield "a"
            yield "b"
        finally:
            threads.append(threading.get_ident())

    async def send(message: Any) -> None:
        if message.get("body"):
            raise OSError("the client left")

    with pytest.raises(OSError, match="the client left"):
        await deliver(Response(generate()), send, "GET")
    assert len(threads) == 2
    assert threading.get_ident() not in threads


async def test_functions_are_called_when_all_is_sent() -> None:
    for body in ("x", ["x"]):
        calls: list[Any] = []
        response = Response(body)
        response.call_on_close(lambda calls=calls: calls.append("closed"))

        async def send(message: Any, calls: list[Any] = calls) -> None:
            calls.append(message["type"])

        await deliver(response, send, "GET")
        assert calls[0] == "http.response.start"
        assert calls[-1] == "closed"
        assert calls.count("closed") == 1


async def test_a_body_object_of_data_is_two_messages() -> None:
    response = Response("abc")
    await response.response.make_conditional(1, 2)  # type: ignore[attr-defined]
    messages = await sent(response)

    assert len(messages) == 2
    assert whole(messages) == b"b"


async def test_a_file_that_cannot_be_opened_is_an_error_before_anything_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    response = Response(FileBody(path))
    path.unlink()
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    with pytest.raises(FileNotFoundError):
        await deliver(response, send, "GET")
    assert messages == []


async def test_a_file_is_streamed_with_its_length(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 300_000)
    messages = await sent(Response(FileBody(tmp_path / "a")))

    assert whole(messages) == b"x" * 300_000
    assert (b"content-length", b"300000") in messages[0]["headers"]
    assert all(type(message["body"]) is bytes for message in messages[1:])


async def test_a_body_of_ones_own_is_entered_once_and_left(tmp_path: Path) -> None:
    events = []

    class Own(ResponseBody):
        async def __aenter__(self) -> Any:
            events.append("entered")
            return IterableBody(["a"])

        async def __aexit__(self, *args: object) -> None:
            events.append("left")

    assert whole(await sent(Response(Own()))) == b"a"
    assert events == ["entered", "left"]


async def test_headers_that_split_are_refused_before_anything_is_sent() -> None:
    response = Response(Stream("a").generate())
    response.headers._list.append(("a", "b\r\nc: d"))

    with pytest.raises(ValueError, match="must not contain line ends"):
        await sent(response)
