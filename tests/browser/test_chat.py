"""The chat example as its users see it: in Chromium, with each user in a browser context of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.cdp import ENTER, TAB, Browser, Page, User
from tests.browser.contrast import CONTRAST
from tests.support.servers import Server

CHAT = Path(__file__).parents[2] / "examples" / "chat"
SHIFT = 8


@pytest.fixture
def server() -> Iterator[Server]:
    with Server("app:app", CHAT) as running:
        yield running
    assert "Traceback" not in running.output, running.output


async def join(browser: Browser, server: Server, name: str) -> tuple[User, Page]:
    """A new user who chose a name, and their tab, connected."""
    user = await browser.user()
    page = await user.open(server.url())
    await choose_name(page, name)
    await page.until_text("#state", "Connected")
    return user, page


async def choose_name(page: Page, name: str) -> None:
    await page.until("document.activeElement.id === 'name'")  # the field asks for the focus
    await page.type(name)
    async with page.loading():
        await page.press(ENTER)


async def say(page: Page, text: str) -> None:
    await page.click("#text")
    await page.type(text)
    await page.press(ENTER)


async def until_people(page: Page, *people: str) -> None:
    await page.until(
        f"JSON.stringify([...document.querySelectorAll('#people .name')].map((each) => each.innerText))"
        f" === JSON.stringify({list(people)!r})"
    )


async def until_messages(page: Page, *texts: str) -> None:
    await page.until(
        f"JSON.stringify([...document.querySelectorAll('#log .text')].map((each) => each.innerText))"
        f" === JSON.stringify({list(texts)!r})"
    )


async def test_two_users_talk_to_each_other(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    await until_people(ada, "Ada (you)")
    _, grace = await join(browser, server, "Grace")
    await until_people(ada, "Ada (you)", "Grace")
    await until_people(grace, "Ada", "Grace (you)")

    await say(ada, "Hello, Grace! :wave:")
    await until_messages(grace, "Hello, Grace! 👋")
    await say(grace, "<b>Hello</b>, Ada")
    for page in (ada, grace):
        await until_messages(page, "Hello, Grace! 👋", "<b>Hello</b>, Ada")
    assert await ada.texts("#log .message.own .text") == ["Hello, Grace! 👋"]
    assert await grace.texts("#log .message.own .text") == ["<b>Hello</b>, Ada"]

    await grace.close()
    await until_people(ada, "Ada (you)")


async def test_a_reload_keeps_the_name_and_the_messages(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    await say(ada, "before")
    await until_messages(ada, "before")
    await ada.reload()
    await ada.until_text("#state", "Connected")
    await until_people(ada, "Ada (you)")
    await until_messages(ada, "before")
    assert await ada.texts("#log .message.own .text") == ["before"]


async def test_tabs_of_one_user_are_one_person(browser: Browser, server: Server) -> None:
    user, first = await join(browser, server, "Ada")
    second = await user.open(server.url())
    await until_people(second, "Ada (you)")
    await first.until_text("#people .hint", "2 tabs")
    await say(first, "in both")
    await until_messages(second, "in both")
    assert await second.texts("#log .message.own .text") == ["in both"]
    await second.close()
    await first.until_text("#people .hint", "")


async def test_the_page_connects_again_when_the_server_is_back(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    _, grace = await join(browser, server, "Grace")
    await say(ada, "before")
    await until_messages(grace, "before")

    assert server.stop() == 0
    for page in (ada, grace):
        await page.until("document.querySelector('#state').dataset.state === 'offline'")
    assert (await ada.texts("#state"))[0].startswith("No connection. Next try in ")
    await say(ada, "kept for later")  # which cannot be sent now

    with Server("app:app", CHAT, port=server.port):
        for page in (ada, grace):
            await page.until_text("#state", "Connected")
        await ada.until("document.querySelectorAll('#people li').length === 2")
        await ada.press(ENTER)
        for page in (ada, grace):
            await until_messages(page, "before", "kept for later")


async def test_the_button_tries_again_at_once(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    assert not await ada.evaluate("document.querySelector('#retry').checkVisibility()")
    await ada.evaluate("Math.random = () => 1e6")  # and so the next try by itself is days away
    assert server.stop() == 0
    await ada.until("document.querySelector('#state').dataset.state === 'offline'")
    with Server("app:app", CHAT, port=server.port):
        await ada.click("#retry")
        await ada.until_text("#state", "Connected")


async def test_a_name_that_is_taken_is_told(browser: Browser, server: Server) -> None:
    await join(browser, server, "Ada")
    page = await (await browser.user()).open(server.url())
    await choose_name(page, "ada")
    assert await page.texts("[role=alert]") == ["Somebody here is called Ada already."]
    assert await page.texts("h2") == ["Hello! What shall we call you?"]


async def test_a_new_name_is_in_every_tab(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    _, grace = await join(browser, server, "Grace")
    await ada.click("summary")
    await ada.evaluate("document.querySelector('#name').select()")
    await ada.type("Countess")
    async with ada.loading():
        await ada.press(ENTER)
    await ada.until("document.querySelector('#people')?.innerText.includes('Countess (you)')")
    await grace.until("document.querySelector('#people').innerText.includes('Countess')")


async def test_the_keyboard_is_enough(browser: Browser, server: Server) -> None:
    """Enter sends, Shift and Enter begin a line; the message field, the log and every control are in the tab order."""
    _, ada = await join(browser, server, "Ada")
    await ada.until("document.activeElement.id === 'text'")
    await ada.type("one")
    await ada.press(ENTER, SHIFT)
    await ada.type("two")
    await ada.press(ENTER)
    await until_messages(ada, "one\ntwo")
    visited = []
    for _ in range(4):
        await ada.press(TAB)
        visited.append(await ada.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert visited[:3] == ["BUTTON", "SUMMARY", "SUMMARY"]
    assert await ada.evaluate("document.querySelector('#log').tabIndex") == 0


async def test_what_is_announced_to_a_screen_reader(browser: Browser, server: Server) -> None:
    _, ada = await join(browser, server, "Ada")
    tree = await ada.command("Accessibility.getFullAXTree")
    roles = {(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree["nodes"] if "role" in node}
    assert {("log", "Messages"), ("textbox", "Message"), ("button", "Send"), ("status", "")} <= roles


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_can_be_read_in_both_schemes(browser: Browser, server: Server, scheme: str) -> None:
    """A contrast of 4.5 and more (WCAG 2.2, 1.4.3) between each text and what is behind it."""
    _, ada = await join(browser, server, "Ada")
    await ada.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await say(ada, "mine")
    await until_messages(ada, "mine")
    for hue in range(0, 360, 60):  # of the circles with the initials
        await ada.evaluate(HUE % hue)
        assert await ada.evaluate(CONTRAST) == []


HUE = """[...document.querySelectorAll(".avatar")].forEach((each) => each.style.setProperty("--hue", %d))"""
