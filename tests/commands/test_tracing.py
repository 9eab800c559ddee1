"""`plugins trace`: the time of plugins, of the start-up and of requests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SALONS = """
from quart_plug import hookimpl

@hookimpl
def setup(app): ...

@hookimpl
async def lifespan(app):
    yield

@hookimpl
async def request_before(ctx): ...

@hookimpl
async def connection(ctx):
    yield
"""

APP = """
from quart_plug import Quart, request

print("noise")
app = Quart(__name__, plugins=["salons"])

@app.cli.command()  # sets the plugins up while the application is imported
def greet(): ...

@app.get("/")
async def index():
    return "hello"

@app.post("/echo")
async def echo():
    assert (await request.get_json(force=True)) == {"a": 1}
    return request.headers["x-a"], 201 if request.is_json else 202

@app.get("/broken")
async def broken():
    1 / 0
"""


@pytest.fixture(autouse=True)
def app(project: Path, install: Callable[..., None]) -> None:
    install("salons", SALONS)
    (project / "app.py").write_text(APP)


def hooks(totals: list[dict[str, Any]], plugin: str = "salons") -> dict[str, int]:
    return {total["hook"]: total["calls"] for total in totals if total["plugin"] == plugin}


def test_start_up_and_requests_as_json(run_json: Any) -> None:
    found = run_json("plugins", "trace", "/", "/nowhere", "-n", "3")
    assert found["application"] == {"import": "app", "error": None}
    assert hooks(found["start_up"]) == {"import": 1, "setup": 1, "lifespan": 1}
    assert all(total["seconds"] > 0 for total in found["start_up"])
    assert [(series["path"], series["method"]) for series in found["requests"]] == [("/", "GET"), ("/nowhere", "GET")]
    assert [run["status"] for run in found["requests"][0]["runs"]] == [200] * 3
    assert [run["status"] for run in found["requests"][1]["runs"]] == [404] * 3
    for run in found["requests"][0]["runs"]:
        assert hooks(run["hooks"]) == {"request_before": 1, "connection": 1}
        assert 0 < run["in_plugins"] < run["seconds"]
    assert hooks(found["hooks"]) == {"request_before": 6, "connection": 6}


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["/echo", "-X", "post", "-H", "X-A: b", "--data-json", '{"a": 1}'], 201),
        (["--method=POST", "--header", "x-a:b", "--data", '{"a": 1}', "/echo"], 202),
        (["/broken"], 500),
        (["/echo", "-X", "DELETE"], 405),
    ],
)
def test_method_headers_and_body(run_json: Any, arguments: list[str], status: int) -> None:
    (series,) = run_json("plugins", "trace", *arguments)["requests"]
    assert [run["status"] for run in series["runs"]] == [status]


def test_as_text(run: Any) -> None:
    status, out, err = run("--app", "app", "plugins", "trace", "/", "-n", "2")
    assert (status, err) == (0, "noise\n")
    lines = out.splitlines()
    assert lines[0].startswith("Outside of requests")
    row = next(line for line in lines if line.startswith("salons "))
    assert "import" in row and "setup" in row and "lifespan" in row
    assert "GET /  200" in lines
    assert any(line.startswith("  first: ") for line in lines) and any(line.startswith("  next 1: ") for line in lines)
    within = lines[lines.index("Within requests") :]
    assert within[1].split()[:3] == ["Plugin", "Hook", "Calls"]
    assert {tuple(line.split()[:3]) for line in within[3:]} >= {("salons", "request_before", "2")}


def test_without_paths_only_the_start_up_is_shown(run: Any) -> None:
    status, out, _ = run("plugins", "trace")
    assert (status, "Within requests" in out, "give paths" in out) == (0, False, True)


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["/", "-n", "0"], 2, "--count"),
        (["/", "-H", "nothing"], 2, "of the form 'Name: value'"),
        (["/", "--app", "nowhere"], 2, "no module 'nowhere'"),
        (["nowhere"], 2, "'nowhere'"),
    ],
)
def test_a_mistake_is_said(run: Any, arguments: list[str], status: int, said: str) -> None:
    actual, out, err = run("plugins", "trace", *arguments)
    assert (actual, out, said in err) == (status, "", True), err


@pytest.mark.parametrize("text", ["@app.before_serving\nasync def fail(): raise LookupError('no database')\n"])
def test_an_application_that_does_not_start(project: Path, run: Any, text: str) -> None:
    (project / "app.py").write_text(APP + text)
    status, out, err = run("plugins", "trace", "/")
    assert (status, out, "no database" in err) == (1, "", True)
