"""`quart.blueprints`: routes, registration, nesting, names, prefixes, subdomains, and commands."""

from __future__ import annotations

from typing import Any

import click
import pytest

from quart_plug import Blueprint, Quart, request, url_for, websocket
from quart_plug.blueprints import BlueprintSetupState
from quart_plug.testing import WebsocketResponseError
from tests.support.surface import shows


def app_with(*blueprints: Blueprint, **options: Any) -> Quart:
    app = Quart(__name__, static_folder=None)
    for blueprint in blueprints:
        app.register_blueprint(blueprint, **options)
    return app


def rules(app: Quart) -> dict[str, str]:
    return {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}


async def text(app: Quart, path: str, method: str = "GET", **options: Any) -> str:
    response = await app.test_client().open(path, method=method, **options)
    assert response.status_code == 200, f"{method} {path}: {response.status}"
    return str(await response.get_data(as_text=True))


# Routes ---------------------------------------------------------------------------------------------------------------


@shows(
    "blueprints.Blueprint.route",
    "blueprints.Blueprint.get",
    "blueprints.Blueprint.post",
    "blueprints.Blueprint.put",
    "blueprints.Blueprint.delete",
    "blueprints.Blueprint.patch",
)
async def test_a_view_for_each_method() -> None:
    blueprint = Blueprint("api", __name__)

    @blueprint.route("/any/<int:id>", methods=["GET", "PUT"], defaults={"kind": "any"}, endpoint="named")
    async def any_(id: int, kind: str) -> str:
        return f"{request.method} {kind} {id} {request.endpoint}"

    for method in ("get", "post", "put", "delete", "patch"):

        def view() -> str:
            return f"{request.method} {request.endpoint} of {request.blueprint}"

        view.__name__ = method
        assert getattr(blueprint, method)("/item")(view) is view

    app = app_with(blueprint)
    assert await text(app, "/any/5", "PUT") == "PUT any 5 api.named"
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        assert await text(app, "/item", method) == f"{method} api.{method.lower()} of api"
    assert (await app.test_client().post("/any/5")).status_code == 405
    with pytest.raises(TypeError, match="methods"):
        Blueprint("other", __name__).get("/", methods=["POST"])


@shows("blueprints.Blueprint.add_url_rule", "blueprints.Blueprint.endpoint")
async def test_rules_and_their_views_are_added_one_by_one() -> None:
    blueprint = Blueprint("api", __name__)

    async def view(**values: Any) -> str:
        return f"{request.method} {values}"

    blueprint.add_url_rule("/view", view_func=view)
    blueprint.add_url_rule("/more/<name>", "more", view, provide_automatic_options=False, methods=["POST"])
    blueprint.add_url_rule("/late", "late")
    blueprint.add_url_rule("/later", "later")

    @blueprint.endpoint("api.late")  # the app's name of the endpoint
    async def late() -> str:
        return "late"

    @blueprint.endpoint("later")
    def later() -> str:
        return "later"

    app = app_with(blueprint)
    assert await text(app, "/view") == "GET {}"
    assert await text(app, "/more/x", "POST") == "POST {'name': 'x'}"
    assert (await app.test_client().options("/more/x")).status_code == 405
    assert await text(app, "/late") == "late"
    assert await text(app, "/later") == "later"
    with pytest.raises(ValueError, match="dot"):
        Blueprint("b", __name__).add_url_rule("/x", "a.b", view)


@shows("blueprints.Blueprint.websocket", "blueprints.Blueprint.add_websocket")
async def test_websockets() -> None:
    blueprint = Blueprint("live", __name__, url_prefix="/live")

    @blueprint.websocket("/echo/<name>")
    async def echo(name: str) -> None:
        await websocket.send(f"{name} {websocket.endpoint} {websocket.blueprint} {url_for('.other')}")

    async def other() -> None:
        await websocket.send(await websocket.receive())

    blueprint.add_websocket("/other", "other", other)
    app = app_with(blueprint)

    async with app.test_client().websocket("/live/echo/a") as connection:
        assert await connection.receive() == "a live.echo live ws://localhost/live/other"
    async with app.test_client().websocket("/live/other") as connection:
        await connection.send("x")
        assert await connection.receive() == "x"
    assert (await app.test_client().get("/live/other")).status_code == 400
    with pytest.raises(WebsocketResponseError):
        async with app.test_client().websocket("/live/none") as connection:
            await connection.receive()


# Registration ---------------------------------------------------------------------------------------------------------


@shows("blueprints.Blueprint")
def test_names_that_cannot_be() -> None:
    for name in ("", "a.b"):
        with pytest.raises(ValueError, match="name"):
            Blueprint(name, __name__)
    blueprint = Blueprint("shop", __name__, url_prefix="/shop", subdomain="shop", url_defaults={"a": 1})
    assert (blueprint.name, blueprint.import_name, blueprint.url_prefix) == ("shop", __name__, "/shop")
    assert (blueprint.subdomain, blueprint.url_values_defaults) == ("shop", {"a": 1})
    assert blueprint.root_path == __file__.rpartition("/")[0]


PREFIXES: list[tuple[str | None, str | None, str, str]] = [
    (None, None, "/x", "/x"),
    ("/p", None, "/x", "/p/x"),
    ("/p/", None, "x", "/p/x"),
    ("/p", None, "/", "/p/"),
    ("/p", None, "", "/p"),
    ("/", None, "/x", "/x"),
    ("", None, "/x", "/x"),
    ("/p", "/c", "/x", "/p/c/x"),
    ("/p/", "/c/", "/x", "/p/c/x"),
    ("/p", "c", "", "/p/c"),
    ("/p", "", "/x", "/p/x"),
    ("", "/c", "/x", "/c/x"),
    ("/", "/c", "/x", "/c/x"),
    (None, "/c", "/x", "/c/x"),
]


@shows("blueprints.Blueprint.register_blueprint")
@pytest.mark.parametrize(("outer", "inner", "rule", "expected"), PREFIXES)
def test_prefixes_are_joined(outer: str | None, inner: str | None, rule: str, expected: str) -> None:
    parent = Blueprint("parent", __name__, url_prefix=outer)
    child = Blueprint("child", __name__, url_prefix=inner)
    child.add_url_rule(rule, "view", lambda: "")
    parent.register_blueprint(child)

    assert rules(app_with(parent)) == {"parent.child.view": expected}
    again = Blueprint("parent", __name__)
    again.register_blueprint(child, url_prefix=inner)  # the options of the registration win
    assert rules(app_with(again, url_prefix=outer)) == {"parent.child.view": expected}


@shows("blueprints.Blueprint.register")
async def test_one_blueprint_under_several_names() -> None:
    blueprint = Blueprint("shop", __name__, url_prefix="/shop", url_defaults={"lang": "en"})

    @blueprint.route("/")
    async def index(lang: str) -> str:
        return f"{request.endpoint} {request.blueprint} {lang} {url_for('.index')} {url_for('other.index')}"

    app = app_with(blueprint)
    app.register_blueprint(blueprint, name="other", url_prefix="/other", url_defaults={"lang": "de"})
    blueprint.register(app, {"name": "third", "url_prefix": "/third"})

    assert await text(app, "/shop/") == "shop.index shop en /shop/ /other/"
    assert await text(app, "/other/") == "other.index other de /other/ /other/"
    assert await text(app, "/third/") == "third.index third en /third/ /other/"
    assert app.blueprints == {"shop": blueprint, "other": blueprint, "third": blueprint}
    for taken in ("shop", "other"):
        with pytest.raises(ValueError, match=f"'{taken}'"):
            app.register_blueprint(blueprint, name=taken)


@shows("blueprints.Blueprint.register_blueprint")
async def test_a_blueprint_nested_several_times() -> None:
    outer, inner, leaf = (Blueprint(name, __name__) for name in ("outer", "inner", "leaf"))

    @leaf.route("/")
    async def index() -> str:
        return f"{request.endpoint} {request.blueprints} {url_for('.index')}"

    inner.register_blueprint(leaf, url_prefix="/one")
    inner.register_blueprint(leaf, url_prefix="/two", name="second")
    outer.register_blueprint(inner, url_prefix="/in")
    app = app_with(outer)
    app.register_blueprint(outer, name="again", url_prefix="/again")

    assert await text(app, "/in/one/") == (
        "outer.inner.leaf.index ['outer.inner.leaf', 'outer.inner', 'outer'] /in/one/"
    )
    assert (await text(app, "/in/two/")).startswith("outer.inner.second.index ")
    assert (await text(app, "/again/in/two/")).endswith(" /again/in/two/")
    with pytest.raises(ValueError, match="itself"):
        leaf_of_itself = Blueprint("loop", __name__)
        leaf_of_itself.register_blueprint(leaf_of_itself)
    with pytest.raises(AssertionError, match="'inner' was registered"):
        inner.register_blueprint(Blueprint("late", __name__))


@shows("blueprints.Blueprint.register_blueprint")
async def test_subdomains_are_joined_and_matched() -> None:
    app = Quart(__name__, subdomain_matching=True)
    app.config["SERVER_NAME"] = "shop.org"
    outer, inner = Blueprint("outer", __name__, subdomain="eu"), Blueprint("inner", __name__, subdomain="<city>")

    @outer.route("/")
    async def index() -> str:
        return url_for("outer.inner.city", city="rome")

    @inner.route("/")
    async def city(city: str) -> str:
        return f"{city} {url_for('outer.index')}"

    @inner.websocket("/ws")
    async def ws(city: str) -> None:
        await websocket.send(city)

    outer.register_blueprint(inner)
    app.register_blueprint(outer)

    assert await text(app, "/", headers={"Host": "eu.shop.org"}) == "http://rome.eu.shop.org/"
    assert await text(app, "/", subdomain="oslo.eu") == "oslo http://eu.shop.org/"
    assert (await app.test_client().get("/", headers={"Host": "shop.org"})).status_code == 404
    async with app.test_client().websocket("/ws", headers={"Host": "bonn.eu.shop.org"}) as connection:
        assert await connection.receive() == "bonn"


async def test_hosts_are_matched() -> None:
    app = Quart(__name__, host_matching=True, static_host="static.org")
    blueprint = Blueprint("shop", __name__, url_prefix="/shop", static_folder=None)

    @blueprint.route("/", host="<name>.shop.org")
    async def index(name: str) -> str:
        return f"{name} {url_for('static', filename='x')} {url_for('.index', name='b')}"

    app.register_blueprint(blueprint)
    body = await text(app, "/shop/", headers={"Host": "a.shop.org"})
    assert body == "a http://static.org/static/x http://b.shop.org/shop/"
    assert (await app.test_client().get("/shop/", headers={"Host": "shop.org"})).status_code == 404
    with pytest.raises(ValueError, match="static_host"):
        Quart(__name__, host_matching=True)


# What is recorded -----------------------------------------------------------------------------------------------------


@shows("blueprints.Blueprint.record", "blueprints.Blueprint.record_once", "blueprints.BlueprintSetupState")
def test_recorded_functions_are_given_the_state() -> None:
    blueprint = Blueprint("shop", __name__, url_prefix="/shop", subdomain="s", url_defaults={"a": 1})
    seen: list[Any] = []
    blueprint.record(
        lambda state: seen.append((state.name, state.url_prefix, state.subdomain, state.first_registration))
    )
    blueprint.record_once(lambda state: seen.append(("once", state.url_defaults, state.options)))
    app = app_with(blueprint, url_defaults={"b": 2})
    app.register_blueprint(blueprint, name="other", url_prefix="/other", subdomain="o")

    assert seen == [
        ("shop", "/shop", "s", True),
        ("once", {"a": 1, "b": 2}, {"url_defaults": {"b": 2}}),
        ("other", "/other", "o", False),
    ]
    with pytest.raises(AssertionError, match="registered"):
        blueprint.record(lambda state: None)


@shows("blueprints.Blueprint.make_setup_state", "blueprints.BlueprintSetupState.add_url_rule")
async def test_a_state_of_ones_own_adds_the_rules() -> None:
    class Versioned(BlueprintSetupState):
        def add_url_rule(self, rule: str, *args: Any, **options: Any) -> None:
            super().add_url_rule(f"/v1{rule}", *args, **options)

    class API(Blueprint):
        def make_setup_state(
            self, app: Quart, options: dict[str, Any], first_registration: bool = False
        ) -> BlueprintSetupState:
            return Versioned(self, app, options, first_registration)

    outer, inner = API("outer", __name__, url_prefix="/o"), API("inner", __name__, url_prefix="/i")
    outer.add_url_rule("/x", "view", lambda: "outer")
    inner.add_url_rule("/x", "view", lambda: "inner")
    outer.register_blueprint(inner)
    app = app_with(outer)
    assert rules(app) == {"outer.view": "/o/v1/x", "outer.inner.view": "/o/i/v1/x"}

    state = Blueprint("p", __name__).make_setup_state(app, {"url_prefix": "/p", "url_defaults": {"b": 2}})
    assert (state.app is app, state.name, state.name_prefix, state.first_registration) == (True, "p", "", False)
    state.add_url_rule("/late/<int:a>", "late", lambda **values: values, defaults={"c": 3})
    assert await text(app, "/p/late/1") == '{"a":1,"b":2,"c":3}\n'
    assert rules(app)["p.late"] == "/p/late/<int:a>"


# Commands -------------------------------------------------------------------------------------------------------------

GROUPS: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({}, {}, ["shop", "sell"]),
    ({"cli_group": ""}, {}, ["shop", "sell"]),
    ({"cli_group": "trade"}, {}, ["trade", "sell"]),
    ({"cli_group": None}, {}, ["sell"]),
    ({"cli_group": "trade"}, {"cli_group": None}, ["sell"]),
    ({}, {"cli_group": "other"}, ["other", "sell"]),
    ({}, {"name": "second"}, ["second", "sell"]),
]


@shows("blueprints.Blueprint")
@pytest.mark.parametrize(("given", "registered", "command"), GROUPS)
def test_commands_stand_in_a_group(given: dict[str, Any], registered: dict[str, Any], command: list[str]) -> None:
    blueprint = Blueprint("shop", __name__, **given)

    @blueprint.cli.command("sell")
    def sell() -> None:
        click.echo("sold")

    result = app_with(blueprint, **registered).test_cli_runner().invoke(args=command)

    assert (result.exit_code, result.output) == (0, "sold\n")
