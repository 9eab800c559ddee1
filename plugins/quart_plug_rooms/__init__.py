"""The plugin `rooms`: who is where, and who hears what is said there; in one process, or in many by Redis.

    from quart_plug_rooms import rooms

    @app.websocket("/chat")
    async def chat():
        async with rooms.join("lobby"):
            async for message in websocket:
                await rooms.send("lobby", message, exclude=websocket)

Light to import: what does it is imported when rooms are used.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from quart_plug.ctx import has_app_context
from quart_plug.globals import current_app
from quart_plug.hooks import hookimpl

from .settings import Settings

if TYPE_CHECKING:
    from quart_plug import Quart

    from .backend import Backend
    from .service import Rooms

__all__ = ["Settings", "rooms"]

_NO_APP = """Working outside of an application context.

`rooms` stands for the rooms of the current application, and here is none. Use `app.rooms`, which needs no context. The
generator of a streamed response runs outside of the view's context: use `app.rooms` in it as well, or decorate it with
`stream_with_context`."""

_APART = (
    "Rooms: each worker has rooms of its own, which messages do not leave, since they are in memory; for rooms that all"
    " workers share set QUART_PLUG_ROOMS__URL=redis://HOST:PORT/NUMBER"
)

__quart_plug__ = {"hookspecs": ["quart_plug_rooms.specs"]}


class _Current:
    """The rooms of the current application. No proxy of werkzeug's, which cannot be looked at outside of one."""

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(current_app.rooms, name)
        except RuntimeError:
            if has_app_context():
                raise
        raise RuntimeError(_NO_APP)

    def __repr__(self) -> str:
        return "<the rooms of the current application>"


if TYPE_CHECKING:
    rooms: Rooms
else:
    rooms = _Current()


@hookimpl
def configuration_schema(app: Quart) -> type[Settings]:
    return Settings


@hookimpl
def signals(app: Quart) -> Mapping[str, str]:
    return {f"room-{name}": f"room_{name}" for name in ("joined", "left", "message", "gap")}


@hookimpl(specname="rooms")
def rooms_of(app: Quart) -> Rooms:
    from .service import Rooms

    return Rooms(app)


@hookimpl(trylast=True)
def room_backend(app: Quart, url: str) -> Backend | None:
    settings, scheme = app.plugin_config(Settings), url.partition(":")[0]
    if scheme in ("redis", "rediss", "unix"):
        from .redis import redis_backend

        return redis_backend(url, app.name, settings)
    if scheme != "memory":
        return None
    from .memory import MemoryBackend

    return MemoryBackend(settings.history, settings.history_bytes, settings.history_seconds)


@hookimpl
def cli_commands(app: Quart) -> Iterable[Any]:
    from .command import rooms_command

    return [rooms_command(app)]


@hookimpl(optionalhook=True)
def inspector_panels(app: Quart) -> Mapping[str, Any]:
    columns = ("Room", "Members", "Subscribers", "Waiting", "Dropped")
    return {"title": "Rooms", "columns": columns, "rows": app.rooms.rows(), "empty": "Nobody is in a room."}


@hookimpl
async def startup(app: Quart) -> None:
    from quart_plug.servers import worker_number

    await app.rooms.serve()
    backend = app.rooms.backend
    if backend is not None and not backend.is_shared and worker_number() == 1:  # the first one says it for all
        app.logger.warning(_APART)


@hookimpl
async def draining(app: Quart) -> None:
    app.rooms.end_subscriptions()  # responses that stream them would keep the server from its end


@hookimpl
async def shutdown(app: Quart) -> None:
    await app.rooms.stop()
