"""Bodies of requests and responses: lines of moving_from_quart.md."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from .shared import make_app, quart, row, soon, within

form = row("`MAX_FORM_MEMORY_SIZE`", there="200", here="413")


async def post_form(limit: int) -> int:
    app = make_app(MAX_FORM_MEMORY_SIZE=limit)

    @app.post("/")
    async def view() -> str:
        return str(len(await quart.request.form))

    part = '--B\r\nContent-Disposition: form-data; name="{}"\r\n\r\n12345\r\n'
    data = (part.format("a") + part.format("b") + "--B--\r\n").encode()
    headers = {"Content-Type": "multipart/form-data; boundary=B"}
    response = await app.test_client().post("/", data=data, headers=headers)
    return int(response.status_code)


@form.both
async def _():
    return await post_form(8)


@form.restored
async def _():
    return await post_form(16)


stream = row("`RESPONSE_TIMEOUT`, for a stream", there="b'a'", here="b'ab'")


async def get_stream(answer: Any, pause: float) -> bytes:
    """What comes of a stream that takes longer than the setting allows."""
    app = make_app(RESPONSE_TIMEOUT=0.02)

    async def chunks() -> Any:
        yield b"a"
        await asyncio.sleep(pause)
        yield b"b"

    @app.get("/")
    async def view() -> Any:
        return answer(await quart.make_response(chunks()))

    data = b""
    try:
        async with app.test_client().request("/") as connection:
            await connection.send_complete()
            while chunk := await within(4, connection.receive()):
                data += chunk
    except Exception:
        pass  # it was cut off, which the test clients tell in different ways
    return data


@stream.both
async def _():
    return await get_stream(lambda response: response, 0.1)  # response.timeout is not set


@stream.restored
async def _():
    def answer(response: Any) -> Any:
        response.timeout = 60 / 3000
        return response

    return await get_stream(answer, 60)


limit = row("`request.max_content_length = …`, in the view", there="200", here="413")


@limit.both
async def _():
    app = make_app()

    @app.post("/")
    async def view() -> str:
        request = quart.request
        request.max_content_length = 3
        return str(len(await request.get_data()))

    return (await app.test_client().post("/", data=b"1234")).status_code


quiet = row(
    "`async for chunk in request.body`, when no chunk comes for `BODY_TIMEOUT` seconds", there="waits", here="408"
)


async def post_nothing(**attributes: Any) -> Any:
    app = make_app(BODY_TIMEOUT=0.01)

    @app.post("/")
    async def view() -> str:
        request = quart.request
        for name, value in attributes.items():
            setattr(request, name, value)
        async for chunk in request.body:
            del chunk
        return "all of it"

    messages = [{"type": "http.request", "body": b"some of it", "more_body": True}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop() if messages else await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http"}
    scope |= {"path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": [], "client": None}
    return await within(0.5, app(scope | {"server": None}, receive, send)) or sent[0]["status"]


@quiet.both
async def _():
    return await post_nothing()  # async for chunk in request.body, BODY_TIMEOUT


@quiet.restored
async def _():
    request = SimpleNamespace()
    request.body_timeout = None
    return await post_nothing(**vars(request))


malformed = row("a JSON body that is not UTF-8", there="500", here="400")


@malformed.both
async def _():
    app = make_app(PROPAGATE_EXCEPTIONS=False)

    @app.post("/")
    async def view() -> str:
        return str(await quart.request.get_json())

    headers = {"Content-Type": "application/json"}
    return (await app.test_client().post("/", data=b'"\xff"', headers=headers)).status_code


no_json = row(
    "`await response.get_json()`, for what is no JSON",
    there="('None', 'JSONDecodeError')",
    here="('JSONDecodeError', 'None')",
)


@no_json.both
async def _():
    response = quart.Response("{", mimetype="application/json")

    async def get_json(**options: Any) -> str:
        try:
            return str(await response.get_json(**options))
        except ValueError as error:
            return type(error).__name__

    return await get_json(), await get_json(silent=True)


empty = row("a body with status 204 or 304", there="[b'body', b'body']", here="[b'', b'']")


@empty.both
async def _():
    app = make_app()
    app.add_url_rule("/<int:status>", "view", lambda status: ("body", status))
    client = app.test_client()
    return [await (await client.get(path)).get_data() for path in ("/204", "/304")]


leaving = row(
    "the client leaves while its request's body is read", there="['CancelledError']", here="['ClientDisconnected']"
)


@leaving.both
async def _():
    # CancelledError; ClientDisconnected, which is ClientDisconnectedError
    app, seen = make_app(), []

    @app.post("/")
    async def view() -> str:
        try:
            return str(len(await quart.request.get_data()))
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    try:
        async with app.test_client().request("/", method="POST") as connection:
            await connection.send(b"part")
            await asyncio.sleep(0.01)
            await connection.disconnect()
    except BaseException as error:
        assert type(error).__name__ != "AssertionError"
    await soon(lambda: seen)
    return str(seen)
