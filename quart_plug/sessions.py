"""Quart's `quart.sessions`, by name: the plugin's classes, imported on first use. Enables nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .hooks.names import lazy_names
from .reexports import SESSIONS

if TYPE_CHECKING:
    from quart_plug_sessions.cookie import SecureCookieSessionInterface
    from quart_plug_sessions.interface import SessionInterface
    from quart_plug_sessions.session import NullSession, SecureCookieSession, SessionMixin

__all__ = [
    "NullSession",
    "SecureCookieSession",
    "SecureCookieSessionInterface",
    "SessionInterface",
    "SessionMixin",
]

__getattr__, __dir__ = lazy_names(__name__, dict.fromkeys(__all__, "sessions") | SESSIONS)
