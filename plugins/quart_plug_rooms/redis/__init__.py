"""Rooms over Redis: across processes and machines.

wire        a message as it stands in Redis
sequence    which messages a process has had, and what it misses: no I/O
keys        the names of what is kept in Redis
scripts     what Redis does in one go, in Lua
link        one connection that comes back by itself
commands    questions and answers over one
publishing  messages on their way to Redis, in order and once
subscribing messages on their way from it
presence    who is where, over all processes
backend     the whole, as the plugin wants it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..settings import Settings
    from .backend import RedisBackend

__all__ = ["redis_backend"]


def redis_backend(url: str, app: str, settings: Settings) -> RedisBackend:
    """The backend for this URL and an app of this name.

    Raises RuntimeError where redis-py is not installed, ValueError for a URL that cannot be read.
    """
    try:
        import redis.asyncio  # noqa: F401
    except ImportError as error:
        raise RuntimeError("rooms over Redis need redis-py: pip install 'quart-plug[redis]'") from error
    from .backend import RedisBackend

    return RedisBackend(
        url,
        settings.redis_prefix or f"rooms:{app}",
        wait=settings.redis_wait,
        presence_expiry=settings.redis_presence_expiry,
        timeout=settings.redis_timeout,
        required=settings.redis_required,
        history=settings.history,
        history_bytes=settings.history_bytes,
        history_seconds=settings.history_seconds,
    )
