"""Takes the site down for maintenance, and up again, without a restart: `quart-plug maintenance on`.

Every request gets 503 and every handshake is refused, but for the paths that stay open. Whether the site is down is a
file, so that all processes see it, and so that it survives a restart.

    [plugins.maintenance]
    file = "/run/shop/maintenance"
    retry_after = 600
    open_paths = ["/health"]
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quart_plug import Quart, hookimpl

if TYPE_CHECKING:
    from quart_plug.ctx import Context


@dataclass
class Maintenance:
    """file  is there while the site is down; relative to the application's instance folder.
    retry_after  seconds, for the header Retry-After.
    message  what visitors read.
    open_paths  what stays open.
    """

    file: Path = Path("maintenance")
    retry_after: int = 300
    message: str = "We are working on the site and will be back soon."
    open_paths: tuple[str, ...] = ("/health",)


@hookimpl
def configuration_schema(app: Quart) -> type:
    return Maintenance


@hookimpl
def setup(app: Quart) -> None:
    config = app.plugin_config(Maintenance)
    app.extensions["maintenance"] = config
    config.file = Path(app.instance_path, config.file)


@hookimpl(tryfirst=True)
async def request_before(ctx: Context) -> Any:
    return answer(ctx)


@hookimpl(tryfirst=True)
async def websocket_before(ctx: Context) -> Any:
    return answer(ctx)


def answer(ctx: Context) -> tuple[str, int, dict[str, str]] | None:
    """What is answered in the view's place, or None while the site is up."""
    config: Maintenance = ctx.app.extensions["maintenance"]
    # One `stat` is as fast as a local file system: some microseconds.
    if not os.path.exists(config.file) or ctx.request_websocket.path in config.open_paths:
        return None
    return config.message, 503, {"retry-after": str(config.retry_after)}


@hookimpl
def cli_commands(app: Quart) -> Iterable[Any]:
    import click  # only for who uses the command line

    @click.command("maintenance")
    @click.argument("state", type=click.Choice(["on", "off"]))
    def maintenance(state: str) -> None:
        """Take the site down, or up again."""
        file = app.plugin_config(Maintenance).file
        if state == "on":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        else:
            file.unlink(missing_ok=True)
        click.echo(f"The site is {'down' if state == 'on' else 'up'}.")

    return [maintenance]
