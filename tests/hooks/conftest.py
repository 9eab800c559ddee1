"""Fakes for the tests of the hook engine: modules that are plugins, and distributions that have them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import importlib_metadata
import pytest

from quart_plug.hooks import PluginManager, discovery, hookspec
from quart_plug.hooks.discovery import Discovery, Record


class Specs:
    """A few hooks of every kind."""

    @hookspec(kind="notify", colour="sync")
    def setup(self, app: Any) -> None:
        """Set up."""

    @hookspec(kind="collect", colour="sync")
    def names(self, app: Any) -> None:
        """Give a name."""

    @hookspec(kind="first", colour="sync", provider="json")
    def provider(self, app: Any, name: str) -> None:
        """Fill the slot."""

    @hookspec(kind="first")
    async def before(self, ctx: Any) -> None:
        """May answer."""

    @hookspec(kind="around")
    async def around(self, ctx: Any) -> None:
        """Around it."""


@pytest.fixture
def specs() -> type[Specs]:
    return Specs


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ModuleType]:
    """Make a module that can be imported, from source; hookimpl is there."""

    def make(name: str, source: str = "") -> ModuleType:
        made = ModuleType(name)
        made.__file__ = f"{name}.py"
        exec(f"from quart_plug.hooks import hookimpl\n{source}", made.__dict__)
        monkeypatch.setitem(sys.modules, name, made)
        return made

    return make


@pytest.fixture
def manager(specs: type[Specs]) -> Callable[..., PluginManager]:
    """Make a manager that finds exactly these records."""

    def make(*records: Record, core: tuple[str, ...] = (), **options: Any) -> PluginManager:
        made = PluginManager(discover=lambda: Discovery(records), core=core, **options)
        made.add_hookspecs(specs)
        return made

    return make


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """An empty folder that is the only one on sys.path that distributions are looked for in."""
    assert importlib_metadata  # imported before its own folder leaves sys.path
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", [str(folder), *(p for p in sys.path if "site-packages" not in p)])
    monkeypatch.chdir(folder)
    discovery.reset()
    yield Site(folder)
    discovery.reset()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


class Site:
    """A folder with installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, version: str = "1.0", **entry_points: str) -> None:
        lines = "".join(f"{name} = {value}\n" for name, value in entry_points.items())
        self.write(distribution, version, f"[console_scripts]\nx = y:z\n\n[quart_plug.plugins]\n{lines}")

    def write(self, distribution: str, version: str, entry_points: str, metadata: str | None = None) -> None:
        folder = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        folder.mkdir()
        text = (
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
            if metadata is None
            else metadata
        )
        (folder / "METADATA").write_text(text)
        (folder / "entry_points.txt").write_text(entry_points)

    def module(self, name: str, source: str) -> None:
        (self.folder / f"{name}.py").write_text(source)
