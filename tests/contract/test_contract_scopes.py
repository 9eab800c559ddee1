"""Plugins switched off for a route or a blueprint: neither kind of connection calls what is switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.exceptions import NotFound

from quart_plug import Blueprint, Quart, hookimpl, websocket
from quart_plug.kinds import KINDS

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


def with_every_hook(app: Quart, kind: Any, calls: list[str]) -> Any:
    """A plugin that implements whatever a connection of the kind goes through, and notes the hooks."""

    class Every:
        pass

    for hook in KINDS[kind.name].hooks.values():
        spec = app.hooks.spec(hook)
        body = f"calls.append({hook!r})" + ("; yield" if spec.info.kind == "around" else "")
        names: dict[str, Any] = {"calls": calls}
        exec(f"async def {hook}({', '.join(('self', *spec.arguments))}): {body}", names)
        setattr(Every, hook, hookimpl(names[hook]))
    return Every()


async def test_each_hook_of_a_connection(make_app: Any, kind: Any, calls: list[str]) -> None:
    """`"name:hook"` leaves out this hook and no other, whichever of `Kind.hooks` it is; the name alone all of them."""
    app = make_app()
    hooks = [*KINDS[kind.name].hooks.values()]
    app.hooks.register(with_every_hook(app, kind, calls), "every")
    scopes = {"": set(), "/none": {"every"}, **{f"/{hook}": {f"every:{hook}"} for hook in hooks}}
    for prefix, disabled in scopes.items():

        @kind.view(app, f"{prefix}/fails", endpoint=f"{prefix} fails", plugins_disabled=disabled)
        async def fails() -> Any:
            raise LookupError

        @kind.view(app, f"{prefix}/talk", endpoint=f"{prefix} talk", plugins_disabled=disabled)
        async def talk() -> Any:
            return "hello" if kind.is_request else await websocket.send(await websocket.receive())

    async def called(prefix: str) -> list[str]:
        calls.clear()
        await kind.run(app, f"{prefix}/fails")
        if kind.is_request:
            await kind.run(app, f"{prefix}/talk")
        else:
            async with app.test_client().websocket(f"{prefix}/talk") as connection:
                await connection.send("hello")
                assert await connection.receive() == "hello"
        return [*calls]

    everything = await called("")
    assert set(everything) == set(hooks)
    assert await called("/none") == []
    for hook in hooks:
        assert await called(f"/{hook}") == [name for name in everything if name != hook]


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


class Adding:
    """A plugin without hooks of a connection, whose set-up adds functions to the app."""

    __quart_plug__ = {"name": "adding"}

    def __init__(self, kind: Any, calls: list[str]) -> None:
        self.kind = kind
        self.calls = calls

    @hookimpl
    def setup(self, app: Quart) -> None:
        self.kind.on(app, "before")(self.before)
        self.kind.on(app, "after")(lambda response: self.calls.append("after") or response)
        self.kind.on(app, "teardown")(lambda error: self.calls.append("teardown"))
        app.url_value_preprocessor(lambda endpoint, values: self.calls.append("values"))

    def before(self) -> None:
        self.calls.append("before")


async def test_functions_that_a_plugin_added(make_app: Any, kind: Any, calls: list[str]) -> None:
    """They are the plugin's as its hooks are; those of the app stay."""
    app = make_app(plugins=[Adding(kind, calls)])
    kind.on(app, "before")(lambda: calls.append("the app's"))
    kind.view(app, "/", endpoint="off", plugins_disabled={"adding"})(view_of(kind))
    kind.view(app, "/on", endpoint="on")(view_of(kind))
    blueprint = Blueprint("part", __name__, url_prefix="/part", plugins_disabled={"adding"})
    kind.on(blueprint, "before")(lambda: calls.append("the blueprint's"))
    kind.view(blueprint, "/", endpoint="view")(view_of(kind))
    app.register_blueprint(blueprint)
    await kind.run(app)
    assert calls == ["the app's"]
    calls.clear()
    await kind.run(app, "/part/")
    assert calls == ["the app's", "the blueprint's"]
    calls.clear()
    await kind.run(app, "/on")
    assert calls == ["values", "the app's", "before", "after", "teardown"]


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
