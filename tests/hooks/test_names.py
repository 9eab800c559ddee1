"""Names of thin modules come from a plugin's module, when they are first asked for."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from quart_plug.exceptions import PluginNotFound
from quart_plug.hooks.names import lazy_names, plugin_attribute


@pytest.fixture
def package(site: Any) -> Any:
    site.install("dist", fruit="fruit_plugin:plugin")
    folder = site.folder / "fruit_plugin"
    folder.mkdir()
    (folder / "__init__.py").write_text("plugin = object()\nAPPLE = 'apple'\n")
    (folder / "late.py").write_text("class Pear:\n    colour = 'green'\n")
    (folder / "broken.py").write_text("import no_such_module_at_all\n")
    return site


@pytest.mark.parametrize(
    ("attribute", "expected"), [("APPLE", "apple"), ("late.Pear.colour", "green")], ids=["name", "submodule"]
)
def test_attribute_of_the_entry_points_module(package: Any, attribute: str, expected: str) -> None:
    assert plugin_attribute("fruit", attribute) == expected


def test_unknown_names_are_told(package: Any) -> None:
    with pytest.raises(AttributeError, match=r"'fruit' \(fruit_plugin:plugin of dist\) has no 'PLUM'"):
        plugin_attribute("fruit", "PLUM")
    with pytest.raises(AttributeError, match=r"has no 'APPLE\.core'"):
        plugin_attribute("fruit", "APPLE.core")
    with pytest.raises(PluginNotFound):
        plugin_attribute("vegetables", "PLUM")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        plugin_attribute("fruit", "broken.X")


def test_lazy_names_make_a_thin_module(package: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    thin = ModuleType("thin_module")
    monkeypatch.setitem(sys.modules, "thin_module", thin)
    table = {"APPLE": "fruit", "Green": "fruit:late.Pear", "GONE": "fruit"}
    get, names = lazy_names("thin_module", table)
    thin.__dict__["__getattr__"] = get
    assert "fruit_plugin" not in sys.modules
    assert (thin.APPLE, thin.Green.colour) == ("apple", "green")
    assert "APPLE" in vars(thin)
    assert {"APPLE", "GONE", "Green", "__name__"} <= set(names())
    with pytest.raises(AttributeError, match="module 'thin_module' has no attribute 'nothing'"):
        thin.nothing
    with pytest.raises(ImportError):
        exec("from thin_module import GONE")
