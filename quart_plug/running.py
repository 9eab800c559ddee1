"""`Quart.run` and `Quart.run_task`: choose the server, own the signals, say in one line what went wrong.

The first SIGINT or SIGTERM asks the server to finish; a second one stops at once. Knows no server: one is
chosen by the hook `server`, and the reloader is that of the slot `debug_page`. Messages go to stderr, without
a traceback where the fault is not in somebody's code.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import warnings
from collections.abc import Awaitable, Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

from .exceptions import PluginError, PluginNotEnabled, PluginNotFound
from .helpers import get_debug_flag
from .leaving import FORCED_STOP_SECONDS, LoopRunner

if TYPE_CHECKING:
    from .app import Quart
    from .typing import DebugPage, Server

__all__ = ["AT_ONCE", "ApplicationStartError", "ServerStartError", "choose_server", "run", "run_task"]

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 5000
AT_ONCE = "stop at once"  # the message of the cancellation that a second signal is: not even shutdown functions run
_STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGBREAK")


class ServerStartError(RuntimeError):
    """A server could not start: a port in use, a missing certificate. Says what, where, and the cure."""


class ApplicationStartError(ServerStartError):
    """The application's own start-up failed; a change to its code may cure that, so the reloader goes on."""


class StopSignals:
    """Turns the first signal into `requested`, and the second one into the cancelling of `task`.

    Handlers are plain `signal.signal` ones: they exist on Windows, and they run while the loop is busy. A
    process that a second signal has not ended after `FORCED_STOP_SECONDS` (by a thread that never returns)
    is ended then.

    at_once  for a worker, the signal by which its supervisor asks for the second step; then SIGTERM is the first,
             however often it comes (a service manager may send it to every process, as a supervisor does), and what
             the terminal sends is the supervisor's.
    """

    at_once: int | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.requested = asyncio.Event()
        self.task: asyncio.Task[Any] | None = None
        self.forced: int | None = None
        self._count = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            numbers = [getattr(signal, name, None) for name in _STOP_SIGNALS]
            for number in numbers if self.at_once is None else (signal.SIGTERM, self.at_once):
                if number is not None:
                    self._previous[number] = signal.signal(number, self._received)
        return self

    def __exit__(self, *error: object) -> None:
        for number, previous in self._previous.items():
            signal.signal(number, previous if previous is not None else signal.SIG_DFL)
        self._previous.clear()

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self.at_once is None:
            self._count += 1
        elif number == self.at_once:
            self._count = 2
        elif self._count:
            return
        else:
            self._count = 1
        if self._count == 1:
            self.loop.call_soon_threadsafe(self.requested.set)
            return
        self.forced = number
        if self._count == 2:
            last_resort = threading.Timer(FORCED_STOP_SECONDS, os._exit, (128 + number,))
            last_resort.daemon = True
            last_resort.start()
            if self.task is not None:
                self.loop.call_soon_threadsafe(self.task.cancel, AT_ONCE)


def choose_server(app: Quart, name: str | None = None) -> Server:
    """The server of that name, or the default one.

    A plugin of that name that is installed, and that no setting turns on or off, is turned on for this app.

    Raises PluginNotFound when no enabled plugin has a server of that name, PluginNotEnabled when there is
    none at all.
    """
    app.setup_plugins()
    chain = app.plugin_hooks.call("server")
    server: Server | None = None if chain is None else chain(app, name)
    if server is None and name is not None and app.plugin_hooks.enable(name):
        chain = app.plugin_hooks.call("server")
        server = None if chain is None else chain(app, name)
    if server is not None:
        return server
    if chain is None:
        app.plugin_slot("server")  # raises PluginNotEnabled, with the plugin's name and the way to turn it on
    if name is None:
        raise PluginNotEnabled("the enabled server plugins have no default server; choose one by name")
    why = f"; {app.plugin_hooks.explain(name)}" if app.plugin_hooks.knows(name) else ""
    raise PluginNotFound(
        f"no enabled plugin has a server named {name!r}{why}; `quart-plug list` shows the plugins, "
        f"and Quart(..., plugins=[{name!r}]) or QUART_PLUG_PLUGINS={name} enables one"
    )


async def run_task(
    app: Quart,
    host: str = DEFAULT_HOST,
    port: int = DEFAULT_PORT,
    debug: bool | None = None,
    ca_certs: str | None = None,
    certfile: str | None = None,
    keyfile: str | None = None,
    shutdown_trigger: Callable[..., Awaitable[None]] | None = None,
    *,
    server: str | None = None,
    **options: Any,
) -> None:
    """Serve in the running loop, until `shutdown_trigger()` returns, or without one a SIGINT or SIGTERM.

    server     the name of a server, or None for the default one.
    options    the server's own.

    Raises ServerStartError when the address is not available or the app's start-up fails.
    """
    if debug is not None:
        app.debug = debug
    port = _number(port)
    serve = partial(
        choose_server(app, server).serve,
        app,
        host=host,
        port=port,
        debug=app.debug,
        certfile=certfile,
        keyfile=keyfile,
        ca_certs=ca_certs,
        **options,
    )
    if shutdown_trigger is not None:
        await serve(shutdown_trigger=_draining_first(app, shutdown_trigger))
        return
    with StopSignals(asyncio.get_running_loop()) as signals:
        signals.task = asyncio.current_task()

        async def stop_requested() -> None:
            await signals.requested.wait()

        await serve(shutdown_trigger=_draining_first(app, stop_requested))


def _draining_first(app: Quart, shutdown_trigger: Callable[..., Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """A trigger after which the server stops accepting, and before that the plugins have been told."""

    async def trigger() -> None:
        try:
            await shutdown_trigger()
        except Exception:  # a trigger may end by raising as well
            await _drain(app)
            raise
        await _drain(app)

    return trigger


async def _drain(app: Quart) -> None:
    if app._plugin_serving.is_serving:  # else it has not started, and nothing ends
        await app._begin_draining()


def run(
    app: Quart,
    host: str | None = None,
    port: int | None = None,
    debug: bool | None = None,
    use_reloader: bool = True,
    loop: asyncio.AbstractEventLoop | None = None,
    ca_certs: str | None = None,
    certfile: str | None = None,
    keyfile: str | None = None,
    *,
    server: str | None = None,
    server_options: dict[str, Any] | None = None,
    workers: int = 1,
    **kwargs: Any,
) -> None:
    """Serve the app until it is told to stop.

    host, port       default to those of `SERVER_NAME`, then to 127.0.0.1 and 5000.
    use_reloader     restart when code changes; needs the plugin `debug`, and a program to start again.
    loop             a loop to use; the caller closes it.
    server           the name of a server, or None for the default one.
    server_options   as in `quart_plug.servers.ServeOptions`.
    workers          how many processes serve; several start the same program again, without a reloader.

    Exits with status 1 and one line on stderr when the address is not available.
    """
    if kwargs:
        warnings.warn(f"app.run() does not know the arguments {sorted(kwargs)}", stacklevel=3)
    if os.environ.get("QUART_PLUG_LOADING_APP") == "true":
        print("app.run() was ignored: `quart-plug` is loading this module to use its app", file=sys.stderr)
        return
    if debug is None and ("QUART_PLUG_DEBUG" in os.environ or "QUART_DEBUG" in os.environ):
        debug = get_debug_flag()
    if debug is not None:
        app.debug = debug
    host, port = _address(app, host, port)
    extra: dict[str, Any] = {} if server is None else {"server": server}
    extra.update(server_options or {})
    options = {"host": host, "port": port, "ca_certs": ca_certs, "certfile": certfile, "keyfile": keyfile}
    once = partial(_run_once, app, loop, options, extra)
    try:
        if workers != 1:
            _run_workers(app, workers, server, options, extra, once)
            return
        reloader = _reloader(app) if use_reloader else None
        if reloader is None:
            once()
        else:
            reloader(once, app)
    except (ServerStartError, PluginError) as error:
        fail(error)


def _run_workers(
    app: Quart,
    count: int,
    server: str | None,
    options: dict[str, Any],
    extra: dict[str, Any],
    once: Callable[[], None],
) -> None:
    """Supervise several processes; or, in one of these, serve.

    Raises ServerStartError and PluginError for what no worker could do either; exits with the supervisor's status.
    """
    from .servers.inherited import AT_ONCE_SIGNAL, Inherited
    from .servers.options import serve_options
    from .servers.workers import Supervisor, check_workers

    seconds = float(app.config["SHUTDOWN_TIMEOUT"])
    inherited = Inherited.from_environment()
    if inherited is not None:
        inherited.watch(2 * seconds)
        StopSignals.at_once = AT_ONCE_SIGNAL
        extra |= {"sock": inherited.sock, "announce": inherited.say_running}
        once()
        return
    count = check_workers(count)
    choose_server(app, server)
    checked = serve_options(**options, **{name: value for name, value in extra.items() if name != "server"})
    status = Supervisor(count, checked, seconds).run()
    if status:
        raise SystemExit(status)


def fail(error: BaseException) -> None:
    """Say what is wrong in plain words, and exit with status 1."""
    notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
    print(f"Error: {error}{notes}", file=sys.stderr, flush=True)
    raise SystemExit(1) from error


def _address(app: Quart, host: str | None, port: int | None) -> tuple[str, int]:
    name, _, number = str(app.config.get("SERVER_NAME") or "").partition(":")
    if host is None:
        host = name or DEFAULT_HOST
    if port is None:
        port = int(number) if number.isdecimal() else DEFAULT_PORT
    return host, _number(port)


def _number(port: Any) -> int:
    """The port, which often comes from the environment, as text."""
    try:
        return int(port)
    except (TypeError, ValueError):
        raise ServerStartError(f"the port {port!r} is no number; give one from 0 (any free one) to 65535") from None


def _reloader(app: Quart) -> Callable[[Callable[[], None], Quart], None] | None:
    # Only the main thread of a program may own its restart; and with the plugin off the app still runs.
    if threading.current_thread() is not threading.main_thread():
        return None
    try:
        page: DebugPage = app.plugin_slot("debug_page")
    except PluginNotEnabled:
        return None
    return page.run_with_reloader


def _run_once(
    app: Quart,
    loop: asyncio.AbstractEventLoop | None,
    options: dict[str, Any],
    extra: dict[str, Any],
) -> None:
    async def main(signals: StopSignals) -> None:
        signals.task = asyncio.current_task()

        async def stop_requested() -> None:
            await signals.requested.wait()

        if extra:
            await run_task(app, shutdown_trigger=stop_requested, **options, **extra)
        else:
            # The method, which an application may have overridden in Quart's signature.
            await app.run_task(shutdown_trigger=stop_requested, **options)

    try:
        # Before the loop runs: the import of a server takes long enough for the loop to complain of it.
        choose_server(app, extra.get("server"))
        if loop is not None:
            loop.set_debug(app.debug)
            with StopSignals(loop) as signals:
                loop.run_until_complete(main(signals))
        else:
            with LoopRunner(app.debug) as runner, StopSignals(runner.loop) as signals:
                runner.run(main(signals))
    except asyncio.CancelledError:
        if signals.forced is None:
            raise
        raise SystemExit(128 + signals.forced) from None
    except ApplicationStartError:
        raise
    except ServerStartError as error:
        # Said and done here, so that the reloader sees an orderly end, which no change of code would cure.
        fail(error)


def _cancel_all_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left in a loop that has stopped, and wait for it: for programs that run the app themselves."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            told = {"message": "a task failed while the loop was closed", "exception": task.exception(), "task": task}
            loop.call_exception_handler(told)
