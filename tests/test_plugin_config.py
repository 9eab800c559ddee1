"""A plugin's own configuration: typed, from several places, each value with its place, every mistake in one line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest

from quart_plug import Quart, hookimpl
from quart_plug.exceptions import PluginConfigError, PluginLoadError, PluginSettingsError


@dataclass
class Limits:
    low: int = 0
    high: int = 10


@dataclass(frozen=True)
class TimingConfig:
    header: str = "x-time"
    digits: int = 3
    limits: Limits = field(default_factory=Limits)
    labels: dict[str, str] = field(default_factory=dict)
    api_key: str = ""


class Timing:
    """Tells its configuration, and what it was while the other hooks of the set-up were called."""

    __quart_plug__ = {"name": "timing"}

    def __init__(self) -> None:
        self.seen: dict[str, TimingConfig] = {}

    @hookimpl
    def configuration_schema(self) -> type:
        return TimingConfig

    @hookimpl
    def configuration_defaults(self, app: Quart) -> None:
        self.seen["configuration_defaults"] = app.plugin_config(TimingConfig)

    @hookimpl
    def setup(self, app: Quart) -> None:
        self.seen["setup"] = app.plugin_config(TimingConfig)


class Silent:
    """Has no configuration."""

    __quart_plug__ = {"name": "silent"}

    @hookimpl
    def setup_finished(self, app: Quart) -> None:
        pass


def make_app(root: Path | None = None, *plugins: Any, **tables: Any) -> Quart:
    app = Quart(__name__, root_path=None if root is None else str(root), plugins=plugins or [Timing()])
    if tables:
        app.config["PLUGIN_CONFIG"] = tables
    return app


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"QUART_PLUG_{name}", value)

    return set_variables


def test_without_any_configuration_it_is_the_defaults() -> None:
    app = make_app()
    assert app.plugin_config(TimingConfig) == TimingConfig()
    assert set(app.plugin_config_sources("timing").values()) == {"default"}


def test_it_is_the_same_object_by_class_and_by_name() -> None:
    app = make_app(timing={"digits": 5})
    assert app.plugin_config(TimingConfig).digits == 5
    assert app.plugin_config("timing") is app.plugin_config(TimingConfig)


def test_the_hooks_of_the_set_up_can_read_it() -> None:
    plugin = Timing()
    app = make_app(None, plugin, timing={"digits": 5})
    app.setup_plugins()
    assert plugin.seen == dict.fromkeys(["configuration_defaults", "setup"], TimingConfig(digits=5))


def test_the_strongest_place_wins_key_by_key(tmp_path: Path, environment: Callable[..., None]) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text("[tool.quart-plug.config.timing]\nheader = 'p'\ndigits = 1\nlimits = {low = 1, high = 1}\n")
    settings = tmp_path / "settings.toml"
    settings.write_text("[plugins.timing]\ndigits = 2\nlimits = {high = 2}\n[plugins.timing.labels]\nA = 'b'\n")
    environment(TIMING__LIMITS__HIGH="3", TIMING__LABELS__REGION="north")
    app = make_app(tmp_path)
    app.config.from_file("settings.toml", load=tomllib.load, text=False)
    assert app.plugin_config(TimingConfig) == TimingConfig("p", 2, Limits(1, 3), {"A": "b", "region": "north"})
    in_file, in_project = f"plugins.timing in {settings}", f"{project} [tool.quart-plug.config.timing]"
    assert app.plugin_config_sources("timing") == {
        "header": in_project,
        "digits": in_file,
        "limits": f"environment QUART_PLUG_TIMING__LIMITS__HIGH, {in_project}",
        "labels": f"environment QUART_PLUG_TIMING__LABELS__REGION, {in_file}",
        "api_key": "default",
    }


@pytest.mark.parametrize(
    ("name", "text", "load"),
    [
        ("a.toml", "[plugins.timing]\ndigits = 4", lambda config, name: config.from_toml(name)),
        ("a.json", '{"plugins": {"timing": {"digits": 4}}}', lambda config, name: config.from_json(name)),
        ("a.json", '{"plugins": {"timing": {"digits": 4}}}', lambda config, name: config.from_file(name, json.load)),
    ],
)
def test_tables_of_files_are_merged_into_what_is_there(tmp_path: Path, name: str, text: str, load: Any) -> None:
    (tmp_path / name).write_text(text)
    app = make_app(tmp_path, timing={"header": "code", "digits": 1})
    load(app.config, name)
    assert app.config["PLUGIN_CONFIG"] == {"timing": {"header": "code", "digits": 4}}
    assert app.plugin_config_sources("timing")["digits"] == f"plugins.timing in {tmp_path / name}"
    assert app.plugin_config_sources("timing")["header"] == "PLUGIN_CONFIG['timing'] (code)"


@pytest.mark.parametrize(
    ("fill", "place"),
    [
        (lambda config: config.from_mapping(PLUGIN_CONFIG={"timing": {"digits": 4}}), "PLUGIN_CONFIG['timing'] (code)"),
        (lambda config: config.from_object(Settings), "PLUGIN_CONFIG['timing'] (code Settings)"),
        (lambda config: config.from_pyfile("settings.py"), "PLUGIN_CONFIG['timing'] (file {}/settings.py:1)"),
        (lambda config: config.from_prefixed_env(), "environment QUART_PLUGIN_CONFIG__timing__digits"),
        (lambda config: config["PLUGIN_CONFIG"].update(timing={"digits": 4}), "PLUGIN_CONFIG['timing'] (code)"),
    ],
    ids=["from_mapping", "from_object", "from_pyfile", "from_prefixed_env", "in place"],
)
def test_every_way_to_fill_the_configuration(
    fill: Any, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.py").write_text("PLUGIN_CONFIG = {'timing': {'digits': 4}}\n")
    monkeypatch.setenv("QUART_PLUGIN_CONFIG__timing__digits", "4")
    app = make_app(tmp_path)
    fill(app.config)
    assert app.plugin_config(TimingConfig).digits == 4
    assert app.plugin_config_sources("timing")["digits"] == place.format(tmp_path)


class Settings:
    PLUGIN_CONFIG = {"timing": {"digits": 4}}


def test_what_code_changes_in_a_table_of_a_file_is_codes(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("[plugins.timing]\ndigits = 4\nheader = 'file'\n")
    app = make_app(tmp_path)
    app.config.from_toml("a.toml")
    app.config["PLUGIN_CONFIG"]["timing"]["digits"] = 1000
    sources = app.plugin_config_sources("timing")
    assert (sources["digits"], sources["header"]) == (
        "PLUGIN_CONFIG['timing'] (code)", f"plugins.timing in {tmp_path / 'a.toml'}",
    )  # fmt: skip


def test_the_object_itself_may_be_given() -> None:
    app = make_app(timing=TimingConfig(digits=7, limits=Limits(high=3)))
    assert app.plugin_config(TimingConfig) == TimingConfig(digits=7, limits=Limits(high=3))


@pytest.mark.parametrize(
    ("name", "variable"),
    [("shop.plugins:audit", "SHOP_PLUGINS_AUDIT"), ("rate-limit", "RATE_LIMIT"), ("my__plugin", "MY_PLUGIN")],
)
def test_a_name_has_a_form_for_the_environment(name: str, variable: str, environment: Callable[..., None]) -> None:
    environment(**{f"{variable}__DIGITS": "6"})
    plugin = Timing()
    plugin.__quart_plug__ = {"name": name}  # type: ignore[misc]
    app = make_app(None, plugin)
    assert app.plugin_config(name).digits == 6
    assert app.plugin_config_sources(name)["digits"] == f"environment QUART_PLUG_{variable}__DIGITS"


def test_a_variable_that_could_mean_two_plugins_is_a_mistake(environment: Callable[..., None]) -> None:
    environment(A_B__DIGITS="6")
    plugins = [Timing(), Timing()]
    plugins[0].__quart_plug__, plugins[1].__quart_plug__ = {"name": "a-b"}, {"name": "a.b"}  # type: ignore[misc]
    with pytest.raises(PluginConfigError, match=r"QUART_PLUG_A_B__DIGITS could mean 'a-b' and 'a\.b'"):
        make_app(None, *plugins).setup_plugins()


def test_two_plugins_with_one_schema_are_asked_for_by_name() -> None:
    class Twin:
        def __init__(self, name: str) -> None:
            self.__quart_plug__ = {"name": name}

        @hookimpl
        def configuration_schema(self) -> type:
            return TimingConfig

    app = make_app(None, Twin("one"), Twin("other"), one={"digits": 1}, other={"digits": 2})
    assert (app.plugin_config("one").digits, app.plugin_config("other").digits) == (1, 2)
    with pytest.raises(PluginConfigError, match="several plugins are configured by TimingConfig: 'one', 'other'"):
        app.plugin_config(TimingConfig)


def test_a_plugin_may_declare_one_schema() -> None:
    class Two:
        __quart_plug__ = {"name": "two"}

        @hookimpl
        def configuration_schema(self) -> type:
            return TimingConfig

        @hookimpl(specname="configuration_schema")
        def another(self) -> type:
            return Limits

    with pytest.raises(PluginConfigError, match="the plugin 'two' declares two schemas"):
        make_app(None, Two()).setup_plugins()


def test_a_whole_table_and_a_part_of_it_from_the_environment(environment: Callable[..., None]) -> None:
    environment(TIMING__LIMITS='{"low": 1, "high": 1}', TIMING__LIMITS__HIGH="2", TIMING__LABELS__Zone="a")
    app = make_app(None, timing={"limits": {"low": 9}, "labels": {"zone": "b"}})
    assert app.plugin_config(TimingConfig).limits == Limits(1, 2)
    assert app.plugin_config(TimingConfig).labels == {"zone": "b", "Zone": "a"}


def test_a_change_that_comes_too_late_is_an_error() -> None:
    app = make_app(None, timing={"digits": 5})
    app.setup_plugins()
    app.config["PLUGIN_CONFIG"] = {"timing": {"digits": 5}, "comes_late": {"a": 1}}
    with pytest.raises(PluginSettingsError, match=r"PLUGIN_CONFIG\['timing'\] was changed after .* set up"):
        app.config["PLUGIN_CONFIG"] = {"timing": {"digits": 6}}


def test_apps_do_not_share_what_is_put_into_the_setting() -> None:
    app, other = make_app(), make_app()
    app.config["PLUGIN_CONFIG"]["timing"] = {"digits": 9}
    assert (app.plugin_config(TimingConfig).digits, other.plugin_config(TimingConfig).digits) == (9, 3)


FAULTS: dict[str, tuple[dict[str, Any], dict[str, str], str]] = {
    "wrong type": (
        {"timing": {"digits": "3"}}, {},
        "timing.digits has to be an integer, not '3'; correct PLUGIN_CONFIG['timing'] (code)",
    ),
    "wrong type, environment": (
        {}, {"TIMING__DIGITS": "many"},
        "timing.digits has to be an integer, not 'many'; correct environment QUART_PLUG_TIMING__DIGITS",
    ),
    "no JSON, and a variable that reaches into it": (
        {}, {"TIMING__LIMITS": "{bad", "TIMING__LIMITS__HIGH": "3"},
        "timing.limits has to be a table, not a text that is no JSON; correct environment QUART_PLUG_TIMING__LIMITS",
    ),
    "unknown key": (
        {"timing": {"hedaer": "x"}}, {},
        "timing.hedaer is an unknown key (did you mean 'header'?); correct PLUGIN_CONFIG['timing'] (code)",
    ),
    "unknown key, environment": (
        {}, {"TIMING__LIMITS__HIHG": "1"},
        "timing.limits.hihg is an unknown key (did you mean 'high'?);"
        " correct environment QUART_PLUG_TIMING__LIMITS__HIHG",
    ),
    "secret": (
        {"timing": {"api_key": 12345}}, {},
        "timing.api_key has to be a text, not an int (a secret, not shown); correct PLUGIN_CONFIG['timing']",
    ),
    "no table": ({"timing": 5}, {}, "PLUGIN_CONFIG['timing'] (code) has to be a table, {key: value}, not 5"),
    "no schema": (
        {"silent": {"a": 1}}, {"SILENT__B": "1"},
        "the plugin 'silent' takes no configuration, for it has no configuration_schema;"
        " remove PLUGIN_CONFIG['silent'] (code) and environment QUART_PLUG_SILENT__B",
    ),
    "not installed": (
        {"timng": {"a": 1}}, {},
        "PLUGIN_CONFIG['timng'] (code) configures a plugin that is not there (did you mean 'timing'?);"
        " correct the name, or install the plugin",
    ),
    "not installed, environment": (
        {}, {"TIMNG__A": "1"},
        "QUART_PLUG_TIMNG__A configures a plugin that is not there (did you mean 'TIMING'?)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "variables", "message"), FAULTS.values(), ids=FAULTS)
def test_a_mistake_is_one_line_with_what_where_and_cure(
    tables: dict[str, Any], variables: dict[str, str], message: str, environment: Callable[..., None]
) -> None:
    environment(**variables)
    with pytest.raises(PluginConfigError) as caught:
        make_app(None, Timing(), Silent(), **tables).setup_plugins()
    assert message in str(caught.value)
    assert "12345" not in str(caught.value)
    assert isinstance(caught.value, PluginSettingsError) and isinstance(caught.value, PluginLoadError)


def test_configuration_of_a_plugin_that_is_off_is_no_mistake() -> None:
    app = make_app(json={"anything": 1})
    app.config["PLUGINS_DISABLED"] = ["json"]
    app.setup_plugins()
    assert app.plugin_config(TimingConfig) == TimingConfig()


def test_configuration_of_a_plugin_of_the_project_that_is_not_enabled_is_no_mistake(
    tmp_path: Path, environment: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another application of the project may have it. It is not imported; a misspelt name is a mistake all the same."""
    (tmp_path / "shop_of_project.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pyproject.toml").write_text(
        "[tool.quart-plug.config.'shop_of_project:audit']\na = 1\n[tool.quart-plug.config.shop_of_project]\na = 1\n"
    )
    environment(SHOP_OF_PROJECT_AUDIT__A="1", SHOP_OF_PROJECT__A="1")
    app = make_app(tmp_path)
    app.setup_plugins()
    assert app.hooks.is_active("timing")
    for name in ("shop_of_projec", "signal"):  # the latter is a module of Python's, and nearly `signals`
        with pytest.raises(PluginConfigError, match=f"'{name}'. .code. configures a plugin that is not there"):
            make_app(tmp_path, **{name: {}}).setup_plugins()


def test_a_schema_that_nobody_declared() -> None:
    app = make_app()
    with pytest.raises(PluginConfigError, match=r"no active plugin has Limits .*that have one: security, timing"):
        app.plugin_config(Limits)
    with pytest.raises(PluginConfigError, match="'json' has no configuration_schema"):
        app.plugin_config("json")
    with pytest.raises(PluginConfigError, match=r"'nobody' has no configuration here: .* is not installed"):
        app.plugin_config("nobody")


@dataclass
class Documented:
    # how long to wait,
    # in seconds
    wait: float = 1.5
    host: str = "localhost"  # where it is
    port: Annotated[int, "the port"] = 80
    password: str = field(default="", metadata={"doc": "of the account"})
    url: str = "https://me:hidden@host/"
    """What is called."""
    tokens: dict[str, str] = field(default_factory=lambda: {"api_key": "hidden"}, metadata={"secret": False})
    inner: Limits = field(default_factory=Limits)


class Described:
    __quart_plug__ = {"name": "described"}

    @hookimpl
    def configuration_schema(self) -> type:
        return Documented


def test_it_can_be_shown_to_people(environment: Callable[..., None]) -> None:
    """Each entry with its type, documentation, source and variable; secrets are never shown."""
    environment(DESCRIBED__PORT="81")
    app = make_app(None, Described(), described={"password": "hidden", "inner": {"low": 5}})
    shown = {entry.name: entry for entry in app.plugin_config_fields("described")}
    assert [(e.name, e.type, e.value, e.documentation) for e in shown.values()] == [
        ("wait", "float", 1.5, "how long to wait, in seconds"),
        ("host", "str", "localhost", "where it is"),
        ("port", "int", 81, "the port"),
        ("password", "str", "…", "of the account"),
        ("url", "str", "https://me:…@host/", "What is called."),
        ("tokens", "dict[str, str]", {"api_key": "…"}, ""),
        ("inner", "Limits", {"low": 5, "high": 10}, ""),
    ]
    assert (shown["port"].default, shown["port"].source, shown["port"].variable) == (
        80, "environment QUART_PLUG_DESCRIBED__PORT", "QUART_PLUG_DESCRIBED__PORT",
    )  # fmt: skip
    assert "hidden" not in json.dumps([entry.to_json() for entry in shown.values()])


@pytest.mark.parametrize("given", [TimingConfig(api_key="hidden"), dict, "TimingConfig", 5], ids=repr)
def test_a_schema_that_is_no_dataclass(given: Any) -> None:
    class Wrong:
        __quart_plug__ = {"name": "wrong"}

        @hookimpl
        def configuration_schema(self) -> Any:
            return given

    with pytest.raises(PluginConfigError, match="configuration_schema of 'wrong' has to be a dataclass") as caught:
        make_app(None, Wrong()).setup_plugins()
    assert "hidden" not in str(caught.value)


def test_who_asks_for_the_configuration_of_a_plugin_that_failed_is_told_why(caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(timing={"digits": "x"})
    app.config["PLUGINS_STRICT"] = False
    for asked in (TimingConfig, "timing"):
        with pytest.raises(PluginConfigError, match=r"'timing' is failed: while it was configured: timing\.digits"):
            app.plugin_config(asked)
    assert "Started without these plugins" in caplog.text


def test_a_plugin_that_is_registered_before_the_set_up_is_known(environment: Callable[..., None]) -> None:
    environment(TIMING__DIGITS="8")
    app = Quart(__name__)
    app.hooks.register(Timing())
    assert app.plugin_config(TimingConfig).digits == 8


def test_a_plugin_that_comes_late_is_configured_too(environment: Callable[..., None]) -> None:
    app = make_app(None, Silent())
    app.setup_plugins()
    environment(TIMING__DIGITS="8")
    plugin = Timing()
    app.hooks.register(plugin)
    assert plugin.seen["setup"] == app.plugin_config(TimingConfig) == TimingConfig(digits=8)
    app.hooks.unregister("timing")
    with pytest.raises(PluginConfigError, match="no active plugin has TimingConfig"):
        app.plugin_config(TimingConfig)
    app.config["PLUGIN_CONFIG"]["timing"] = {"digits": 1.5}
    environment(TIMING__DIGITS="x")
    with pytest.raises(PluginConfigError, match=r"timing\.digits has to be an integer, not 'x'"):
        app.hooks.register(Timing())
    assert not app.hooks.is_active("timing")


@pytest.mark.parametrize(
    ("setting", "project", "message"),
    [
        ([1], "", "PLUGIN_CONFIG has to be a table of plugins, {name: {key: value}}, not [1]"),
        ({}, "config = 5", "pyproject.toml [tool.quart-plug.config] has to be a table of plugins, {name: "),
        ({}, "config.timing = 5", "[tool.quart-plug.config.timing] has to be a table, {key: value}, not 5"),
    ],
)
def test_what_is_no_table_of_tables(setting: Any, project: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.quart-plug]\n{project}\n")
    app = make_app(tmp_path)
    app.config["PLUGIN_CONFIG"] = setting
    with pytest.raises(PluginConfigError) as caught:
        app.setup_plugins()
    assert message in str(caught.value)
