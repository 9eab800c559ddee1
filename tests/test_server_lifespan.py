"""The app's life as servers that run in its loop conduct it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from quart_plug.running import ApplicationStartError
from quart_plug.servers import Lifespan, lifespan

LIMIT = 10.0


async def lively(scope: Any, receive: Any, send: Any) -> None:
    scope["state"]["pool"] = "a pool"
    assert (await receive())["type"] == "lifespan.startup"
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    scope["state"]["pool"] = None
    await send({"type": "lifespan.shutdown.complete"})


async def strange(scope: Any, receive: Any, send: Any) -> None:
    raise KeyError(scope["type"])


async def slow(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.Event().wait()


async def loitering(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await asyncio.Event().wait()


async def broken(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    raise LookupError("in between")


async def babbling(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "lifespan.hello"})


def never() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


async def test_an_app_starts_and_stops_with_its_state() -> None:
    life = Lifespan(lively)
    assert await life.start(never()) is True
    assert life.state == {"pool": "a pool"}
    await life.stop()
    assert life.state == {"pool": None}
    await life.close()


@pytest.mark.parametrize("app", [strange, babbling], ids=["raises", "wrong message"])
async def test_an_app_without_lifespan_is_served(app: Any, caplog: pytest.LogCaptureFixture) -> None:
    life = Lifespan(app)
    assert await life.start(never()) is True
    await asyncio.wait_for(life.stop(), LIMIT)
    await life.close()
    assert "served without them" in caplog.text


async def test_a_start_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "START_SECONDS", 0.01)
    life = Lifespan(slow)
    with pytest.raises(ApplicationStartError, match=r"took longer than 0\.01 seconds"):
        await life.start(never())
    await life.close()


async def test_a_stop_is_heeded_while_the_app_starts() -> None:
    life, stop = Lifespan(slow), never()
    stop.set_result(None)
    assert await life.start(stop) is False
    await life.close()


async def test_a_stop_that_takes_too_long_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lifespan, "STOP_SECONDS", 0.01)
    life = Lifespan(loitering)
    await life.start(never())
    await life.stop()
    await life.close()
    assert "took longer than 0.01 seconds" in caplog.text


async def test_an_app_whose_life_ends_too_early_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    life = Lifespan(broken)
    with caplog.at_level(logging.ERROR):
        await life.start(never())
        await asyncio.wait_for(life.stop(), LIMIT)
        await life.close()
    assert "in between" in caplog.text
