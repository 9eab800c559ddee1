"""The id in log lines."""

from __future__ import annotations

import logging

from .record import current_record, request_id

logger = logging.getLogger("quart_plug_timing")


class RequestIdFilter(logging.Filter):
    """Gives records an attribute ``request_id`` ("-" outside of a connection).

    Put it on a handler, and ``%(request_id)s`` into its format.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):  # not yet seen by another such filter
            record.request_id = request_id() or "-"
        return True


class _Marking(RequestIdFilter):
    """For the application's logger, which all applications of the name share: where
    the one at work wants that, the message begins with the id.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        current = current_record()
        if current is not None and current.marks and not hasattr(record, "request_id"):
            record.msg = f"[{current.id}] {record.msg}"
        return super().filter(record)


MARKING = _Marking()


def ready() -> None:
    """See that our lines are written somewhere, unless logging is configured."""
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("[%(asctime)s] %(message)s"))
        logger.addHandler(handler)
        logger.propagate = False


def tell(level: int, text: str, id: str, seconds: float) -> None:
    """One line for a connection."""
    if logger.isEnabledFor(level):
        extra = {"request_id": id, "seconds": seconds}
        logger.log(level, "%s in %.1f ms, id %s", text, seconds * 1000, id, extra=extra)
