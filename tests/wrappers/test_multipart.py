"""Forms: fields and files out of a body, however it is cut, within limits over all parts together."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterable
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.http import parse_options_header

from quart_plug.datastructures import FileStorage
from quart_plug.exceptions import ClientDisconnected, RequestEntityTooLarge
from quart_plug.formparser import FormDataParser, MultiPartParser
from quart_plug.wrappers import multipart
from quart_plug.wrappers.body import Body

MULTIPART = "multipart/form-data"


class Inbox:
    def __init__(self, chunks: Iterable[bytes], end: BaseException | None = None) -> None:
        self.chunks = iter(chunks)
        self.end = end

    async def next(self) -> dict[str, Any]:
        for chunk in self.chunks:
            return {"type": "http.request", "body": chunk, "more_body": True}
        if self.end is not None:
            raise self.end
        return {"type": "http.request", "body": b"", "more_body": False}


def body_of(*chunks: bytes) -> Body:
    return Body.from_inbox(Inbox(chunks), None, None)


def field(name: str, value: bytes, headers: bytes = b"") -> bytes:
    start = b'--B\r\nContent-Disposition: form-data; name="%s"\r\n' % name.encode()
    return start + headers + b"\r\n" + value + b"\r\n"


def file(name: str, filename: str, value: bytes, headers: bytes = b"Content-Type: text/plain\r\n") -> bytes:
    return field(f'{name}"; filename="{filename}', value, headers)


END = b"--B--\r\n"


async def parse(*chunks: bytes, **limits: Any) -> tuple[MultiDict[str, Any], MultiDict[str, Any]]:
    parser = FormDataParser(silent=False, **limits)
    return await parser.parse(body_of(*chunks), MULTIPART, None, {"boundary": "B"})


async def contents(*chunks: bytes, **limits: Any) -> tuple[list[Any], list[Any]]:
    """The fields, and for each file its field, name and bytes."""
    fields, files = await parse(*chunks, **limits)
    read = [(name, storage.filename, storage.read()) for name, storage in files.items(multi=True)]
    for _, storage in files.items(multi=True):
        storage.close()
    return list(fields.items(multi=True)), read


@pytest.fixture
def temporary_files(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The spooled files that the parser opens."""
    opened: list[Any] = []

    class Watched(SpooledTemporaryFile):  # type: ignore[type-arg]
        rolled_in: threading.Thread | None = None

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            opened.append(self)

        def rollover(self) -> None:
            self.rolled_in = threading.current_thread()
            super().rollover()

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", Watched)
    return opened


async def test_fields_and_files() -> None:
    fields, files = await parse(
        field("a", b"1")
        + field("b", "é".encode())
        + file("f", "x.txt", b"data\r\n--Bx")
        + field("a", b"2")
        + END
    )
    assert fields == MultiDict([("a", "1"), ("a", "2"), ("b", "é")])
    storage = files["f"]
    assert type(storage) is FileStorage
    assert (storage.name, storage.filename, storage.mimetype) == ("f", "x.txt", "text/plain")
    assert storage.read() == b"data\r\n--Bx"
    storage.close()


@pytest.mark.parametrize(
    ("charset", "value", "expected"),
    [("iso-8859-1", b"\xe9", "é"), ("utf-8", b"\xff", "\ufffd"), ("utf-7", "é".encode(), "é")],
)
async def test_the_charset_of_a_field(charset: str, value: bytes, expected: str) -> None:
    header = f"Content-Type: text/plain; charset={charset}\r\n".encode()
    assert (await parse(field("a", value, header) + END))[0]["a"] == expected


async def test_the_class_of_the_result_can_be_chosen() -> None:
    fields, files = await parse(field("a", b"1") + END, cls=ImmutableMultiDict)
    assert type(fields) is type(files) is ImmutableMultiDict


@pytest.mark.parametrize(
    "body",
    [b"", b"nothing", field("a", b"1"), field("a", b"1") + b"--B", b"--B\r\nX-No: name\r\n\r\nx\r\n--B--"],
)
async def test_a_malformed_form_is_empty_or_an_error(body: bytes) -> None:
    with pytest.raises(ValueError):
        await parse(body)
    quiet = await FormDataParser().parse(body_of(body), MULTIPART, None, {"boundary": "B"})
    assert quiet == (MultiDict(), MultiDict())


async def test_a_missing_boundary() -> None:
    with pytest.raises(ValueError, match="Missing boundary"):
        await FormDataParser(silent=False).parse(body_of(b""), MULTIPART, None)
    assert await FormDataParser().parse(body_of(b""), MULTIPART, None) == (MultiDict(), MultiDict())


async def test_what_is_no_form_is_not_read() -> None:
    body = body_of(b"{}")
    assert await FormDataParser().parse(body, "application/json", None) == (MultiDict(), MultiDict())
    assert await body == b"{}"


async def test_a_parser_of_ones_own_for_a_media_type() -> None:
    async def lines(
        parser: Any, body: Body, mimetype: str, length: int | None, options: dict[str, str]
    ) -> Any:
        return parser.cls([(line, options["x"]) for line in (await body).decode().split()]), parser.cls()

    class Lines(FormDataParser):
        parse_functions = {**FormDataParser.parse_functions, "text/lines": lines}

    fields, _ = await Lines().parse(body_of(b"a b"), "text/lines", None, {"x": "1"})
    assert fields == MultiDict([("a", "1"), ("b", "1")])


VALUES = st.binary(max_size=30) | st.lists(st.sampled_from([b"\r", b"\n", b"--", b"-", b"B", b"x"])).map(
    b"".join
)
PARTS = st.lists(st.tuples(st.booleans(), VALUES.filter(lambda value: b"--B" not in value)))


@given(PARTS, st.sampled_from([b"\r\n", b" \t\r\n"]), st.lists(st.integers(0, 600)), st.integers(1, 90))
def test_wherever_the_body_is_cut_the_form_is_the_same(
    parts: list[tuple[bool, bytes]], end_of_line: bytes, cuts: list[int], buffer_size: int
) -> None:
    body = b"".join(file("f", "x", value) if is_file else field("a", value) for is_file, value in parts) + END
    body = body.replace(b"--B\r\n", b"--B" + end_of_line)
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})

    async def read() -> tuple[list[str], list[bytes]]:
        parser = MultiPartParser(buffer_size=buffer_size, stream_factory=lambda *told: BytesIO())
        chunks = [body[start:stop] for start, stop in pairwise(places)]
        form, files = await parser.parse(body_of(*chunks), b"B", len(body))
        return form.getlist("a"), [storage.read() for storage in files.getlist("f")]

    fields, files = asyncio.run(read())
    assert fields == [value.decode(errors="replace") for is_file, value in parts if not is_file]
    assert files == [value for is_file, value in parts if is_file]


@pytest.mark.parametrize("end", [b"--B--", b"--B--\r\n", b"--B \t\r\n--B--", b"--B--epilogue"])
async def test_a_boundary_that_is_cut_anywhere_adds_nothing_to_the_data(end: bytes) -> None:
    body = file("f", "x", b"data") + end.replace(b"\t\r\n", b"\t" + field("a", b"")[3:])
    for cut in range(len(body)):
        parser = MultiPartParser(buffer_size=1, stream_factory=lambda *told: BytesIO())
        _, files = await parser.parse(body_of(body[:cut], body[cut:]), b"B", len(body))
        assert files["f"].read() == b"data"


# Files ------------------------------------------------------------------------------------------------------


async def test_a_small_file_stays_in_memory(temporary_files: list[Any]) -> None:
    assert await contents(file("f", "x", b"small") + END) == ([], [("f", "x", b"small")])
    assert [spool.rolled_in for spool in temporary_files] == [None]


async def test_a_large_file_goes_to_disk_in_a_thread(temporary_files: list[Any]) -> None:
    """Rolling over to disk does not block the event loop (the class of CVE-2025-54121)."""
    data = os.urandom(3 * multipart.WRITE + 7)
    assert await contents(file("f", "x", data) + END) == ([], [("f", "x", data)])
    (spool,) = temporary_files
    assert spool.rolled_in not in (None, threading.current_thread())


async def test_the_loop_goes_on_while_a_file_is_written() -> None:
    loop_thread, wrote_in = threading.current_thread(), []

    class Slow(BytesIO):
        _max_size = 1  # as a SpooledTemporaryFile says from when on it is on disk

        def write(self, data: Any) -> int:
            wrote_in.append(threading.current_thread())
            turned.wait(5)
            return super().write(data)

    class Disk:
        """A stream of which nothing is known."""

        def __init__(self) -> None:
            self.file = Slow()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    turned = threading.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    stream: Any = Disk()
    await parse(file("f", "x", b"data") + END, stream_factory=lambda *told: stream)
    assert turned.is_set()
    assert wrote_in
    assert loop_thread not in wrote_in
    assert stream.read() == b"data"


async def test_the_stream_factory_is_told_what_is_known() -> None:
    told: list[tuple[Any, ...]] = []

    def factory(*arguments: Any) -> BytesIO:
        told.append(arguments)
        return BytesIO()

    headers = b"Content-Type: text/x\r\nContent-Length: 4\r\n"
    parser = FormDataParser(stream_factory=factory)
    await parser.parse(body_of(file("f", "x", b"data", headers) + END), MULTIPART, 99, {"boundary": "B"})
    assert told == [(99, "text/x", "x", 4)]


async def test_many_files_together_leave_memory(
    temporary_files: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(multipart, "FILES_IN_MEMORY", 1000)
    monkeypatch.setattr(multipart, "TINY", 10)
    parts = [file("f", "x", b"x" * size) for size in (600, 600, 5, 300)]
    _, files = await contents(b"".join(parts) + END)
    assert [len(data) for _, _, data in files] == [600, 600, 5, 300]
    assert [spool.rolled_in is not None for spool in temporary_files] == [False, True, False, False]


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "C:\\x", "..", "x/\u202ey"])
async def test_a_file_name_is_only_a_word(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2026-24486: nothing is written where the client says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: pytest.fail("a file was opened by name"))
    _, files = await contents(file("f", name.replace("\\", "\\\\"), b"data") + END)
    assert files == [("f", name, b"data")]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [10, multipart.SPOOL * 4])
@pytest.mark.parametrize("end", [ClientDisconnected(), asyncio.CancelledError(), None])
async def test_the_files_of_a_form_that_ends_badly_are_closed(
    end: BaseException | None, size: int, temporary_files: list[Any]
) -> None:
    parts = file("f", "x", b"x" * size), file("g", "x", b"x" * size)[:-10]
    body = Body.from_inbox(Inbox(parts, end), None, None)
    with pytest.raises((ClientDisconnected, asyncio.CancelledError, ValueError)):
        await FormDataParser(silent=False).parse(body, MULTIPART, None, {"boundary": "B"})
    assert bool(temporary_files) is (size > multipart.CHUNK or end is None)
    async with asyncio.timeout(5):
        while not all(spool.closed for spool in temporary_files):  # a thread may still write
            await asyncio.sleep(0)
    gc.collect()  # a ResourceWarning would be an error


async def test_an_error_of_the_disk_is_told(
    temporary_files: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile.rollover", full)
    with pytest.raises(OSError, match="No space left"):
        await parse(file("f", "x", b"x" * multipart.WRITE * 2) + END)
    assert all(spool.closed for spool in temporary_files)


# Limits -----------------------------------------------------------------------------------------------------


async def test_fields_are_limited_together() -> None:
    """CVE-2025-69228: a limit for each of them would be none for all."""
    parts = [field("a", b"x" * 60) for _ in range(2)]
    assert len((await contents(*parts, END, max_form_memory_size=120))[0]) == 2
    with pytest.raises(RequestEntityTooLarge, match="119 bytes together"):
        await parse(*parts, END, max_form_memory_size=119)


async def test_a_huge_field_in_small_chunks_is_limited() -> None:
    """CVE-2024-49767; GHSA-f96h-pmfr-66vw: a part without a file name."""
    taken = 0

    def chunks() -> Iterable[bytes]:
        nonlocal taken
        yield field("a", b"")[:-2]
        while True:
            taken += 1
            yield b"x" * 100

    body = Body.from_inbox(Inbox(chunks()), None, None)
    with pytest.raises(RequestEntityTooLarge):
        await FormDataParser(max_form_memory_size=10_000).parse(body, MULTIPART, None, {"boundary": "B"})
    assert taken < 2 * multipart.CHUNK / 100


async def test_files_are_not_limited_as_fields_are() -> None:
    data = b"x" * multipart.CHUNK * 2
    assert (await contents(file("f", "x", data) + END, max_form_memory_size=10))[1] == [("f", "x", data)]


async def test_the_number_of_parts_is_limited() -> None:
    """CVE-2023-25577: a million parts; GHSA-74m5-2c7w-9w3x: many fields."""
    parts = [field("a", b"1"), file("f", "x", b"1"), field("a", b"2")]
    assert len((await contents(*parts, END, max_form_parts=3))[0]) == 2
    with pytest.raises(RequestEntityTooLarge):
        await parse(*parts, END, max_form_parts=2)


@pytest.mark.parametrize("start", [b"", b"--B\r\n", b"--B\r\nContent-Disposition: form-data; name="])
async def test_endless_headers_and_preambles_are_limited(start: bytes) -> None:
    def chunks() -> Iterable[bytes]:
        yield start
        while True:
            yield b"x" * multipart.CHUNK

    body = Body.from_inbox(Inbox(chunks()), None, None)
    with pytest.raises(RequestEntityTooLarge, match="headers of a part"):
        await FormDataParser().parse(body, MULTIPART, None, {"boundary": "B"})


async def test_what_follows_the_last_part_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = []
    decode = multipart._Reading._decode

    async def watched(self: Any, data: bytes | None) -> None:
        await decode(self, data)
        kept.append(len(self.decoder.buffer))

    monkeypatch.setattr(multipart._Reading, "_decode", watched)
    assert (await contents(field("a", b"1") + END, *[b"x" * multipart.CHUNK] * 20))[0] == [("a", "1")]
    assert max(kept) < 10


async def test_one_byte_at_a_time() -> None:
    """CVE-2025-69229: in linear time; quadratic, this would take minutes."""
    body = field("a", b"\r" * 100_000) + file("f", "x", b"\r\n-" * 100_000) + END
    fields, files = await contents(*(body[place : place + 1] for place in range(len(body))))
    assert (len(fields[0][1]), len(files[0][2])) == (100_000, 300_000)


@pytest.mark.parametrize("data", [b"\r", b"\n", b"\r\n", b"\r\n--", b"--B", b"\r\n--Bx"])
async def test_a_part_full_of_line_breaks(data: bytes) -> None:
    """CVE-2023-46136: in linear time; quadratic, this would take minutes."""
    data *= 3_000_000 // len(data)
    _, files = await contents(file("f", "x", b"x" + data) + END)
    assert files[0][2] == b"x" + data


@pytest.mark.parametrize(
    "value",
    [
        'form-data; name="' + '\\"' * 30_000,
        "form-data" + "; a=" * 20_000,
        "a/b; " + " " * 60_000 + "x",
        "a;" * 30_000,
    ],
)
async def test_long_options_are_parsed_in_linear_time(value: str) -> None:
    """CVE-2024-24762, CVE-2026-28356, CVE-2026-53539: exponential or quadratic, this would take minutes."""
    parse_options_header(value)
    part = b"--B\r\nContent-Disposition: %s\r\n\r\nx\r\n" % value.encode()
    try:
        await parse(part + END)
    except (RequestEntityTooLarge, ValueError):
        pass
