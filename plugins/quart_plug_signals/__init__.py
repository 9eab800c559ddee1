"""The plugin `signals`: each moment of the lifecycle is sent as a blinker signal.

A receiver can exist only when the catalogue of signals was imported, so as long as nobody did, blinker is not
imported either; and a signal without receivers is not part of any compiled chain. The implementations have
names of their own (`send_…`), since the signals' names are those of this module's lazy attributes.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl
from quart_plug.signals import __all__ as _NAMES

if TYPE_CHECKING:
    from quart_plug import Quart, Response
    from quart_plug.ctx import Context

_CATALOGUE = f"{__name__}.catalogue"


def _heard(signal: str) -> Callable[[], bool]:
    """For `when`: whether anybody listens to the signal."""

    def is_heard() -> bool:
        catalogue = sys.modules.get(_CATALOGUE)
        return catalogue is not None and bool(getattr(catalogue, signal).receivers)

    return is_heard


async def _send(signal: str, app: Quart, /, *sender: Any, **values: Any) -> None:
    found = getattr(sys.modules[_CATALOGUE], signal)
    if found.receivers:
        await found.send_async(*(sender or (app,)), _sync_wrapper=app.ensure_async, **values)


# Requests


@hookimpl(specname="request_started", when=_heard("request_started"))
async def send_request_started(ctx: Context) -> None:
    await _send("request_started", ctx.app)


@hookimpl(specname="request_finished", when=_heard("request_finished"))
async def send_request_finished(ctx: Context, response: Response) -> None:
    await _send("request_finished", ctx.app, response=response)


@hookimpl(specname="request_failed", when=_heard("got_request_exception"))
async def send_got_request_exception(ctx: Context, error: BaseException) -> None:
    await _send("got_request_exception", ctx.app, exception=error)


@hookimpl(specname="request_teardown", when=_heard("request_tearing_down"))
async def send_request_tearing_down(ctx: Context, exc: BaseException | None) -> None:
    await _send("request_tearing_down", ctx.app, exc=exc)


# Websockets


@hookimpl(specname="websocket_started", when=_heard("websocket_started"))
async def send_websocket_started(ctx: Context) -> None:
    await _send("websocket_started", ctx.app)


@hookimpl(specname="websocket_finished", when=_heard("websocket_finished"))
async def send_websocket_finished(ctx: Context, response: Response | None) -> None:
    await _send("websocket_finished", ctx.app, response=response)


@hookimpl(specname="websocket_failed", when=_heard("got_websocket_exception"))
async def send_got_websocket_exception(ctx: Context, error: BaseException) -> None:
    await _send("got_websocket_exception", ctx.app, exception=error)


@hookimpl(specname="websocket_teardown", when=_heard("websocket_tearing_down"))
async def send_websocket_tearing_down(ctx: Context, exc: BaseException | None) -> None:
    await _send("websocket_tearing_down", ctx.app, exc=exc)


# First for what comes in, and after what goes out: receivers are given what the wire carries, whatever other plugins
# make of it.


@hookimpl(specname="websocket_received", tryfirst=True, when=_heard("websocket_received"))
async def send_websocket_received(ctx: Context, message: str | bytes) -> None:
    await _send("websocket_received", ctx.app, message)


@hookimpl(specname="websocket_sent", when=_heard("websocket_sent"))
async def send_websocket_sent(ctx: Context, message: str | bytes) -> None:
    await _send("websocket_sent", ctx.app, message)


# Contexts: the app's own one is pushed only when there is none.


@hookimpl(specname="context_pushed", when=_heard("appcontext_pushed"))
async def send_appcontext_pushed(ctx: Context) -> None:
    if ctx.outer is None:
        await _send("appcontext_pushed", ctx.app)


@hookimpl(specname="context_teardown", when=_heard("appcontext_tearing_down"))
async def send_appcontext_tearing_down(ctx: Context, exc: BaseException | None) -> None:
    await _send("appcontext_tearing_down", ctx.app, exc=exc)


@hookimpl(specname="context_popped", when=_heard("appcontext_popped"))
async def send_appcontext_popped(ctx: Context) -> None:
    if ctx.outer is None:
        await _send("appcontext_popped", ctx.app)


# The rest


def _make_lasting(context: dict[str, Any]) -> None:
    """Put the objects in the place of the proxies: tests keep a template's context beyond the request."""
    for name in ("g", "request", "session"):
        current = getattr(context.get(name), "_get_current_object", None)
        if current is not None:
            context[name] = current()


@hookimpl(specname="template_rendering", when=_heard("before_render_template"))
async def send_before_render_template(app: Quart, template: Any, context: dict[str, Any]) -> None:
    _make_lasting(context)
    await _send("before_render_template", app, template=template, context=context)


@hookimpl(specname="template_rendered", when=_heard("template_rendered"))
async def send_template_rendered(app: Quart, template: Any, context: dict[str, Any]) -> None:
    _make_lasting(context)
    await _send("template_rendered", app, template=template, context=context)


@hookimpl(specname="message_flashed", when=_heard("message_flashed"))
async def send_message_flashed(app: Quart, message: str, category: str) -> None:
    await _send("message_flashed", app, message=message, category=category)


@hookimpl(specname="background_failed", when=_heard("got_background_exception"))
async def send_got_background_exception(app: Quart, error: BaseException) -> None:
    await _send("got_background_exception", app, exception=error)


@hookimpl(specname="serving_failed", when=_heard("got_serving_exception"))
async def send_got_serving_exception(app: Quart, error: BaseException) -> None:
    await _send("got_serving_exception", app, exception=error)


# The moments that Quart has no signal for, as `quart_plug.signals.signal("response_sent")`; with the hook's arguments

MOMENTS = (
    *("startup", "draining", "shutdown", "route_matched", "response_sent", "websocket_closed"),
    *("background_started", "background_finished"),
)


def _named(signal: str) -> Any:
    """A signal that has been asked for by its name, or None: then nobody listens to it."""
    catalogue = sys.modules.get(_CATALOGUE)
    return None if catalogue is None else catalogue.NAMED.get(signal)


def _sender(signal: str, hook: str, of: Callable[[], Quart | None] | None = None) -> Callable[..., Any]:
    """An implementation of `hook` that sends the signal.

    of  gives the app, for a hook with neither an argument `app` nor `ctx`.
    """

    def is_heard() -> bool:
        found = _named(signal)
        return found is not None and bool(found.receivers)

    async def send(**values: Any) -> None:
        app = values.pop("app", None) or (values["ctx"].app if "ctx" in values else of and of())
        if app is not None and is_heard():
            await _named(signal).send_async(app, _sync_wrapper=app.ensure_async, **values)

    return hookimpl(specname=hook, when=is_heard)(send)


for _moment in MOMENTS:
    globals()[f"send_{_moment}"] = _sender(_moment, _moment)


# The signals of other plugins (hook `signals`)


def send_for(app: Quart, signals: Mapping[str, str], plugin: str) -> None:
    """Send each of a plugin's signals when its hook is called; `signals` has the hooks by the signals' names."""
    senders: dict[str, Any] = {"__quart_plug__": {"requires": [plugin]}}  # goes when the plugin goes
    for number, (signal, hook) in enumerate(signals.items()):
        senders[f"send_{number}"] = staticmethod(_sender(signal, hook, weakref.ref(app)))
    app.plugin_hooks.register(type("Signals", (), senders)(), f"{plugin}-signals")


def __getattr__(name: str) -> Any:
    if name not in _NAMES and name != "signal":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_CATALOGUE), name)
