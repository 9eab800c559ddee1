"""Forms and uploads: those of a request, and `FileStorage` by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pytest
from werkzeug.datastructures import CombinedMultiDict, Headers, ImmutableMultiDict
from werkzeug.datastructures import FileStorage as WerkzeugFileStorage

from quart_plug import Quart, datastructures, request
from quart_plug.datastructures import FileStorage
from quart_plug.exceptions import BadRequestKeyError
from quart_plug.formparser import FormDataParser
from quart_plug.wrappers import Request
from tests.support.surface import shows

MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def field(name: str, value: str | bytes, *headers: str) -> bytes:
    """A part that is no file."""
    return part(f'form-data; name="{name}"', value, *headers)


def file(name: str, filename: str, value: str | bytes, *headers: str) -> bytes:
    """A part that is a file."""
    return part(f'form-data; name="{name}"; filename="{filename}"', value, *headers)


def part(disposition: str, value: str | bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"--B\r\nContent-Disposition: {disposition}", *headers, "", ""])
    return head.encode() + (value.encode() if isinstance(value, str) else value) + b"\r\n"


END = b"--B--\r\n"
UPLOAD = field("title", "a cät") + file("photo", "cät.png", b"\x89PNG", "Content-Type: image/png") + END


async def post(
    view: Callable[[], Awaitable[Any]], data: bytes, headers: dict[str, str], path: str = "/", class_: Any = Request
) -> Any:
    """What a view gives for a form."""
    app = Quart(__name__)
    app.request_class = class_
    found: list[Any] = []

    @app.route("/", methods=["GET", "POST", "PUT"])
    async def around() -> str:
        found.append(await view())
        return ""

    response = await app.test_client().post(path, data=data, headers=headers)
    assert response.status_code == 200
    return found[0]


# On a request -----------------------------------------------------------------------------------------------


@shows("wrappers.request.Request.form")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a=1&b=x+y&a=%C3%BC", [("a", "1"), ("a", "ü"), ("b", "x y")]),
        (b"empty=&name", [("empty", ""), ("name", "")]),
        (b"", []),
    ],
)
async def test_an_urlencoded_form_is_a_dictionary_with_several_values(data: bytes, expected: Any) -> None:
    async def view() -> Any:
        form = await request.form
        assert form is await request.form
        return form

    form = await post(view, data, URLENCODED)

    assert isinstance(form, ImmutableMultiDict)
    assert list(form.items(multi=True)) == expected


@shows("wrappers.request.Request.form", "wrappers.request.Request.files")
async def test_a_multipart_form_has_fields_and_files() -> None:
    async def view() -> Any:
        form, files = await request.form, await request.files
        photo = files["photo"]
        return dict(form), photo.filename, photo.name, photo.content_type, photo.read(), await request.data

    assert await post(view, UPLOAD, MULTIPART) == (
        {"title": "a cät"},
        "cät.png",
        "photo",
        "image/png",
        b"\x89PNG",
        b"",
    )


@shows("wrappers.request.Request.form", "wrappers.request.Request.files")
async def test_what_is_no_form_has_no_fields() -> None:
    async def view() -> Any:
        return dict(await request.form), dict(await request.files), await request.data

    assert await post(view, b"a=1", {"Content-Type": "text/plain"}) == ({}, {}, b"a=1")
    assert await post(view, b"garbage", MULTIPART) == ({}, {}, b"")


async def test_a_field_that_is_missing_is_a_bad_request() -> None:
    async def view() -> Any:
        with pytest.raises(BadRequestKeyError) as caught:
            (await request.form)["missing"]
        return caught.value.code, (await request.form).get("missing", 7)

    assert await post(view, b"a=1", URLENCODED) == (400, 7)


@shows("wrappers.request.Request.values")
async def test_values_are_arguments_and_fields() -> None:
    async def view() -> Any:
        return await request.values

    values = await post(view, b"a=form&b=2", URLENCODED, "/?a=query&c=3")

    assert isinstance(values, CombinedMultiDict)
    assert (values["a"], values.getlist("a"), values["b"], values["c"]) == ("query", ["query", "form"], "2", "3")


@shows("wrappers.request.Request.values")
async def test_a_get_request_has_only_its_arguments_as_values() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> Any:
        return dict(await request.values)

    response = await app.test_client().get("/?a=1", form={"b": "2"})
    assert await response.get_json() == {"a": "1"}


@shows("wrappers.request.Request.close")
async def test_uploaded_files_are_closed_with_the_request() -> None:
    async def view() -> Any:
        photo = (await request.files)["photo"]
        assert not photo.stream.closed
        return photo

    assert (await post(view, UPLOAD, MULTIPART)).stream.closed

    async with Quart(__name__).test_request_context("/", method="POST", data=UPLOAD, headers=MULTIPART):
        photo = (await request.files)["photo"]
        await request.close()
        assert photo.stream.closed


@shows("wrappers.request.Request.form_data_parser_class", "formparser.FormDataParser.file_storage_class")
async def test_the_classes_of_parser_and_files_can_be_chosen() -> None:
    class Upload(FileStorage):
        pass

    class Parser(FormDataParser):
        file_storage_class = Upload

    class Mine(Request):
        form_data_parser_class = Parser

    async def view() -> Any:
        return type((await request.files)["photo"])

    assert await post(view, UPLOAD, MULTIPART, class_=Mine) is Upload


@shows("wrappers.request.Request.make_form_data_parser")
async def test_a_request_makes_its_parser_with_its_limits() -> None:
    made: list[Any] = []

    def to_memory(total: Any, media_type: Any, name: Any, length: Any) -> IO[bytes]:
        made.append(name)
        return BytesIO()

    class Mine(Request):
        def make_form_data_parser(self) -> FormDataParser:
            parser = super().make_form_data_parser()
            made.append((parser.max_content_length, parser.max_form_memory_size, parser.max_form_parts, parser.cls))
            parser.stream_factory = to_memory
            return parser

    async def view() -> Any:
        return type((await request.files)["photo"].stream)

    assert await post(view, UPLOAD, MULTIPART, class_=Mine) is BytesIO
    assert made == [(16 * 1024 * 1024, 500_000, 1000, ImmutableMultiDict), "cät.png"]


@shows("wrappers.request.Request.lock_class")
async def test_a_form_is_parsed_once_for_tasks_that_ask_at_the_same_time() -> None:
    """Under a lock, whose class can be chosen (quart-trio has trio's)."""
    import asyncio

    class Lock(asyncio.Lock):
        taken = 0

        async def acquire(self) -> Any:
            type(self).taken += 1
            return await super().acquire()

    class Mine(Request):
        lock_class = Lock

    async def form() -> Any:
        return await request.form

    async def view() -> Any:
        first, second = await asyncio.gather(form(), form())
        return first is second

    assert await post(view, UPLOAD, MULTIPART, class_=Mine) is True
    assert Lock.taken >= 1


# Files ------------------------------------------------------------------------------------------------------


@shows("datastructures.FileStorage", "datastructures.FileStorage.save")
async def test_a_file_is_saved_from_where_it_stands(tmp_path: Path) -> None:
    upload = FileStorage(BytesIO(b"0123456789"), filename="x.txt")

    await upload.save(tmp_path / "path")
    upload.seek(5)
    await upload.save(str(tmp_path / "text"), buffer_size=2)
    upload.seek(0)
    into = BytesIO()
    await upload.save(into)

    assert (tmp_path / "path").read_bytes() == into.getvalue() == b"0123456789"
    assert (tmp_path / "text").read_bytes() == b"56789"
    with pytest.raises(FileNotFoundError):
        await upload.save(tmp_path / "no" / "folder")


@shows("datastructures.FileStorage.load")
async def test_a_file_is_loaded_into_the_stream(tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"loaded")
    upload = FileStorage(BytesIO())

    await upload.load(tmp_path / "source")
    await upload.load(str(tmp_path / "source"), buffer_size=2)

    upload.seek(0)
    assert upload.read() == b"loadedloaded"


@shows(
    "datastructures.FileStorage.content_length",
    "datastructures.FileStorage.content_type",
    "datastructures.FileStorage.mimetype",
    "datastructures.FileStorage.mimetype_params",
    "datastructures.WerkzeugFileStorage",
)
def test_a_file_knows_what_the_client_says_of_it() -> None:
    headers = Headers({"Content-Type": "TEXT/Plain; charset=ascii", "Content-Length": "7"})
    upload = FileStorage(BytesIO(b"x"), filename="x.txt", name="field", headers=headers)

    assert (upload.filename, upload.name, upload.content_length) == ("x.txt", "field", 7)
    assert upload.content_type == "TEXT/Plain; charset=ascii"
    assert (upload.mimetype, upload.mimetype_params) == ("text/plain", {"charset": "ascii"})
    assert FileStorage(content_type="a/b", content_length=3).content_type == "a/b"
    assert (bool(upload), bool(FileStorage())) == (True, False)
    assert datastructures.WerkzeugFileStorage is WerkzeugFileStorage
    assert isinstance(upload, WerkzeugFileStorage)


@shows("datastructures.FileStorage.close")
def test_closing_a_file_closes_its_stream() -> None:
    stream = BytesIO(b"x")
    FileStorage(stream).close()

    assert stream.closed
