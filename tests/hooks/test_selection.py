"""Which plugins are loaded follows from what is installed and from the settings, strongest first."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from quart_plug.exceptions import PluginNotFound, PluginSettingsError
from quart_plug.hooks import PluginManager
from quart_plug.hooks.discovery import Discovery, Record
from quart_plug.hooks.selection import Selection, local_name, select
from quart_plug.hooks.settings import Level, Wanted

JSON = Record("json", "quart_plug_json", "quart-plug", "1", True)
ROOMS = Record("rooms", "quart_plug_rooms", "quart-plug", "1", True)
CHAT = Record("chat", "chat_plugin:plugin", "chatty", "2")
INSTALLED = (CHAT, JSON, ROOMS)


def level(enable: Any = (), disable: Any = (), place: str = "here", **flags: Any) -> Level:
    return Level(
        tuple(Wanted(item, place) for item in enable),
        tuple(Wanted(item, f"{place}!") for item in disable),
        **flags,
    )


def choose(
    *levels: Level, records: tuple[Record, ...] = INSTALLED, core: tuple[str, ...] = ("json",)
) -> Selection:
    return select(Discovery(records), levels, core=core)


def statuses(selection: Selection) -> dict[str, str]:
    return {choice.name: choice.status for choice in selection.choices}


def reasons(selection: Selection) -> dict[str, str]:
    return {choice.name: choice.reason for choice in selection.choices}


def test_core_is_on_and_the_rest_is_off() -> None:
    found = choose()
    assert statuses(found) == {"json": "selected", "chat": "disabled", "rooms": "disabled"}
    assert reasons(found)["chat"] == "installed, but not enabled"
    assert (found.choices[0].requested_by, found.choices[0].required) == (("core",), True)


def test_core_comes_first_then_what_is_asked_for_weakest_level_first() -> None:
    found = choose(level(["rooms"]), level(["chat"]))
    assert [choice.name for choice in found.choices] == ["json", "chat", "rooms"]


def test_asked_for_by_name_keeps_every_place() -> None:
    found = choose(level(["chat"], place="environment"), level(["chat"], place="config"))
    (chat,) = [choice for choice in found.choices if choice.name == "chat"]
    assert (chat.status, chat.requested_by, chat.required) == ("selected", ("environment", "config"), True)


def test_the_strongest_level_decides() -> None:
    assert statuses(choose(level(["chat"]), level(disable=["chat"])))["chat"] == "selected"
    found = choose(level(disable=["chat", "json"], place="environment"), level(["chat"]))
    assert statuses(found)["chat"] == statuses(found)["json"] == "disabled"
    assert reasons(found)["chat"] == "disabled by environment!"


def test_within_a_level_disable_beats_enable() -> None:
    assert statuses(choose(level(["chat"], ["chat"])))["chat"] == "disabled"


def test_autoload_turns_on_what_is_installed_and_not_disabled() -> None:
    found = choose(level(disable=["rooms"]), level(autoload=(True, "autoload")))
    assert statuses(found) == {"json": "selected", "chat": "selected", "rooms": "disabled"}
    (chat,) = [choice for choice in found.choices if choice.name == "chat"]
    assert (chat.requested_by, chat.required) == (("autoload",), False)


def test_strongest_autoload_decides() -> None:
    found = choose(level(autoload=(False, "a")), level(autoload=(True, "b")))
    assert statuses(found)["chat"] == "disabled"


def test_safe_mode_leaves_core_only_and_what_is_disabled_off() -> None:
    safe = (True, "environment X")
    found = choose(
        level(["unknown", object()], safe_mode=safe), level(["chat"], ["json"], autoload=(True, "a"))
    )
    assert set(statuses(found).values()) == {"disabled"}
    found = choose(level(safe_mode=safe), level(autoload=(True, "a")))
    assert statuses(found) == {"json": "selected", "chat": "disabled", "rooms": "disabled"}
    assert reasons(found)["rooms"] == "safe mode (environment X): core plugins only"


def test_core_plugin_that_is_not_installed_is_missing() -> None:
    found = choose(records=())
    assert statuses(found) == {"json": "missing"}
    assert found.problems == ()


@pytest.mark.parametrize("item", ["chat", "Chatty:chat", "chat_plugin:plugin"])
def test_an_installed_plugin_may_be_named_in_three_ways(item: str) -> None:
    assert statuses(choose(level([item])))["chat"] == "selected"


def test_all_unknown_names_are_told_at_once_with_suggestions_and_places() -> None:
    (problem,) = choose(
        level(["chatt", "no.such_package_here"], ["jsno"], place="config"), level(["rooms"])
    ).problems
    assert isinstance(problem, PluginNotFound)
    assert str(problem).splitlines()[1:] == [
        "  - 'chatt' in config (did you mean 'chat'?)",
        "  - 'no.such_package_here' in config",
        "  - 'jsno' in config! (did you mean 'json'?)",
    ]


# Local plugins


def test_import_strings_and_objects_are_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("local_plugin")
    monkeypatch.setitem(sys.modules, "local_package", ModuleType("local_package"))

    class Plugin: ...

    one, two = Plugin(), Plugin()
    found = choose(level(["local_package.plugin:obj", module, one, two, one]))
    names = [choice.name for choice in found.choices if choice.status == "selected"]
    assert names == [
        "json",
        "local_package.plugin:obj",
        "local_plugin",
        local_name(one),
        f"{local_name(one)}#2",
    ]


def test_the_import_strings_package_is_looked_for_and_not_imported(site: Any) -> None:
    site.module("local_plugin", "raise AssertionError('imported')")
    assert statuses(choose(level(["local_plugin"])))["local_plugin"] == "selected"
    assert "local_plugin" not in sys.modules


def test_module_of_an_installed_plugin_is_that_plugin() -> None:
    found = choose(level([ModuleType("quart_plug_rooms")]))
    assert statuses(found)["rooms"] == "selected"
    assert len(found.choices) == 3


def test_any_level_may_name_an_object_that_another_gives() -> None:
    class Plugin:
        __quart_plug__ = {"name": "mine"}

    found = choose(level(["mine"]), level([Plugin()]))
    assert (statuses(found)["mine"], found.problems) == ("selected", ())


def test_finder_that_fails_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
            raise ImportError(name)

    monkeypatch.setattr(sys, "meta_path", [Finder()])
    (problem,) = choose(level(["nowhere_to_be_found"])).problems
    assert "'nowhere_to_be_found' in here" in str(problem)


def test_local_plugin_may_be_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "local_plugin", ModuleType("local_plugin"))
    for item in ("local_plugin", sys.modules["local_plugin"]):
        found = choose(level(disable=["local_plugin"]), level([item]))
        assert statuses(found)["local_plugin"] == "disabled"
        assert found.problems == ()


def test_name_of_an_object_may_be_declared() -> None:
    class Plugin:
        __quart_plug__ = {"name": "mine"}

    assert local_name(Plugin()) == "mine"
    assert local_name(Plugin) == "mine"
    assert statuses(choose(level([Plugin()])))["mine"] == "selected"


def test_object_does_not_take_an_installed_plugins_name() -> None:
    class Plugin:
        __quart_plug__ = {"name": "chat"}

    found = statuses(choose(level([Plugin()])))
    assert (found["chat"], found["chat#2"]) == ("disabled", "selected")


# Two distributions with one name

OTHER_JSON = Record("json", "fast_json", "fast", "3")
CHAT_TWO = Record("chat", "chat_two", "chatty-two", "5")


def by_distribution(selection: Selection, name: str) -> dict[str, str]:
    return {
        c.record.distribution: c.status for c in selection.choices if c.name == name and c.record is not None
    }


def test_first_party_wins_and_the_other_is_shadowed() -> None:
    found = choose(level(autoload=(True, "autoload")), records=(JSON, OTHER_JSON))
    assert by_distribution(found, "json") == {"quart-plug": "selected", "fast": "shadowed"}
    assert found.choices[1].reason == "'quart-plug:json' has the same name and is first-party"


@pytest.mark.parametrize("records", [(JSON, OTHER_JSON), (OTHER_JSON,)], ids=["turned off", "not installed"])
def test_a_core_plugins_name_does_not_enable_another_distributions_plugin(records: tuple[Record, ...]) -> None:
    found = choose(level(disable=["quart-plug:json"] if JSON in records else []), records=records)
    assert by_distribution(found, "json")["fast"] == "disabled"
    assert {choice.reason for choice in found.choices if choice.record == OTHER_JSON} == {"installed, but not enabled"}


def test_other_distribution_is_chosen_by_its_name() -> None:
    found = choose(level(["fast:json"], place="config"), records=(JSON, OTHER_JSON))
    assert by_distribution(found, "json") == {"quart-plug": "shadowed", "fast": "selected"}
    assert found.choices[0].reason == "'fast:json' has the same name and is chosen by config"


def test_disabling_one_distribution_leaves_the_other() -> None:
    found = choose(level(disable=["chatty:chat"]), level(["chat"]), records=(CHAT, CHAT_TWO))
    assert by_distribution(found, "chat") == {"chatty": "disabled", "chatty-two": "selected"}


def test_without_first_party_one_has_to_be_chosen() -> None:
    found = choose(level(["chat"], place="config"), records=(CHAT, CHAT_TWO))
    (problem,) = found.problems
    assert isinstance(problem, PluginSettingsError)
    assert "choose one of 'chatty:chat', 'chatty-two:chat' in config" in str(problem)
    assert by_distribution(found, "chat") == {"chatty": "blocked", "chatty-two": "blocked"}
    chosen = choose(level(["chatty-two:chat"]), level(["chat"]), records=(CHAT, CHAT_TWO))
    assert by_distribution(chosen, "chat") == {"chatty": "shadowed", "chatty-two": "selected"}
    assert chosen.problems == ()


def test_two_that_nobody_enabled_harm_nobody() -> None:
    found = choose(records=(CHAT, CHAT_TWO))
    assert by_distribution(found, "chat") == {"chatty": "disabled", "chatty-two": "disabled"}
    assert found.problems == ()


def test_choosing_both_is_a_contradiction_unless_at_different_levels() -> None:
    both = ["chatty:chat", "chatty-two:chat"]
    assert len(choose(level(both), records=(CHAT, CHAT_TWO)).problems) == 1
    found = choose(level(both[1:]), level(both[:1]), records=(CHAT, CHAT_TWO))
    assert by_distribution(found, "chat") == {"chatty": "shadowed", "chatty-two": "selected"}


@pytest.mark.parametrize(
    ("settings", "reads"),
    [
        ({"PLUGINS_DISABLED": ["json"]}, False),
        ({"PLUGINS_DISABLED": ["json"], "PLUGINS_AUTOLOAD": False}, False),
        ({}, True),
        ({"PLUGINS_DISABLED": ["json", "rooms"]}, True),
        ({"PLUGINS_DISABLED": ["json"], "PLUGINS": ["chat"]}, True),
        ({"PLUGINS_DISABLED": ["json"], "PLUGINS_AUTOLOAD": True}, True),
    ],
)
def test_metadata_is_read_only_where_it_decides(settings: dict[str, Any], reads: bool, module: Any) -> None:
    """With exactly the core plugins off and nothing asked for, nothing is loaded, whatever is installed.

    Whoever looks at what there is finds all of it nonetheless.
    """
    for record in INSTALLED:
        module(record.reference.partition(":")[0], "plugin = None")
    read = []

    def discover() -> Discovery:
        read.append(True)
        return Discovery(INSTALLED, ("one is broken",))

    manager = PluginManager(discover=discover, core=("json",))
    manager.select(config=settings)
    manager.load_selected()
    assert bool(read) is reads
    expected = choose(level(disable=settings.get("PLUGINS_DISABLED", ())))
    known = manager.report()
    assert read
    assert {plugin.name for plugin in known.plugins} == {choice.name for choice in expected.choices}
    assert known["json"].version == "1"
    assert known.problems == ("one is broken",)
    if not reads:
        assert manager.knows("rooms")
        assert {plugin.status for plugin in known.plugins} == {"disabled"}
        assert "PLUGINS_DISABLED" in manager.explain("json")


def test_a_misspelt_name_beside_all_of_core_is_found() -> None:
    manager = PluginManager(discover=lambda: Discovery(INSTALLED), core=("json",))
    with pytest.raises(PluginNotFound, match="did you mean 'rooms'"):
        manager.select(config={"PLUGINS_DISABLED": ["json", "roms"]})


def test_a_plugin_is_registered_where_metadata_was_not_read(specs: Any) -> None:
    """What is known by then is kept: the report has both."""
    manager = PluginManager(discover=lambda: Discovery(INSTALLED), core=("json",))
    manager.add_hookspecs(specs)
    manager.select(config={"PLUGINS_DISABLED": ["json"]})
    manager.load_selected()

    class Mine:
        __quart_plug__ = {"name": "mine"}

    manager.register(Mine())
    assert [(plugin.name, plugin.status) for plugin in manager.report().plugins] == [
        ("mine", "active"),
        ("json", "disabled"),
        ("chat", "disabled"),
        ("rooms", "disabled"),
    ]
