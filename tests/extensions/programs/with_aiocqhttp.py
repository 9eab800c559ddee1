"""aiocqhttp: events of a chat over HTTP and over websockets, and calls that go back through the websocket."""

import asyncio
import hmac
import json

from aiocqhttp import CQHttp, Event

MESSAGE = {
    "post_type": "message",
    "message_type": "private",
    "sub_type": "friend",
    "user_id": 7,
    "self_id": 1,
    "message": "ping",
    "raw_message": "ping",
}


async def test_events_over_http():
    bot = CQHttp(secret="a secret")

    @bot.on_message("private")
    async def answer(event: Event):
        return {"reply": f"pong {event.user_id}"}

    client = bot.server_app.test_client()
    body = json.dumps(MESSAGE).encode()
    assert (await client.post("/", data=body)).status_code == 401
    signature = hmac.new(b"a secret", body, "sha1").hexdigest()
    headers = {"X-Signature": f"sha1={signature}", "X-Self-ID": "1", "Content-Type": "application/json"}
    response = await client.post("/", data=body, headers=headers)
    assert await response.get_json() == {"reply": "pong 7"}
    assert (await client.post("/", data=body, headers=headers | {"X-Signature": "sha1=0"})).status_code == 403


async def test_events_over_a_websocket():
    bot = CQHttp(access_token="token")
    seen = asyncio.Queue()

    @bot.on_message
    async def note(event: Event):
        got = await bot.send(event, "pong")
        await seen.put((event.raw_message, got))

    client = bot.server_app.test_client()
    headers = {"Authorization": "Bearer token", "X-Self-ID": "1", "X-Client-Role": "Universal"}
    async with client.websocket("/ws/", headers=headers) as connection:
        await connection.send_json(MESSAGE)
        call = json.loads(await connection.receive())
        assert call["action"] in ("send_msg", "send_private_msg")
        assert call["params"]["user_id"] == 7
        await connection.send_json({"status": "ok", "retcode": 0, "data": {"message_id": 3}, "echo": call["echo"]})
        async with asyncio.timeout(5):
            assert await seen.get() == ("ping", {"message_id": 3})


async def test_a_wrong_token():
    bot = CQHttp(access_token="token")
    try:
        async with bot.server_app.test_client().websocket("/ws/", headers={"X-Self-ID": "1"}) as connection:
            await connection.receive()
    except Exception as error:
        assert error.response.status_code == 401
    else:
        raise AssertionError("expected the websocket to be refused")
