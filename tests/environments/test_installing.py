"""A plugin comes and goes: installed and uninstalled by pip, taken out of a server that is busy."""

from __future__ import annotations

import asyncio
import http.client
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.clients import client, receive
from tests.support.environments import LIMIT, Distribution, Environment, home
from tests.support.extensions import MAKING
from tests.support.servers import Server

from .faulty import HOOK
from .test_faulty_plugins import get

GREETS = HOOK + "@hookimpl\ndef setup(app):\n    app.add_url_rule('/greet', view_func=lambda: 'good day')\n"


def pip(environment: Environment, *arguments: str | Path) -> None:
    """Run pip for the environment; it needs no network."""
    tool = home() / "tools" / "bin" / "python"
    subprocess.run(
        [tool, "-m", "pip", "--python", environment.python, "--quiet", "--disable-pip-version-check", *arguments],
        check=True,
        timeout=MAKING,
        stdin=subprocess.DEVNULL,
    )


def test_installed_upgraded_enabled_and_uninstalled(tmp_path: Path) -> None:
    """By pip, from wheels, in an environment of the test's own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=LIMIT)
    own = Environment(tmp_path / "venv" / "bin" / "python", tmp_path)
    wheels = ("--no-index", "--no-compile", "--find-links", home() / "wheels", "--find-links", home() / "built")
    first, second = (
        Distribution("acme-greets", {"acme_greets.py": GREETS}, {"greets": "acme_greets"}, version=version)
        for version in ("1.0", "1.1")
    )
    pip(own, "install", *wheels, "quart-plug", first.wheel(tmp_path))
    assert re.search(
        r"^greets +disabled +1\.0 +acme-greets +installed, but not enabled", own.quart_plug("list").stdout, re.M
    )
    own.write("pyproject.toml", '[tool.quart-plug]\nplugins = ["greets"]\n')
    with own.serve() as server:
        assert get(server, "/greet") == (200, "good day")

    pip(own, "install", *wheels, second.wheel(tmp_path))
    assert re.search(r"^greets +active +1\.1 +acme-greets ", own.quart_plug("list").stdout, re.M)

    pip(own, "uninstall", "--yes", "acme-greets")
    assert "acme-greets" not in own.quart_plug("list").stdout
    assert "'greets' in plugins of [tool.quart-plug]" in own.fails_to_serve()
    assert own.quart_plug("plugins", "doctor").returncode == 1
    own.write("pyproject.toml", "[tool.quart-plug]\nplugins = []\n")
    with own.serve() as server:
        assert get(server, "/greet")[0] == 404
        assert get(server) == (200, "hello")


STAMPS = (
    HOOK
    + """
@hookimpl
async def connection(ctx):
    yield


@hookimpl
async def request_after(ctx, response):
    response.headers["x-stamp"] = "yes"


@hookimpl
async def websocket_sending(ctx, message):
    return f"stamped {message}"
"""
)

SWITCH = """

@app.post("/out")
async def out():
    app.plugin_hooks.unregister("stamps")
    return ""


@app.post("/in")
async def back():
    import acme_stamps

    return app.plugin_hooks.register(acme_stamps, name="stamps")
"""

CONNECTIONS = 4


class Load:
    """Requests without a pause on connections that are kept; what each got: (status, stamp), or its error."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.answers: list[tuple[int, str | None]] = []
        self._news = threading.Condition()
        self._over = False

    def _work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=LIMIT)
        try:
            while not self._over:
                connection.request("GET", "/")
                answer = connection.getresponse()
                answer.read()
                with self._news:
                    self.answers.append((answer.status, answer.headers["x-stamp"]))
                    self._news.notify_all()
        finally:
            connection.close()

    async def __aenter__(self) -> Load:
        self._tasks = [asyncio.create_task(asyncio.to_thread(self._work)) for _ in range(CONNECTIONS)]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._over = True
        await asyncio.gather(*self._tasks)  # an error of theirs is the test's

    async def more(self, count: int = 24) -> list[tuple[int, str | None]]:
        """The answers to so many requests from now on. AssertionError when they do not come."""
        begin = len(self.answers)

        def wait() -> bool:
            with self._news:
                return self._news.wait_for(lambda: len(self.answers) >= begin + count, LIMIT)

        assert await asyncio.to_thread(wait), f"{len(self.answers) - begin} answers within {LIMIT:g} seconds"
        return self.answers[begin:]


async def test_a_plugin_is_taken_out_and_put_back_under_load(environment: Environment) -> None:
    """No request fails; those before have what it does, those after have not; a websocket stays."""
    environment.add(Distribution("acme-stamps", {"acme_stamps.py": STAMPS}, {"stamps": "acme_stamps"}))
    path = environment.project / "app.py"
    path.write_text(path.read_text() + SWITCH)

    def post(server: Server, where: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LIMIT)
        connection.request("POST", where)
        status = connection.getresponse().status
        connection.close()
        return status

    with environment.serve(QUART_PLUG_PLUGINS="stamps") as server:
        async with client(server.ws("/ws")) as connection, Load(server) as load:
            assert set(await load.more()) == {(200, "yes")}
            for _ in range(3):
                assert await asyncio.to_thread(post, server, "/out") == 200
                await load.more(2 * CONNECTIONS)  # those that were on their way
                assert set(await load.more()) == {(200, None)}
                async with client(server.ws("/ws")) as other:
                    await other.send("a")
                    assert await receive(other) == "a"
                assert await asyncio.to_thread(post, server, "/in") == 200
                await load.more(2 * CONNECTIONS)
                assert set(await load.more()) == {(200, "yes")}
            await connection.send("b")
            assert str(await receive(connection)).endswith("b")
        assert {status for status, _ in load.answers} == {200}
        assert "Traceback" not in server.output
