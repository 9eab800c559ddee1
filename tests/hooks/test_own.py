"""Hooks of a plugin's own, called by their specification: every kind, both colours, typed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, hookimpl, hookspec
from quart_plug.exceptions import MessageDropped, PluginHookError
from quart_plug.hooks import own

ROOT = Path(__file__).parents[2]


@hookspec(kind="collect", colour="sync")
def tea_kinds(app: Quart, guest: str) -> str | None:
    """What is there to drink."""


@hookspec(kind="collect", colour="async")
async def tea_wishes(app: Quart, guest: str) -> str | None:
    """What somebody wants."""


@hookspec(kind="first", colour="sync")
def tea_pot(app: Quart, size: int) -> str | None:
    """A pot of this size."""


@hookspec(kind="first", colour="async")
async def tea_host(ctx: Any) -> str | None:
    """Who pours."""


@hookspec(kind="notify", colour="sync")
def tea_ready(app: Quart) -> None:
    """It is ready."""


@hookspec(kind="notify", colour="async")
async def tea_served(app: Quart, guest: str) -> None:
    """A cup was given to somebody."""


@hookspec(kind="pipe", colour="sync")
def tea_sweetened(app: Quart, cup: str) -> str | None:
    """What is in the cup."""


@hookspec(kind="pipe", colour="async")
async def tea_cup(app: Quart, guest: str, cup: str) -> str | None:
    """What is in the cup of a guest."""


@hookspec(kind="around", colour="async")
async def tea_time(app: Quart, guest: str) -> AsyncGenerator[None, Any]:  # type: ignore[empty-body]  # never run
    """Around the tea."""


class Tea:
    """The plugin that specifies these hooks."""

    __quart_plug__ = {"hookspecs": [sys.modules[__name__]]}


class Guests:
    """A plugin that implements all of them; `calls` has what was told."""

    __quart_plug__ = {"requires": ["tea"]}

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[Any] = []

    @hookimpl
    def tea_kinds(self, guest: str) -> str | None:
        return None if guest == "nobody" else f"{self.name} for {guest}"

    @hookimpl
    async def tea_wishes(self, guest: str) -> str:
        return f"{guest} wants {self.name}"

    @hookimpl
    def tea_pot(self, size: int) -> str | None:
        return f"{self.name}'s pot" if size < 5 else None

    @hookimpl
    async def tea_host(self, ctx: Any) -> str:
        return f"{self.name} at {ctx.request.path}"

    @hookimpl
    def tea_ready(self, app: Quart) -> None:
        self.calls.append(("ready", app))

    @hookimpl
    async def tea_served(self, guest: str) -> None:
        self.calls.append(("served", guest))
        if guest == "mallory":
            raise LookupError(self.name)

    @hookimpl
    def tea_sweetened(self, cup: str) -> str:
        return f"{cup} + {self.name}"

    @hookimpl
    async def tea_cup(self, guest: str, cup: str) -> str | None:
        if guest == "nobody":
            raise MessageDropped
        return f"{cup} + {self.name}" if guest == "ann" else None

    @hookimpl
    async def tea_time(self, guest: str) -> AsyncGenerator[None, Any]:
        self.calls.append(("begins", guest))
        result = yield
        self.calls.append(("ends", result))


@pytest.fixture
def app() -> Quart:
    app = Quart("tea room")
    app.hooks.register(Tea(), name="tea")
    return app


@pytest.fixture
def guests(app: Quart) -> list[Guests]:
    guests = [Guests("mint"), Guests("rose")]
    for each in guests:
        app.hooks.register(each, name=each.name)
    return guests


async def test_collect(app: Quart, guests: list[Guests]) -> None:
    assert own.collect(tea_kinds, app, "ann") == ["mint for ann", "rose for ann"]
    assert own.collect(tea_kinds, app, guest="nobody") == []
    assert await own.collect(tea_wishes, app, "ann") == ["ann wants mint", "ann wants rose"]


async def test_first(app: Quart, guests: list[Guests]) -> None:
    assert own.first(tea_pot, app, 4) == "mint's pot"
    assert own.first(tea_pot, app, 6) is None
    async with app.test_request_context("/garden") as ctx:
        assert await own.first(tea_host, ctx) == "mint at /garden"


async def test_notify(app: Quart, guests: list[Guests]) -> None:
    own.notify(tea_ready, app)
    await own.notify(tea_served, app, "ann")
    with pytest.raises(ExceptionGroup) as failure:
        await own.notify(tea_served, app, "mallory")
    assert [str(error) for error in failure.value.exceptions] == ["mint", "rose"]
    assert "plugin 'rose'" in failure.value.exceptions[1].__notes__[0]
    for each in guests:
        assert each.calls == [("ready", app), ("served", "ann"), ("served", "mallory")]


async def test_pipe(app: Quart, guests: list[Guests]) -> None:
    assert own.pipe(tea_sweetened, app, "water") == "water + mint + rose"
    assert await own.pipe(tea_cup, app, "ann", "water") == "water + mint + rose"
    assert await own.pipe(tea_cup, app, "bob", cup="water") == "water"
    with pytest.raises(MessageDropped):
        await own.pipe(tea_cup, app, "nobody", "water")


async def test_around(app: Quart, guests: list[Guests]) -> None:
    async with own.around(tea_time, app, "ann") as party:
        party.result = "cake"
    assert guests[0].calls == guests[1].calls == [("begins", "ann"), ("ends", "cake")]


async def test_a_hook_that_nobody_implements(app: Quart) -> None:
    """What is given is of the same colour, and costs no call."""
    assert own.collect(tea_kinds, app, "ann") == []
    assert await own.collect(tea_wishes, app, "ann") == []
    assert own.first(tea_pot, app, 1) is None
    own.notify(tea_ready, app)
    await own.notify(tea_served, app, "ann")
    assert own.pipe(tea_sweetened, app, "water") == "water"
    assert await own.pipe(tea_cup, app, "ann", "water") == "water"
    async with own.around(tea_time, app, "ann") as party:
        party.result = "cake"


async def test_what_is_switched_off_for_the_route(app: Quart, guests: list[Guests]) -> None:
    @app.route("/", plugins_disabled={"mint"})
    async def index() -> str:
        return ", ".join(own.collect(tea_kinds, app, "ann"))

    assert await (await app.test_client().get("/")).get_data(as_text=True) == "rose for ann"


def test_mistakes(app: Quart, guests: list[Guests]) -> None:
    """Each says what is wrong."""
    with pytest.raises(PluginHookError, match=r"'tea_pot' is of kind first: call it by `first\(\)`"):
        own.collect(tea_pot, app, 4)
    with pytest.raises(TypeError, match=r"'tea_pot' takes \(app, size\)"):
        own.first(tea_pot, app)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"'tea_pot' takes \(app, size\)"):
        own.first(tea_pot, app, 4, colour="blue")  # type: ignore[call-arg]
    with pytest.raises(PluginHookError, match="test_mistakes is no specification of a hook"):
        own.notify(test_mistakes, app)  # type: ignore[arg-type]
    app.hooks.unregister("tea")
    with pytest.raises(PluginHookError, match="there is no hook 'tea_pot'"):
        own.first(tea_pot, app, 4)


def test_a_specification_that_leads_to_no_app() -> None:
    @hookspec(kind="notify", colour="sync")
    def tea_alone(guest: str) -> None:
        """Without an app."""

    with pytest.raises(PluginHookError, match=r"neither an argument `app` nor `ctx`.*app\.chain_here\('tea_alone'\)"):
        own.notify(tea_alone, "ann")


def test_calls_are_typed(tmp_path: Path) -> None:
    """mypy knows the result of each kind and colour, and finds a wrong argument (else the "ignore" is an error)."""
    program = tmp_path / "program.py"
    program.write_text(
        """\
from typing import assert_type

from quart_plug import Quart, hookspec
from quart_plug.hooks.own import collect, first, notify, pipe


@hookspec(kind="collect", colour="sync")
def kinds(app: Quart, guest: str) -> str | None: ...


@hookspec(kind="first", colour="async")
async def host(app: Quart) -> int | None: ...


@hookspec(kind="pipe", colour="async")
async def cup(app: Quart, text: str) -> str | None: ...


@hookspec(kind="notify", colour="async")
async def served(app: Quart) -> None: ...


async def calls(app: Quart) -> None:
    assert_type(collect(kinds, app, "ann"), list[str])
    assert_type(await first(host, app), int | None)
    assert_type(await pipe(cup, app, "water"), str)
    await notify(served, app)
    collect(kinds, app, 5)  # type: ignore[call-overload]
    await notify(served)  # type: ignore[call-overload]
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--disable-error-code=empty-body", "--no-error-summary",
         "--cache-dir", str(tmp_path / "cache"), str(program)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
