"""The access log that servers share: a line for each request and handshake, and nothing that a client could forge."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from quart_plug.servers.access_log import LOGGER, access_logged

START = {"type": "http.response.start", "status": 201, "headers": [(b"Content-Length", b"5")]}
BODY = {"type": "http.response.body", "body": b"hello"}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    logger = logging.getLogger(LOGGER)
    before = ([*logger.handlers], logger.propagate, logger.level)
    yield
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])


async def call(*sent: dict[str, Any], fails: bool = False, **scope: Any) -> list[dict[str, Any]]:
    """What reaches the server of what an app sends."""
    received: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for message in sent:
            await send(message)
        if fails:
            raise ValueError

    async def send(message: dict[str, Any]) -> None:
        received.append(message)

    whole = {"type": "http", "method": "GET", "path": "/", "http_version": "1.1", "client": ("127.0.0.1", 80), **scope}
    await access_logged(app)(whole, None, send)
    return received


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines without the time they were written at and without how long it took."""
    found = [
        re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[INFO\] (.*) \d+", line)
        for line in capsys.readouterr().out.splitlines()
    ]
    return [match[1] if match else "no line of the access log" for match in found]


async def test_a_request_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert await call(START, BODY, method="POST", path="/new") == [START, BODY]
    assert lines(capsys) == ["127.0.0.1:80 POST /new 1.1 201 5"]


async def test_a_streamed_response_is_a_line_when_it_is_complete(capsys: pytest.CaptureFixture[str]) -> None:
    await call({**START, "headers": []}, {**BODY, "more_body": True}, {**BODY, "more_body": False})
    assert lines(capsys) == ["127.0.0.1:80 GET / 1.1 201 -"]


@pytest.mark.parametrize(
    ("messages", "status"),
    [
        ([{"type": "websocket.accept"}, {"type": "websocket.send", "text": "x"}, {"type": "websocket.close"}], "101 -"),
        ([{"type": "websocket.close"}], "403 -"),
        ([{**START, "type": "websocket.http.response.start"}, {"type": "websocket.http.response.body"}], "201 5"),
        ([], "- -"),
    ],
    ids=["accepted", "refused", "denied", "nothing"],
)
async def test_a_handshake_is_a_line(
    capsys: pytest.CaptureFixture[str], messages: list[dict[str, Any]], status: str
) -> None:
    assert await call(*messages, type="websocket", path="/ws") == messages
    assert lines(capsys) == [f"127.0.0.1:80 GET /ws 1.1 {status}"]


async def test_an_app_that_fails_is_a_line_without_a_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError):
        await call(fails=True, client=None)
    assert lines(capsys) == ["- GET / 1.1 - -"]


async def test_a_path_cannot_write_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    await call(START, BODY, path="/a\nforged ü")
    assert lines(capsys) == [r"127.0.0.1:80 GET /a\nforged ü 1.1 201 5"]


async def test_further_handlers_of_the_logger_are_kept_and_ours_is_there_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: seen.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger(LOGGER).addHandler(handler)
    for _ in range(2):
        await call(START, BODY)
    assert [line.rpartition(" ")[0] for line in seen] == lines(capsys) == ["127.0.0.1:80 GET / 1.1 201 5"] * 2
