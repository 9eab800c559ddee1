"""`quart-plug` as a user meets it: a process, its output, its exit status."""

from __future__ import annotations

import json
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quart_plug.hooks.selection import CORE

APP = """
from quart_plug import Quart

app = Quart(__name__)

@app.get("/")
async def index():
    return "hello"
"""

Start = Callable[..., Any]
Write = Callable[[str, str], Path]


def fetch(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_run_serves_and_stops_on_a_signal(start: Start, write: Write, number: int) -> None:
    write("app.py", APP)
    program = start("run", "--port", "0")
    assert fetch(program.port()) == "hello"
    status, output = program.stop(number)
    assert status == 0, output
    assert "Traceback" not in output
    assert output.count("Running on") == 1


def test_the_app_is_found_by_file_module_factory_and_variable(start: Start, write: Write) -> None:
    write("shop/store.py", APP + "\ndef make(word):\n    app.config['WORD'] = word\n    return app\n")
    for arguments, environment in (
        (("--app", "shop/store.py"), {}),
        (("--app", "shop.store:app"), {}),
        (("--app", "shop.store:make('x')"), {}),
        ((), {"QUART_PLUG_APP": "shop.store"}),
        ((), {"QUART_APP": "shop.store"}),
    ):
        status, output = start(*arguments, "routes", "--json", **environment).wait()
        assert status == 0, output
        assert "/" in {route["rule"] for route in json.loads(output)}


@pytest.mark.parametrize(
    ("arguments", "app", "status", "words"),
    [
        (["--app", "shpo", "run"], {"shop.py": APP}, 2, ["no module 'shpo'", "did you mean 'shop'?"]),
        (["--app", "shop:ap", "run"], {"shop.py": APP}, 2, ["has no 'ap'", "did you mean 'app'?"]),
        (
            ["--app", "shop:app", "run"],
            {"shop.py": "app = 'x'"},
            2,
            ["builtins.str", "not a Quart application"],
        ),
        (["--app", "shop:make(1)", "run"], {"shop.py": "def make(): ..."}, 2, ["shop:make()", "too many"]),
        (["run"], {}, 2, ["no application", "--app"]),
        (["run", "--port", "abc"], {"app.py": APP}, 2, ["--port", "'abc'"]),
        (["run", "--port", "70000"], {"app.py": APP}, 2, ["--port", "70000"]),
        (["run", "--host", "no.such.host.invalid"], {"app.py": APP}, 1, ["no.such.host.invalid", "--host"]),
        (["run", "--server", "nginx"], {"app.py": APP}, 1, ["nginx"]),
        (["rnu"], {"app.py": APP}, 2, ["No such command 'rnu'", "Did you mean 'run'?"]),
        (["--env-file", "nothing.env", "run"], {"app.py": APP}, 2, ["--env-file", "nothing.env"]),
        (["--plugin", "sesions", "run"], {"app.py": APP}, 2, ["'sesions'", "did you mean 'sessions'?"]),
        (
            ["run"],
            {"app.py": APP + "\napp.config.from_toml('shop.toml')\n", "shop.toml": "A = 1\nB = = 2\n"},
            1,
            ["shop.toml:2", "app.py, line 10"],
        ),
        (["run"], {"app.py": APP, "pyproject.toml": "[tool.quart-plug\n"}, 2, ["pyproject.toml"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_message_without_a_traceback(
    start: Start, write: Write, arguments: list[str], app: dict[str, str], status: int, words: list[str]
) -> None:
    for name, text in app.items():
        write(name, text)
    actual, output = start(*arguments).wait()
    assert (actual, [word for word in words if word not in output]) == (status, []), output
    assert "Traceback" not in output


def test_a_port_in_use_is_said_before_anything_runs(start: Start, write: Write) -> None:
    write("app.py", APP)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, output = start("run", "--port", str(port)).wait()
    assert (status, "Traceback" in output, "Running" in output) == (1, False, False)
    assert f"Error: port {port} on 127.0.0.1 is already in use" in output
    assert "--port" in output


def test_an_error_inside_the_app_is_the_users_own_traceback(start: Start, write: Write) -> None:
    """It begins with the user's file: nothing of the command line or of the import system is in it."""
    write("app.py", "import helper\n")
    write("helper.py", "import nothing_like_this\n")
    status, output = start("run").wait()
    files = [line.split('"')[1] for line in output.splitlines() if line.lstrip().startswith("File ")]
    assert (status, [Path(file).name for file in files]) == (1, ["app.py", "helper.py"]), output
    assert "ModuleNotFoundError: No module named 'nothing_like_this'" in output


def test_a_syntax_error_in_the_app_is_shown(start: Start, write: Write) -> None:
    write("app.py", "def broken(:\n")
    status, output = start("run").wait()
    assert (status, "SyntaxError" in output, "def broken(:" in output) == (1, True, True), output


def test_a_failing_start_up_is_reported_once(start: Start, write: Write) -> None:
    write("app.py", APP + "\n@app.before_serving\nasync def fail():\n    raise LookupError('no database')\n")
    status, output = start("run", "--port", "0").wait()
    assert status == 1
    assert "Error: the application did not start" in output
    assert "no database" in output
    assert "Running on" not in output


def test_a_plugin_that_does_not_import_is_named(start: Start, write: Write) -> None:
    """The app that asks for it does not start; the list still works, and says why."""
    write("app.py", APP.replace("__name__", "__name__, plugins=['broken_plugin']"))
    write("broken_plugin.py", "1 / 0\n")
    status, output = start("run", "--port", "0").wait()
    assert (status, "Running on" in output) == (1, False)
    assert "broken_plugin" in output
    assert "ZeroDivisionError" in output
    status, output = start("--app", "app", "list").wait()
    row = next(line for line in output.splitlines() if line.startswith("broken_plugin"))
    assert (status, "failed" in row, "ZeroDivisionError" in row) == (0, True, True), output


def test_a_broken_app_is_waited_for_with_the_reloader(start: Start, write: Write) -> None:
    write("app.py", "def broken(:\n")
    program = start("--debug", "run", "--port", "0")
    program.wait_for("SyntaxError")
    write("app.py", APP)
    assert fetch(program.port()) == "hello"
    status, output = program.stop()
    assert status == 0, output


def test_an_unguarded_app_run_does_not_serve_while_loading(start: Start, write: Write) -> None:
    write("app.py", APP + "\napp.run()\n")
    program = start("run", "--port", "0")
    program.wait_for(r"app\.run\(\) was ignored")
    assert fetch(program.port()) == "hello"
    assert program.stop()[0] == 0


def test_answering_to_the_name_quart(start: Start, write: Write) -> None:
    write("app.py", APP.replace("quart_plug", "quart"))
    program = start("--as-quart", "run", "--port", "0")
    assert fetch(program.port()) == "hello"
    assert program.stop()[0] == 0


def test_without_the_command_line_plugin_one_line_says_how_to_turn_it_on(start: Start, write: Write) -> None:
    write("app.py", APP)
    status, output = start("run", QUART_PLUG_DISABLE="cli").wait()
    assert status == 2
    assert len(output.splitlines()) == 1
    assert "'cli'" in output
    assert "QUART_PLUG_DISABLE" in output


def test_without_the_server_plugin_one_line_says_how_to_turn_it_on(start: Start, write: Write) -> None:
    write("app.py", APP)
    status, output = start("--no-plugin", "hypercorn", "run").wait()
    assert (status, len(output.splitlines())) == (1, 1), output
    assert "'hypercorn'" in output


def test_a_second_signal_stops_at_once(start: Start, write: Write) -> None:
    """Though a view blocks a thread that nothing can end."""
    write(
        "app.py",
        "import threading\nfrom quart_plug import Quart\napp = Quart(__name__)\n"
        "app.config['SHUTDOWN_TIMEOUT'] = 600\n"
        "@app.get('/')\ndef index():\n    print('blocked', flush=True)\n    threading.Event().wait()\n",
    )
    program = start("run", "--port", "0", "--no-access-log")
    port = program.port()
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        program.wait_for("blocked")
        program.send(signal.SIGINT)
        # Until the first one is heeded, which the closed port shows, the second would be the first.
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 30).close()
            except ConnectionError:
                break
        assert program.stop(signal.SIGINT)[0] == 130


def test_a_script_that_calls_app_run(start: Start, write: Write) -> None:
    write("script.py", APP + "\nif __name__ == '__main__':\n    app.run(port=0, use_reloader=False)\n")
    program = start(command=["script.py"])
    assert fetch(program.port()) == "hello"
    status, output = program.stop(signal.SIGINT)
    assert (status, "Traceback" in output) == (0, False), output


def test_a_script_with_a_port_in_use(start: Start, write: Write) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        write("script.py", APP + f"\napp.run(port={port})\n")
        status, output = start(command=["script.py"]).wait()
    assert (status, "Traceback" in output) == (1, False), output
    assert f"Error: port {port} on 127.0.0.1 is already in use" in output


def test_the_shell_awaits(write: Write, tmp_path: Path) -> None:
    import os
    import subprocess

    write("app.py", APP + "\n@app.shell_context_processor\ndef names():\n    return {'answer': 42}\n")
    lines = "import asyncio\nfrom quart_plug import current_app\n"
    lines += "print('sum', await asyncio.sleep(0, answer + 1))\n"
    lines += "print('name', current_app.name)\n1 / 0\nprint('still here')\n"
    done = subprocess.run(
        [sys.executable, "-m", "quart_plug", "shell"],
        input=lines,
        capture_output=True,
        text=True,
        timeout=30,
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("QUART")},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for words in ("sum 43", "name app", "still here"):
        assert words in done.stdout
    assert "ZeroDivisionError" in done.stderr


TIMED = """
import os
from quart_plug import Quart, hookimpl

class Timed:
    __quart_plug__ = {"name": "timed"}

    @hookimpl
    async def request_before(self, ctx): ...

app = Quart(__name__, plugins=[Timed()])

@app.cli.command()  # sets the plugins up while the application is imported
def greet(): ...

@app.get("/")
async def index():
    return "hello"
"""


@pytest.mark.parametrize("options", [["--no-reload"], ["--reload"]])
def test_run_tells_the_time_of_plugins(start: Start, write: Write, options: list[str]) -> None:
    """A line for each slow request, and the sums when they are asked for and at the end: once, of the server."""
    write("app.py", TIMED)
    program = start("run", "--port", "0", "--no-access-log", "--trace-plugins", "--trace-slow", "0", *options)
    port = program.port()
    assert fetch(port) == "hello"
    program.wait_for(r"^\[slow\] GET / 200: [\d.]+ ms, [\d.]+ ms of it in plugins \(.*timed request_before [\d.]+ ms")
    if options == ["--no-reload"]:
        program.send(signal.SIGUSR1)
        program.wait_for("^timed +request_before +1 ")
        assert fetch(port) == "hello"
    before = len(program.seen)
    status, output = program.stop(signal.SIGINT)
    assert (status, "Traceback" in output) == (0, False), output
    rest = output.splitlines()[before:]
    assert sum(line.startswith("Outside of requests") for line in rest) == 1, output
    row = next(line.split() for line in rest if line.startswith("timed ") and "request_before" in line)
    assert row[:3] == ["timed", "request_before", "2" if options == ["--no-reload"] else "1"]


def test_a_quick_request_has_no_line(start: Start, write: Write) -> None:
    write("app.py", TIMED)
    program = start("run", "--port", "0", "--no-access-log", "--trace-plugins", "--trace-slow", "60000")
    assert fetch(program.port()) == "hello"
    status, output = program.stop(signal.SIGINT)
    assert (status, "[slow]" in output, "Within requests" in output) == (0, False, True), output


BROKEN = {
    "sys.exit at import": "import sys\nprint('noise')\nsys.exit('enough')\n",
    "no module": "import nothing_like_this\n",
    "a syntax error": "def broken(:\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
def test_commands_about_plugins_work_with_every_plugin_broken(start: Start, write: Write, text: str) -> None:
    """The command line's own among them, and click missing."""
    for name in CORE:
        write(f"quart_plug_{name}.py", text)
    write("click/__init__.py", "raise ImportError('there is no click')\n")
    write("pyproject.toml", "")
    everything = {"PYTHONPATH": "."}
    status, output = start("list", "--json", **everything).wait()
    listed = output[output.index("{") :]
    states = {plugin["status"] for plugin in json.loads(listed)["plugins"] if plugin["requested_by"] == ["core"]}
    assert status == 0 and states and states <= {"failed", "missing", "blocked"}, output
    for command, expected in (
        (["plugins", "doctor"], 1),
        (["plugins", "show", "cli"], 0),
        (["plugins", "hooks"], 0),
        (["plugins", "disable", "json"], 0),
        (["plugins", "enable", "json"], 0),
        (["plugins", "new", "salons"], 0),
        (["plugins", "--help"], 0),
    ):
        status, output = start(*command, **everything).wait()
        assert (status, "Traceback" in output) == (expected, False), output
    status, output = start("run", **everything).wait()
    assert (status, "Traceback" in output) == (2, False), output
    assert "'cli'" in output


def test_output_that_nobody_reads_any_more_is_no_error(start: Start, write: Write) -> None:
    write(
        "reader.py",
        "import subprocess, sys\n"
        "command = [sys.executable, '-m', 'quart_plug', 'plugins', 'hooks', '--json']\n"
        "p = subprocess.Popen(command, stdout=-1, stderr=-1)\n"
        "p.stdout.close()\nprint(p.stderr.read().decode(), p.wait())\n",
    )
    status, output = start(command=["reader.py"]).wait()
    assert (status, output.strip()) == (0, "1")


def test_what_a_plugin_prints_is_no_part_of_the_json(start: Start, write: Write, tmp_path: Path) -> None:
    """Also while the program looks for the command line."""
    import os
    import subprocess

    write("app.py", "from quart_plug import Quart\nprint('noise')\napp = Quart(__name__)\n")
    write("loud.py", "from quart_plug import hookimpl\nprint('noise')\n@hookimpl\ndef setup(app): print('noise')\n")
    write("pyproject.toml", '[tool.quart-plug]\nplugins = ["loud"]\n')
    clean = {name: value for name, value in os.environ.items() if not name.startswith("QUART")}
    for command in ("routes", "version", "plugins list", "plugins hooks", "plugins show loud", "--app app doctor"):
        done = subprocess.run(
            [sys.executable, "-m", "quart_plug", *command.split(), "--json"],
            cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=30, check=True,
        )  # fmt: skip
        assert json.loads(done.stdout), command
        assert "noise" in done.stderr, command
