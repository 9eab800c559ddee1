"""The app's life in a server: start-up, shutdown, what runs around them, background tasks; and running it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from . import background
from .draining import close_websockets
from .exceptions import PluginLoadError
from .hooks.entries import told
from .lifecycle import raise_together
from .plugin_serving import PluginServing

if TYPE_CHECKING:
    from .app import Quart

F = TypeVar("F", bound=Callable[..., Any])


class Serving:
    """Mixed into `Quart`."""

    before_serving_funcs: list[Callable[..., Any]]
    after_serving_funcs: list[Callable[..., Any]]
    while_serving_gens: list[AsyncGenerator[None, None]]
    _plugin_serving: PluginServing
    _is_draining = False

    def before_serving(self: Quart, func: F) -> F:  # type: ignore[misc]  # mixed into Quart
        """Call `func()` when the server starts, in an application context."""
        self._check_function(func, "before_serving")
        self.before_serving_funcs.append(func)
        return func

    def after_serving(self: Quart, func: F) -> F:  # type: ignore[misc]  # mixed into Quart
        """Call `func()` when the server stops, in an application context."""
        self._check_function(func, "after_serving")
        self.after_serving_funcs.append(func)
        return func

    def while_serving(self, func: F) -> F:
        """Run the async generator around the app's life: what is before `yield` at start-up, the rest at shutdown.

        The last registered ends first, and all before the `after_serving` functions.
        """
        if not inspect.isasyncgenfunction(func):
            raise TypeError(
                f"while_serving takes an async generator function (async def with one yield), not {func!r}"
            )
        self.while_serving_gens.append(func())
        return func

    async def startup(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        """Set the plugins up, then run the start-up functions. An error is reported and raised."""
        self.setup_plugins()
        self._is_draining = False
        self.shutdown_event = self.event_class()
        plugins = self._plugin_serving
        try:
            async with self.app_context():
                try:
                    await plugins.start()
                except BaseException:  # a cancellation as well
                    await plugins.abandon(None)  # what had begun puts away what it holds
                    raise
        except Exception as error:
            await self._serving_failed(error, "start-up")
            raise

    async def shutdown(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        """Drain the background tasks, then run the shutdown functions. An error is reported and raised.

        Plugins are told of the beginning, if no server has done that before (hook `draining`).
        """
        await self._begin_draining()
        await close_websockets(self)  # if the server has not done that
        if self.shutdown_event is not None:
            self.shutdown_event.set()
        await background.drain(self)
        try:
            async with self.app_context():
                failures = await self._plugin_serving.stop()
                if failures:
                    raise_together("the app's shutdown failed", failures)
        except Exception as error:
            await self._serving_failed(error, "shutdown")
            raise
        finally:
            self._is_draining = False
            await background.drain(self)

    async def _begin_draining(self: Quart) -> None:  # type: ignore[misc]  # mixed into Quart
        """Tell the plugins, once, that the end begins. What fails or takes too long does not keep the app from it."""
        if self._is_draining:
            return
        self._is_draining = True
        hook = self.plugin_hooks.call("draining")
        if hook is not None:
            try:
                async with asyncio.timeout(self.config["SHUTDOWN_TIMEOUT"]), self.app_context():
                    await hook(self)
            except Exception as error:
                await self._serving_failed(error, "draining")

    async def _serving_failed(self: Quart, error: Exception, moment: str) -> None:  # type: ignore[misc]
        failed = self.plugin_hooks.call("serving_failed")
        if failed is not None:
            await failed(self, error)
        self.logger.error("The app's %s failed: %s", moment, error, exc_info=error)

    # Plugins that come and go -----------------------------------------------------------------------------------------

    async def register_plugin(self: Quart, plugin: Any, name: str | None = None) -> str:  # type: ignore[misc]
        """Register a module or object now, as `app.hooks.register` does; if the app serves or starts, it is started
        as well.

        Returns its name. Raises what `app.hooks.register` raises, and PluginLoadError when it fails at its start; then
        nothing has changed.
        """
        self.setup_plugins()
        before = self.plugin_hooks.remember()
        with self.plugin_setup.may_have_parts():
            registered = self.plugin_hooks.register(plugin, name)
        if self._plugin_serving.is_live:
            self.plugin_hooks.hold(registered)  # no connection meets its hooks before it has started
            try:
                async with self.app_context():
                    await self._plugin_serving.start_one(registered)
            except BaseException as error:
                origin = self.plugin_hooks.origin(registered)
                self.plugin_hooks.retract(registered, before)
                if not isinstance(error, Exception):
                    raise
                raise PluginLoadError(f"{origin} failed at its start: {told(error)}") from error
            finally:
                self.plugin_hooks.release(registered)
            self.settle_templates()  # an environment that was made meanwhile lacks its names
        return registered

    async def unregister_plugin(self: Quart, name: str) -> Any:  # type: ignore[misc]  # mixed into Quart
        """Unregister a plugin, and those that require it; if the app is serving, or starting, they are stopped before.

        Their hooks are withdrawn first; only a connection that is under way may still call them while they stop.

        Returns it. PluginError when it is not active. What fails as it stops is raised when all is done.
        """
        failures: list[Exception] = []
        hooks = self.plugin_hooks
        leaving: tuple[str, ...] = ()
        if self._plugin_serving.is_live and hooks.is_active(name):
            leaving = (*hooks.dependents(name), name)
            hooks.hold(*leaving)  # connections that come now do not meet their hooks any more
        try:
            for each in leaving:
                try:
                    async with self.app_context():
                        await self._plugin_serving.stop_one(each)
                except Exception as error:
                    failures.append(error)
            with self.plugin_setup.may_have_parts():
                plugin = hooks.unregister(name)
        finally:
            hooks.release(*leaving)
        if failures:
            raise_together(f"stopping {name!r} failed", failures)
        return plugin

    # Background tasks -------------------------------------------------------------------------------------------------

    def add_background_task(  # type: ignore[misc]  # mixed into Quart
        self: Quart, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> None:
        """Run `func(*args, **kwargs)` beside the connections; see background.py."""
        background.start(self, func, *args, **kwargs)

    # Running ----------------------------------------------------------------------------------------------------------

    def run(  # type: ignore[misc]  # mixed into Quart
        self: Quart,
        host: str | None = None,
        port: int | None = None,
        debug: bool | None = None,
        use_reloader: bool = True,
        loop: asyncio.AbstractEventLoop | None = None,
        ca_certs: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Serve the app until it is told to stop, with the server plugin; for development and small deployments."""
        from .running import run

        run(self, host, port, debug, use_reloader, loop, ca_certs, certfile, keyfile, **kwargs)

    def run_task(  # type: ignore[misc]  # mixed into Quart
        self: Quart,
        host: str = "127.0.0.1",
        port: int = 5000,
        debug: bool | None = None,
        ca_certs: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
        *,
        server: str | None = None,
        server_options: dict[str, Any] | None = None,
    ) -> Coroutine[None, None, None]:
        """A coroutine that serves the app, for whoever has a running loop already.

        server, server_options   as for `run`: the name of a server, and options such as `limit_connections`.
        """
        from .running import run_task

        how = (host, port, debug, ca_certs, certfile, keyfile, shutdown_trigger)
        return run_task(self, *how, server=server, **(server_options or {}))

    # Testing ----------------------------------------------------------------------------------------------------------

    def test_client(self: Quart, use_cookies: bool = True, **kwargs: Any) -> Any:  # type: ignore[misc]
        """A client that calls the app in this process; see `quart_plug.testing`."""
        return self.test_client_class(self, use_cookies=use_cookies, **kwargs)

    def test_app(self: Quart) -> Any:  # type: ignore[misc]  # mixed into Quart
        """`async with app.test_app() as test_app`: the app started up, and shut down at the end."""
        return self.test_app_class(self)

    def test_cli_runner(self: Quart, **kwargs: Any) -> Any:  # type: ignore[misc]  # mixed into Quart
        """A runner for commands of the command line."""
        return self.test_cli_runner_class(self, **kwargs)
