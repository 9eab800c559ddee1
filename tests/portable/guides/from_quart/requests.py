"""Requests, responses, sessions: lines of moving_from_quart.md."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from .shared import make_app, quart, row, within

vary = row("a view that only reads the session", there="None", here="Cookie")


@vary.both
async def _():
    app = make_app()

    @app.get("/")
    async def view() -> str:
        return str(quart.session.get("user"))

    return (await app.test_client().get("/")).headers.get("Vary")  # here it is Vary: Cookie


def a_file(name: str = "a.txt") -> Path:
    path = Path(tempfile.mkdtemp(prefix="guides-")) / name
    path.write_text("0123456789")
    return path


suffix = row("`Range: bytes=-3`, for a file", there="500", here="206")


@suffix.both
async def _():
    app, path = make_app(), a_file()

    @app.get("/")
    async def view() -> Any:
        return await quart.send_file(path, conditional=True)

    response = await app.test_client().get("/", headers={"Range": "bytes=-3"})  # Range: bytes=-3
    return response.status_code


named = row(
    "`send_file(path, as_attachment=True)`, with a name that is not ASCII",
    there='attachment; filename="ü.txt"',
    here="attachment; filename=u.txt; filename*=UTF-8''%C3%BC.txt",
)


@named.both
async def _():
    app, path = make_app(), a_file("ü.txt")

    @app.get("/")
    async def view() -> Any:
        send_file = quart.send_file
        return await send_file(path, as_attachment=True)

    return (await app.test_client().get("/")).headers["Content-Disposition"]  # with filename*


returned = row("a view that returns an iterator, or a status with its reason", there="(500, 500)", here="(200, 201)")


@returned.both
async def _():
    app = make_app(PROPAGATE_EXCEPTIONS=False)
    app.add_url_rule("/iterator", "a", lambda: iter(["a", "b"]))
    app.add_url_rule("/status", "b", lambda: ("made", "201 MADE"))
    client = app.test_client()
    return (await client.get("/iterator")).status_code, (await client.get("/status")).status_code


urls = row(
    "`PREFERRED_URL_SCHEME`, `APPLICATION_ROOT`, for `url_for` outside of a connection",
    there="http://shop.example/",
    here="https://shop.example/root/",
)


async def url(**settings: Any) -> str:
    app = make_app(SERVER_NAME="shop.example", **settings)
    app.add_url_rule("/", "index", lambda: "")
    async with app.app_context():
        return str(quart.url_for("index"))


@urls.both
async def _():
    return await url(PREFERRED_URL_SCHEME="https", APPLICATION_ROOT="/root")  # url_for


hosts = row("`TRUSTED_HOSTS`", there="200", here="400")


async def ask_as(host: str, trusted: list[str] | None) -> int:
    app = make_app(TRUSTED_HOSTS=trusted)  # the setting TRUSTED_HOSTS
    app.add_url_rule("/", "index", lambda: "")
    return int((await app.test_client().get("/", headers={"Host": host})).status_code)


@hosts.both
async def _():
    return await ask_as("evil.example", ["shop.example"])  # TRUSTED_HOSTS; here the answer is 400


@hosts.restored
async def _():
    return await ask_as("evil.example", None)  # TRUSTED_HOSTS=None


ages = row("`get_send_file_max_age`, of a blueprint with a static folder", there="43200", here="5")


@ages.both
async def _():
    class Docs(quart.Blueprint):
        def get_send_file_max_age(self, filename: str | None) -> int | None:
            return 5

    app, path = make_app(), a_file()
    app.register_blueprint(Docs("docs", "docs", static_folder=str(path.parent), static_url_path="/docs"))
    return (await app.test_client().get("/docs/a.txt")).cache_control.max_age


mistakes = row(
    "a mistake in a file for `app.config.from_pyfile` or `from_file`",
    there="['SyntaxError', 'JSONDecodeError']",
    here="['ConfigFileError', 'ConfigFileError']",
)


@mistakes.both
async def _():
    app, path = make_app(), a_file("settings")
    path.write_text("NAME = 1 2")
    errors = []
    for read in (lambda: app.config.from_pyfile(path), lambda: app.config.from_file(path, json.load)):
        try:
            read()
        except (SyntaxError, ValueError) as error:  # here a ConfigFileError
            errors.append(type(error).__name__)
    return errors


macros = row("`get_template_attribute(…)`", there="RuntimeError", here="<x>")


@macros.both
async def _():
    app, folder = make_app(), a_file("page.html").parent
    (folder / "page.html").write_text("{% macro card(x) %}<{{ x }}>{% endmacro %}")
    app = quart.Quart("shop", template_folder=str(folder))
    async with app.app_context():
        get_template_attribute = quart.get_template_attribute
        try:
            return get_template_attribute("page.html", "card")("x")
        except RuntimeError as error:
            return type(error).__name__


teardown = row("one teardown function of several fails", there="['fails', 'last']", here="['fails', 'first', 'last']")


@teardown.both
async def _():
    app, calls = make_app(PROPAGATE_EXCEPTIONS=False), []

    @app.teardown_request
    async def first(error: Any) -> None:
        calls.append("first")

    @app.teardown_request
    async def fails(error: Any) -> None:
        calls.append("fails")
        raise LookupError

    @app.teardown_request
    async def last(error: Any) -> None:
        calls.append("last")

    app.add_url_rule("/", "view", lambda: "view")
    try:
        await within(2, app.test_client().get("/"))
    except Exception:
        pass
    return sorted(calls)


told = row(
    "`@app.teardown_request`, after the client got a 500",
    there="[None]",
    here="[ZeroDivisionError('division by zero')]",
)


@told.both
async def _():
    app, calls = make_app(PROPAGATE_EXCEPTIONS=False), []
    app.teardown_request(calls.append)  # @app.teardown_request
    app.add_url_rule("/", "view", lambda: 1 / 0)
    assert (await app.test_client().get("/")).status_code == 500
    return calls


page = row("the debug page, for a client that does not ask for HTML", there="text/html", here="text/plain")


@page.both
async def _():
    app = make_app()
    app.debug = True
    app.add_url_rule("/", "view", lambda: 1 / 0)
    response = await app.test_client().get("/", headers={"Accept": "application/json"})
    return response.mimetype if "plain" in response.mimetype else "text/html"
