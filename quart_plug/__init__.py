"""quart-plug: a Python ASGI web framework with Flask's API, made of a small kernel and of plugins.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from .app import Quart
from .blueprints import Blueprint
from .compat import install_as_quart, install_if_asked
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
from .reexports import PACKAGE
from .signals import __all__ as _SIGNALS
from .templating import render_template, render_template_string, stream_template, stream_template_string
from .typing import ResponseReturnValue
from .wrappers import Request, Response, Websocket

__version__ = "0.1.0"

# The signals belong to a plugin: they are imported when one is asked for.
__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(_SIGNALS, "signals") | PACKAGE)

if TYPE_CHECKING:
    from .signals import *  # noqa: F403 - every signal, with its type

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

install_if_asked()  # QUART_PLUG_AS_QUART=1
__all__ += _SIGNALS
__all__.sort()
