"""examples/thirdparty: two distributions by others, built, installed beside the wheel of quart-plug, and used through
configuration alone, by an application that knows nothing of them.

The bytes of MessagePack are written out here, from its specification.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.support.clients import client, ending, receive
from tests.support.environments import ROOT, Environment, home
from tests.support.servers import LIMIT, Server

FOLDER = ROOT / "examples" / "thirdparty"
PROJECTS = sorted(path.parent for path in FOLDER.glob("*/pyproject.toml"))
NAMES = [path.name for path in PROJECTS]
MSGPACK = "application/msgpack"

APP = """
from datetime import UTC, datetime
from uuid import UUID

from quart_plug import Quart, request, websocket

app = Quart(__name__)
app.config.from_toml("settings.toml", silent=True)


@app.get("/known")
async def known():
    return {"when": datetime(2026, 5, 1, tzinfo=UTC), "who": UUID(int=1)}


@app.post("/echo")
async def echo():
    return {"got": await request.get_json()}


@app.get("/fails")
async def fails():
    raise RuntimeError("no luck")


@app.websocket("/ws")
async def ws():
    while True:
        await websocket.send_json({"got": await websocket.receive_json()})
"""

# The same, said in three places: {file: text}, variables.
PLACES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "environment": (
        {},
        {
            "QUART_PLUG_PLUGINS": "timing,msgpack",
            "QUART_PLUG_TIMING__HEADER": "x-trace",
            "QUART_PLUG_TIMING__TRUSTED": "true",
            "QUART_PLUG_MSGPACK__MAX_ITEMS": "3",
        },
    ),
    "pyproject.toml": (
        {
            "pyproject.toml": '[tool.quart-plug]\nplugins = ["timing", "msgpack"]\n'
            '[tool.quart-plug.config.timing]\nheader = "x-trace"\ntrusted = true\n'
            "[tool.quart-plug.config.msgpack]\nmax_items = 3\n"
        },
        {},
    ),
    "settings file": (
        {
            "settings.toml": 'PLUGINS = ["timing", "msgpack"]\n'
            '[plugins.timing]\nheader = "x-trace"\ntrusted = true\n[plugins.msgpack]\nmax_items = 3\n'
        },
        {},
    ),
}


@pytest.fixture
def thirdparty(tmp_path: Path) -> Environment:
    """An environment with both distributions installed, and nothing said about them."""
    made = Environment(home() / "thirdparty" / "bin" / "python", tmp_path)
    made.write("app.py", APP)
    return made


def exchange(server: Server, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of one request."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(server.url(path), body, named), timeout=LIMIT) as answer:
            return answer.status, answer.headers, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


async def as_before(server: Server) -> None:
    """What the application does by itself."""
    status, headers, body = exchange(server, "/known", accept=f"{MSGPACK}, application/json;q=0.5", x_trace="a")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == {"when": "Fri, 01 May 2026 00:00:00 GMT", "who": "00000000-0000-0000-0000-000000000001"}
    assert not {"x-request-id", "x-trace", "server-timing"} & {name.lower() for name in headers}
    assert json.loads(exchange(server, "/echo", b"\x92\x01\x02", content_type=MSGPACK)[2]) == {"got": None}
    async with client(server.ws("/ws"), subprotocols=["msgpack"]) as connection:
        assert connection.subprotocol is None
        await connection.send("[1, 2]")
        assert json.loads(await receive(connection)) == {"got": [1, 2]}
    assert not [line for line in server.lines if ", id " in line]


def test_the_wheels_have_what_belongs_into_them() -> None:
    for project in PROJECTS:
        package = project.name.replace("-", "_")
        [path] = (home() / "built").glob(f"{package}-*.whl")
        with zipfile.ZipFile(path) as wheel:
            names = set(wheel.namelist())
            texts = {name.rpartition("/")[2]: wheel.read(name).decode() for name in names if ".dist-info/" in name}
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
        assert not any("test" in name for name in names)
        assert "MIT License" in texts["LICENSE"]
        assert f"Name: {project.name}\n" in texts["METADATA"]
        assert re.search(r"^Requires-Dist: quart-plug *\(?>=0.1", texts["METADATA"], re.M)
        assert "[quart_plug.plugins]" in texts["entry_points.txt"]


def test_they_are_installed_beside_quart_plug(thirdparty: Environment) -> None:
    """All from wheels, in the environment itself; nothing of the checkout is used."""
    code = "import quart_plug, quart_plug_timing, quart_plug_msgpack as m; print(quart_plug.__file__, m.__file__)"
    done = thirdparty.run("-c", code)
    assert done.returncode == 0, done.stdout
    for path in done.stdout.split():
        assert Path(path).is_relative_to(thirdparty.python.parents[1] / "lib")
    listed = thirdparty.quart_plug("list").stdout
    assert re.search(r"^timing +disabled +1\.3\.0 +quart-plug-timing", listed, re.M), listed
    assert re.search(r"^msgpack +disabled +0\.4\.1 +quart-plug-msgpack", listed, re.M), listed


async def test_installed_is_not_enabled(thirdparty: Environment) -> None:
    with thirdparty.serve() as server:
        await as_before(server)
    code = (
        "import sys; from app import app; app.setup_plugins(); print({'msgpack', 'quart_plug_timing'} & {*sys.modules})"
    )
    assert thirdparty.run("-c", code).stdout == "set()\n"


@pytest.mark.parametrize("place", PLACES)
async def test_they_are_used_through_configuration_alone(thirdparty: Environment, place: str) -> None:
    files, variables = PLACES[place]
    for name, text in files.items():
        thirdparty.write(name, text)
    with thirdparty.serve(**variables) as server:
        # requests
        status, headers, body = exchange(server, "/echo", b"\x92\x01\x02", content_type=MSGPACK, accept=MSGPACK)
        assert (status, headers["content-type"]) == (200, MSGPACK)
        assert body == b"\x81\xa3got\x92\x01\x02"
        assert re.fullmatch(r"total;dur=\d+\.\d", headers["server-timing"])
        status, headers, body = exchange(server, "/known", x_trace="caller-7")
        assert json.loads(body)["who"] == "00000000-0000-0000-0000-000000000001"
        assert headers["x-trace"] == "caller-7"
        await server.printed(r"GET /known 200 in [\d.]+ ms, id caller-7$")
        # limits and errors
        status, headers, _ = exchange(server, "/echo", b"\x94\x01\x02\x03\x04", content_type=MSGPACK, x_trace="four")
        assert (status, headers["x-trace"]) == (400, "four")
        assert exchange(server, "/echo", b"\xdd\xff\xff\xff\xff", content_type=MSGPACK)[0] == 400
        status, headers, _ = exchange(server, "/fails", x_trace="failing")
        assert (status, headers["x-trace"]) == (500, "failing")
        await server.printed(r"\[failing\] Exception on request GET /fails")
        # websockets
        async with client(
            server.ws("/ws"), subprotocols=["msgpack"], additional_headers={"x-trace": "caller-8"}
        ) as connection:
            assert connection.subprotocol == "msgpack"
            assert connection.response is not None
            assert connection.response.headers["x-trace"] == "caller-8"
            await connection.send(b"\x92\x01\xc4\x01\x00")
            assert await receive(connection) == b"\x81\xa3got\x92\x01\xc4\x01\x00"
        await server.printed(r"WEBSOCKET /ws 1000 closed by the client in [\d.]+ ms, id caller-8$")
        codes = []
        for subprotocol, unreadable in (("msgpack", b"\xc1"), ("json", "{")):
            async with client(server.ws("/ws"), subprotocols=[subprotocol]) as connection:
                await connection.send(unreadable)
                codes.append((await ending(connection))[0])
        assert codes[0] == codes[1]
        async with client(server.ws("/ws")) as connection:
            await connection.send("[1, 2]")
            assert json.loads(await receive(connection)) == {"got": [1, 2]}


async def test_disabled_again_all_is_as_before(thirdparty: Environment) -> None:
    path = thirdparty.write("pyproject.toml", PLACES["pyproject.toml"][0]["pyproject.toml"])
    for name in ("timing", "msgpack"):
        done = thirdparty.quart_plug("plugins", "disable", name)
        assert done.returncode == 0, done.stdout
    assert "max_items = 3" in path.read_text()
    with thirdparty.serve() as server:
        await as_before(server)


@pytest.mark.parametrize("name", NAMES)
def test_their_own_tests_pass(thirdparty: Environment, name: str) -> None:
    """In the environment, on the installed wheels, with the fixture that quart-plug brings."""
    tests = FOLDER / name / "tests"
    done = thirdparty.run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", FOLDER / name / "pyproject.toml", tests),
        PYTHONPATH=str(home() / "testing"),
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d\d+ passed in", done.stdout, re.M), done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_mypy_finds_them_right_against_the_installed_package(thirdparty: Environment, name: str) -> None:
    command = ["-m", "mypy", "--python-executable", thirdparty.python, "--cache-dir", home() / f"mypy-{name}"]
    done = subprocess.run(
        [sys.executable, *command], cwd=FOLDER / name, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/src/*/*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_they_import_public_names_only(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "quart_plug":
            names = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            assert not any(name.startswith("_") for name in names), ast.unparse(node)
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("quart_plug") for alias in node.names), ast.unparse(node)
