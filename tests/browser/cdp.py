"""Chromium over the Chrome DevTools Protocol (https://chromedevtools.github.io/devtools-protocol/).

`launched()` is the process, `Browser` a connection to it, `Page` one tab. Waits are the browser's own: a promise that
an observer in the page fulfils, or an event of the protocol; each has a limit here. Knows no application.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import re
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

LIMIT = 20.0  # seconds
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which root, as in a container, cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--mute-audio",
    "--remote-debugging-port=0",
)
ENTER = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
TAB = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}

# Looks at a condition now and after every change of the document or of the focus, until it holds.
WAIT = """
new Promise((resolve) => {
  const holds = () => { try { return (%s); } catch { return false; } };
  const look = () => {
    if (!holds()) return;
    observer.disconnect();
    document.removeEventListener("focusin", look);
    resolve(true);
  };
  const observer = new MutationObserver(look);
  document.addEventListener("focusin", look);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  look();
})
"""


def find_chromium() -> str | None:
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def launched(program: str) -> Iterator[str]:
    """A Chromium with an empty profile; the address of its debugging websocket."""
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        told: list[str] = []
        address: list[str] = []
        known = threading.Event()

        def read() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                told.append(line)
                if found := re.search(r"DevTools listening on (ws://\S+)", line):
                    address.append(found[1])
                    known.set()
            known.set()

        reader = threading.Thread(target=read, name="output of chromium", daemon=True)
        reader.start()
        try:
            known.wait(LIMIT)
            assert address, f"{program} did not open its debugging port; it wrote:\n{''.join(told)}"
            yield address[0]
        finally:
            process.kill()
            process.wait(LIMIT)
            reader.join(LIMIT)
            if process.stderr is not None:
                process.stderr.close()


class BrowserError(Exception):
    """The browser refused a command, or a script in a page threw."""


class Browser:
    """Commands to the browser, and what it tells of its own accord."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._waiting: list[tuple[str | None, str, Callable[[Any], bool], asyncio.Future[None]]] = []
        self.script_errors: list[str] = []  # what the pages' own scripts threw and did not catch
        self.complaints: list[str] = []  # errors and warnings of the console; of the browser's after `Log.enable`
        self.requested: list[str] = []  # addresses that pages asked for, after `Network.enable`
        self._reader = asyncio.create_task(self._read())

    @classmethod
    @asynccontextmanager
    async def at(cls, address: str) -> AsyncIterator[Browser]:
        async with connect(address, max_size=None, proxy=None, ping_interval=None, open_timeout=LIMIT) as connection:
            browser = cls(connection)
            try:
                yield browser
            finally:
                browser._reader.cancel()

    async def _read(self) -> None:
        async for text in self._connection:
            message = json.loads(text)
            if "id" in message:
                answer = self._answers.pop(message["id"], None)
                if answer is None or answer.done():
                    continue
                if "error" in message:
                    answer.set_exception(BrowserError(message["error"]["message"]))
                else:
                    answer.set_result(message["result"])
                continue
            if message["method"] == "Runtime.exceptionThrown":
                details = message["params"]["exceptionDetails"]
                self.script_errors.append(details.get("exception", {}).get("description") or details["text"])
            self._note(message["method"], message["params"])
            for session, event, suits, future in self._waiting:
                happened = (message.get("sessionId"), message["method"]) == (session, event)
                if happened and not future.done() and suits(message["params"]):
                    future.set_result(None)

    def _note(self, event: str, params: Any) -> None:
        if event == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.complaints.append(f"{params['entry']['text']} ({params['entry'].get('url', '')})")
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("warning", "error", "assert"):
            self.complaints.append(" ".join(str(value.get("value", value)) for value in params["args"]))
        elif event == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif event == "Network.webSocketCreated":
            self.requested.append(params["url"])

    async def command(self, method: str, session: str | None = None, /, **params: Any) -> Any:
        """Give a command and wait for its answer. BrowserError when it is refused."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._connection.send(json.dumps(message))
        try:
            async with asyncio.timeout(LIMIT):
                return await answer
        except TimeoutError:
            raise TimeoutError(f"Chromium did not answer {method} within {LIMIT:g} seconds") from None
        finally:
            self._answers.pop(number, None)

    @asynccontextmanager
    async def event(self, name: str, session: str, suits: Callable[[Any], bool]) -> AsyncIterator[None]:
        """Wait at the end of the block for an event that suits and has happened since its beginning."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (session, name, suits, future)
        self._waiting.append(entry)
        try:
            yield
            async with asyncio.timeout(LIMIT):
                await future
        except TimeoutError:
            raise TimeoutError(f"Chromium told of no {name} within {LIMIT:g} seconds") from None
        finally:
            self._waiting.remove(entry)

    async def user(self) -> User:
        """Somebody with cookies of their own."""
        made = await self.command("Target.createBrowserContext", disposeOnDetach=True)
        return User(self, made["browserContextId"])


class User:
    """A browser context: its tabs share cookies, and nobody else has them."""

    def __init__(self, browser: Browser, context: str) -> None:
        self.browser = browser
        self.context = context

    async def open(self, url: str, width: int = 1000, height: int = 640) -> Page:
        """A new tab, loaded."""
        made = await self.browser.command("Target.createTarget", url="about:blank", browserContextId=self.context)
        attached = await self.browser.command("Target.attachToTarget", targetId=made["targetId"], flatten=True)
        page = Page(self.browser, made["targetId"], attached["sessionId"])
        await page.command("Page.enable")
        await page.command("Page.setLifecycleEventsEnabled", enabled=True)
        await page.command("Runtime.enable")
        await page.command("Emulation.setFocusEmulationEnabled", enabled=True)  # each tab as if it were in front
        await page.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        await page.goto(url)
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self.browser = browser
        self.target = target
        self.session = session

    async def command(self, method: str, **params: Any) -> Any:
        return await self.browser.command(method, self.session, **params)

    # Loading --------------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def loading(self) -> AsyncIterator[None]:
        """`async with page.loading(): await page.press(ENTER)` waits until the next document is loaded."""
        # The load event of the document that is there now may be still to come.
        loader = (await self.command("Page.getFrameTree"))["frameTree"]["frame"]["loaderId"]

        def suits(event: dict[str, str]) -> bool:
            return event["name"] == "load" and event["loaderId"] != loader

        async with self.browser.event("Page.lifecycleEvent", self.session, suits):
            yield

    async def goto(self, url: str) -> None:
        async with self.loading():
            answer = await self.command("Page.navigate", url=url)
            assert "errorText" not in answer, f"{url}: {answer['errorText']}"

    async def reload(self) -> None:
        async with self.loading():
            await self.command("Page.reload")

    async def close(self) -> None:
        await self.browser.command("Target.closeTarget", targetId=self.target)

    # Looking --------------------------------------------------------------------------------------------------------

    async def evaluate(self, script: str) -> Any:
        """The value of an expression; of a promise, what it is fulfilled with."""
        answer = await self.command("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true. AssertionError with the page's text when it never is."""
        try:
            await self.evaluate(WAIT % condition)
        except TimeoutError:
            text = await self.evaluate("document.body.innerText")
            raise AssertionError(f"not within {LIMIT:g} seconds: {condition}\nThe page says:\n{text}") from None

    async def until_text(self, selector: str, text: str) -> None:
        """Wait until an element has this text and no other."""
        await self.until(f"document.querySelector({json.dumps(selector)})?.innerText === {json.dumps(text)}")

    async def texts(self, selector: str) -> list[str]:
        found: list[str] = await self.evaluate(
            f"[...document.querySelectorAll({json.dumps(selector)})].map((element) => element.innerText)"
        )
        return found

    async def screenshot(self) -> bytes:
        """A PNG of what is visible."""
        return base64.b64decode((await self.command("Page.captureScreenshot"))["data"])

    # Doing, as a user does ------------------------------------------------------------------------------------------

    async def type(self, text: str) -> None:
        """Write where the focus is."""
        await self.command("Input.insertText", text=text)

    async def press(self, key: dict[str, Any], modifiers: int = 0) -> None:
        await self.command("Input.dispatchKeyEvent", type="keyDown", modifiers=modifiers, **key)
        await self.command("Input.dispatchKeyEvent", type="keyUp", modifiers=modifiers, **key)

    async def click(self, selector: str) -> None:
        """Click into the middle of an element, with the mouse: it has to be visible."""
        middle = await self.evaluate(
            f"""(() => {{
              const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
              return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.command(
                "Input.dispatchMouseEvent", type=kind, x=middle[0], y=middle[1], button="left", clickCount=1
            )
