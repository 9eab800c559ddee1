"""Plugins in the app's life in a server: one that fails at its start, and those that come and go while it serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from quart_plug import Quart, hookimpl
from quart_plug.exceptions import PluginError, PluginLoadError
from quart_plug.hooks import PluginManager, specs


class Life:
    """Takes part in everything, writes down what happens, and fails in one part of it."""

    def __init__(self, events: list[str], fails: str = "", requires: str = "", word: str = "life") -> None:
        self.events, self.fails, self.word = events, fails, word
        self.__quart_plug__ = {"requires": [requires] if requires else []}

    def happens(self, what: str) -> None:
        self.events.append(f"{self.word} {what}")
        if self.fails == what:
            raise LookupError("no database")

    @hookimpl
    def setup(self, app: Quart) -> None:
        @app.get(f"/{self.word}", endpoint=self.word)
        async def view() -> str:
            return self.word

        @app.before_serving
        async def before() -> None:
            self.happens("before_serving")

        @app.while_serving
        async def whole() -> AsyncIterator[None]:
            self.happens("while_serving")
            try:
                yield
            finally:
                self.happens("while_serving ends")

        @app.after_serving
        async def after() -> None:
            self.happens("after_serving")

    @hookimpl
    async def startup(self) -> None:
        self.happens("startup")

    @hookimpl
    async def lifespan(self) -> AsyncIterator[None]:
        self.happens("lifespan")
        try:
            yield
        finally:
            self.happens("lifespan ends")

    @hookimpl
    async def shutdown(self) -> None:
        self.happens("shutdown")


STARTING = ["startup", "lifespan", "before_serving", "while_serving"]
STOPPING = ["while_serving ends", "after_serving", "lifespan ends", "shutdown"]
WHOLE = [*STARTING, *STOPPING]
# What has begun when a step fails is put away again; what has not is not.
UNDONE = {
    "startup": [],
    "lifespan": ["shutdown"],
    "before_serving": ["lifespan ends", "shutdown"],
    "while_serving": ["lifespan ends", "shutdown"],
}


def make_app(strict: bool = True) -> Quart:
    app = Quart(__name__, static_folder=None)
    app.config["PLUGINS_STRICT"] = strict
    return app


@pytest.mark.parametrize("moment", STARTING)
async def test_without_a_needed_plugin_the_app_does_not_start(moment: str) -> None:
    """The error names the plugin, and what had begun is put away; once it works the app starts."""
    app, events = make_app(), []
    plugin = Life(events, fails=moment)
    app.hooks.register(plugin, "life")
    with pytest.raises(PluginLoadError) as caught:
        await app.startup()
    assert str(caught.value) == (
        "plugin 'life' failed while the app started: LookupError: no database\n"
        "Correct that, or turn it off (QUART_PLUG_DISABLE=life), or start without it (PLUGINS_STRICT = False)."
    )
    assert isinstance(caught.value.__cause__, LookupError)
    assert events == [f"life {step}" for step in [*STARTING[: STARTING.index(moment) + 1], *UNDONE[moment]]]


async def test_the_error_names_distribution_and_version(caplog: pytest.LogCaptureFixture) -> None:
    """Of an installed plugin; and it is what the server is told."""
    app = make_app()
    app.setup_plugins()
    version = app.hooks.origin("json").version
    entry = app.hooks.entry("json")
    entry.implementations += [
        i for i in _implementations(Life([], fails="startup"), "json", version) if i.hook == "startup"
    ]
    app.hooks.changed()
    sent: list[dict[str, Any]] = []
    inbound = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]

    async def receive() -> dict[str, Any]:
        return inbound.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, receive, send)  # type: ignore[typeddict-item]
    assert sent[0]["type"] == "lifespan.startup.failed"
    assert sent[0]["message"].startswith(f"plugin 'json' (quart-plug {version}) failed while the app started: ")
    assert f"In hook 'startup' of plugin 'json' (quart-plug {version})." in caplog.text


def _implementations(plugin: Any, name: str, version: str | None) -> list[Any]:
    manager = PluginManager()
    manager.add_hookspecs(specs)
    manager.register(plugin, name)
    found = [i for hook in manager.specs for i in manager.implementations(hook)]
    return [replace(i, distribution="quart-plug", version=version) for i in found]


@pytest.mark.parametrize("moment", STARTING)
async def test_the_app_starts_without_a_plugin_that_it_can_do_without(
    moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is stopped and taken back with those that require it; the log says so; others go on."""
    app, events = make_app(strict=False), []
    app.hooks.register(Life(events, fails=moment), "life")
    app.hooks.register(Life(events, word="dependent", requires="life"), "dependent")
    app.hooks.register(Life(events, word="other"), "other")
    async with app.test_app() as test_app:
        client = test_app.test_client()
        answers = [(await client.get(path)).status_code for path in ("/life", "/dependent", "/other")]
    assert answers == [404, 404, 200]
    mine = [event.removeprefix("life ") for event in events if event.startswith("life ")]
    assert mine == [*STARTING[: STARTING.index(moment) + 1], *UNDONE[moment]]
    begun = [event.removeprefix("dependent ") for event in events if event.startswith("dependent ")]
    assert [step for step in begun if step in ("startup", "shutdown")] in ([], ["startup", "shutdown"])
    assert [event for event in events if event.startswith("other ")] == [f"other {step}" for step in WHOLE]
    report = app.hooks.report()
    assert (report["life"].status, report["dependent"].status) == ("failed", "blocked")
    assert report["life"].reason == "while the app started: LookupError: no database"
    asked = "plugin 'life', asked for by register(), failed: while the app started: LookupError: no database"
    assert asked in caplog.text


async def test_a_plugin_comes_and_goes_while_the_app_serves() -> None:
    """It is started when it comes, and stopped when it goes; at the app's end nothing of it is left to do."""
    app, events = make_app(), []
    async with app.test_app() as test_app:
        client = test_app.test_client()
        for _ in range(2):
            name = await app.register_plugin(Life(events), "life")
            assert events == [f"life {step}" for step in STARTING]
            assert (await client.get("/life")).status_code == 200
            await app.unregister_plugin(name)
            assert events == [f"life {step}" for step in WHOLE]
            assert (await client.get("/life")).status_code == 404
            events.clear()
        await app.register_plugin(Life(events), "life")
    assert events == [f"life {step}" for step in WHOLE]


@pytest.mark.parametrize("moment", STARTING)
async def test_a_late_plugin_that_fails_at_its_start_is_not_registered(moment: str) -> None:
    app, events = make_app(), []
    async with app.test_app() as test_app:
        names = app.hooks.names
        with pytest.raises(PluginLoadError, match="plugin 'life' failed at its start: LookupError: no database"):
            await app.register_plugin(Life(events, fails=moment), "life")
        assert events == [f"life {step}" for step in [*STARTING[: STARTING.index(moment) + 1], *UNDONE[moment]]]
        assert app.hooks.names == names
        assert (await test_app.test_client().get("/life")).status_code == 404
    assert events[-1] != "life after_serving"


async def test_stopping_goes_on_where_something_fails() -> None:
    """Dependents first; everything is stopped and unregistered, and then the failure is raised."""
    app, events = make_app(), []
    async with app.test_app():
        await app.register_plugin(Life(events, fails="after_serving"), "life")
        await app.register_plugin(Life(events, word="dependent", requires="life"), "dependent")
        events.clear()
        with pytest.raises(LookupError, match="no database"):
            await app.unregister_plugin("life")
        assert events == [f"{word} {step}" for word in ("dependent", "life") for step in STOPPING]
        assert not app.hooks.is_active("life") and not app.hooks.is_active("dependent")


async def test_what_has_to_be_awaited_is_not_skipped() -> None:
    """While the app serves, `app.hooks` refuses plugins with a start or an end, and says what to call."""
    app = make_app()

    async with app.test_app():
        with pytest.raises(PluginLoadError, match=r"takes part in start-up and shutdown \(startup, lifespan,"):
            app.hooks.register(Life([]), "life")
        assert not app.hooks.is_active("life")
        await app.register_plugin(Life([]), "life")
        with pytest.raises(PluginError, match=r"use `await app.unregister_plugin\(…\)`"):
            app.hooks.unregister("life")
        assert app.hooks.is_active("life")
    app.hooks.unregister("life")


async def test_before_serving_registering_is_all() -> None:
    """The plugin starts with the app."""
    app, events = make_app(), []
    await app.register_plugin(Life(events), "life")
    assert events == []
    async with app.test_app():
        assert events == [f"life {step}" for step in STARTING]


class Acts:
    """Does something when the app starts, in one of the moments in which plugins may come and go."""

    def __init__(self, moment: str, act: Any) -> None:
        self.moment, self.act = moment, act

    @hookimpl
    def setup(self, app: Quart) -> None:
        if self.moment == "before_serving":
            app.before_serving(self.act)

    @hookimpl
    async def startup(self) -> None:
        if self.moment == "startup":
            await self.act()

    @hookimpl
    async def lifespan(self) -> AsyncIterator[None]:
        if self.moment == "lifespan":
            await self.act()
        yield


@pytest.mark.parametrize("moment", ["startup", "lifespan", "before_serving"])
async def test_a_plugin_that_comes_while_the_app_starts_is_started_once(moment: str) -> None:
    app, events = make_app(), []

    async def act() -> None:
        await app.register_plugin(Life(events), "life")
        assert events == [f"life {step}" for step in STARTING]

    app.hooks.register(Acts(moment, act), "acts")
    async with app.test_app():
        assert events == [f"life {step}" for step in STARTING]
    assert events == [f"life {step}" for step in WHOLE]


@pytest.mark.parametrize("moment", ["startup", "lifespan", "before_serving"])
async def test_a_plugin_that_has_to_be_started_is_not_registered_in_silence_while_the_app_starts(moment: str) -> None:
    """Nobody would start it: it is refused as while the app serves."""
    app, events = make_app(), []

    async def act() -> None:
        with pytest.raises(PluginLoadError, match=r"the app is starting: use `await app\.register_plugin"):
            app.hooks.register(Life(events), "life")

    app.hooks.register(Acts(moment, act), "acts")
    async with app.test_app():
        assert not app.hooks.is_active("life")
    assert events == []


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("startup", ["startup", "shutdown"]),
        ("lifespan", ["startup", "lifespan", "lifespan ends", "shutdown"]),
        (
            "before_serving",
            ["startup", "lifespan", "before_serving", "after_serving", "lifespan ends", "shutdown"],
        ),
    ],
)
async def test_a_plugin_that_goes_while_the_app_starts_is_stopped(moment: str, expected: list[str]) -> None:
    """As far as it has started."""
    app, events = make_app(), []

    async def act() -> None:
        await app.unregister_plugin("life")

    app.hooks.register(Life(events), "life")
    app.hooks.register(Acts(moment, act), "acts")
    async with app.test_app():
        assert events == [f"life {step}" for step in expected]
    assert events == [f"life {step}" for step in expected]


async def test_a_plugin_that_goes_before_its_start_is_not_stopped() -> None:
    app, events = make_app(), []

    async def act() -> None:
        await app.unregister_plugin("life")

    app.hooks.register(Acts("startup", act), "acts")
    app.hooks.register(Life(events), "life")
    async with app.test_app():
        pass
    assert events == []


async def test_a_plugin_that_comes_while_the_app_stops_is_not_stopped() -> None:
    """It has not been started; it is when the app starts again."""
    app, events = make_app(), []

    @app.after_serving
    async def act() -> None:
        if not app.hooks.is_active("life"):
            await app.register_plugin(Life(events), "life")

    async with app.test_app():
        pass
    assert events == []
    async with app.test_app():
        assert events == [f"life {step}" for step in STARTING]


@pytest.mark.parametrize("moment", ["startup", "lifespan", "before_serving"])
async def test_a_start_that_is_cancelled_puts_away_what_had_begun(moment: str) -> None:
    app, events = make_app(), []
    waits = asyncio.Event()

    async def act() -> None:
        waits.set()
        await asyncio.Event().wait()

    app.hooks.register(Life(events), "life")
    app.hooks.register(Acts(moment, act), "acts")
    starting = asyncio.create_task(app.startup())
    await waits.wait()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    begun = STARTING[: STARTING.index(moment) + 1]
    undone = ["shutdown"] if moment == "startup" else ["lifespan ends", "shutdown"]
    assert events == [f"life {step}" for step in [*begun, *undone]]


async def test_a_late_plugin_that_fails_gives_its_name_back() -> None:
    """To the plugin that is installed under it, and is off: the report and the order are as they were."""
    app = make_app()
    async with app.test_app():
        report, names = app.hooks.report(), app.hooks.names
        assert report["inspector"].status == "disabled"
        with pytest.raises(PluginLoadError, match="plugin 'inspector' failed at its start"):
            await app.register_plugin(Life([], fails="startup"), "inspector")
        assert app.hooks.report() == report
        assert app.hooks.names == names
