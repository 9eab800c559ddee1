"""The kernel without any plugin answers requests and websockets, and needs nothing that only plugins need.

Each test looks at what a fresh process has imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quart_plug.hooks.selection import CORE

# What is the business of plugins, or of those who ask for it.
NOT_THE_KERNELS = ("jinja2", "itsdangerous", "blinker", "click", "hypercorn", "aiofiles", "importlib_metadata")
PARTS = ("werkzeug.debug", "werkzeug._reloader", "quart_plug.testing", "quart_plug.cli", "quart_plug.running")

PROGRAM = '''
import asyncio, json, sys

from quart_plug import Blueprint, Quart, request, websocket

app = Quart("alone", root_path={root_path!r})
part = Blueprint("part", "alone", url_prefix="/part")
log = []


@app.before_request
async def before():
    log.append(request.path)


@app.get("/<int:number>")
async def index(number):
    return f"hello {{number}}", 201, {{"x-header": request.headers["host"]}}


@app.errorhandler(404)
async def missing(error):
    return "missing", 404


@part.websocket("/echo")
async def echo():
    await websocket.send((await websocket.receive()).upper())


app.register_blueprint(part)
{more}

COMMON = dict(path="/7", raw_path=b"/7", query_string=b"", root_path="", headers=[(b"host", b"localhost")],
              asgi={{"version": "3.0", "spec_version": "2.3"}}, http_version="1.1",
              client=("127.0.0.1", 1), server=("127.0.0.1", 80))


async def call(scope, messages):
    sent = []

    async def receive():
        return messages.pop(0) if messages else await asyncio.get_running_loop().create_future()

    async def send(message):
        sent.append(message)

    await app(COMMON | scope, receive, send)
    return sent


async def main():
    http = {{"type": "http", "method": "GET", "scheme": "http"}}
    body = [{{"type": "http.request", "body": b"", "more_body": False}}]
    start, rest = await call(http, [*body])
    assert (start["status"], rest["body"]) == (201, b"hello 7"), start
    assert (b"x-header", b"localhost") in start["headers"], start
    start, rest = await call(http | {{"path": "/missing"}}, [*body])
    assert (start["status"], rest["body"]) == (404, b"missing"), start
    assert log == ["/7", "/missing"]
    spoken = await call(
        {{"type": "websocket", "scheme": "ws", "path": "/part/echo", "subprotocols": [], "extensions": {{}}}},
        [{{"type": "websocket.connect"}}, {{"type": "websocket.receive", "text": "hello"}}],
    )
    assert [message.get("text") for message in spoken if message["type"] == "websocket.send"] == ["HELLO"], spoken
    {then}


asyncio.run(main())
print(json.dumps(sorted(sys.modules)))
'''


def modules_of(
    folder: Path, more: str = "", then: str = "pass", environment: dict[str, str] | None = None
) -> list[str]:
    """Run the program, with `more` before its first connection and `then` after its last; what it has imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUART", "PYTEST", "COV"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM.format(root_path=str(folder), more=more, then=then)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env=kept | (environment or {}),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]  # a list of texts


def tops(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def plugins_in(modules: list[str]) -> set[str]:
    return {name for name in tops(modules) if name.startswith("quart_plug_")}


OFF = {
    "configuration": {"more": f"app.config['PLUGINS_DISABLED'] = {CORE!r}"},
    "a text in the configuration": {"more": f"app.config['PLUGINS_DISABLED'] = {','.join(CORE)!r}"},
    "environment": {"environment": {"QUART_PLUG_DISABLE": ", ".join(CORE)}},
    "pyproject.toml": {},
    "command line": {
        "more": f"app.hooks.select(config=app.config, command_line={{'disable': {CORE!r}}})\napp.hooks.load_selected()"
    },
    "two places": {
        "more": f"app.config['PLUGINS_DISABLED'] = {CORE[:4]!r}",
        "environment": {"QUART_PLUG_DISABLE": ", ".join(CORE[4:])},
    },
}


@pytest.mark.parametrize("way", OFF)
def test_the_kernel_alone(way: str, tmp_path: Path) -> None:
    """Whichever place turns the core plugins off: neither they nor what they rest on is imported."""
    if way == "pyproject.toml":
        (tmp_path / "pyproject.toml").write_text(f"[tool.quart-plug]\ndisable = {json.dumps(CORE)}\n")
    options: dict[str, Any] = OFF[way]
    modules = modules_of(tmp_path, **options)
    assert not plugins_in(modules)
    assert not tops(modules) & set(NOT_THE_KERNELS)
    assert not set(modules) & set(PARTS)
    foreign = tops(modules) - set(sys.stdlib_module_names) - {"__main__"}
    needed = {"quart_plug", "werkzeug", "markupsafe", "pluggy"}
    assert needed <= foreign
    # What a virtual environment imports when Python starts is nobody's choice here.
    assert foreign - needed <= started_with(), way


def started_with() -> set[str]:
    code = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return set(done.stdout.split())


def test_what_is_installed_can_be_asked_nonetheless(tmp_path: Path) -> None:
    """Metadata was not read as long as nobody asked; the report is the same as ever."""
    modules_of(
        tmp_path,
        **OFF["configuration"],
        then=(
            "assert 'importlib_metadata' not in sys.modules; report = app.hooks.report();"
            " found = [(p.name, p.status, p.distribution) for p in report.plugins];"
            " assert ('json', 'disabled', 'quart-plug') in found, found;"
            " assert 'PLUGINS_DISABLED' in report['json'].reason;"
            " assert 'importlib_metadata' in sys.modules"
        ),
    )


def test_what_a_missing_part_says(tmp_path: Path) -> None:
    modules = modules_of(
        tmp_path,
        **OFF["configuration"],
        then=(
            "from quart_plug.exceptions import PluginNotEnabled\n"
            "    try:\n        app.json\n"
            "    except PluginNotEnabled as error:\n"
            "        assert 'take \\'json\\' out of there' in str(error), error\n"
            "    else:\n        assert False"
        ),
    )
    assert not plugins_in(modules)


# What a plugin may bring when it is the only one: before it is used, and through its use.
ONLY = {
    "json": ("assert app.json.loads(app.json.dumps({'a': 1})) == {'a': 1}", set()),
    "sessions": (
        "app.secret_key = 'a key'; s = app.session_interface.get_signing_serializer(app); s.loads(s.dumps({}))",
        {"itsdangerous"},
    ),
    "templates": ("app.jinja_env", {"jinja2"}),
    "signals": ("from quart_plug.signals import request_started; request_started.receivers", {"blinker"}),
    "static": (
        "from quart_plug.files import send_file; await (await send_file(__import__('json').__file__)).get_data()",
        set(),
    ),
    "cli": ("app.cli.commands", {"click"}),
    "hypercorn": ("await app.startup(); await app.shutdown()", set()),
    "debug": ("app.plugin_slot('debug_page')", set()),
    "security": ("app.config['TRUSTED_PROXIES'] = ['::1']; await call(http, [*body])", set()),
}


@pytest.mark.parametrize("name", CORE)
def test_one_plugin_imports_only_what_it_needs(name: str, tmp_path: Path) -> None:
    """Nothing but itself before it is used, and then what it rests on; never another plugin."""
    use, expected = ONLY[name]
    off = [other for other in CORE if other != name]
    more = f"app.config['PLUGINS_DISABLED'] = {off!r}"
    idle = modules_of(tmp_path, more)
    assert plugins_in(idle) == {f"quart_plug_{name}"}
    heavy = {"jinja2", "itsdangerous", "blinker", "click", "hypercorn", "aiofiles"}
    assert not tops(idle) & heavy
    used = modules_of(tmp_path, more, f"async with app.app_context():\n        {use}")
    assert plugins_in(used) == {f"quart_plug_{name}"}
    assert tops(used) & heavy == expected
