"""Selected plugins are loaded each on its own: what fails is told and rolled back with who requires it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug.exceptions import PluginLoadError, PluginNotFound, PluginSettingsError
from quart_plug.hooks import PluginManager, hookimpl
from quart_plug.hooks.discovery import Record

Make = Callable[..., PluginManager]


class Named:
    """A plugin that says its name."""

    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def names(self) -> str:
        return self.name


def record(name: str, value: str | None = None, first_party: bool = False) -> Record:
    return Record(
        name, value or f"{name}_plugin", "quart-plug" if first_party else f"dist-{name}", "1.0", first_party
    )


PLUGIN = "@hookimpl\ndef names(): return __name__\n"


def load(hooks: PluginManager, **config: Any) -> PluginManager:
    hooks.select(config=config, environ={})
    hooks.load()
    return hooks


def test_selected_plugins_are_imported_and_registered_and_others_are_not(manager: Make, module: Any) -> None:
    module("on_plugin", PLUGIN)
    module("core_plugin", PLUGIN)
    hooks = manager(record("core", first_party=True), record("off"), record("on"), core=("core",))
    load(hooks, PLUGINS=["on"])
    assert hooks.names == ("core", "on")
    report = hooks.report()
    assert [(p.name, p.status, p.hooks) for p in report] == [
        ("core", "active", ("names",)),
        ("on", "active", ("names",)),
        ("off", "disabled", ()),
    ]
    assert "off_plugin" not in sys.modules
    assert str(hooks.implementations("names")[1].origin) == "plugin 'on' (dist-on 1.0)"


def test_disabled_plugin_is_never_imported(site: Any, specs: Any) -> None:
    site.install("dist", bad="bad_plugin", good="good_plugin")
    site.module("bad_plugin", "raise AssertionError('imported')")
    site.module("good_plugin", f"from quart_plug.hooks import hookimpl\n{PLUGIN}")
    hooks = PluginManager(core=())
    hooks.add_hookspecs(specs)
    hooks.select(environ={"QUART_PLUG_DISABLE": "bad"}, config={"PLUGINS": ["bad"], "PLUGINS_AUTOLOAD": True})
    hooks.load()
    assert hooks.names == ("good",)
    assert "bad_plugin" not in sys.modules
    assert hooks.report()["bad"].reason == "disabled by environment QUART_PLUG_DISABLE"


def test_all_levels_are_asked(manager: Make, module: Any, tmp_path: Path) -> None:
    for name in "abcdefg":
        module(f"{name}_plugin", PLUGIN)
    (tmp_path / "pyproject.toml").write_text("[tool.quart-plug]\nplugins = ['a', 'f']\n")
    hooks = manager(*(record(name) for name in "abcdefg"), enabled=["c"], disabled=["g"])
    hooks.select(
        ["d"],
        {"PLUGINS": ["b", "g"]},
        {"QUART_PLUG_PLUGINS": "e", "QUART_PLUG_DISABLE": "f"},
        command_line={"disable": ["e"]},
        root_path=tmp_path,
    )
    hooks.load()
    assert hooks.names == ("a", "b", "c", "d")
    assert hooks.report()["e"].reason == "disabled by command line --no-plugin"


def test_without_select_the_environment_is_asked(
    manager: Make, module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    module("a_plugin", PLUGIN)
    monkeypatch.setenv("QUART_PLUG_PLUGINS", "a")
    hooks = manager(record("a"))
    hooks.load()
    assert hooks.names == ("a",)


def test_local_plugins_are_loaded(manager: Make, module: Any) -> None:
    given = module("given_module", PLUGIN)
    module("by_name", "class P:\n  @hookimpl\n  def names(self): return 'P'\nplugin = P()\n")
    hooks = load(manager(enabled=[given, "by_name:plugin", Named("n")]))
    chain = hooks.call("names")
    assert chain is not None
    assert chain(None) == ["given_module", "P", "n"]
    assert [p.value for p in hooks.report()][:2] == ["given_module", "by_name:plugin"]


def test_load_happens_once_and_settings_come_before(manager: Make) -> None:
    hooks = load(manager())
    generation = hooks.generation
    hooks.load()
    assert (hooks.is_loaded, hooks.generation) == (True, generation)
    with pytest.raises(PluginSettingsError, match="loaded already"):
        hooks.select(environ={})


def test_wrong_settings_stop_the_load_and_leave_the_report(manager: Make) -> None:
    hooks = manager(record("a"))
    with pytest.raises(PluginNotFound, match=r"'b' in PLUGINS in the configuration"):
        hooks.select(config={"PLUGINS": ["b"]}, environ={})
    with pytest.raises(PluginNotFound):
        hooks.load()
    report = hooks.report()
    assert report["a"].status == "disabled"
    assert "'b' in PLUGINS" in report.problems[0]
    assert load(hooks).names == ()


BROKEN = {
    "import error": ("1 / 0", "failed", "while it was imported: ZeroDivisionError: division by zero"),
    "exit": ("raise SystemExit(3)", "failed", "while it was imported: SystemExit: 3"),
    "skip": ("class Skip(BaseException): ...\nraise Skip('x')", "failed", "while it was imported: Skip: x"),
    "hook": ("@hookimpl\ndef nams(): ...", "failed", "no hook 'nams' (did you mean 'names'?)"),
    "declaration": ("__quart_plug__ = {'need': 1}", "failed", "unknown key 'need'"),
    "dependency": ("import no_such_module_x.y", "missing", "pip install no_such_module_x"),
    "api": ("QUART_PLUG_API = 2", "incompatible", "works with version 2 of the plugin API"),
    "requirement": ("__quart_plug__ = {'requires': ['x']}", "blocked", "it requires 'x', not active here"),
    "specs": ("__quart_plug__ = {'hookspecs': ['sys']}", "failed", "specifies no hook"),
}


@pytest.fixture
def broken(site: Any, specs: Any) -> Callable[..., PluginManager]:
    """A manager that finds the plugins `bad` and `good`, the former with this source."""

    def make(source: str, **options: Any) -> PluginManager:
        site.install("bad-dist", "2.1", bad="bad_plugin")
        site.install("good-dist", good="good_plugin")
        site.module("bad_plugin", f"from quart_plug.hooks import hookimpl\n{PLUGIN}{source}\n")
        site.module("good_plugin", f"from quart_plug.hooks import hookimpl\n{PLUGIN}")
        made = PluginManager(core=(), **options)
        made.add_hookspecs(specs)
        return made

    return make


@pytest.mark.parametrize(("source", "status", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_plugin_that_was_asked_for_stops_the_app_with_the_reason(
    broken: Any, source: str, status: str, reason: str
) -> None:
    hooks = broken(source, enabled=["bad", "good"])
    hooks.select(environ={})
    with pytest.raises(PluginLoadError) as caught:
        hooks.load()
    text = str(caught.value)
    for part in (
        "'bad' (bad-dist 2.1)",
        "entry point 'bad_plugin'",
        reason,
        "Quart(plugins=…)",
        "QUART_PLUG_DISABLE=bad",
    ):
        assert part in text
    report = hooks.report()
    assert (report["bad"].status, report["bad"].hooks, report["good"].status) == (status, (), "active")
    assert hooks.names == ("good",)
    with pytest.raises(PluginLoadError) as again:
        hooks.load()
    assert again.value is caught.value


@pytest.mark.parametrize(("source", "status", "reason"), BROKEN.values(), ids=BROKEN)
def test_broken_plugin_is_a_warning_when_not_strict(
    broken: Any, source: str, status: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = broken(source)
    hooks.select(config={"PLUGINS": ["bad", "good"], "PLUGINS_STRICT": False}, environ={})
    with caplog.at_level(logging.WARNING):
        hooks.load()
    assert hooks.names == ("good",)
    (logged,) = [entry.getMessage() for entry in caplog.records if entry.name == "quart_plug.plugins"]
    assert "'bad' (bad-dist 2.1)" in logged
    assert reason in logged
    assert hooks.report()["bad"].status == status


def test_broken_plugin_that_was_only_autoloaded_does_not_stop_the_app(
    broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    hooks = broken("1 / 0")
    hooks.select(config={"PLUGINS_AUTOLOAD": True}, environ={})
    hooks.load()
    assert hooks.names == ("good",)
    assert "ZeroDivisionError" in caplog.text


def test_cause_of_the_failure_is_chained_and_noted(broken: Any) -> None:
    hooks = broken("1 / 0", enabled=["bad"])
    hooks.select(environ={})
    with pytest.raises(PluginLoadError) as caught:
        hooks.load()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.__cause__.__notes__ == ["From plugin 'bad' (bad-dist 2.1), while it was imported."]


def test_several_failures_are_told_together(manager: Make, module: Any) -> None:
    module("b_plugin", "@hookimpl\ndef x(): ...")
    hooks = manager(record("a", "absent_module_x"), record("b"), enabled=["a", "b"])
    hooks.select(environ={})
    with pytest.raises(
        PluginLoadError, match=r"(?s)2 plugins cannot be used:.*'a'.*reinstall dist-a.*'b'"
    ) as caught:
        hooks.load()
    assert isinstance(caught.value.__cause__, ExceptionGroup)


def test_missing_dependency_of_an_extra_says_which(site: Any, specs: Any) -> None:
    site.install("big-dist", big="big_plugin [redis]")
    site.module("big_plugin", "import no_such_module_x")
    hooks = PluginManager(["big"], strict=False, core=())
    hooks.add_hookspecs(specs)
    hooks.select(environ={})
    hooks.load()
    assert hooks.report()["big"].reason.endswith('pip install "big-dist[redis]"')


def test_core_plugin_that_is_not_installed_does_not_stop_the_app(manager: Make) -> None:
    hooks = load(manager(core=("json",)))
    assert hooks.report()["json"].status == "missing"
    assert (
        hooks.explain("json")
        == "the plugin 'json' is missing: a core plugin that is not installed: reinstall quart-plug"
    )


def test_order_follows_the_relations(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN + "__quart_plug__ = {'after': ['c'], 'requires': 'b'}")
    module("b_plugin", PLUGIN)
    module("c_plugin", PLUGIN + "__quart_plug__ = {'before': ['b']}")
    hooks = load(manager(record("a"), record("b"), record("c"), enabled=["a", "b", "c"]))
    assert hooks.names == ("c", "b", "a")


def test_what_requires_a_failed_plugin_is_blocked(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN + "__quart_plug__ = {'requires': 'b'}")
    module("b_plugin", PLUGIN + "__quart_plug__ = {'requires': 'c', 'hookspecs': 'c_plugin'}")
    module("c_plugin", "@hookimpl\ndef nams(): ...")
    module("d_plugin", PLUGIN)
    hooks = load(manager(*map(record, "abcd"), enabled=list("abcd"), strict=False))
    assert {p.name: p.status for p in hooks.report()} == {
        "d": "active",
        "a": "blocked",
        "b": "failed",
        "c": "failed",
    }


def test_of_two_that_conflict_the_later_is_blocked(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN)
    module("b_plugin", PLUGIN + "__quart_plug__ = {'conflicts': 'a'}")
    hooks = load(manager(record("a"), record("b"), enabled=["a", "b"], strict=False))
    assert (hooks.names, hooks.report()["b"].status) == (("a",), "blocked")
    assert "conflicts with 'a'" in hooks.report()["b"].reason


def test_cycle_blocks_its_members_and_is_printed(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN + "__quart_plug__ = {'after': 'b'}")
    module("b_plugin", PLUGIN + "__quart_plug__ = {'after': 'a'}")
    module("c_plugin", PLUGIN + "__quart_plug__ = {'requires': 'a'}")
    module("d_plugin", PLUGIN)
    hooks = load(manager(*map(record, "abcd"), enabled=list("abcd"), strict=False))
    assert hooks.names == ("d",)
    assert "a -> b -> a ('a' comes after 'b'; 'b' comes after 'a')" in hooks.report()["b"].reason
    assert hooks.report()["c"].status == "blocked"


def test_two_entry_points_of_one_module_are_one_too_many(manager: Make, module: Any) -> None:
    module("same", PLUGIN)
    hooks = load(manager(record("a", "same"), record("b", "same"), enabled=["a", "b"], strict=False))
    assert (hooks.names, hooks.report()["b"].status) == (("a",), "failed")


def test_registered_before_loading_stays_and_comes_first(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN)
    hooks = manager(record("a"), enabled=["a"])
    hooks.register(Named("mine"), "mine")
    assert load(hooks).names == ("mine", "a")


# Set-up


def test_plugin_whose_setup_failed_is_rolled_back_with_those_that_require_it(
    manager: Make, module: Any
) -> None:
    module("a_plugin", PLUGIN)
    module("b_plugin", PLUGIN + "__quart_plug__ = {'requires': 'a'}")
    module("c_plugin", PLUGIN)
    hooks = load(manager(*map(record, "abc"), enabled=list("abc"), strict=False))
    generation = hooks.generation
    assert hooks.mark_failed("a", OSError("no disk")) == ("b", "a")
    assert hooks.names == ("c",)
    assert hooks.generation == generation + 1
    report = hooks.report()
    assert (report["a"].status, report["b"].status) == ("failed", "blocked")
    assert report["a"].reason == "while it was set up: OSError: no disk"
    assert hooks.mark_failed("a", OSError("again")) == ()


def test_failed_setup_of_a_plugin_that_was_asked_for_raises(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN)
    hooks = load(manager(record("a"), enabled=["a"]))
    error = OSError("no disk")
    with pytest.raises(
        PluginLoadError, match=r"'a' \(dist-a 1.0\).* while it was set up: OSError: no disk"
    ) as caught:
        hooks.mark_failed("a", error)
    assert caught.value.__cause__ is error
    assert hooks.names == ()


# What is known


def test_explain_says_how_to_turn_a_plugin_on(manager: Make, module: Any) -> None:
    module("a_plugin", PLUGIN)
    hooks = manager(record("a"), record("b"), record("c"))
    assert hooks.explain("a") == "the plugin 'a' is not loaded yet"
    load(hooks, PLUGINS=["a"], PLUGINS_DISABLED=["c"])
    assert hooks.explain("a") == "the plugin 'a' is active"
    assert hooks.explain("b") == (
        "the plugin 'b' is off (installed, but not enabled); to turn it on, add 'b' to PLUGINS"
    )
    assert hooks.explain("c") == (
        "the plugin 'c' is off (disabled by PLUGINS_DISABLED in the configuration);"
        " to turn it on, take 'c' out of there"
    )
    assert hooks.explain("zzz") == "the plugin 'zzz' is not installed"
