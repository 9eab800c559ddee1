"""The plugin `sessions`: a session in a signed cookie, readable both ways with Flask's and Quart's.

Light to import: the interface is imported when an app asks for it, and itsdangerous at the first cookie that is read or
signed.
Other modules reach the names below through `quart_plug.sessions`.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from quart_plug.hooks import hookimpl

if TYPE_CHECKING:
    from quart_plug import Quart
    from quart_plug.typing import SessionInterface

_PLACES = {
    "NullSession": "session",
    "SecureCookieSession": "session",
    "SecureCookieSessionInterface": "cookie",
    "SessionInterface": "interface",
    "SessionMixin": "session",
}


@hookimpl
def session_interface(app: Quart) -> SessionInterface:
    from .cookie import SecureCookieSessionInterface

    return SecureCookieSessionInterface()


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{place}"), name)
