"""The tables of states and of ends in the documentation say what the table in the code says, and what happens."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from quart_plug import Quart, abort, websocket
from quart_plug.exceptions import ConnectionClosed, WebsocketStateError
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError
from quart_plug.wrappers import Websocket
from quart_plug.wrappers.socket import STATES, TABLE

from .conftest import Connect, turns

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "websocket.md"
MOVES = {
    "`accept()`": "accept",
    "`receive()`": "receive",
    "`send()`": "send",
    "`close()`": "close",
    "`reject()`": "reject",
    "the close frame is with the server": "closed",
    "the client leaves": "disconnect",
    "a limit is passed": "shut",
}
CALLS = ("accept", "receive", "send", "close", "reject")
IMPOSSIBLE = {("closed", state) for state in ("connecting", "accepted", "rejected")}


def table() -> dict[tuple[str, str], str]:
    """(move, state) -> the cell, as the page has it."""
    section = PAGE.read_text().split("\n## States\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    head, _, *body = rows
    assert head == ["", *STATES]
    assert [row[0] for row in body] == [*MOVES]
    return {(MOVES[row[0]], state): cell for row in body for state, cell in zip(STATES, row[1:], strict=True)}


CELLS = table()


@pytest.mark.parametrize(("move", "state"), [*CELLS], ids=" ".join)
def test_the_page_has_what_the_code_has(move: str, state: str) -> None:
    after = TABLE.get((state, move))
    if (move, state) in IMPOSSIBLE:
        expected = {""}
    elif after is None and state == "connecting":
        expected = {"accepts first"}
    elif after is None:
        expected = {"`ConnectionClosed`" if state in ("closing", "closed") else "`WebsocketStateError`"}
    elif after == state:
        expected = {"a message"} if move in ("send", "receive") else {"nothing"}
    else:
        expected = {f"→ {after}"}
    assert CELLS[move, state] in expected


def test_only_moves_that_nobody_sees_are_not_on_the_page() -> None:
    assert {move for _, move in TABLE} - {*MOVES.values()} == {"connect", "message"}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("call", CALLS)
async def test_the_calls_do_what_the_page_says(connect: Connect, call: str, state: str) -> None:
    connection = connect(extensions={"websocket.http.response": {}})
    server = connection.server

    async def view(websocket: Websocket) -> str:
        closing = None
        if state == "rejected":
            await websocket.reject()
        elif state != "connecting":
            await websocket.accept()
            server.blocked = state == "closing"
            if state == "closing":
                closing = asyncio.create_task(websocket.close())
                await turns()
            if state == "closed":
                await websocket.close()
            server.put("a message")
        else:
            server.put({"type": "websocket.connect"}, "a message")
        assert websocket.state == state
        before = len(server.sent)
        try:
            result = await getattr(websocket, call)(*(["data"] if call == "send" else []))
        except (ConnectionClosed, WebsocketStateError) as error:
            told = f"`{type(error).__name__}`"
        else:
            sent = server.types[before:]
            if call == "receive" or (call == "send" and sent[-1:] == ["send"]):
                told = "a message" if sent[:1] != ["accept"] else "accepts first"
                assert result == ("a message" if call == "receive" else None)
            elif not sent:
                told = "nothing"
            else:
                told = f"→ {websocket.state}"
                if call == "close" and websocket.state == "closed":
                    told = "→ closing"  # and the frame is with the server
        server.blocked = False
        if closing is not None:
            await closing
        return told

    task = await connection.start(view)
    assert await asyncio.wait_for(task, 5) == CELLS[call, state]


# How a connection ends -------------------------------------------------------------------------------------------

ENDS = {
    "returns": "returns",
    "raises an HTTP error (`abort(404)`, …)": "http",
    "raises another error": "error",
    "leaves with `ConnectionClosed`, also in an ExceptionGroup": "closed",
    "is of no route": "nowhere",
}


def endings() -> dict[tuple[str, str], set[int]]:
    """(what the view does, "before" or "after" accepting) -> the statuses and close codes that the cell names."""
    section = PAGE.read_text().split("\n## How a connection ends\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    assert [row[0] for row in rows[2:]] == [*ENDS]
    found = {}
    for what, before, after in rows[2:]:
        for when, cell in (("before", before), ("after", after)):
            found[ENDS[what], when] = {int(number) for number in re.findall(r"\b\d{3,4}\b", cell)}
    found["http", "before"] = {404}  # "the error handlers' answer"
    found["closed", "before"], found["closed", "after"] = {403}, {1000}  # "a normal end", as if it had returned
    return found


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("what", ["returns", "http", "error", "closed", "group", "nowhere"])
async def test_a_connection_ends_as_the_page_says(what: str, when: str, caplog: pytest.LogCaptureFixture) -> None:
    app = Quart(__name__)

    @app.websocket("/")
    async def view() -> None:
        if when == "after":
            await websocket.accept()
        if what == "http":
            abort(404)
        elif what == "error":
            raise LookupError("an error of the view's")
        elif what == "closed":
            raise ConnectionClosed(4000)
        elif what == "group":
            raise ExceptionGroup("several", [ConnectionClosed(4000), ConnectionClosed(1001)])

    if (what, when) == ("nowhere", "after"):
        assert endings()[what, when] == set()
        return
    with pytest.raises((WebsocketResponseError, WebsocketDisconnectError)) as caught:
        async with app.test_client().websocket("/nowhere" if what == "nowhere" else "/") as connection:
            await connection.accept()
            await connection.receive()
    error: Any = caught.value
    ended = error.response.status_code if isinstance(error, WebsocketResponseError) else error.code
    assert {ended} == endings()["closed" if what == "group" else what, when]
    is_failure = what == "error" or (what == "http" and when == "after")
    assert len(caplog.records) == is_failure, "an error is logged once"
