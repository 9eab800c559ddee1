"""Answers of hooks and functions that are of no use where they go: who gave them, and what was wanted.

Nothing is looked up before there is such an answer. Knows no chain: of a hook that several plugins implement all are
named that may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as RESPONSE  # what after functions give

from .kinds import REQUEST
from .scaffold import describe_function

if TYPE_CHECKING:
    from .ctx import Context
    from .hooks import PluginManager

__all__ = ["RESPONSE", "HookAnswer", "check_response", "describe_hook", "wrong_answer"]


def describe_hook(hooks: PluginManager, hook: str, plugins: Iterable[str] | None = None) -> str:
    """A hook with those who implement it, for a message: hook 'request_after' (implemented by plugin 'rooms').

    plugins  the names of those that are meant; None for all, but those of quart-plug's own if there are others.
    """
    names = [i.plugin for i in hooks.implementations(hook)] if plugins is None else plugins
    origins = [hooks.origin(name) for name in dict.fromkeys(names)]
    if plugins is None:
        origins = [origin for origin in origins if origin.distribution != "quart-plug"] or origins
    return f"hook {hook!r} (implemented by {', '.join(map(str, origins))})"


def wrong_answer(hooks: PluginManager, hook: str, value: Any, wanted: str) -> TypeError:
    """The error of a hook that did not answer with what it has to."""
    return TypeError(f"the {describe_hook(hooks, hook)} answered with {_show(value)}; it has to be {wanted}")


class HookAnswer:
    """What a hook answered in a view's place."""

    __slots__ = ("hook", "hooks", "value")

    def __init__(self, hooks: PluginManager, hook: str, value: Any) -> None:
        self.hooks = hooks
        self.hook = hook
        self.value = value

    def whose(self, result: Any, view: Any) -> Any:
        """Whose `result` is, for the message about it: this hook's, or the view's."""
        return self if result is self.value else view

    def __str__(self) -> str:
        return describe_hook(self.hooks, self.hook)


def check_response(ctx: Context, source: Any, response: Any) -> None:
    """TypeError when a function that runs after the view gave no response and there has to be one.

    source  the function, or the name of the hook.
    """
    if isinstance(response, HTTPException):  # can be made one
        return
    kind = ctx.kind
    if kind is not REQUEST and (response is None or ctx.websocket._socket.state != "connecting"):
        return  # nobody gets it
    wanted = "the response, the one that it was given or another"
    if isinstance(source, str):
        raise wrong_answer(ctx.app.plugin_hooks, source, response, wanted)
    raise TypeError(
        f"the after function {describe_function(source)} returned {_show(response)}; it has to return {wanted}"
    )


def _show(value: Any) -> str:
    """A value with its type: None, a str: 'x'."""
    if value is None:
        return "None"
    noun, text = type(value).__name__, repr(value)
    return f"{'an' if noun[0] in 'aeioAEIO' else 'a'} {noun}: {text if len(text) <= 80 else text[:77] + '...'}"
