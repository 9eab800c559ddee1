"""The bodies of responses: data, a file, an open stream, an iterable.

A body is entered (`async with body as chunks`), iterated once, and left; leaving gives back everything it
held, also when the iteration ended early or was cancelled. Nothing that may block runs on the event loop:
opening and reading files and iterating plain iterables happen in the loop's executor. Knows no headers and
no ASGI.
"""

from __future__ import annotations

import asyncio
import io
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ..exceptions import RequestedRangeNotSatisfiable
from .elsewhere import Elsewhere

_END = object()

# Linux reads what is in the page cache without blocking, or says that it would block (preadv2, RWF_NOWAIT): a
# cached file then needs no thread. Measured on 512 MB: as fast as a bare blocking loop; with a thread for
# each read, eight times slower at 256 KiB and more than twice at 1 MiB.
_NOWAIT: int | None = getattr(os, "RWF_NOWAIT", None)

# A file that never makes `send` wait would keep the loop for itself; so it yields after this many chunks.
_CHUNKS_BEFORE_A_PAUSE = 32

# A read in a thread costs a hop, so it takes this many times as much.
_MORE_BY_A_HOP = 4


def chunk_bytes(chunk: Any) -> bytes:
    """A chunk of a body as bytes; TypeError when it is neither text nor bytes."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, (bytearray, memoryview)):
        return bytes(chunk)
    raise TypeError(f"a response's body consists of str and bytes, not of {type(chunk).__name__} ({chunk!r})")


class ResponseBody(ABC):
    """What a body has to offer; also the base class for bodies of your own.

    A body that can send a part of itself has `make_conditional(begin, end)`; see `DataBody`.
    """

    @abstractmethod
    async def __aenter__(self) -> AsyncIterable[Any]: ...

    @abstractmethod
    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    async def discard(self) -> None:
        """Give back what the body holds without sending it (HEAD, 304)."""
        async with self:
            pass


class _Sliced(ResponseBody):
    """A body of known size of which a part can be sent.

    size        the size in bytes of the whole.
    begin, end  what will be sent: from `begin` up to and without `end`.
    """

    size: int
    begin: int
    end: int

    async def make_conditional(self, begin: int, end: int | None) -> int:
        """Send only the bytes from `begin` up to `end`, not included (None: all that follow).

        Returns the size of the whole; `begin` and `end` then tell the part. Raises RequestedRangeNotSatisfiable
        when there is nothing in it.
        """
        end = self.size if end is None else min(end, self.size)
        if not 0 <= begin < end:
            raise RequestedRangeNotSatisfiable(self.size)
        self.begin, self.end = begin, end
        return self.size


class DataBody(_Sliced):
    """Bytes in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)
        self.begin = 0
        self.end = self.size

    async def __aenter__(self) -> DataBody:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        return None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once(self.part)

    @property
    def part(self) -> bytes:
        """The bytes that will be sent."""
        if self.begin == 0 and self.end >= len(self.data):
            return self.data
        return self.data[self.begin : self.end]


class _Once(AsyncIterator[bytes]):
    """One chunk; an asynchronous generator would have to be closed when nobody asked for it."""

    def __init__(self, data: bytes) -> None:
        self.data: bytes | None = data

    async def __anext__(self) -> bytes:
        data, self.data = self.data, None
        if data is None:
            raise StopAsyncIteration
        return data


class _Chunked(_Sliced):
    """A body that is read piece by piece: `__anext__` gives the next piece."""

    buffer_size = 128 * 1024  # bytes; measured: from 256 KiB on the copies leave the processor's cache

    def __init__(self, size: int, buffer_size: int | None) -> None:
        if buffer_size is not None:
            self.buffer_size = buffer_size
        self.size = self.end = size
        self.begin = 0
        self._position = 0
        self._since_pause = 0

    def __aiter__(self) -> _Chunked:
        return self

    async def __anext__(self) -> bytes:
        left = self.end - self._position
        if left <= 0:
            raise StopAsyncIteration
        chunk = self._at_once(min(left, self.buffer_size))
        if chunk is None:
            chunk = await self._waiting(min(left, self.buffer_size * _MORE_BY_A_HOP))
            self._since_pause = 0
        else:
            self._since_pause += 1
            if self._since_pause == _CHUNKS_BEFORE_A_PAUSE:
                self._since_pause = 0
                await asyncio.sleep(0)
        if not chunk:
            # The length was promised in a header; ending as if nothing had happened would hide a broken
            # answer.
            raise OSError(f"{self!r} became shorter while it was sent: {left} bytes are missing")
        self._position += len(chunk)
        return chunk

    def _at_once(self, size: int) -> bytes | None:
        """Up to `size` bytes if that does not block, or None."""
        raise NotImplementedError

    async def _waiting(self, size: int) -> bytes:
        """Up to `size` bytes."""
        raise NotImplementedError


class FileBody(_Chunked):
    """A file, opened when the body is entered and read in chunks of `buffer_size` bytes.

    The constructor looks the size up (one `stat`), so that a file which grows meanwhile does not break the
    answer.
    """

    def __init__(self, file_path: str | os.PathLike[str], *, buffer_size: int | None = None) -> None:
        self.file_path = Path(file_path)
        super().__init__(os.stat(self.file_path).st_size, buffer_size)
        self.file: BinaryIO | None = None
        self._elsewhere: Elsewhere | None = None
        self._first: bytes | None = None
        self._nowait = _NOWAIT
        self._buffer: memoryview | None = None

    def __repr__(self) -> str:
        return f"<FileBody {str(self.file_path)!r}>"

    async def __aenter__(self) -> FileBody:
        self._position = self.begin
        self._elsewhere = Elsewhere(self._close)
        try:
            await self._elsewhere.call(self._open)
        except BaseException:
            self._elsewhere.close()
            raise
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._elsewhere is not None:
            self._elsewhere.close()
        self._buffer = self._first = None

    async def discard(self) -> None:
        return None  # it was never opened

    def _open(self) -> None:
        # The first chunk comes with the opening, so that a small file needs one hop to a thread and not
        # three.
        self.file = open(self.file_path, "rb", buffering=0)  # noqa: SIM115 - closed by _close
        self._first = self._read(min(self.end - self.begin, self.buffer_size))
        if self.begin + len(self._first) >= self.end:
            self._close()

    def _close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None

    def _read(self, size: int) -> bytes:
        assert self.file is not None
        self.file.seek(self._position)
        return self.file.read(size)

    def _at_once(self, size: int) -> bytes | None:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        if self._nowait is None or self.file is None:
            return None
        if self._buffer is None:
            self._buffer = memoryview(bytearray(self.buffer_size))
        try:
            count = os.preadv(self.file.fileno(), [self._buffer[:size]], self._position, self._nowait)
        except BlockingIOError:
            return None
        except OSError:  # this file system cannot tell
            self._nowait = None
            return None
        return bytes(self._buffer[:count])

    async def _waiting(self, size: int) -> bytes:
        assert self._elsewhere is not None, "a FileBody is read inside of `async with`"
        return await self._elsewhere.call(self._read, size)


class IOBody(_Chunked):
    """A binary stream that can seek: `io.BytesIO`, or an open file, which is then closed when it was sent."""

    def __init__(self, io_stream: Any, *, buffer_size: int | None = None) -> None:
        self.io_stream = io_stream
        if isinstance(io_stream, io.BytesIO):
            size = io_stream.getbuffer().nbytes
        elif isinstance(io_stream, io.TextIOBase):
            raise TypeError(f"{io_stream!r} gives text: open the file in binary mode, or use io.BytesIO")
        else:
            size = io_stream.seek(0, io.SEEK_END)
        super().__init__(size, buffer_size)
        self._elsewhere = Elsewhere(self._close)

    def __repr__(self) -> str:
        return f"<IOBody {self.io_stream!r}>"

    async def __aenter__(self) -> IOBody:
        self._position = self.begin
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._elsewhere.close()

    def _close(self) -> None:
        if not isinstance(self.io_stream, io.BytesIO):  # that one holds nothing, and may be sent again
            self.io_stream.close()

    def _at_once(self, size: int) -> bytes | None:
        if isinstance(self.io_stream, io.BytesIO):
            with self.io_stream.getbuffer() as view:
                return bytes(view[self._position : self._position + size])
        return None

    async def _waiting(self, size: int) -> bytes:
        return await self._elsewhere.call(self._read, size)

    def _read(self, size: int) -> bytes:
        self.io_stream.seek(self._position)
        data: bytes = self.io_stream.read(size)
        return data


class IterableBody(ResponseBody):
    """An iterable, plain or asynchronous, of `str` and `bytes`, which it gives as they are.

    A plain one takes its steps in threads, with the context variables of the moment in which the body was
    made. Lists and tuples are there already and are not sent away.
    """

    def __init__(self, iterable: AsyncIterable[Any] | Iterable[Any]) -> None:
        if not hasattr(iterable, "__aiter__") and not hasattr(iterable, "__iter__"):
            raise TypeError(f"{iterable!r} cannot be a response's body: it is neither data nor iterable")
        self.iter = iterable
        self._iterator: Any = None
        self._elsewhere: Elsewhere | None = None
        if not hasattr(iterable, "__aiter__") and not isinstance(iterable, (list, tuple)):
            self._elsewhere = Elsewhere(self._close)

    async def __aenter__(self) -> IterableBody:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._elsewhere is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._elsewhere.close)
            return
        for source in self._sources():
            close = getattr(source, "aclose", None)
            if close is not None:
                await close()

    def __aiter__(self) -> AsyncIterator[Any]:
        source: Any = self.iter
        if hasattr(source, "__aiter__"):
            self._iterator = source.__aiter__()
            return self._iterator  # type: ignore[no-any-return]  # as it is: a layer would double a chunk's cost
        if self._elsewhere is None:
            self._iterator = iter(source)
        return self

    async def __anext__(self) -> Any:
        if self._elsewhere is not None:
            chunk = await self._elsewhere.call(self._step)
        else:
            chunk = next(self._iterator, _END)
        if chunk is _END:
            raise StopAsyncIteration
        return chunk

    def _step(self) -> Any:
        if self._iterator is None:
            self._iterator = iter(self.iter)  # type: ignore[arg-type]  # an asynchronous one has no _elsewhere
        return next(self._iterator, _END)

    def _close(self) -> None:
        for source in self._sources():
            close = getattr(source, "close", None)
            if close is not None:
                close()

    def _sources(self) -> list[Any]:
        """What may have to be closed: the iterator, and the iterable if it is another (as in WSGI)."""
        if self._iterator is None or self._iterator is self.iter:
            return [self.iter]
        return [self._iterator, self.iter]


class PartBody(_Sliced):
    """A part of a body that can only be read from its start, such as an iterable."""

    def __init__(self, whole: ResponseBody, size: int) -> None:
        self.whole = whole
        self.size = self.end = size
        self.begin = 0
        self._position = 0
        self._chunks: AsyncIterator[Any] | None = None

    async def __aenter__(self) -> PartBody:
        self._chunks = aiter(await self.whole.__aenter__())
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.whole.__aexit__(exc_type, exc_value, tb)

    async def discard(self) -> None:
        await self.whole.discard()

    def __aiter__(self) -> PartBody:
        return self

    async def __anext__(self) -> bytes:
        assert self._chunks is not None, "a PartBody is read inside of `async with`"
        while self._position < self.end:
            try:
                data = chunk_bytes(await anext(self._chunks))
            except StopAsyncIteration:
                raise OSError(f"the body ended after {self._position} bytes, and not after {self.size}") from None
            piece = data[max(self.begin - self._position, 0) : self.end - self._position]
            self._position += len(data)
            if piece:
                return piece
        raise StopAsyncIteration
