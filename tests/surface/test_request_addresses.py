"""Where a request or a websocket goes: URLs, hosts, arguments, the rule that matched. Each is tried on both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.exceptions import MethodNotAllowed, NotFound

from quart_plug import Blueprint, Quart, json, request, websocket
from quart_plug.testing import WebsocketResponseError
from quart_plug.wrappers import BaseRequestWebsocket, Request, Websocket
from tests.support.surface import shows

Read = Callable[[Any], Any]


@pytest.fixture(params=["request", "websocket"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def read_in_view(kind: str, read: Read, path: str = "/", app: Quart | None = None, **options: Any) -> Any:
    """What `read` gives for the request, or the websocket, in a view that answers any path."""
    app = Quart(__name__) if app is None else app
    found: list[Any] = []

    @app.route("/", defaults={"rest": ""}, methods=["GET", "POST"])
    @app.route("/<path:rest>")
    async def view(rest: str) -> str:
        found.append(read(request))
        return ""

    @app.websocket("/", defaults={"rest": ""})
    @app.websocket("/<path:rest>")
    async def websocket_view(rest: str) -> None:
        found.append(read(websocket))
        await websocket.accept()

    await connect(app, kind, path, **options)
    return found[0]


async def connect(app: Quart, kind: str, path: str, **options: Any) -> None:
    if kind == "request":
        await app.test_client().get(path, **options)
    else:
        if "scheme" in options:
            options["scheme"] = options["scheme"].replace("http", "ws")
        async with app.test_client().websocket(path, **options):
            pass


@shows(
    "wrappers.base.BaseRequestWebsocket.base_url",
    "wrappers.base.BaseRequestWebsocket.full_path",
    "wrappers.base.BaseRequestWebsocket.host",
    "wrappers.base.BaseRequestWebsocket.host_url",
    "wrappers.base.BaseRequestWebsocket.root_url",
    "wrappers.base.BaseRequestWebsocket.url",
    "wrappers.base.BaseRequestWebsocket.url_root",
)
async def test_a_url_comes_whole_and_in_parts(kind: str) -> None:
    scheme = "http" if kind == "request" else "ws"

    def read(r: Any) -> Any:
        return [r.host, r.full_path, *(url(r) for url in urls)]

    urls: list[Read] = [
        lambda r: r.url,
        lambda r: r.base_url,
        lambda r: r.root_url,
        lambda r: r.url_root,
        lambda r: r.host_url,
    ]

    assert await read_in_view(kind, read, "/a/b?q=1&r=2", headers={"Host": "example.org:8080"}) == [
        "example.org:8080",
        "/a/b?q=1&r=2",
        f"{scheme}://example.org:8080/a/b?q=1&r=2",
        f"{scheme}://example.org:8080/a/b",
        f"{scheme}://example.org:8080/",
        f"{scheme}://example.org:8080/",
        f"{scheme}://example.org:8080/",
    ]


@pytest.mark.parametrize(
    ("path", "sent", "url", "args"),
    [
        ("/ü/☃", b"", "http://localhost/ü/☃", {}),
        ("/a b", b"q=%C3%A4", "http://localhost/a%20b?q=ä", {"q": "ä"}),
        ("/x", b"q=%ff", "http://localhost/x?q=%FF", {"q": "%FF"}),
    ],
)
async def test_urls_are_iris_and_arguments_text(path: str, sent: bytes, url: str, args: dict[str, str]) -> None:
    base = {"query_string": sent, "path": path}

    assert await read_in_view("request", lambda r: (r.path, r.url, dict(r.args)), "/x", scope_base=base) == (
        path,
        url,
        args,
    )


@shows(
    "wrappers.base.BaseRequestWebsocket.root_url",
    "wrappers.base.BaseRequestWebsocket.script_root",
    "wrappers.base.BaseRequestWebsocket.url_root",
)
async def test_a_mounted_application_has_its_root_in_urls_and_not_in_the_path(kind: str) -> None:
    scheme = "http" if kind == "request" else "ws"

    assert await read_in_view(
        kind,
        lambda r: (r.script_root, r.path, r.root_url, r.url_root, r.url),
        "/api/users",
        root_path="/api",
    ) == (
        "/api",
        "/users",
        f"{scheme}://localhost/api/",
        f"{scheme}://localhost/api/",
        f"{scheme}://localhost/api/users",
    )


@shows("wrappers.base.BaseRequestWebsocket.is_secure")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_secure_is_what_came_over_tls(kind: str, scheme: str) -> None:
    assert await read_in_view(kind, lambda r: r.is_secure, scheme=scheme) is (scheme == "https")


@shows("wrappers.base.BaseRequestWebsocket.args")
async def test_arguments_are_a_dictionary_with_several_values(kind: str) -> None:
    args = await read_in_view(kind, lambda r: r.args, "/?a=1&b=x+y&a=2&empty=&n=%31")

    assert isinstance(args, ImmutableMultiDict)
    assert (args["a"], args.getlist("a"), args["b"], args["empty"]) == ("1", ["1", "2"], "x y", "")
    assert (args.get("n", type=int), args.get("b", -1, type=int), args.get("none")) == (1, -1, None)


async def test_an_argument_that_is_not_there_is_a_bad_request() -> None:
    app = Quart(__name__)

    @app.get("/")
    async def view() -> str:
        return request.args["missing"]

    assert (await app.test_client().get("/")).status_code == 400


@shows("wrappers.base.BaseRequestWebsocket.trusted_hosts")
@pytest.mark.parametrize(
    ("host", "trusted"),
    [("example.org", True), ("a.example.org", True), ("localhost:5000", True), ("evil.org", False), ("", False)],
)
async def test_a_host_that_is_not_trusted_is_refused(kind: str, host: str, trusted: bool) -> None:
    class MyRequest(Request):
        trusted_hosts = [".example.org", "localhost"]

    class MyWebsocket(Websocket):
        trusted_hosts = [".example.org", "localhost"]

    app = Quart(__name__)
    app.request_class, app.websocket_class = MyRequest, MyWebsocket
    app.add_url_rule("/", view_func=lambda: request.host)

    @app.websocket("/")
    async def view() -> None:
        await websocket.send(websocket.host)

    client = app.test_client()
    if kind == "request":
        response = await client.get("/", headers={"Host": host})
        assert response.status_code == (200 if trusted else 400)
    elif trusted:
        async with client.websocket("/", headers={"Host": host}) as connection:
            assert await connection.receive() == host
    else:
        with pytest.raises(WebsocketResponseError) as caught:
            async with client.websocket("/", headers={"Host": host}) as connection:
                await connection.receive()
        assert caught.value.response.status_code == 400


@shows(
    "wrappers.base.BaseRequestWebsocket.blueprint",
    "wrappers.base.BaseRequestWebsocket.blueprints",
    "wrappers.base.BaseRequestWebsocket.endpoint",
    "wrappers.base.BaseRequestWebsocket.url_rule",
    "wrappers.base.BaseRequestWebsocket.view_args",
)
async def test_a_connection_knows_the_rule_that_matched(kind: str) -> None:
    found: list[Any] = []
    outer, inner = Blueprint("outer", __name__, url_prefix="/o"), Blueprint("inner", __name__)

    def look(r: Any) -> None:
        found.append((r.endpoint, r.blueprint, r.blueprints, r.url_rule.rule, r.url_rule.websocket, r.view_args))

    @inner.route("/<int:number>", endpoint="request")
    async def view(number: int) -> str:
        look(request)
        return ""

    @inner.websocket("/<int:number>", endpoint="websocket")
    async def websocket_view(number: int) -> None:
        look(websocket)
        await websocket.accept()

    outer.register_blueprint(inner)
    app = Quart(__name__)
    app.register_blueprint(outer)
    await connect(app, kind, "/o/5")

    assert found == [
        (
            f"outer.inner.{kind}",
            "outer.inner",
            ["outer.inner", "outer"],
            "/o/<int:number>",
            kind == "websocket",
            {"number": 5},
        )
    ]


@shows("wrappers.base.BaseRequestWebsocket.blueprint", "wrappers.base.BaseRequestWebsocket.blueprints")
async def test_a_rule_of_the_application_belongs_to_no_blueprint(kind: str) -> None:
    assert await read_in_view(kind, lambda r: (r.blueprint, r.blueprints)) == (None, [])


@shows(
    "wrappers.base.BaseRequestWebsocket.endpoint",
    "wrappers.base.BaseRequestWebsocket.routing_exception",
    "wrappers.base.BaseRequestWebsocket.url_rule",
    "wrappers.base.BaseRequestWebsocket.view_args",
)
@pytest.mark.parametrize(("path", "method", "error"), [("/nope", "GET", NotFound), ("/", "PUT", MethodNotAllowed)])
async def test_without_a_rule_there_is_the_error_that_will_be_raised(path: str, method: str, error: type) -> None:
    """Functions that run before the view see it, and may go on without it."""
    app = Quart(__name__)
    app.add_url_rule("/", view_func=lambda: "")
    found: list[Any] = []

    @app.before_request
    async def look() -> None:
        found.append((type(request.routing_exception), request.url_rule, request.endpoint, request.view_args))

    response = await app.test_client().open(path, method=method)

    assert found == [(error, None, None, None)]
    assert response.status_code == error.code  # type: ignore[attr-defined]  # an HTTPException


async def test_a_websocket_without_a_rule_sees_its_error_too() -> None:
    app = Quart(__name__)
    found: list[Any] = []

    @app.before_websocket
    async def look() -> None:
        found.append(type(websocket.routing_exception))

    with pytest.raises(WebsocketResponseError):
        async with app.test_client().websocket("/nope") as connection:
            await connection.receive()

    assert found == [NotFound]


@shows("wrappers.base.BaseRequestWebsocket.routing_exception")
async def test_a_matched_connection_has_no_routing_error(kind: str) -> None:
    assert await read_in_view(kind, lambda r: r.routing_exception) is None


@shows("wrappers.base.BaseRequestWebsocket.json_module")
async def test_json_is_loaded_and_dumped_by_the_applications_provider(kind: str) -> None:
    app = Quart(__name__)

    assert await read_in_view(kind, lambda r: r.json_module is r.json_module and r.json_module, app=app) is app.json


@shows("wrappers.base.BaseRequestWebsocket", "wrappers.base.BaseRequestWebsocket.json_module")
def test_one_can_be_made_by_hand_without_an_application() -> None:
    made = BaseRequestWebsocket(
        "get",
        "https",
        "/a",
        b"q=1",
        Headers([("Host", "example.org"), ("Remote-Addr", "192.0.2.1")]),
        "/root",
        "2",
        {"type": "http", "server": ("10.0.0.1", 443)},
    )

    assert (made.method, made.url, made.http_version) == ("GET", "https://example.org/root/a?q=1", "2")
    assert (made.remote_addr, made.server) == ("192.0.2.1", ("10.0.0.1", 443))
    assert (made.url_rule, made.view_args, made.routing_exception) == (None, None, None)
    assert made.json_module is json


async def test_what_a_proxy_rewrote_in_the_scope_is_what_is_seen() -> None:
    """As middleware around `app.asgi_app` does it: there is nothing about proxies in the request itself."""
    app = Quart(__name__)

    @app.get("/")
    async def view() -> list[Any]:
        return [request.url, request.remote_addr, request.is_secure]

    inner = app.asgi_app

    async def behind_a_proxy(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "scheme": "https", "client": ("203.0.113.5", 0)}
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name != b"host"]
        scope["headers"].append((b"host", b"public.example.org"))
        await inner(scope, receive, send)

    app.asgi_app = behind_a_proxy  # type: ignore[method-assign]

    response = await app.test_client().get("/")

    assert await response.get_json() == ["https://public.example.org/", "203.0.113.5", True]


async def test_a_redirect_to_the_rules_slash_keeps_the_query_string() -> None:
    app = Quart(__name__)
    app.add_url_rule("/dir/", view_func=lambda: "")

    response = await app.test_client().get("/dir", scope_base={"query_string": "q=ä&r=%20&s=[1]".encode()})

    assert response.status_code == 308
    assert response.location == "http://localhost/dir/?q=%C3%A4&r=%20&s=[1]"
