"""quart-plug: a Python ASGI web framework with Flask's API, made of a small kernel and of plugins."""

from __future__ import annotations

from markupsafe import Markup, escape

from .app import Quart
from .blueprints import Blueprint
from .compat import install_as_quart
from .config import Config
from .ctx import (
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
)
from .exceptions import BadRequest, ConnectionClosed
from .globals import current_app, g, request, session, websocket
from .helpers import (
    abort,
    flash,
    get_flashed_messages,
    get_template_attribute,
    make_push_promise,
    make_response,
    redirect,
    send_file,
    send_from_directory,
    stream_with_context,
    url_for,
)
from .hooks import hookimpl, hookspec
from .hooks.names import lazy_names
from .json import jsonify
from .templating import render_template, render_template_string, stream_template, stream_template_string
from .typing import ResponseReturnValue
from .wrappers import Request, Response, Websocket

__version__ = "0.1.0"

_SIGNALS = (
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
)

# The signals belong to a plugin: they are imported when one is asked for.
__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(_SIGNALS, "signals"))

__all__ = [
    "BadRequest",
    "Blueprint",
    "Config",
    "ConnectionClosed",
    "Markup",
    "Quart",
    "Request",
    "Response",
    "ResponseReturnValue",
    "Websocket",
    "abort",
    "after_this_request",
    "after_this_websocket",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "current_app",
    "escape",
    "flash",
    "g",
    "get_flashed_messages",
    "get_template_attribute",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "hookimpl",
    "hookspec",
    "install_as_quart",
    "jsonify",
    "make_push_promise",
    "make_response",
    "redirect",
    "render_template",
    "render_template_string",
    "request",
    "send_file",
    "send_from_directory",
    "session",
    "stream_template",
    "stream_template_string",
    "stream_with_context",
    "url_for",
    "websocket",
]
