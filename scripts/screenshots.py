"""Takes the pictures of the inspector that are in the documentation: the chat example with two plugins more.

    python scripts/screenshots.py

Needs Chromium, as the tests of the browser do. The two plugins only wait a little, so that there is something to see.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))

from tests.browser.cdp import Browser, Page, User, find_chromium, launched  # noqa: E402 - needs the path above
from tests.support.servers import Server  # noqa: E402 - needs the path above

PLUGINS = {
    "rate_limit.py": """
import asyncio
from quart_plug import hookimpl


@hookimpl
async def request_before(ctx):
    await asyncio.sleep(0.0021)


@hookimpl
async def websocket_before(ctx):
    await asyncio.sleep(0.0012)
""",
    "audit_log.py": """
import asyncio
from quart_plug import hookimpl

__quart_plug__ = {"after": ["rate_limit"]}


@hookimpl
async def connection(ctx):
    await asyncio.sleep(0.0008)
    yield
    await asyncio.sleep(0.0004)


@hookimpl
async def request_after(ctx, response):
    await asyncio.sleep(0.0006)


@hookimpl
async def response_sent(ctx, status):
    await asyncio.sleep(0.0015)
""",
}


async def join(user: User, server: Server, name: str) -> Page:
    """Somebody in the chat."""
    page = await user.open(server.url())
    await page.until("document.querySelector('#name')")
    await page.evaluate("document.querySelector('#name').focus()")
    await page.type(name)
    async with page.loading():
        await page.evaluate("document.querySelector('form').requestSubmit()")
    await page.until_text("#state", "Connected")
    return page


async def take(page: Page, name: str, section: str, scheme: str, row: str | None = None) -> None:
    """A picture of a section, with the row open whose first cell begins with `row`."""
    await page.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    await page.evaluate(f"document.getElementById('tab-{section}').click()")
    if row is not None:
        opener = f"[...document.querySelectorAll('#{section} .opener')].find((e) => e.innerText.startsWith('{row}'))"
        await page.until(opener)
        await page.evaluate(f"{opener}.click()")
    await page.evaluate("document.activeElement.blur()")
    await page.evaluate("new Promise((done) => setTimeout(done, 400))")  # until what moves stands still
    (IMAGES / name).write_bytes(await page.screenshot())
    print(f"wrote docs/images/{name}")


async def main() -> None:
    program = find_chromium()
    if program is None:
        sys.exit("chromium is not installed; scripts/system-packages installs it")
    with tempfile.TemporaryDirectory() as folder, launched(program) as address:
        for file, text in PLUGINS.items():
            (Path(folder) / file).write_text(text)
        settings = {"QUART_PLUG_PLUGINS": "inspector,rate_limit,audit_log", "QUART_PLUG_DEBUG": "1"}
        settings["PYTHONPATH"] = folder
        with Server("app:app", ROOT / "examples" / "chat", environment=settings) as server:
            where = server.wait_for(r"The inspector is at (\S+)")[1]
            async with Browser.at(address) as browser:
                ada, grace = await join(await browser.user(), server, "Ada"), None
                grace = await join(await browser.user(), server, "Grace")
                for page, text in ((ada, "Hello :wave:"), (grace, "Hi Ada!"), (ada, "Shall we ship it? :rocket:")):
                    await page.evaluate("document.querySelector('#text').focus()")
                    await page.type(text)
                    await page.evaluate("document.querySelector('#text').form.requestSubmit()")
                for path in ("/nothing-here", "/", "/static/chat.css"):
                    try:
                        await asyncio.to_thread(lambda path=path: urlopen(server.url(path)).read())
                    except HTTPError as error:
                        error.close()
                page = await (await browser.user()).open(where, width=1120, height=700)
                await page.until("document.querySelector('#state').dataset.state === 'live'")
                await take(page, "inspector-requests.png", "requests", "light", "GET /")
                await take(page, "inspector-routes.png", "routes", "dark", "/ws")
                await take(page, "inspector-hooks.png", "hooks", "light", "request_after")
                await take(page, "inspector-plugins.png", "plugins", "dark", "inspector")


if __name__ == "__main__":
    asyncio.run(main())
