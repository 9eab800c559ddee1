"""`app.config` filled after the constructor, and what may be changed when."""

from __future__ import annotations

from typing import Any

import pytest

from quart_plug import Quart, hookimpl, session
from quart_plug.exceptions import PluginNotEnabled, PluginSettingsError
from quart_plug.typing import JSONProvider


@pytest.fixture
def app() -> Quart:
    app = Quart(__name__)

    @app.get("/")
    async def index() -> str:
        return "index"

    @app.get("/json")
    async def json() -> dict[str, int]:
        return {"a": 1}

    @app.get("/session")
    async def uses_session() -> str:
        session["a"] = 1
        return ""

    return app


class Adds:
    """A plugin that adds a rule when it is set up."""

    @hookimpl
    def setup(self, app: Quart) -> None:
        app.add_url_rule("/added", "added", lambda: "added")

    @hookimpl
    def configuration_defaults(self) -> dict[str, Any]:
        return {"ADDS_A": 1, "ADDS_B": 1}


async def test_plugins_in_the_configuration(app: Quart) -> None:
    """Set after the constructor, before the first need; a plugin's defaults do not overwrite what was set."""
    app.config["PLUGINS"] = [Adds()]
    app.config["ADDS_A"] = 2
    assert "ADDS_B" not in app.config
    response = await app.test_client().get("/added")
    assert await response.get_data(as_text=True) == "added"
    assert (app.config["ADDS_A"], app.config["ADDS_B"]) == (2, 1)


async def test_plugins_disabled_in_the_configuration(app: Quart) -> None:
    app.config.from_mapping(PLUGINS_DISABLED=["json"], TESTING=True)
    with pytest.raises(PluginNotEnabled, match="'json' is off"):
        await app.test_client().get("/json")


async def test_reading_the_configuration_sets_nothing_up(app: Quart) -> None:
    """Nor does registering anything; only a first need does."""
    assert app.config["PLUGINS"] is None
    app.before_request(lambda: None)
    app.register_error_handler(404, lambda error: "x")
    assert not app.plugins_are_set_up
    app.config["PLUGINS"] = []
    assert isinstance(app.json, JSONProvider)
    assert app.plugins_are_set_up


@pytest.mark.parametrize("key", ["PLUGINS", "PLUGINS_DISABLED", "PLUGINS_AUTOLOAD", "PLUGINS_STRICT"])
@pytest.mark.parametrize("how", ["item", "update", "from_mapping", "prefixed"])
async def test_plugin_settings_after_set_up(app: Quart, key: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A clear error: what, that it has no effect, and when it has one."""
    await app.test_client().get("/")
    with pytest.raises(PluginSettingsError, match=f"{key} was changed after.*before the first request"):
        if how == "item":
            app.config[key] = ["x"]
        elif how == "update":
            app.config.update({key: ["x"]})
        elif how == "from_mapping":
            app.config.from_mapping({key: ["x"]})
        else:
            monkeypatch.setenv(f"LATE_{key}", "[]")
            app.config.from_prefixed_env("LATE")


async def test_the_secret_key_after_the_first_request(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/session")).status_code == 500  # no key: the session cannot be changed
    app.config["SECRET_KEY"] = "a key"
    assert "session=" in (await client.get("/session")).headers["Set-Cookie"]
    app.secret_key = None
    assert (await client.get("/session")).status_code == 500


async def test_settings_that_are_read_per_request(app: Quart) -> None:
    """Changed between requests, they count from the next one on."""

    @app.get("/fails")
    async def fails() -> str:
        raise LookupError

    client = app.test_client()
    assert (await client.get("/fails")).status_code == 500
    app.testing = True
    with pytest.raises(LookupError):
        await client.get("/fails")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert (await client.get("/fails")).status_code == 500
    app.config["TRUSTED_HOSTS"] = ["example.org"]
    assert (await client.get("/")).status_code == 400
    app.config["TRUSTED_HOSTS"] = None
    assert (await client.get("/")).status_code == 200
    app.config["MAX_CONTENT_LENGTH"] = 1

    @app.post("/body")
    async def body() -> str:
        from quart_plug import request

        return await request.get_data(as_text=True)

    assert (await client.post("/body", data="ab")).status_code == 413


async def test_an_app_can_register_after_its_first_request(app: Quart) -> None:
    client = app.test_client()
    assert (await client.get("/late")).status_code == 404
    app.add_url_rule("/late", "late", lambda: "late")
    assert await (await client.get("/late")).get_data(as_text=True) == "late"


async def test_a_plugin_may_be_registered_while_the_app_runs(app: Quart) -> None:
    """A hook counts from the next connection on; set-up hooks have had their time."""
    client = app.test_client()
    await client.get("/")
    seen = []

    class Noting:
        @hookimpl
        async def request_started(self, ctx: Any) -> None:
            seen.append(ctx.request.path)

    app.hooks.register(Noting(), "noting")
    await client.get("/json")
    app.hooks.unregister("noting")
    await client.get("/json")
    assert seen == ["/json"]
