"""One app's inspector, put together; imported in debug mode only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .feed import Inspection
from .guard import Guard
from .recorder import Recorder
from .settings import Settings, process_secret
from .views import make_blueprint

if TYPE_CHECKING:
    from quart_plug import Quart

__all__ = ["install", "tell_address"]


def install(app: Quart) -> str:
    """Add the routes and begin to record. Gives the page's path with its token."""
    settings = app.plugin_config(Settings)
    guard = Guard(app, settings, process_secret())
    recorder = Recorder(app, settings.history)
    app.register_blueprint(make_blueprint(app, Inspection(app, recorder), guard, settings.path))
    app.config.on_change.append(recorder.follow)
    recorder.turn(True)
    return f"{settings.path}/?token={guard.token}"


def tell_address(app: Quart, server: str | None, page: str) -> None:
    """Log where the page is, as far as it is known: not every server tells its address."""
    url = (server or "").replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    app.logger.info("The inspector is at %s%s", url, page)
