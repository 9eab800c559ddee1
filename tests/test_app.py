"""The application: routing as Flask has it, what it is made of, its names and folders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, Response, current_app, request


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def ask(app: Quart, path: str, method: str = "GET", **options: Any) -> tuple[int, str]:
    response = await app.test_client().open(path, method=method, **options)
    return response.status_code, await response.get_data(as_text=True)


# Routing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    [
        ("/<value>", "/a%20b", "a b"),
        ("/<string(length=2):value>", "/ab", "ab"),
        ("/<int:value>", "/12", 12),
        ("/<int(signed=True):value>", "/-12", -12),
        ("/<float:value>", "/1.5", 1.5),
        ("/<path:value>", "/a/b/c", "a/b/c"),
        ("/<any(red, blue):value>", "/blue", "blue"),
        ("/x-<value>.txt", "/x-name.txt", "name"),
        ("/<uuid:value>", "/00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
    ],
)
async def test_converters(app: Quart, rule: str, path: str, value: Any) -> None:
    @app.get(rule)
    async def view(value: Any) -> dict[str, Any]:
        return {"value": value if isinstance(value, (int, float)) else str(value)}

    for _ in range(2):
        response = await app.test_client().get(path)
        assert await response.get_json() == {"value": value}


@pytest.mark.parametrize(
    ("rule", "path"),
    [("/<int:v>", "/x"), ("/<string(length=2):v>", "/abc"), ("/<any(a, b):v>", "/c"), ("/<v>", "/a/b"), ("/a", "/A")],
)
async def test_no_match(app: Quart, rule: str, path: str) -> None:
    app.add_url_rule(rule, "view", lambda v=None: "")
    assert (await ask(app, path))[0] == 404


async def test_a_slash_at_the_end(app: Quart) -> None:
    """A rule with one redirects to it and keeps the query; a rule without one is not found with it."""
    app.add_url_rule("/folder/", "folder", lambda: "folder")
    app.add_url_rule("/file", "file", lambda: "file")
    app.add_url_rule("/either/", "either", lambda: "either", strict_slashes=False)
    response = await app.test_client().get("/folder?a=1")
    assert (response.status_code, response.location) == (308, "http://localhost/folder/?a=1")
    assert await ask(app, "/folder/") == (200, "folder")
    assert (await ask(app, "/file/"))[0] == 404
    assert await ask(app, "/either") == (200, "either")


async def test_merged_slashes(app: Quart) -> None:
    app.add_url_rule("/a/b", "view", lambda: "")
    response = await app.test_client().get("/a//b")
    assert (response.status_code, response.location) == (308, "http://localhost/a/b")


async def test_methods(app: Quart) -> None:
    """GET answers HEAD, without a body; OPTIONS is answered; everything else is 405 and says what is allowed."""

    @app.get("/")
    async def view() -> str:
        return "body"

    assert await ask(app, "/") == (200, "body")
    head = await app.test_client().head("/")
    assert (head.status_code, await head.get_data(), head.headers["content-length"]) == (200, b"", "4")
    options = await app.test_client().options("/")
    assert options.allow.as_set() == {"get", "head", "options"}
    refused = await app.test_client().post("/")
    assert (refused.status_code, refused.allow.as_set()) == (405, {"get", "head", "options"})


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
async def test_a_decorator_for_each_method(app: Quart, method: str) -> None:
    @getattr(app, method)("/")
    async def view() -> str:
        return request.method

    assert await ask(app, "/", method.upper()) == (200, method.upper())
    other = "POST" if method != "post" else "PUT"
    assert (await ask(app, "/", other))[0] == 405


async def test_one_path_with_a_view_for_each_method(app: Quart) -> None:
    app.add_url_rule("/", "read", lambda: "read")
    app.add_url_rule("/", "write", lambda: "write", methods=["post"])
    assert await ask(app, "/") == (200, "read")
    assert await ask(app, "/", "POST") == (200, "write")
    assert (await app.test_client().options("/")).allow.as_set() == {"get", "head", "options", "post"}


async def test_options_of_ones_own(app: Quart) -> None:
    app.add_url_rule("/", "view", lambda: request.method, methods=["GET", "OPTIONS"])
    assert await ask(app, "/", "OPTIONS") == (200, "OPTIONS")


async def test_automatic_options_turned_off(app: Quart) -> None:
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/", "view", lambda: "")
    assert (await ask(app, "/", "OPTIONS"))[0] == 405


async def test_what_a_view_says_about_itself(app: Quart) -> None:
    """`methods`, `required_methods` and `provide_automatic_options` may be attributes of the function."""

    def view() -> str:
        return request.method

    view.methods = ["PUT"]  # type: ignore[attr-defined]
    view.required_methods = {"TRACE"}  # type: ignore[attr-defined]
    view.provide_automatic_options = False  # type: ignore[attr-defined]
    app.add_url_rule("/", None, view)
    assert await ask(app, "/", "PUT") == (200, "PUT")
    assert await ask(app, "/", "TRACE") == (200, "TRACE")
    assert (await ask(app, "/", "OPTIONS"))[0] == 405


async def test_an_endpoint_apart_from_its_rule(app: Quart) -> None:
    app.add_url_rule("/", "home")

    @app.endpoint("home")
    async def home() -> str:
        return "home"

    assert await ask(app, "/") == (200, "home")


async def test_redirect_to_and_alias(app: Quart) -> None:
    """werkzeug's own way to say that a rule is another's alias: the defaults' redirect."""
    app.add_url_rule("/list/", "list", lambda page: str(page), defaults={"page": 1})
    app.add_url_rule("/list/<int:page>", "list", app.view_functions["list"])
    assert await ask(app, "/list/1", follow_redirects=True) == (200, "1")


async def test_hosts() -> None:
    """With host_matching each rule has a host."""
    app = Quart(__name__, host_matching=True, static_folder=None)
    app.add_url_rule("/", "one", lambda: "one", host="one.example")
    app.add_url_rule("/", "two", lambda: "two", host="<name>.two.example", defaults=None)
    app.view_functions["two"] = lambda name: f"two {name}"
    assert await ask(app, "/", headers={"host": "one.example"}) == (200, "one")
    assert await ask(app, "/", headers={"host": "x.two.example"}) == (200, "two x")
    assert (await ask(app, "/", headers={"host": "other.example"}))[0] == 404


async def test_subdomains() -> None:
    app = Quart(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    app.add_url_rule("/", "plain", lambda: "plain")
    app.add_url_rule("/", "user", lambda user: f"user {user}", subdomain="<user>")
    assert await ask(app, "/", headers={"host": "example.org"}) == (200, "plain")
    assert await ask(app, "/", headers={"host": "me.example.org"}) == (200, "user me")


async def test_trusted_hosts(app: Quart) -> None:
    app.add_url_rule("/", "view", lambda: "")
    app.config["TRUSTED_HOSTS"] = [".example.org"]
    assert (await ask(app, "/", headers={"host": "www.example.org"}))[0] == 200
    assert (await ask(app, "/", headers={"host": "evil.example"}))[0] == 400


async def test_long_numbers_are_not_found(app: Quart) -> None:
    """Python refuses to read more than 4300 digits; that address does not exist, and is no failure."""
    app.add_url_rule("/<int:number>", "view", lambda number: "")
    assert (await ask(app, f"/{'1' * 5000}"))[0] == 404


# What a view returns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        ("text", 200, b"text"),
        (b"bytes", 200, b"bytes"),
        ({"a": 1}, 200, b'{"a":1}\n'),
        ([1], 200, b"[1]\n"),
        (("text", 201), 201, b"text"),
        (("text", {"x-a": "1"}), 200, b"text"),
        (("text", 202, {"x-a": "1"}), 202, b"text"),
        (({"a": 1}, 203), 203, b'{"a":1}\n'),
        (("text", "404 GONE FISHING"), 404, b"text"),
        (("", 204), 204, b""),
    ],
)
async def test_return_values(app: Quart, value: Any, status: int, body: bytes) -> None:
    @app.get("/")
    async def view() -> Any:
        return value

    response = await app.test_client().get("/")
    assert response.status_code == status
    assert (await response.get_data()).strip() == body.strip()
    if isinstance(value, tuple) and isinstance(value[-1], dict):
        assert response.headers["x-a"] == "1"


async def test_generators_as_return_values(app: Quart) -> None:
    @app.get("/async")
    async def of_async() -> Any:
        async def parts() -> Any:
            yield b"a"
            yield "b"

        return parts()

    @app.get("/sync")
    def of_sync() -> Any:
        return (part for part in ("a", "b"))

    assert await ask(app, "/async") == (200, "ab")
    assert await ask(app, "/sync") == (200, "ab")


# The object itself ------------------------------------------------------------------------------------------------


async def test_mixed_with_an_abstract_class() -> None:
    """The metaclass is one that allows it."""

    class Base(ABC):
        @abstractmethod
        def name_it(self) -> str: ...

    class Mixed(Quart, Base):
        def name_it(self) -> str:
            return "named"

    assert Mixed(__name__).name_it() == "named"


def test_names(app: Quart) -> None:
    assert (app.name, app.import_name) == (__name__, __name__)
    assert repr(app) == f"<Quart {__name__!r}>"
    assert Quart("no.such.module").name == "no.such.module"


def test_folders(tmp_path: Path) -> None:
    app = Quart("x", root_path=str(tmp_path), static_folder="assets", instance_path=str(tmp_path / "i"))
    assert app.static_folder == str(tmp_path / "assets")
    assert app.static_url_path == "/assets"
    assert app.instance_path == str(tmp_path / "i")
    app = Quart("x", static_folder="assets", static_url_path="/files/")
    assert [rule.rule for rule in app.url_map.iter_rules()] == ["/files/<path:filename>"]
    assert list(Quart("x", static_folder=None).url_map.iter_rules()) == []


async def test_resources(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text("select 1")
    (tmp_path / "instance").mkdir()
    (tmp_path / "instance" / "own.txt").write_text("own")
    app = Quart("x", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    async with await app.open_resource("schema.sql") as file:
        assert await file.read() == b"select 1"
    async with await app.open_instance_resource("own.txt", "r") as file:
        assert await file.read() == "own"
    async with app.open_resource("schema.sql") as file:  # Quart's needs the `await`
        assert await file.read() == b"select 1"
    with pytest.raises(ValueError, match="only be opened for reading"):
        app.open_resource("schema.sql", "w")


def test_debug_and_testing(app: Quart, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (app.debug, app.testing) == (False, False)
    app.debug = True
    app.config["TESTING"] = True
    assert (app.config["DEBUG"], app.testing) == (True, True)
    monkeypatch.setenv("QUART_DEBUG", "1")
    assert Quart("x").debug


async def test_the_app_context(app: Quart) -> None:
    async with app.app_context() as ctx:
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        assert ctx.app is app


async def test_apps_are_apart() -> None:
    """What is registered or assigned on one does not change another."""
    one, two = Quart("one"), Quart("two")
    for app in (one, two):
        app.add_url_rule("/", "view", lambda: current_app.name)
    one.before_request(lambda: Response("taken"))
    assert await ask(one, "/") == (200, "taken")
    assert await ask(two, "/") == (200, "two")


async def test_an_app_in_an_app(app: Quart) -> None:
    """A view may call another app; each has its own context, and the outer one is current again afterwards."""
    inner = Quart("inner")
    inner.add_url_rule("/", "view", lambda: current_app.name)

    @app.get("/")
    async def view() -> str:
        response = await inner.test_client().get("/")
        said = await response.get_data(as_text=True)
        return f"{said} in {current_app.name}"

    assert await ask(app, "/") == (200, f"inner in {__name__}")


async def test_the_shell_context(app: Quart) -> None:
    app.shell_context_processor(lambda: {"answer": 42})
    async with app.app_context():
        context = app.make_shell_context()
    assert (context["app"], context["answer"]) == (app, 42)


async def test_background_exceptions_are_logged(app: Quart, caplog: pytest.LogCaptureFixture) -> None:
    await app.handle_background_exception(LookupError("lost"))
    assert "background task" in caplog.text


async def test_an_unknown_scope(app: Quart) -> None:
    with pytest.raises(RuntimeError, match="'carrier-pigeon' is not known"):
        await app({"type": "carrier-pigeon"}, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("setting", "age"), [(None, None), (0, 0), (5, 5), (timedelta(minutes=1), 60)])
def test_the_age_of_files_is_known_outside_of_a_context(setting: Any, age: int | None) -> None:
    app = Quart(__name__)
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = setting
    assert app.get_send_file_max_age("a.css") == age
