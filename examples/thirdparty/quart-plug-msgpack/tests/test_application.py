"""In an application, by quart-plug's test client."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgpack
import pytest

from quart_plug import Quart, request, websocket

MSGPACK = "application/msgpack"


def make(plug: Any, **config: Any) -> Quart:
    app: Quart = plug("msgpack", config={"PLUGIN_CONFIG": {"msgpack": config}})

    @app.post("/echo")
    async def echo() -> Any:
        return {"got": await request.get_json()}

    @app.get("/moment")
    async def moment() -> Any:
        return {"at": datetime(2026, 5, 1, tzinfo=UTC), "id": UUID(int=1)}

    @app.get("/long")
    async def long() -> Any:
        return {"number": 2**70}

    @app.websocket("/ws")
    async def ws() -> None:
        while True:
            await websocket.send_json({"got": await websocket.receive_json()})

    return app


async def test_an_answer_is_in_the_type_that_the_client_prefers(plug: Any) -> None:
    client = make(plug).test_client()
    for accept, expected in (
        (None, "application/json"),
        ("*/*", "application/json"),
        (MSGPACK, MSGPACK),
        (f"application/json;q=0.5, {MSGPACK}", MSGPACK),
        (f"application/json, {MSGPACK};q=0.5", "application/json"),
        ("application/x-msgpack", "application/x-msgpack"),
        ("text/html", "application/json"),
    ):
        response = await client.get("/moment", headers={"accept": accept} if accept else {})
        assert response.mimetype == expected
        assert "accept" in response.headers.get("vary", "").lower()


async def test_what_json_knows_goes_as_json_has_it(plug: Any) -> None:
    client = make(plug).test_client()
    as_json = await (await client.get("/moment")).get_json()
    packed = await (await client.get("/moment", headers={"accept": MSGPACK})).get_data()
    assert msgpack.unpackb(packed) == as_json
    assert as_json["id"] == str(UUID(int=1))


async def test_extended_types_arrive_as_they_are(plug: Any) -> None:
    client = make(plug, extended=True).test_client()
    packed = await (await client.get("/moment", headers={"accept": MSGPACK})).get_data()
    moment = msgpack.unpackb(packed, timestamp=3)
    assert moment["at"] == datetime(2026, 5, 1, tzinfo=UTC)
    assert moment["id"] == msgpack.ExtType(1, UUID(int=1).bytes)


async def test_a_body_is_read_by_its_type(plug: Any) -> None:
    client = make(plug).test_client()
    response = await client.post("/echo", data=msgpack.packb({"a": [1]}), headers={"content-type": MSGPACK})
    assert await response.get_json() == {"got": {"a": [1]}}
    response = await client.post("/echo", json={"a": [1]}, headers={"accept": MSGPACK})
    assert msgpack.unpackb(await response.get_data()) == {"got": {"a": [1]}}


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x91" * 1000 + b"\x90", b"\xc4\xff" + bytes(255)]
)
async def test_a_body_that_is_none_or_too_much_is_a_bad_request(plug: Any, data: bytes) -> None:
    client = make(plug, max_bytes=200).test_client()
    response = await client.post("/echo", data=data, headers={"content-type": MSGPACK})
    assert response.status_code == 400


async def test_a_websocket_speaks_it_with_who_asks_for_it(plug: Any) -> None:
    client = make(plug).test_client()
    async with client.websocket("/ws", subprotocols=["other", "msgpack"]) as connection:
        await connection.send(msgpack.packb([1, b"raw"]))
        assert msgpack.unpackb(await connection.receive()) == {"got": [1, b"raw"]}
        assert connection.subprotocol == "msgpack"
    async with client.websocket("/ws") as connection:
        await connection.send_json([1])
        assert await connection.receive_json() == {"got": [1]}


async def test_without_a_subprotocol_websockets_are_left_alone(plug: Any) -> None:
    client = make(plug, subprotocol="").test_client()
    async with client.websocket("/ws", subprotocols=["msgpack"]) as connection:
        await connection.send_json([1])
        assert await connection.receive_json() == {"got": [1]}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"max_bytes": 0}, "max_bytes has to be 1 or more"),
        ({"max_items": "many"}, "max_items"),
        ({"media_types": []}, "media_types has to be a list"),
        ({"max_byte": 1}, "max_bytes"),
    ],
)
def test_a_configuration_that_cannot_be_is_an_error(plug: Any, config: dict[str, Any], words: str) -> None:
    plug.fails("msgpack", match=words, config={"PLUGIN_CONFIG": {"msgpack": config}})


def test_it_needs_json(plug: Any) -> None:
    plug.fails("msgpack", match="requires 'json'", disable=["json"])
