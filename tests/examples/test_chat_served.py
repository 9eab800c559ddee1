"""The chat example under the real server: a client that does not read, and many processes with Redis."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.clients import ending, receive_json, send_json
from tests.support.redis import Redis
from tests.support.servers import LIMIT, Server

CHAT = Path(__file__).parents[2] / "examples" / "chat"
LENGTH = 200_000  # characters
MESSAGES = 60  # more than the buffers between the server and the client hold


@pytest.fixture
def server() -> Iterator[Server]:
    settings = {
        "MESSAGE_LENGTH": LENGTH,
        "HISTORY": 1,
        "WEBSOCKET_SEND_TIMEOUT": 0.5,
        "WEBSOCKET_DISCONNECT_GRACE": 0.5,
    }
    environment = {f"CHAT_{name}": str(value) for name, value in settings.items()}
    environment["QUART_PLUG_ROOMS__OUTBOX_BYTES"] = str(2 * LENGTH * MESSAGES)  # more than waits for Ada
    with Server("app:app", CHAT, environment=environment) as running:
        yield running
    assert "Traceback" not in running.output, running.output


async def session_cookie(server: Server, name: str) -> str:
    """Choose a name; the Cookie header to send from then on."""
    body = urlencode({"name": name})
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        f"POST /name HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}".encode()
    )
    async with asyncio.timeout(LIMIT):
        answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    lines = answer.partition("\r\n\r\n")[0].splitlines()
    cookie = SimpleCookie(next(line for line in lines if line.lower().startswith("set-cookie:")).partition(":")[2])
    return f"session={cookie['session'].value}"


async def names(connection: ClientConnection) -> list[str]:
    """The people of the next message that tells who is here."""
    while (message := await receive_json(connection))["type"] != "people":
        pass
    return [person["name"] for person in message["people"]]


async def test_a_client_that_does_not_read_delays_nobody_and_is_put_out(server: Server) -> None:
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", server.port))
    headers = {name: {"Cookie": await session_cookie(server, name)} for name in ("Ada", "Sleepy")}
    address = server.ws("/ws")
    async with connect(address, additional_headers=headers["Ada"], proxy=None) as ada:
        assert await names(ada) == ["Ada"]
        # Nothing that would empty the buffers for it: no queue, no compression, and no limits in time of its own.
        sleepy = await connect(
            address,
            additional_headers=headers["Sleepy"],
            sock=narrow,
            max_queue=1,
            compression=None,
            ping_interval=None,
            proxy=None,
        )
        people = await names(ada)
        assert people == ["Ada", "Sleepy"]
        for number in range(MESSAGES):
            await send_json(ada, {"type": "say", "text": f"{number} ".ljust(LENGTH, ".")})
        heard: list[str] = []
        while len(heard) < MESSAGES or people != ["Ada"]:
            message = await receive_json(ada)
            if message["type"] == "people":
                people = [person["name"] for person in message["people"]]
            else:
                heard.append(message["text"].partition(" ")[0])
        assert heard == list(map(str, range(MESSAGES)))
        sleepy.transport.abort()
        async with asyncio.timeout(LIMIT):
            await sleepy.wait_closed()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path) as running:
        yield running


def over(redis: Redis) -> dict[str, str]:
    """The configuration that alone joins processes."""
    return {"QUART_PLUG_ROOMS__URL": redis.url}


@asynccontextmanager
async def visitor(server: Server, name: str) -> AsyncIterator[ClientConnection]:
    """Somebody with that name, whose next message is the list of who is here."""
    cookie = await session_cookie(server, name)
    async with connect(server.ws("/ws"), additional_headers={"Cookie": cookie}, proxy=None) as connection:
        yield connection


async def until_here(connection: ClientConnection, *wanted: str) -> None:
    async with asyncio.timeout(LIMIT):
        while sorted(await names(connection)) != sorted(wanted):
            pass


async def said(connection: ClientConnection) -> tuple[str, str]:
    """Who says what, in the next message that somebody says."""
    while (message := await receive_json(connection))["type"] != "message":
        pass
    return message["name"], message["text"]


async def test_two_servers_and_redis_are_one_chat(redis: Redis) -> None:
    one, two = (Server("app:app", CHAT, environment=over(redis)) for _ in range(2))
    with one, two:
        async with visitor(one, "Ada") as ada:
            await until_here(ada, "Ada")
            async with visitor(two, "Grace") as grace:
                await until_here(ada, "Ada", "Grace")
                await send_json(grace, {"type": "say", "text": "from the other one"})
                assert await said(ada) == await said(grace) == ("Grace", "from the other one")
                async with visitor(one, "grace") as nobody:  # the name is taken
                    assert (await ending(nobody))[0] == 4401
            await until_here(ada, "Ada")
            async with visitor(two, "Alan") as alan:
                assert await said(alan) == ("Grace", "from the other one")  # the history
        assert two.stop() == 0
        assert one.stop() == 0


async def test_two_workers_and_redis_are_one_chat(redis: Redis) -> None:
    people = [f"Visitor {number}" for number in range(8)]
    with Server("app:app", CHAT, environment=over(redis), arguments=("--workers", "2")) as server:
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(visitor(server, name)) for name in people]
            for connection in connections:
                await until_here(connection, *people)
            for name, connection in zip(people, connections, strict=True):
                await send_json(connection, {"type": "say", "text": "hello"})
                assert [await said(each) for each in connections] == [(name, "hello")] * len(people)
        assert server.stop() == 0


async def test_the_chat_says_so_while_redis_is_away(redis: Redis) -> None:
    with Server("app:app", CHAT, environment=over(redis) | {"QUART_PLUG_ROOMS__REDIS_WAIT": "0.2"}) as server:
        async with visitor(server, "Ada") as ada:
            await until_here(ada, "Ada")
            redis.stop()
            await send_json(ada, {"type": "say", "text": "is anybody there?"})
            while (message := await receive_json(ada))["type"] != "problem":
                pass
            assert message["text"] == "That could not be sent. Please try again in a moment."
            async with visitor(server, "Grace") as nobody:  # nobody can tell whether the name is taken
                assert (await ending(nobody))[0] == 4401
            redis.start()
            while message["type"] != "message":
                await send_json(ada, {"type": "say", "text": "again"})
                message = await receive_json(ada)
        assert server.stop() == 0
    assert "Traceback" not in server.output, server.output
