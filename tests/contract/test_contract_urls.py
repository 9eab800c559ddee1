"""URL values, `url_for`, and rules that differ in options."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.routing import BuildError

from quart_plug import Blueprint, Quart, g, url_for


async def test_url_value_preprocessors(app: Quart, kind: Any) -> None:
    """The app's, then the blueprints' from the outside in; they may take values out and put values in."""
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)

    @app.url_value_preprocessor
    def app_first(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values is not None
        g.calls = [("app", endpoint)]
        g.language = values.pop("language")

    @outer.url_value_preprocessor
    def then_outer(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.calls.append(("outer", endpoint))

    @inner.url_value_preprocessor
    def then_inner(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values is not None
        g.calls.append(("inner", endpoint))
        values["extra"] = "put in"

    @kind.view(inner, "/<language>/page/<int:number>")
    async def view(number: int, extra: str) -> Any:
        assert g.calls == [(name, "outer.inner.view") for name in ("app", "outer", "inner")]
        return await kind.reply(f"{g.language} {number} {extra}")

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    assert (await kind.run(app, "/de/page/3")).said == "de 3 put in"


async def test_preprocessors_where_nothing_matched(app: Quart, kind: Any) -> None:
    """They get no endpoint and no values."""
    seen = []
    app.url_value_preprocessor(lambda endpoint, values: seen.append((endpoint, values)))
    assert (await kind.run(app, "/nowhere")).status == 404
    assert seen == [(None, None)]


async def test_values_may_be_put_in_where_a_rule_has_none(app: Quart, kind: Any) -> None:
    """Connections do not see each other's values."""
    numbers = iter(range(9))

    @app.url_value_preprocessor
    def number(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values == {}
        values["number"] = next(numbers)

    @kind.view(app, "/")
    async def view(number: int) -> Any:
        return await kind.reply(str(number))

    assert [(await kind.run(app)).said for _ in range(3)] == ["0", "1", "2"]


async def test_url_for_in_a_view(app: Quart, kind: Any) -> None:
    blueprint = Blueprint("part", __name__, url_prefix="/part")

    @kind.view(blueprint, "/here/<int:number>")
    async def here(number: int) -> Any:
        with pytest.raises(BuildError):
            url_for("nothing")
        return await kind.reply(
            " ".join(
                (
                    url_for(".here", number=2),
                    url_for("part.here", number=3, q="ä b", _anchor="x y"),
                    url_for("page"),
                    url_for("page", _external=True),
                )
            )
        )

    @app.get("/page")
    async def page() -> str:
        return ""

    app.register_blueprint(blueprint)
    host = "" if kind.is_request else "ws://localhost"  # a browser needs the whole URL of a websocket
    assert (await kind.run(app, "/part/here/1")).said.split(" ") == [
        f"{host}/part/here/2",
        f"{host}/part/here/3?q=%C3%A4+b#x%20y",
        "/page",
        "http://localhost/page",
    ]


async def test_rules_that_share_an_endpoint(app: Quart, kind: Any) -> None:
    """Each has its own defaults."""

    async def view(number: int) -> Any:
        return await kind.reply(str(number))

    kind.view(app, "/first", endpoint="shared", defaults={"number": 1})(view)
    kind.view(app, "/second", endpoint="shared", defaults={"number": 2})(view)
    kind.view(app, "/any/<int:number>", endpoint="shared")(view)
    assert [(await kind.run(app, path)).said for path in ("/first", "/second", "/any/3")] == ["1", "2", "3"]


async def test_one_path_for_both_kinds(app: Quart, kind: Any) -> None:
    """A request's rule and a websocket's may have the same path."""

    @app.route("/")
    async def for_requests() -> str:
        return "request"

    @app.websocket("/")
    async def for_websockets() -> Any:
        from quart_plug import websocket

        await websocket.send("websocket")

    assert (await kind.run(app)).said == kind.name


async def test_mounted_below_a_root_path(app: Quart, kind: Any) -> None:
    """The path of the scope has the root path in front (ASGI, "root_path"); outside of it nothing matches."""

    @kind.view(app, "/page")
    async def page() -> Any:
        return await kind.reply(url_for("page").removeprefix("ws://localhost"))

    assert (await kind.run(app, "/page")).said == "/page"
    assert (await kind.run(app, "/below/page", root_path="/below")).said == "/below/page"
    assert (await kind.run(app, "/elsewhere/page", root_path="/below")).status == 404
