"""The application's logger: made on first use, without a handler when the user has configured logging.

Under Quart's names. Knows of the app only its name and whether it is in debug mode; must not know the
server's logs.
"""

from __future__ import annotations

import sys
from logging import DEBUG, NOTSET, Filter, Formatter, Logger, LogRecord, StreamHandler, getLogger
from logging.handlers import QueueHandler
from queue import SimpleQueue as Queue  # Quart's name for it
from typing import TYPE_CHECKING, Any, TextIO

from .globals import _cv_websocket

if TYPE_CHECKING:
    from .app import Quart

__all__ = ["LocalQueueHandler", "Queue", "WebsocketFilter", "create_logger", "default_handler", "has_level_handler"]


class _StandardError(StreamHandler[TextIO]):
    """Writes to whatever `sys.stderr` is at that moment, so that who replaces it sees the log."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        pass


default_handler: StreamHandler[TextIO] = _StandardError()
default_handler.setFormatter(Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


class LocalQueueHandler(QueueHandler):
    """Puts records on a queue of this process, for a `logging.handlers.QueueListener` to write.

    Nothing crosses a process, so a record is passed on as it is: the listener still has its `exc_info`.
    """

    def __init__(self, queue: Any) -> None:
        super().__init__(queue)

    def prepare(self, record: LogRecord) -> LogRecord:
        return record


class WebsocketFilter(Filter):
    """Gives each record the attribute `websocket_id`: the `id` of the websocket that it was logged in, else "-".

    For a handler, so that a format may name it: `handler.addFilter(WebsocketFilter())`, `"%(websocket_id)s …"`. It lets
    every record pass. Tasks that a view has started count as its websocket's.
    """

    def filter(self, record: LogRecord) -> bool:
        ctx = _cv_websocket.get(None)
        record.websocket_id = "-" if ctx is None else str(getattr(ctx.websocket, "id", "-"))
        return True


def has_level_handler(logger: Logger) -> bool:
    """Whether a handler of the logger, or of those it propagates to, takes records of the logger's level."""
    level = logger.getEffectiveLevel()
    current: Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: Quart) -> Logger:
    """The logger of the name `app.name`.

    In debug mode its level is DEBUG, unless a level was set. It gets `default_handler` only when nothing
    else would write its records, so a logging configuration made before its first use is respected.
    """
    logger = getLogger(app.name)
    if app.debug and logger.level == NOTSET:
        logger.setLevel(DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
