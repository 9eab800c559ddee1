"""What the inspector tells: plugins, hooks, routes, settings, and other plugins' panels."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Blueprint, Quart, hookimpl
from tests.plugins.inspector.conftest import TOKEN

HERE = Path(__file__).name


def row(rows: Any, **values: Any) -> Any:
    """The one row with these values."""
    found = [row for row in rows if all(row[name] == value for name, value in values.items())]
    assert len(found) == 1, f"{len(found)} rows with {values}"
    return found[0]


class Stamp:
    """A plugin with a hook that is called for each request, and a route."""

    __quart_plug__ = {"name": "stamp", "after": ["json"], "api": ">=1,<2"}

    @hookimpl
    def setup(self, app: Quart) -> None:
        app.add_url_rule("/stamp", "stamp", lambda: "stamped")

    @hookimpl(trylast=True)
    async def request_after(self, ctx: Any, response: Any) -> None:
        response.headers["x-stamp"] = "1"


class Early:
    @hookimpl(tryfirst=True)
    async def request_after(self, ctx: Any, response: Any) -> None:
        return None


async def test_plugins_and_why_they_are_in_their_state(make_app: Any, look: Any) -> None:
    app = make_app(Stamp())
    app.config["PLUGINS_DISABLED"] = ["debug"]
    plugins = (await look(app))["plugins"]["plugins"]
    stamp = row(plugins, name="stamp")
    assert (stamp["status"], stamp["requested_by"]) == ("active", ["Quart(plugins=...)"]) or stamp["status"] == "active"
    assert stamp["hooks"] == ["request_after", "setup"]
    assert stamp["declares"] == [["after", "json"], ["api", ">=1,<2"]]
    debug = row(plugins, name="debug")
    assert debug["status"] == "disabled"
    assert debug["reason"] == "disabled by PLUGINS_DISABLED in the configuration (code)"


async def test_a_plugin_that_failed_is_told_with_the_reason(make_app: Any, look: Any) -> None:
    class Broken:
        __quart_plug__ = {"name": "broken"}

        @hookimpl
        def setup(self, app: Quart) -> None:
            raise RuntimeError("no connection to postgres://ada:geheim@db/shop")

    app = make_app(Broken())
    app.config["PLUGINS_STRICT"] = False
    broken = row((await look(app))["plugins"]["plugins"], name="broken")
    assert broken["status"] == "failed"
    assert broken["reason"] == ("while it was set up: RuntimeError: no connection to postgres://ada:••••••@db/shop")


async def test_hooks_with_their_implementations_in_call_order(make_app: Any, look: Any) -> None:
    app = make_app(Stamp())
    app.hooks.register(Early(), name="early")
    hook = row((await look(app))["hooks"], name="request_after")
    assert (hook["kind"], hook["colour"], hook["owner"]) == ("pipe", "async", "quart_plug")
    assert hook["arguments"] == ["ctx", "response"]
    assert hook["documentation"].startswith("After the app's `after_request` functions")
    names = [each["plugin"] for each in hook["implementations"]]
    assert names == [each.plugin for each in app.hooks.implementations("request_after")]
    assert names.index("early") < names.index("stamp")
    early = row(hook["implementations"], plugin="early")
    assert (early["first"], early["last"]) == (True, False)
    assert early["function"] == "Early.request_after"
    line = Early.request_after.__code__.co_firstlineno
    assert re.search(rf"{HERE}:{line}$", early["place"])


async def test_a_hook_that_is_left_out_at_the_moment(app: Quart, look: Any) -> None:
    """The plugin `signals` is in a chain only as long as its signal has receivers."""
    hook = row((await look(app))["hooks"], name="request_started")
    assert [(each["plugin"], each["wanted"]) for each in hook["implementations"]] == [("signals", False)]


async def test_hooks_of_plugins_own_are_told_with_their_owner(app: Quart, look: Any) -> None:
    hook = row((await look(app))["hooks"], name="inspector_panels")
    assert hook["owner"] == "inspector"


async def test_routes_with_who_registered_them(make_app: Any, look: Any) -> None:
    app = make_app(Stamp())
    shop = Blueprint("shop", __name__, url_prefix="/shop")

    @shop.post("/cart")
    async def cart() -> str:
        return ""

    app.register_blueprint(shop)
    routes = (await look(app))["routes"]
    assert row(routes, rule="/stamp")["plugin"] == "stamp"
    assert row(routes, rule="/")["plugin"] is None
    found = row(routes, rule="/shop/cart")
    assert (found["blueprint"], found["endpoint"], found["kind"]) == ("shop", "shop.cart", "request")
    assert found["methods"] == ["OPTIONS", "POST"]
    assert found["view"].endswith("cart")
    assert re.search(rf"{HERE}:\d+$", found["place"])
    assert row(routes, rule="/echo")["kind"] == "websocket"
    assert row(routes, rule="/_inspector/live")["plugin"] == "inspector"


async def test_the_hooks_that_apply_to_a_route(make_app: Any, look: Any) -> None:
    app = make_app(Stamp())

    @app.route("/plain", plugins_disabled={"stamp"})
    async def plain() -> str:
        return ""

    routes = (await look(app))["routes"]
    assert row(routes, rule="/")["hooks"] == [{"hook": "request_after", "plugin": "stamp", "off": False}]
    assert row(routes, rule="/plain")["hooks"] == [{"hook": "request_after", "plugin": "stamp", "off": True}]
    assert row(routes, rule="/echo")["hooks"] == [{"hook": "websocket_before", "plugin": "security", "off": False}]
    assert "x-stamp" not in (await app.test_client().get("/plain")).headers  # and so it is


async def test_the_hooks_of_a_route_come_in_the_order_of_their_moments(make_app: Any, look: Any) -> None:
    called: list[str] = []

    class Every:
        @hookimpl
        async def request_teardown(self, ctx: Any, exc: Any) -> None:
            called.append("request_teardown")

        @hookimpl
        async def context_pushed(self, ctx: Any) -> None:
            called.append("context_pushed")

        @hookimpl
        async def request_before(self, ctx: Any) -> None:
            called.append("request_before")

        @hookimpl
        async def connection(self, ctx: Any) -> Any:
            called.append("connection")
            yield

        @hookimpl
        async def request_started(self, ctx: Any) -> None:
            called.append("request_started")

        @hookimpl
        async def route_matched(self, ctx: Any) -> None:
            called.append("route_matched")

        @hookimpl
        async def request_finished(self, ctx: Any, response: Any) -> None:
            called.append("request_finished")

        @hookimpl
        async def request_after(self, ctx: Any, response: Any) -> None:
            called.append("request_after")

        @hookimpl
        async def context_popped(self, ctx: Any) -> None:
            called.append("context_popped")

        @hookimpl
        async def response_sent(self, ctx: Any) -> None:
            called.append("response_sent")

    app = make_app()
    app.hooks.register(Every(), name="every")
    told = [each["hook"] for each in row((await look(app))["routes"], rule="/")["hooks"]]
    called.clear()
    await app.test_client().get("/")
    assert sorted(told) == sorted(called)
    assert [hook for hook in told if hook not in ("response_sent", "context_popped")] == [
        hook for hook in called if hook not in ("response_sent", "context_popped")
    ]


async def test_the_apps_own_functions_around_a_view(app: Quart, look: Any) -> None:
    @app.before_request
    async def check() -> None: ...

    @app.after_request
    async def first(response: Any) -> Any:
        return response

    @app.after_request
    async def second(response: Any) -> Any:
        return response

    functions = row((await look(app))["routes"], rule="/")["functions"]
    assert [(stage, name.rpartition(".")[2], whose) for stage, name, _, whose in functions] == [
        ("before_request", "check", "app"),
        ("after_request", "second", "app"),
        ("after_request", "first", "app"),
    ]


async def test_settings_with_the_source_of_each(app: Quart, look: Any, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('CURRENCY = "EUR"\n')
    app.config.from_toml(file)
    app.config["LANGUAGE"] = "de"
    settings = (await look(app))["configuration"]
    assert row(settings, key="CURRENCY")["value"] == "'EUR'"
    assert row(settings, key="CURRENCY")["source"] == f"file {file}:1"
    assert row(settings, key="LANGUAGE")["source"] == "code"
    assert row(settings, key="BODY_TIMEOUT") == {
        "key": "BODY_TIMEOUT", "value": "60", "type": "int", "hidden": False, "source": "default"
    }  # fmt: skip
    assert row(settings, key="TEMPLATES_AUTO_RELOAD")["source"].startswith("plugin templates")


async def test_a_plugins_own_settings_with_the_source_of_each(
    make_app: Any, look: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUART_PLUG_INSPECTOR__HISTORY", "7")
    found = row((await look(make_app()))["plugins"]["plugins"], name="inspector")["configuration"]
    told = {name: (value, source) for name, value, source, _ in found}
    assert told["history"] == ("7", "environment QUART_PLUG_INSPECTOR__HISTORY")
    assert told["path"] == ("'/_inspector'", "default")
    assert told["token"][0] == "••••••"


async def test_what_has_changed_is_told(app: Quart, look: Any) -> None:
    await look(app)
    app.hooks.register(Early(), name="early")
    assert row((await look(app))["plugins"]["plugins"], name="early")["status"] == "active"
    app.hooks.unregister("early")
    assert row((await look(app))["plugins"]["plugins"], name="early")["status"] == "disabled"


async def test_the_inspector_goes_whole_when_it_is_unregistered(app: Quart, look: Any) -> None:
    await look(app)
    app.hooks.unregister("inspector")
    assert "inspector-recorder" not in app.hooks.names
    assert app.hooks.call("connection") is None
    assert (await app.test_client().get("/")).status_code == 200


class Refuses:
    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} with password=geheim")

    def __str__(self) -> str:
        raise RuntimeError


async def first_message(client: Any) -> Any:
    async with client.websocket("/_inspector/live", headers={"Origin": "http://localhost"}) as page:
        return json.loads(await page.receive())


async def test_an_odd_setting_leaves_the_rest(app: Quart, look: Any, sign_in: Any) -> None:
    app.config.update(ODD=Refuses(), KEYED={Refuses(): 1}, LANGUAGE="de")
    for told in (await look(app), await first_message(await sign_in(app))):
        assert row(told["configuration"], key="ODD")["value"] == "<Refuses>"
        assert row(told["configuration"], key="KEYED")["value"] == "<dict>"
        assert row(told["configuration"], key="LANGUAGE")["value"] == "'de'"
        assert told["faults"] == {}


async def test_a_section_that_fails_leaves_the_others(app: Quart, look: Any, sign_in: Any) -> None:
    client = await sign_in(app)
    dict.__setitem__(app.config, Refuses(), 1)  # type: ignore[index]  # no name that could be sorted or shown
    for told in (await look(app), await first_message(client)):
        assert told["configuration"] == [] and told["faults"] == {"configuration": "RuntimeError"}
        assert row(told["routes"], rule="/")["kind"] == "request"


async def test_an_error_that_cannot_be_written_is_told_by_its_type(app: Quart, look: Any) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    @app.get("/mute")
    async def mute() -> str:
        raise Mute

    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert (await app.test_client().get("/mute")).status_code == 500
    assert row((await look(app))["requests"], path="/mute")["error"] == "Mute"


# Panels -------------------------------------------------------------------------------------------------------------


def panel_of(result: Any) -> Any:
    class Shows:
        @hookimpl(optionalhook=True)
        def inspector_panels(self, app: Quart) -> Any:
            if isinstance(result, Exception):
                raise result
            return result(app) if callable(result) else result

    return Shows()


async def panels(app: Quart, look: Any, *results: Any) -> Any:
    for number, result in enumerate(results):
        app.hooks.register(panel_of(result), name=f"shows{number}")
    return (await look(app))["panels"]


async def test_a_plugin_shows_a_table_of_its_own(app: Quart, look: Any) -> None:
    from quart_plug_inspector import Panel

    panel = Panel("Rooms", ["Room", "People"], [["lobby", 3], ["kitchen", None]])
    assert await panels(app, look, panel) == [
        {
            "plugin": "shows0",
            "title": "Rooms",
            "columns": ["Room", "People"],
            "rows": [["lobby", 3], ["kitchen", None]],
            "empty": "Nothing here.",
        }
    ]


async def test_a_dictionary_is_as_good_as_a_panel(app: Quart, look: Any) -> None:
    """So that a plugin does not have to import the inspector."""
    given = {"title": "Jobs", "columns": ["Job"], "rows": [("build",)], "empty": "No jobs."}
    [told] = await panels(app, look, given)
    assert (told["title"], told["rows"], told["empty"]) == ("Jobs", [["build"]], "No jobs.")


async def test_who_has_nothing_to_show_has_no_panel(app: Quart, look: Any) -> None:
    assert await panels(app, look, None) == []


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (ValueError("no database at postgres://ada:geheim@db"), "ValueError: no database at postgres://ada:••••••@db"),
        ({"columns": []}, "KeyError: 'rows'"),
        ({"title": "x", "columns": ["a"], "rows": [[1, 2]]}, "ValueError: a row has 2 values, and there are 1 columns"),
        (5, "TypeError: "),
    ],
)
async def test_a_panel_that_fails_leaves_the_others(app: Quart, look: Any, result: Any, message: str) -> None:
    good = {"title": "Good", "columns": ["a"], "rows": []}
    told = await panels(app, look, result, good)
    assert [panel["title"] for panel in told] == ["shows0", "Good"]
    assert told[0]["error"].startswith(message)


async def test_a_panels_rows_are_bounded(app: Quart, look: Any) -> None:
    endless = {"title": "Numbers", "columns": ["n"], "rows": ([number] for number in range(10**9))}
    [told] = await panels(app, look, endless)
    assert len(told["rows"]) == 500


async def test_secrets_in_panels_are_hidden(app: Quart, look: Any) -> None:
    given = {"title": "Keys", "columns": ["user", "api_key"], "rows": [["ada", b"bytes"], ["redis://u:pw@h", object()]]}
    [told] = await panels(app, look, given)
    assert told["rows"] == [["ada", "••••••"], ["redis://u:••••••@h", "••••••"]]


async def test_numbers_that_json_does_not_have_are_texts(app: Quart, look: Any) -> None:
    row = [float("nan"), float("-inf"), 10**5000, 2**60, 1.5, Refuses()]
    [told] = await panels(app, look, {"title": "Numbers", "columns": list("abcdef"), "rows": [row]})
    assert told["rows"] == [["nan", "-inf", "<int>", "1152921504606846976", 1.5, "<Refuses>"]]


async def test_the_token_is_in_no_data(app: Quart, look: Any, sign_in: Any) -> None:
    client = await sign_in(app)
    await client.get(f"/?token={TOKEN}", headers={"X-Token": TOKEN, "Authorization": f"Bearer {TOKEN}"})
    text = await (await client.get("/_inspector/data.json")).get_data(as_text=True)
    assert TOKEN not in text
    assert client.cookie_jar is not None
    for cookie in client.cookie_jar:
        assert str(cookie.value) not in text


async def test_the_inspector_can_come_again(app: Quart, look: Any) -> None:
    """Unregistered and registered while the app runs: it is there once, also when debug mode is turned off and on."""
    await look(app)
    plugin = app.hooks.unregister("inspector")
    assert (await app.test_client().get("/_inspector/")).status_code == 404
    app.hooks.register(plugin, name="inspector")
    await app.test_client().get("/?again")
    assert [each["query"] for each in (await look(app))["requests"]] == ["again="]
    app.debug = False
    assert "inspector-recorder" not in app.hooks.names
    app.debug = True
    await app.test_client().get("/?later")
    assert [each["query"] for each in (await look(app))["requests"]] == ["later="]
