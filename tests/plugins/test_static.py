"""Sending files: Quart's headers, conditions and ranges, and no way out of a directory."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.exceptions import NotFound, RequestedRangeNotSatisfiable
from werkzeug.http import parse_options_header

from quart_plug import Quart
from quart_plug.exceptions import PluginNotEnabled
from quart_plug.files import names_device, safe_join, send_file, send_from_directory
from quart_plug.typing import FileServer
from quart_plug.wrappers.reply import deliver
from quart_plug.wrappers.response import FileBody, IOBody
from quart_plug_static.files import content_disposition

DATA = b"0123456789"


@asynccontextmanager
async def request(headers: dict[str, str] | None = None, method: str = "GET", **settings: Any) -> AsyncIterator[Quart]:
    """A request that is being handled."""
    app = Quart("files")
    app.config.update(settings)
    async with app.test_request_context("/", method=method, headers=headers or {}):
        yield app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files, and a sibling whose name begins alike."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "a.txt").write_bytes(DATA)
    (folder / "sub").mkdir()
    (folder / "sub" / "é b.css").write_bytes(b"x")
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "static-secret").mkdir()
    (tmp_path / "static-secret" / "a.txt").write_text("secret")
    return folder


async def status_of(folder: Path, name: str) -> int:
    async with request():
        try:
            response = await send_from_directory(folder, name)
        except NotFound:
            return 404
        await response.get_data()
        return response.status_code


async def test_the_plugin_fills_the_slot() -> None:
    assert isinstance(Quart("files").plugin_slot("file_server"), FileServer)
    with pytest.raises(PluginNotEnabled, match="static"):
        async with request(PLUGINS_DISABLED=["static"]):
            await send_file(__file__)


@pytest.mark.parametrize("form", [Path, str, os.fsencode])
async def test_a_file_has_a_type_a_length_a_time_an_age_and_an_etag(folder: Path, form: Any) -> None:
    os.utime(folder / "a.txt", (1577836800, 1577836800))
    async with request():
        response = await send_file(form(folder / "a.txt"))

    assert isinstance(response.response, FileBody)
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.content_length == 10
    assert response.last_modified == datetime(2020, 1, 1, tzinfo=UTC)
    assert response.headers["Cache-Control"] == "public, max-age=43200"
    assert response.expires is not None
    assert response.get_etag()[1] is False
    assert "Content-Disposition" not in response.headers
    assert await response.get_data() == DATA


async def test_the_etag_changes_with_the_file(folder: Path) -> None:
    async with request():
        first = (await send_file(folder / "a.txt")).get_etag()
        assert (await send_file(folder / "a.txt")).get_etag() == first
        os.utime(folder / "a.txt", (1, 1))
        assert (await send_file(folder / "a.txt")).get_etag() != first
        assert (await send_file(folder / "a.txt", add_etags=False)).get_etag() == (None, None)


@pytest.mark.parametrize(
    ("max_age", "cache_timeout", "expected"),
    [
        (None, None, "public"),
        (77, None, "public, max-age=77"),
        (77, 0, "public, max-age=0"),
        (None, 60, "public, max-age=60"),
    ],
)
async def test_the_age_is_the_apps_unless_given(
    folder: Path, max_age: int | None, cache_timeout: int | None, expected: str
) -> None:
    async with request(SEND_FILE_MAX_AGE_DEFAULT=max_age):
        response = await send_file(folder / "a.txt", cache_timeout=cache_timeout)

    assert response.headers["Cache-Control"] == expected
    assert ("Expires" in response.headers) == ("max-age" in expected)


async def test_the_time_can_be_given(folder: Path) -> None:
    async with request():
        response = await send_file(folder / "a.txt", last_modified=datetime(2000, 1, 1, tzinfo=UTC))

    assert response.headers["Last-Modified"] == "Sat, 01 Jan 2000 00:00:00 GMT"


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.css", {}, "text/css; charset=utf-8"),
        ("a.png", {}, "image/png"),
        ("a.no-such-type", {}, "application/octet-stream"),
        ("a.css", {"mimetype": "x/y"}, "x/y"),
        ("a.css", {"attachment_filename": "b.png"}, "image/png"),
    ],
)
async def test_the_type_is_guessed_from_the_name(
    folder: Path, name: str, options: dict[str, Any], expected: str
) -> None:
    (folder / name).touch()
    async with request():
        response = await send_file(folder / name, **options)

    assert response.content_type == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "attachment; filename=a.txt"),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ('a"b\\c', r'attachment; filename="a\"b\\c"'),
        ("é.txt", "attachment; filename=e.txt; filename*=UTF-8''%C3%A9.txt"),
        ("日.txt", "attachment; filename=.txt; filename*=UTF-8''%E6%97%A5.txt"),
        ("a\r\nb", "attachment; filename=a__b; filename*=UTF-8''a__b"),
        ("%22", "attachment; filename=%22; filename*=UTF-8''%2522"),
        (None, "attachment"),
    ],
)
def test_the_name_of_an_attachment(name: str | None, expected: str) -> None:
    assert content_disposition(name) == expected


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_the_name_of_an_attachment_can_be_read_back(name: str) -> None:
    kind, options = parse_options_header(content_disposition(name))

    assert kind == "attachment"
    assert options["filename"] == name


async def test_an_attachment_is_named_after_the_file_or_as_said(folder: Path) -> None:
    async with request():
        own = await send_file(folder / "sub" / "é b.css", as_attachment=True)
        given_name = await send_file(folder / "a.txt", as_attachment=True, attachment_filename="x.png")

    assert "filename*=UTF-8''%C3%A9%20b.css" in own.headers["Content-Disposition"]
    assert given_name.headers["Content-Disposition"] == "attachment; filename=x.png"
    assert given_name.content_type == "image/png"


async def test_a_stream_needs_a_type_or_a_name() -> None:
    async with request():
        response = await send_file(io.BytesIO(b"abc"), attachment_filename="x.css")
        assert response.content_type == "text/css; charset=utf-8"
        assert (response.content_length, await response.get_data()) == (3, b"abc")
        assert response.headers["Cache-Control"] == "public"
        with pytest.raises(ValueError, match="pass `mimetype` or `attachment_filename`"):
            await send_file(io.BytesIO(b"abc"))
        with pytest.raises(TypeError, match="binary mode"):
            await send_file(io.StringIO("abc"), mimetype="text/plain")  # type: ignore[arg-type]


async def test_an_open_file_is_sent_and_closed(folder: Path) -> None:
    stream = (folder / "a.txt").open("rb")
    async with request():
        response = await send_file(stream, mimetype="text/plain")  # type: ignore[arg-type]

    assert isinstance(response.response, IOBody)
    assert await response.get_data() == DATA
    assert stream.closed


# Conditions and ranges


@pytest.mark.parametrize(
    ("header", "body"), [("bytes=2-4", b"234"), ("bytes=-3", b"789"), ("bytes=8-", b"89"), (None, DATA)]
)
async def test_a_part_of_a_file(folder: Path, header: str | None, body: bytes) -> None:
    async with request({"Range": header} if header else {}):
        for source in (folder / "a.txt", io.BytesIO(DATA)):
            response = await send_file(source, mimetype="a/b", conditional=True)
            assert response.status_code == (206 if header else 200)
            assert await response.get_data() == body
            assert response.content_length == len(body)
            assert response.accept_ranges == "bytes"


async def test_a_part_is_only_sent_when_the_view_says_so(folder: Path) -> None:
    async with request({"Range": "bytes=2-4"}):
        response = await send_file(folder / "a.txt")

    assert (response.status_code, await response.get_data()) == (200, DATA)


async def test_what_lies_outside_is_416(folder: Path) -> None:
    async with request({"Range": "bytes=10-"}):
        with pytest.raises(RequestedRangeNotSatisfiable):
            await send_file(folder / "a.txt", conditional=True)


async def test_a_file_that_the_client_has_is_not_sent_again(folder: Path) -> None:
    async with request():
        first = await send_from_directory(folder, "a.txt")
    for condition in (
        {"If-None-Match": first.headers["ETag"]}, {"If-Modified-Since": first.headers["Last-Modified"]}
    ):  # fmt: skip
        async with request(condition):
            response = await send_from_directory(folder, "a.txt")
        assert response.status_code == 304
        assert await response.get_data() == b""


async def test_head_does_not_open_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    monkeypatch.setattr(FileBody, "_open", lambda self: pytest.fail("opened"))
    async with request(method="HEAD"):
        response = await send_from_directory(folder, "a.txt")
    await deliver(response, send, "HEAD")
    assert (b"content-length", b"10") in messages[0]["headers"]
    assert messages[1]["body"] == b""


# Paths


async def test_files_in_folders_are_sent(folder: Path) -> None:
    for name in ("a.txt", "sub/é b.css", "./a.txt", "sub/../a.txt"):
        assert await status_of(folder, name) == 200


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "sub", "sub/", "nope", "../secret.txt", "sub/../../secret.txt", "/etc/passwd",
        "//srv/x", "//etc/passwd", "../static-secret/a.txt", "..\\secret.txt", "\\\\srv\\x", "NUL",
        "CON.txt.html ", "a/NUL", "a\0.txt", "a.txt\0", "a.txt/x", "x" * 5000, "....//secret.txt",
        "%2e%2e/secret.txt",
    ],
)  # fmt: skip
async def test_what_is_no_file_of_the_folder_is_404(folder: Path, name: str) -> None:
    assert await status_of(folder, name) == 404


async def test_absolute_paths_are_404_even_inside(folder: Path) -> None:
    assert await status_of(folder, str(folder / "a.txt")) == 404


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "", "sub", "a.txt", "static-secret", "secret.txt", "~"]), max_size=6))
def test_no_path_leaves_the_folder(folder: Path, parts: list[str]) -> None:
    joined = safe_join(str(folder), "/".join(parts))

    if joined is not None:
        assert Path(os.path.normpath(joined)).is_relative_to(folder)


@pytest.mark.parametrize(
    "name", ["NUL", "nul", "CON.txt.html ", "a/NUL", "a\\aux", "com1:x", "LPT9 .txt", "CONIN$", "COM¹"]
)
def test_device_names_are_known(name: str) -> None:
    assert names_device(name)


@pytest.mark.parametrize("name", ["a.txt", "null", "console.css", "a.nul", "com", "xCON"])
def test_other_names_are_no_devices(name: str) -> None:
    assert not names_device(name)


async def test_a_pipe_is_404_and_does_not_wait(folder: Path) -> None:
    os.mkfifo(folder / "pipe")

    assert await status_of(folder, "pipe") == 404
    async with request():
        with pytest.raises(OSError, match="sends regular files"):
            await send_file(folder / "pipe")


async def test_send_file_says_what_is_wrong_with_a_path(folder: Path) -> None:
    async with request():
        with pytest.raises(FileNotFoundError):
            await send_file(folder / "nope")
        with pytest.raises(IsADirectoryError, match="is a folder"):
            await send_file(folder)
        with pytest.raises(TypeError):
            await send_file(5)  # type: ignore[arg-type]


async def test_the_disk_is_not_touched_on_the_loop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking up and opening happen in threads; only reading from the page cache does not."""
    threads: set[int] = set()

    def watched(name: str, function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            threads.add(threading.get_ident())
            return function(*args, **kwargs)

        return call

    async with request():
        await send_from_directory(folder, "a.txt")  # the plugins are set up
        monkeypatch.setattr("os.stat", watched("stat", os.stat))
        monkeypatch.setattr("builtins.open", watched("open", open))
        response = await send_from_directory(folder, "a.txt")
        await response.get_data()
        monkeypatch.undo()
    assert threads
    assert threading.get_ident() not in threads


# In an app


@pytest.fixture
def app(folder: Path) -> Any:
    return Quart("files", root_path=str(folder.parent))


@pytest.mark.parametrize(
    ("path", "headers", "status", "body"),
    [
        ("/static/a.txt", {}, 200, DATA),
        ("/static/a.txt", {"Range": "bytes=2-4"}, 206, b"234"),
        ("/static/a.txt", {"Range": "bytes=10-"}, 416, None),
        ("/static/nope", {}, 404, None),
        ("/static/NUL", {}, 404, None),
        ("/static/%2e%2e/secret.txt", {}, 404, None),
        ("/static/..%2fsecret.txt", {}, 404, None),
        ("/static//etc/passwd", {}, 404, None),
    ],
)
async def test_the_static_folder_of_an_app(
    app: Any, path: str, headers: dict[str, str], status: int, body: bytes | None
) -> None:
    response = await app.test_client().get(path, headers=headers, follow_redirects=True)

    assert response.status_code == status
    data = await response.get_data()
    if body is not None:
        assert data == body
    assert b"secret" not in data
    assert b"root:" not in data


async def test_the_age_is_a_setting(app: Any) -> None:
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 77
    response = await app.test_client().get("/static/a.txt")

    assert response.headers["Cache-Control"] == "public, max-age=77"
