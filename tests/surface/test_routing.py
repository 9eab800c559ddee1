"""`quart.routing`: rules and the map that holds them."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import (
    BaseConverter,
    BuildError,
    IntegerConverter,
    RequestRedirect,
    Submount,
    UnicodeConverter,
    WebsocketMismatch,
)

from quart_plug import Quart, request, url_for, websocket
from quart_plug.routing import QuartMap, QuartRule
from tests.support.surface import shows


@pytest.fixture
def map() -> QuartMap:
    return QuartMap(
        [
            QuartRule("/", endpoint="index", methods=["GET"]),
            QuartRule("/item/<int:id>", endpoint="item", methods=["GET", "POST"]),
            QuartRule("/item/<int:id>", endpoint="live", websocket=True),
            QuartRule("/page/", defaults={"number": 1}, endpoint="page"),
            QuartRule("/page/<int:number>", endpoint="page"),
        ]
    )


class Words(BaseConverter):
    """Words with a plus between them: a list."""

    def to_python(self, value: str) -> list[str]:
        return value.split("+")

    def to_url(self, value: Any) -> str:
        return "+".join(value)


# The map --------------------------------------------------------------------------------------------------------------


@shows("routing.QuartMap", "routing.QuartMap.bind")
def test_a_path_is_matched_and_built(map: QuartMap) -> None:
    urls = map.bind("shop.org", script_name="/app", url_scheme="https")

    assert urls.match("/item/5") == ("item", {"id": 5})
    assert urls.match("/item/5", websocket=True) == ("live", {"id": 5})
    assert urls.match("/page/") == ("page", {"number": 1})
    for path, method, live, error in (
        ("/item/x", "GET", False, NotFound),
        ("/item/5", "PUT", False, MethodNotAllowed),
        ("/", "GET", True, WebsocketMismatch),
        ("/page", "GET", False, RequestRedirect),
        ("/page/1", "GET", False, RequestRedirect),
    ):
        with pytest.raises(error):
            urls.match(path, method, websocket=live)
    assert urls.build("item", {"id": 5, "q": "a b"}) == "/app/item/5?q=a+b"
    assert urls.build("live", {"id": 5}) == "wss://shop.org/app/item/5"
    assert urls.build("page", {"number": 1}, force_external=True) == "https://shop.org/app/page/"
    with pytest.raises(BuildError):
        urls.build("item", {})


@shows("routing.QuartMap.add", "routing.QuartMap.iter_rules", "routing.QuartMap.update")
def test_rules_are_added_and_listed(map: QuartMap) -> None:
    rule = QuartRule("/late", endpoint="item")
    map.add(rule)
    map.add(Submount("/sub", [QuartRule("/a", endpoint="a"), QuartRule("/b", endpoint="b", websocket=True)]))
    map.update()

    assert [rule.rule for rule in map.iter_rules("item")] == ["/item/<int:id>", "/late"]
    assert {rule.rule for rule in map.iter_rules()} >= {"/", "/late", "/sub/a", "/sub/b"}
    assert map.bind("h").match("/late") == ("item", {})
    assert map.bind("h").match("/sub/b", websocket=True) == ("b", {})
    with pytest.raises(KeyError):
        map.iter_rules("unknown")
    with pytest.raises(RuntimeError):
        map.add(rule)  # it is bound already


@shows("routing.QuartMap.is_endpoint_expecting")
def test_is_endpoint_expecting(map: QuartMap) -> None:
    assert map.is_endpoint_expecting("item", "id")
    assert not map.is_endpoint_expecting("item", "number")
    assert map.is_endpoint_expecting("page", "number")


@shows("routing.QuartMap.default_converters", "routing.QuartMap.lock_class")
def test_converters_of_the_map_and_of_an_app() -> None:
    assert set(QuartMap.default_converters) == {"default", "string", "any", "path", "int", "float", "uuid"}
    map = QuartMap([QuartRule("/<words:tags>", endpoint="tags")], converters={"words": Words})
    assert map.bind("h").match("/a+b") == ("tags", {"tags": ["a", "b"]})
    assert map.bind("h").build("tags", {"tags": ["a", "b"]}) == "/a+b"
    with QuartMap.lock_class():
        pass
    with pytest.raises(LookupError):
        QuartMap([QuartRule("/<words:tags>", endpoint="tags")])


async def test_an_app_takes_converters_rules_and_a_map_of_ones_own() -> None:
    class TaggedRule(QuartRule):
        def __init__(self, *args: Any, tag: str = "", **options: Any) -> None:
            super().__init__(*args, **options)
            self.tag = tag

    class Map(QuartMap):
        default_converters = {**QuartMap.default_converters, "words": Words}

    class Tagged(Quart):
        url_rule_class = TaggedRule
        url_map_class = Map

    app = Tagged(__name__)
    app.url_map.converters["more"] = Words

    @app.route("/<words:a>/<more:b>", tag="tagged")
    async def view(a: list[str], b: list[str]) -> dict[str, Any]:
        assert isinstance(request.url_rule, TaggedRule)
        return {"a": a, "b": b, "tag": request.url_rule.tag, "url": url_for("view", a=b, b=["x"])}

    response = await app.test_client().get("/1+2/3")
    assert await response.get_json() == {"a": ["1", "2"], "b": ["3"], "tag": "tagged", "url": "/3/x"}


@shows("routing.QuartMap.merge_slashes")
async def test_slashes_are_merged_by_a_redirect_or_not_at_all() -> None:
    app = Quart(__name__)
    app.add_url_rule("/a/b", "ab", lambda: "ab")
    assert app.url_map.merge_slashes is True
    response = await app.test_client().get("/a//b")
    assert (response.status_code, response.headers["Location"]) == (308, "http://localhost/a/b")

    app = Quart(__name__)
    app.url_map.merge_slashes = False
    app.add_url_rule("/a/b", "ab", lambda: "ab")
    assert (await app.test_client().get("/a//b")).status_code == 404


HOSTS: list[tuple[str, str | None, str | None, tuple[str, str]]] = [
    ("shop.org", None, None, ("shop.org", "")),
    ("eu.shop.org", None, "shop.org", ("shop.org", "eu")),
    ("shop.org", "given", "shop.org", ("shop.org", "given")),
    ("EU.Shop.org:80", None, "shop.org", ("shop.org", "eu")),
]


@shows("routing.QuartMap.bind_to_request")
@pytest.mark.parametrize(("host", "subdomain", "server_name", "expected"), HOSTS)
async def test_bind_to_request(
    map: QuartMap, host: str, subdomain: str | None, server_name: str | None, expected: tuple[str, str]
) -> None:
    app = Quart(__name__)
    async with app.test_request_context(
        "/item/5", method="POST", headers={"Host": host}, query_string={"q": "1"}, root_path="/app"
    ):
        urls = map.bind_to_request(request, subdomain, server_name)

        assert (urls.server_name, urls.subdomain) == expected
        assert (urls.path_info, urls.default_method, urls.query_args) == ("/item/5", "POST", "q=1")
        assert urls.build("item", {"id": 6}).endswith("/app/item/6")
    async with app.test_websocket_context("/item/5", headers={"Host": host}):
        urls = map.bind_to_request(websocket, subdomain, server_name)
        assert urls.url_scheme == "ws"


@shows("routing.QuartMap.bind_to_environ")
def test_bind_to_a_wsgi_environment(map: QuartMap) -> None:
    environ = {
        "HTTP_HOST": "eu.shop.org",
        "wsgi.url_scheme": "http",
        "SCRIPT_NAME": "/app",
        "PATH_INFO": "/item/5",
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
    }
    urls = map.bind_to_environ(environ)
    assert urls.match() == ("item", {"id": 5})
    assert urls.build("item", {"id": 6}, force_external=True) == "http://eu.shop.org/app/item/6"
    assert map.bind_to_environ(environ, server_name="shop.org").subdomain == "eu"


# A rule ---------------------------------------------------------------------------------------------------------------


@shows("routing.QuartRule", "routing.QuartRule.get_rules")
@shows("routing.QuartRule.get_empty_kwargs", "routing.QuartRule.empty")
def test_a_rule_and_its_copies_keep_their_options(map: QuartMap) -> None:
    options: dict[str, Any] = {
        "defaults": {"page": 1},
        "subdomain": "eu",
        "methods": {"GET", "POST", "HEAD"},
        "endpoint": "list",
        "strict_slashes": False,
        "merge_slashes": False,
        "host": None,
        "websocket": False,
        "provide_automatic_options": True,
    }
    rule = QuartRule("/list/<name>", **options)
    map.add(rule)

    for copy in (rule, rule.empty()):
        assert isinstance(copy, QuartRule)
        assert {name: getattr(copy, name) for name in options} == options
        assert copy.get_empty_kwargs().items() >= options.items()
    assert rule.arguments == {"name", "page"}
    assert list(rule.get_rules(map)) == [rule]
    assert rule.empty().map is None
    assert QuartRule("/ws", websocket=True).empty().websocket is True


def test_a_rule_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError):
        QuartRule("no/slash")
    with pytest.raises(TypeError):
        QuartRule("/", methods="GET")
    with pytest.raises(ValueError):
        QuartRule("/", websocket=True, methods=["POST"])


@shows("routing.QuartRule.bind", "routing.QuartRule.compile", "routing.QuartRule.refresh")
def test_a_rule_is_bound_to_one_map(map: QuartMap) -> None:
    rule = QuartRule("/<int:id>", endpoint="x")
    with pytest.raises(AssertionError, match="not bound"):
        rule.compile()
    rule.bind(map)
    assert rule.map is map
    assert rule.build({"id": 1}) == ("", "/1")

    with pytest.raises(RuntimeError):
        rule.bind(QuartMap())
    other = QuartMap(default_subdomain="www")
    rule.bind(other, rebind=True)
    assert rule.map is other
    rule.subdomain = "eu"
    rule.refresh()  # what is compiled follows what was changed
    assert rule.build({"id": 1}) == ("eu", "/1")


@shows("routing.QuartRule.build", "routing.QuartRule.suitable_for", "routing.QuartRule.build_compare_key")
def test_a_rule_builds_its_urls() -> None:
    map = QuartMap()
    rule = QuartRule("/list/<int:id>", {"page": 1}, subdomain="eu", methods=["GET"], endpoint="list")
    other = QuartRule("/list/<int:id>/<name>/<more>", endpoint="list")
    map.add(rule)
    map.add(other)

    assert rule.build({"id": 5, "q": "a b"}) == ("eu", "/list/5?q=a+b")
    assert rule.build({"id": 5, "q": "a b"}, append_unknown=False) == ("eu", "/list/5")
    assert rule.suitable_for({"id": 5})
    assert rule.suitable_for({"id": 5, "page": 1}, "GET")
    for values, method in (({}, None), ({"id": 5, "page": 2}, None), ({"id": 5}, "POST")):
        assert not rule.suitable_for(values, method)
    assert sorted([rule, other], key=QuartRule.build_compare_key) == [other, rule]  # the most arguments first


@shows("routing.QuartRule.get_converter", "routing.QuartRule.provides_defaults_for")
def test_converters_and_defaults_of_a_rule(map: QuartMap) -> None:
    first, numbered = map.iter_rules("page")
    assert first.provides_defaults_for(numbered)
    assert not numbered.provides_defaults_for(first)

    converter = first.get_converter("n", "int", (), {"max": 5})
    assert isinstance(converter, IntegerConverter)
    assert converter.to_python("5") == 5
    assert isinstance(first.get_converter("n", "default", (), {}), UnicodeConverter)
    with pytest.raises(LookupError):
        first.get_converter("n", "unknown", (), {})
