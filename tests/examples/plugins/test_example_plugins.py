"""Each example plugin does what its file says."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from quart_plug import Quart, render_template_string, request, url_for, websocket
from quart_plug.cli import QuartGroup
from quart_plug.testing import WebsocketDisconnectError, WebsocketResponseError

from .conftest import FOLDER, NAMES, MakeApp


def add_views(app: Quart) -> None:
    @app.route("/")
    async def index() -> str:
        return "open"

    @app.websocket("/echo")
    async def echo() -> None:
        async for message in websocket:
            await websocket.send(message)

    @app.route("/fails")
    async def fails() -> str:
        raise LookupError("a secret")


async def refused(app: Quart, path: str, **options: Any) -> Any:
    with pytest.raises(WebsocketResponseError) as refusal:
        async with app.test_client().websocket(path, **options) as connection:
            await connection.receive()
    return refusal.value.response


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("_specs")])
def test_a_plugin_is_in_the_readme(name: str) -> None:
    assert f"[`{name}.py`]({name}.py)" in (FOLDER / "README.md").read_text(encoding="utf-8")


# maintenance ----------------------------------------------------------------------------------------------------------


async def test_maintenance(make_app: MakeApp) -> None:
    """A command takes the site down and up; the open paths stay open."""
    app = make_app("maintenance", maintenance={"retry_after": 60, "open_paths": ["/open"]})
    add_views(app)
    app.route("/open", endpoint="open")(app.view_functions["index"])
    client = app.test_client()
    assert (await client.get("/")).status_code == 200

    program = QuartGroup(name="shop", create_app=lambda: app)
    assert CliRunner().invoke(program, ["maintenance", "on"]).output == "The site is down.\n"
    down = await client.get("/")
    assert (down.status_code, down.headers["retry-after"]) == (503, "60")
    assert (await client.get("/open")).status_code == 200
    assert (await refused(app, "/echo")).status_code == 503

    assert CliRunner().invoke(program, ["maintenance", "off"]).output == "The site is up.\n"
    assert (await client.get("/")).status_code == 200


# health ---------------------------------------------------------------------------------------------------------------


async def test_health(make_app: MakeApp) -> None:
    """503 before the start and from the beginning of the end."""
    app = make_app("health", health={"path": "/alive"})
    states = []

    async def ask() -> None:
        response = await app.test_client().get("/alive")
        states.append(((await response.get_json())["state"], response.status_code))

    app.after_serving(ask)
    await ask()
    async with app.test_app():
        await ask()
    await ask()
    assert states == [("starting", 503), ("serving", 200), ("draining", 503), ("stopped", 503)]


# pages ----------------------------------------------------------------------------------------------------------------


async def test_pages(make_app: MakeApp, tmp_path: Path) -> None:
    """Where no route matches, a template of the folder may; never a layout, a hidden file, or one elsewhere."""
    (tmp_path / "pages" / "team").mkdir(parents=True)
    for name, text in {
        "pages/about.html": "about {{ request.path }}",
        "pages/team/index.html": "the team",
        "pages/_layout.html": "a layout",
        "pages/broken.html": "{% include 'nowhere.html' %}",
        "secret.html": "a secret",
    }.items():
        (tmp_path / name).write_text(text)
    app = make_app("pages")
    add_views(app)
    client = app.test_client()

    async def get(path: str) -> tuple[int, str]:
        response = await client.get(path)
        return response.status_code, await response.get_data(as_text=True)

    assert await get("/about") == (200, "about /about")
    assert await get("/team/") == (200, "the team")
    assert await get("/") == (200, "open")
    for path in ("/nowhere", "/_layout", "/../secret", "/team/../../secret", "/%2e%2e/secret", "/about/"):
        assert (await get(path))[0] == 404, path
    assert (await client.post("/about")).status_code == 404
    assert (await get("/broken"))[0] == 500
    assert (await refused(app, "/about")).status_code == 404


# problems -------------------------------------------------------------------------------------------------------------


async def test_problems(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    """JSON for who wants JSON, and nothing of the error's text."""
    app = make_app("problems")
    add_views(app)
    client = app.test_client()
    wants = {"accept": "application/json"}

    missing = await client.get("/nowhere", headers=wants)
    assert (missing.status_code, missing.content_type) == (404, "application/problem+json")
    assert {"title": "Not Found", "status": 404}.items() <= (await missing.get_json()).items()
    wrong = await client.post("/", headers=wants)
    assert (wrong.status_code, sorted(wrong.allow)) == (405, ["GET", "HEAD", "OPTIONS"])

    failed = await client.get("/fails", headers=wants)
    body = await failed.get_json()
    assert (failed.status_code, "a secret" in str(body)) == (500, False)
    assert f"Incident {body['instance'].removeprefix('urn:uuid:')}" in caplog.text and "a secret" in caplog.text

    assert (await client.get("/nowhere")).mimetype == "text/html"
    assert (await client.get("/nowhere", headers={"accept": "text/html,*/*;q=0.8"})).mimetype == "text/html"
    assert (await refused(app, "/nowhere", headers=wants)).content_type == "application/problem+json"


async def test_problems_leave_the_applications_handlers_alone(make_app: MakeApp) -> None:
    app = make_app("problems")
    app.register_error_handler(404, lambda error: ("mine", 404))
    response = await app.test_client().get("/nowhere", headers={"accept": "application/json"})
    assert await response.get_data(as_text=True) == "mine"


# house_style ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, text",
    [
        ("{{ 1234.5 | money }}", "1\N{NO-BREAK SPACE}234.50\N{NO-BREAK SPACE}CHF"),
        ("{{ amount | money }}", "0.13\N{NO-BREAK SPACE}CHF"),
        ("{{ when | day }}", "3 February 2026"),
        ("{{ when is recent }} {{ today() is recent }} {{ (today() - days(3)) is recent }}", "False True False"),
        ("{{ house_style.currency }}", "CHF"),
        (
            '{% from "house/forms.html" import field %}{{ field("name", "<Name>") }}',
            '<label for="name">&lt;Name&gt;</label>\n<input id="name" name="name" type="text" value="">',
        ),
    ],
)
async def test_house_style(make_app: MakeApp, source: str, text: str) -> None:
    app = make_app("house_style", house_style={"currency": "CHF", "recent_days": 2})
    async with app.app_context():
        days = {"days": lambda count: timedelta(days=count)}
        rendered = await render_template_string(source, amount=Decimal("0.125"), when=date(2026, 2, 3), **days)
    assert rendered == text


# json_style -----------------------------------------------------------------------------------------------------------


class Colour(Enum):
    RED = "red"


async def test_json_style(make_app: MakeApp) -> None:
    """Names change on both ways, values never; and more types are known."""
    app = make_app("json_style")

    @app.route("/", methods=["POST"])
    async def index() -> Any:
        return {"got_keys": sorted(await request.get_json()), "first_value": "snake_case", "_private_name": 1}

    @app.websocket("/ws")
    async def ws() -> None:
        await websocket.send_json({"line_count": len((await websocket.receive_json())["all_lines"])})

    response = await app.test_client().post("/", json={"firstName": 1, "ID": 2, "inner_one": 3})
    assert json.loads(await response.get_data()) == {
        "gotKeys": ["ID", "first_name", "inner_one"],
        "firstValue": "snake_case",
        "_privateName": 1,
    }
    async with app.test_client().websocket("/ws") as connection:
        await connection.send('{"allLines": [1, 2]}')
        assert await connection.receive() == '{"lineCount": 2}'
    more = [Colour.RED, {3, 1}, timedelta(minutes=1), Path("a/b")]
    assert app.json.dumps(more) == '["red", [1, 3], 60.0, "a/b"]'


# converters -----------------------------------------------------------------------------------------------------------


async def test_converters(make_app: MakeApp) -> None:
    """Values are found in URLs, and URLs are made of values."""
    app = make_app("converters")

    @app.route("/day/<day:when>", endpoint="day")
    @app.route("/slug/<slug:title>", endpoint="slug")
    @app.route("/id/<id:number>", endpoint="id")
    async def show(**values: Any) -> str:
        return str(next(iter(values.values())))

    client = app.test_client()
    async with app.test_request_context("/"):
        links = {number: url_for("id", number=number) for number in (0, 1, 17, 2**61 - 2)}
        assert url_for("day", when=date(2026, 2, 3)) == "/day/2026-02-03"
    for number, link in links.items():
        assert await (await client.get(link)).get_data(as_text=True) == str(number)
    assert len({link[:8] for link in links.values()}) == len(links)
    assert await (await client.get("/day/2026-02-03")).get_data() == b"2026-02-03"
    assert await (await client.get("/slug/a-1-b")).get_data() == b"a-1-b"
    for path in ("/day/2026-02-30", "/slug/a--b", "/slug/A", "/id/aeiou", f"/id/0{links[17][4:]}", "/id/zzzzzzzzzzzzz"):
        assert (await client.get(path)).status_code == 404, path


# audit ----------------------------------------------------------------------------------------------------------------


async def test_audit(make_app: MakeApp, tmp_path: Path) -> None:
    """Everything that happened is in the file, in its order, when the application has stopped."""
    app = make_app("audit", audit={"file": "logs/audit.jsonl"})
    add_views(app)

    @app.route("/orders/<int:number>")
    async def order(number: int) -> str:
        app.add_background_task(send_mail)
        return "x"

    async def send_mail() -> None:
        pass

    async with app.test_app() as serving:
        client = serving.test_client()
        await client.get("/orders/17", scope_base={"client": ("10.0.0.7", 1234)})
        for path in ("/nowhere", "/fails"):
            await client.get(path)
        async with client.websocket("/echo") as connection:
            await connection.send("x")
            await connection.receive()
        assert (await refused(app, "/nowhere")).status_code == 404
    lines = [json.loads(line) for line in (tmp_path / "instance" / "logs" / "audit.jsonl").read_text().splitlines()]
    mail = next(line for line in lines if "send_mail" in line["what"])
    lines.remove(mail)
    assert [(line["what"], line.get("status"), line.get("code")) for line in lines] == [
        ("start", None, None),
        ("GET /orders/<int:number>", 200, None),
        ("GET no route", 404, None),
        ("GET /fails", 500, None),
        ("websocket /echo", None, 1000),
        ("websocket no route", 404, None),
        ("stop", None, None),
    ]
    assert lines[1]["who"] == "10.0.0.7" and lines[1]["seconds"] >= 0


async def test_audit_of_an_app_that_was_not_started(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app("audit")
    add_views(app)
    assert (await app.test_client().get("/")).status_code == 200
    assert not (tmp_path / "instance").exists()


# websocket_guard ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "origin, status",
    [
        (None, None),
        ("http://localhost", None),
        ("https://shop.example", None),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
    ],
)
async def test_guard_origins(make_app: MakeApp, origin: str | None, status: int | None) -> None:
    """The site's own pages, those that are named, and what is no browser."""
    app = make_app("websocket_guard", websocket_guard={"origins": ["https://shop.example"]})
    add_views(app)
    headers = {} if origin is None else {"origin": origin}
    if status is not None:
        assert (await refused(app, "/echo", headers=headers)).status_code == status
        return
    async with app.test_client().websocket("/echo", headers=headers) as connection:
        await connection.send("x")
        assert await connection.receive() == "x"


async def test_guard_rate(make_app: MakeApp) -> None:
    app = make_app("websocket_guard", websocket_guard={"rate": 0.001, "burst": 3})
    add_views(app)
    async with app.test_client().websocket("/echo") as connection:
        for _ in range(4):
            await connection.send("x")
        assert [await connection.receive() for _ in range(3)] == ["x", "x", "x"]
        with pytest.raises(WebsocketDisconnectError) as end:
            await connection.receive()
    assert (end.value.code, end.value.reason) == (1008, "too many messages")


async def test_guard_secrets(make_app: MakeApp) -> None:
    app = make_app("websocket_guard", websocket_guard={"secrets": ["sk_[a-z0-9]+", "hunter2"]})
    add_views(app)
    async with app.test_client().websocket("/echo") as connection:
        for message in ("key sk_12ab, password hunter2", b"sk_12ab"):
            await connection.send(message)
        assert await connection.receive() == "key [hidden], password [hidden]"
        assert await connection.receive() == b"sk_12ab"


def test_guard_without_websockets(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app("websocket_guard")
    app.logger.setLevel("INFO")
    app.setup_plugins()
    assert "websocket_guard has nothing to guard" in caplog.text


# jobs -----------------------------------------------------------------------------------------------------------------


async def test_jobs(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    """The table tells what runs and what became of the others; the log what had to be cancelled."""
    app = make_app("jobs")
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0
    begun = asyncio.Event()

    async def works() -> None:
        pass

    async def fails() -> None:
        raise LookupError("nothing")

    async def waits() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with app.test_app():
        jobs = app.make_shell_context()["jobs"]
        for function in (works, fails, waits):
            app.add_background_task(function)
        await begun.wait()
        assert [job.name.rpartition(".")[2] for job in jobs.running.values()] == ["waits"]
        outcomes = {job.name.rpartition(".")[2]: job.outcome for job in jobs.over}
        assert outcomes == {"works": "done", "fails": "failed: LookupError('nothing')"}
    assert (jobs.over[0].outcome, jobs.running) == ("cancelled", {})
    assert "they took too long: background" in caplog.text and "waits" in caplog.text
