"""What plugins cost: quart-plug against itself, with and without them.

    ten idle plugins       ten enabled plugins that implement no hook of a connection
    ten before hooks       ten plugins with an async `request_before`; all of them together, in microseconds
    tracing, stopped       somebody listened to the hooks, and does no longer
    tracing, on            somebody listens (what that costs is only told)
    switched off           ten plugins with hooks, `plugins_disabled` for the route
    start-up, kernel       process start to the first answer, all core plugins off, against all on
    start-up               the same with all core plugins, against Quart
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driver import Call, answer, requests
from pairs import Estimate, compare

from quart_plug import Quart, hookimpl

REQUESTS = 150  # of each sample
STARTUP = Path(__file__).parent / "startup.py"
HELLO = b"Hello, World!"


@dataclass(frozen=True)
class PluginCase:
    """`target` is a ratio, or with `microseconds` a difference; None: the figure is only told."""

    name: str
    target: float | None
    make: Callable[[], tuple[Any, Any]] | None = None
    processes: tuple[str, str] | None = None
    microseconds: bool = False


def app_with(*plugins: Any, **options: Any) -> Quart:
    app = Quart("bench", root_path=tempfile.mkdtemp(), plugins=plugins)

    @app.get("/", **options)
    async def plain() -> str:
        return HELLO.decode()

    return app


class Idle:
    """Hooks, and none of a connection."""

    def __init__(self, number: int) -> None:
        self.__quart_plug__ = {"name": f"idle{number}"}

    @hookimpl
    def template_filters(self) -> dict[str, Any]:
        return {}

    @hookimpl
    async def startup(self) -> None:
        pass

    @hookimpl
    async def shutdown(self) -> None:
        pass


class Before:
    """One async hook before each request."""

    def __init__(self, number: int) -> None:
        self.__quart_plug__ = {"name": f"before{number}"}

    @hookimpl
    async def request_before(self, ctx: Any) -> None:
        pass


NAMES = {f"before{number}" for number in range(10)}


def idle_plugins() -> tuple[Any, Any]:
    return app_with(), app_with(*map(Idle, range(10)))


def before_hooks() -> tuple[Any, Any]:
    return app_with(), app_with(*map(Before, range(10)))


def tracing_stopped() -> tuple[Any, Any]:
    never, traced = app_with(*map(Before, range(10))), app_with(*map(Before, range(10)))
    traced.hooks.trace(lambda span: None)()
    return never, traced


def tracing_on() -> tuple[Any, Any]:
    never, traced = app_with(*map(Before, range(10))), app_with(*map(Before, range(10)))
    traced.hooks.trace(lambda span: None)
    return never, traced


def switched_off() -> tuple[Any, Any]:
    return app_with(), app_with(*map(Before, range(10)), plugins_disabled=NAMES)


PLUGIN_CASES = [
    PluginCase("ten idle plugins", 1.02, idle_plugins),
    PluginCase("ten before hooks", 3.0, before_hooks, microseconds=True),
    PluginCase("tracing, stopped", 1.02, tracing_stopped),
    PluginCase("tracing, on", None, tracing_on),
    PluginCase("switched off", 1.02, switched_off),
    PluginCase("start-up, kernel", 0.95, processes=("core", "kernel")),
    PluginCase("start-up", 0.85, processes=("quart", "core")),
]


async def measure_plugins(case: PluginCase, rounds: int) -> list[str]:
    """A line of the table: name, what it is compared with, the figure, the target."""
    if case.processes is not None:
        return await _measure_processes(case, rounds)
    assert case.make is not None
    apps = case.make()
    for app in apps:
        status, _, body = await answer(app, Call())
        if (status, body) != (200, HELLO):
            raise SystemExit(f"{case.name}: answered wrongly: {status} {body[:200]!r}")
        await requests(app, Call(), REQUESTS)  # warm

    async def base() -> float:
        return await requests(apps[0], Call(), REQUESTS)

    async def other() -> float:
        return await requests(apps[1], Call(), REQUESTS)

    target = None if case.microseconds else case.target
    ratio, difference = await compare(base, other, target, 10 * rounds, 40 * rounds)
    return _line(case, ratio, difference, 1e6, "µs")


def _line(case: PluginCase, ratio: Estimate, difference: Estimate, scale: float, unit: str) -> list[str]:
    scaled = Estimate(difference.median * scale, difference.low * scale, difference.high * scale, difference.rounds)
    verdict = "—"
    if case.target is not None:
        reached = (scaled if case.microseconds else ratio).reaches(case.target)
        target = f"{case.target} µs" if case.microseconds else f"×{case.target}"
        verdict = f"{target} {'reached' if reached else 'MISSED'}"
    return [case.name, scaled.text("+.2f", f" {unit}"), "×" + ratio.text(".3f"), str(ratio.rounds), verdict]


async def _measure_processes(case: PluginCase, rounds: int) -> list[str]:
    assert case.processes is not None
    first, second = case.processes
    with tempfile.TemporaryDirectory() as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("QUART", "PYTHON"))}
        environment["PYTHONPYCACHEPREFIX"] = folder  # the code is compiled once, whatever lies about
        environment |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}

        def run(which: str) -> float:
            start = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, str(STARTUP), which], env=environment, stdout=subprocess.PIPE, cwd=folder
            )
            with process:
                assert process.stdout is not None
                said = process.stdout.read(len(HELLO))
                elapsed = time.perf_counter() - start
            if said != HELLO or process.returncode:
                raise SystemExit(f"{case.name}: {which} answered wrongly: {said!r}")
            return elapsed

        for which in case.processes:
            run(which)  # compiles

        async def base() -> float:
            return run(first)

        async def other() -> float:
            return run(second)

        ratio, difference = await compare(base, other, case.target, rounds, 5 * rounds)
    return _line(case, ratio, difference, 1e3, "ms")
