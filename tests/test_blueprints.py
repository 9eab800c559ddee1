"""Blueprints: prefixes, names, nesting, several registrations, and what may not be done."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Blueprint, Quart, abort, request, url_for


@pytest.fixture
def app() -> Quart:
    return Quart(__name__)


async def said(app: Quart, path: str, **options: Any) -> str:
    response = await app.test_client().get(path, **options)
    return await response.get_data(as_text=True)  # type: ignore[no-any-return]


def with_view(name: str, rule: str = "/", **options: Any) -> Blueprint:
    blueprint = Blueprint(name, __name__, **options)

    @blueprint.get(rule)
    async def view(**values: Any) -> str:
        return f"{request.endpoint} {values}"

    return blueprint


@pytest.mark.parametrize(
    ("prefix", "rule", "path"),
    [
        (None, "/a", "/a"),
        ("/p", "/a", "/p/a"),
        ("/p/", "/a", "/p/a"),
        ("/p", "/", "/p/"),
        ("/p", "", "/p"),
        ("/", "/a", "/a"),
        ("/p/<int:n>", "/a", "/p/1/a"),
    ],
)
async def test_prefixes(app: Quart, prefix: str | None, rule: str, path: str) -> None:
    app.register_blueprint(with_view("part", rule, url_prefix=prefix))
    assert (await said(app, path)).startswith("part.view")


async def test_the_registration_overrides_the_prefix(app: Quart) -> None:
    app.register_blueprint(with_view("part", url_prefix="/own"), url_prefix="/given")
    assert await said(app, "/given/") == "part.view {}"
    assert (await app.test_client().get("/own/")).status_code == 404


async def test_url_defaults(app: Quart) -> None:
    """The blueprint's, the registration's over it, the rule's over both."""
    blueprint = with_view("part", url_defaults={"a": 1, "b": 1})
    blueprint.add_url_rule("/own", "own", lambda **values: values, defaults={"b": 3})
    app.register_blueprint(blueprint, url_defaults={"b": 2})
    assert await said(app, "/") == "part.view {'a': 1, 'b': 2}"
    assert await (await app.test_client().get("/own")).get_json() == {"a": 1, "b": 3}


async def test_registered_several_times(app: Quart) -> None:
    """Under names of their own; what is for the app is registered once."""
    calls: list[str] = []
    blueprint = with_view("part")
    blueprint.before_app_request(lambda: calls.append("app"))
    blueprint.before_request(lambda: calls.append(str(request.blueprint)))
    app.register_blueprint(blueprint, url_prefix="/one")
    app.register_blueprint(blueprint, url_prefix="/two", name="other")
    assert await said(app, "/one/") == "part.view {}"
    assert await said(app, "/two/") == "other.view {}"
    assert calls == ["app", "part", "app", "other"]
    assert set(app.blueprints) == {"part", "other"}
    assert list(app.iter_blueprints()) == [blueprint, blueprint]


def test_a_name_that_is_taken(app: Quart) -> None:
    blueprint = with_view("part")
    app.register_blueprint(blueprint)
    with pytest.raises(ValueError, match=r"this blueprint is registered under the name 'part' already.*name="):
        app.register_blueprint(blueprint)
    with pytest.raises(ValueError, match=r"another blueprint is registered under the name 'part' already"):
        app.register_blueprint(with_view("part"))


async def test_nesting(app: Quart) -> None:
    """Prefixes are put together, names have dots between."""
    inner, middle, outer = with_view("inner", url_prefix="/i"), with_view("middle"), with_view("outer", url_prefix="/o")
    middle.register_blueprint(inner)
    outer.register_blueprint(middle, url_prefix="/m", name="renamed")
    app.register_blueprint(outer)
    assert await said(app, "/o/") == "outer.view {}"
    assert await said(app, "/o/m/") == "outer.renamed.view {}"
    assert await said(app, "/o/m/i/") == "outer.renamed.inner.view {}"
    async with app.test_request_context("/o/m/i/"):
        assert request.blueprints == ["outer.renamed.inner", "outer.renamed", "outer"]
        assert request.blueprint == "outer.renamed.inner"
        assert url_for(".view") == "/o/m/i/"
        assert url_for("outer.view") == "/o/"


async def test_nested_in_two(app: Quart) -> None:
    inner = with_view("inner", "/i")
    for name in ("one", "two"):
        outer = with_view(name, url_prefix=f"/{name}")
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
    assert await said(app, "/one/i") == "one.inner.view {}"
    assert await said(app, "/two/i") == "two.inner.view {}"


def test_nested_in_itself() -> None:
    blueprint = with_view("part")
    with pytest.raises(ValueError, match="cannot be registered on itself"):
        blueprint.register_blueprint(blueprint)


async def test_subdomains() -> None:
    """A nested blueprint's subdomain is put before the outer one's."""
    app = Quart(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.org"
    outer, inner = with_view("outer", subdomain="api"), with_view("inner", "/inner", subdomain="v1")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert await said(app, "/", headers={"host": "api.example.org"}) == "outer.view {}"
    assert await said(app, "/inner", headers={"host": "v1.api.example.org"}) == "outer.inner.view {}"


async def test_error_handlers(app: Quart) -> None:
    blueprint = Blueprint("part", __name__, url_prefix="/part")

    @blueprint.get("/<int:code>")
    async def view(code: int) -> str:
        abort(code)

    @blueprint.errorhandler(403)
    async def forbidden(error: Exception) -> Any:
        return "the part's", 403

    @blueprint.app_errorhandler(404)
    async def lost(error: Exception) -> Any:
        return "for all", 404

    app.register_blueprint(blueprint)
    assert await said(app, "/part/403") == "the part's"
    assert await said(app, "/nowhere") == "for all"


async def test_templates_of_the_app(app: Quart) -> None:
    from quart_plug import render_template_string

    blueprint = Blueprint("part", __name__)
    blueprint.app_template_filter("twice")(lambda text: text * 2)
    blueprint.app_template_global()(lambda: "global") if False else blueprint.add_app_template_global(one, "one")
    blueprint.app_context_processor(lambda: {"name": "me"})
    app.register_blueprint(blueprint)

    @app.get("/")
    async def view() -> str:
        return await render_template_string("{{ name|twice }} {{ one() }}")

    assert await said(app, "/") == "meme 1"


def one() -> int:
    return 1


async def test_static_files(app: Quart, tmp_path: Any) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("static")
    blueprint = Blueprint("part", __name__, static_folder="files", root_path=str(tmp_path), url_prefix="/part")
    app.register_blueprint(blueprint)
    assert await said(app, "/part/files/a.txt") == "static"
    async with app.test_request_context("/"):
        assert url_for("part.static", filename="a.txt") == "/part/files/a.txt"


@pytest.mark.parametrize("of_the_blueprint", [False, True])
async def test_how_long_static_files_may_be_kept(tmp_path: Any, of_the_blueprint: bool) -> None:
    """The app's method says so for the files of blueprints too, as in Quart; a blueprint's own, as in Flask, wins."""

    class App(Quart):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 11

    class Part(Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 22

    (tmp_path / "a.txt").write_text("static")
    app = App(__name__)
    class_ = Part if of_the_blueprint else Blueprint
    app.register_blueprint(class_("part", __name__, static_folder=tmp_path, static_url_path="/files"))
    response = await app.test_client().get("/files/a.txt")
    assert response.cache_control.max_age == (22 if of_the_blueprint else 11)


REGISTRATIONS = [
    lambda b: b.add_url_rule("/late", "late", lambda: ""),
    lambda b: b.before_request(lambda: None),
    lambda b: b.after_websocket(lambda response: response),
    lambda b: b.before_app_request(lambda: None),
    lambda b: b.register_error_handler(404, lambda error: ""),
    lambda b: b.context_processor(dict),
    lambda b: b.before_request_funcs.setdefault(None, []).append(lambda: None),
]


@pytest.mark.parametrize("register", REGISTRATIONS)
def test_registering_after_the_registration(app: Quart, register: Any) -> None:
    """What came too late would be lost in silence; so it is an error, with the cure."""
    blueprint = with_view("part")
    app.register_blueprint(blueprint)
    with pytest.raises(AssertionError, match=r"'part' was registered on an app already.*before register_blueprint"):
        register(blueprint)


def test_bad_names() -> None:
    with pytest.raises(ValueError, match="not empty"):
        Blueprint("", __name__)
    with pytest.raises(ValueError, match=r"'a\.b' of a blueprint may not have a dot"):
        Blueprint("a.b", __name__)
    with pytest.raises(ValueError, match=r"endpoint 'a\.b'"):
        Blueprint("a", __name__).add_url_rule("/", "a.b", lambda: "")


def test_recorded_functions(app: Quart) -> None:
    """`record` runs for each registration, `record_once` for the first; both get the state."""
    seen: list[Any] = []
    blueprint = Blueprint("part", __name__, url_prefix="/p")
    blueprint.record(lambda state: seen.append((state.app, state.url_prefix, state.first_registration)))
    blueprint.record_once(lambda state: seen.append("once"))
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again", url_prefix="/q")
    assert seen == [(app, "/p", True), "once", (app, "/q", False)]


async def test_on_two_apps() -> None:
    blueprint = with_view("part")
    apps = [Quart("one"), Quart("two")]
    for app in apps:
        app.register_blueprint(blueprint)
    assert [await said(app, "/") for app in apps] == ["part.view {}"] * 2


async def test_an_endpoint_of_a_blueprint(app: Quart) -> None:
    blueprint = Blueprint("part", __name__)
    blueprint.add_url_rule("/", "home")

    @blueprint.endpoint("home")
    async def home() -> str:
        return "home"

    app.register_blueprint(blueprint)
    assert await said(app, "/") == "home"
