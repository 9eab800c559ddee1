"""The lifespan around a test."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from quart_plug.testing import LifespanError, TestApp, WaitTimeoutError
from quart_plug.typing import Receive, Scope, Send


def lifespan(bare_app: Any, answers: dict[str, Any]) -> Any:
    """An app that answers each message with what `answers` holds: a message, an error, or None (silence)."""
    seen: list[str] = []

    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        while True:
            kind = (await receive())["type"]
            seen.append(kind)
            answer = answers.get(kind, {"type": f"{kind}.complete"})
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                await asyncio.Event().wait()
            await send(answer)
            if kind == "lifespan.shutdown":
                return

    app = bare_app(asgi)
    app.seen = seen
    app.test_client = lambda **kwargs: kwargs
    return app


async def test_the_app_starts_and_stops(bare_app: Any) -> None:
    app = lifespan(bare_app, {})
    async with TestApp(app) as test_app:
        assert app.seen == ["lifespan.startup"]
        client: Any = test_app.test_client(timeout=1)
        assert client == {"timeout": 1}
    assert app.seen == ["lifespan.startup", "lifespan.shutdown"]


@pytest.mark.parametrize("stage", ["startup", "shutdown"])
async def test_a_failure_that_is_reported(bare_app: Any, stage: str) -> None:
    before = asyncio.all_tasks()
    app = lifespan(bare_app, {f"lifespan.{stage}": {"type": f"lifespan.{stage}.failed", "message": "no disk"}})
    with pytest.raises(LifespanError, match=f"^Error during {stage} no disk$"):
        async with TestApp(app):
            pass
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("stage", ["startup", "shutdown"])
async def test_a_failure_that_is_raised(bare_app: Any, stage: str) -> None:
    app = lifespan(bare_app, {f"lifespan.{stage}": LookupError("of the app")})
    with pytest.raises(LookupError, match="of the app"):
        async with TestApp(app):
            pass


@pytest.mark.parametrize("stage", ["startup", "shutdown"])
async def test_a_stage_that_takes_too_long(bare_app: Any, stage: str) -> None:
    before = asyncio.all_tasks()
    app = lifespan(bare_app, {f"lifespan.{stage}": None})
    limits = {f"{stage}_timeout": 0.02}
    with pytest.raises(
        WaitTimeoutError, match=rf"waited 0.02 s for the app's {stage}; it is suspended at .*test_app.py"
    ):
        async with TestApp(app, **limits):
            pass
    assert asyncio.all_tasks() == before


async def test_an_app_that_returns_without_an_answer(bare_app: Any) -> None:
    async def returns(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    with pytest.raises(LifespanError, match="ended without an answer"):
        await TestApp(bare_app(returns)).startup()


async def test_an_error_after_the_last_answer(bare_app: Any) -> None:
    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        for stage in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{stage}.complete"})
        raise LookupError("of the app")

    with pytest.raises(LookupError, match="of the app"):
        async with TestApp(bare_app(fails)):
            pass


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        (["lifespan.begin"], "not a message for a lifespan"),
        (["lifespan.startup.done"], "not a message for a lifespan"),
        (["lifespan.startup.complete", "lifespan.startup.complete"], "answered before"),
    ],
)
async def test_an_illegal_message(bare_app: Any, messages: list[str], said: str) -> None:
    async def confused(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send({"type": message})

    with pytest.raises(RuntimeError, match=said):
        async with TestApp(bare_app(confused), 1, 1):
            pass


async def test_the_tests_own_exception_wins_and_names_the_apps(bare_app: Any) -> None:
    app = lifespan(bare_app, {"lifespan.shutdown": LookupError("of the app")})
    with pytest.raises(AssertionError, match="of the test") as caught:
        async with TestApp(app):
            raise AssertionError("of the test")
    assert caught.value.__notes__ == ["The app's shutdown failed as well: LookupError: of the app"]


async def test_the_order_of_calls_is_checked(bare_app: Any) -> None:
    test_app = TestApp(lifespan(bare_app, {}))
    with pytest.raises(RuntimeError, match="not running"):
        await test_app.shutdown()
    await test_app.startup()
    with pytest.raises(RuntimeError, match="started before"):
        await test_app.startup()
    await test_app.shutdown()
