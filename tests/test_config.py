"""The configuration is a dictionary whose values know where they came from, and whose changes are told."""

from __future__ import annotations

import copy
import json
import pickle
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from quart_plug.config import Config, ConfigAttribute, ConfigFileError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, {"DEBUG": False, "NAME": None})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_file


# A dictionary


def test_is_a_dictionary(config: Config) -> None:
    config["X"] = 1
    assert config == {"DEBUG": False, "NAME": None, "X": 1}
    assert isinstance(config, dict)
    assert repr(config) == "<Config {'DEBUG': False, 'NAME': None, 'X': 1}>"
    assert Config("/", None) == {}


CHANGES: dict[str, tuple[Callable[[Config], Any], list[str], Any]] = {
    "setitem": (lambda c: c.__setitem__("A", 5), ["A"], {"A": 5, "B": 2}),
    "delitem": (lambda c: c.__delitem__("A"), ["A"], {"B": 2}),
    "update, mapping": (lambda c: c.update({"A": 5, "C": 3}), ["A", "C"], {"A": 5, "B": 2, "C": 3}),
    "update, pairs and names": (lambda c: c.update([("A", 5)], C=3), ["A", "C"], {"A": 5, "B": 2, "C": 3}),
    "|=": (lambda c: c.__ior__({"A": 5}), ["A"], {"A": 5, "B": 2}),
    "|=, pairs": (lambda c: c.__ior__([("C", 3)]), ["C"], {"A": 1, "B": 2, "C": 3}),
    "setdefault, new": (lambda c: c.setdefault("C", 3), ["C"], {"A": 1, "B": 2, "C": 3}),
    "setdefault, there": (lambda c: c.setdefault("A", 3), [], {"A": 1, "B": 2}),
    "pop": (lambda c: c.pop("A"), ["A"], {"B": 2}),
    "pop, absent": (lambda c: c.pop("C", None), [], {"A": 1, "B": 2}),
    "popitem": (lambda c: c.popitem(), ["B"], {"A": 1}),
    "clear": (lambda c: c.clear(), ["A", "B"], {}),
    "from_mapping": (lambda c: c.from_mapping({"A": 5, "a": 6}, C=3), ["A", "C"], {"A": 5, "B": 2, "C": 3}),
}


@pytest.mark.parametrize(("change", "keys", "after"), CHANGES.values(), ids=CHANGES)
def test_every_mutation_is_told_after_it_happened(change: Any, keys: list[str], after: Any) -> None:
    config = Config("/", {"A": 1, "B": 2})
    told: list[str] = []
    config.on_change.append(told.append)
    change(config)
    assert (told, config) == (keys, after)
    assert {key: config.source(key) for key in config} == {
        key: "default" if config[key] == {"A": 1, "B": 2}.get(key) else "code" for key in config
    }


@pytest.mark.parametrize("method", ["update", "__ior__"])
def test_changes_from_a_plain_dictionarys_methods_keep_their_result(method: str) -> None:
    config = Config("/", {"A": 1})
    result = getattr(config, method)({"B": 2})
    assert result is (None if method == "update" else config)
    assert (config.pop("B"), config.pop("B", "gone"), config.setdefault("C", 3)) == (2, "gone", 3)
    assert config.popitem() == ("C", 3)


def test_absent_keys_raise_as_in_a_dictionary() -> None:
    config = Config("/")
    for action in (lambda: config.pop("A"), lambda: config.__delitem__("A"), config.popitem):
        with pytest.raises(KeyError):
            action()


def test_copies_keep_values_and_sources_but_not_the_listeners(config: Config) -> None:
    config["X"] = [1]
    told: list[str] = []
    config.on_change.append(told.append)
    for twin in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert (twin, twin.source("X"), twin.source("DEBUG")) == (config, "code", "default")
        assert (twin.root_path, twin.on_change) == (config.root_path, [])
    assert told == []


# Sources


def test_source_is_the_last_place_that_set_the_value(
    config: Config, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (config.source("DEBUG"), config.source("ABSENT")) == ("default", None)
    config["DEBUG"] = True
    assert config.source("DEBUG") == "code"
    path = write("app.toml", "\nDEBUG = 1\n")
    config.from_toml("app.toml")
    assert config.source("DEBUG") == f"file {path}:2"
    monkeypatch.setenv("QUART_DEBUG", "false")
    config.from_prefixed_env()
    assert config.source("DEBUG") == "environment QUART_DEBUG"
    del config["DEBUG"]
    assert config.source("DEBUG") is None


def test_plugin_defaults_give_way_to_what_the_application_sets(config: Config) -> None:
    config["MINE"] = 1
    config.add_defaults({"MINE": 2, "NEW": 3, "NAME": 4}, "rooms")
    config.add_defaults({"NEW": 5}, "other")
    assert (config["MINE"], config["NEW"], config["NAME"]) == (1, 3, 4)
    assert (config.source("MINE"), config.source("NEW")) == ("code", "plugin rooms")
    config["NEW"] = 6
    assert config.source("NEW") == "code"


def test_a_default_that_is_a_dictionary_is_the_configurations_own() -> None:
    """Who fills it, in code or from the environment, does not fill that of other apps."""
    defaults = {"TABLE": {"inner": {"a": 1}}}
    Config("/", defaults)["TABLE"]["inner"]["b"] = 2
    assert Config("/", defaults)["TABLE"] == defaults["TABLE"] == {"inner": {"a": 1}}


def test_set_from_tells_any_source(config: Config) -> None:
    config.set_from("X", 1, "plugin x")
    assert (config["X"], config.source("X")) == (1, "plugin x")


# Objects and mappings


class Settings:
    LEVEL = 3
    ignored = 1

    @property
    def COMPUTED(self) -> str:
        return "yes"


def test_from_object(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    config.from_object(Settings())
    assert (config["LEVEL"], config["COMPUTED"], "ignored" in config) == (3, "yes", False)
    assert config.source("LEVEL") == "code Settings"

    module = ModuleType("some_settings")
    module.LEVEL = 4  # type: ignore[attr-defined]
    module.Settings = Settings  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "some_settings", module)
    config.from_object("some_settings")
    assert (config["LEVEL"], config.source("LEVEL")) == (4, "code some_settings")
    config.from_object("some_settings.Settings")
    assert (config["LEVEL"], config.source("LEVEL")) == (3, "code some_settings.Settings")
    with pytest.raises(ImportError):
        config.from_object("some_settings_that_are_not_there")


def test_from_mapping_takes_capitals_only(config: Config) -> None:
    assert config.from_mapping({"A": 1, "b": 2, 3: 4}, C=5, d=6) is True  # type: ignore[dict-item]
    assert {key for key in config if config.source(key) == "code"} == {"A", "C"}


# Files


def test_from_file_with_any_loader(config: Config, write: Any) -> None:
    path = write("a.json", '{"A": 1, "b": 2}')
    assert config.from_file("a.json", json.load) is True
    write("a.toml", "C = 3")
    assert config.from_file("a.toml", load=tomllib.load, text=False) is True
    assert (config["A"], config["C"], "b" in config) == (1, 3, False)
    assert config.source("A") == f"file {path}"


def test_conveniences_know_the_line_of_each_value(config: Config, write: Any) -> None:
    toml = write("a.toml", "# A = 0\nA = 1\n\n[TABLE]\nx = 1\n['QUOTED'.inner]\ny = 2\n")
    assert config.from_toml("a.toml") is True
    assert [config.source(key) for key in ("A", "TABLE", "QUOTED")] == [f"file {toml}:{n}" for n in (2, 4, 6)]
    data = write("b.json", '{\n "A": 2,\n "B": {"C": 1}, "D": {"C": 2}, "C": 3}')
    assert config.from_json(data) is True
    assert (config.source("A"), config.source("C")) == (f"file {data}:2", f"file {data}")
    python = write("c.py", "import os\nA, x = 3, 4\nif x:\n    B = A\nelse:\n    B = 0\n")
    assert config.from_pyfile(python) is True
    assert (config["A"], config.source("A"), config.source("B")) == (3, f"file {python}:2", f"file {python}")


def test_python_file_knows_its_name(config: Config, write: Any) -> None:
    path = write("c.py", "WHERE = __file__\nNAME = __name__\n")
    config.from_pyfile("c.py")
    assert (config["WHERE"], config["NAME"]) == (str(path), "config")


BAD: dict[str, tuple[str, str, bytes, int | None, str]] = {
    "toml": ("from_toml", "a.toml", b"A = 1\nB = \n", 2, "Invalid value"),
    "json": ("from_json", "a.json", b'{\n"A": 1,\n"B" 2}', 3, "Expecting ':'"),
    "json list": ("from_json", "a.json", b"[1]", None, "has to hold an object"),
    "python": ("from_pyfile", "a.py", b"A = 1\nB = (\n", 2, "never closed"),
    "python, null byte": ("from_pyfile", "a.py", b"A = 1\0", None, "null byte"),
    "toml, not utf-8": ("from_toml", "a.toml", b"A = '\xff'", None, "not UTF-8"),
    "json, not utf-8": ("from_json", "a.json", b'{"A": "\xff"}', None, "not UTF-8"),
}


@pytest.mark.parametrize(("method", "name", "content", "line", "message"), BAD.values(), ids=BAD)
def test_bad_file_is_an_error_with_file_line_and_cure(
    config: Config, tmp_path: Path, method: str, name: str, content: bytes, line: int | None, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    before = dict(config)
    with pytest.raises(ConfigFileError, match=message) as caught:
        getattr(config, method)(name)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert (f"{path}:{line}" if line else str(path)) in str(caught.value)
    assert any(cure in str(caught.value) for cure in ("correct", "save it", "has to hold"))
    assert config == before


@pytest.mark.parametrize(
    ("content", "load", "message"),
    [
        ("{", json.load, r"a\.cfg:1 cannot be understood"),
        ("[1]", json.load, "holds a list; it has to hold a table"),
    ],
)
def test_loader_that_fails_names_the_file(
    config: Config, write: Any, content: str, load: Any, message: str
) -> None:
    write("a.cfg", content)
    with pytest.raises(ConfigFileError, match=message):
        config.from_file("a.cfg", load)


def test_what_a_python_file_raises_names_the_file(config: Config, write: Any) -> None:
    path = write("a.py", "A = 1\nB = undefined\n")
    with pytest.raises(NameError) as caught:
        config.from_pyfile("a.py")
    assert caught.value.__notes__ == [f"While the configuration file {path} was run."]
    assert caught.traceback[-1].path == path


READERS: dict[str, Callable[[Config, str, bool], bool]] = {
    "from_file": lambda c, name, silent: c.from_file(name, json.load, silent=silent),
    "from_toml": lambda c, name, silent: c.from_toml(name, silent=silent),
    "from_json": lambda c, name, silent: c.from_json(name, silent=silent),
    "from_pyfile": lambda c, name, silent: c.from_pyfile(name, silent=silent),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_missing_file(config: Config, tmp_path: Path, read: Any) -> None:
    assert read(config, "absent.cfg", True) is False
    with pytest.raises(FileNotFoundError) as caught:
        read(config, "absent.cfg", False)
    for part in ("the configuration file cannot be read", "absent.cfg", str(tmp_path), "silent=True"):
        assert part in str(caught.value)
    (tmp_path / "folder").mkdir()
    assert read(config, "folder", True) is False
    with pytest.raises(IsADirectoryError):
        read(config, "folder", False)


def test_from_envvar(config: Config, write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_SETTINGS", raising=False)
    assert config.from_envvar("APP_SETTINGS", silent=True) is False
    with pytest.raises(RuntimeError, match=r"'APP_SETTINGS' is not set.* set it to the file's path"):
        config.from_envvar("APP_SETTINGS")
    monkeypatch.setenv("APP_SETTINGS", str(write("a.py", "A = 1\n")))
    assert config.from_envvar("APP_SETTINGS") is True
    assert config["A"] == 1


# Environment


def test_prefixed_environment_is_read_as_json_else_as_text(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {"A": "1", "B": "true", "C": "[1, 2]", "D": "plain text", "E": '"1"'}.items():
        monkeypatch.setenv(f"APP_{name}", text)
    monkeypatch.setenv("APPLE", "no")
    assert config.from_prefixed_env("APP") is True
    assert {key: config[key] for key in "ABCDE"} == {
        "A": 1,
        "B": True,
        "C": [1, 2],
        "D": "plain text",
        "E": "1",
    }
    assert "LE" not in config


def test_prefixed_environment_with_another_loader(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUART_A", "1")
    config.from_prefixed_env(loads=str.strip)
    assert config["A"] == "1"


def test_prefixed_environment_reaches_into_dictionaries(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    config["MAIL"] = {"HOST": "localhost", "PORT": 25}
    config.on_change.append(told.append)
    monkeypatch.setenv("QUART_MAIL__PORT", "2525")
    monkeypatch.setenv("QUART_DB__main__url", "sqlite:")
    config.from_prefixed_env()
    assert config["MAIL"] == {"HOST": "localhost", "PORT": 2525}
    assert config["DB"] == {"main": {"url": "sqlite:"}}
    assert config.source("MAIL") == "environment QUART_MAIL__PORT"
    assert sorted(told) == ["DB", "MAIL"]


def test_prefixed_environment_into_something_else_is_an_error(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config["MAIL"] = "localhost"
    monkeypatch.setenv("QUART_MAIL__PORT", "2525")
    with pytest.raises(ValueError, match="QUART_MAIL__PORT sets an entry of MAIL, which is 'localhost'"):
        config.from_prefixed_env()


# Reading


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"host": 1, "port": 2}),
        ({"lowercase": False}, {"HOST": 1, "PORT": 2}),
        ({"trim_namespace": False}, {"mail_host": 1, "mail_port": 2}),
        ({"lowercase": False, "trim_namespace": False}, {"MAIL_HOST": 1, "MAIL_PORT": 2}),
    ],
)
def test_get_namespace(options: dict[str, bool], expected: dict[str, int]) -> None:
    config = Config("/", {"MAIL_HOST": 1, "MAIL_PORT": 2, "MAILER": 3})
    assert config.get_namespace("MAIL_", **options) == expected


def test_config_attribute_is_an_entry_of_the_configuration() -> None:
    class App:
        testing: ConfigAttribute[bool] = ConfigAttribute("TESTING")
        seconds = ConfigAttribute("SECONDS", get_converter=float)

        def __init__(self) -> None:
            self.config = Config("/", {"TESTING": False, "SECONDS": "1"})

    app = App()
    assert (app.testing, app.seconds) == (False, 1.0)
    app.testing = True
    assert app.config["TESTING"] is True
    assert isinstance(App.testing, ConfigAttribute)
