"""A request's body: the same bytes and the same limits, however it arrives and however it is read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug.exceptions import ClientDisconnected, RequestEntityTooLarge, RequestTimeout
from quart_plug.wrappers.body import Body


class Inbox:
    """Messages that are there at once; after the last one, `end` is raised or nothing comes any more."""

    def __init__(self, *chunks: bytes, end: BaseException | None = None, more: bool = False) -> None:
        self.messages = [
            {"type": "http.request", "body": chunk, "more_body": more or number < len(chunks)}
            for number, chunk in enumerate(chunks, 1)
        ]
        self.end = end
        self.asked = 0
        self.tasks: list[Any] = []

    async def next(self) -> dict[str, Any]:
        self.asked += 1
        self.tasks.append(asyncio.current_task())
        if self.messages:
            return self.messages.pop(0)
        if self.end is not None:
            raise self.end
        await asyncio.get_running_loop().create_future()
        raise AssertionError("unreachable")


class Slow(Inbox):
    """Each message comes a turn of the loop later."""

    async def next(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        return await super().next()


def pulled(*chunks: bytes, length: int | None = None, limit: int | None = None, **kwargs: Any) -> Body:
    return Body.from_inbox(Inbox(*chunks, **kwargs), length, limit)


def pushed(*chunks: bytes, length: int | None = None, limit: int | None = None) -> Body:
    body = Body(length, limit)
    for chunk in chunks:
        body.append(chunk)
    body.set_complete()
    return body


async def chunks_of(body: Body) -> list[bytes]:
    return [chunk async for chunk in body]


WAYS = pytest.mark.parametrize("make", [pulled, pushed])


@WAYS
async def test_awaited_twice_it_gives_the_same_bytes(make: Any) -> None:
    body = make(b"ab", b"", b"c")
    assert (await body, await body) == (b"abc", b"abc")


@WAYS
async def test_an_empty_body(make: Any) -> None:
    assert await make(b"") == b""
    assert await chunks_of(make(b"")) == []


@WAYS
async def test_what_was_iterated_over_is_gone(make: Any) -> None:
    body = make(b"ab", b"c")
    assert b"".join(await chunks_of(body)) == b"abc"
    assert await chunks_of(body) == []
    assert await body == b""


@WAYS
async def test_awaited_and_then_iterated_over(make: Any) -> None:
    body = make(b"ab", b"c")
    assert await body == b"abc"
    assert await chunks_of(body) == [b"abc"]


@WAYS
async def test_clear_forgets_the_bytes(make: Any) -> None:
    body = make(b"ab")
    assert await body == b"ab"
    body.clear()
    assert await body == b""


async def test_set_result_is_the_whole_body() -> None:
    body = pulled(b"from the client", length=15, limit=3)
    body.set_result(b"from a test")
    assert await body == b"from a test"
    assert await chunks_of(body) == [b"from a test"]


async def test_the_names_of_quart_0_23() -> None:
    body = Body(None, None)
    await body.put(b"ab")
    body.put(b"c")
    assert await body.get() == b"abc"
    body.set_complete()
    assert await body.get() == b""


async def test_streaming_asks_for_one_message_at_a_time() -> None:
    inbox = Inbox(b"a", b"b", b"c")
    body = Body.from_inbox(inbox, None, None)
    assert inbox.asked == 0
    assert await body.__anext__() == b"a"
    assert inbox.asked == 1
    assert await chunks_of(body) == [b"b", b"c"]
    assert inbox.asked == 3


async def test_a_reader_waits_for_what_is_pushed() -> None:
    body = Body(None, None)
    whole = asyncio.create_task(_await(body))
    await asyncio.sleep(0)
    body.append(b"a")
    await asyncio.sleep(0)
    body.append(b"b")
    body.set_complete()
    assert await whole == b"ab"


async def _await(body: Body) -> bytes:
    return await body


async def test_several_tasks_that_await_get_the_same_bytes() -> None:
    body = Body.from_inbox(Slow(b"a", b"b"), None, None)
    assert await asyncio.gather(*(_await(body) for _ in range(3))) == [b"ab"] * 3


async def test_a_reader_goes_on_when_the_one_that_pulled_is_cancelled() -> None:
    inbox = Slow(b"a", b"b")
    body = Body.from_inbox(inbox, None, None)
    first, second = asyncio.create_task(_await(body)), asyncio.create_task(_await(body))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == b"ab"
    assert first.cancelled()


# Limits -----------------------------------------------------------------------------------------------------


@WAYS
async def test_the_limit_holds_for_awaiting(make: Any) -> None:
    with pytest.raises(RequestEntityTooLarge):
        await make(b"ab", b"cd", limit=3)
    assert await make(b"ab", b"c", limit=3) == b"abc"


@WAYS
async def test_the_limit_holds_for_iterating_and_no_chunk_beyond_it_is_given(make: Any) -> None:
    body, got = make(b"ab", b"cd", limit=3), []
    with pytest.raises(RequestEntityTooLarge):
        async for chunk in body:
            got.append(chunk)
    assert len(b"".join(got)) <= 3
    with pytest.raises(RequestEntityTooLarge):
        await body
    with pytest.raises(RequestEntityTooLarge):
        await chunks_of(body)


async def test_reading_ends_with_the_first_byte_too_many() -> None:
    inbox = Inbox(b"ab", b"cd", b"ef")
    with pytest.raises(RequestEntityTooLarge):
        await Body.from_inbox(inbox, None, 3)
    assert inbox.asked == 2


async def test_chunks_beyond_the_limit_are_not_kept() -> None:
    body = Body(None, 3)
    for _ in range(1000):
        body.append(b"x" * 1000)
    assert sum(map(len, body._chunks)) <= 3


async def test_more_announced_than_allowed_fails_at_once() -> None:
    inbox = Inbox(b"ab")
    body = Body.from_inbox(inbox, 4, 3)
    with pytest.raises(RequestEntityTooLarge):
        await body
    with pytest.raises(RequestEntityTooLarge):
        await chunks_of(body)
    assert inbox.asked == 0


async def test_the_limit_can_be_raised_before_reading() -> None:
    body = pulled(b"abcd", length=4, limit=3)
    body.max_content_length = 4
    assert await body == b"abcd"


# Leaving ----------------------------------------------------------------------------------------------------


async def test_the_client_leaves() -> None:
    body = pulled(b"a", end=ClientDisconnected(), more=True)
    with pytest.raises(ClientDisconnected):
        await body
    body = Body(None, None)
    waiting = asyncio.create_task(_await(body))
    await asyncio.sleep(0)
    await body.disconnect()
    with pytest.raises(ClientDisconnected):
        await waiting


async def test_a_body_that_had_arrived_outlives_its_client() -> None:
    body = pushed(b"a")
    body.disconnect()
    assert await body == b"a"


# Time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [_await, chunks_of])
async def test_no_timer_for_a_body_that_is_there(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body = pulled(b"a", b"b")
    body.timeout = 60
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "call_at", lambda *args, **kwargs: pytest.fail("a timer was made"))
    assert b"".join(await read(body)) if read is chunks_of else await read(body) == b"ab"


@pytest.mark.parametrize("read", [_await, chunks_of])
async def test_a_client_that_is_too_slow(read: Any) -> None:
    body = pulled(b"a", more=True)
    body.timeout = 0.001
    with pytest.raises(RequestTimeout, match="did not send more of the body in 0"):
        await read(body)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("way", ["awaited", "a form", "streamed"])
async def test_the_time_is_for_the_whole_body_unless_it_is_streamed(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that sends a byte now and then does not hold the connection for ever, but a long upload goes on."""
    loop = asyncio.get_running_loop()
    now = loop.time()

    class Dribbling(Inbox):
        async def next(self) -> dict[str, Any]:
            nonlocal now
            await asyncio.sleep(0)
            now += 4
            for _ in range(3):  # the loop sees what time it is, and the reader what comes of that
                await asyncio.sleep(0)
            return await super().next()

    monkeypatch.setattr(loop, "time", lambda: now)
    body = Body.from_inbox(Dribbling(b"a", b"b", b"c", b"d"), None, None, timeout=10)
    body.timed_as_a_whole = way == "a form"
    got = []

    async def stream() -> None:
        nonlocal now
        async for chunk in body:
            got.append(chunk)
            now += 100  # what the application takes for a chunk does not count

    if way == "streamed":
        await stream()
        assert got == [b"a", b"b", b"c", b"d"]
    else:
        with pytest.raises(RequestTimeout):
            await (body if way == "awaited" else stream())
        assert got == ([b"a", b"b"] if way == "a form" else [])


async def test_reading_stays_in_its_task() -> None:
    inbox = Slow(b"a", b"b")
    body = Body.from_inbox(inbox, None, None, timeout=60)
    assert await body == b"ab"
    assert set(inbox.tasks) == {asyncio.current_task()}


async def test_the_applications_own_timeout_is_its_own() -> None:
    body = pulled(b"a", more=True)
    body.timeout = 60
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await body
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_a_timeout_error_of_the_server_is_no_408() -> None:
    class Broken(Inbox):
        async def next(self) -> dict[str, Any]:
            await asyncio.sleep(0)
            raise TimeoutError("the server's")

    body = Body.from_inbox(Broken(), None, None, timeout=60)
    with pytest.raises(TimeoutError, match="the server's"):
        await body


async def test_cancelling_a_reader_cancels_it() -> None:
    body = pulled(b"a", more=True)
    body.timeout = 60
    reader = asyncio.create_task(_await(body))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader


@given(st.lists(st.binary(max_size=5)), st.booleans(), st.booleans(), st.none() | st.integers(0, 20))
def test_however_it_is_cut_and_read_it_is_the_same(
    chunks: list[bytes], slow: bool, iterate: bool, limit: int | None
) -> None:
    async def read() -> bytes:
        inbox = (Slow if slow else Inbox)(*chunks or [b""])
        body = Body.from_inbox(inbox, None, limit, timeout=60)
        return b"".join(await chunks_of(body)) if iterate else await body

    whole = b"".join(chunks)
    if limit is None or len(whole) <= limit:
        assert asyncio.run(read()) == whole
    else:
        with pytest.raises(RequestEntityTooLarge):
            asyncio.run(read())
