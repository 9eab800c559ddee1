"""`Plug`: apps with exactly these plugins, and what can be asked of them."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from quart_plug import Quart, hookimpl
from quart_plug.exceptions import PluginLoadError, PluginNotFound
from quart_plug.hooks.selection import CORE
from quart_plug.testing import Plug

TIMING = """
from quart_plug import Quart, hookimpl

HEADER = "x-time"

@hookimpl
async def request_after(ctx, response):
    response.headers[HEADER] = "1"
"""


class Audit:
    __quart_plug__ = {"name": "audit"}

    @hookimpl
    async def request_before(self, ctx: Any) -> None:
        ctx.g.audited = True


# Which plugins ------------------------------------------------------------------------------------------------------


def test_an_app_has_the_core_plugins_and_these(plug: Plug) -> None:
    plug.file("timing.py", TIMING)
    assert plug(Audit(), "timing").hooks.names == (*CORE, "audit", "timing")


def test_the_core_plugins_can_be_left_out(plug: Plug) -> None:
    assert plug(Audit(), core=False).hooks.names == ("audit",)
    assert plug(Audit(), core=["json"]).hooks.names == ("json", "audit")
    assert plug("json", Audit(), core=False).hooks.names == ("json", "audit")
    assert plug(disable=["debug"]).hooks.names == tuple(name for name in CORE if name != "debug")


def test_a_misspelt_core_plugin_is_an_error(plug: Plug) -> None:
    with pytest.raises(ValueError, match=r"no core plugin is called 'sesions' .did you mean 'sessions'"):
        plug(core=["sesions"])


def test_the_developer_s_settings_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_PLUG_PLUGINS", "nowhere")
    monkeypatch.setenv("QUART_PLUG_DISABLE", "json")
    monkeypatch.setenv("QUART_PLUG_TIMING__UNIT", "ms")
    with Plug() as plug:
        assert plug().hooks.names == CORE
        assert "QUART_PLUG_TIMING__UNIT" not in os.environ
    assert os.environ["QUART_PLUG_PLUGINS"] == "nowhere"
    assert os.environ["QUART_PLUG_TIMING__UNIT"] == "ms"


def test_no_project_around_it_counts(plug: Plug) -> None:
    """The app lives in a folder with an empty pyproject.toml; a test may write another."""
    assert (plug.folder / "pyproject.toml").read_text() == ""
    plug.file("pyproject.toml", '[tool.quart-plug]\ndisable = ["debug"]\n')
    assert "debug" not in plug().hooks.names


def test_the_path_is_left_alone_until_there_are_files(plug: Plug) -> None:
    """A change of `sys.path` has the metadata of all distributions read again, which takes longer than all else."""
    before = list(sys.path)
    plug()
    assert sys.path == before
    plug.file("timing.py", TIMING)
    assert sys.path == [str(plug.folder), *before]


def test_a_root_path_brings_its_project(plug: Plug, tmp_path: Any) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.quart-plug]\ndisable = ["debug"]\n')
    assert "debug" not in plug(root_path=tmp_path).hooks.names


def test_configuration_and_environment(plug: Plug) -> None:
    app = plug(config={"MAX_COOKIE_SIZE": 1}, environ={"QUART_PLUG_DISABLE": "debug", "HOME": None})
    assert app.config["MAX_COOKIE_SIZE"] == 1
    assert not app.hooks.is_active("debug")
    assert "HOME" not in os.environ
    assert plug().hooks.is_active("debug")
    assert "HOME" in os.environ


def test_a_plugin_s_own_configuration(plug: Plug) -> None:
    @dataclass
    class Settings:
        size: int = 1

    counter = plug.plugin("counter", configuration_schema=lambda app: Settings)
    assert plug(counter).plugin_config(Settings).size == 1
    assert plug(counter, plugin_config={"counter": {"size": 2}}).plugin_config(Settings).size == 2
    plug.fails(counter, plugin_config={"counter": {"sizes": 2}}, match="sizes.*did you mean 'size'")


def test_an_app_of_a_class_of_its_own(plug: Plug) -> None:
    class Shop(Quart):
        pass

    assert isinstance(plug(Audit(), app_class=Shop), Shop)
    assert isinstance(plug.reload(), Shop)


def test_set_up_can_wait(plug: Plug) -> None:
    app = plug(Audit(), set_up=False)
    assert not app.plugins_are_set_up
    app.setup_plugins()
    assert app.hooks.is_active("audit")


def test_plugins_of_functions(plug: Plug) -> None:
    def answer(ctx: Any) -> None: ...

    first = plug.plugin("first", request_before=answer, options={"trylast": True})
    second = plug.plugin("second", declares={"after": ["third"]}, request_before=answer)
    third = plug.plugin("third", request_before=answer)
    plug(first, second, third, core=False)
    assert plug.order("request_before") == ["third", "second", "first"]


# Failures -----------------------------------------------------------------------------------------------------------


def test_a_failure_at_load_is_given(plug: Plug) -> None:
    plug.file("broken.py", "1 / 0")
    error = plug.fails("broken")
    assert isinstance(error, PluginLoadError)
    assert "ZeroDivisionError" in str(error)
    assert isinstance(plug.fails("nowhere", match="no such plugin"), PluginNotFound)


def test_a_failure_that_does_not_come(plug: Plug) -> None:
    with pytest.raises(AssertionError, match="nothing failed; active are audit"):
        plug.fails(Audit(), core=False)


def test_a_failure_with_another_message(plug: Plug) -> None:
    plug.file("broken.py", "1 / 0")
    with pytest.raises(AssertionError, match=r"(?s)'KeyError' is not in the error's message:.*ZeroDivisionError"):
        plug.fails("broken", match="KeyError")


# Start-up -----------------------------------------------------------------------------------------------------------


async def test_serving(plug: Plug) -> None:
    events = []

    async def lifespan(app: Any) -> Any:
        events.append("in")
        yield
        events.append("out")

    plug(plug.plugin("life", lifespan=lifespan))

    @plug.app.get("/")
    async def index() -> str:
        return "hello"

    async with plug.serving() as client:
        assert await (await client.get("/")).get_data() == b"hello"
        assert events == ["in"]
    assert events == ["in", "out"]


async def test_an_error_in_the_block_is_the_error(plug: Plug) -> None:
    async def shutdown(app: Any) -> None:
        raise LookupError("at the end")

    plug(plug.plugin("life", shutdown=shutdown))
    with pytest.raises(ZeroDivisionError) as raised:
        async with plug.serving():
            raise ZeroDivisionError
    assert "shutdown failed as well" in raised.value.__notes__[0]


# Order and spies ----------------------------------------------------------------------------------------------------


async def test_a_spy_sees_calls_and_answers(plug: Plug) -> None:
    plug.file("timing.py", TIMING)
    app = plug("timing", Audit())
    before, after = plug.spy("request_before"), plug.spy("request_after")
    response = await app.test_client().get("/nowhere")
    assert response.status_code == 404
    assert before.count == after.count == 1
    assert before.calls[0]["ctx"].request.path == "/nowhere"
    assert after.calls[0]["response"].status_code == 404
    assert [(answer.plugin, answer.result) for answer in before.answers] == [("audit", None)]
    assert [answer.plugin for answer in after.answers] == ["timing"]
    assert plug.order("request_before") == ["audit"]
    before.clear()
    await app.test_client().get("/nowhere")
    assert (before.count, after.count) == (1, 2)


@pytest.mark.parametrize("kind", ["plain", "coroutine", "hidden"])
async def test_a_spy_changes_nothing(plug: Plug, kind: str) -> None:
    """Whatever colour: the answer is the same, and so is an error."""

    def plain(ctx: Any) -> Any:
        if ctx.request.path == "/fails":
            raise LookupError("here")
        return "answer"

    async def coroutine(ctx: Any) -> Any:
        return plain(ctx)

    def hidden(ctx: Any) -> Any:
        return coroutine(ctx)

    app = plug(plug.plugin("one", request_before={"plain": plain, "coroutine": coroutine, "hidden": hidden}[kind]))
    app.config["PROPAGATE_EXCEPTIONS"] = False
    spy = plug.spy("request_before")
    client = app.test_client()
    assert await (await client.get("/")).get_data() == b"answer"
    assert (await client.get("/fails")).status_code == 500
    assert spy.answers[0].result == "answer"
    assert isinstance(spy.answers[1].error, LookupError)


async def test_a_spy_on_a_hook_that_nobody_implements(plug: Plug) -> None:
    app = plug(core=False)
    spies = [plug.spy(hook) for hook in ("connection", "request_before", "request_finished", "template_filters")]
    await app.test_client().get("/")
    assert [spy.count for spy in spies] == [1, 1, 1, 0]
    assert plug.order("connection") == []


async def test_a_spy_on_an_around_hook(plug: Plug) -> None:
    events = []

    async def connection(ctx: Any) -> Any:
        events.append("in")
        yield
        events.append("out")

    app = plug(plug.plugin("wrap", connection=connection))
    spy = plug.spy("connection")
    await app.test_client().get("/")
    assert events == ["in", "out"]
    assert [answer.plugin for answer in spy.answers] == ["wrap"]


def test_a_spy_on_set_up(plug: Plug) -> None:
    app = plug(Audit(), plug.plugin("one", setup=lambda app: None), set_up=False)
    spy = plug.spy("setup")
    app.setup_plugins()
    assert "one" in [answer.plugin for answer in spy.answers]


# Blocked, reloaded --------------------------------------------------------------------------------------------------


def test_a_blocked_module_is_as_if_it_were_not_installed(plug: Plug) -> None:
    plug.file("packer.py", f"import colorsys\n{TIMING}")
    plug("packer")
    before = sys.modules["colorsys"]
    plug.block("colorsys")
    error = plug.fails("packer", match="it needs the module 'colorsys', which is not installed: pip install colorsys")
    assert error.__cause__ is not None
    with pytest.raises(ModuleNotFoundError, match="No module named 'colorsys'"):
        import colorsys  # noqa: F401
    plug.close()
    assert sys.modules["colorsys"] is before
    assert "packer" not in sys.modules


def test_a_part_of_a_package_can_be_blocked(plug: Plug) -> None:
    import xml.sax as before

    plug.block("xml.sax")
    with pytest.raises(ImportError, match="sax"):
        from xml import sax  # noqa: F401
    import xml.dom

    plug.close()
    from xml import sax as after

    assert after is before
    assert xml.dom


async def test_a_blocked_library_of_a_core_plugin(plug: Plug) -> None:
    plug.block("jinja2")
    app = plug()

    @app.get("/")
    async def index() -> str:
        from quart_plug import render_template_string

        return await render_template_string("hello")

    app.testing = True
    with pytest.raises(ModuleNotFoundError, match="No module named 'jinja2'"):
        await app.test_client().get("/")


def test_a_blocked_plugin_is_off(plug: Plug) -> None:
    plug.block(plugin="debug")
    assert not plug().hooks.is_active("debug")


def test_what_cannot_be_blocked(plug: Plug) -> None:
    with pytest.raises(ValueError, match="without it there are no apps"):
        plug.block("quart_plug.hooks")


def test_an_edited_plugin_is_reloaded(plug: Plug) -> None:
    """Also within the second in which it was written, with the same size."""
    plug.file("timing.py", TIMING)
    first = plug("timing")
    plug.file("timing.py", TIMING.replace("x-time", "x-TIME"))
    second = plug.reload()
    assert first is not second
    assert [app.hooks.get_plugin("timing").HEADER for app in (first, second)] == ["x-time", "x-TIME"]


def test_a_reload_with_another_environment(plug: Plug) -> None:
    plug.file("timing.py", f"import os\n{TIMING}\nUNIT = os.environ.get('TIMING_UNIT')\n")
    assert plug("timing").hooks.get_plugin("timing").UNIT is None
    assert plug.reload(environ={"TIMING_UNIT": "ms"}).hooks.get_plugin("timing").UNIT == "ms"


def test_a_module_is_reloaded_as_well(plug: Plug) -> None:
    plug.file("timing.py", TIMING)
    import timing  # type: ignore[import-not-found]  # written by this test

    plug(timing)
    plug.file("timing.py", TIMING.replace("x-time", "x-TIME"))
    assert plug.reload().hooks.get_plugin("timing").HEADER == "x-TIME"


# The end ------------------------------------------------------------------------------------------------------------


def test_everything_is_put_back() -> None:
    path, modules, environment = list(sys.path), set(sys.modules), dict(os.environ)
    with Plug() as plug:
        folder = plug.folder
        plug.file("timing.py", TIMING)
        plug("timing", environ={"TIMING": "1"})
    assert sys.path == path
    assert "timing" not in set(sys.modules) - modules
    assert dict(os.environ) == environment
    assert not folder.exists()


def test_it_has_to_be_entered() -> None:
    with pytest.raises(RuntimeError, match="enter it first"):
        Plug()()
    with Plug() as plug, pytest.raises(RuntimeError, match="no app was made yet"):
        plug.order("setup")


async def test_in_a_coroutine_without_pytest() -> None:
    with Plug() as plug:
        plug(Audit())
        async with plug.serving() as client:
            assert (await client.get("/")).status_code == 404
        await asyncio.sleep(0)
