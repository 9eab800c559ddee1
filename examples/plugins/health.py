"""`/health` for load balancers: 200 while the application serves, 503 before and from the moment it begins to stop.

When a server gets its signal to stop, the hook `draining` is called first and awaited: a pause there, long enough for
the load balancer to ask once more, and no request is lost.

    [plugins.health]
    path = "/health"
    notice = 5.0
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any

from quart_plug import Blueprint, Quart, current_app, hookimpl


@dataclass
class Health:
    """path  of the answer.
    notice  seconds between saying so and stopping; less than SHUTDOWN_TIMEOUT.
    """

    path: str = "/health"
    notice: float = 0.0


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Health


@hookimpl
def blueprints(app: Quart) -> Iterable[tuple[Blueprint, dict[str, Any]]]:
    blueprint = Blueprint("health", __name__)
    blueprint.route("", endpoint="state")(state)
    return [(blueprint, {"url_prefix": app.plugin_config(Health).path})]


async def state() -> tuple[dict[str, str], int]:
    """The view."""
    said = current_app.extensions.get("health", "starting")
    return {"state": said}, 200 if said == "serving" else 503


@hookimpl
async def lifespan(app: Quart) -> AsyncGenerator[None, None]:
    app.extensions["health"] = "serving"
    yield
    app.extensions["health"] = "stopped"


@hookimpl
async def draining(app: Quart) -> None:
    app.extensions["health"] = "draining"
    await asyncio.sleep(app.plugin_config(Health).notice)
