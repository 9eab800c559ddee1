"""The application's logger."""

from __future__ import annotations

import io
import logging
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from quart_plug.logging import LocalQueueHandler, Queue, create_logger, default_handler, has_level_handler


@pytest.fixture
def loggers(monkeypatch: pytest.MonkeyPatch) -> logging.Manager:
    """Loggers of the test's own, which no handler of the test runner reaches."""
    manager = logging.Manager(logging.RootLogger(logging.WARNING))
    monkeypatch.setattr("quart_plug.logging.getLogger", manager.getLogger)
    return manager


@pytest.fixture
def app(loggers: logging.Manager) -> Any:
    return SimpleNamespace(name="shop", debug=False)


def test_it_has_the_apps_name_and_the_default_handler(app: Any) -> None:
    logger = create_logger(app)
    assert (logger.name, logger.handlers) == (app.name, [default_handler])


def test_a_configured_parent_is_enough(app: Any, loggers: logging.Manager) -> None:
    loggers.root.addHandler(logging.NullHandler())
    assert create_logger(app).handlers == []


def test_a_handler_for_higher_levels_only_is_not_enough(app: Any, loggers: logging.Manager) -> None:
    handler = logging.NullHandler(logging.CRITICAL)
    loggers.root.addHandler(handler)
    loggers.root.setLevel(logging.INFO)
    assert create_logger(app).handlers == [default_handler]


def test_a_parent_that_is_cut_off_does_not_count(app: Any, loggers: logging.Manager) -> None:
    loggers.root.addHandler(logging.NullHandler())
    logger = loggers.getLogger(app.name)
    logger.propagate = False
    assert has_level_handler(logger) is False


@pytest.mark.parametrize(
    ("debug", "before", "after"),
    [
        (True, logging.NOTSET, logging.DEBUG),
        (True, logging.ERROR, logging.ERROR),
        (False, logging.NOTSET, logging.NOTSET),
    ],
)
def test_debug_mode_sets_a_level_that_nobody_set(
    app: Any, loggers: logging.Manager, debug: bool, before: int, after: int
) -> None:
    app.debug = debug
    loggers.getLogger(app.name).setLevel(before)
    assert create_logger(app).level == after


def test_the_default_handler_follows_stderr(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    create_logger(app).error("broken: %s", "x")
    assert stderr.getvalue().endswith("ERROR in test_logging: broken: x\n")


def test_a_local_queue_keeps_the_record_as_it_is() -> None:
    queue: Queue[logging.LogRecord] = Queue()
    record = logging.makeLogRecord({"msg": "x %s", "args": ("y",), "exc_info": (ValueError, ValueError(), None)})
    LocalQueueHandler(queue).handle(record)
    assert queue.get_nowait() is record
    assert record.args == ("y",)
