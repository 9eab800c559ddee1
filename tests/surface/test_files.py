"""Files: `send_file`, `send_from_directory`, static folders, resources, instance folders, and where a package lies."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from quart_plug import Blueprint, Quart, Response, url_for
from quart_plug.helpers import (
    DEFAULT_MIMETYPE,
    find_package,
    get_root_path,
    safe_join,
    send_file,
    send_from_directory,
)
from tests.support.surface import shows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "notes.txt").write_text("0123456789")
    (tmp_path / "data.unknown").write_text("data")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "page.html").write_text("<p>")
    return tmp_path


def serving(*args: Any, **options: Any) -> Quart:
    """An app that sends a file."""
    app = Quart(__name__)

    @app.route("/")
    async def index() -> Response:
        return await send_file(*args, **options)

    return app


# send_file ------------------------------------------------------------------------------------------------------------

KINDS: list[tuple[str, dict[str, Any], str]] = [
    ("notes.txt", {}, "text/plain; charset=utf-8"),
    ("sub/page.html", {}, "text/html; charset=utf-8"),
    ("data.unknown", {}, "application/octet-stream"),
    ("notes.txt", {"mimetype": "text/x-notes"}, "text/x-notes; charset=utf-8"),
    ("notes.txt", {"attachment_filename": "notes.css"}, "text/css; charset=utf-8"),
]


@shows("helpers.send_file", "helpers.DEFAULT_MIMETYPE")
@pytest.mark.parametrize(("name", "options", "type_"), KINDS)
async def test_a_file_is_sent_with_its_type(folder: Path, name: str, options: dict[str, Any], type_: str) -> None:
    assert DEFAULT_MIMETYPE == "application/octet-stream"
    for path in (folder / name, str(folder / name), bytes(folder / name)):
        response = await serving(path, **options).test_client().get("/")

        assert response.headers["Content-Type"] == type_
        assert await response.get_data() == (folder / name).read_bytes()
        assert response.content_length == (folder / name).stat().st_size


@shows("helpers.send_file")
async def test_a_file_is_cached_by_age_time_and_etag(folder: Path) -> None:
    path = folder / "notes.txt"
    response = await serving(path).test_client().get("/")
    assert response.headers["Cache-Control"] == "public, max-age=43200"  # SEND_FILE_MAX_AGE_DEFAULT
    assert response.expires is not None
    assert response.last_modified == datetime.fromtimestamp(int(path.stat().st_mtime), UTC)
    etag = response.headers["ETag"]

    when = datetime(2020, 2, 2, tzinfo=UTC)
    app = serving(path, cache_timeout=60, add_etags=False, last_modified=when)
    response = await app.test_client().get("/")
    assert response.headers["Cache-Control"] == "public, max-age=60"
    assert response.last_modified == when
    assert "ETag" not in response.headers

    response = await serving(path).test_client().get("/", headers={"If-None-Match": etag})
    assert response.status_code == 200
    response = await serving(path, conditional=True).test_client().get("/", headers={"If-None-Match": etag})
    assert (response.status_code, await response.get_data()) == (304, b"")


RANGES = [("bytes=2-4", 206, b"234"), ("bytes=-3", 206, b"789"), ("bytes=90-", 416, None), ("lines=1-2", 200, None)]


@shows("helpers.send_file")
@pytest.mark.parametrize(("header", "status", "body"), RANGES)
async def test_a_part_of_a_conditional_file(folder: Path, header: str, status: int, body: bytes | None) -> None:
    for source in (folder / "notes.txt", io.BytesIO(b"0123456789")):
        app = serving(source, mimetype="text/plain", conditional=True)
        response = await app.test_client().get("/", headers={"Range": header})

        assert response.status_code == status
        if body is not None:
            assert await response.get_data() == body
            assert response.content_length == 3


NAMES: list[tuple[dict[str, Any], str]] = [
    ({}, "attachment; filename=notes.txt"),
    ({"attachment_filename": "report 1.txt"}, 'attachment; filename="report 1.txt"'),
]


@shows("helpers.send_file")
@pytest.mark.parametrize(("options", "expected"), NAMES)
async def test_an_attachment_has_a_name(folder: Path, options: dict[str, Any], expected: str) -> None:
    app = serving(folder / "notes.txt", as_attachment=True, **options)
    response = await app.test_client().get("/")

    assert response.headers["Content-Disposition"] == expected


@shows("helpers.send_file")
async def test_a_stream_is_sent_and_needs_a_type(folder: Path) -> None:
    app = serving(io.BytesIO(b"PNG"), attachment_filename="a.png", cache_timeout=5)
    response = await app.test_client().get("/")
    assert (response.mimetype, await response.get_data()) == ("image/png", b"PNG")
    assert response.headers["Cache-Control"] == "public, max-age=5"
    async with app.test_request_context("/"):
        with pytest.raises(ValueError, match="mimetype"):
            await send_file(io.BytesIO(b""))
        with pytest.raises(FileNotFoundError):
            await send_file(folder / "missing.txt")


# Folders --------------------------------------------------------------------------------------------------------------

FOUND = ["notes.txt", "sub/page.html", "sub/../notes.txt", Path("sub/page.html")]
REFUSED = ["missing", "sub", "../notes.txt", "/etc/passwd", "", "notes.txt\0", "sub/../../x"]


@shows("helpers.send_from_directory")
@pytest.mark.parametrize("name", FOUND, ids=str)
async def test_a_file_of_a_folder(folder: Path, name: Any) -> None:
    async with Quart(__name__).test_request_context("/", headers={"Range": "bytes=0-1"}):
        for directory in (folder, str(folder)):
            response = await send_from_directory(directory, name, mimetype="text/plain", as_attachment=True)
            assert response.status_code == 206  # conditional by default
            assert response.headers["Content-Disposition"] == f"attachment; filename={Path(name).name}"


@shows("helpers.send_from_directory", "helpers.safe_join")
@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_file_of_the_folder_is_not_found(folder: Path, name: str) -> None:
    async with Quart(__name__).test_request_context("/"):
        with pytest.raises(NotFound):
            await send_from_directory(folder, name)
    joined = safe_join(str(folder), name)
    assert joined is None or not Path(joined).is_file()


JOINED: list[tuple[tuple[Any, ...], str | None]] = [
    (("/srv", "a", "b.txt"), "/srv/a/b.txt"),
    (("/srv", "a/../b.txt"), "/srv/b.txt"),
    (("/srv", Path("a")), "/srv/a"),
    (("/srv", "../etc"), None),
    (("/srv", "a", "../../etc"), None),
    (("/srv", "/etc"), None),
]


@shows("helpers.safe_join")
@pytest.mark.parametrize(("parts", "expected"), JOINED)
def test_safe_join_stays_inside(parts: tuple[Any, ...], expected: str | None) -> None:
    assert safe_join(*parts) == expected


@shows(
    "blueprints.Blueprint.static_folder",
    "blueprints.Blueprint.static_url_path",
    "blueprints.Blueprint.has_static_folder",
    "blueprints.Blueprint.send_static_file",
    "blueprints.Blueprint.get_send_file_max_age",
)
async def test_the_static_folders_of_an_app_and_of_its_blueprints(folder: Path) -> None:
    class Docs(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 5 if filename == "notes.txt" else super().get_send_file_max_age(filename)

    app = Quart(__name__, static_folder=str(folder), static_url_path="/files")
    docs = Docs("docs", __name__, url_prefix="/docs", static_folder="sub/", root_path=str(folder))
    bare = Blueprint("bare", __name__, static_url_path="/unused")
    named = Docs("named", __name__, static_folder=folder, static_url_path="/named/")
    for blueprint in (docs, bare, named):
        app.register_blueprint(blueprint)
    assert (docs.static_folder, docs.static_url_path, docs.has_static_folder) == (str(folder / "sub"), "/sub", True)
    assert (bare.static_folder, bare.static_url_path, bare.has_static_folder) == (None, "/unused", False)
    assert (named.static_folder, named.static_url_path) == (str(folder), "/named")

    client = app.test_client()
    assert await (await client.get("/files/notes.txt")).get_data() == b"0123456789"
    assert await (await client.get("/docs/sub/page.html")).get_data() == b"<p>"
    assert (await client.get("/docs/sub/notes.txt")).status_code == 404
    response = await client.get("/named/notes.txt")
    assert response.headers["Cache-Control"] == "public, max-age=5"
    assert (await client.get("/named/sub/page.html")).headers["Cache-Control"] == "public, max-age=43200"
    async with app.test_request_context("/"):
        assert url_for("static", filename="notes.txt") == "/files/notes.txt"
        assert url_for("docs.static", filename="page.html") == "/docs/sub/page.html"
        assert bare.get_send_file_max_age("x") == 43200
        with pytest.raises(RuntimeError, match="no static folder"):
            await bare.send_static_file("x")

    docs.static_folder = None
    docs.static_url_path = "/other/"
    assert (docs.static_folder, docs.has_static_folder, docs.static_url_path) == (None, False, "/other")


@shows("blueprints.Blueprint.open_resource")
async def test_resources_of_a_blueprint_are_opened_for_reading(folder: Path) -> None:
    blueprint = Blueprint("docs", __name__, root_path=str(folder))
    async with await blueprint.open_resource("notes.txt") as file:
        assert await file.read() == b"0123456789"
    async with await blueprint.open_resource(Path("sub/page.html"), "r") as file:
        assert await file.read() == "<p>"
    for mode in ("w", "a", "r+"):
        with pytest.raises(ValueError, match="reading"):
            await blueprint.open_resource("notes.txt", mode)


# Where a package lies -------------------------------------------------------------------------------------------------


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package, a module and a namespace package, and an installed package."""
    installed = tmp_path / "lib" / "python3.99" / "site-packages"
    for path in (
        tmp_path / "blue_package" / "__init__.py",
        tmp_path / "blue_package" / "web" / "__init__.py",
        tmp_path / "blue_module.py",
        tmp_path / "blue_space" / "site.py",
        installed / "blue_installed" / "__init__.py",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(installed)
    monkeypatch.chdir(tmp_path / "lib")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("blue_")]:
        del sys.modules[name]


PLACES = [
    ("blue_package", "blue_package", "", "instance"),
    ("blue_package.web", "blue_package/web", "", "instance"),
    ("blue_module", "", "", "instance"),
    ("blue_space.site", "blue_space", "", "instance"),
    ("blue_installed", "lib/python3.99/site-packages/blue_installed", "lib/python3.99/site-packages",
     "var/blue_installed-instance"),
    ("no_such_module", "lib", "lib", "lib/instance"),
]  # fmt: skip


@shows("helpers.get_root_path", "helpers.find_package")
@pytest.mark.parametrize(("name", "root", "parent", "instance"), PLACES)
def test_an_app_finds_its_folders(packages: Path, name: str, root: str, parent: str, instance: str) -> None:
    """The instance folder stands beside the top-level package; that of an installed one is below its prefix."""
    assert get_root_path(name) == str(packages / root)
    assert find_package(name) == (None, packages / parent)
    app = Quart(name)
    assert app.root_path == str(packages / root)
    assert app.instance_path == str(packages / instance) == app.auto_find_instance_path()


@shows("helpers.find_package")
def test_a_package_below_the_prefix_of_python_is_installed(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(packages))

    assert find_package("blue_installed") == (packages, packages / "lib/python3.99/site-packages")
    assert Quart("blue_installed").instance_path == str(packages / "var/blue_installed-instance")


async def test_an_instance_folder_may_be_chosen_and_hold_settings(folder: Path) -> None:
    (folder / "settings.py").write_text("NAME = 'instance'")
    app = Quart(__name__, instance_path=str(folder), instance_relative_config=True)
    assert app.config.from_pyfile("settings.py") is True
    assert app.config["NAME"] == "instance"
    assert app.config.root_path == str(folder)
    async with await app.open_instance_resource("notes.txt", "r") as file:
        assert await file.read() == "0123456789"
    assert Quart(__name__, instance_path=str(folder)).config.root_path == app.root_path
    with pytest.raises(ValueError, match="absolute"):
        Quart(__name__, instance_path="relative")
