"""What a `Websocket` does: the handshake, messages, JSON, closing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from quart_plug import Quart, abort, websocket
from quart_plug.exceptions import BadRequest
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError
from quart_plug.wrappers import Websocket
from tests.support.surface import shows


def serving(view: Any, app: Quart | None = None) -> Quart:
    """An application with `view` as the websocket /ws."""
    app = Quart(__name__) if app is None else app
    app.add_websocket("/ws", "ws", view)
    return app


@shows("wrappers.websocket.Websocket.receive", "wrappers.websocket.Websocket.send")
@pytest.mark.parametrize("message", ["text", "ünïcode", "", b"bytes", b""])
async def test_a_message_is_text_or_bytes(message: str | bytes) -> None:
    async def echo() -> None:
        await websocket.send(await websocket.receive())

    async with serving(echo).test_client().websocket("/ws") as connection:
        await connection.send(message)
        assert await connection.receive() == message


@shows("wrappers.websocket.Websocket.receive_json")
@pytest.mark.parametrize("raw", ['{"a": [1, null]}', b'{"a": [1, null]}'])
async def test_a_message_is_read_as_json_whether_text_or_bytes(raw: str | bytes) -> None:
    async def view() -> None:
        await websocket.send(repr(await websocket.receive_json()))

    async with serving(view).test_client().websocket("/ws") as connection:
        await connection.send(raw)
        assert await connection.receive() == "{'a': [1, None]}"


@shows("wrappers.websocket.Websocket.receive_json")
@pytest.mark.parametrize("error", [ValueError, json.JSONDecodeError, BadRequest])
@pytest.mark.parametrize("raw", ["{bad", "", b"\xff"])
async def test_what_is_no_json_can_be_caught_as_in_quart(error: type[Exception], raw: str | bytes) -> None:
    """Quart raises what its JSON provider raises; the connection stays open."""

    async def view() -> None:
        while True:
            try:
                await websocket.receive_json()
            except error:
                await websocket.send("say that again")
            else:
                await websocket.send("thanks")

    async with serving(view).test_client().websocket("/ws") as connection:
        await connection.send(raw)
        assert await connection.receive() == "say that again"
        await connection.send("{}")
        assert await connection.receive() == "thanks"


async def test_the_error_for_invalid_json_tells_where() -> None:
    found: dict[str, Any] = {}

    async def view() -> None:
        try:
            await websocket.receive_json()
        except json.JSONDecodeError as error:
            found.update(doc=error.doc, pos=error.pos, lineno=error.lineno, colno=error.colno)

    async with serving(view).test_client().websocket("/ws") as connection:
        await connection.send('{"a":\n x}')

    assert found == {"doc": '{"a":\n x}', "pos": 7, "lineno": 2, "colno": 2}


@shows("wrappers.websocket.Websocket.send_json")
@pytest.mark.parametrize(
    ("args", "kwargs", "sent"),
    [
        (({"a": 1},), {}, {"a": 1}),
        ((None,), {}, None),
        (([],), {}, []),
        ((1, "two"), {}, [1, "two"]),
        ((), {"a": 1, "b": 2}, {"a": 1, "b": 2}),
    ],
)
async def test_json_is_made_of_the_arguments_as_by_jsonify(args: Any, kwargs: Any, sent: Any) -> None:
    async def view() -> None:
        await websocket.send_json(*args, **kwargs)

    async with serving(view).test_client().websocket("/ws") as connection:
        text = await connection.receive()

    assert isinstance(text, str)
    assert json.loads(text) == sent


@shows("wrappers.websocket.Websocket.accept", "wrappers.websocket.Websocket.requested_subprotocols")
async def test_accepting_takes_headers_and_one_of_the_requested_subprotocols() -> None:
    async def view() -> None:
        assert websocket.requested_subprotocols == ["v2", "v1"]
        await websocket.accept(headers={"X-Room": "blue"}, subprotocol="v1")
        await websocket.accept()  # a second time does nothing
        await websocket.send("in")

    async with serving(view).test_client().websocket("/ws", subprotocols=["v2", "v1"]) as connection:
        assert await connection.receive() == "in"
        assert connection.headers["x-room"] == "blue"
        assert connection.subprotocol == "v1"


@shows("wrappers.websocket.Websocket.requested_subprotocols")
async def test_a_client_without_subprotocols_requests_none() -> None:
    async def view() -> None:
        await websocket.send_json(websocket.requested_subprotocols)

    async with serving(view).test_client().websocket("/ws") as connection:
        assert await connection.receive_json() == []


@shows("wrappers.websocket.Websocket.accept")
@pytest.mark.parametrize("first", ["receive", "send"])
async def test_the_first_message_accepts_and_calls_an_accept_of_the_class(first: str) -> None:
    called: list[Any] = []

    class Counting(Websocket):
        async def accept(self, headers: Any = None, subprotocol: str | None = None) -> None:
            called.append((headers, subprotocol))
            await super().accept(headers, subprotocol)

    async def view() -> None:
        await (websocket.receive() if first == "receive" else websocket.send("hello"))

    app = serving(view)
    app.websocket_class = Counting
    async with app.test_client().websocket("/ws") as connection:
        await connection.send("hello")

    assert called == [(None, None)]


@shows("wrappers.websocket.Websocket.close")
async def test_closing_sends_the_code_and_ends_the_connection() -> None:
    async def view() -> None:
        await websocket.accept()
        await websocket.close(4000, reason="enough")

    async with serving(view).test_client().websocket("/ws") as connection:
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()

    assert (caught.value.code, caught.value.reason) == (4000, "enough")


@shows("wrappers.websocket.Websocket.close")
async def test_closing_before_accepting_refuses_the_handshake() -> None:
    async def view() -> None:
        await websocket.close(1000)

    with pytest.raises(WebsocketResponseError) as caught:
        async with serving(view).test_client().websocket("/ws") as connection:
            await connection.receive()

    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (lambda: ("who are you?", 401, {"X-Why": "token"}), 401, b"who are you?"),
        (lambda: {"error": "no"}, 200, b'{"error":"no"}\n'),
        (lambda: abort(418), 418, None),
    ],
)
async def test_a_value_returned_instead_of_accepting_is_the_answer(
    answer: Any, status: int, body: bytes | None
) -> None:
    async def view() -> Any:
        return answer()

    with pytest.raises(WebsocketResponseError) as caught:
        async with serving(view).test_client().websocket("/ws") as connection:
            await connection.receive()

    assert caught.value.response.status_code == status
    assert body is None or await caught.value.response.get_data() == body


@shows("wrappers.websocket.Websocket")
async def test_a_websocket_can_be_made_by_hand() -> None:
    """With Quart's constructor: everything goes to the four functions."""
    heard: list[Any] = []

    async def receive() -> str:
        return '{"a": 1}'

    async def send(data: str | bytes) -> None:
        heard.append(data)

    async def accept(headers: Headers, subprotocol: str | None) -> None:
        heard.append(("accept", list(headers), subprotocol))

    async def close(code: int, reason: str) -> None:
        heard.append(("close", code, reason))

    made = Websocket(
        "/chat",
        b"room=1",
        "wss",
        Headers([("Host", "example.org")]),
        "/api",
        "1.1",
        ["v1"],
        receive,
        send,
        accept,
        close,
        {"type": "websocket", "headers": []},
    )

    assert (made.url, made.method, made.args["room"]) == ("wss://example.org/api/chat?room=1", "GET", "1")
    assert made.requested_subprotocols == ["v1"]
    await made.accept(headers={"x-a": "b"}, subprotocol="v1")
    assert await made.receive_json() == {"a": 1}
    await made.send_json(2)
    await made.close(1000, "bye")
    assert heard == [("accept", [("x-a", "b")], "v1"), "2", ("close", 1000, "bye")]


class Shouting(Websocket):
    """Its own `receive` has Quart's signature, without a timeout."""

    async def receive(self) -> str | bytes:  # type: ignore[override]
        data = await super().receive()
        assert isinstance(data, str)
        return data.upper()

    async def send(self, data: str | bytes) -> None:
        assert isinstance(data, str)
        await super().send(data + "!")


@shows("wrappers.websocket.Websocket.receive_json", "wrappers.websocket.Websocket.send_json")
async def test_json_goes_through_receive_and_send_of_a_subclass() -> None:
    async def view() -> None:
        await websocket.accept()
        await websocket.send_json(await websocket.receive_json())
        async for message in websocket:
            await websocket.send(message)

    app = serving(view)
    app.websocket_class = Shouting
    async with app.test_client().websocket("/ws") as connection:
        await connection.send('["a"]')
        assert await connection.receive() == '["A"]!'
        await connection.send("b")
        assert await connection.receive() == "B!"
