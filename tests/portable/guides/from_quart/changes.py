"""What is changed in an application, and what need not be: lines of moving_from_quart.md."""

from __future__ import annotations

import os
import sys
from typing import Any

from ..programs import program, served
from .shared import make_app, part, quart, row

PROGRAM = """
from quart import Quart
app = Quart(__name__)

@app.route("/")
async def index():
    return "hello"

@app.cli.command()
def greet():
    print("hello from shop", app.debug)
"""
if quart.__name__ == "quart_plug":
    PROGRAM = PROGRAM.replace("from quart ", "from quart_plug ")

imports = row("`from quart import Quart, websocket`")


@imports.there
def _():
    from quart import Quart, websocket

    return Quart.__name__, websocket is not None


@imports.here
def _():
    from quart_plug import Quart, websocket

    return Quart.__name__, websocket is not None


submodules = row("`from quart.testing import QuartClient`")


@submodules.there
def _():
    from quart.testing import QuartClient

    return QuartClient.__name__


@submodules.here
def _():
    from quart_plug.testing import QuartClient

    return QuartClient.__name__


run_command = row("`quart --app shop run`")


@run_command.there
def _():
    # quart --app shop run
    return served(PROGRAM, "quart", "--app", "shop", "run", "--port", "5000", file="shop.py")


@run_command.here
def _():
    # quart-plug --app shop run
    return served(PROGRAM, "quart-plug", "--app", "shop", "run", "--port", "5000", file="shop.py")


module = row("`python -m quart --app shop greet`")


@module.there
def _():
    # python -m quart --app shop greet
    return program(PROGRAM, sys.executable, "-m", "quart", "--app", "shop", "greet", file="shop.py")


@module.here
def _():
    # python -m quart_plug --app shop greet
    return program(PROGRAM, sys.executable, "-m", "quart_plug", "--app", "shop", "greet", file="shop.py")


variables = row("`QUART_APP`, `QUART_DEBUG`")


@variables.there
def _():
    return program(PROGRAM, "quart", "greet", file="shop.py", QUART_APP="shop", QUART_DEBUG="1")


@variables.here
def _():
    return program(PROGRAM, "quart-plug", "greet", file="shop.py", QUART_APP="shop", QUART_DEBUG="1")


prefixed = row("`app.config.from_prefixed_env()`")


@prefixed.both
def _():
    os.environ["QUART_SHELF"] = "[1]"
    app = make_app()
    app.config.from_prefixed_env()
    return app.config["SHELF"]


servers = row("`hypercorn shop:app`")


@servers.both
def _():
    # hypercorn shop:app
    return served(PROGRAM, "hypercorn", "shop:app", "--bind", "127.0.0.1:5000", file="shop.py")


app_run = row("`app.run()`, `await app.run_task()`")


@app_run.both
def _():
    # app.run(), await app.run_task()
    code = "import asyncio; from shop import app; asyncio.run(app.run_task(port=5000))"
    task = served(PROGRAM, sys.executable, "-c", code, file="shop.py")
    return task, served(PROGRAM, sys.executable, "-c", "from shop import app; app.run(port=5000)", file="shop.py")


cookies = row("the session cookie")


@cookies.both
def _():
    from itsdangerous import TimestampSigner

    app = make_app()
    TimestampSigner.get_timestamp = lambda self: 1_700_000_000  # type: ignore[method-assign]
    signed = app.session_interface.get_signing_serializer(app).dumps({"a": 1})
    del TimestampSigner.get_timestamp
    return signed


# Both signatures ------------------------------------------------------------------------------------------------------

overridden = row("`async def dispatch_request(self, request_context=None):`")


@overridden.here
async def _():
    calls = []

    class Old(quart.Quart):  # type: ignore[misc, name-defined]
        async def dispatch_request(self, request_context=None):
            calls.append(request_context.request.path)
            return await super().dispatch_request(request_context)

    class New(quart.Quart):  # type: ignore[misc, name-defined]
        async def dispatch_request(self, ctx):
            calls.append(ctx.request.path)
            return await super().dispatch_request(ctx)

    for class_ in (Old, New):
        app = class_("shop")
        app.add_url_rule("/", "view", lambda: "view")
        assert (await app.test_client().get("/")).status_code == 200
    assert calls == ["/", "/"]


later = row("`async def finalize_request(self, result, request_context=None, from_error_handler=False):`")


@later.here
async def _():
    calls = []

    class Old(quart.Quart):  # type: ignore[misc, name-defined]
        async def finalize_request(self, result, request_context=None, from_error_handler=False):
            calls.append(result)
            return await super().finalize_request(result, request_context, from_error_handler)

    class New(quart.Quart):  # type: ignore[misc, name-defined]
        async def finalize_request(self, ctx, result, from_error_handler=False):
            calls.append(result)
            return await super().finalize_request(ctx, result, from_error_handler)

    for class_ in (Old, New):
        app = class_("shop")
        app.add_url_rule("/", "view", lambda: "view")
        assert (await app.test_client().get("/")).status_code == 200
    assert calls == ["view", "view"]


assigned = row("`app.handle_exception = own`, with `async def own(error):`")


@assigned.here
async def _():
    async def old(error):
        return quart.Response("old", 500)

    async def new(ctx, error):
        return quart.Response("new", 500)

    said = []
    for own in (old, new):  # async def own(error):, async def own(ctx, error):
        app = make_app()
        app.add_url_rule("/", "view", lambda: 1 / 0)
        app.handle_exception = own
        said.append(await (await app.test_client().get("/")).get_data())
    assert said == [b"old", b"new"]


called = row("`await app.do_teardown_request(exc)`")


@called.here
async def _():
    app, calls = make_app(), []
    app.teardown_request(calls.append)
    async with app.test_request_context("/") as ctx:
        exc = None
        await app.do_teardown_request(exc)
        await app.do_teardown_request(ctx, exc)
        assert calls == [None, None]


contexts = row("`RequestContext`, `WebsocketContext`")


@contexts.here
async def _():
    ctx_module: Any = part("ctx")
    async with make_app().test_request_context("/") as ctx:
        RequestContext, WebsocketContext, AppContext = (
            ctx_module.RequestContext, ctx_module.WebsocketContext, ctx_module.AppContext,
        )  # fmt: skip
        assert isinstance(ctx, RequestContext)
        assert not isinstance(ctx, WebsocketContext)
        assert isinstance(ctx, AppContext)
        assert (ctx.has_request, ctx.has_websocket) == (True, False)  # AppContext, has_request, has_websocket


proxies = row("`request_ctx`, `websocket_ctx`")


@proxies.here
async def _():
    app_globals: Any = part("globals")
    async with make_app().test_request_context("/a"):
        request_ctx, websocket_ctx, app_ctx = app_globals.request_ctx, app_globals.websocket_ctx, app_globals.app_ctx
        assert request_ctx.request.path == app_ctx.request.path == "/a"
        assert not websocket_ctx
