"""The hooks of a connection and Quart's signals: when each is called, and what a failure of one does to the others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import quart_plug.signals
from quart_plug import Quart, hookimpl


class Boom(Exception):
    pass


NOTIFICATIONS = ("started", "finished", "failed", "teardown")


def plugin_for(kind: Any, calls: list[Any]) -> Any:
    """A plugin that notes each hook of the kind's connection."""

    class Noting:
        @hookimpl
        async def connection(self, ctx: Any) -> Any:
            calls.append("connection begins")
            try:
                yield
            except Exception as error:
                calls.append(f"connection fails with {type(error).__name__}")
                raise
            else:
                calls.append("connection ends")

    def noting(hook: str, arguments: str) -> Any:
        names: dict[str, Any] = {"calls": calls}
        exec(f"async def {hook}(self, ctx{arguments}): calls.append({hook!r})", names)
        return hookimpl(names[hook])

    for hook in ("context_pushed", "context_teardown", "context_popped"):
        setattr(Noting, hook, noting(hook, ""))
    arguments = {"after": ", response", "finished": ", response", "failed": ", error", "teardown": ", exc"}
    for moment in ("started", "before", "after", "finished", "failed", "teardown"):
        hook = f"{kind.name}_{moment}"
        setattr(Noting, hook, noting(hook, arguments.get(moment, "")))
    return Noting()


def noting_app(app: Quart, kind: Any, calls: list[Any]) -> None:
    kind.on(app, "before")(lambda: calls.append("before"))
    kind.on(app, "after")(lambda response: calls.append("after") or response)
    kind.on(app, "teardown")(lambda error: calls.append("teardown"))
    app.teardown_appcontext(lambda error: calls.append("app teardown"))

    @kind.view(app, "/")
    async def view() -> Any:
        calls.append("view")
        return await kind.reply("x")

    @kind.view(app, "/fails")
    async def fails() -> Any:
        raise Boom


async def test_the_order_of_hooks(app: Quart, kind: Any) -> None:
    """Before hooks come before the app's functions, after and teardown hooks after them."""
    calls: list[Any] = []
    noting_app(app, kind, calls)
    app.hooks.register(plugin_for(kind, calls), "noting")
    await kind.run(app)
    assert calls == [
        "context_pushed",
        "connection begins",
        f"{kind.name}_started",
        f"{kind.name}_before",
        "before",
        "view",
        "after",
        f"{kind.name}_after",
        f"{kind.name}_finished",
        "connection ends",
        "teardown",
        f"{kind.name}_teardown",
        "app teardown",
        "context_teardown",
        "context_popped",
    ]


async def test_hooks_of_a_connection_that_fails(app: Quart, kind: Any) -> None:
    """`connection` sees the error that nothing handled, and the answer to it is finished as any other."""
    calls: list[Any] = []
    noting_app(app, kind, calls)
    app.hooks.register(plugin_for(kind, calls), "noting")
    assert (await kind.run(app, "/fails")).status == 500
    assert calls == [
        "context_pushed",
        "connection begins",
        f"{kind.name}_started",
        f"{kind.name}_before",
        "before",
        "connection fails with Boom",
        f"{kind.name}_failed",
        "after",
        f"{kind.name}_after",
        f"{kind.name}_finished",
        "teardown",
        f"{kind.name}_teardown",
        "app teardown",
        "context_teardown",
        "context_popped",
    ]


async def test_hooks_may_come_and_go_while_the_app_runs(app: Quart, kind: Any) -> None:
    calls: list[Any] = []
    noting_app(app, kind, [])
    await kind.run(app)
    app.hooks.register(plugin_for(kind, calls), "noting")
    await kind.run(app)
    count = len(calls)
    app.hooks.unregister("noting")
    await kind.run(app)
    assert (count, len(calls)) == (10, 10)


async def test_an_answer_of_the_before_hook(app: Quart, kind: Any) -> None:
    """Takes the view's place, or refuses, before the app's functions are asked."""
    calls: list[Any] = []
    noting_app(app, kind, calls)

    class Refusing:
        pass

    setattr(Refusing, f"{kind.name}_before", hookimpl(specname=f"{kind.name}_before")(lambda self: ("no", 403)))
    app.hooks.register(Refusing(), "refusing")
    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (403, "no")
    assert calls == ["after", "teardown", "app teardown"]


async def test_the_after_hook_replaces_the_response(app: Quart, kind: Any) -> None:
    @kind.view(app, "/")
    async def view() -> Any:
        return "x", 403

    async def after(self: Any, ctx: Any, response: Any) -> Any:
        return await ctx.app.make_response(("replaced", 410))

    plugin = type("Replacing", (), {"after": hookimpl(specname=f"{kind.name}_after")(after)})()
    app.hooks.register(plugin, "replacing")
    outcome = await kind.run(app)
    assert (outcome.status, outcome.said) == (410, "replaced")


@pytest.mark.parametrize("moment", NOTIFICATIONS)
async def test_one_plugins_failure_is_not_the_others(
    app: Quart, kind: Any, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Everyone is told; the error names the plugin; teardown runs; the client gets an answer."""
    calls: list[Any] = []

    def make(name: str, fails: bool) -> Any:
        async def hook(self: Any, ctx: Any) -> None:
            calls.append(name)
            if fails:
                raise Boom(name)

        return type(name, (), {"hook": hookimpl(specname=f"{kind.name}_{moment}")(hook)})()

    noting_app(app, kind, [])
    app.teardown_appcontext(lambda error: calls.append("torn down"))
    app.hooks.register(make("faulty", True), "faulty")
    app.hooks.register(make("healthy", False), "healthy")
    outcome = await kind.run(app, "/fails" if moment == "failed" else "/")
    assert calls[:2] == ["faulty", "healthy"]
    assert "torn down" in calls
    assert (outcome.status or outcome.closed) in (500, 1011)
    assert "plugin 'faulty'" in caplog.text


async def test_around_hooks_nest(app: Quart, kind: Any) -> None:
    """The first plugin's is the outermost."""
    calls: list[Any] = []
    noting_app(app, kind, calls)

    def make(name: str) -> Any:
        class Around:
            @hookimpl
            async def connection(self, ctx: Any) -> Any:
                calls.append(f"> {name}")
                yield
                calls.append(f"< {name}")

        return Around()

    for name in ("outer", "inner"):
        app.hooks.register(make(name), name)
    await kind.run(app)
    assert calls == ["> outer", "> inner", "before", "view", "after", "< inner", "< outer", "teardown", "app teardown"]


class Watching:
    """Notes what the body of the hook `connection` gave."""

    def __init__(self) -> None:
        self.results: list[Any] = []

    @hookimpl
    async def connection(self, ctx: Any) -> Any:
        self.results.append((yield))
        if self.results[-1] is not None:
            self.results[-1].headers["x-seen"] = "yes"


async def test_an_around_hook_sees_the_result(app: Quart, kind: Any) -> None:
    """The Response, which may be changed, also where none was needed; None for a websocket that was accepted."""
    watching = Watching()
    app.hooks.register(watching, "watching")

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply("all of it")

    outcome = await kind.run(app)
    assert outcome.said == "all of it"
    if kind.name == "request":
        assert await watching.results[0].get_data(as_text=True) == "all of it"
        assert outcome.headers["x-seen"] == "yes"
    else:
        assert watching.results == [None]


async def test_an_around_hook_sees_a_refusal(app: Quart, kind: Any) -> None:
    """What takes the view's place, plain or not, is a Response for both kinds."""
    watching = Watching()
    app.hooks.register(watching, "watching")

    @kind.view(app, "/")
    async def view() -> Any:
        return {"reason": "full"}, 409

    outcome = await kind.run(app)
    assert outcome.status == 409 == watching.results[0].status_code
    assert outcome.headers["x-seen"] == "yes"
    assert await watching.results[0].get_json() == {"reason": "full"}
    assert (await kind.run(app, "/nowhere")).headers["x-seen"] == "yes"
    assert watching.results[1].status_code == 404


# Signals ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(app: Quart, kind: Any) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    heard: list[tuple[str, dict[str, Any]]] = []
    names = {moment: kind.signal(moment) for moment in ("started", "finished", "failed", "teardown")}
    for name in ("appcontext_pushed", "appcontext_tearing_down", "appcontext_popped"):
        names[name] = getattr(quart_plug.signals, name)
    with ExitStack() as stack:
        for name, signal in names.items():

            def receiver(sender: Any, name: str = name, **values: Any) -> None:
                heard.append((name, values))

            stack.enter_context(signal.connected_to(receiver, sender=app))
        yield heard


async def test_the_order_of_signals(app: Quart, kind: Any, heard: list[Any]) -> None:
    noting_app(app, kind, [])
    await kind.run(app)
    assert [name for name, _ in heard] == [
        *("appcontext_pushed", "started", "finished", "teardown"),
        *("appcontext_tearing_down", "appcontext_popped"),
    ]
    assert dict(heard)["teardown"] == {"exc": None}


async def test_signals_of_a_connection_that_fails(app: Quart, kind: Any, heard: list[Any]) -> None:
    noting_app(app, kind, [])
    await kind.run(app, "/fails")
    assert [name for name, _ in heard] == [
        *("appcontext_pushed", "started", "failed", "finished", "teardown"),
        *("appcontext_tearing_down", "appcontext_popped"),
    ]
    assert isinstance(dict(heard)["failed"]["exception"], Boom)
    assert isinstance(dict(heard)["teardown"]["exc"], Boom)


async def test_the_started_signal_precedes_the_functions(app: Quart, kind: Any) -> None:
    calls: list[Any] = []
    noting_app(app, kind, calls)

    async def receiver(sender: Any) -> None:
        calls.append("started")

    with kind.signal("started").connected_to(receiver, sender=app):
        await kind.run(app)
    assert calls[:2] == ["started", "before"]


async def test_where_the_moments_between_come(app: Quart, kind: Any) -> None:
    """The match, the handshake and the end of the response, among the others."""
    calls: list[Any] = []
    noting_app(app, kind, calls)
    plugin = plugin_for(kind, calls)

    def note(moment: str) -> Any:
        async def noting() -> None:
            calls.append(moment)

        return staticmethod(hookimpl(specname=moment)(noting))

    own = ("websocket_accepting", "websocket_sending", "websocket_sent", "websocket_closed")
    for moment in ("route_matched", "response_sent", *(own if kind.name == "websocket" else ())):
        setattr(type(plugin), f"note_{moment}", note(moment))
    app.hooks.register(plugin, "noting")
    await kind.run(app)
    talk = ["websocket_accepting", "websocket_sending", "websocket_sent"] if kind.name == "websocket" else []
    assert calls == [
        *("context_pushed", "connection begins", f"{kind.name}_started", "route_matched"),
        *(f"{kind.name}_before", "before", "view", *talk[:1], *talk[1:], "after"),
        *(f"{kind.name}_after", f"{kind.name}_finished", "connection ends"),
        *("teardown", f"{kind.name}_teardown", "app teardown", "context_teardown", "context_popped"),
        "websocket_closed" if kind.name == "websocket" else "response_sent",
    ]
