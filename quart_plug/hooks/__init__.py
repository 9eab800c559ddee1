"""The hook engine: markers for plugin authors, and one plugin manager for each app. Knows no HTTP."""

from __future__ import annotations

from .changes import change_listeners, notify_change
from .manager import PluginManager
from .markers import hookimpl, hookspec
from .tracing import Span

__all__ = ["PluginManager", "Span", "change_listeners", "hookimpl", "hookspec", "notify_change"]
