"""The bearer token of a handshake: where it may be, and where it never comes out again."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quart_plug import Quart, websocket
from quart_plug.testing import WebsocketResponseError
from quart_plug.wrappers.bearer import offered_token

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
BASE64 = base64.urlsafe_b64encode(TOKEN.encode()).decode().rstrip("=")


async def seen_with(offered: list[str], headers: dict[str, str] | None = None, **options: Any) -> Any:
    """(the token, the subprotocol that was chosen)."""
    app = Quart(__name__)
    found = []

    @app.websocket("/", **options)
    async def view() -> None:
        await websocket.accept()
        found.append(websocket.bearer_token)

    async with app.test_client().websocket("/", subprotocols=offered, headers=headers) as connection:
        await connection.accept()
    return found[0], connection.subprotocol


@pytest.mark.parametrize(
    "subprotocols",
    [
        ["bearer", TOKEN],
        ["Bearer", TOKEN],
        ["chat", "bearer", TOKEN],
        ["bearer", TOKEN, "chat"],
        [f"base64url.bearer.authorization.{BASE64}", "chat"],
        ["chat", f"base64url.bearer.authorization.k8s.io.{BASE64}"],
    ],
    ids=str,
)
async def test_a_token_among_the_subprotocols(subprotocols: list[str]) -> None:
    assert await seen_with(subprotocols) == (TOKEN, None)
    chosen = "chat" if "chat" in subprotocols else None
    assert await seen_with(subprotocols, subprotocols=["chat"]) == (TOKEN, chosen)


async def test_the_header_comes_first() -> None:
    assert await seen_with([], {"Authorization": "bearer  abc"}) == ("abc", None)
    assert await seen_with(["bearer", TOKEN], {"Authorization": "Bearer abc"}) == ("abc", None)
    assert await seen_with(["bearer", TOKEN], {"Authorization": "Basic abc"}) == (TOKEN, None)


@pytest.mark.parametrize(
    "subprotocols",
    [
        [],
        ["chat"],
        ["bearer"],
        ["chat", "bearer"],
        ["base64url.bearer.authorization.%%%"],
        ["base64url.bearer.authorization."],
    ],
    ids=str,
)
async def test_without_a_token(subprotocols: list[str]) -> None:
    assert await seen_with(subprotocols) == (None, None)
    assert await seen_with(subprotocols, {"Authorization": "Bearer "}) == (None, None)


async def test_what_the_route_speaks_is_no_token() -> None:
    assert await seen_with(["bearer", "chat"], subprotocols=["chat"]) == (None, "chat")


async def test_the_word_itself_may_be_spoken() -> None:
    """For clients that offer nothing else: browsers drop a connection for which no subprotocol was chosen."""
    assert await seen_with(["bearer", TOKEN], subprotocols=["bearer"]) == (TOKEN, "bearer")


@pytest.mark.parametrize("secret", [TOKEN, f"base64url.bearer.authorization.{BASE64}"])
async def test_a_token_is_never_chosen_nor_told(secret: str, caplog: pytest.LogCaptureFixture) -> None:
    app = Quart(__name__)
    errors: list[ValueError] = []
    offered = ["bearer", secret, "chat"] if secret == TOKEN else [secret, "chat"]

    @app.websocket("/")
    async def view() -> None:
        for asked in (secret, "other"):
            try:
                await websocket.accept(subprotocol=asked)
            except ValueError as error:
                errors.append(error)
        assert websocket.state == "connecting"
        raise errors[1]

    with caplog.at_level(logging.DEBUG), pytest.raises(WebsocketResponseError) as caught:
        async with app.test_client().websocket("/", subprotocols=offered) as connection:
            await connection.accept()
    assert caught.value.response.status_code == 500
    assert "bearer_token" in str(errors[0]) and "'chat'" in str(errors[1])
    assert len(caplog.records) == 1
    for text in (*map(str, errors), caplog.text, repr(caught.value.response)):
        assert secret not in text and TOKEN not in text and BASE64 not in text


async def test_the_inspector_does_not_show_it() -> None:
    from quart_plug_inspector.masking import masked_headers

    for value in (f"bearer, {TOKEN}, chat", f"base64url.bearer.authorization.{BASE64}, chat"):
        [[_, shown]] = masked_headers([(b"sec-websocket-protocol", value.encode())])
        assert TOKEN not in shown and BASE64 not in shown and shown.endswith("chat")


async def test_a_view_that_asks_for_a_token() -> None:
    app = Quart(__name__)

    @app.before_websocket
    async def authenticate() -> Any:
        if websocket.bearer_token != TOKEN:
            return "who are you?", 401, {"WWW-Authenticate": "Bearer"}
        return None

    @app.websocket("/", subprotocols=["chat"])
    async def view() -> None:
        await websocket.send("welcome")

    client = app.test_client()
    async with client.websocket("/", subprotocols=["chat", "bearer", TOKEN]) as connection:
        assert await connection.receive() == "welcome"
    with pytest.raises(WebsocketResponseError) as caught:
        async with client.websocket("/", subprotocols=["chat", "bearer", "wrong"]) as connection:
            await connection.receive()
    assert caught.value.response.status_code == 401


async def test_an_application_may_keep_something_else_under_the_name() -> None:
    app = Quart(__name__)
    found = []

    @app.websocket("/")
    async def view() -> None:
        websocket.bearer_token = "mine"
        found.append(websocket.bearer_token)
        await websocket.accept()

    async with app.test_client().websocket("/") as connection:
        await connection.accept()
    assert found == ["mine"]


words = st.sampled_from(["bearer", "Bearer", "chat", "", "base64url.bearer.authorization.", "é"]) | st.text(max_size=5)


@given(offered=st.lists(words, max_size=5), spoken=st.lists(words, max_size=2))
def test_whatever_a_client_offers(offered: list[str], spoken: list[str]) -> None:
    holder, token = offered_token(offered, spoken)
    assert holder is None or holder in offered
    assert token is None or (holder is not None and token)
