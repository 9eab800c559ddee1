"""`plugins trace`, and what `run --trace-plugins` prints: how long plugins take."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from ..app import Quart
from ..exceptions import PluginError
from ..finding import find_app
from ..hooks.tracing import IMPORT, trace_from_the_start
from ..timing import Connection, Key, Recorder, Total
from .output import Screen, print_json
from .state import CommandError, quietly

SLOW_MILLISECONDS = 100.0
ON_DEMAND = "SIGUSR1"


# plugins trace


def trace(arguments: argparse.Namespace, app_path: str | None, find: Callable[[], Quart] | None) -> int:
    """Start the application, send it requests, and print the time that each plugin and hook took."""
    for path in arguments.path:
        if not path.startswith("/"):
            raise CommandError(f"{path!r} is no path of the application; paths begin with /", 2)
    headers = [_header(text) for text in arguments.header]
    body: dict[str, Any] = {}
    if arguments.data is not None:
        body["data"] = arguments.data
    if arguments.data_json is not None:
        body = {"data": arguments.data_json}
        headers.append(("Content-Type", "application/json"))
    recorder = Recorder()
    with quietly(), trace_from_the_start(recorder.sink) as stop:
        app = find() if find is not None else find_app(app_path)
        recorder.attach(app)
        requests = asyncio.run(_drive(app, recorder, arguments, headers, body))
        stop()
    if arguments.json:
        print_json(
            {
                "application": {"import": app_path or app.import_name, "error": None},
                "start_up": _totals_json(recorder.elsewhere),
                "requests": [_series_json(path, found) for path, found in requests],
                "hooks": _totals_json(recorder.within),
            }
        )
        return 0
    screen = Screen()
    print_start_up(screen, recorder)
    for path, found in requests:
        _print_series(screen, arguments.method, path, found)
    print_hooks(screen, recorder)
    if not requests:
        screen.print("\nTo time requests, give paths: quart-plug plugins trace / /about")
    return 0


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise CommandError(f"--header {text!r} has to be of the form 'Name: value'", 2)
    return name.strip(), value.strip()


async def _drive(
    app: Quart, recorder: Recorder, arguments: argparse.Namespace, headers: list[tuple[str, str]], body: dict[str, Any]
) -> list[tuple[str, list[Connection]]]:
    """Every path `count` times, one request after the other."""
    from werkzeug.datastructures import Headers

    from ..testing.app import LifespanError

    found: list[tuple[str, list[Connection]]] = []
    try:
        app.setup_plugins()
        async with app.test_app() as running:
            client = running.test_client()
            for path in arguments.path:
                series: list[Connection] = []
                recorder.ended = series.append
                for _ in range(arguments.count):
                    # What the application raises is told by the status of its request.
                    with suppress(Exception):
                        await client.open(path, method=arguments.method, headers=Headers(headers), **body)
                found.append((path, series))
                recorder.ended = None
    except (LifespanError, PluginError) as error:
        raise CommandError(str(error)) from error
    return found


def _print_series(screen: Screen, method: str, path: str, series: Sequence[Connection]) -> None:
    first, rest = series[0], series[1:]
    screen.print()
    statuses = ", ".join(dict.fromkeys(str(each.status or "failed") for each in series))
    screen.print(screen.styled(f"{method} {path}", "bold") + f"  {statuses}")
    screen.print(f"  first:   {milliseconds(first.seconds)}, {milliseconds(first.in_plugins)} of it in plugins")
    if rest:
        mean = sum(each.seconds for each in rest) / len(rest)
        own = sum(each.in_plugins for each in rest) / len(rest)
        slowest = max(each.seconds for each in rest)
        screen.print(
            f"  next {len(rest)}: {milliseconds(mean)} on average, {milliseconds(own)} of it in plugins;"
            f" the slowest {milliseconds(slowest)}"
        )


# run --trace-plugins


@contextmanager
def tracing_run(slow: float = SLOW_MILLISECONDS, stream: TextIO | None = None) -> Iterator[Callable[[Quart], None]]:
    """While a server runs: a line for each request that takes longer than `slow` milliseconds, and the sums at the end
    and on SIGUSR1, where the platform has that. Gives what is to be called with the application, before it runs.

    Made within it are the applications that are traced. What is printed goes to standard error.
    """
    stream = sys.stderr if stream is None else stream
    screen = Screen(stream)
    recorder = Recorder(lambda connection: _say_slow(screen, connection, slow))
    previous: Any = None
    number: int | None = getattr(signal, ON_DEMAND, None)
    if number is not None and threading.current_thread() is threading.main_thread():
        previous = signal.signal(number, lambda *_: print_summary(screen, recorder))
    try:
        with trace_from_the_start(recorder.sink):
            yield recorder.attach
    finally:
        if number is not None and previous is not None:
            signal.signal(number, previous)
        if recorder.served:  # not in a reloader's parent
            print_summary(screen, recorder)


def _say_slow(screen: Screen, connection: Connection, slow: float) -> None:
    # A websocket lives as long as its client wants; what counts is what plugins took of it.
    counted = connection.in_plugins if connection.kind == "websocket" else connection.seconds
    if counted * 1000 < slow:
        return
    name = "WEBSOCKET" if connection.kind == "websocket" else connection.method
    most = sorted(connection.times.items(), key=lambda item: -item[1].seconds)[:3]
    parts = ", ".join(f"{plugin} {hook} {milliseconds(total.seconds)}" for (plugin, hook), total in most)
    screen.print(
        f"[slow] {name} {connection.path} {connection.status or '-'}: {milliseconds(connection.seconds)},"
        f" {milliseconds(connection.in_plugins)} of it in plugins{f' ({parts})' if parts else ''}"
    )
    screen.stream.flush()


def print_summary(screen: Screen, recorder: Recorder) -> None:
    """Start-up, requests and hooks, as far as they went."""
    screen.print()
    print_start_up(screen, recorder)
    total = recorder.connections
    if total.calls:
        screen.print(
            f"\n{total.calls} requests and websockets; on average {milliseconds(total.seconds / total.calls)},"
            f" the slowest {milliseconds(total.slowest)}; {total.failures} failed"
        )
    print_hooks(screen, recorder)
    screen.stream.flush()


# Tables


def milliseconds(seconds: float) -> str:
    """With three digits that count: 0.0123 ms, 1.23 ms, 123 ms."""
    value = seconds * 1000
    if value >= 100:
        return f"{value:.0f} ms"
    return f"{value:.{1 if value >= 10 else 2 if value >= 1 else 3}f} ms"


def print_start_up(screen: Screen, recorder: Recorder) -> None:
    """For each plugin its import and what it did outside of connections, the longest first."""
    plugins: dict[str, dict[str, Total]] = {}
    for (plugin, hook), total in recorder.elsewhere.items():
        plugins.setdefault(plugin, {})[hook] = total

    def sum_of(hooks: Mapping[str, Total]) -> float:
        return sum(total.seconds for total in hooks.values())

    rows = []
    for plugin, hooks in sorted(plugins.items(), key=lambda item: -sum_of(item[1])):
        of_it = sorted(hooks.items(), key=lambda item: (item[0] != IMPORT, -item[1].seconds))
        parts = ", ".join(f"{hook} {milliseconds(total.seconds)}" for hook, total in of_it)
        rows.append((plugin, milliseconds(sum_of(hooks)), parts))
    whole = milliseconds(sum(sum_of(hooks) for hooks in plugins.values()))
    title = screen.styled("Outside of requests", "bold")
    screen.print(f"{title}  {whole} in plugins: imports, set-up, start-up, shutdown")
    if rows:
        screen.table(("Plugin", "Time", "Of it"), rows)


def print_hooks(screen: Screen, recorder: Recorder) -> None:
    """For each plugin and hook its calls within connections, the longest in all first."""
    if not recorder.within:
        return
    screen.print()
    screen.print(screen.styled("Within requests", "bold"))
    rows = [
        (
            plugin,
            hook,
            str(total.calls),
            milliseconds(total.seconds),
            milliseconds(total.seconds / total.calls),
            milliseconds(total.slowest),
            str(total.failures or ""),
        )
        for (plugin, hook), total in _sorted(recorder.within)
    ]
    screen.table(("Plugin", "Hook", "Calls", "Time", "On average", "Slowest", "Failed"), rows)


def _sorted(totals: Mapping[Key, Total]) -> list[tuple[Key, Total]]:
    return sorted(totals.items(), key=lambda item: -item[1].seconds)


def _totals_json(totals: Mapping[Key, Total]) -> list[dict[str, Any]]:
    return [
        {
            "plugin": plugin,
            "hook": hook,
            "calls": total.calls,
            "seconds": total.seconds,
            "slowest": total.slowest,
            "failures": total.failures,
        }
        for (plugin, hook), total in _sorted(totals)
    ]


def _series_json(path: str, series: Sequence[Connection]) -> dict[str, Any]:
    return {
        "path": path,
        "method": series[0].method,
        "runs": [
            {
                "status": each.status,
                "seconds": each.seconds,
                "in_plugins": each.in_plugins,
                "hooks": _totals_json(each.times),
            }
            for each in series
        ],
    }
