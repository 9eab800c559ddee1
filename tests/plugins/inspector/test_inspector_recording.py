"""What the inspector takes down of requests and websockets, and what it leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from quart_plug import Quart, abort, copy_current_request_context, hookimpl, request, websocket
from tests.plugins.inspector.conftest import ORIGIN


class Slow:
    """Takes part in requests and websockets."""

    @hookimpl
    async def request_before(self, ctx: Any) -> None:
        await asyncio.sleep(0)

    @hookimpl
    async def connection(self, ctx: Any) -> Any:
        yield

    @hookimpl
    async def websocket_received(self, ctx: Any, message: Any) -> None:
        pass

    @hookimpl
    async def response_sent(self, ctx: Any) -> None:
        pass


async def requests(app: Quart, look: Any) -> Any:
    return (await look(app))["requests"]


def of(plugin: str, rows: Any) -> Any:
    """The spans, or the sums, of one plugin: the slots that are filled at the first request are no part of a test."""
    return [row for row in rows if row[1] == plugin]


async def websockets(app: Quart, look: Any) -> Any:
    return (await look(app))["websockets"]


# Requests -----------------------------------------------------------------------------------------------------------


async def test_a_request(app: Quart, look: Any) -> None:
    await app.test_client().get("/?page=2", headers={"X-Thing": "1"})
    [told] = await requests(app, look)
    assert (told["method"], told["path"], told["query"]) == ("GET", "/", "page=2")
    assert (told["status"], told["state"], told["error"]) == (200, "done", None)
    assert (told["rule"], told["endpoint"]) == ("/", "index")
    assert 0 < told["seconds"] < 30
    assert ["x-thing", "1"] in told["headers"]


async def test_the_time_of_each_hook_and_plugin(app: Quart, look: Any) -> None:
    app.hooks.register(Slow(), name="slow")
    await app.test_client().get("/")
    [told] = await requests(app, look)
    spans, sums = of("slow", told["spans"]), of("slow", told["sums"])
    assert {hook for hook, *_ in spans} == {hook for hook, *_ in sums} == {
        "connection", "request_before", "response_sent"
    }  # fmt: skip
    for hook, _, calls, seconds, longest, failed in sums:
        assert (calls, failed) == (1, 0), hook
        assert 0 < seconds == longest
    for hook, _, started, seconds, failed in spans:
        assert started >= 0
        assert failed is False
        if hook == "response_sent":  # for which nobody waits
            assert started >= told["seconds"]
        else:
            assert started + seconds <= told["seconds"]


async def test_requests_at_once_are_told_apart(app: Quart, look: Any) -> None:
    """Each has the time of its own hooks, though they run in turns."""
    app.hooks.register(Slow(), name="slow")
    client = app.test_client()
    await asyncio.gather(*(client.get(f"/?n={number}") for number in range(20)))
    told = await requests(app, look)
    assert sorted(each["query"] for each in told) == sorted(f"n={number}" for number in range(20))
    assert {len(of("slow", each["spans"])) for each in told} == {3}


async def test_a_task_of_a_request_counts_for_it(app: Quart, look: Any) -> None:
    class Told:
        @hookimpl
        async def message_flashed(self, app: Quart, message: str) -> None:
            pass

    app.hooks.register(Told(), name="told")
    app.secret_key = "secret"

    @app.get("/flash")
    async def flash_in_a_task() -> str:
        from quart_plug import flash

        @copy_current_request_context
        async def work() -> None:
            await flash("hello")

        await asyncio.create_task(work())
        return request.path

    await app.test_client().get("/flash")
    [told] = await requests(app, look)
    assert [hook for hook, *_ in of("told", told["spans"])] == ["message_flashed"]


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/abort", 418), ("/", 405)])
async def test_errors_that_are_answers(app: Quart, look: Any, path: str, status: int) -> None:
    @app.get("/abort")
    async def teapot() -> None:
        abort(418)

    client = app.test_client()
    await (client.post(path) if status == 405 else client.get(path))
    [told] = await requests(app, look)
    assert (told["status"], told["state"], told["error"]) == (status, "done", None)


async def test_an_error_that_nothing_handles(app: Quart, look: Any) -> None:
    @app.get("/fail")
    async def fail() -> None:
        raise ValueError("<b>no</b> db://ada:geheim@host")

    await app.test_client().get("/fail")
    [told] = await requests(app, look)
    assert (told["status"], told["state"]) == (500, "failed")
    assert told["error"] == "ValueError: <b>no</b> db://ada:••••••@host"


async def test_a_hook_that_fails_is_marked(app: Quart, look: Any) -> None:
    class Fails:
        @hookimpl
        async def request_before(self, ctx: Any) -> None:
            if ctx.request.path == "/":
                raise RuntimeError("in a hook")

    app.hooks.register(Fails(), name="fails")
    await app.test_client().get("/")
    [told] = await requests(app, look)
    assert [(hook, failed) for hook, _, _, _, failed in of("fails", told["spans"])] == [("request_before", True)]


async def test_a_client_that_leaves(app: Quart, look: Any) -> None:
    entered = asyncio.Event()

    @app.get("/wait")
    async def wait() -> None:
        entered.set()
        await asyncio.Event().wait()

    async with app.test_client().request("/wait") as connection:
        await connection.send_complete()
        await entered.wait()
        [told] = await requests(app, look)
        assert (told["state"], told["seconds"], told["status"]) == ("running", None, None)
        await connection.disconnect()
    [told] = await requests(app, look)
    assert told["state"] == "gone"


async def test_only_the_latest_are_kept(make_app: Any, look: Any) -> None:
    app = make_app(history=3)
    client = app.test_client()
    for number in range(10):
        await client.get(f"/?n={number}")
    assert [each["query"] for each in await requests(app, look)] == ["n=7", "n=8", "n=9"]


async def test_one_request_takes_bounded_room(app: Quart, look: Any) -> None:
    class Many:
        @hookimpl
        async def template_rendered(self, app: Quart) -> None:
            pass

    app.hooks.register(Many(), name="many")

    @app.get("/many/<path:rest>")
    async def many(rest: str) -> str:
        from quart_plug import render_template_string

        for _ in range(500):
            await render_template_string("x")
        return ""

    headers = {f"x-{number}": "y" * 5000 for number in range(200)}
    await app.test_client().get("/many/" + "p" * 50_000 + "?" + "q=1&" * 10_000, headers=headers)
    [told] = await requests(app, look)
    assert len(str(told)) < 100_000
    assert len(told["spans"]) == 120
    [sums] = of("many", told["sums"])
    assert sums[:3] == ["template_rendered", "many", 500]


async def test_the_inspectors_own_requests_are_not_taken_down(app: Quart, look: Any, sign_in: Any) -> None:
    client = await sign_in(app)
    await client.get("/_inspector/")
    await client.get("/_inspector/static/base.css")
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive()
        data = await look(app)
    assert (data["requests"], data["websockets"]) == ([], [])


async def test_a_context_that_is_pushed_by_hand_is_no_request(app: Quart, look: Any) -> None:
    await look(app)
    async with app.test_request_context("/by-hand"):
        pass
    assert await requests(app, look) == []


@pytest.mark.parametrize("path", ["/<script>alert(1)<%2fscript>", "/%ff%fe", "/\u202egnp.exe", "/%00"])
async def test_paths_of_attackers_are_data(app: Quart, look: Any, path: str) -> None:
    await app.test_client().get(path, headers={"X-Evil": '"><img src=x onerror=alert(1)>'})
    [told] = await requests(app, look)
    assert told["path"].startswith("/")
    assert ["x-evil", '"><img src=x onerror=alert(1)>'] in told["headers"]


# Websockets ---------------------------------------------------------------------------------------------------------


async def test_a_live_websocket(app: Quart, look: Any) -> None:
    async with app.test_client().websocket("/echo?room=1&token=geheim") as connection:
        await connection.send("häl")
        await connection.receive()
        await connection.send(b"12345")
        await connection.receive()
        [told] = await websockets(app, look)
        assert (told["path"], told["query"], told["endpoint"]) == ("/echo", "room=1&token=••••••", "echo")
        assert (told["state"], told["seconds"], told["closed"]) == ("open", None, None)
        assert (told["received"], told["sent"]) == ([2, 9], [2, 9])  # messages, bytes
        assert len(told["websocket"]) == 32  # its id
    [told] = await websockets(app, look)
    assert told["state"] == "closed"
    assert told["closed"][0] == 1000 or told["closed"][0] == 1005
    assert told["seconds"] > 0


async def test_messages_that_another_connection_sends_count_where_they_arrive(app: Quart, look: Any) -> None:
    listeners: list[Any] = []

    @app.websocket("/listen")
    async def listen() -> None:
        await websocket.accept()
        listeners.append(websocket._get_current_object())  # type: ignore[attr-defined]  # a proxy
        await websocket.receive()

    @app.get("/tell")
    async def tell() -> str:
        for listener in listeners:
            await listener.send("news")
        return ""

    client = app.test_client()
    async with client.websocket("/listen") as connection:
        await client.get("/tell")
        assert await connection.receive() == "news"
        [told] = await websockets(app, look)
        assert told["sent"] == [1, 4]


async def test_the_time_of_hooks_for_messages(app: Quart, look: Any) -> None:
    app.hooks.register(Slow(), name="slow")
    async with app.test_client().websocket("/echo") as connection:
        for _ in range(300):
            await connection.send("x")
            await connection.receive()
        [told] = await websockets(app, look)
    sums = {hook: calls for hook, _, calls, *_ in told["sums"]}
    assert sums["websocket_received"] == 300
    assert len(told["spans"]) <= 120


async def test_a_websocket_that_is_refused(app: Quart, look: Any) -> None:
    @app.websocket("/no")
    async def no() -> None:
        await websocket.reject(401)

    with pytest.raises(Exception, match="401"):
        async with app.test_client().websocket("/no") as connection:
            await connection.receive()
    [told] = await websockets(app, look)
    assert (told["state"], told["status"]) == ("refused", 401)


async def test_a_websocket_that_nothing_matches(app: Quart, look: Any) -> None:
    with pytest.raises(Exception, match="404"):
        async with app.test_client().websocket("/nothing") as connection:
            await connection.receive()
    [told] = await websockets(app, look)
    assert (told["state"], told["status"], told["rule"]) == ("refused", 404, None)


async def test_a_websocket_whose_view_fails(app: Quart, look: Any) -> None:
    @app.websocket("/fail")
    async def fail() -> None:
        await websocket.accept()
        raise ValueError("broken")

    with pytest.raises(Exception, match="1011"):
        async with app.test_client().websocket("/fail") as connection:
            await connection.receive()
    [told] = await websockets(app, look)
    assert (told["state"], told["error"]) == ("closed", "ValueError: broken")
    assert told["closed"] == [1011, "", "server"]


async def test_a_client_that_does_not_wait_for_the_answer(app: Quart, look: Any) -> None:
    """Told to no hook: neither accepted nor refused."""
    entered = asyncio.Event()

    @app.websocket("/slow", disconnect="cancel")
    async def slow() -> None:
        entered.set()
        await asyncio.sleep(0)
        await asyncio.Event().wait()

    async with app.test_client().websocket("/slow") as connection:
        await entered.wait()
        [told] = await websockets(app, look)
        assert told["state"] == "connecting"
        await connection.disconnect()
    [told] = await websockets(app, look)
    assert told["seconds"] is not None
    assert told["state"] == "gone"


async def test_ended_websockets_do_not_push_live_ones_out(make_app: Any, look: Any) -> None:
    app = make_app(history=2)
    client = app.test_client()
    async with client.websocket("/echo?live") as connection:
        await connection.send("x")
        await connection.receive()
        for number in range(5):
            async with client.websocket(f"/echo?n={number}") as other:
                await other.send("x")
                await other.receive()
        told = await websockets(app, look)
    assert [(each["query"], each["state"]) for each in told] == [
        ("n=3", "closed"),
        ("n=4", "closed"),
        ("live=", "open"),
    ]


async def test_no_websocket_is_kept_alive(app: Quart) -> None:
    kept: list[weakref.ref[Any]] = []

    @app.websocket("/kept")
    async def view() -> None:
        kept.append(weakref.ref(websocket._get_current_object()))  # type: ignore[attr-defined]  # a proxy
        await websocket.send("x")

    async with app.test_client().websocket("/kept") as connection:
        await connection.receive()
    for _ in range(3):
        await asyncio.sleep(0)
        gc.collect()
    assert [reference() for reference in kept] == [None]


# Live ---------------------------------------------------------------------------------------------------------------


async def receive_until(connection: Any, suits: Callable[[Any], Any]) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = suits(await connection.receive_json())
            if found:
                return found


def states(message: Any) -> list[str]:
    return [each["state"] for each in message.get("websockets", [])]


async def test_the_first_message_has_everything(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    await client.get("/")
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        message = await connection.receive_json()
    assert {"app", "plugins", "hooks", "routes", "configuration", "panels", "requests", "websockets"} <= set(message)
    assert [each["path"] for each in message["requests"]] == ["/"]


async def test_afterwards_only_what_has_changed_is_told(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive_json()
        await client.get("/?new")
        message = await connection.receive_json()
        assert set(message) == {"now", "requests"}
        assert [each["query"] for each in message["requests"]] == ["new="]


async def test_a_changed_setting_is_told(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive_json()
        app.config["GREETING"] = "hello"
        changed = await receive_until(connection, lambda message: message.get("configuration"))
    assert [each["value"] for each in changed if each["key"] == "GREETING"] == ["'hello'"]


async def test_a_plugin_that_comes_is_told(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive_json()
        app.hooks.register(Slow(), name="slow")
        changed = await receive_until(connection, lambda message: message.get("plugins"))
    assert "slow" in [each["name"] for each in changed["plugins"]]


async def test_a_websocket_is_told_from_its_beginning_to_its_end(app: Quart, sign_in: Any) -> None:
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        await connection.receive_json()
        async with client.websocket("/echo") as echo:
            await echo.send("x")
            await echo.receive()
            await receive_until(connection, lambda message: "open" in states(message))
        await receive_until(connection, lambda message: "closed" in states(message))


async def test_a_panel_is_told_when_its_rows_change(app: Quart, sign_in: Any) -> None:
    rooms = {"lobby": 1}

    class Rooms:
        @hookimpl(optionalhook=True)
        def inspector_panels(self, app: Quart) -> Any:
            return {"title": "Rooms", "columns": ["Room", "People"], "rows": rooms.items()}

    app.hooks.register(Rooms(), name="rooms")
    client = await sign_in(app)
    async with client.websocket("/_inspector/live", headers=ORIGIN) as connection:
        assert (await connection.receive_json())["panels"][0]["rows"] == [["lobby", 1]]
        rooms["lobby"] = 2
        [panel] = await receive_until(connection, lambda message: message.get("panels"))
    assert panel["rows"] == [["lobby", 2]]
