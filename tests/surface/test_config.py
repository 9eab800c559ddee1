"""`quart.config`: settings in capitals, from objects, files, mappings and the environment."""

from __future__ import annotations

import copy
import json
import tomllib
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug import Quart
from quart_plug.config import Config, ConfigAttribute
from tests.support.surface import shows


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "settings.json").write_text('{"NAME": "json", "lower": 1, "MAIL": {"PORT": 25}}')
    (tmp_path / "settings.toml").write_text('NAME = "toml"\nlower = 1\n[MAIL]\nPORT = 25\n')
    (tmp_path / "settings.py").write_text("import os as OS\nNAME = 'python'\nlower = 1\nMAIL = {'PORT': 5 * 5}\n")
    (tmp_path / "empty").write_text("")
    return Config(tmp_path)


# A dictionary ---------------------------------------------------------------------------------------------------------


@shows("config.Config")
def test_it_is_a_dictionary_with_defaults_and_a_root_path() -> None:
    config = Config("/etc/app", {"NAME": "default"})
    config["lower"] = 1

    assert config == {"NAME": "default", "lower": 1}
    assert config.root_path == "/etc/app"
    assert config | {"NAME": "other"} == {"NAME": "other", "lower": 1}
    assert type(config.copy()) is dict  # Quart's has no `copy` of its own
    assert copy.deepcopy(config) == config
    assert type(copy.copy(config)) is Config
    with pytest.raises(KeyError):
        config["MISSING"]


@shows(
    "config.Config.update",
    "config.Config.setdefault",
    "config.Config.pop",
    "config.Config.popitem",
    "config.Config.clear",
)
def test_it_is_changed_as_a_dictionary_and_the_app_follows() -> None:
    """A change made in any of these ways is a change of the settings that the app works with."""
    app = Quart(__name__)
    app.config.update({"SERVER_NAME": "one.org"}, PREFERRED_URL_SCHEME="https")
    assert app.url_for("static", filename="x") == "https://one.org/static/x"
    app.config.update([("SERVER_NAME", "two.org")])
    app.config |= {"APPLICATION_ROOT": "/app"}
    assert app.url_for("static", filename="x") == "https://two.org/app/static/x"

    config = Config("/", {"A": 1, "B": 2, "C": 3})
    assert config.setdefault("A", 9) == 1
    assert config.setdefault("D", 4) == 4
    assert config.setdefault("E") is None
    assert config.pop("A") == 1
    assert config.pop("A", "none") == "none"
    with pytest.raises(KeyError):
        config.pop("A")
    assert config.popitem() == ("E", None)
    assert config == {"B": 2, "C": 3, "D": 4}
    config.clear()
    assert config == {}
    with pytest.raises(KeyError):
        config.popitem()


# Objects and mappings -------------------------------------------------------------------------------------------------


class Base:
    NAME = "base"
    lower = 1
    MAIL_PORT = 25


class Production(Base):
    NAME = "production"

    @property
    def URL(self) -> str:
        return f"https://{self.NAME}.org"


@shows("config.Config.from_object")
def test_from_object_takes_what_is_in_capitals_of_objects_classes_modules_and_their_names(config: Config) -> None:
    config.from_object(Production)
    assert config["NAME"] == "production"
    assert config["MAIL_PORT"] == 25
    assert "lower" not in config

    config.from_object(Production())  # of an object properties are evaluated
    assert config["URL"] == "https://production.org"
    config.from_object(SimpleNamespace(NAME="simple", other=1))
    assert config["NAME"] == "simple"
    config.from_object(f"{__name__}.Base")
    assert config["NAME"] == "base"
    config.from_object("stat")
    assert config["ST_MODE"] == 0
    with pytest.raises(ImportError):
        config.from_object("no_such_module")


@shows("config.Config.from_mapping")
def test_from_mapping_takes_what_dict_takes(config: Config) -> None:
    assert config.from_mapping({"A": 1, "lower": 1}, B=2, other=2) is True
    assert config == {"A": 1, "B": 2}
    config.from_mapping([("A", 3), ("C", 4)])
    config.from_mapping(None, D=5)
    config.from_mapping({"A": 6}, A=7)
    assert config == {"A": 7, "B": 2, "C": 4, "D": 5}


# Files ----------------------------------------------------------------------------------------------------------------


@shows("config.Config.from_file")
def test_from_file_gives_the_loader_an_open_file(config: Config, tmp_path: Path) -> None:
    assert config.from_file("settings.json", load=json.load) is True
    assert config == {"NAME": "json", "MAIL": {"PORT": 25}}
    assert config.from_file(tmp_path / "settings.toml", tomllib.load, text=False) is True
    assert config["NAME"] == "toml"

    kinds: list[type] = []
    config.from_file("settings.json", lambda file: kinds.append(type(file.read())))
    config.from_file("settings.json", lambda file: [("NAME", type(file.read()).__name__)], text=False)
    assert kinds == [str]
    assert config["NAME"] == "bytes"


def read_json(config: Config, **options: Any) -> bool:
    return config.from_file("none", json.load, **options)


def read_python(config: Config, **options: Any) -> bool:
    return config.from_pyfile("none", **options)


@shows("config.Config.from_file", "config.Config.from_pyfile")
@pytest.mark.parametrize("read", [read_json, read_python])
def test_a_missing_file_is_an_error_unless_silent(config: Config, tmp_path: Path, read: Any) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read(config)
    assert caught.value.filename == str(tmp_path / "none")
    assert read(config, silent=True) is False
    assert config == {}


def test_an_empty_yaml_file_has_no_settings(config: Config) -> None:
    """Its loader makes None of it."""
    assert config.from_file("empty", lambda file: file.read() or None) is True
    assert config == {}


@shows("config.Config.from_pyfile")
def test_from_pyfile_runs_a_python_file(config: Config, tmp_path: Path) -> None:
    assert config.from_pyfile("settings.py") is True
    assert config["NAME"] == "python"
    assert config["MAIL"] == {"PORT": 25}
    assert config["OS"].getcwd()  # imports in capitals, too
    assert "lower" not in config
    assert config.from_pyfile(tmp_path / "settings.py") is True
    (tmp_path / "broken.py").write_text("NAME = 1 / 0")
    with pytest.raises(ZeroDivisionError):
        config.from_pyfile("broken.py", silent=True)


@shows("config.Config.from_envvar")
def test_from_envvar_runs_the_file_that_a_variable_names(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APP_SETTINGS", raising=False)
    with pytest.raises(RuntimeError, match="APP_SETTINGS"):
        config.from_envvar("APP_SETTINGS")
    assert config.from_envvar("APP_SETTINGS", silent=True) is False

    monkeypatch.setenv("APP_SETTINGS", str(tmp_path / "settings.py"))
    assert config.from_envvar("APP_SETTINGS") is True
    assert config["NAME"] == "python"
    monkeypatch.setenv("APP_SETTINGS", "none.py")
    assert config.from_envvar("APP_SETTINGS", silent=True) is False
    with pytest.raises(FileNotFoundError):
        config.from_envvar("APP_SETTINGS")


# The environment ------------------------------------------------------------------------------------------------------

LOADED = [
    ("1", 1),
    ("1.5", 1.5),
    ("true", True),
    ("null", None),
    ('"text"', "text"),
    ("[1, 2]", [1, 2]),
    ('{"PORT": 25}', {"PORT": 25}),
    ("plain text", "plain text"),
    ("True", "True"),
    ("", ""),
]


@shows("config.Config.from_prefixed_env")
@pytest.mark.parametrize(("text", "expected"), LOADED)
def test_variables_are_read_as_json_or_kept_as_text(
    config: Config, monkeypatch: pytest.MonkeyPatch, text: str, expected: Any
) -> None:
    monkeypatch.setenv("QUART_VALUE", text)
    monkeypatch.setenv("QUARTVALUE", "no underscore")
    assert config.from_prefixed_env() is True

    assert config["VALUE"] == expected
    assert "QUARTVALUE" not in config


NESTED: list[tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = [
    ({"MAIL__PORT": "25"}, {}, {"MAIL": {"PORT": 25}}),
    ({"MAIL__PORT": "26"}, {"MAIL": {"PORT": 25, "HOST": "h"}}, {"MAIL": {"PORT": 26, "HOST": "h"}}),
    ({"A__B__c": "1", "A__B__D": "2"}, {}, {"A": {"B": {"c": 1, "D": 2}}}),
    ({"MAIL": '{"HOST": "h"}', "MAIL__PORT": "1"}, {}, {"MAIL": {"HOST": "h", "PORT": 1}}),
]


@pytest.mark.parametrize(("variables", "before", "after"), NESTED)
def test_two_underscores_lead_into_a_dictionary(
    config: Config,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    config.update(before)
    for name, value in variables.items():
        monkeypatch.setenv(f"NESTED_{name}", value)
    config.from_prefixed_env("NESTED")

    assert config == after


def test_another_prefix_and_another_loader(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_COUNT", "7")
    monkeypatch.setenv("MINE_WORD", "seven")
    config.from_prefixed_env(prefix="MINE", loads=int)
    assert config == {"COUNT": 7, "WORD": "seven"}  # what the loader refuses stays text
    config.from_prefixed_env("MINE", loads=str)
    assert config["COUNT"] == "7"


# Reading --------------------------------------------------------------------------------------------------------------

NAMESPACES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"type": "fs", "path": "/x"}),
    ({"lowercase": False}, {"TYPE": "fs", "PATH": "/x"}),
    ({"trim_namespace": False}, {"store_type": "fs", "store_path": "/x"}),
    ({"lowercase": False, "trim_namespace": False}, {"STORE_TYPE": "fs", "STORE_PATH": "/x"}),
]


@shows("config.Config.get_namespace")
@pytest.mark.parametrize(("options", "expected"), NAMESPACES)
def test_get_namespace(options: dict[str, Any], expected: dict[str, Any]) -> None:
    config = Config("/", {"STORE_TYPE": "fs", "STORE_PATH": "/x", "OTHER": 1})

    assert config.get_namespace("STORE_", **options) == expected
    assert config.get_namespace("NONE_", **options) == {}


@shows("config.ConfigAttribute")
async def test_a_config_attribute_is_a_setting_of_the_app() -> None:
    class Shop(Quart):
        currency: ConfigAttribute[str] = ConfigAttribute("CURRENCY")
        opens_for = ConfigAttribute("OPEN_SECONDS", get_converter=lambda seconds: timedelta(seconds=seconds))

    shop = Shop(__name__)
    shop.config.update(CURRENCY="EUR", OPEN_SECONDS=60)
    assert shop.currency == "EUR"
    assert shop.opens_for == timedelta(minutes=1)

    shop.currency = "CHF"
    assert shop.config["CURRENCY"] == "CHF"
    assert isinstance(Shop.currency, ConfigAttribute)
    del shop.config["CURRENCY"]
    with pytest.raises(KeyError):
        shop.currency
