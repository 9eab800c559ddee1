"""Request ids and times for quart-plug applications.

Enable the plugin ``timing``; see the README. For views and helpers::

    from quart_plug_timing import measure, request_id

    with measure("db"):
        rows = await database.fetch(...)
    current_app.logger.info("%d rows for %s", len(rows), request_id())
"""

from .config import Timing
from .logs import RequestIdFilter
from .record import Record, measure, request_id

__all__ = ["Record", "RequestIdFilter", "Timing", "measure", "request_id"]
