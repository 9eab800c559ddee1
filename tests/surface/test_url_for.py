"""`quart.helpers.url_for`: URLs in requests, in websockets and elsewhere, and those that cannot be built."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import BuildError

from quart_plug import Quart, websocket
from quart_plug.helpers import url_for
from tests.support.surface import shows

URLS: list[tuple[str, dict[str, Any], str]] = [
    ("index", {}, "/"),
    ("item", {"id": 5}, "/item/5"),
    ("item", {"id": 5, "q": "a b", "n": None, "m": [1, 2]}, "/item/5?q=a+b&m=1&m=2"),
    ("index", {"_anchor": "to p/ü"}, "/#to%20p/%C3%BC"),
    ("index", {"_external": True}, "http://localhost/"),
    ("index", {"_scheme": "https"}, "https://localhost/"),
    ("index", {"_scheme": "", "_external": True}, "//localhost/"),
    ("form", {}, "/form"),
    ("form", {"_method": "POST"}, "/form/send"),
    ("live", {}, "ws://localhost/live"),
    ("static", {"filename": "a b/c.css", "v": 1}, "/static/a%20b/c.css?v=1"),
]


@pytest.fixture
def shop() -> Quart:
    app = Quart(__name__)

    async def view(**values: Any) -> str:
        return ""

    app.add_url_rule("/", "index", view)
    app.add_url_rule("/item/<int:id>", "item", view)
    app.add_url_rule("/form", "form", view)
    app.add_url_rule("/form/send", "form", view, methods=["POST"])
    app.add_websocket("/live", "live", view)
    return app


@shows("helpers.url_for")
@pytest.mark.parametrize(("endpoint", "values", "expected"), URLS)
async def test_url_for_in_a_request(shop: Quart, endpoint: str, values: dict[str, Any], expected: str) -> None:
    async with shop.test_request_context("/"):
        assert url_for(endpoint, **values) == expected


@shows("helpers.url_for")
async def test_url_for_elsewhere(shop: Quart) -> None:
    """In a websocket it is as in a request; outside of both it is external and needs SERVER_NAME."""

    @shop.websocket("/urls")
    async def urls() -> None:
        await websocket.send(f"{url_for('index')} {url_for('live')}")

    async with shop.test_client().websocket("/urls") as connection:
        assert await connection.receive() == "/ ws://localhost/live"
    with pytest.raises(RuntimeError):
        url_for("index")
    async with shop.app_context():
        with pytest.raises(RuntimeError, match="SERVER_NAME"):
            url_for("index")
    shop.config["SERVER_NAME"] = "shop.org"
    async with shop.app_context():
        assert url_for("item", id=1) == "http://shop.org/item/1"
        assert url_for("item", id=1, _external=False) == "/item/1"
        with pytest.raises(ValueError, match="_scheme"):
            url_for("index", _scheme="https", _external=False)


@shows("helpers.url_for")
async def test_a_url_that_cannot_be_built_is_asked_of_the_apps_handlers(shop: Quart) -> None:
    asked: list[Any] = []

    def handler(error: Exception, endpoint: str, values: dict[str, Any]) -> str:
        asked.append((type(error), endpoint, values))
        return "https://elsewhere.org"

    async with shop.test_request_context("/"):
        for endpoint, values in (("unknown", {}), ("item", {}), ("form", {"_method": "PUT"})):
            with pytest.raises(BuildError):
                url_for(endpoint, **values)
        shop.url_build_error_handlers.append(handler)
        assert url_for("unknown", id=1, _anchor="x", _external=True) == "https://elsewhere.org"
    assert asked == [(BuildError, "unknown", {"id": 1})]  # only the values of the URL
