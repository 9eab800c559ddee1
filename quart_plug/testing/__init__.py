"""Tests' side of the app: clients for requests and websockets, the lifespan, the command line.

Quart's names are in Quart's places; what is new besides is in `errors` and `clock`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .app import LifespanError, TestApp
from .client import QuartClient
from .clock import Clock
from .connections import TestHTTPConnection, TestWebsocketConnection
from .errors import (
    ASGIError,
    ClientGone,
    HTTPDisconnectError,
    WaitTimeoutError,
    WebsocketDisconnectError,
    WebsocketRefusedError,
    WebsocketResponseError,
)
from .utils import (
    make_test_body_with_headers,
    make_test_headers_path_and_query_string,
    make_test_scope,
    no_op_push,
    sentinel,
)

if TYPE_CHECKING:
    from .cli import QuartCliRunner as QuartCliRunner
    from .leaks import LeakError
    from .plug import Plug
    from .spying import Spy

__all__ = [
    "ASGIError",
    "ClientGone",
    "Clock",
    "HTTPDisconnectError",
    "LeakError",
    "LifespanError",
    "Plug",
    "QuartCliRunner",
    "QuartClient",
    "Spy",
    "TestApp",
    "TestHTTPConnection",
    "TestWebsocketConnection",
    "WaitTimeoutError",
    "WebsocketDisconnectError",
    "WebsocketRefusedError",
    "WebsocketResponseError",
    "make_test_body_with_headers",
    "make_test_headers_path_and_query_string",
    "make_test_scope",
    "no_op_push",
    "sentinel",
]


_LATE = {"Plug": ".plug", "Spy": ".spying", "LeakError": ".leaks"}


def __getattr__(name: str) -> Any:
    """What needs click, and what only tests of plugins need, comes when asked for."""
    if name in _LATE:
        return getattr(import_module(_LATE[name], __name__), name)
    if name in ("CliRunner", "QuartCliRunner"):
        from . import cli

        return getattr(cli, name)
    if name == "ScriptInfo":
        from ..cli import ScriptInfo

        return ScriptInfo
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
