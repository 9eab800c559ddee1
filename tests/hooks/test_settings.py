"""Each place in which plugins are asked for is read into one level that keeps where every item stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quart_plug.config import Config
from quart_plug.exceptions import PluginSettingsError
from quart_plug.hooks import settings
from quart_plug.hooks.settings import Level, Wanted


def items(wanted: tuple[Wanted, ...]) -> list[Any]:
    return [each.item for each in wanted]


def test_environment() -> None:
    level = settings.environment_level(
        {
            "QUART_PLUG_PLUGINS": "rooms, dist:chat,,",
            "QUART_PLUG_DISABLE": "json",
            "QUART_PLUG_SAFE_MODE": "1",
        }
    )
    assert items(level.enable) == ["rooms", "dist:chat"]
    assert level.disable == (Wanted("json", "environment QUART_PLUG_DISABLE"),)
    assert level.safe_mode == (True, "environment QUART_PLUG_SAFE_MODE")
    assert settings.environment_level({}) == Level()


def test_configuration_tells_the_source_where_it_is_known() -> None:
    class Config(dict[str, Any]):
        def source(self, key: str) -> str:
            return "file app.toml:3"

    level = settings.config_level(Config(PLUGINS=["rooms"], PLUGINS_AUTOLOAD=True))
    assert level.enable == (Wanted("rooms", "PLUGINS in the configuration (file app.toml:3)"),)
    assert level.autoload == (True, "PLUGINS_AUTOLOAD in the configuration (file app.toml:3)")
    assert settings.config_level({"PLUGINS_DISABLED": "a, b"}).disable == (
        Wanted("a", "PLUGINS_DISABLED in the configuration"),
        Wanted("b", "PLUGINS_DISABLED in the configuration"),
    )


def test_a_default_in_the_configuration_says_nothing() -> None:
    """Otherwise it would keep pyproject.toml, which is weaker, from saying anything."""
    config = Config("/", {"PLUGINS": ["a"], "PLUGINS_DISABLED": ["b"], "PLUGINS_AUTOLOAD": False})
    assert settings.config_level(config) == Level()
    config["PLUGINS_AUTOLOAD"] = False
    assert settings.config_level(config).autoload == (False, "PLUGINS_AUTOLOAD in the configuration (code)")


def test_code_takes_objects() -> None:
    plugin = object()
    assert items(settings.code_level([plugin, "rooms"]).enable) == [plugin, "rooms"]


def test_command_line() -> None:
    level = settings.command_line_level({"plugins": ["a"], "disable": ["b"], "safe_mode": False})
    assert (items(level.enable), items(level.disable), level.safe_mode) == (["a"], ["b"], None)
    assert settings.command_line_level({"safe_mode": True}).safe_mode == (True, "command line --safe-mode")


def test_nearest_pyproject_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.quart-plug]\nplugins = ['far']\n")
    near = tmp_path / "near"
    (near / "package").mkdir(parents=True)
    (near / "pyproject.toml").write_text(
        "[tool.quart-plug]\nplugins=['a', 'b.c']\ndisable=['d']\nautoload=true\n"
    )
    level = settings.project_level(near / "package")
    assert (items(level.enable), items(level.disable)) == (["a", "b.c"], ["d"])
    assert level.autoload == (True, f"autoload of [tool.quart-plug] in {near / 'pyproject.toml'}")


@pytest.mark.parametrize(
    "text", ["", "[tool.other]\nx = 1\n", "this is not TOML = [", "[tool.'quart-plug']\n"]
)
def test_pyproject_that_says_nothing_about_us_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert settings.project_level(tmp_path) == Level()
    assert settings.project_level(None) == Level()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.quart-plug]\nplugins = = []", r"not valid TOML: .*line 2"),
        ("[tool.quart-plug]\nplugin = []\n", r"'plugin' \(did you mean 'plugins'\?\)"),
        ("[tool.quart-plug]\nplugins = [1]\n", "contains 1; it has to be a list of names"),
        ("[tool.quart-plug]\nautoload = 'maybe'\n", "autoload .* true or false"),
    ],
)
def test_faulty_pyproject_is_an_error_that_names_the_file(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(text)
    with pytest.raises(PluginSettingsError, match=message) as caught:
        settings.project_level(tmp_path)
    assert str(path) in str(caught.value)


def test_without_a_pyproject_nothing_is_said(tmp_path: Path) -> None:
    assert settings.project_level(tmp_path) == Level()


def test_pyproject_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"# \xff")
    with pytest.raises(PluginSettingsError, match="UTF-8"):
        settings.project_level(tmp_path)


@pytest.mark.parametrize("value", [5, {"a": 1}, [None], [""]], ids=repr)
def test_what_is_no_list_of_plugins_is_an_error(value: Any) -> None:
    with pytest.raises(PluginSettingsError, match="PLUGINS in the configuration"):
        settings.config_level({"PLUGINS": value})


@pytest.mark.parametrize(
    ("value", "expected"), [(None, True), (False, False), ("0", False), ("Off", False), ("yes", True)]
)
def test_strict(value: Any, expected: bool) -> None:
    assert settings.is_strict({} if value is None else {"PLUGINS_STRICT": value}) is expected


def test_flag_that_is_neither_is_an_error() -> None:
    with pytest.raises(PluginSettingsError, match="QUART_PLUG_SAFE_MODE has to be true or false"):
        settings.environment_level({"QUART_PLUG_SAFE_MODE": "perhaps"})
