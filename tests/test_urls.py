"""`url_for` and what belongs to it."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import BuildError

from quart_plug import Blueprint, Quart, url_for


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)
    app.add_url_rule("/", "index", lambda: "")
    app.add_url_rule("/user/<name>", "user", lambda name: "")
    app.add_url_rule("/user/<name>", "save", lambda name: "", methods=["POST"])
    app.add_websocket("/ws", "ws", lambda: None)
    part = Blueprint("part", __name__, url_prefix="/part")
    part.add_url_rule("/", "index", lambda: "")
    app.register_blueprint(part)
    return app


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("index", {}, "/"),
    ("user", {"name": "a b/c"}, "/user/a%20b/c"),
    ("user", {"name": "x", "page": 2, "q": ["a", "b"]}, "/user/x?page=2&q=a&q=b"),
    ("index", {"nothing": None}, "/"),
    ("index", {"_anchor": "top of it"}, "/#top%20of%20it"),
    ("index", {"_external": True}, "http://localhost/"),
    ("index", {"_scheme": "https"}, "https://localhost/"),
    ("save", {"name": "x", "_method": "POST"}, "/user/x"),
    ("part.index", {}, "/part/"),
    (".index", {}, "/"),
    ("ws", {}, "ws://localhost/ws"),
]


@pytest.mark.parametrize(("endpoint", "values", "url"), CASES)
async def test_in_a_request(app: Quart, endpoint: str, values: dict[str, Any], url: str) -> None:
    async with app.test_request_context("/"):
        assert url_for(endpoint, **values) == url
        assert app.url_for(endpoint, **values) == url


async def test_relative_to_the_blueprint(app: Quart) -> None:
    async with app.test_request_context("/part/"):
        assert url_for(".index") == "/part/"
        assert url_for("index") == "/"


async def test_behind_https(app: Quart) -> None:
    async with app.test_request_context("/", scheme="https"):
        assert url_for("index", _external=True) == "https://localhost/"
        assert url_for("ws") == "wss://localhost/ws"


async def test_below_a_root_path(app: Quart) -> None:
    async with app.test_request_context("/mounted/", root_path="/mounted"):
        assert url_for("index") == "/mounted/"


async def test_outside_of_a_request(app: Quart) -> None:
    """It is external, for which the host has to be known."""
    async with app.app_context():
        with pytest.raises(RuntimeError, match="set SERVER_NAME"):
            url_for("index")
    with pytest.raises(RuntimeError, match="set SERVER_NAME"):
        app.url_for("index")
    app.config.update(SERVER_NAME="example.org", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https")
    async with app.app_context():
        assert url_for("index") == "https://example.org/root/"
        assert url_for("index", _external=False) == "/root/"
    assert app.url_for("index", _scheme="http") == "http://example.org/root/"


async def test_a_scheme_needs_an_external_url(app: Quart) -> None:
    async with app.test_request_context("/"):
        with pytest.raises(ValueError, match="_external=False"):
            url_for("index", _scheme="https", _external=False)


async def test_unknown_endpoints(app: Quart) -> None:
    async with app.test_request_context("/"):
        with pytest.raises(BuildError, match=r"Did you mean 'index'|Could not build url for endpoint 'indx'"):
            url_for("indx")
        with pytest.raises(BuildError, match="name"):
            url_for("user")


async def test_build_error_handlers(app: Quart) -> None:
    """Asked in turn, until one has a URL; each may raise a BuildError of its own."""
    asked: list[Any] = []

    def declines(error: BuildError, endpoint: str, values: dict[str, Any]) -> None:
        asked.append((endpoint, values))

    def knows(error: BuildError, endpoint: str, values: dict[str, Any]) -> str:
        if endpoint == "unknown":
            raise error
        return f"https://elsewhere/{endpoint}"

    app.url_build_error_handlers = [declines, knows]  # type: ignore[list-item]
    async with app.test_request_context("/"):
        assert url_for("other", a=1) == "https://elsewhere/other"
        with pytest.raises(BuildError):
            url_for("unknown")
    assert asked[0][0] == "other"
    assert asked[0][1]["a"] == 1


async def test_url_defaults(app: Quart) -> None:
    """The app's, then those of the endpoint's blueprints."""
    part = Blueprint("shop", __name__, url_prefix="/<language>/<currency>")
    part.add_url_rule("/", "index", lambda **values: "")

    @part.url_defaults
    def currency(endpoint: str, values: dict[str, Any]) -> None:
        values.setdefault("currency", f"eur-{values['language']}")

    @app.url_defaults
    def language(endpoint: str, values: dict[str, Any]) -> None:
        if app.url_map.is_endpoint_expecting(endpoint, "language"):
            values.setdefault("language", "de")

    app.register_blueprint(part)
    async with app.test_request_context("/"):
        assert url_for("shop.index") == "/de/eur-de/"
        assert url_for("shop.index", language="fr") == "/fr/eur-fr/"
        assert url_for("index") == "/"


async def test_in_an_error_handler_of_a_404(app: Quart) -> None:
    @app.errorhandler(404)
    async def lost(error: Exception) -> Any:
        return url_for("index"), 404

    response = await app.test_client().get("/nowhere")
    assert await response.get_data(as_text=True) == "/"


async def test_redirects_in_debug_mode(app: Quart) -> None:
    """A POST that would lose its body on the way is an error that says so; 308 keeps it, and is none."""
    app.add_url_rule("/folder/", "folder", lambda: "", methods=["POST"])
    app.debug = True
    assert (await app.test_client().post("/folder")).status_code == 308
