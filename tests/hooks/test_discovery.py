"""Installed plugins are found by their metadata, without importing them, whatever is broken beside them."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from quart_plug.exceptions import PluginNotFound
from quart_plug.hooks import discovery
from quart_plug.hooks.discovery import Record, discover, find_record, import_reference


def test_records_hold_the_metadata_and_nothing_is_imported(site: Any) -> None:
    site.install("Quart.Plug-Rooms", "1.2", rooms="rooms_plugin:plugin [redis]")
    site.module("rooms_plugin", "raise AssertionError('imported')")
    found = discover()
    assert found.problems == ()
    assert found.records == (
        Record("rooms", "rooms_plugin:plugin [redis]", "Quart.Plug-Rooms", "1.2", False),
    )
    assert "rooms_plugin" not in sys.modules


def test_record_reads_its_value() -> None:
    record = Record("rooms", "rooms_plugin : plugin [redis,msgpack]", "dist", "1")
    assert (record.reference, record.extras) == ("rooms_plugin:plugin", ("redis", "msgpack"))
    assert record.qualified == "dist:rooms"


def test_first_party_is_the_distribution_quart_plug_by_any_spelling(site: Any) -> None:
    site.install("quart_plug", json="quart_plug_json")
    site.install("other", json="other_json", zebra="zebra")
    assert [(r.name, r.distribution, r.first_party) for r in discover().records] == [
        ("json", "quart_plug", True),
        ("json", "other", False),
        ("zebra", "other", False),
    ]


def test_distributions_without_our_group_are_passed_over(site: Any) -> None:
    site.write("other", "1", "[console_scripts]\nquart_plug.plugins = a:b\n")
    assert discover().records == ()


def test_broken_distribution_hides_only_itself(site: Any) -> None:
    site.install("good", good="good")
    site.write("broken", "1", "[quart_plug.plugins]\nbroken = broken\n", metadata="")
    site.write("odd", "1", "[quart_plug.plugins]\nno value\n# a comment\nodd = odd_module\n[other]\nx = y\n")
    found = discover()
    assert [record.name for record in found.records] == ["good", "odd"]
    assert len(found.problems) == 2
    assert any("broken" in problem and "reinstall" in problem for problem in found.problems)
    assert any("'no value'" in problem for problem in found.problems)


def test_folder_may_have_another_name_than_the_metadata(site: Any) -> None:
    text = "[quart_plug.plugins]\nodd = odd\n"
    site.write("folder", "1", text, metadata="Metadata-Version: 2.1\nName: real-name\nVersion: 4\n")
    site.write("nameless", "1", text, metadata="Metadata-Version: 2.1\n")
    found = discover()
    assert found.records == (Record("odd", "odd", "real-name", "4"),)
    assert len(found.problems) == 1


def test_distribution_that_is_installed_twice_counts_once(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first on sys.path is the one that imports find, though it may not have the plugin at all."""
    site.install("plugins", "2", new="new")
    site.install("stale", "1", stale="stale")
    folder = site.folder.parent / "later"
    folder.mkdir()
    later = type(site)(folder)
    later.install("plugins", "1", old="old")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert [record.name for record in discover().records] == ["old", "stale"]


def test_earlier_distribution_without_plugins_hides_a_later_one(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("plugins", "1", old="old")
    folder = site.folder.parent / "earlier"
    folder.mkdir()
    type(site)(folder).write("plugins", "2", "[console_scripts]\na = b:c\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert discover().records == ()


def test_result_is_kept_until_something_changes(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    first = discover()
    assert discover() is first
    folder = site.folder.parent / "more"
    folder.mkdir()
    type(site)(folder).install("more", more="more")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    assert [record.name for record in discover().records] == ["more"]
    second = discover()
    discovery.reset()
    assert discover() is not second
    assert discover() == second


def test_find_record_prefers_first_party_and_explains_absence(site: Any) -> None:
    site.install("another", json="other_json")
    site.install("quart-plug", json="quart_plug_json")
    assert find_record("json").first_party
    with pytest.raises(PluginNotFound, match="'jsn' is not installed"):
        find_record("jsn")


def test_import_reference_follows_the_path(site: Any) -> None:
    site.module("a_module", "class Outer:\n    inner = 1\n")
    assert import_reference("a_module").__name__ == "a_module"
    assert import_reference("a_module : Outer.inner [extra]") == 1
    with pytest.raises(ValueError, match="no! colon' is not an object reference"):
        import_reference("no! colon")
