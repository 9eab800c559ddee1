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
    if not app.debug:
        return
    from .feed import Inspection
    from .guard import Guard
    from .recorder import Recorder
    from .settings import process_secret
    from .views import make_blueprint

    settings = app.plugin_config(Settings)
    guard = Guard(app, settings, process_secret())
    recorder = Recorder(app, settings.history)
    app.register_blueprint(make_blueprint(app, Inspection(app, recorder), guard, settings.path))
    app.config.on_change.append(recorder.follow)
    recorder.turn(True)
    _pages[app] = f"{settings.path}/?token={guard.token}"


@hookimpl
def listening(app: Quart, url: str) -> None:
    _servers[app] = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


@hookimpl
def startup(app: Quart) -> None:
    page = _pages.get(app)
    if page is not None and app.debug:
        app.logger.info("The inspector is at %s%s", _servers.get(app, ""), page)
