"""`quart.typing`: what a type checker takes and refuses.

One program uses every name; the lines that end with `# refused` are mistakes, and have to be the only ones that mypy
finds.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from quart_plug import typing
from tests.support.surface import public_names, shows

ROOT = Path(__file__).parents[2]

PROGRAM = '''
from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from quart_plug import Blueprint, Quart, Response, Websocket
from quart_plug.asgi import ASGIHTTPConnection, ASGILifespan, ASGIWebsocketConnection
from quart_plug.conversion import Converter
from quart_plug.testing import QuartClient
from quart_plug.testing.app import TestApp
from quart_plug.testing.connections import TestHTTPConnection, TestWebsocketConnection
from quart_plug import typing as t


def after(response: t.ResponseTypes) -> t.ResponseTypes:
    return response

async def after_async(response: t.ResponseTypes) -> t.ResponseTypes:
    return response

async def after_websocket(response: t.ResponseTypes | None) -> t.ResponseTypes | None:
    return response

def nothing() -> None:
    return None

async def nothing_async() -> None:
    return None

async def text(*args: Any, **kwargs: Any) -> str:
    return "a"

def number() -> int:
    return 1

def handler(error: Exception) -> tuple[str, int]:
    return "a", 500

def teardown(error: BaseException | None) -> None:
    return None

def names() -> dict[str, Any]:
    return {}

def is_even(value: int) -> bool:
    return value % 2 == 0

def defaults(endpoint: str, values: dict[str, Any]) -> None:
    return None

def values(endpoint: str | None, values: dict[str, Any] | None) -> None:
    return None

async def serving() -> AsyncGenerator[None, None]:
    yield

a1: t.AfterRequestCallable = after
a2: t.AfterRequestCallable = after_async
a3: t.AfterRequestCallable = nothing  # refused
b1: t.AfterServingCallable = nothing
b2: t.AfterServingCallable = nothing_async
b3: t.AfterServingCallable = teardown  # refused
c1: t.AfterWebsocketCallable = after_websocket
c2: t.AfterWebsocketCallable = names  # refused
d1: t.BeforeRequestCallable = nothing
d2: t.BeforeRequestCallable = nothing_async
d3: t.BeforeRequestCallable = number  # refused
e1: t.BeforeServingCallable = nothing_async
e2: t.BeforeServingCallable = number  # refused
f1: t.BeforeWebsocketCallable = nothing_async
f2: t.BeforeWebsocketCallable = number  # refused
g1: t.ErrorHandlerCallable = handler
g2: t.ErrorHandlerCallable = number  # refused
h1: t.RouteCallable = text
h2: t.RouteCallable = number  # refused
i1: t.WebsocketCallable = nothing_async
i2: t.WebsocketCallable = number  # refused
j1: t.ShellContextProcessorCallable = names
j2: t.ShellContextProcessorCallable = number  # refused
k1: t.TeardownCallable = teardown
k2: t.TeardownCallable = nothing  # refused
l1: t.TemplateContextProcessorCallable = names
l2: t.TemplateContextProcessorCallable = number  # refused
m1: t.TemplateFilterCallable = number
m2: t.TemplateFilterCallable = 1  # refused
n1: t.TemplateGlobalCallable = number
n2: t.TemplateGlobalCallable = 1  # refused
o1: t.TemplateTestCallable = is_even
o2: t.TemplateTestCallable = text  # refused
p1: t.URLDefaultCallable = defaults
p2: t.URLDefaultCallable = nothing  # refused
q1: t.URLValuePreprocessorCallable = values
q2: t.URLValuePreprocessorCallable = nothing  # refused
r1: t.WhileServingCallable = serving
r2: t.WhileServingCallable = nothing_async  # refused

s1: t.AppOrBlueprintKey = None
s2: t.AppOrBlueprintKey = "blueprint"
s3: t.AppOrBlueprintKey = 1  # refused
u1: list[t.FilePath] = ["a", b"a", Path("a")]
u2: t.FilePath = 1  # refused
v1: t.HeaderName = "X-A"
v2: t.HeaderName = 1  # refused
w1: list[t.HeaderValue] = ["a", ["a", "b"], ("a",)]
w2: t.HeaderValue = 1  # refused
x1: list[t.HeadersValue] = [{"X-A": "1"}, [("X-A", "1")]]
x2: t.HeadersValue = 1  # refused
y1: list[t.ResponseValue] = ["a", b"a", {"a": 1}, ["a"], Response("a"), iter(["a"])]
y2: t.ResponseValue = 1  # refused

@dataclass
class Item:
    name: str

Words = Annotated[int | str, "a remark"]

class Adapter:
    """As pydantic's TypeAdapter."""

    def validate_python(self, object: Any, /, *, strict: bool | None = None) -> list[Item]:
        return []

async def typed_messages(websocket: Websocket) -> None:
    z1: Item = await websocket.receive_json(type=Item)
    z2: list[Item] = await websocket.receive_json(1.5, type=list[Item])
    z3: int = await websocket.receive_json(type=Item)  # refused
    z4: int = await websocket.receive_json()
    z5: int | str = await websocket.receive_json(type=int | str)
    z6: int | str = await websocket.receive_json(type=Words)
    z7: list[Item] = await websocket.receive_json(type=Adapter())
    z8: int = await websocket.receive_json(type=Adapter())  # refused
    await websocket.receive_json(Item)  # refused
    await websocket.receive_json(type=3)  # refused
z1: list[t.ResponseReturnValue] = ["a", ("a", 200), ("a", {"X-A": "1"}), ("a", 200, {"X-A": "1"})]
z2: t.ResponseReturnValue = ("a", 200, {}, 1)  # refused
z3: list[t.ResponseTypes] = [Response("a")]
z4: t.ResponseTypes = "a"  # refused
z5: t.StatusCode = 200
z6: t.StatusCode = "200"  # refused

def register(app: Quart, blueprint: Blueprint) -> None:
    app.before_request(nothing)
    app.before_request(number)  # refused
    app.after_request(after)
    app.after_request(nothing)  # refused
    app.teardown_request(teardown)
    app.teardown_request(nothing)  # refused
    blueprint.before_websocket(nothing_async)
    blueprint.before_websocket(number)  # refused
    blueprint.after_websocket(after_websocket)
    blueprint.after_websocket(number)  # refused
    blueprint.teardown_websocket(teardown)
    blueprint.teardown_websocket(number)  # refused
    app.route("/")(text)
    app.route("/")(number)  # refused
    app.get("/")(text)
    app.get("/")(number)  # refused
    app.websocket("/")(nothing_async)
    app.websocket("/")(number)  # refused
    app.get("/", plugins_disabled={"a"})(text)
    app.get("/", plugins_disabled="a")(text)  # refused
    app.route("/", plugins_disabled=("a", "b:c"))(text)
    app.route("/", plugins_disabled={1})(text)  # refused
    blueprint.websocket("/", plugins_disabled=["a"])(nothing_async)
    blueprint.websocket("/", plugins_disabled="a")(nothing_async)  # refused
    app.register_blueprint(Blueprint("b", __name__, plugins_disabled={"a"}), plugins_disabled={"a"})
    app.register_blueprint(blueprint, plugins_disabled="a")  # refused
    app.disable_plugins_for("static", "a")  # refused
    app.errorhandler(404)(handler)
    app.errorhandler(404)(number)  # refused
    app.context_processor(names)
    app.context_processor(number)  # refused
    app.url_defaults(defaults)
    app.url_defaults(number)  # refused
    app.url_value_preprocessor(values)
    app.url_value_preprocessor(number)  # refused

@dataclass
class Config:
    header: str = "a"

def configured(app: Quart) -> None:
    config: Config = app.plugin_config(Config)
    header: str = app.plugin_config(Config).header
    no_header: int = app.plugin_config(Config).header  # refused
    app.plugin_config(Config).haeder  # refused
    anything: Config = app.plugin_config("timing")
    app.plugin_config(5)  # refused
    sources: dict[str, str] = app.plugin_config_sources("timing")
    move: list[Config] = Converter(list[Config])([{}])
    no_move: Config = Converter(list[Config])([{}])  # refused

event: t.Event = asyncio.Event()
no_event: t.Event = asyncio.Lock()  # refused
set_it: bool = event.is_set()
event.set()

http: type[t.ASGIHTTPProtocol] = ASGIHTTPConnection
websocket: type[t.ASGIWebsocketProtocol] = ASGIWebsocketConnection
lifespan: type[t.ASGILifespanProtocol] = ASGILifespan
no_connection: type[t.ASGIHTTPProtocol] = Response  # refused
client: type[t.TestClientProtocol] = QuartClient
no_client: type[t.TestClientProtocol] = TestApp  # refused
test_app: type[t.TestAppProtocol] = TestApp
http_connection: type[t.TestHTTPConnectionProtocol] = TestHTTPConnection
websocket_connection: type[t.TestWebsocketConnectionProtocol] = TestWebsocketConnection


async def use(app: Quart) -> None:
    started: t.TestAppProtocol = app.test_app()
    await started.startup()
    await started.shutdown()
    client: t.TestClientProtocol = started.test_client()
    for call in (client.get, client.post, client.put, client.patch, client.delete, client.head, client.options):
        response: Response = await call("/", headers={"X-A": "1"})
    response = await client.trace("/")
    response = await client.open("/", method="GET", json={"a": 1}, follow_redirects=True)
    client.set_cookie("localhost", "name", "value", secure=True)
    client.delete_cookie("localhost", "name")
    client.set_cookie("localhost", "name", 1)  # refused
    async with client.session_transaction() as session:
        session["a"] = 1
    async with client.request("/", method="POST") as connection:
        await connection.send(b"a")
        await connection.send("a")  # refused
        await connection.send_complete()
        data: bytes = await connection.receive()
        await connection.disconnect()
    response = await connection.as_response()
    async with client.websocket("/ws", subprotocols=["a"]) as socket:
        await socket.send("a")
        await socket.send(1)  # refused
        message: str | bytes = await socket.receive()
        await socket.send_json({"a": 1})
        value: dict[str, int] = await socket.receive_json()
        await socket.disconnect()
        await socket.close(1000)
'''


@shows(
    "typing.ASGIHTTPProtocol",
    "typing.ASGILifespanProtocol",
    "typing.ASGIWebsocketProtocol",
    "typing.AfterRequestCallable",
    "typing.AfterServingCallable",
    "typing.AfterWebsocketCallable",
    "typing.AppOrBlueprintKey",
    "typing.BeforeRequestCallable",
    "typing.BeforeServingCallable",
    "typing.BeforeWebsocketCallable",
    "typing.ErrorHandlerCallable",
    "typing.Event",
    "typing.Event.is_set",
    "typing.Event.set",
    "typing.FilePath",
    "typing.HeaderName",
    "typing.HeaderValue",
    "typing.HeadersValue",
    "typing.ResponseReturnValue",
    "typing.ResponseTypes",
    "typing.ResponseValue",
    "typing.RouteCallable",
    "typing.ShellContextProcessorCallable",
    "typing.StatusCode",
    "typing.TeardownCallable",
    "typing.TemplateContextProcessorCallable",
    "typing.TemplateFilterCallable",
    "typing.TemplateGlobalCallable",
    "typing.TemplateTestCallable",
    "typing.TestAppProtocol",
    "typing.TestAppProtocol.shutdown",
    "typing.TestAppProtocol.startup",
    "typing.TestAppProtocol.test_client",
    "typing.TestClientProtocol",
    "typing.TestClientProtocol.delete",
    "typing.TestClientProtocol.delete_cookie",
    "typing.TestClientProtocol.get",
    "typing.TestClientProtocol.head",
    "typing.TestClientProtocol.open",
    "typing.TestClientProtocol.options",
    "typing.TestClientProtocol.patch",
    "typing.TestClientProtocol.post",
    "typing.TestClientProtocol.put",
    "typing.TestClientProtocol.request",
    "typing.TestClientProtocol.session_transaction",
    "typing.TestClientProtocol.set_cookie",
    "typing.TestClientProtocol.trace",
    "typing.TestClientProtocol.websocket",
    "typing.TestHTTPConnectionProtocol",
    "typing.TestHTTPConnectionProtocol.as_response",
    "typing.TestHTTPConnectionProtocol.disconnect",
    "typing.TestHTTPConnectionProtocol.receive",
    "typing.TestHTTPConnectionProtocol.send",
    "typing.TestHTTPConnectionProtocol.send_complete",
    "typing.TestWebsocketConnectionProtocol",
    "typing.TestWebsocketConnectionProtocol.close",
    "typing.TestWebsocketConnectionProtocol.disconnect",
    "typing.TestWebsocketConnectionProtocol.receive",
    "typing.TestWebsocketConnectionProtocol.receive_json",
    "typing.TestWebsocketConnectionProtocol.send",
    "typing.TestWebsocketConnectionProtocol.send_json",
    "typing.URLDefaultCallable",
    "typing.URLValuePreprocessorCallable",
    "typing.WebsocketCallable",
    "typing.WhileServingCallable",
)
def test_a_type_checker_takes_what_fits_and_refuses_the_rest(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    refused = {number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# refused")}
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    found = {
        int(line.split(":")[1]) for line in run.stdout.splitlines() if ": error:" in line and "program.py" in line
    }

    assert found == refused, f"not refused: {sorted(refused - found)}\n{run.stdout}{run.stderr}"


def test_the_program_uses_every_name_that_is_an_alias() -> None:
    names = {name.split(".")[1] for name in public_names() if name.startswith("typing.")}

    assert not [name for name in names if f"t.{name}" not in PROGRAM]


def test_the_protocols_are_not_taken_for_tests() -> None:
    protocols = [getattr(typing, name) for name in vars(typing) if name.startswith("Test")]

    assert len(protocols) == 4
    assert not any(getattr(protocol, "__test__", True) for protocol in protocols)
