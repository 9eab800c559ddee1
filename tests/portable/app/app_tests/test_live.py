"""Websockets, events, streams."""

from __future__ import annotations

import asyncio
import json

import pytest
from board.live import rooms
from helpers import text
from quart.testing import WebsocketResponseError
from quart.testing.connections import WebsocketDisconnectError


async def test_a_room(app, member, client):
    async with member.websocket("/live/rooms?room=kitchen") as ada:
        async with client.websocket("/live/rooms?room=kitchen") as other:
            await other.send_json({"text": "hello"})
            expected = {"from": "anonymous", "text": "hello", "members": 2}
            assert await ada.receive_json() == expected
            assert await other.receive_json() == expected
        await ada.send_json({"text": "gone?"})
        assert await ada.receive_json() == {"from": "ada", "text": "gone?", "members": 1}
    await until(lambda: not rooms["kitchen"])


async def until(condition) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_rooms_are_apart(client):
    first = client.websocket("/live/rooms", query_string={"room": "a"})
    second = client.websocket("/live/rooms", query_string={"room": "b"})
    async with first as a, second as b:
        await a.send_json({"text": "to a"})
        await b.send_json({"text": "to b"})
        assert (await a.receive_json())["text"] == "to a"
        assert (await b.receive_json())["text"] == "to b"


async def test_an_echo_of_text_and_bytes(client):
    async with client.websocket("/live/echo") as connection:
        await connection.send("text")
        assert await connection.receive() == "text"
        await connection.send(b"bytes")
        assert await connection.receive() == b"bytes"


async def test_a_handshake_that_is_answered(client):
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/live/negotiate/ada", subprotocols=["other"]) as connection:
            await connection.receive()
    response = caught.value.response
    assert (response.status_code, response.headers["X-Why"]) == (400, "protocol")
    assert json.loads(await response.get_data()) == {"error": "which protocol?"}


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/live/aborts/403", 403, '{"code":403,"name":"Forbidden"}\n'),
        ("/live/loud", 418, "too loud: of a websocket"),
        ("/nowhere", 404, '{"code":404,"name":"Not Found"}\n'),
    ],
)
async def test_handshakes_that_end_in_an_error(client, path, status, body):
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket(path) as connection:
            await connection.receive()
    assert caught.value.response.status_code == status
    assert (await caught.value.response.get_data()).decode() == body


async def test_a_before_function_refuses(client, app):
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/live/echo", headers={"Origin": "http://elsewhere"}) as connection:
            await connection.receive()
    assert caught.value.response.status_code == 403
    assert app.after_websockets == [403]


async def test_errors_of_a_blueprint_serve_requests_too(client):
    response = await client.get("/live/loud-too")
    assert (response.status_code, await text(response)) == (429, "too loud")


async def test_a_close_with_code_and_reason(client):
    async with client.websocket("/live/closes") as connection:
        assert await connection.receive() == "bye"
        with pytest.raises(WebsocketDisconnectError) as caught:
            await connection.receive()
    assert caught.value.args[0] == 4001


async def test_both_directions_at_once(client):
    async with client.websocket("/live/both") as connection:
        await connection.send("abc")
        await connection.send("def")
        assert [await connection.receive(), await connection.receive()] == ["ABC", "DEF"]


async def test_a_websocket_reads_the_session(member):
    async with member.websocket("/live/sync") as connection:
        assert await connection.receive_json() == {"user": "ada", "request": False, "ws": True}


async def test_a_view_whose_client_leaves_is_cancelled(client, app):
    async with client.websocket("/live/watch"):
        await asyncio.sleep(0)
    await until(lambda: app.cancelled == ["watch"])
    await until(
        lambda: ("websocket", "CancelledError") in app.torn_down or ("websocket", "NoneType") in app.torn_down
    )


async def test_server_sent_events(client):
    response = await client.get("/live/events?count=2", headers={"Accept": "text/event-stream"})
    assert response.mimetype == "text/event-stream"
    assert response.headers["Cache-Control"] == "no-cache"
    assert await text(response) == (
        "event: tick\ndata: /live/events 0\nid: 0\n\nevent: tick\ndata: /live/events 1\nid: 1\n\n"
    )
    assert (await client.get("/live/events", headers={"Accept": "text/html"})).status_code == 400


async def test_events_that_never_end(client):
    async with client.request(
        "/live/events?count=1&forever=1", headers={"Accept": "text/event-stream"}
    ) as connection:
        await connection.send_complete()
        assert await connection.receive() == b"event: tick\ndata: /live/events 0\nid: 0\n\n"
        assert await connection.receive() == b": still here\n\n"
        assert connection.status_code == 200
        assert connection.headers["content-type"] == "text/event-stream"
        await connection.disconnect()


async def test_streams(client):
    response = await client.get("/live/stream")
    assert (await text(response), response.headers["X-Stream"]) == ("one\ntwo\nthree\n", "yes")
    assert await text(await client.get("/live/generator")) == "ab"


async def test_a_stream_whose_reader_leaves(client, app):
    async with client.request("/live/tasks") as connection:
        await connection.send_complete()
        assert await connection.receive() == b"x" * 10
        await connection.disconnect()
    await until(lambda: app.cancelled == ["stream"])
