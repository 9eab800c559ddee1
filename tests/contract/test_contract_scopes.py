"""Plugins switched off for a route or a blueprint: neither kind of connection calls what is switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from quart_plug import Blueprint, Quart, hookimpl, websocket

MOMENTS = ("started", "before", "after", "finished", "failed", "teardown")
VALUES = {"after": ", response", "finished": ", response", "failed": ", error", "teardown": ", exc"}


def noting(kind: Any, calls: list[str], name: str = "noting") -> Any:
    """A plugin that notes each of its hooks as "name:moment"."""

    class Noting:
        @hookimpl
        async def connection(self, ctx: Any) -> Any:
            calls.append(f"{name}:around")
            yield

    for moment in MOMENTS:
        names: dict[str, Any] = {"calls": calls}
        hook = f"{kind.name}_{moment}"
        exec(f"async def {hook}(self, ctx{VALUES.get(moment, '')}): calls.append('{name}:{moment}')", names)
        setattr(Noting, hook, hookimpl(names[hook]))
    return Noting()


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def noted_app(app: Quart, kind: Any, calls: list[str]) -> Quart:
    """An app with two plugins that note their hooks."""
    app.hooks.register(noting(kind, calls, "one"), "one")
    app.hooks.register(noting(kind, calls, "two"), "two")
    return app


def view_of(kind: Any) -> Callable[[], Any]:
    async def view() -> Any:
        return await kind.reply("hello")

    return view


HANDLED = ["around", "started", "before", "after", "finished", "teardown"]
FAILED = ["around", "started", "before", "failed", "after", "finished", "teardown"]


def of(name: str, moments: list[str]) -> list[str]:
    return [f"{name}:{moment}" for moment in moments]


async def test_a_plugin_that_is_switched_off_for_a_route(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    kind.view(noted_app, "/", plugins_disabled={"one"})(view_of(kind))
    outcome = await kind.run(noted_app)
    assert (outcome.said, outcome.succeeded) == ("hello", True)
    assert calls == of("two", HANDLED)


async def test_it_is_on_for_every_other_route(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    kind.view(noted_app, "/", endpoint="off", plugins_disabled={"one", "two"})(view_of(kind))
    kind.view(noted_app, "/on", endpoint="on")(view_of(kind))
    await kind.run(noted_app, "/on")
    assert calls == [f"{name}:{moment}" for moment in HANDLED for name in ("one", "two")]


async def test_both_are_asked_in_turn_and_keep_their_plans(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """The plans of the two routes are remembered, and neither takes the other's."""
    kind.view(noted_app, "/", endpoint="off", plugins_disabled=["one"])(view_of(kind))
    kind.view(noted_app, "/on", endpoint="on", plugins_disabled=("two",))(view_of(kind))
    for _ in range(3):
        calls.clear()
        await kind.run(noted_app)
        await kind.run(noted_app, "/on")
        assert calls == [*of("two", HANDLED), *of("one", HANDLED)]


async def test_a_view_that_fails(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """What is told of a failure, and what ends with it, is left out as well."""

    @kind.view(noted_app, "/", plugins_disabled={"one"})
    async def view() -> Any:
        raise LookupError

    assert (await kind.run(noted_app)).status == 500
    assert calls == of("two", FAILED)


@pytest.mark.parametrize("moment", ["around", *MOMENTS])
async def test_one_hook_of_a_plugin(noted_app: Quart, kind: Any, calls: list[str], moment: str) -> None:
    """`"name:hook"` leaves the plugin's other hooks, and the other plugin's."""
    hook = "connection" if moment == "around" else f"{kind.name}_{moment}"

    @kind.view(noted_app, "/", plugins_disabled={f"one:{hook}"})
    async def view() -> Any:
        raise LookupError

    await kind.run(noted_app)
    assert sorted(calls) == sorted([*of("one", [each for each in FAILED if each != moment]), *of("two", FAILED)])


async def test_a_blueprint(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """Its routes, with what a route switches off itself added."""
    blueprint = Blueprint("admin", __name__, url_prefix="/admin", plugins_disabled={"one"})
    kind.view(blueprint, "/", endpoint="all")(view_of(kind))
    kind.view(blueprint, "/less", endpoint="less", plugins_disabled={"two"})(view_of(kind))
    kind.view(noted_app, "/", endpoint="outside")(view_of(kind))
    noted_app.register_blueprint(blueprint)
    await kind.run(noted_app, "/admin/")
    await kind.run(noted_app, "/admin/less")
    assert calls == of("two", HANDLED)
    calls.clear()
    await kind.run(noted_app)
    assert len(calls) == 2 * len(HANDLED)


async def test_where_a_blueprint_is_registered(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """Twice under two names: each registration has its own, beside the blueprint's."""
    blueprint = Blueprint("part", __name__, plugins_disabled={f"one:{kind.name}_started"})
    kind.view(blueprint, "/", endpoint="view")(view_of(kind))
    noted_app.register_blueprint(blueprint, url_prefix="/a", plugins_disabled={"two"})
    noted_app.register_blueprint(blueprint, url_prefix="/b", name="other")
    await kind.run(noted_app, "/a/")
    assert calls == of("one", [moment for moment in HANDLED if moment != "started"])
    calls.clear()
    await kind.run(noted_app, "/b/")
    assert "one:started" not in calls
    assert "two:started" in calls


async def test_nested_blueprints_add_up(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    outer = Blueprint("outer", __name__, url_prefix="/outer", plugins_disabled={"one"})
    inner = Blueprint("inner", __name__, url_prefix="/inner")
    kind.view(inner, "/", endpoint="view")(view_of(kind))
    kind.view(outer, "/", endpoint="view")(view_of(kind))
    outer.register_blueprint(inner, plugins_disabled={"two"})
    noted_app.register_blueprint(outer)
    await kind.run(noted_app, "/outer/inner/")
    assert calls == []
    await kind.run(noted_app, "/outer/")
    assert calls == of("two", HANDLED)


async def test_an_address_without_a_route(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """Below the blueprint's prefix, and in no blueprint: no route is known there, and nothing is switched off."""
    blueprint = Blueprint("admin", __name__, url_prefix="/admin", plugins_disabled={"one", "two"})
    kind.view(blueprint, "/", endpoint="view")(view_of(kind))
    noted_app.register_blueprint(blueprint)
    noted_app.register_error_handler(NotFound, lambda error: ("nothing here", 404))
    assert (await kind.run(noted_app, "/admin/missing")).status == 404
    assert calls == [f"{name}:{moment}" for moment in HANDLED for name in ("one", "two")]


async def test_a_signal_is_not_sent_for_a_route_without_the_plugin(app: Quart, kind: Any) -> None:
    heard: list[str] = []
    kind.view(app, "/", endpoint="off", plugins_disabled={"signals"})(view_of(kind))
    kind.view(app, "/on", endpoint="on")(view_of(kind))

    async def hear(sender: Any, **values: Any) -> None:
        heard.append("heard")

    with kind.signal("started").connected_to(hear, sender=app), kind.signal("teardown").connected_to(hear, sender=app):
        assert (await kind.run(app)).succeeded
        assert heard == []
        assert (await kind.run(app, "/on")).succeeded
    assert heard == ["heard", "heard"]


async def test_it_may_come_and_go_while_the_app_runs(noted_app: Quart, kind: Any, calls: list[str]) -> None:
    """A name stays switched off when its plugin is registered anew."""
    kind.view(noted_app, "/", plugins_disabled={"one"})(view_of(kind))
    await kind.run(noted_app)
    noted_app.hooks.unregister("one")
    await kind.run(noted_app)
    noted_app.hooks.register(noting(kind, calls, "one"), "one")
    await kind.run(noted_app)
    assert calls == of("two", HANDLED) * 3


class Messages:
    """What happens to messages, and to the end of a websocket."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    @hookimpl
    async def websocket_received(self, message: str) -> str:
        self.calls.append("received")
        return message.upper()

    @hookimpl
    async def websocket_sending(self, message: str) -> str:
        self.calls.append("sending")
        return f"{message}!"

    @hookimpl
    async def websocket_sent(self, message: str) -> None:
        self.calls.append("sent")

    @hookimpl
    async def websocket_closed(self, code: int) -> None:
        self.calls.append("closed")


@pytest.mark.parametrize(
    ("names", "said", "calls"),
    [
        (set(), "HELLO!", ["received", "sending", "sent", "closed"]),
        ({"messages"}, "hello", []),
        ({"messages:websocket_received"}, "hello!", ["sending", "sent", "closed"]),
        ({"messages:websocket_sending"}, "HELLO", ["received", "sent", "closed"]),
        ({"messages:websocket_sent", "messages:websocket_closed"}, "HELLO!", ["received", "sending"]),
    ],
)
async def test_messages(app: Quart, names: set[str], said: str, calls: list[str]) -> None:
    messages = Messages()
    app.hooks.register(messages, "messages")

    @app.websocket("/", plugins_disabled=names)
    async def view() -> None:
        await websocket.send(await websocket.receive())

    async with app.test_client().websocket("/") as connection:
        await connection.send("hello")
        assert await connection.receive() == said
    assert messages.calls == calls
