"""Tests, commands: lines of moving_from_quart.md."""

from __future__ import annotations

import asyncio
from typing import Any

from .shared import make_app, part, quart, row, within

unhandled = row("an error that nothing handles, with `TESTING`", there="500", here="ZeroDivisionError")


async def failed(**settings: Any) -> str:
    app = make_app(TESTING=True, **settings)
    app.add_url_rule("/", "view", lambda: 1 / 0)
    try:
        return str((await app.test_client().get("/")).status_code)
    except ZeroDivisionError as error:
        return type(error).__name__


@unhandled.both
async def _():
    return await failed()  # TESTING


@unhandled.restored
async def _():
    # PROPAGATE_EXCEPTIONS = False
    return await failed(PROPAGATE_EXCEPTIONS=False)


head = row('the body of `await client.head("/")`', there="b'body'", here="b''")


@head.both
async def _():
    app = make_app()
    app.add_url_rule("/", "view", lambda: "body")
    client = app.test_client()
    return await (await client.head("/")).get_data()


endless = row("the test client waits for what never comes", there="waits", here="WaitTimeoutError")


async def waited(**options: Any) -> str:
    app = make_app()

    @app.get("/")
    async def view() -> None:
        await asyncio.sleep(3600)

    client = app.test_client(**options)
    if options.get("timeout", 5):
        client.timeout = 0.05  # instead of 5
    task = asyncio.create_task(client.get("/"))
    done, _ = await asyncio.wait([task], timeout=1)
    if not done:
        task.cancel()
        return "waits"
    return type(task.exception()).__name__


@endless.both
async def _():
    return await waited()  # WaitTimeoutError


@endless.restored
async def _():
    # app.test_client(timeout=None)
    return await waited(timeout=None)


contexts = row('`app.test_websocket_context("/")`', there="is not there", here="/")


@contexts.both
async def _():
    app = make_app()
    app.add_websocket("/", "view", lambda: None)
    try:
        async with app.test_websocket_context("/"):
            return quart.websocket.path
    except AttributeError:
        return "is not there"


incomplete = row(
    "`await connection.receive()`, after `await connection.disconnect()`", there="waits", here="HTTPDisconnectError"
)


@incomplete.both
async def _():
    app = make_app()

    @app.get("/")
    async def view() -> Any:
        async def parts() -> Any:
            yield b"x"
            await asyncio.sleep(3600)

        return parts()

    async def receive() -> str:
        async with app.test_client().request("/") as connection:
            await connection.send_complete()
            await connection.receive()
            await connection.disconnect()
            await connection.receive()
        return "received"

    try:
        return await within(1, receive())
    except part("testing.connections").HTTPDisconnectError as error:
        return type(error).__name__


command = row("a command without `@with_appcontext`", there="False\n", here="True\n")


def current(**options: Any) -> str:
    app = make_app()

    @app.cli.command(**options)
    def who() -> None:
        print(bool(quart.current_app))

    return str(app.test_cli_runner().invoke(args=["who"]).output)


@command.both
def _():
    return current()  # @app.cli.command(), with no @with_appcontext


@command.restored
def _():
    # @app.cli.command(with_appcontext=False)
    return current(with_appcontext=False)


async_command = row("a command that is an `async def`", there="", here="ran\n")


@async_command.both
def _():
    import warnings

    warnings.simplefilter("ignore")
    app = make_app()

    @app.cli.command()
    async def who() -> None:
        print("ran")

    return app.test_cli_runner().invoke(args=["who"]).output
