"""`quart.logging` and `quart.debug`: the app's logger, and the page that shows an error."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from logging.handlers import QueueListener

import pytest

from quart_plug import Quart, Response, request
from quart_plug.debug import TEMPLATE, traceback_response
from quart_plug.logging import LocalQueueHandler, Queue, create_logger, default_handler, has_level_handler
from tests.support.surface import shows

NAME = "tests.surface.quiet.app"


@pytest.fixture
def unheard() -> Iterator[Callable[[], str]]:
    """`unheard()` gives a logger's name that nobody has and no handler hears, as where no logging is configured.

    Called in the test itself: pytest adds its handlers to the root, and to loggers that pass nothing on, before it.
    """
    parent, logger = logging.getLogger(NAME.rpartition(".")[0]), logging.getLogger(NAME)

    def silence() -> str:
        parent.propagate = False
        return NAME

    yield silence
    parent.propagate = True
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@shows("logging.create_logger", "logging.default_handler")
def test_the_apps_logger(unheard: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the app's name; it writes to standard error, whatever that is by then."""
    error = io.StringIO()
    app = Quart(unheard())
    assert app.logger.name == NAME
    assert default_handler in app.logger.handlers
    monkeypatch.setattr(sys, "stderr", error)
    app.logger.warning("something %s", "odd")
    app.logger.info("not this")
    assert error.getvalue().endswith("WARNING in test_logging_and_debug: something odd\n")
    assert create_logger(app) is app.logger
    assert len(app.logger.handlers) == 1
    app.logger.removeHandler(default_handler)
    assert (app.logger.handlers, error.getvalue().count("\n")) == ([], 1)


@pytest.mark.parametrize(
    ("level", "debug", "expected"),
    [(0, False, 0), (0, True, logging.DEBUG), (logging.ERROR, True, logging.ERROR)],
)
def test_the_level(unheard: Callable[[], str], level: int, debug: bool, expected: int) -> None:
    """DEBUG in debug mode, unless a level was set before."""
    logging.getLogger(NAME).setLevel(level)
    app = Quart(unheard())
    app.debug = debug
    assert app.logger.level == expected


def test_logging_that_was_configured_before_is_left_alone(unheard: Callable[[], str]) -> None:
    handler = logging.NullHandler()
    logging.getLogger(NAME).addHandler(handler)
    assert Quart(unheard()).logger.handlers == [handler]


@shows("logging.has_level_handler")
def test_has_level_handler(unheard: Callable[[], str]) -> None:
    """A handler of its own or of a parent counts, if it takes the logger's level and records get there."""
    parent, logger = logging.getLogger(unheard()), logging.getLogger(f"{NAME}.child")
    assert not has_level_handler(logger)
    handler = logging.NullHandler()
    parent.addHandler(handler)
    assert has_level_handler(parent) and has_level_handler(logger)
    handler.setLevel(logging.CRITICAL)
    assert not has_level_handler(logger)
    parent.setLevel(logging.CRITICAL)
    assert has_level_handler(logger)
    logger.propagate = False
    try:
        assert not has_level_handler(logger)
    finally:
        logger.propagate = True


@shows("logging.LocalQueueHandler", "logging.LocalQueueHandler.prepare", "logging.Queue")
def test_records_through_a_queue(unheard: Callable[[], str]) -> None:
    """They arrive as they were made, with their error, for a listener in another thread to write."""
    arrived: list[logging.LogRecord] = []

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            arrived.append(record)

    queue: Queue[logging.LogRecord] = Queue()
    handler = LocalQueueHandler(queue)
    app = Quart(unheard())
    app.logger.handlers[:] = [handler]
    listener = QueueListener(queue, Collect())
    listener.start()
    try:
        1 / 0
    except ZeroDivisionError:
        app.logger.exception("it %s", "failed")
    listener.stop()
    (record,) = arrived
    assert (record.msg, record.args, record.getMessage()) == ("it %s", ("failed",), "it failed")
    assert record.exc_info is not None and record.exc_info[0] is ZeroDivisionError
    assert handler.prepare(record) is record


@shows("debug.traceback_response", "debug.TEMPLATE")
async def test_an_errors_page() -> None:
    """Status 500, the error and where it was raised, escaped; made by hand it is a response like any other."""
    app = Quart(__name__)
    app.debug = True
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def fail() -> None:
        raise LookupError("<b>not there")

    @app.route("/by-hand")
    async def by_hand() -> Response:
        try:
            fail()
        except LookupError as error:
            return await traceback_response(error)
        raise AssertionError

    @app.route("/unhandled")
    async def unhandled() -> str:
        fail()
        return request.path

    client = app.test_client()
    response = await client.get("/by-hand")
    page = await response.get_data(as_text=True)
    assert (response.status_code, response.mimetype) == (500, "text/html")
    assert "LookupError: &lt;b&gt;not there" in page and "in <code>test_an_errors_page.&lt;locals&gt;.fail" in page
    assert TEMPLATE.partition("\n")[0] == page.partition("\n")[0] == "<!doctype html>"
    response = await client.get("/unhandled")
    assert response.status_code == 500
    assert "not there" not in await response.get_data(as_text=True)
    async with app.app_context():
        try:
            fail()
        except LookupError as error:
            assert (await traceback_response(error)).status_code == 500


async def test_an_unhandled_error_is_shown_in_debug_mode_only() -> None:
    app = Quart(__name__)
    app.add_url_rule("/", "index", lambda: {}["secret"])
    app.debug = True
    response = await app.test_client().get("/")
    assert (response.status_code, "KeyError" in await response.get_data(as_text=True)) == (500, True)
    app.debug = False
    response = await app.test_client().get("/")
    assert (response.status_code, "KeyError" in await response.get_data(as_text=True)) == (500, False)
