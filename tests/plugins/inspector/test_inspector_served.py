"""The inspector on the wire, and the files that it serves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.support.clients import client, receive_json
from tests.support.servers import LIMIT, Server

TOKEN = "a-token-of-one's-own"
APP = """
from quart_plug import Quart, websocket

app = Quart(__name__)


@app.get("/")
async def index():
    return "hello"


@app.websocket("/echo")
async def echo():
    while True:
        await websocket.send(await websocket.receive())
"""
STATIC = Path(str(files("quart_plug_inspector") / "static"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("inspected")
    (folder / "inspected.py").write_text(APP)
    settings = {
        "QUART_PLUG_PLUGINS": "inspector",
        "QUART_PLUG_DEBUG": "1",
        "QUART_PLUG_INSPECTOR__TOKEN": TOKEN,
    }
    with Server("inspected:app", folder, environment=settings) as running:
        yield running


def get(server: Server, path: str, **headers: str) -> tuple[int, str]:
    request = Request(server.url(path), headers=headers)
    try:
        with urlopen(request, timeout=LIMIT) as response:
            return response.status, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def live(server: Server, origin: str, **headers: str) -> connect:
    headers = {"Authorization": f"Bearer {TOKEN}", "Origin": origin, **headers}
    return connect(
        server.ws("/_inspector/live"), additional_headers=headers, open_timeout=LIMIT, proxy=None, max_size=None
    )


async def test_everything_goes_over_the_wire(server: Server) -> None:
    async with live(server, server.url("")) as page:
        first = await receive_json(page)
        assert "inspector" in [plugin["name"] for plugin in first["plugins"]["plugins"]]
        assert get(server, "/?wired")[0] == 200
        told: Any = {}
        while "wired=" not in [each["query"] for each in told.get("requests", [])]:
            told = await receive_json(page)
        async with client(server.ws("/echo?wired")) as echo:
            await echo.send("hello")
            await echo.recv()
            while [1, 5] not in [each["sent"] for each in told.get("websockets", [])]:
                told = await receive_json(page)
        while "closed" not in [each["state"] for each in told.get("websockets", [])]:
            told = await receive_json(page)
    [record] = [each for each in told["websockets"] if each["query"] == "wired="]
    assert record["closed"][0] == 1000
    assert record["client"].startswith("127.0.0.1:")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
async def test_a_websocket_of_another_origin_is_refused(server: Server, origin: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with live(server, origin):
            pass
    assert caught.value.response.status_code == 403


def test_programs_get_the_same(server: Server) -> None:
    status, text = get(server, "/_inspector/data.json", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert {"plugins", "hooks", "routes", "configuration", "requests"} <= set(json.loads(text))
    assert TOKEN not in text
    assert get(server, "/_inspector/data.json")[0] == 401
    assert get(server, "/_inspector/data.json", Authorization=f"Bearer {TOKEN}", Host="evil.example")[0] == 403


def test_the_log_has_the_address_from_which_it_opens(server: Server) -> None:
    url = server.wait_for(r"INFO in inspector: The inspector is at (\S+)")[1]
    assert url.startswith(server.url("/_inspector/?token="))


def test_a_server_without_debug_mode_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "inspected.py").write_text(APP)
    with Server("inspected:app", tmp_path, environment={"QUART_PLUG_PLUGINS": "inspector"}) as server:
        assert get(server, "/_inspector/")[0] == get(server, "/_inspector/static/base.css")[0] == 404
        assert "inspector" not in server.output.replace("/_inspector/", "")


@pytest.mark.parametrize("name", ["page.html", "login.html", "signed_in.html"])
def test_each_file_that_a_page_asks_for_is_there(server: Server, name: str) -> None:
    """And nothing else is asked for: no script or style in the page, no other host."""
    text = (STATIC / name).read_text(encoding="utf-8")
    asked = re.findall(r'(?:src|href)="(?:\$\{root\})?static/([^"]+)"', text)
    assert asked
    for file in asked:
        assert get(server, f"/_inspector/static/{file}") == (200, (STATIC / file).read_text(encoding="utf-8"))
    assert "//" not in text
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)|\son\w+=", text)


def test_each_module_that_a_script_imports_is_there() -> None:
    scripts = sorted(STATIC.glob("*.js"))
    assert scripts
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        assert all((STATIC / name).is_file() for name in re.findall(r'from "\./([^"]+)"', text)), script.name
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, f"{script.name} makes markup or code of texts, by {way}"
