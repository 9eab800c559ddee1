"""Runs every case for every framework in turn, in one process, and prints ratios to a bare ASGI callable.

python run.py [--case NAME …] [--rounds N] [--requests N] [--framework NAME …]
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import platform
import statistics
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from cases import CASES, WEBSOCKET_MESSAGE, WEBSOCKET_TARGET, Case
from driver import answer, messages, requests
from plugin_cases import PLUGIN_CASES, measure_plugins
from socket_cases import (
    BROADCAST,
    BROADCAST_TARGET,
    IDLE,
    SERVED,
    SERVED_TARGET,
    SOCKET_CASES,
    idle_row,
    measure_broadcast,
    measure_idle,
    measure_served,
)

OURS = "quart-plug"
FRAMEWORKS = {
    "bare": ("apps.bare", None),
    OURS: ("apps.quart_plug_app", "quart-plug"),
    "BlackSheep": ("apps.blacksheep_app", "blacksheep"),
    "Falcon": ("apps.falcon_app", "falcon"),
    "Starlette": ("apps.starlette_app", "starlette"),
    "Quart": ("apps.quart_app", "quart"),
}


async def prepared(name: str, case: str) -> Any:
    """The framework's app for a case, started up; None where it has none."""
    app = importlib.import_module(FRAMEWORKS[name][0]).make(case)
    if hasattr(app, "start"):
        await app.start()
    return app


async def check(name: str, case: Case, app: Any) -> None:
    status, headers, body = await answer(app, case.call)
    right = status == case.status and case.contains in body
    if case.json is not None:
        right = right and json.loads(body) == case.json
    if case.header is not None:
        right = right and case.header in {header.lower() for header in headers}
    if not right:
        raise SystemExit(f"{name} answers the case {case.name} wrongly: {status} {headers} {body[:200]!r}")


async def measure(case: Case, names: list[str], rounds: int, count: int) -> dict[str, list[float]]:
    apps = {}
    for name in names:
        app = await prepared(name, case.name)
        if app is not None:
            await check(name, case, app)
            apps[name] = app
    times: dict[str, list[float]] = {name: [] for name in apps}
    for app in apps.values():
        await requests(app, case.call, count)  # warm
    gc.collect()
    for _ in range(rounds):
        for name, app in apps.items():
            times[name].append(await requests(app, case.call, count))
    return times


async def measure_websocket(
    names: list[str], rounds: int, count: int, suspending: bool
) -> dict[str, list[float]]:
    apps = {name: app for name in names if (app := await prepared(name, "websocket")) is not None}
    times: dict[str, list[float]] = {name: [] for name in apps}
    gc.collect()
    for round_ in range(rounds + 1):
        for name, app in apps.items():
            await messages(app, "/ws", WEBSOCKET_MESSAGE, 10, suspending)  # in a server no other framework ran before
            elapsed, echoed = await messages(app, "/ws", WEBSOCKET_MESSAGE, count, suspending)
            if [json.loads(text) for text in echoed] != [json.loads(WEBSOCKET_MESSAGE)] * count:
                raise SystemExit(f"{name} echoes wrongly: {echoed[:2]} ({len(echoed)} of {count})")
            if round_:
                times[name].append(elapsed)
    return times


def ratio(ours: list[float], theirs: list[float]) -> float:
    """The median of the pairwise ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def row(name: str, times: dict[str, list[float]], names: list[str], target: float | None) -> list[str]:
    base = times.get("bare") or times[OURS]
    cells = [name, f"{statistics.median(base) * 1e6:.1f} µs" if "bare" in times else "—"]
    for framework in names[1:]:
        if framework not in times:
            cells.append("—")
        elif "bare" in times:
            cells.append(f"×{ratio(times[framework], base):.2f}")
        else:
            cells.append(f"{statistics.median(times[framework]) * 1e6:.1f} µs")
    verdict = "—"
    if target is not None and OURS in times:
        reached = ratio(times[OURS], base)
        verdict = f"×{target} {'reached' if reached <= target else 'MISSED'}"
    rivals = [other for other in times if other not in ("bare", OURS)]
    if rivals and OURS in times:
        ahead = all(ratio(times[OURS], times[other]) < 1 for other in rivals)
        verdict += (
            ", ahead of all"
            if ahead
            else ", BEHIND " + ", ".join(other for other in rivals if ratio(times[OURS], times[other]) >= 1)
        )
    return [*cells, verdict]


def table(header: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(line[column]) for line in [header, *rows]) for column in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    )


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--case", action="append", help="only this case (may be repeated)")
    parser.add_argument(
        "--framework", action="append", help="only bare, quart-plug and this one (may be repeated)"
    )
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--requests", type=int, default=150, help="requests of each round")
    options = parser.parse_args()
    names = [
        name
        for name in FRAMEWORKS
        if name in ("bare", OURS) or not options.framework or name in options.framework
    ]
    known = [
        *(case.name for case in CASES),
        *("ws echo", "ws echo, suspending"),
        *SOCKET_CASES,
        *(case.name for case in PLUGIN_CASES),
    ]
    for name in options.case or ():
        if name not in known:
            parser.error(f"there is no case {name!r}; there are {', '.join(known)}")
    header = ["case", "bare ASGI", *names[1:], "target"]
    rows = []
    for case in CASES:
        if options.case and case.name not in options.case:
            continue
        times = await measure(case, names, options.rounds, options.requests)
        rows.append(row(case.name, times, names, case.target))
        print(f"measured {case.name}", file=sys.stderr)
    for name, suspending in (("ws echo", False), ("ws echo, suspending", True)):
        if options.case and name not in options.case:
            continue
        times = await measure_websocket(names, options.rounds, options.requests, suspending)
        rows.append(row(name, times, names, WEBSOCKET_TARGET))
        print(f"measured {name}", file=sys.stderr)
    for name, measure_members, target in (
        (BROADCAST, measure_broadcast, BROADCAST_TARGET),
        (SERVED, measure_served, SERVED_TARGET),
    ):
        if options.case and name not in options.case:
            continue
        rows.append(row(name, await measure_members(names, max(5, options.rounds // 2)), names, target))
        print(f"measured {name}", file=sys.stderr)
    if not options.case or IDLE in options.case:
        rows.append(idle_row(measure_idle(names), names, OURS))
        print(f"measured {IDLE}", file=sys.stderr)
    plugin_rows = []
    for plugin_case in PLUGIN_CASES:
        if options.case and plugin_case.name not in options.case:
            continue
        plugin_rows.append(await measure_plugins(plugin_case, options.rounds))
        print(f"measured {plugin_case.name}", file=sys.stderr)
    versions = ", ".join(f"{name} {version(FRAMEWORKS[name][1])}" for name in names if FRAMEWORKS[name][1])
    print(f"\nCPython {platform.python_version()}; {versions}")
    print(
        f"{options.rounds} rounds of {options.requests} requests, in turn; medians of the pairwise ratios\n"
    )
    if rows:
        print(table(header, rows))
    if plugin_rows:
        print("\nWhat plugins cost; the ratio with the interval that holds its median with a confidence of 95 %\n")
        print(table(["case", "difference", "ratio", "rounds", "target"], plugin_rows))
    return 1 if any("MISSED" in line[-1] or "BEHIND" in line[-1] for line in [*rows, *plugin_rows]) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
