"""What is current: the context of an app, a request or a websocket (context.py, connections.py), and who asks
for it (current.py)."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from ..hooks.names import lazy_names
from ..namespace import Globals
from ..reexports import CTX
from .connections import RequestContext, WebsocketContext, connection_context, context_of
from .context import NO_VALUES, Context
from .current import (
    after_this_request,
    after_this_websocket,
    copy_current_app_context,
    copy_current_request_context,
    copy_current_websocket_context,
    has_app_context,
    has_request_context,
    has_websocket_context,
    iterate_within,
)

# Quart's names; extensions annotate with the private one
AppContext = Context
_AppCtxGlobals = Globals

# What Quart offers here as well; it lives in modules above this one, and in plugins.
__getattr__, __dir__ = lazy_names(__name__, CTX)

__all__ = [
    "NO_VALUES",
    "AppContext",
    "Context",
    "HTTPException",
    "MapAdapter",
    "RequestContext",
    "WebsocketContext",
    "after_this_request",
    "after_this_websocket",
    "connection_context",
    "context_of",
    "copy_current_app_context",
    "copy_current_request_context",
    "copy_current_websocket_context",
    "has_app_context",
    "has_request_context",
    "has_websocket_context",
    "iterate_within",
]
