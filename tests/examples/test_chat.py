"""The chat example, by the test client: names, who is here, messages, what is wrong, and its plugin."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import Any

import pytest

from quart_plug.testing import WebsocketDisconnectError

OUTBOX_MESSAGES = 100  # as in settings.toml


async def named(chat: ModuleType, name: str) -> Any:
    """A browser in which the name was chosen."""
    browser = chat.app.test_client()
    response = await browser.post("/name", form={"name": name}, follow_redirects=True)
    assert f"You are <strong>{name}</strong>" in await response.get_data(as_text=True)
    return browser


@asynccontextmanager
async def tab(browser: Any) -> AsyncIterator[Any]:
    """An open tab of a browser; what it first hears is in its `history` and `people`."""
    async with browser.websocket("/ws") as websocket:
        websocket.history = []
        while (message := await websocket.receive_json())["type"] == "message":
            websocket.history.append(message)
        websocket.people = people_of(message)
        yield websocket


async def hear(websocket: Any, kind: str) -> Any:
    message = await websocket.receive_json()
    assert message.pop("type") == kind
    return message


def people_of(message: Any) -> list[tuple[str, int]]:
    return [(person["name"], person["tabs"]) for person in message["people"]]


async def hear_people(websocket: Any) -> list[tuple[str, int]]:
    return people_of(await hear(websocket, "people"))


async def say(websocket: Any, text: str) -> None:
    await websocket.send_json({"type": "say", "text": text})


# Names ----------------------------------------------------------------------------------------------------------------


async def test_a_newcomer_is_asked_for_a_name(chat: ModuleType) -> None:
    page = await (await chat.app.test_client().get("/")).get_data(as_text=True)
    assert "What shall we call you?" in page
    assert "chat.js" not in page


async def test_the_session_keeps_the_name(chat: ModuleType) -> None:
    ada = await named(chat, "Ada")
    for _ in range(2):
        page = await (await ada.get("/")).get_data(as_text=True)
        assert "You are <strong>Ada</strong>" in page
        assert "chat.js" in page


async def test_the_cookie_outlives_the_browser_and_is_for_this_site_only(chat: ModuleType) -> None:
    response = await chat.app.test_client().post("/name", form={"name": "Ada"})
    assert response.status_code == 303
    cookie = response.headers["Set-Cookie"]
    assert all(part in cookie for part in ("Expires=", "HttpOnly", "SameSite=Lax"))


async def test_spaces_around_and_within_a_name_are_tidied(chat: ModuleType) -> None:
    browser = chat.app.test_client()
    response = await browser.post("/name", form={"name": "  Ada \t Lovelace "}, follow_redirects=True)
    assert "<strong>Ada Lovelace</strong>" in await response.get_data(as_text=True)


@pytest.mark.parametrize("form", [{}, {"name": ""}, {"name": "  "}, {"name": "a\u200bb"}, {"name": "x" * 31}], ids=repr)
async def test_a_name_that_is_none_is_told(chat: ModuleType, form: dict[str, str]) -> None:
    response = await chat.app.test_client().post("/name", form=form, follow_redirects=True)
    page = await response.get_data(as_text=True)
    assert 'role="alert"' in page
    assert "What shall we call you?" in page


async def test_a_name_is_taken_while_its_owner_is_here(chat: ModuleType) -> None:
    ada = await named(chat, "Ada")
    other = chat.app.test_client()
    async with tab(ada):
        response = await other.post("/name", form={"name": "ADA"}, follow_redirects=True)
        assert "Somebody here is called Ada already." in await response.get_data(as_text=True)
        await ada.post("/name", form={"name": "ada"})  # her own she may write otherwise
    await named(chat, "ADA")


async def test_names_and_messages_are_escaped(chat: ModuleType) -> None:
    browser = chat.app.test_client()
    response = await browser.post("/name", form={"name": "<b>&'\""}, follow_redirects=True)
    page = await response.get_data(as_text=True)
    assert "<b>&" not in page
    assert "&lt;b&gt;&amp;" in page


async def test_without_a_name_there_is_no_chat(chat: ModuleType) -> None:
    async with chat.app.test_client().websocket("/ws") as websocket:
        with pytest.raises(WebsocketDisconnectError) as closed:
            await websocket.receive()
    assert closed.value.code == 4401
    assert (await chat.app.rooms.counts())["rooms"] == {}


async def test_a_forged_session_is_none(chat: ModuleType) -> None:
    browser = chat.app.test_client()
    browser.set_cookie("localhost", "session", "eyJ1c2VyIjoiYSIsIm5hbWUiOiJBZGEifQ.awRbHQ.vgx7H9iuMbkuoBgOHaBFw5-D6BM")
    assert "What shall we call you?" in await (await browser.get("/")).get_data(as_text=True)


# Who is here ----------------------------------------------------------------------------------------------------------


async def test_everybody_sees_who_comes_and_goes(chat: ModuleType) -> None:
    async with tab(await named(chat, "Ada")) as ada:
        assert ada.people == [("Ada", 1)]
        async with tab(await named(chat, "Grace")) as grace:
            assert grace.people == [("Ada", 1), ("Grace", 1)]
            assert await hear_people(ada) == [("Ada", 1), ("Grace", 1)]
        assert await hear_people(ada) == [("Ada", 1)]


async def test_several_tabs_are_one_person(chat: ModuleType) -> None:
    browser = await named(chat, "Ada")
    async with tab(browser) as first:
        async with tab(browser) as second:
            assert second.people == [("Ada", 2)]
            assert await hear_people(first) == [("Ada", 2)]
            await say(second, "from the second")
            assert (await hear(first, "message"))["text"] == "from the second"
        assert await hear_people(first) == [("Ada", 1)]


async def test_who_vanishes_is_gone(chat: ModuleType) -> None:
    async with tab(await named(chat, "Ada")) as ada, tab(await named(chat, "Grace")) as grace:
        await hear_people(ada)
        await grace.vanish()
        assert await hear_people(ada) == [("Ada", 1)]


async def test_a_new_name_shows_when_the_tabs_have_connected_anew(chat: ModuleType) -> None:
    browser = await named(chat, "Ada")
    async with tab(await named(chat, "Grace")) as grace:
        async with tab(browser) as ada:
            assert await hear_people(grace) == [("Grace", 1), ("Ada", 1)]
            await browser.post("/name", form={"name": "Countess"})
            assert (await hear(ada, "renamed"))["user"] == (await hear(grace, "renamed"))["user"]
        assert await hear_people(grace) == [("Grace", 1)]
        async with tab(browser) as ada:
            assert await hear_people(grace) == [("Grace", 1), ("Countess", 1)]
            await say(ada, "it is me")
            assert (await hear(grace, "message"))["name"] == "Countess"


# Messages -------------------------------------------------------------------------------------------------------------


async def test_a_message_reaches_everybody_its_sender_too(chat: ModuleType) -> None:
    async with tab(await named(chat, "Ada")) as ada, tab(await named(chat, "Grace")) as grace:
        await hear_people(ada)
        await say(grace, "hello <b>")
        heard = await hear(ada, "message")
        assert heard == await hear(grace, "message")
        assert (heard["name"], heard["text"]) == ("Grace", "hello <b>")
        assert set(heard) == {"id", "user", "name", "text", "at"}


async def test_a_newcomer_gets_the_last_messages(chat: ModuleType) -> None:
    kept = chat.app.config["HISTORY"]
    async with tab(await named(chat, "Ada")) as ada:
        assert ada.history == []
        for number in range(kept + 5):
            await say(ada, str(number))
            await hear(ada, "message")
        async with tab(await named(chat, "Grace")) as grace:
            assert [message["text"] for message in grace.history] == [str(number) for number in range(5, kept + 5)]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("{", "not valid JSON"),
        ("", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        ("[]", "does not understand"),
        ("null", "does not understand"),
        ('{"type": "dance"}', "does not understand"),
        ('{"type": "say"}', "needs a text"),
        ('{"type": "say", "text": " "}', "needs a text"),
        ('{"type": "say", "text": 1}', "needs a text"),
        ('{"type": "say", "text": "' + "x" * 2001 + '"}', "at most 2000 characters"),
    ],
    ids=range(10),
)
async def test_a_bad_message_is_told_to_its_sender_only(chat: ModuleType, sent: str | bytes, told: str) -> None:
    async with tab(await named(chat, "Ada")) as ada, tab(await named(chat, "Grace")) as grace:
        await hear_people(ada)
        await grace.send(sent)
        assert told in (await hear(grace, "problem"))["text"]
        await say(grace, "sorry")
        assert (await hear(grace, "message"))["text"] == "sorry"
        assert (await hear(ada, "message"))["text"] == "sorry"


async def test_who_does_not_keep_up_is_put_out_and_the_others_are_not_delayed(chat: ModuleType) -> None:
    chat.app.config["WEBSOCKET_SEND_TIMEOUT"] = None
    async with tab(await named(chat, "Ada")) as ada, tab(await named(chat, "Slow")) as slow:
        await hear_people(ada)
        slow.stop_reading()
        for number in range(OUTBOX_MESSAGES + 2):  # one is on its way, and one is too much
            await say(ada, str(number))
            assert (await hear(ada, "message"))["text"] == str(number)
        assert await hear_people(ada) == [("Ada", 1)]
        slow.start_reading()
        with pytest.raises(WebsocketDisconnectError) as closed:
            while True:
                await slow.receive()
        assert closed.value.code == 1013


# The plugin -----------------------------------------------------------------------------------------------------------


async def test_short_codes_become_what_they_stand_for(chat: ModuleType) -> None:
    async with tab(await named(chat, "Ada")) as ada:
        await say(ada, ":tada::wave: 12:30:45 :unknown: :shrug:")
        assert (await hear(ada, "message"))["text"] == "🎉👋 12:30:45 :unknown: ¯\\_(ツ)_/¯"


async def test_the_page_tells_the_short_codes(chat: ModuleType) -> None:
    page = await (await (await named(chat, "Ada")).get("/")).get_data(as_text=True)
    assert "<dt>:tada:</dt><dd>🎉</dd>" in page


async def test_more_short_codes_can_be_configured(
    load_chat: Callable[[], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_SHORTCODES", '{"quote": "\\"", "ship": "🚢"}')
    async with tab(await named(load_chat(), "Ada")) as ada:
        await say(ada, ":quote::ship::tada:")
        assert (await hear(ada, "message"))["text"] == '"🚢🎉'


async def test_the_chat_works_without_its_plugin(
    load_chat: Callable[[], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAT_PLUGINS", '["rooms"]')
    chat = load_chat()
    browser = await named(chat, "Ada")
    assert ":tada:" not in await (await browser.get("/")).get_data(as_text=True)
    async with tab(browser) as ada:
        await say(ada, ":tada:")
        assert (await hear(ada, "message"))["text"] == ":tada:"
    assert "chat_shortcodes" not in sys.modules
