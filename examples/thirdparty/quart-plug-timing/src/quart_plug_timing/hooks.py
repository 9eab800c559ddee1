"""The plugin: what is done at which moment."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from quart_plug import Quart, Response, hookimpl

from .config import Timing
from .logs import MARKING, ready, tell
from .record import KEY, Record, choose_id, record_of
from .slowest import Slowest

if TYPE_CHECKING:
    from quart_plug.ctx import Context
    from quart_plug.wrappers import Handshake

__quart_plug__ = {
    "api": ">=1,<2",
    # Two ids in one log help nobody.
    "provides": ["request_id"],
    "conflicts": ["request_id"],
}


@hookimpl
def configuration_schema(app: Quart) -> type[Timing]:
    return Timing


@hookimpl
def setup(app: Quart) -> None:
    config = app.plugin_config(Timing)
    app.extensions[KEY] = State(config)
    app.logger.addFilter(MARKING)
    if config.log:
        ready()


class State:
    """What is kept for an application: its configuration, and its slowest requests."""

    def __init__(self, config: Timing) -> None:
        self.config = config
        self.slowest = Slowest()


def state_of(app: Quart) -> State:
    state = app.extensions[KEY]
    assert isinstance(state, State)
    return state


def config_of(ctx: Context) -> Timing:
    return state_of(ctx.app).config


def begin(ctx: Context) -> Record:
    """The connection's record, begun now unless it was before."""
    record = record_of(ctx.scope)
    if record is None:
        config = config_of(ctx)
        given = ctx.headers.getlist(config.header) if config.header else []
        id = choose_id(given, trusted=config.trusted, max_length=config.max_length)
        record = ctx.scope[KEY] = Record(id, marks=config.mark == "prefix")
    return record


@hookimpl(tryfirst=True)
async def connection(ctx: Context) -> AsyncIterator[None]:
    record = begin(ctx)
    try:
        yield
    except Exception as error:  # which no handler of the application took
        record.failure = type(error).__name__
        raise


@hookimpl(trylast=True)
async def request_after(ctx: Context, response: Response) -> None:
    name(ctx, response)


@hookimpl(trylast=True)
async def websocket_after(ctx: Context, response: Response | None) -> None:
    if response is not None:  # a refusal
        name(ctx, response)


@hookimpl
async def websocket_accepting(ctx: Context, handshake: Handshake) -> None:
    config = config_of(ctx)
    if config.header:
        handshake.headers[config.header] = begin(ctx).id


def name(ctx: Context, response: Response) -> None:
    config, record = config_of(ctx), begin(ctx)
    if config.header:
        response.headers[config.header] = record.id
    if config.server_timing:
        response.headers.add("Server-Timing", record.server_timing())


@hookimpl
async def response_sent(
    ctx: Context, status: int | None, error: BaseException | None
) -> None:
    state, record = state_of(ctx.app), begin(ctx)
    config, seconds = state.config, record.seconds
    result = "no answer" if status is None else str(status)
    failure = record.failure or (type(error).__name__ if error else None)
    if failure is not None:
        result += f" ({failure})"
    state.slowest.add(seconds, what(ctx), result, record.id)
    if config.log:
        slow = 0 < config.slow <= seconds
        level = logging.WARNING if slow else logging.INFO
        tell(level, f"{what(ctx)} {result}", record.id, seconds)


@hookimpl
async def websocket_closed(
    ctx: Context, code: int, reason: str, closed_by: str | None
) -> None:
    if config_of(ctx).log:
        record = begin(ctx)
        text = f"{what(ctx)} {code} closed by the {closed_by or 'connection'}"
        tell(logging.INFO, text, record.id, record.seconds)


@hookimpl(optionalhook=True)
def inspector_panels(app: Quart) -> dict[str, Any]:
    """A table on the page of the plugin ``inspector``, where that is enabled."""
    return {
        "title": "Slow requests",
        "columns": ["milliseconds", "request", "answer", "id"],
        "rows": state_of(app).slowest.rows(),
        "empty": "No request yet.",
    }


def what(ctx: Context) -> str:
    """Method and path, safe for a log."""
    method = "WEBSOCKET" if ctx.scope["type"] == "websocket" else ctx.scope["method"]
    return f"{method} {ctx.scope['path'].encode('unicode_escape').decode()}"
