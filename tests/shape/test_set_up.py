"""Set-up of plugins: once, at the first need; one that fails is told at every use, and never half of it is used."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, hookimpl
from quart_plug.exceptions import PluginLoadError


async def test_set_up_runs_once() -> None:
    calls: list[str] = []

    class Counting:
        @hookimpl
        def setup(self, app: Quart) -> None:
            calls.append("setup")
            app.setup_plugins()  # a plugin may use what needs the set-up

        @hookimpl
        def setup_finished(self) -> None:
            calls.append("finished")

    app = Quart(__name__, plugins=[Counting()])
    app.add_url_rule("/", "view", lambda: "")
    app.setup_plugins()
    app.setup_plugins()
    await app.startup()
    await app.test_client().get("/")
    assert calls == ["setup", "finished"]


async def test_a_plugin_may_register_anything() -> None:
    class Registers:
        @hookimpl
        def setup(self, app: Quart) -> None:
            blueprint = Blueprint("brought", __name__, url_prefix="/brought")
            blueprint.add_url_rule("/", "view", lambda: "brought")
            app.register_blueprint(blueprint)
            app.after_request(self.mark)

        async def mark(self, response: Any) -> Any:
            response.headers["x-brought"] = "1"
            return response

    app = Quart(__name__, plugins=[Registers()])
    response = await app.test_client().get("/brought/")
    assert await response.get_data(as_text=True) == "brought"
    assert response.headers["x-brought"] == "1"


class FailsToSetUp:
    @hookimpl
    def setup(self) -> None:
        raise LookupError("no database")

    @hookimpl
    def request_started(self) -> None:
        raise AssertionError("a plugin whose set-up failed takes no part")


class Counts:
    count = 0

    @hookimpl
    def setup(self) -> None:
        self.count += 1


async def test_a_set_up_that_fails() -> None:
    """Every use of the app tells the same, until it is repaired; it never runs with half of its plugins."""
    counts = Counts()
    app = Quart(__name__, plugins=[counts, FailsToSetUp()])
    app.add_url_rule("/", "view", lambda: "")
    for _ in range(3):
        with pytest.raises(PluginLoadError, match="FailsToSetUp") as caught:
            await app.test_client().get("/")
        assert "no database" in str(caught.value)
    with pytest.raises(PluginLoadError, match="no database"):
        await app.startup()
    assert counts.count == 1


async def test_a_set_up_that_fails_where_that_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    app = Quart(__name__, plugins=[FailsToSetUp()])
    app.config["PLUGINS_STRICT"] = False
    app.add_url_rule("/", "view", lambda: "")
    assert (await app.test_client().get("/")).status_code == 200
    assert "no database" in caplog.text


@pytest.mark.parametrize("hook", ["setup", "setup_finished", "configuration_defaults"])
def test_a_plugin_that_ends_the_program_while_it_is_set_up(hook: str) -> None:
    """It has failed as any other, and is named."""

    def leave(app: Quart) -> None:
        raise SystemExit("enough")

    plugin = type("Leaves", (), {"__quart_plug__": {"name": "leaves"}, hook: staticmethod(hookimpl(leave))})()
    leave.__name__ = hook
    app = Quart(__name__, plugins=[plugin])
    with pytest.raises(PluginLoadError, match=r"plugin 'leaves', .* failed: while it was set up: SystemExit: enough"):
        app.setup_plugins()


def test_the_constructor_only_reads() -> None:
    """Making an app and registering on it imports no plugin."""
    source = """
        import sys
        from quart_plug import Blueprint, Quart
        app = Quart("x")
        app.add_url_rule("/", "view", lambda: "")
        app.register_blueprint(Blueprint("part", "x"))
        app.config["SECRET_KEY"] = "x"
        loaded = [name for name in sys.modules if name.startswith("quart_plug_")]
        assert not loaded, loaded
        heavy = {"jinja2", "itsdangerous", "blinker", "click", "hypercorn"} & set(sys.modules)
        assert not heavy, heavy
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(source)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change", ["a plugin comes", "times are told", "a signal is heard"])
def test_what_fills_a_slot_stays_while_the_same_plugins_fill_it(change: str) -> None:
    """The application may have set attributes of it, as `app.json.sort_keys` is in Flask's documentation."""
    from quart_plug.hooks import notify_change

    class Other:
        @hookimpl
        def setup(self) -> None: ...

    app = Quart(__name__)
    provider = app.json
    provider.sort_keys = False
    if change == "a plugin comes":
        app.hooks.register(Other(), name="other")
    elif change == "times are told":
        app.hooks.trace(lambda span: None)()
    else:
        notify_change()
    assert app.json is provider
    assert app.json.sort_keys is False


def test_a_plugin_that_comes_or_goes_fills_its_slot_anew() -> None:
    class Provider:
        dumps = staticmethod(json.dumps)

        @hookimpl
        def json_provider(self) -> Any:
            return self

    app, mine = Quart(__name__), Provider()
    shipped = app.json
    app.hooks.register(mine, name="mine")
    assert app.json is mine
    app.hooks.unregister("mine")
    assert type(app.json) is type(shipped)


def test_a_slot_that_is_filled_at_times_is_asked_again() -> None:
    from quart_plug.hooks import notify_change

    wanted = [True]

    class Provider:
        dumps = staticmethod(json.dumps)

        @hookimpl(when=lambda: wanted[0])
        def json_provider(self) -> Any:
            return self

    mine = Provider()
    app = Quart(__name__, plugins=[mine])
    assert app.json is mine
    wanted[0] = False
    notify_change()
    assert app.json is not mine
