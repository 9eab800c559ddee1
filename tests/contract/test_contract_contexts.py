"""Contexts: `g` and the session, threads, isolation of connections, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import Any

import pytest

from quart_plug import Quart, current_app, g, has_app_context, request, session, websocket


def current(kind: Any) -> Any:
    return request if kind.is_request else websocket


async def test_what_is_current(app: Quart, kind: Any) -> None:
    @kind.view(app, "/there/<int:number>")
    async def view(number: int) -> Any:
        here = current(kind)
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        assert (here.path, here.endpoint, here.view_args) == ("/there/7", "view", {"number": 7})
        assert here.url_rule.rule == "/there/<int:number>"
        assert (kind.function("has_request_context")(), kind.function("has_websocket_context")()) == (
            kind.is_request,
            not kind.is_request,
        )
        return await kind.reply(f"{number}")

    outcome = await kind.run(app, "/there/7")
    assert (outcome.succeeded, outcome.said) == (True, "7")


async def test_concurrent_connections_are_apart(app: Quart, kind: Any) -> None:
    """Each has its own `g` and sees its own request, whatever the order they wake in."""
    meeting = asyncio.Barrier(3)

    @kind.view(app, "/<name>")
    async def view(name: str) -> Any:
        g.name = name
        await meeting.wait()
        assert current(kind).path == f"/{name}"
        return await kind.reply(g.name)

    outcomes = await asyncio.gather(*(kind.run(app, f"/{name}") for name in "abc"))
    assert [outcome.said for outcome in outcomes] == ["a", "b", "c"]


async def test_g_lives_from_before_to_teardown(app: Quart, kind: Any) -> None:
    seen = []

    @kind.on(app, "before")
    async def before() -> None:
        assert "user" not in g
        g.user = "me"

    @kind.view(app, "/")
    async def view() -> Any:
        return await kind.reply(g.user)

    kind.on(app, "teardown")(lambda error: seen.append(g.pop("user")))
    for _ in range(2):
        assert (await kind.run(app)).said == "me"
    assert seen == ["me", "me"]


async def test_plain_functions_run_in_threads_with_the_context(app: Quart, kind: Any) -> None:
    """Before, after, teardown functions and error handlers may be plain ones, and then do not block the loop."""
    loop_thread = threading.get_ident()
    seen: dict[str, Any] = {}

    def note(name: str) -> None:
        assert threading.get_ident() != loop_thread
        seen[name] = (current_app.name, current(kind).path, g.get("mark"))

    @kind.on(app, "before")
    def before() -> None:
        g.mark = 1
        note("before")

    @kind.on(app, "after")
    def after(response: Any) -> Any:
        note("after")
        return response

    @kind.on(app, "teardown")
    def teardown(error: Any) -> None:
        note("teardown")

    @app.errorhandler(KeyError)
    def handler(error: KeyError) -> Any:
        note("handler")
        return "handled", 400

    @kind.view(app, "/path")
    async def view() -> Any:
        raise KeyError

    assert (await kind.run(app, "/path")).said == "handled"
    assert seen == dict.fromkeys(("before", "handler", "after", "teardown"), ("contract", "/path", 1))


async def test_plain_views(app: Quart, kind: Any) -> None:
    """Run in a thread, see the context, and their answer is as an async view's."""
    loop_thread = threading.get_ident()

    @kind.view(app, "/<int:number>")
    def view(number: int) -> Any:
        assert threading.get_ident() != loop_thread
        return f"{current(kind).path} {number}", 403

    outcome = await kind.run(app, "/5")
    assert (outcome.status, outcome.said) == (403, "/5 5")


async def test_the_session_is_read(app: Quart, kind: Any) -> None:
    @app.get("/write")
    async def write() -> str:
        session["name"] = "me"
        return ""

    @kind.view(app, "/read")
    async def read() -> Any:
        return await kind.reply(session.get("name", "nobody"))

    client = app.test_client()
    assert (await kind.run(app, "/read", client)).said == "nobody"
    await client.get("/write")
    assert (await kind.run(app, "/read", client)).said == "me"


async def test_the_session_is_written_with_an_answer(app: Quart, kind: Any) -> None:
    """A response can set the cookie; so can one that refuses a handshake."""

    @kind.view(app, "/")
    async def view() -> Any:
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"]), 403

    client = app.test_client()
    outcomes = [await kind.run(app, "/", client) for _ in range(3)]
    assert [outcome.said for outcome in outcomes] == ["1", "2", "3"]
    assert all("session=" in outcome.headers["Set-Cookie"] for outcome in outcomes)


async def test_an_untouched_session_sets_no_cookie(app: Quart, kind: Any) -> None:
    @kind.view(app, "/")
    async def view() -> Any:
        return "x", 403

    assert "Set-Cookie" not in (await kind.run(app)).headers


async def test_the_task_is_left_without_a_context(app: Quart, kind: Any) -> None:
    """A server may use one task for many connections; after each, nothing is current."""

    @kind.view(app, "/<int:suspends>")
    async def view(suspends: int) -> Any:
        for _ in range(suspends):
            await asyncio.sleep(0)
        return await kind.reply("x")

    @kind.view(app, "/fails")
    async def fails() -> Any:
        raise LookupError

    for path in ("/0", "/2", "/fails", "/nowhere/at/all"):
        await kind.run_here(app, path)
        assert not has_app_context()
        with pytest.raises(RuntimeError, match="application context"):
            current_app.name


async def test_nothing_is_left(app: Quart, kind: Any) -> None:
    """No task runs on, and what the connection kept is freed."""

    class Thing:
        pass

    kept = []

    @kind.view(app, "/")
    async def view() -> Any:
        await asyncio.sleep(0)
        g.thing = Thing()
        kept.append(weakref.ref(g.thing))
        kept.append(weakref.ref(g._get_current_object()))
        return await kind.reply("x")

    before = asyncio.all_tasks()
    client = app.test_client()
    assert (await kind.run(app, "/", client)).said == "x"
    assert asyncio.all_tasks() == before
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


async def test_the_task_is_the_servers(app: Quart, kind: Any) -> None:
    """A view runs in the task that called the app, before and after it was suspended."""
    tasks = []

    @kind.view(app, "/")
    async def view() -> Any:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        tasks.append(asyncio.current_task())
        return await kind.reply("x")

    await kind.run_here(app)
    assert tasks == [asyncio.current_task()] * 2


async def test_a_copied_context_outlives_the_connection(app: Quart, kind: Any) -> None:
    """In a task that goes on after the answer, `request` or `websocket` and `g` are those of before."""
    go_on = asyncio.Event()
    started = []

    @kind.view(app, "/path")
    async def view() -> Any:
        g.mark = "mine"

        async def later() -> Any:
            await go_on.wait()
            return current(kind).path, g.mark, current_app.name

        copied = kind.function("copy_current_{kind}_context")(later)
        started.append(asyncio.create_task(copied()))
        return await kind.reply("x")

    await kind.run(app, "/path")
    go_on.set()
    assert await started[0] == ("/path", "mine", "contract")
