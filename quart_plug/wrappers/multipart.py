"""Forms: a body in, fields and files out, counted while they arrive and spooled off the event loop.

Werkzeug's sans-I/O decoder finds the parts. What is bounded here, over all parts together: their number, the
bytes of those that are not files, and the bytes of files that are kept in memory. Malformed forms give
nothing when `silent`; what exceeds a limit gives RequestEntityTooLarge (413) either way. Knows no request and
no app.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl

from werkzeug.datastructures import Headers, MultiDict
from werkzeug.http import parse_options_header

from ..concurrency import run_in_thread
from ..datastructures import FileStorage
from ..exceptions import RequestEntityTooLarge

if TYPE_CHECKING:
    from werkzeug.sansio.multipart import Field, File, MultipartDecoder

    from .body import Body

Forms = tuple[MultiDict[str, Any], MultiDict[str, Any]]
StreamFactory = Callable[[int | None, str | None, str | None, int | None], IO[bytes]]
ParserFunc = Callable[["FormDataParser", "Body", str, int | None, dict[str, str]], Awaitable[Forms]]

CHUNK = 64 * 1024  # bytes to the decoder at once: with fewer it is called more, more leave the cache
WRITE = 1024 * 1024  # bytes to a file at once, in a thread
SPOOL = 500 * 1024  # bytes of a file that stay in memory, as Quart and Werkzeug have it
FILES_IN_MEMORY = 8 * 1024 * 1024  # bytes of all files that stay in memory; past them only tiny ones do
TINY = 64 * 1024
PART_HEADERS = 16 * 1024  # bytes of one part's headers, or of what stands before the first part
PADDING = 64  # bytes of blanks that may stand between a boundary and the end of its line (RFC 2046, 5.1.1)
URLENCODED_IN_LOOP = 64 * 1024  # bytes: a longer form is parsed in a thread


def default_stream_factory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """A temporary file without a name that stays in memory up to `SPOOL` bytes."""
    from tempfile import SpooledTemporaryFile

    return SpooledTemporaryFile(max_size=SPOOL, mode="rb+")


def _cls_or_default(cls: type[MultiDict[str, Any]] | None) -> type[MultiDict[str, Any]]:
    return MultiDict if cls is None else cls


class FormDataParser:
    """Parses a body by its media type into (form, files).

    stream_factory        makes the file that an upload is written to.
    max_form_memory_size  bytes of all multipart fields together, or None. Files do not count.
    max_content_length    bytes of a multipart body, or None. Bodies have a limit of their own.
    max_form_parts        how many parts a multipart form may have, or None.
    cls                   the class of what is returned.
    silent                a malformed form gives two empty results, instead of ValueError.
    """

    file_storage_class: type[FileStorage] = FileStorage

    # A field of one byte costs some 200 bytes of memory: a body within its limit must not become that much
    # larger.
    max_urlencoded_fields: int | None = 100_000

    def __init__(
        self,
        *,
        stream_factory: StreamFactory = default_stream_factory,
        max_form_memory_size: int | None = None,
        max_content_length: int | None = None,
        max_form_parts: int | None = None,
        cls: type[MultiDict[str, Any]] | None = MultiDict,
        silent: bool = True,
    ) -> None:
        self.stream_factory = stream_factory
        self.max_form_memory_size = max_form_memory_size
        self.max_content_length = max_content_length
        self.max_form_parts = max_form_parts
        self.cls = _cls_or_default(cls)
        self.silent = silent

    def get_parse_func(self, mimetype: str, options: dict[str, str]) -> ParserFunc | None:
        """What parses this media type, or None."""
        return self.parse_functions.get(mimetype)

    async def parse(
        self, body: Body, mimetype: str, content_length: int | None, options: dict[str, str] | None = None
    ) -> Forms:
        """The fields and the files of `body`; both empty, and the body not read, if it is no form."""
        options = options or {}
        parse = self.get_parse_func(mimetype, options)
        if parse is not None:
            try:
                return await parse(self, body, mimetype, content_length, options)
            except ValueError:
                if not self.silent:
                    raise
        return self.cls(), self.cls()

    async def _parse_multipart(
        self, body: Body, mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Forms:
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary: the Content-Type has to be multipart/form-data; boundary=…")
        parser = MultiPartParser(
            cls=self.cls,
            file_storage_cls=self.file_storage_class,
            max_content_length=self.max_content_length,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            stream_factory=self.stream_factory,
        )
        return await parser.parse(body, boundary, content_length)  # type: ignore[arg-type]  # Quart says int

    async def _parse_urlencoded(
        self, body: Body, mimetype: str, content_length: int | None, options: dict[str, str]
    ) -> Forms:
        raw = await body
        if self.max_urlencoded_fields is not None and raw.count(b"&") >= self.max_urlencoded_fields:
            raise RequestEntityTooLarge(f"A form may have {self.max_urlencoded_fields} fields.")
        if len(raw) > URLENCODED_IN_LOOP:
            return self.cls(await run_in_thread(_urlencoded_pairs, raw)), self.cls()
        return self.cls(_urlencoded_pairs(raw)), self.cls()

    parse_functions: dict[str, ParserFunc] = {
        "multipart/form-data": _parse_multipart,
        "application/x-www-form-urlencoded": _parse_urlencoded,
        "application/x-url-encoded": _parse_urlencoded,
    }


def _urlencoded_pairs(raw: bytes) -> list[tuple[str, str]]:
    # Bytes that are not UTF-8 stay percent-encoded, as in the query string.
    return parse_qsl(raw.decode(), keep_blank_values=True, errors="werkzeug.url_quote")


class MultiPartParser:
    """Parses multipart/form-data. The arguments are those of `FormDataParser`.

    buffer_size  bytes that the decoder gets at once; smaller chunks are put together, larger ones cut.
    """

    def __init__(
        self,
        *,
        buffer_size: int = CHUNK,
        cls: type[MultiDict[str, Any]] = MultiDict,
        file_storage_cls: type[FileStorage] = FileStorage,
        max_content_length: int | None = None,
        max_form_memory_size: int | None = None,
        max_form_parts: int | None = None,
        stream_factory: StreamFactory = default_stream_factory,
    ) -> None:
        self.buffer_size = buffer_size
        self.cls = cls
        self.file_storage_cls = file_storage_cls
        self.max_content_length = max_content_length
        self.max_form_memory_size = max_form_memory_size
        self.max_form_parts = max_form_parts
        self.stream_factory = stream_factory

    def fail(self, message: str) -> NoReturn:
        """Raise ValueError: the form is malformed."""
        raise ValueError(message)

    def get_part_charset(self, headers: Headers) -> str:
        """The charset that a field's Content-Type names if it is a harmless one, else UTF-8."""
        charset = parse_options_header(headers.get("content-type"))[1].get("charset", "").lower()
        return charset if charset in {"ascii", "us-ascii", "utf-8", "iso-8859-1"} else "utf-8"

    def start_file_streaming(self, event: File, total_content_length: int) -> IO[bytes]:
        """The open file that this part is written to."""
        length = event.headers.get("content-length", "")
        return self.stream_factory(  # by position, as Quart calls it: a factory's arguments may have any names
            total_content_length,
            event.headers.get("content-type"),
            event.filename,
            int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0,
        )

    async def parse(self, body: Body, boundary: bytes, content_length: int) -> Forms:
        """The fields and the files. Raises ValueError when malformed, RequestEntityTooLarge past a limit."""
        reading = _Reading(self, boundary, content_length)
        chunks: list[bytes] = []
        size = 0
        left = self.max_content_length  # bytes; a request's body has a limit of its own, usually the same
        try:
            async for chunk in body:
                if left is not None:
                    left -= len(chunk)
                    if left < 0:
                        raise RequestEntityTooLarge
                chunks.append(chunk)
                size += len(chunk)
                if size >= self.buffer_size:
                    await reading.feed(chunk if len(chunks) == 1 else b"".join(chunks))
                    chunks, size = [], 0
            await reading.feed(b"".join(chunks))
            await reading.end()
        except BaseException:
            reading.abandon()
            raise
        return self.cls(reading.fields), self.cls(reading.files)


class _Upload:
    """A file part on its way from the decoder to its stream."""

    def __init__(self, event: File, stream: IO[bytes]) -> None:
        self.event = event
        self.stream = stream
        self.waiting: list[bytes] = []
        self.size = 0  # bytes that wait
        self.written = 0

    def fits_memory(self) -> bool:
        """Whether writing what waits touches no disk, so that it may be done in the event loop."""
        if isinstance(self.stream, BytesIO):
            return True
        # The bound of a SpooledTemporaryFile; 0 means that it has none. Any other stream may be a disk's.
        bound: int | None = getattr(self.stream, "_max_size", None)
        return bound is not None and (self.written + self.size <= bound or bound == 0)

    def write(self, waiting: list[bytes], last: bool, to_disk: bool) -> None:
        if to_disk and hasattr(self.stream, "rollover"):
            self.stream.rollover()
        self.stream.write(b"".join(waiting))  # at once: each write lets the event loop's thread go first
        if last:
            self.stream.seek(0)


class _Reading:
    """One multipart body being parsed: the decoder, the part it is in, and what the parts have used."""

    def __init__(self, parser: MultiPartParser, boundary: bytes, content_length: int) -> None:
        from werkzeug.sansio.multipart import MultipartDecoder

        self.parser = parser
        self.delimiter = b"--" + boundary
        self.held_back = b""
        self.content_length = content_length
        # The decoder's own limit on memory would count the chunks of files, too.
        self.decoder: MultipartDecoder = MultipartDecoder(boundary, max_parts=parser.max_form_parts)
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self.field: Field | None = None
        self.value: list[bytes] = []
        self.upload: _Upload | None = None
        self.field_bytes = 0
        self.file_bytes_in_memory = 0
        self.writing: asyncio.Future[None] | None = None
        self.streams: list[IO[bytes]] = []

    async def feed(self, data: bytes) -> None:
        size = self.parser.buffer_size
        if len(data) <= size:
            await self._decode(self._held_back(data))
        else:
            for start in range(0, len(data), size):
                await self._decode(self._held_back(data[start : start + size]))

    async def end(self) -> None:
        await self._decode(self.held_back)
        await self._decode(None)
        await self._written()

    def _held_back(self, data: bytes) -> bytes:
        """`data` without the end of a boundary that the next data has to tell the meaning of; that waits.

        Werkzeug's decoder (3.1.9) takes the line break before a boundary for a part's data when it sees the
        boundary with one of its last two dashes, or with padding and no line break.
        """
        data = self.held_back + data if self.held_back else data
        delimiter = self.delimiter
        begun = bytes(self.decoder.buffer[1 - len(delimiter) :])  # what may be the start of one
        seen = begun + data[-len(delimiter) - PADDING :]
        start = seen.rfind(delimiter)
        if start >= 0 and seen[start + len(delimiter) :].strip(b" \t") in (b"", b"-"):
            waits = len(seen) - (start + len(delimiter) - 1)
            self.held_back = data[-waits:]
            return data[:-waits]
        self.held_back = b""
        return data

    async def _decode(self, data: bytes | None) -> None:
        from werkzeug.sansio.multipart import NEED_DATA, Data, Epilogue, Field, File, State

        decoder = self.decoder
        decoder.receive_data(data)
        while (event := decoder.next_event()) is not NEED_DATA and not isinstance(event, Epilogue):
            if isinstance(event, Data):
                if self.upload is not None:
                    await self._add_to_file(self.upload, event.data, not event.more_data)
                else:
                    self._add_to_field(event.data, not event.more_data)
            elif isinstance(event, Field):
                self.field = event
            elif isinstance(event, File):
                stream = self.parser.start_file_streaming(event, self.content_length)
                self.streams.append(stream)
                self.upload = _Upload(event, stream)
        if decoder.state is State.EPILOGUE:
            del decoder.buffer[:]  # nobody reads what follows the last part
        elif decoder.state in (State.PREAMBLE, State.PART) and len(decoder.buffer) > PART_HEADERS:
            raise RequestEntityTooLarge(f"The headers of a part may have {PART_HEADERS} bytes.")

    def _add_to_field(self, data: bytes, last: bool) -> None:
        self.field_bytes += len(data)
        limit = self.parser.max_form_memory_size
        if limit is not None and self.field_bytes > limit:
            raise RequestEntityTooLarge(f"The fields of a form may have {limit} bytes together.")
        self.value.append(data)
        if last:
            assert self.field is not None  # the decoder gives a part before its data
            charset = self.parser.get_part_charset(self.field.headers)
            self.fields.append((self.field.name, b"".join(self.value).decode(charset, "replace")))
            self.field, self.value = None, []

    async def _add_to_file(self, upload: _Upload, data: bytes, last: bool) -> None:
        if data:
            upload.waiting.append(data)
            upload.size += len(data)
        if not last and upload.size < WRITE:
            return
        total = upload.written + upload.size
        room = total <= TINY or self.file_bytes_in_memory + total <= FILES_IN_MEMORY
        waiting, upload.waiting = upload.waiting, []
        if room and upload.fits_memory():
            upload.write(waiting, last, False)
            self.file_bytes_in_memory += upload.size
        else:
            # The file is written while the next chunks are received and decoded; one write at a time.
            await self._written()
            loop = asyncio.get_running_loop()
            self.writing = loop.run_in_executor(None, upload.write, waiting, last, not room)
        upload.written, upload.size = total, 0
        if last:
            event = upload.event
            storage = self.parser.file_storage_cls(
                upload.stream, event.filename, event.name, headers=event.headers
            )
            self.files.append((event.name, storage))
            self.upload = None

    async def _written(self) -> None:
        if self.writing is not None:
            # Shielded: a thread cannot be stopped, and its file must stay open until it has finished.
            await asyncio.shield(self.writing)
            self.writing = None

    def abandon(self) -> None:
        """Close the files of a form that nobody will get."""
        if self.writing is not None and not self.writing.done():
            self.writing.add_done_callback(self._close)
        else:
            self._close()

    def _close(self, written: asyncio.Future[None] | None = None) -> None:
        if written is not None and not written.cancelled():
            written.exception()  # looked at: nobody waits for it any more
        for stream in self.streams:
            stream.close()
