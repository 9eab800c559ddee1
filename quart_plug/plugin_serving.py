"""The plugins' part of the app's life in a server, each plugin's on its own.

A plugin takes part by the hooks `startup`, `lifespan` and `shutdown`, and by what its set-up registered with
`before_serving`, `while_serving` and `after_serving`. One that fails there is stopped and rolled back, with those that
require it; if the app needs it, the app does not start. One that comes or goes while the app serves is started and
stopped alone.

Must not know: servers.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from .exceptions import PluginLoadError
from .hooks.entries import told
from .moments import telling

if TYPE_CHECKING:
    from .app import Quart

logger = logging.getLogger("quart_plug.plugins")

_HOOKS = ("startup", "lifespan", "shutdown", "draining")
_FUNCTIONS = ("before_serving_funcs", "while_serving_gens", "after_serving_funcs")


class PluginServing:
    """is_serving   whether the app has started and not begun to stop.
    is_starting  whether it is about to have started: who comes now is started alone, who goes is stopped.
    """

    def __init__(self, app: Quart) -> None:
        self.app = app
        self.is_serving = self.is_starting = False
        self._apart: set[str] = set()  # who came while the app started, and is started apart from the others
        self._called: set[str] = set()  # whose `before_serving` function was called while the app started
        self._started: list[str] = []  # whose `startup` has run
        self._entered: list[tuple[str, Any]] = []  # whose `lifespan` was entered, and what leaves it
        self._begun: list[AsyncGenerator[None, None]] = []  # `while_serving` of the app and of plugins

    @property
    def is_live(self) -> bool:
        """Whether a plugin that comes or goes has to be started or stopped at once."""
        return self.is_serving or self.is_starting

    def owner(self, function: Any) -> str | None:
        """The plugin whose set-up registered this function, or None."""
        return self.app.plugin_setup.footprints.owner(function)

    def parts(self, plugin: str) -> list[str]:
        """By what the plugin takes part in the app's life."""
        hooks = self.app.plugin_hooks
        found = [hook for hook in _HOOKS if any(i.plugin == plugin for i in hooks.implementations(hook))]
        return found + [table for table in _FUNCTIONS if any(self._of(plugin, table))]

    def _of(self, plugin: str | None, table: str) -> Iterator[Any]:
        """What is registered in a table by a plugin, or (None) by the application."""
        return (function for function in list(getattr(self.app, table)) if self.owner(function) == plugin)

    # Starting

    async def start(self) -> None:
        """Start the plugins, then what the app and they registered; in an application context.

        What an app's own function raises is raised; PluginLoadError for a plugin that the app needs.
        """
        app, hooks = self.app, self.app.plugin_hooks
        self.is_starting = True
        self._apart, self._called = set(), set()
        try:
            for hook, step in (("startup", self._start), ("lifespan", self._enter)):
                for implementation in hooks.implementations(hook):
                    if hooks.is_active(implementation.plugin) and implementation.plugin not in self._apart:
                        await self._attempt(implementation.plugin, step, implementation)
            for function in list(app.before_serving_funcs):
                await self._attempt_function(app.before_serving_funcs, function, self._call, function)
            for generator in list(app.while_serving_gens):
                await self._attempt_function(app.while_serving_gens, generator, self._begin, generator)
            self.is_serving = True
        finally:
            self.is_starting = False

    async def start_one(self, plugin: str) -> None:
        """Start a plugin that came while the app serves, or starts. What it raises is raised, and then it is stopped
        again."""
        hooks = self.app.plugin_hooks
        self._apart.add(plugin)
        try:
            for hook, step in (("startup", self._start), ("lifespan", self._enter)):
                for implementation in hooks.implementations(hook):
                    if implementation.plugin == plugin:
                        await step(implementation)
            for function in self._of(plugin, "before_serving_funcs"):
                await self._call(function)
            for generator in self._of(plugin, "while_serving_gens"):
                await self._begin(generator)
        except BaseException:
            await self.abandon(plugin)
            raise

    async def _start(self, implementation: Any) -> None:
        await _alone(self.app.plugin_hooks.call_one(implementation), self.app)
        self._started.append(implementation.plugin)

    async def _enter(self, implementation: Any) -> None:
        around = self.app.plugin_hooks.call_one(implementation)(self.app)
        await around.__aenter__()
        self._entered.append((implementation.plugin, around))

    async def _call(self, function: Callable[..., Any]) -> None:
        await self.app.ensure_async(function)()
        plugin = self.owner(function)
        if plugin is not None:
            self._called.add(plugin)

    async def _begin(self, generator: AsyncGenerator[None, None]) -> None:
        self._begun.append(generator)
        await anext(generator)

    async def _attempt_function(self, table: list[Any], function: Any, call: Callable[..., Any], *args: Any) -> None:
        if any(kept is function for kept in table):  # it may have gone with its plugin
            plugin = self.owner(function)
            if plugin is None:
                await call(*args)
            elif plugin not in self._apart:
                await self._attempt(plugin, call, *args)

    async def _attempt(self, plugin: str, step: Callable[..., Any], *args: Any) -> None:
        try:
            await step(*args)
        except Exception as error:
            hooks = self.app.plugin_hooks
            origin = hooks.origin(plugin)
            if hooks.is_needed(plugin):
                raise PluginLoadError(
                    f"{origin} failed while the app started: {told(error)}\nCorrect that, or turn it off "
                    f"(QUART_PLUG_DISABLE={plugin}), or start without it (PLUGINS_STRICT = False)."
                ) from error
            for name in (*hooks.dependents(plugin), plugin):
                await self.abandon(name)
            hooks.mark_failed(plugin, error, "while the app started")

    # Stopping

    async def stop(self) -> list[Exception]:
        """Stop everything, in an application context; gives what failed.

        Where something of the application's fails, its other functions are not called, as in Quart; plugins' are.
        """
        self.is_serving = False
        app = self.app
        present = frozenset(app.plugin_hooks.names)
        failures: list[Exception] = []
        steps: list[tuple[Any, Callable[[], Any]]] = [
            (generator, partial(self._end, generator)) for generator in reversed(app.while_serving_gens)
        ]
        steps += [(function, app.ensure_async(function)) for function in app.after_serving_funcs]
        own_failed = False
        for thing, call in steps:
            is_own = self.owner(thing) is None
            if is_own and own_failed:
                continue
            before = len(failures)
            await _try(failures, call)
            own_failed = own_failed or (is_own and len(failures) > before)
        for plugin, _ in reversed(self._entered):
            await _try(failures, self._leave, plugin)
        # Who comes while the app stops has not been started.
        shutdown = app.plugin_hooks.call("shutdown", frozenset(app.plugin_hooks.names) - present)
        if shutdown is not None:
            await _try(failures, _alone, shutdown, app)
        self._started = []
        return failures

    async def stop_one(self, plugin: str) -> None:
        """Stop a plugin that goes while the app serves, or starts: then what of it has started. All of that runs; one
        failure is raised as it is."""
        app = self.app
        failures: list[Exception] = []
        has_started = self.is_serving or plugin in self._apart
        for generator in reversed(list(self._of(plugin, "while_serving_gens"))):
            if generator in self._begun:
                await _try(failures, self._end, generator)
        if has_started or plugin in self._called:
            for function in self._of(plugin, "after_serving_funcs"):
                await _try(failures, app.ensure_async(function))
        await _try(failures, self._leave, plugin)
        await _try(failures, self._shut_down, plugin, always=has_started)
        self._apart.discard(plugin)
        self._called.discard(plugin)
        if failures:
            raise failures[0] if len(failures) == 1 else ExceptionGroup(f"stopping {plugin!r} failed", failures)

    async def abandon(self, plugin: str | None) -> None:
        """Put away what a plugin (None: everybody) has begun, when the start failed. What fails is logged."""
        failures: list[Exception] = []
        if plugin is not None:
            self._apart.discard(plugin)
        for generator in reversed(self._begun.copy()):
            if plugin is None or self.owner(generator) == plugin:
                self._begun.remove(generator)
                await _try(failures, generator.aclose)
        for name in [plugin] if plugin is not None else list(dict.fromkeys(n for n, _ in reversed(self._entered))):
            await _try(failures, self._leave, name)
        for name in [plugin] if plugin is not None else list(dict.fromkeys(reversed(self._started))):
            await _try(failures, self._shut_down, name)
        for error in failures:
            logger.error("Stopping what had started failed: %s", error, exc_info=error)

    async def _end(self, generator: AsyncGenerator[None, None]) -> None:
        if generator in self._begun:
            self._begun.remove(generator)
        try:
            await anext(generator)
        except StopAsyncIteration:
            return
        raise RuntimeError(f"the while_serving generator {generator!r} yielded twice")

    async def _leave(self, plugin: str) -> None:
        for name, around in reversed(self._entered.copy()):
            if name == plugin:
                self._entered = [kept for kept in self._entered if kept[1] is not around]
                await around.__aexit__(None, None, None)

    async def _shut_down(self, plugin: str, always: bool = False) -> None:
        if not always and plugin not in self._started:
            return
        self._started = [name for name in self._started if name != plugin]
        for implementation in self.app.plugin_hooks.implementations("shutdown"):
            if implementation.plugin == plugin:
                await _alone(self.app.plugin_hooks.call_one(implementation), self.app)


async def _alone(chain: Callable[..., Any] | None, *args: Any) -> None:
    """Call a hook of kind notify; a single failure is raised as itself."""
    tell = telling(chain)
    if tell is not None:
        await tell(*args)


async def _try(failures: list[Exception], function: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    try:
        await function(*args, **kwargs)
    except Exception as error:
        failures.append(error)
