"""The inspector as its users see it: in Chromium, with a server of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.browser.cdp import ENTER, TAB, Browser, Page
from tests.browser.contrast import CONTRAST
from tests.support.clients import client
from tests.support.servers import LIMIT, Server

APP = '''
import asyncio

from quart_plug import Quart, hookimpl, websocket


class Limits:
    """<img src=x onerror=document.title='broken'> is a text."""

    @hookimpl
    async def request_before(self, ctx):
        await asyncio.sleep(0.002)

    @hookimpl(optionalhook=True)
    def inspector_panels(self, app):
        rows = [["<b>lobby</b>", 3], ["kitchen", None]]
        return {"title": "Rooms <i>x</i>", "columns": ["Room", "People"], "rows": rows}


app = Quart(__name__)
app.config.update(SECRET_KEY="the-secret-key", GREETING="<script>document.title='broken'</script>")
app.hooks.register(Limits(), name="limits<img src=x onerror=\\"document.title='broken'\\">")


@app.get("/")
async def index():
    return "hello"


@app.get("/fail")
async def fail():
    raise ValueError("<script>document.title='broken'</script>")


@app.websocket("/echo")
async def echo():
    while True:
        await websocket.send(await websocket.receive())
'''

ESCAPE = {"key": "Escape", "code": "Escape", "windowsVirtualKeyCode": 27}
SLASH = {"key": "/", "code": "Slash", "windowsVirtualKeyCode": 191, "text": "/"}
SECTIONS = ["requests", "websockets", "plugins", "hooks", "routes", "configuration"]


def arrow(name: str) -> dict[str, Any]:
    return {"key": name, "code": name, "windowsVirtualKeyCode": {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39}.get(name, 40)}  # fmt: skip  # noqa: E501


def key(name: str, code: int) -> dict[str, Any]:
    return {"key": name, "code": name, "windowsVirtualKeyCode": code}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("inspected")
    (folder / "inspected.py").write_text(APP)
    settings = {"QUART_PLUG_PLUGINS": "inspector", "QUART_PLUG_DEBUG": "1"}
    with Server("inspected:app", folder, environment=settings) as running:
        yield running


def address(server: Server) -> str:
    """Where the log says that the inspector is."""
    return server.wait_for(r"The inspector is at (http://127\.0\.0\.1:\d+/_inspector/\?token=\w+)")[1]


def visit(server: Server, path: str = "/") -> None:
    try:
        with urlopen(server.url(path), timeout=LIMIT) as response:
            response.read()
    except HTTPError as error:
        error.close()


@pytest.fixture
async def page(browser: Browser, server: Server) -> AsyncIterator[Page]:
    """The inspector's page, live. No test may leave a complaint in the console, or lead to another host."""
    opened = await (await browser.user()).open("about:blank", width=1100, height=800)
    for domain in ("Log", "Network"):
        await opened.command(f"{domain}.enable")
    await opened.goto(address(server))
    await opened.until("document.querySelector('#state').dataset.state === 'live'")
    yield opened
    assert await opened.evaluate("document.title") == "inspected · Inspector"  # no text of the app was run
    await opened.close()
    assert browser.complaints == []
    elsewhere = [url for url in browser.requested if f"//127.0.0.1:{server.port}/_inspector/" not in url]
    assert elsewhere == []


async def choose(page: Page, section: str) -> None:
    await page.click(f"#tab-{section}")
    await page.until(f"document.querySelector('#{section}').checkVisibility()")


async def rows(page: Page, section: str) -> list[str]:
    found: list[str] = await page.texts(f"#{section} tr.line > :first-child")
    return [" ".join(text.split()) for text in found]


async def until_row(page: Page, section: str, words: str) -> None:
    """Wait until some row of a section has these words in it."""
    await page.until(
        f"[...document.querySelectorAll('#{section} tr.line')]"
        f".some((row) => row.innerText.replace(/\\s+/g, ' ').includes({json.dumps(words)}))"
    )


async def focused(page: Page) -> str:
    found: str = await page.evaluate(
        "(() => { const e = document.activeElement; return e.id || `${e.className} ${e.innerText.trim()}`; })()"
    )
    return found


# What it shows ------------------------------------------------------------------------------------------------------


async def test_the_address_in_the_log_opens_it(page: Page, server: Server) -> None:
    """The token is not left in the address, and a reload needs none."""
    assert (await page.evaluate("location.search"), await page.evaluate("location.pathname")) == ("", "/_inspector/")
    assert address(server).partition("token=")[2] not in await page.evaluate("document.documentElement.outerHTML")
    await page.reload()
    await page.until("document.querySelector('#state').dataset.state === 'live'")


async def test_without_the_token_there_is_a_door(browser: Browser, server: Server) -> None:
    opened = await (await browser.user()).open(server.url("/_inspector/"))
    assert "Inspector" in await opened.evaluate("document.querySelector('h1').innerText")
    await opened.until("document.activeElement.id === 'token'")
    await opened.type("wrong")
    async with opened.loading():
        await opened.press(ENTER)
    assert await opened.texts("[role=alert]") == [
        "That is not the token of this process. The log of the server has it."
    ]
    await opened.until("document.activeElement.id === 'token'")
    await opened.type(address(server).partition("token=")[2])
    async with opened.loading():
        await opened.press(ENTER)
    await opened.until("document.querySelector('#state')?.dataset.state === 'live'")


async def test_a_request_appears_when_it_is_made(page: Page, server: Server) -> None:
    visit(server, "/?appears=1&token=geheim")
    await until_row(page, "requests", "GET /?appears=1&token=••••••")
    visit(server, "/fail?appears=2")
    await until_row(page, "requests", "GET /fail?appears=2 500")


async def test_the_details_of_a_request(page: Page, server: Server) -> None:
    visit(server, "/?details")
    await until_row(page, "requests", "?details= 200")
    await page.click("#requests .opener")
    await page.until("document.querySelector('#requests .waterfall')")
    text = await page.evaluate("document.querySelector('#requests .more').innerText")
    assert "request_before" in text and "limits" in text and "User-Agent" not in text
    assert await page.evaluate("document.querySelector('#requests .track i').getBoundingClientRect().width") >= 2
    await page.click("#requests .fold summary")
    await page.until("document.querySelector('#requests .fold').innerText.toLowerCase().includes('user-agent')")


async def test_what_is_open_stays_open_when_something_new_comes(page: Page, server: Server) -> None:
    visit(server, "/?stays")
    await until_row(page, "requests", "?stays=")
    await page.click("#requests .opener")
    before = await focused(page)
    visit(server, "/?newer")
    await until_row(page, "requests", "?newer=")
    assert await page.evaluate("document.querySelectorAll('#requests .more').length") == 1
    assert "?stays=" in await page.evaluate("document.querySelector('#requests .open').innerText")
    assert await focused(page) == before


async def test_a_websocket_from_its_beginning_to_its_end(page: Page, server: Server) -> None:
    await choose(page, "websockets")
    async with client(server.ws("/echo?mine")) as connection:
        await connection.send("hello")
        await connection.recv()
        await until_row(page, "websockets", "/echo?mine= open 1 5 B 1 5 B")
        await page.until("Number(document.querySelector('#tab-websockets .count').innerText) >= 1")
    await until_row(page, "websockets", "/echo?mine= closed 1000")


async def test_each_section_has_what_it_is_for(page: Page) -> None:
    for section, words in {
        "plugins": ["sessions active core", "inspector active"],
        "hooks": ["request_before pipe"[:14], "json_provider first sync json"],
        "routes": ["/echo websocket echo the app", "/_inspector/data.json GET inspector.data inspector"],
        "configuration": ["SECRET_KEY •••••• hidden code", "BODY_TIMEOUT 60 default"],
    }.items():
        await choose(page, section)
        for each in words:
            await until_row(page, section, each)


async def test_texts_of_the_app_stay_texts(page: Page, server: Server) -> None:
    """Names, settings, errors, headers, paths. (The title is looked at after each test.)"""
    visit(server, "/%3Cscript%3Edocument.title=1%3C/script%3E?%3Cimg%20src=x%3E")
    await until_row(page, "requests", "/<script>document.title=1</script>?<img src=x>")
    visit(server, "/fail?hostile")
    await until_row(page, "requests", "/fail?hostile=")
    await page.click("#requests .opener")
    await page.until("document.querySelector('#requests .error')?.innerText.includes('<script>')")
    await choose(page, "plugins")
    await until_row(page, "plugins", "limits<img src=x onerror=")
    await choose(page, "configuration")
    await until_row(page, "configuration", "<script>document.title=")
    assert (
        await page.evaluate(
            "document.querySelectorAll('main script, main img, main b, main i:not([class]):not([style])').length"
        )
        == 0
    )


async def test_other_plugins_have_tables_here(page: Page) -> None:
    await page.until("document.querySelectorAll('[role=tab]').length === 7")
    tabs = await page.texts("[role=tab]")
    assert tabs[-1].split() == ["Rooms", "<i>x</i>", "2"]
    await page.evaluate("[...document.querySelectorAll('[role=tab]')].at(-1).click()")
    section = await page.evaluate("document.querySelector('[role=tabpanel]:not([hidden])').id")
    assert await rows(page, section) == ["<b>lobby</b>", "kitchen"]


async def test_a_section_that_cannot_be_told_says_so(browser: Browser, tmp_path: Path) -> None:
    odd = """
class Key:
    def __str__(self):
        raise RuntimeError("not this <b>one</b>")

@app.before_serving
async def odd():
    dict.__setitem__(app.config, Key(), 1)
"""
    (tmp_path / "odd.py").write_text(APP + odd)
    settings = {"QUART_PLUG_PLUGINS": "inspector", "QUART_PLUG_DEBUG": "1"}
    with Server("odd:app", tmp_path, environment=settings) as running:
        opened = await (await browser.user()).open(address(running))
        await opened.until("document.querySelector('#state').dataset.state === 'live'")
        await choose(opened, "configuration")
        told = await opened.evaluate("document.querySelector('#configuration .notices').textContent")
        assert told == "This could not be told: RuntimeError: not this <b>one</b>"
        await choose(opened, "routes")
        await until_row(opened, "routes", "/echo")
        await opened.close()


async def test_a_link_leads_to_the_hook(page: Page) -> None:
    await choose(page, "routes")
    await page.evaluate(
        "[...document.querySelectorAll('#routes .opener')].find((e) => e.innerText.trim() === '/').click()"
    )
    await page.until("document.querySelector('#routes .more a')")
    await page.click("#routes .more a")
    await page.until("document.querySelector('#hooks').checkVisibility()")
    await page.until("document.activeElement.innerText === 'request_before'")
    assert await page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert await page.evaluate("location.hash") == "#/hooks/request_before"


# Live ---------------------------------------------------------------------------------------------------------------


async def test_it_connects_again_when_the_server_is_back(browser: Browser, tmp_path: Path) -> None:
    """With a token of one's own; a random one is another one after a restart, and the page says so."""
    (tmp_path / "inspected.py").write_text(APP)
    settings = {
        "QUART_PLUG_PLUGINS": "inspector",
        "QUART_PLUG_DEBUG": "1",
        "_QUART_PLUG_INSPECTOR": "what-the-reloader-passes-on",
    }
    with Server("inspected:app", tmp_path, environment=settings) as first:
        opened = await (await browser.user()).open(address(first))
        await opened.until("document.querySelector('#state').dataset.state === 'live'")
        visit(first, "/?before")
        await until_row(opened, "requests", "?before=")
        first.stop()
        await opened.until("document.querySelector('#state').dataset.state === 'offline'")
        assert (await opened.texts("#state"))[0].startswith("No connection. Next try in ")
    with Server("inspected:app", tmp_path, port=first.port, environment=settings) as second:
        await opened.evaluate("document.querySelector('#retry').click()")
        await opened.until("document.querySelector('#state').dataset.state === 'live'")
        visit(second, "/?after")
        await until_row(opened, "requests", "?after=")
        assert "?before=" not in " ".join(await rows(opened, "requests"))  # that was another process
    del settings["_QUART_PLUG_INSPECTOR"]
    with Server("inspected:app", tmp_path, port=first.port, environment=settings):
        await opened.until(
            "(document.querySelector('#retry').click(), document.querySelector('#state').dataset.state === 'out')"
        )
        assert (await opened.texts("#state"))[0] == "Signed out: the server’s log has a new address"


async def test_it_can_be_paused(page: Page, server: Server) -> None:
    visit(server, "/?seen")
    await until_row(page, "requests", "?seen=")
    await page.click("#pause")
    assert await page.evaluate("document.querySelector('#pause').getAttribute('aria-pressed')") == "true"
    await page.until_text("#state", "Paused")
    top = (await rows(page, "requests"))[0]
    visit(server, "/?while-paused")
    visit(server, "/?marker")
    await page.evaluate("new Promise((resolve) => setTimeout(resolve, 600))")  # it would have come meanwhile
    assert (await rows(page, "requests"))[0] == top
    await page.click("#pause")
    await until_row(page, "requests", "?while-paused=")


# The keyboard -------------------------------------------------------------------------------------------------------


async def test_tabs_are_chosen_with_the_arrows(page: Page) -> None:
    await page.evaluate("document.querySelector('#tab-requests').focus()")
    for press, section in [
        (arrow("ArrowRight"), "websockets"), (arrow("ArrowRight"), "plugins"), (arrow("ArrowLeft"), "websockets"),
        (key("Home", 36), "requests"), (arrow("ArrowLeft"), None), (arrow("ArrowRight"), "requests"),
    ]:  # fmt: skip
        await page.press(press)
        if section is not None:
            assert await focused(page) == f"tab-{section}"
            assert await page.evaluate(f"document.querySelector('#{section}').checkVisibility()")
            assert (
                await page.evaluate(f"document.querySelector('#tab-{section}').getAttribute('aria-selected')") == "true"
            )
    assert await page.evaluate("document.querySelectorAll('[role=tab][tabindex=\"0\"]').length") == 1


async def test_the_order_of_the_focus(page: Page, server: Server) -> None:
    """Skip link, controls, one tab, filter, rows: and each can be seen to have it."""
    visit(server, "/?focus")
    await until_row(page, "requests", "?focus=")
    visited = []
    for _ in range(7):
        await page.press(TAB)
        visited.append(await focused(page))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", visited[-1]
    assert visited[:6] == ["skip", "pause", "scheme", "tab-requests", "filter", "narrow"]
    assert visited[6].startswith("opener GET")


async def test_the_skip_link_leads_to_the_content(page: Page, server: Server) -> None:
    visit(server)
    await until_row(page, "requests", "GET /")
    await page.press(TAB)
    assert await page.evaluate("document.querySelector('#skip').getBoundingClientRect().top") >= 0
    await page.press(ENTER)
    assert await focused(page) == "main"
    await page.press(TAB)
    assert (await focused(page)).startswith("opener")


async def test_a_row_is_opened_and_closed(page: Page, server: Server) -> None:
    visit(server, "/?one")
    visit(server, "/?two")
    await until_row(page, "requests", "?two=")
    await page.evaluate("document.querySelector('#requests .opener').focus()")
    await page.press(arrow("ArrowDown"))
    assert "?one=" in await focused(page)
    await page.press(arrow("ArrowUp"))
    assert "?two=" in await focused(page)
    await page.press(ENTER)
    await page.until("document.querySelector('#requests .more')")
    controls = await page.evaluate("document.activeElement.getAttribute('aria-controls')")
    assert await page.evaluate(f"document.getElementById({json.dumps(controls)}).matches('.more')")
    await page.press(TAB)
    assert await page.evaluate("document.activeElement.closest('.more') !== null")
    await page.press(ESCAPE)
    assert "?two=" in await focused(page)
    assert await page.evaluate("document.querySelector('#requests .more')") is None
    assert await page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "false"


async def test_the_filter(page: Page, server: Server) -> None:
    for path in ("/?needle", "/?hay", "/fail?needle"):
        visit(server, path)
    await until_row(page, "requests", "/fail?needle=")
    await page.press(SLASH)
    assert await focused(page) == "filter"
    assert await page.evaluate("document.querySelector('#filter').value") == ""
    await page.type("NEEDLE")
    await page.until(
        "[...document.querySelectorAll('#requests tr.line')].every((row) => row.innerText.includes('needle'))"
    )
    assert "of" in (await page.texts("#matches"))[0]
    await page.type(" 500")
    await page.until("document.querySelectorAll('#requests tr.line').length === 1")
    await page.type(" nothing-like-it")
    await page.until_text("#requests .empty", "Nothing here matches.")
    await page.press(ESCAPE)
    await until_row(page, "requests", "?hay=")
    assert await focused(page) == "filter"
    await page.press(ESCAPE)
    assert await focused(page) == "tab-requests"


async def test_each_section_keeps_its_filter(page: Page) -> None:
    await choose(page, "configuration")
    await page.press(SLASH)
    await page.type("greeting")
    await page.until("document.querySelectorAll('#configuration tr.line').length === 1")
    await choose(page, "hooks")
    assert await page.evaluate("document.querySelector('#filter').value") == ""
    await choose(page, "configuration")
    assert await page.evaluate("document.querySelector('#filter').value") == "greeting"


async def test_only_some_of_the_rows(page: Page) -> None:
    await choose(page, "hooks")
    assert "websocket_sending" not in await rows(page, "hooks")
    await page.click("#narrow")
    await until_row(page, "hooks", "websocket_sending")
    await until_row(page, "hooks", "nobody")


# Looks --------------------------------------------------------------------------------------------------------------


async def emulate(page: Page, name: str, value: str) -> None:
    await page.command("Emulation.setEmulatedMedia", features=[{"name": name, "value": value}])


async def background(page: Page) -> int:
    """How bright the page is, from 0 to 255."""
    found: int = await page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    return found


async def test_light_and_dark(page: Page) -> None:
    """As the system has it, or as it was chosen, which is kept."""
    await emulate(page, "prefers-color-scheme", "dark")
    assert await background(page) < 60
    await emulate(page, "prefers-color-scheme", "light")
    assert await background(page) > 200
    assert await page.texts("#scheme") == ["Scheme: automatic"]
    await page.click("#scheme")
    assert await page.texts("#scheme") == ["Scheme: light"]
    await page.click("#scheme")
    assert await page.texts("#scheme") == ["Scheme: dark"]
    assert await background(page) < 60
    await page.reload()
    assert await background(page) < 60
    await page.click("#scheme")
    assert await page.texts("#scheme") == ["Scheme: automatic"]
    assert await background(page) > 200


async def open_everything(page: Page, server: Server) -> list[str]:
    for path in ("/", "/fail", "/nothing"):
        visit(server, path)
    await until_row(page, "requests", "/nothing 404")
    sections: list[str] = await page.evaluate(
        "[...document.querySelectorAll('[role=tabpanel]')].map((each) => each.id)"
    )
    return sections


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_can_be_read_in_both_schemes(page: Page, server: Server, scheme: str) -> None:
    """A contrast of 4.5 and more (WCAG 2.2, 1.4.3) between each text and what is behind it."""
    await emulate(page, "prefers-color-scheme", scheme)
    for section in await open_everything(page, server):
        await page.evaluate(f"document.getElementById('tab-{section}').click()")
        await page.evaluate(
            f"[...document.querySelectorAll('#{section} .opener')].slice(0, 3).forEach((each) => each.click())"
        )
        assert await page.evaluate(CONTRAST) == [], section


async def test_the_door_can_be_read_in_both_schemes(browser: Browser, server: Server) -> None:
    opened = await (await browser.user()).open(server.url("/_inspector/?token=wrong"))
    for scheme in ("light", "dark"):
        await emulate(opened, "prefers-color-scheme", scheme)
        assert await opened.evaluate(CONTRAST) == [], scheme


@pytest.mark.parametrize("width", [360, 700, 1100, 1900])
async def test_it_fits_into_every_width(page: Page, server: Server, width: int) -> None:
    await page.command(
        "Emulation.setDeviceMetricsOverride", width=width, height=740, deviceScaleFactor=1, mobile=width < 400
    )
    for section in await open_everything(page, server):
        await page.evaluate(f"document.getElementById('tab-{section}').click()")
        await page.evaluate(
            f"[...document.querySelectorAll('#{section} .opener')].slice(0, 2).forEach((each) => each.click())"
        )
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, section
        hidden = await page.evaluate(
            f"[...document.querySelectorAll('#{section} tr.line > *')]"
            f".filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > {width} + 1).length"
        )
        assert hidden == 0, section


async def test_nothing_moves_for_who_does_not_want_it(page: Page) -> None:
    await emulate(page, "prefers-reduced-motion", "reduce")
    assert await page.evaluate("getComputedStyle(document.querySelector('.dot')).animationName") == "none"


async def test_what_is_announced_to_a_screen_reader(page: Page, server: Server) -> None:
    visit(server)
    await until_row(page, "requests", "GET /")
    tree = await page.command("Accessibility.getFullAXTree")
    found: list[tuple[str, str]] = []
    for node in tree["nodes"]:
        if "role" in node and not node.get("ignored"):
            found.append((node["role"]["value"], node.get("name", {}).get("value", "")))
    assert ("heading", "inspected Inspector") in found
    assert ("tablist", "Sections") in found
    assert ("searchbox", "Filter") in found
    assert ("table", "Recent requests, the newest first") in found
    assert ("link", "Skip to the content") in found
    assert ("checkbox", "Only errors") in found
    assert any(role == "tabpanel" and name.startswith("Requests") for role, name in found)
    assert {"main", "banner", "contentinfo", "status"} <= {role for role, _ in found}
    assert not [role for role, name in found if role in ("button", "link", "tab", "columnheader") and not name]
