"""Everything that is wrong with the plugins and their settings is told at once, in one error and in one report."""

from __future__ import annotations

import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from quart_plug import Quart, hookimpl
from quart_plug.commands.state import State, faults, look_at_folder
from quart_plug.exceptions import (
    PluginConfigError,
    PluginError,
    PluginErrors,
    PluginHookError,
    PluginLoadError,
    PluginNotFound,
    PluginSettingsError,
)

MISSPELT = '''
from dataclasses import dataclass
from quart_plug import hookimpl

@dataclass
class Schema:
    header: str = "x"

@hookimpl
def configuration_schema():
    return Schema

@hookimpl
def requst_before(ctx):
    pass

@hookimpl
def request_after(ctx, respons):
    pass
'''


@pytest.fixture
def misspelt(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that is a plugin with a misspelt hook and a misspelt argument."""
    module = ModuleType("misspelt_plugin")
    module.__file__ = "misspelt_plugin.py"
    monkeypatch.setitem(sys.modules, "misspelt_plugin", module)
    exec(compile(MISSPELT, "misspelt_plugin.py", "exec"), module.__dict__)
    return "misspelt_plugin"


class Fails:
    __quart_plug__ = {"name": "fails"}

    @hookimpl
    def setup(self) -> None:
        raise LookupError("nothing there")


class FailsToo:
    __quart_plug__ = {"name": "fails_too", "requires": ["nobody"]}

    @hookimpl
    def setup(self) -> None:
        raise AssertionError("a plugin that is blocked is not set up")


@dataclass
class Schema:
    header: str = "x"
    digits: int = 3


class Configured:
    __quart_plug__ = {"name": "configured"}

    @hookimpl
    def configuration_schema(self) -> type:
        return Schema


def error_of(app: Quart) -> PluginError:
    with pytest.raises(PluginError) as caught:
        app.setup_plugins()
    return caught.value


FOUR = [
    "no such plugin: 'sesions' in PLUGINS in the configuration (code) (did you mean 'sessions'?)",
    "there is no hook 'requst_before' (did you mean 'request_before'?)",
    "'request_after' has no argument 'respons' (did you mean 'response'?); it gives ctx, response",
    "misspelt_plugin.heeder is an unknown key (did you mean 'header'?);"
    " correct PLUGIN_CONFIG['misspelt_plugin'] (code)",
]


def test_a_misspelt_hook_argument_plugin_and_key_are_in_one_error(misspelt: str) -> None:
    app = Quart(__name__)
    app.config.update(PLUGINS=[misspelt, "sesions"], PLUGIN_CONFIG={misspelt: {"heeder": "y"}})
    error = error_of(app)
    assert str(error).startswith("4 things are wrong with the plugins:\n")
    for fault in FOUR:
        assert sum(fault in line for line in str(error).splitlines()) == 1
        assert sum(fault in line for line in error.faults) == 1
    assert isinstance(error, PluginNotFound) and isinstance(error, PluginLoadError)
    assert not isinstance(error, PluginHookError)


def test_they_are_in_the_report_of_the_app_too(misspelt: str) -> None:
    app = Quart(__name__)
    app.config.update(PLUGINS=[misspelt, "sesions"], PLUGIN_CONFIG={misspelt: {"heeder": "y"}})
    error_of(app)
    found = "\n".join(str(fault["text"]) for fault in faults(State(app.hooks)))
    assert [sum(fault in line for line in found.splitlines()) for fault in FOUR] == [1, 1, 1, 1]
    assert [line for line in found.splitlines() if sum(fault in line for fault in FOUR) > 1] == []


def test_the_same_error_is_raised_again(misspelt: str) -> None:
    app = Quart(__name__, plugins=[misspelt, "sesions"])
    first = error_of(app)
    assert error_of(app) is first


def test_each_kind_is_found_beside_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, names, relations, configuration and set-up."""
    monkeypatch.setenv("QUART_PLUG_PLUGIN", "json")
    monkeypatch.setenv("QUART_PLUG_CONFIGURED_DIGITS", "4")
    app = Quart(__name__, plugins=[Fails(), FailsToo(), Configured()])
    app.config.update(
        PLUGIN=["x"], PLUGINS_DISABLED=["singals"], PLUGINS_AUTOLOAD="perhaps",
        PLUGIN_CONFIG={"configured": {"digits": "3"}, "confgured": {}, "json": {"a": 1}},
    )  # fmt: skip
    expected = {
        "PLUGINS_AUTOLOAD in the configuration (code) has to be true or false (1 or 0), not 'perhaps'",
        "PLUGIN in the configuration (code) is no setting (did you mean 'PLUGINS'?); correct the name",
        "the environment variable QUART_PLUG_PLUGIN is no setting (did you mean 'QUART_PLUG_PLUGINS'?);"
        " correct the name",
        "no such plugin: 'singals' in PLUGINS_DISABLED in the configuration (code) (did you mean 'signals'?)",
        "PLUGIN_CONFIG['confgured'] (code) configures a plugin that is not there (did you mean 'configured'?);"
        " correct the name, or install the plugin",
    }
    unsure = error_of(app)
    assert set(unsure.faults) == expected  # a setting that cannot be read may turn plugins off: nothing is imported
    assert {plugin.status for plugin in app.hooks.report()} == {"disabled"}

    again = Quart(__name__, plugins=[Fails(), FailsToo(), Configured()])
    again.config.update({**app.config, "PLUGINS_AUTOLOAD": False})
    expected = {fault for fault in expected if "AUTOLOAD" not in fault} | {
        "the environment variable QUART_PLUG_CONFIGURED_DIGITS is no setting"
        " (did you mean 'QUART_PLUG_CONFIGURED__DIGITS'?); correct the name",
        "configured.digits has to be an integer, not '3'; correct PLUGIN_CONFIG['configured'] (code)",
        "the plugin 'json' takes no configuration, for it has no configuration_schema;"
        " remove PLUGIN_CONFIG['json'] (code)",
        "while it was set up: LookupError: nothing there",
        "it requires 'nobody', not active here; enable what it requires, or turn this plugin off",
    }
    error = error_of(again)
    without_when = {fault.removeprefix("while it was configured: ") for fault in error.faults}
    assert without_when == expected
    for kind in (PluginNotFound, PluginSettingsError, PluginLoadError, LookupError, ValueError):
        assert isinstance(error, kind)
    assert isinstance(error.__cause__, BaseExceptionGroup)


def test_a_misspelt_variable_of_a_plugins_configuration_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_PLUG_CONFIGURED__DIGIT", "4")
    assert str(error_of(Quart(__name__, plugins=[Configured()]))).count("QUART_PLUG_CONFIGURED__DIGIT") == 1


def test_each_mistake_is_told_once() -> None:
    app = Quart(__name__, plugins=[Configured()])
    app.config["PLUGIN_CONFIG"] = {"configured": {"digits": "3", "hedaer": 1}}
    error = error_of(app)
    assert [fault.partition(" ")[0] for fault in error.faults] == ["configured.digits", "configured.hedaer"]
    assert str(error).count("configured.digits") == 1


def test_one_mistake_keeps_its_own_form() -> None:
    app = Quart(__name__)
    app.config["PLUGIN_CONFIG"] = {"singals": {}}
    error = error_of(app)
    assert type(error) is PluginConfigError and "\n" not in str(error)
    app = Quart(__name__, plugins=["sesions"])
    assert str(error_of(app)) == "no such plugin:\n  - 'sesions' in Quart(plugins=…) (did you mean 'sessions'?)"


OFF: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "name": ({"PLUGINS_DISABLED": ["jsn"]}, {}, ""),
    "setting": ({"PLUGINS_DISABELD": ["json"]}, {}, ""),
    "both": ({"PLUGINS_DISABELD": "jsn"}, {}, ""),
    "variable": ({}, {"QUART_PLUG_DISABLED": "sessions,json"}, ""),
    "key of the project": ({}, {}, "[tool.quart-plug]\ndisabled = ['json']\n"),
}


@pytest.mark.parametrize(("config", "variables", "project"), OFF.values(), ids=OFF)
def test_a_plugin_that_was_to_be_off_is_not_imported(
    config: dict[str, Any], variables: dict[str, str], project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name, or that of the setting, is misspelt; nothing of it is run before that is told, and others are."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "pyproject.toml").write_text(project)
    app = Quart(__name__, root_path=str(tmp_path), plugins=[Fails()])
    app.config.update(config)
    assert "LookupError: nothing there" in str(error_of(app))
    assert app.hooks.report()["json"].status == "disabled"
    assert app.hooks.report()["static"].status == "active"


def test_a_misspelt_safe_mode_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_PLUG_SAFEMODE", "1")
    app = Quart(__name__, plugins=[Fails()])
    assert error_of(app).faults == ()  # one mistake: the plugin was not set up
    assert "QUART_PLUG_SAFE_MODE" in str(error_of(app))


@pytest.mark.parametrize("key", ["PLUGINS_DISABELD", "PLUGIN_DISABLED", "PLUGINS_STRCIT", "PLUGINS_CONFIG", "PLUGIN"])
def test_a_misspelt_setting(key: str) -> None:
    app = Quart(__name__)
    app.config[key] = None
    assert f"{key} in the configuration (code) is no setting (did you mean 'PLUGIN" in str(error_of(app))


@pytest.mark.parametrize("key", ["PLUGINS_DIR", "PLUGIN_FOLDER", "PLUGIN_CONFIG_FILE", "PLUGINS_ENABLED_BY_USER"])
def test_settings_of_the_applications_own_are_left_alone(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"QUART_{key}", "x")
    monkeypatch.setenv("QUART_PLUG_SOMETHING", "x")
    app = Quart(__name__)
    app.config[key] = "x"
    app.setup_plugins()


@pytest.fixture
def quiet() -> Iterator[None]:
    logger = logging.getLogger("quart_plug.plugins")
    was, logger.disabled = logger.disabled, True
    yield
    logger.disabled = was


@pytest.mark.usefixtures("quiet")
def test_what_is_not_strict_starts_without_the_plugins_that_fail(misspelt: str) -> None:
    """Their configuration goes with them; what is wrong with the settings stops the app all the same."""
    app = Quart(__name__, plugins=[misspelt, Configured(), Fails()])
    app.config.update(PLUGINS_STRICT=False, PLUGIN_CONFIG={"configured": {"digits": "3"}})
    app.setup_plugins()
    assert {plugin.name: plugin.status for plugin in app.hooks.report() if not plugin.first_party} == {
        misspelt: "failed", "configured": "failed", "fails": "failed",
    }  # fmt: skip
    with pytest.raises(PluginConfigError):
        app.plugin_config(Schema)


def test_an_error_of_several_survives_pickling() -> None:
    error = PluginErrors.of("two", [PluginNotFound("one"), PluginSettingsError("other")])
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.faults) == ("two", ("one", "other"))
    assert isinstance(again, PluginNotFound) and isinstance(again, PluginSettingsError)


# Without an application --------------------------------------------------------------------------------------------


def test_the_project_alone_is_enough_to_find_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.quart-plug]\nplugins = ['of_the_project', 'sesions']\n"
        "[tool.quart-plug.config.of_the_project]\nheeder = 'y'\n[tool.quart-plug.config.jsn]\n"
    )
    (tmp_path / "of_the_project.py").write_text(MISSPELT)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "of_the_project", raising=False)
    monkeypatch.setenv("QUART_PLUG_OF_THE_PROJECT__HEADR", "z")
    found = "\n".join(str(fault["text"]) for fault in faults(look_at_folder(tmp_path)))
    monkeypatch.delitem(sys.modules, "of_the_project", raising=False)
    for part in (
        "'sesions'", "'requst_before'", "'respons'",
        f"of_the_project.heeder is an unknown key (did you mean 'header'?); correct {tmp_path / 'pyproject.toml'}",
        "of_the_project.headr is an unknown key (did you mean 'header'?);"
        " correct environment QUART_PLUG_OF_THE_PROJECT__HEADR",
        "pyproject.toml [tool.quart-plug.config.jsn] configures a plugin that is not there (did you mean 'json'?)",
    ):  # fmt: skip
        assert part in found


def test_doctor_shows_all_of_them(tmp_path: Path) -> None:
    """As a person runs it: one report, exit status 1."""
    (tmp_path / "misspelt.py").write_text(MISSPELT)
    kept: dict[str, Any] = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
    done = subprocess.run(
        [sys.executable, "-m", "quart_plug", "doctor"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={**kept, "QUART_PLUG_PLUGINS": "misspelt,sesions", "QUART_PLUG_MISSPELT__HEEDER": json.dumps("y")},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    for part in ("'sesions'", "'requst_before'", "'respons'", "misspelt.heeder"):
        assert part in done.stdout


def test_plugins_that_only_the_application_gives_may_be_configured(tmp_path: Path) -> None:
    """The program asks an application of its own for its commands, which does not know them."""
    (tmp_path / "app.py").write_text(
        "from dataclasses import dataclass\nfrom quart_plug import Quart, hookimpl\n"
        "@dataclass\nclass Schema:\n    path: str = '/x'\n"
        "class Given:\n"
        "    __quart_plug__ = {'name': 'given_in_code'}\n"
        "    @hookimpl\n    def configuration_schema(self): return Schema\n"
        "    @hookimpl\n    def setup(self, app): app.add_url_rule(app.plugin_config(Schema).path, 'given')\n"
        "app = Quart(__name__, plugins=[Given()])\n"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
    kept |= {"QUART_PLUG_GIVEN_IN_CODE__PATH": "/from-the-environment", "PYTHONPATH": str(tmp_path)}
    for words, expected in ((["routes"], "/from-the-environment"), (["doctor"], "Nothing is wrong")):
        done = subprocess.run(
            [sys.executable, "-m", "quart_plug", *words], cwd=tmp_path, env=kept, capture_output=True, text=True,
            timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
