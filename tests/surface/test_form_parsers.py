"""The parsers of forms, used by hand as Quart's documentation of subclasses has it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, Any, get_args

import pytest
from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict
from werkzeug.sansio.multipart import File

from quart_plug import formparser
from quart_plug.datastructures import FileStorage
from quart_plug.exceptions import RequestEntityTooLarge
from quart_plug.formparser import FormDataParser, MultiPartParser, default_stream_factory
from quart_plug.wrappers import Body
from tests.support.surface import shows

UPLOAD = (
    b'--B\r\nContent-Disposition: form-data; name="title"\r\n\r\nold\r\n'
    b'--B\r\nContent-Disposition: form-data; name="photo"; filename="cat.png"\r\nContent-Type: image/png\r\n\r\n'
    b"\x89PNG\r\n"
    b"--B--\r\n"
)


def body(*chunks: bytes) -> Body:
    """A body that has arrived."""
    made = Body(None, None)
    for chunk in chunks:
        made.append(chunk)
    made.set_complete()
    return made


def to_memory(*args: Any, **kwargs: Any) -> IO[bytes]:
    return BytesIO()


def contents(forms: tuple[Any, Any]) -> tuple[dict[str, str], dict[str, bytes]]:
    form, files = forms
    return dict(form), {name: each.read() for name, each in files.items()}


@shows("formparser.FormDataParser", "formparser.FormDataParser.parse")
@pytest.mark.parametrize(
    ("data", "mimetype", "options", "expected"),
    [
        (UPLOAD, "multipart/form-data", {"boundary": "B"}, ({"title": "old"}, {"photo": b"\x89PNG"})),
        (b"a=1&b=2", "application/x-www-form-urlencoded", None, ({"a": "1", "b": "2"}, {})),
        (b"a=1", "text/plain", None, ({}, {})),
        (UPLOAD, "multipart/form-data", {}, ({}, {})),
    ],
)
async def test_a_body_is_parsed_by_its_media_type(data: bytes, mimetype: str, options: Any, expected: Any) -> None:
    parser = FormDataParser(stream_factory=to_memory)

    assert contents(await parser.parse(body(data), mimetype, len(data), options)) == expected


@shows("formparser.FormDataParser")
async def test_a_parser_can_be_strict_and_limited_and_choose_its_classes() -> None:
    async def parse(**arguments: Any) -> Any:
        arguments.setdefault("stream_factory", to_memory)
        return await FormDataParser(**arguments).parse(body(UPLOAD), "multipart/form-data", None, {"boundary": "B"})

    assert {type(each) for each in await parse()} == {MultiDict}
    assert {type(each) for each in await parse(cls=ImmutableMultiDict)} == {ImmutableMultiDict}
    for limit in ({"max_form_parts": 1}, {"max_form_memory_size": 2}, {"max_content_length": len(UPLOAD) - 1}):
        with pytest.raises(RequestEntityTooLarge):
            await parse(**limit)
    assert await parse(max_content_length=len(UPLOAD))
    with pytest.raises(ValueError):
        await FormDataParser(silent=False).parse(body(UPLOAD), "multipart/form-data", None, {})


@shows(
    "formparser.FormDataParser.get_parse_func",
    "formparser.FormDataParser.parse_functions",
    "formparser.ParserFunc",
)
async def test_parsers_for_other_media_types_can_be_added() -> None:
    async def parse_csv(parser: Any, body: Body, mimetype: str, content_length: int | None, options: Any) -> Any:
        first, _, second = (await body).decode().partition(",")
        return parser.cls({"first": first, "second": second, "type": mimetype}), parser.cls()

    assert FormDataParser().get_parse_func("text/csv", {}) is None

    class ByTable(FormDataParser):
        parse_functions = {**FormDataParser.parse_functions, "text/csv": parse_csv}

    class ByMethod(FormDataParser):
        def get_parse_func(self, mimetype: str, options: dict[str, str]) -> formparser.ParserFunc | None:
            return parse_csv if mimetype == "text/csv" else super().get_parse_func(mimetype, options)

    for class_ in (ByTable, ByMethod):
        form, files = await class_().parse(body(b"1,2"), "text/csv", 3)
        assert (dict(form), dict(files)) == ({"first": "1", "second": "2", "type": "text/csv"}, {})
        assert contents(await class_().parse(body(b"a=1"), "application/x-www-form-urlencoded", 3))[0] == {"a": "1"}

    parameters, result = get_args(formparser.ParserFunc)
    assert len(parameters) == 5
    assert result.__origin__ is Awaitable


@shows("formparser.MultiPartParser", "formparser.MultiPartParser.parse")
@pytest.mark.parametrize("chunks", [[UPLOAD], [UPLOAD[i : i + 1] for i in range(len(UPLOAD))]])
@pytest.mark.parametrize("size", [10, 64 * 1024])
async def test_a_multipart_body_is_parsed_whatever_its_chunks(chunks: Iterable[bytes], size: int) -> None:
    class Upload(FileStorage):
        pass

    parser = MultiPartParser(
        buffer_size=size, cls=ImmutableMultiDict, file_storage_cls=Upload, stream_factory=to_memory
    )
    form, files = await parser.parse(body(*chunks), b"B", 0)

    assert isinstance(files["photo"], Upload)
    assert isinstance(form, ImmutableMultiDict)
    assert contents((form, files)) == ({"title": "old"}, {"photo": b"\x89PNG"})


@shows("formparser.MultiPartParser.get_part_charset")
@pytest.mark.parametrize(
    ("charset", "taken"),
    [("iso-8859-1", "iso-8859-1"), ("US-ASCII", "us-ascii"), ("utf-16", "utf-8"), ("", "utf-8")],
)
async def test_a_field_may_have_a_harmless_charset(charset: str, taken: str) -> None:
    headers = Headers({"Content-Type": f"text/plain; charset={charset}"})
    assert MultiPartParser().get_part_charset(headers) == taken

    class Latin(MultiPartParser):
        def get_part_charset(self, headers: Headers) -> str:
            return "iso-8859-1"

    form, _ = await Latin().parse(
        body(b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xfc\r\n--B--\r\n'), b"B", 0
    )
    assert form["a"] == "ü"


@shows("formparser.MultiPartParser.start_file_streaming", "formparser.StreamFactory")
async def test_a_factory_makes_the_file_of_each_upload() -> None:
    asked: list[Any] = []

    def factory(total: int | None, media_type: str | None, name: str | None, length: int | None = None) -> IO[bytes]:
        asked.append((total, media_type, name, length))
        return BytesIO()

    made: formparser.StreamFactory = factory
    parser = MultiPartParser(stream_factory=made)
    event = File("f", "x.bin", Headers({"Content-Type": "a/b", "Content-Length": "3"}))
    assert isinstance(parser.start_file_streaming(event, 99), BytesIO)
    _, files = await parser.parse(body(UPLOAD), b"B", 77)

    assert isinstance(files["photo"].stream, BytesIO)
    assert asked == [(99, "a/b", "x.bin", 3), (77, "image/png", "cat.png", 0)]
    with default_stream_factory(None, None, None) as spool:
        assert isinstance(spool, SpooledTemporaryFile)


@shows("formparser.MultiPartParser.fail")
def test_a_parser_fails_with_a_value_error() -> None:
    with pytest.raises(ValueError, match="no boundary"):
        MultiPartParser().fail("no boundary")
