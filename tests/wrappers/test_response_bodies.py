"""Bodies: read off the event loop, in parts, and left in every case."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quart_plug.exceptions import RequestedRangeNotSatisfiable
from quart_plug.wrappers import bodies
from quart_plug.wrappers.bodies import DataBody, FileBody, IOBody, IterableBody, ResponseBody, chunk_bytes

DATA = bytes(range(256)) * 5


async def read(body: ResponseBody) -> list[bytes]:
    async with body as chunks:
        return [chunk_bytes(chunk) async for chunk in chunks]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["data", "file", "file without nowait", "bytes io", "open file"])
def make(request: pytest.FixtureRequest, file: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A maker of each kind of body that can be sent in parts."""
    if request.param == "file without nowait":
        monkeypatch.setattr(bodies, "_NOWAIT", None)
    return {
        "data": lambda size: DataBody(DATA),
        "file": lambda size: FileBody(file, buffer_size=size),
        "file without nowait": lambda size: FileBody(str(file), buffer_size=size),
        "bytes io": lambda size: IOBody(io.BytesIO(DATA), buffer_size=size),
        "open file": lambda size: IOBody(file.open("rb"), buffer_size=size),
    }[request.param]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)
@given(
    begin=st.integers(0, len(DATA) + 10),
    end=st.none() | st.integers(0, len(DATA) + 10),
    size=st.sampled_from([1, 7, 100, len(DATA), 10 * len(DATA)]),
)
def test_a_part_is_what_slicing_gives(make: Any, begin: int, end: int | None, size: int) -> None:
    """Whatever the body is made of and however it is cut into chunks."""
    size = max(size, 16)

    async def main() -> None:
        body = make(size)
        if not DATA[begin:end]:
            with pytest.raises(RequestedRangeNotSatisfiable):
                await body.make_conditional(begin, end)
            await body.discard()
            return
        whole = await body.make_conditional(begin, end)
        sent = b"".join(await read(body))
        assert sent == DATA[begin:end] == DATA[body.begin : body.end]
        assert whole == len(DATA)

    asyncio.run(main())


async def test_the_whole_is_sent_without_asking_for_a_part(make: Any) -> None:
    body = make(100)

    assert body.size == len(DATA)
    assert b"".join(await read(body)) == DATA


async def test_a_file_comes_in_chunks_and_can_be_sent_again(file: Path) -> None:
    body = FileBody(file, buffer_size=500)

    assert len((await read(body))[0]) == 500
    assert b"".join(await read(body)) == DATA
    assert body.file is None


async def test_an_empty_file_has_no_chunks(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()

    assert await read(FileBody(tmp_path / "empty")) == []


async def test_a_file_that_grows_is_sent_as_long_as_it_was(file: Path) -> None:
    body = FileBody(file, buffer_size=100)
    with file.open("ab") as more:
        more.write(b"more")

    assert b"".join(await read(body)) == DATA


@pytest.mark.parametrize("nowait", [bodies._NOWAIT, None])
async def test_a_file_that_shrinks_is_an_error_and_not_a_short_answer(
    file: Path, nowait: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "_NOWAIT", nowait)
    body = FileBody(file, buffer_size=100)
    file.write_bytes(DATA[:150])

    with pytest.raises(OSError, match=r"data.bin.*became shorter while it was sent: \d+ bytes are missing"):
        await read(body)
    assert body.file is None


async def test_a_file_that_is_gone_is_an_error_on_entering(file: Path) -> None:
    body = FileBody(file)
    file.unlink()

    with pytest.raises(FileNotFoundError):
        async with body:
            raise AssertionError("there is nothing to enter")


async def test_a_file_is_closed_when_its_reader_stops_early(file: Path) -> None:
    body = FileBody(file, buffer_size=100)
    async with body as chunks:
        async for _ in chunks:
            handle = body.file
            break

    assert handle is not None
    assert handle.closed


async def test_a_file_system_that_cannot_tell_is_read_in_threads(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def preadv(*args: Any) -> int:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.preadv", preadv, raising=False)
    monkeypatch.setattr(bodies, "_NOWAIT", 8)

    assert b"".join(await read(FileBody(file, buffer_size=100))) == DATA


async def test_what_is_not_cached_is_read_in_a_thread(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def preadv(*args: Any) -> int:
        asked.append(args)
        raise BlockingIOError

    monkeypatch.setattr("os.preadv", preadv, raising=False)
    monkeypatch.setattr(bodies, "_NOWAIT", 8)

    assert b"".join(await read(FileBody(file, buffer_size=100))) == DATA
    assert len(asked) > 1


async def test_a_long_file_lets_others_run(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * 100 * (bodies._CHUNKS_BEFORE_A_PAUSE + 2))
    others = []
    asyncio.get_running_loop().call_soon(others.append, True)

    body = FileBody(path, buffer_size=100)
    async with body as chunks:
        others.clear()
        asyncio.get_running_loop().call_soon(others.append, True)
        async for _ in chunks:
            pass
    assert others


def test_a_text_stream_is_refused() -> None:
    with pytest.raises(TypeError, match="open the file in binary mode"):
        IOBody(io.StringIO("x"))


async def test_an_open_file_is_closed_and_a_bytes_io_is_not(file: Path) -> None:
    opened, memory = file.open("rb"), io.BytesIO(DATA)
    await read(IOBody(opened))
    await IOBody(memory).discard()

    assert opened.closed
    assert await read(IOBody(memory)) == [DATA]


# Iterables


class Source:
    """A plain iterator that remembers where it ran and whether it was closed."""

    def __init__(self, *items: Any, error: Exception | None = None) -> None:
        self.items = list(items)
        self.error = error
        self.threads: set[int] = set()
        self.closed = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        self.threads.add(threading.get_ident())
        if self.items:
            return self.items.pop(0)
        raise self.error or StopIteration

    def close(self) -> None:
        self.closed += 1


async def test_a_plain_iterable_runs_beside_the_loop() -> None:
    source = Source("a", b"b", bytearray(b"c"))

    assert await read(IterableBody(source)) == [b"a", b"b", b"c"]
    assert threading.get_ident() not in source.threads
    assert source.closed == 1


async def test_a_plain_generator_sees_the_context_it_was_made_in() -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    def generate() -> Iterator[str]:
        yield variable.get()
        variable.set("kept between the steps")
        yield variable.get()

    variable.set("set")
    assert await read(IterableBody(generate())) == [b"set", b"kept between the steps"]


async def test_an_error_passes_and_the_source_is_closed() -> None:
    source = Source("a", error=LookupError("broken"))

    with pytest.raises(LookupError, match="broken"):
        await read(IterableBody(source))
    assert source.closed == 1


async def test_discarding_closes_without_a_step() -> None:
    source = Source("a")
    await IterableBody(source).discard()

    assert source.closed == 1
    assert source.items == ["a"]


async def test_a_generator_that_runs_when_its_reader_is_cancelled_is_closed_at_its_next_step() -> None:
    """A thread cannot be cancelled: nobody waits for it, and its generator is closed all the same."""
    running, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def generate() -> Iterator[str]:
        try:
            running.set()
            go_on.wait(10)
            yield "a"
        finally:
            closed.set()

    task = asyncio.ensure_future(read(IterableBody(generate())))
    assert await asyncio.to_thread(running.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not closed.is_set()
    go_on.set()
    assert await asyncio.to_thread(closed.wait, 10)


async def test_an_asynchronous_generator_is_closed_promptly_on_an_early_end() -> None:
    events: list[str] = []

    async def generate() -> AsyncIterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            events.append("closed")

    async with IterableBody(generate()) as chunks:
        async for chunk in chunks:
            events.append(chunk)
            break
    assert events == ["a", "closed"]


async def test_an_asynchronous_iterable_needs_no_aclose() -> None:
    class Chunks:
        def __aiter__(self) -> AsyncIterator[str]:
            return self  # type: ignore[return-value]

        async def __anext__(self) -> str:
            raise StopAsyncIteration

    assert await read(IterableBody(Chunks())) == []


async def test_a_body_of_your_own_is_discarded_by_entering_it() -> None:
    events = []

    class Own(ResponseBody):
        async def __aenter__(self) -> Any:
            events.append("entered")

        async def __aexit__(self, *args: object) -> None:
            events.append("left")

    await Own().discard()
    assert events == ["entered", "left"]
