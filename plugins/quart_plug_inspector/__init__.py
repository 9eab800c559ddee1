"""The plugin `inspector`: a page that shows what an app is made of and what happens in it, in debug mode only.

Plugins and why they are in their state, hooks with their implementations in call order, routes with who registered
them, settings with their sources, live websockets, and the latest requests with the time of each hook and plugin. See
guard.py for who may see it. Without debug mode nothing of it is there: no route, no hook, nothing recorded.

Plugins that implement the hook `inspector_panels` (specs.py) add tables of their own.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from quart_plug.hooks import hookimpl

from .settings import Settings
from .specs import Panel

if TYPE_CHECKING:
    from quart_plug import Quart

__all__ = ["Panel", "Settings"]

__quart_plug__ = {"hookspecs": ["quart_plug_inspector.specs"]}

# Where a page is, with its token; and where its app is, once a server has told.
_pages: weakref.WeakKeyDictionary[Quart, str] = weakref.WeakKeyDictionary()
_servers: weakref.WeakKeyDictionary[Quart, str] = weakref.WeakKeyDictionary()


@hookimpl
def configuration_schema(app: Quart) -> type[Settings]:
    return Settings


@hookimpl
def setup(app: Quart) -> None:
    if app.debug:
        from .inspector import install

        _pages[app] = install(app)


@hookimpl
def listening(app: Quart, url: str) -> None:
    _servers[app] = url


@hookimpl
def startup(app: Quart) -> None:
    page = _pages.get(app)
    if page is not None and app.debug:
        from .inspector import tell_address

        tell_address(app, _servers.get(app), page)
