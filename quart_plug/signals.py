"""Quart's `quart.signals`, by name: the signals are the plugin's, imported on first use. Enables nothing.

With the plugin turned off they can still be imported and connected to; nobody sends them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .hooks.names import lazy_names

if TYPE_CHECKING:
    from quart_plug_signals.catalogue import (
        Namespace,
        appcontext_popped,
        appcontext_pushed,
        appcontext_tearing_down,
        before_render_template,
        got_background_exception,
        got_request_exception,
        got_serving_exception,
        got_websocket_exception,
        message_flashed,
        request_finished,
        request_started,
        request_tearing_down,
        signals_available,
        template_rendered,
        websocket_finished,
        websocket_received,
        websocket_sent,
        websocket_started,
        websocket_tearing_down,
    )
    from quart_plug_signals.catalogue import signal as signal

__all__ = [
    "Namespace",
    "appcontext_popped",
    "appcontext_pushed",
    "appcontext_tearing_down",
    "before_render_template",
    "got_background_exception",
    "got_request_exception",
    "got_serving_exception",
    "got_websocket_exception",
    "message_flashed",
    "request_finished",
    "request_started",
    "request_tearing_down",
    "signals_available",
    "template_rendered",
    "websocket_finished",
    "websocket_received",
    "websocket_sent",
    "websocket_started",
    "websocket_tearing_down",
]

# `signal(name)`, for the signals of plugins, is not one of those names that the package offers as well.
__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys((*__all__, "signal"), "signals"))
